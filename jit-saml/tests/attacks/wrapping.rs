//! Signature wrapping: the signed element moves aside, another takes its place (Somorovsky et al., USENIX Security 2012).

use jit_saml::signature::sign_enveloped;

use crate::forge::{after_issuer, cut, evil};
use crate::support::{Draft, key};
use crate::table::{Family, ORIGINAL};

fn inside(xml: &str, end: &str, what: &str) -> String {
    let at = xml.rfind(end).unwrap();
    format!("{}{what}{}", &xml[..at], &xml[at..])
}

/// The assertion is signed; `same` gives the forged one the identifier of the signed one.
fn of_assertions(family: &mut Family, same: bool) {
    let draft = Draft::new();
    let genuine = draft.signed_assertion(key());
    let (bare, signature) = cut(&genuine);
    let evil = evil(if same { "_assertion1" } else { "_evil" });
    let object =
        |what: &str| inside(&signature, "</ds:Signature>", &format!("<ds:Object>{what}</ds:Object>"));
    let info =
        |what: &str| inside(&signature, "</ds:Signature>", &format!("<ds:KeyInfo>{what}</ds:KeyInfo>"));
    let advice = |holder: &str, what: &str| {
        holder.replace("</saml:Conditions>", &format!("</saml:Conditions><saml:Advice>{what}</saml:Advice>"))
    };
    let value = |holder: &str, what: &str| holder.replace("ada@example.org", what);
    let within = |holder: &str, what: &str| inside(holder, "</saml:Assertion>", what);
    let status = "<samlp:Status>";
    let extended = |what: &str| {
        draft.clone().response(status, &format!("<samlp:Extensions>{what}</samlp:Extensions>{status}"))
    };
    let success = "status:Success\"/>";
    let detailed = |what: &str| {
        draft.clone().response(success, &format!("{success}<samlp:StatusDetail>{what}</samlp:StatusDetail>"))
    };
    let nested = |what: &str| draft.with(what).replace("_response1", "_response2");
    let twin = if same { "saml.id_repeated" } else { "saml.reference_mismatch" };
    let changed = if same { "saml.id_repeated" } else { "saml.digest_mismatch" };
    let ignored = if same { "saml.id_repeated" } else { ORIGINAL };
    let name = |text: &str| format!("{text}, {} identifier", if same { "same" } else { "other" });
    let mut attack = |text: &str, xml: String, code: &str| family.attack(&name(text), xml, code);
    attack("XSW3: before it", draft.with(&format!("{evil}{genuine}")), "saml.assertion_several");
    attack("behind it", draft.with(&format!("{genuine}{evil}")), "saml.assertion_several");
    attack("XSW4: around it", draft.with(&within(&evil, &genuine)), "saml.signature_unexpected");
    attack("inside it", draft.with(&within(&genuine, &evil)), changed);
    let holding = after_issuer(&evil, &signature);
    attack("XSW5: with its signature", draft.with(&format!("{holding}{bare}")), "saml.assertion_several");
    attack(
        "with its signature alone",
        draft.with(&holding),
        if same { "saml.digest_mismatch" } else { twin },
    );
    let holding = |signature: String| draft.with(&after_issuer(&evil, &signature));
    attack(
        "XSW6: in the signature",
        holding(inside(&signature, "</ds:Signature>", &bare)),
        "saml.signature_malformed",
    );
    attack("XSW8: in an object", holding(object(&bare)), "saml.signature_malformed");
    attack("in the key info", holding(info(&bare)), twin);
    attack(
        "forged one in an object",
        draft.with(&after_issuer(&bare, &object(&evil))),
        "saml.signature_malformed",
    );
    attack("forged one in the key info", draft.with(&after_issuer(&bare, &info(&evil))), ignored);
    attack("XSW7: forged one in the extensions", extended(&evil).with(&genuine), ignored);
    attack("genuine one in the extensions", extended(&genuine).with(&evil), "saml.signature_unexpected");
    attack("forged one in the status", detailed(&evil).with(&genuine), ignored);
    attack("genuine one in the status", detailed(&genuine).with(&evil), "saml.signature_unexpected");
    attack("genuine one in the advice", draft.with(&advice(&evil, &genuine)), "saml.signature_unexpected");
    attack("forged one in the advice", draft.with(&advice(&genuine, &evil)), changed);
    attack("genuine one in a value", draft.with(&value(&evil, &genuine)), "saml.signature_unexpected");
    attack("forged one in a value", draft.with(&value(&genuine, &evil)), changed);
    attack("in a response inside", draft.with(&nested(&genuine)), "saml.response_malformed");
    attack(
        "beside a response inside",
        draft.with(&format!("{}{evil}", nested(&genuine))),
        "saml.response_malformed",
    );
    attack(
        "around a response inside",
        draft.with(&within(&evil, &nested(&genuine))),
        "saml.signature_unexpected",
    );
}

#[test]
fn of_a_signed_assertion() {
    let mut family = Family::new("wrapping of an assertion");
    of_assertions(&mut family, true);
    of_assertions(&mut family, false);
    family.end(44);
}

#[test]
fn of_a_signed_response() {
    let mut family = Family::new("wrapping of a response");
    let draft = Draft::new();
    let genuine = draft.response_signed();
    let (bare, signature) = cut(&genuine);
    for same in [true, false] {
        let id = if same { "_response1" } else { "_evil" };
        let evil = draft.with(&evil("_evil1")).replace("_response1", id);
        let object =
            |what: &str| inside(&signature, "</ds:Signature>", &format!("<ds:Object>{what}</ds:Object>"));
        let with = |signature: &str| after_issuer(&evil, signature);
        let (twin, changed, alone) = if same {
            ("saml.id_repeated", "saml.id_repeated", "saml.digest_mismatch")
        } else {
            ("saml.reference_mismatch", "saml.digest_mismatch", "saml.reference_mismatch")
        };
        let name = |text: &str| format!("{text}, {} identifier", if same { "same" } else { "other" });
        let mut attack = |text: &str, xml: String, code: &str| family.attack(&name(text), xml, code);
        attack("XSW1: in an object", with(&object(&bare)), "saml.signature_malformed");
        attack("XSW2: before the signature", with(&format!("{bare}{signature}")), "saml.signature_misplaced");
        attack("behind the signature", with(&format!("{signature}{bare}")), twin);
        attack("signed one inside", with(&genuine), "saml.response_malformed");
        attack(
            "signed one at the end",
            inside(&evil, "</samlp:Response>", &genuine),
            "saml.response_malformed",
        );
        attack("forged one at the end", inside(&genuine, "</samlp:Response>", &evil), changed);
        attack("signature alone", with(&signature), alone);
    }
    let soap = |what: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{what}</s:Body></s:Envelope>"
        )
    };
    family.attack("in a SOAP envelope", soap(&genuine), "saml.not_a_response");
    let both = draft.both_signed();
    family.attack(
        "forged assertion beside both",
        inside(&both, "</samlp:Response>", &evil("_evil")),
        "saml.digest_mismatch",
    );
    let (stripped, _) = cut(&both);
    let forged = stripped.replacen("a1b2c3", "victim", 1);
    family.attack("signature of the response removed and the name changed", forged, "saml.digest_mismatch");
    let unsigned = draft.plain().replace("a1b2c3", "victim");
    family.attack("all signatures removed", unsigned, "saml.not_signed");
    family.end(18);
}

#[test]
fn by_other_attributes_that_may_be_identifiers() {
    let mut family = Family::new("identifiers");
    let draft = Draft::new();
    let genuine = draft.signed_assertion(key());
    let (bare, signature) = cut(&genuine);
    for name in ["ID", "Id", "id", "xml:id", "AssertionID", "saml:ID", "xsi:Id", "xmlns:x=\"urn:x\" x:id"] {
        let attribute = format!("{name}=\"_assertion1\"");
        // a namespaced identifier beside the plain one, or in its place
        let forged = evil("_evil").replacen(" ID=\"_evil\"", &format!(" ID=\"_evil\" {attribute}"), 1);
        let code = if attribute.starts_with("ID") {
            "saml.xml_duplicate_attribute"
        } else {
            "saml.reference_mismatch"
        };
        family.attack(
            &format!("{attribute} beside ID"),
            draft.with(&after_issuer(&forged, &signature)),
            code,
        );
        let forged = evil("_evil").replacen(" ID=\"_evil\"", &format!(" {attribute}"), 1);
        let code = if attribute.starts_with("ID") { "saml.digest_mismatch" } else { "saml.id_missing" };
        family.attack(&format!("{attribute} for ID"), draft.with(&after_issuer(&forged, &signature)), code);
        let status = "<samlp:Status>";
        let holder = format!(
            "<samlp:Extensions><samlp:x xmlns:saml=\"urn:s\" xmlns:xsi=\"urn:i\" {attribute}/></samlp:Extensions>{status}"
        );
        family.attack(
            &format!("{attribute} elsewhere"),
            draft.clone().response(status, &holder).with(&genuine),
            "saml.id_repeated",
        );
    }
    let renamed = genuine.replacen(" ID=\"_assertion1\"", " Id=\"_assertion1\"", 1);
    family.attack("another attribute on the signed element", draft.with(&renamed), "saml.id_missing");
    let pollution = genuine.replacen(" ID=\"_assertion1\"", " ID=\"_assertion1\" Id=\"_evil\"", 1);
    family.attack(
        "a second identifier on the signed element",
        draft.with(&pollution),
        "saml.digest_mismatch",
    );
    let entity = genuine.replacen(" ID=\"_assertion1\"", " ID=\"&#95;assertion1\"", 1);
    family.attack("the identifier by a reference", draft.with(&entity), "original");
    let whole = sign_enveloped(&bare, "_assertion1", &crate::support::new_key(), None).unwrap();
    family.attack("signed by somebody else", draft.with(&whole), "saml.signature_invalid");
    family.end(28);
}
