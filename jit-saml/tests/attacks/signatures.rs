//! Signatures reused, confused, void, or built in another way than the profile says.

use jit_saml::base64_text::encode;
use jit_saml::signature::sign_enveloped;

use crate::forge::{DS, ENVELOPED, EXCLUSIVE, ISSUER, Recipe, SHA256, after_issuer, cut, evil, reference};
use crate::support::{Draft, key, new_key};
use crate::table::{Family, ORIGINAL};

/// What the provider signs elsewhere, each with the identifier that the forged element needs.
fn signed_elsewhere(id: &str) -> [(&'static str, String); 4] {
    let names = "xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
    let head = format!("ID=\"{id}\" Version=\"2.0\" IssueInstant=\"2027-01-15T12:00:00Z\"");
    let texts = [
        (
            "metadata",
            format!(
                "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"{id}\" entityID=\"x\"><md:Organization/></md:EntityDescriptor>"
            ),
        ),
        ("logout request", format!("<samlp:LogoutRequest {names} {head}>{ISSUER}</samlp:LogoutRequest>")),
        (
            "error response",
            format!(
                "<samlp:Response {names} {head}>{ISSUER}<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"/></samlp:Status></samlp:Response>"
            ),
        ),
        ("attribute query", format!("<samlp:AttributeQuery {names} {head}>{ISSUER}</samlp:AttributeQuery>")),
    ];
    texts.map(|(name, text)| (name, cut(&sign_enveloped(&text, id, key(), None).unwrap()).1))
}

#[test]
fn reused_from_another_message() {
    let mut family = Family::new("signature confusion");
    let draft = Draft::new();
    for (name, signature) in signed_elsewhere("_assertion1") {
        let forged = after_issuer(&evil("_assertion1"), &signature);
        family.attack(&format!("{name} for an assertion"), draft.with(&forged), "saml.digest_mismatch");
    }
    for (name, signature) in signed_elsewhere("_response1") {
        let forged = draft.with(&evil("_evil"));
        let forged = after_issuer(&forged, &signature);
        family.attack(&format!("{name} for a response"), forged, "saml.digest_mismatch");
    }
    for (name, signature) in signed_elsewhere("_metadata") {
        let forged = after_issuer(&draft.with(&evil("_evil")), &signature);
        family.attack(&format!("{name} with its own identifier"), forged, "saml.reference_mismatch");
    }
    // an assertion in the place of the response, and the other way round
    family.attack("an assertion alone", draft.signed_assertion(key()), "saml.not_a_response");
    family.attack(
        "a response as the assertion",
        draft.with(&draft.response_signed()),
        "saml.response_malformed",
    );
    family.end(14);
}

#[test]
fn void_canonicalization() {
    let mut family = Family::new("void");
    let draft = Draft::new();
    let empty = encode(&[
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);
    for name in ["1", "./x", "x/y", "//host", "../", "?q", "#f", "relative"] {
        let xml = draft.clone().assertion("<saml:Subject>", &format!("<saml:Subject xmlns:v=\"{name}\">"));
        let reference = reference(" URI=\"#_assertion1\"", &[ENVELOPED, EXCLUSIVE]).replace('@', &empty);
        let sign = |octets: &[u8]| key().sign_detached(octets).unwrap().1;
        let signed = Recipe::references(&reference).assertion(&evil("_assertion1"), sign);
        let signed = signed.replacen("<saml:Subject>", &format!("<saml:Subject xmlns:v=\"{name}\">"), 1);
        family.attack(
            &format!("digest of nothing, {name}"),
            draft.with(&signed),
            "saml.xml_namespace_relative",
        );
        family.attack(&format!("unsigned, {name}"), xml.plain(), "saml.xml_namespace_relative");
    }
    let digest = reference(" URI=\"#_assertion1\"", &[ENVELOPED, EXCLUSIVE]).replace('@', &empty);
    family.attack("digest of nothing", Recipe::references(&digest).response(), "saml.digest_mismatch");
    let none = reference(" URI=\"#_assertion1\"", &[ENVELOPED, EXCLUSIVE]).replace('@', "");
    family.attack("no digest", Recipe::references(&none).response(), "saml.digest_mismatch");
    let over_nothing = Recipe::good().response_with(|_| key().sign_detached(b"").unwrap().1);
    family.attack("signature over nothing", over_nothing, "saml.signature_invalid");
    family.end(19);
}

#[test]
fn digests_and_values() {
    let mut family = Family::new("digest");
    let draft = Draft::new();
    let signed = draft.signed();
    let forged = signed.replace("a1b2c3", "victim");
    let digest_of = |assertion: &str| {
        let recipe = Recipe::good().assertion(assertion, |_| Vec::new());
        let start = recipe.find("<ds:DigestValue>").unwrap() + "<ds:DigestValue>".len();
        recipe[start..recipe.find("</ds:DigestValue>").unwrap()].to_owned()
    };
    let ours = digest_of(&draft.assertion.replace("a1b2c3", "victim"));
    for (name, open, close, code) in [
        ("a comment before it", "<!--@-->", "", "saml.digest_malformed"),
        ("a comment behind it", "", "<!--@-->", "saml.digest_malformed"),
        ("it in a comment", "@<!--", "-->", "saml.digest_malformed"),
        ("an instruction", "<?x @?>", "", "saml.digest_malformed"),
        ("an instruction behind it", "@<?x ", "?>", "saml.digest_malformed"),
        ("an element", "<ds:x>@</ds:x>", "", "saml.digest_malformed"),
        ("a section", "<![CDATA[@]]>", "", "saml.digest_malformed"),
        ("a section behind it", "@<![CDATA[", "]]>", "saml.digest_malformed"),
        ("two of them", "@</ds:DigestValue><ds:DigestValue>", "", "saml.signature_malformed"),
        ("two of them, ours behind", "", "</ds:DigestValue><ds:DigestValue>@", "saml.signature_malformed"),
        ("ours joined", "@", "", "saml.digest_malformed"),
    ] {
        let changed = forged.replacen("<ds:DigestValue>", &format!("<ds:DigestValue>{open}"), 1).replacen(
            "</ds:DigestValue>",
            &format!("{close}</ds:DigestValue>"),
            1,
        );
        family.attack(name, changed.replace('@', &ours).replace("ada=", "ada@"), code);
    }
    let start = signed.find("<ds:DigestValue>").unwrap() + "<ds:DigestValue>".len();
    let end = signed.find("</ds:DigestValue>").unwrap();
    let replaced = format!("{}{ours}{}", &forged[..start], &forged[end..]);
    family.attack("ours in the place of it", replaced, "saml.signature_invalid");
    let info = |text: &str| {
        let (start, end) = (text.find("<ds:SignedInfo>").unwrap(), text.find("</ds:SignedInfo>").unwrap());
        text[start..end + "</ds:SignedInfo>".len()].to_owned()
    };
    let own_info =
        info(&Recipe::good().assertion(&draft.assertion.replace("a1b2c3", "victim"), |_| Vec::new()));
    let true_info = info(&signed);
    for (name, parts) in [
        ("two SignedInfo, ours first", format!("{own_info}{true_info}")),
        ("two SignedInfo, ours last", format!("{true_info}{own_info}")),
        (
            "one SignedInfo inside the other",
            own_info.replace("</ds:SignedInfo>", &format!("{true_info}</ds:SignedInfo>")),
        ),
        (
            "one inside ours first",
            own_info.replacen("<ds:SignedInfo>", &format!("<ds:SignedInfo>{true_info}"), 1),
        ),
    ] {
        let code =
            if name.ends_with("the other") { "saml.reference_count" } else { "saml.signature_malformed" };
        family.attack(name, forged.replace(&true_info, &parts), code);
    }
    let (_, signature) = cut(&signed);
    let nested = signature.replacen("<ds:SignedInfo>", &format!("{signature}<ds:SignedInfo>"), 1);
    family.attack(
        "a signature inside the signature",
        forged.replace(&signature, &nested),
        "saml.signature_unexpected",
    );
    family.attack(
        "two signatures",
        forged.replace(&signature, &format!("{signature}{signature}")),
        "saml.signature_unexpected",
    );
    for (name, from, to, code) in [
        (
            "a comment in the value",
            "<ds:SignatureValue>",
            "<ds:SignatureValue><!-- -->",
            "saml.signature_value_malformed",
        ),
        (
            "a section in the value",
            "<ds:SignatureValue>",
            "<ds:SignatureValue><![CDATA[]]>",
            "saml.signature_value_malformed",
        ),
        ("no value", "<ds:SignatureValue>", "<ds:SignatureValue/><ds:x>", "saml.signature_malformed"),
        ("white space in the value", "<ds:SignatureValue>", "<ds:SignatureValue>&#13;\n ", ORIGINAL),
        ("white space in SignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo> ", "saml.signature_invalid"),
        ("a comment in SignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo><!-- -->", ORIGINAL),
        ("an instruction in SignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo><?x?>", "saml.signature_invalid"),
        (
            "another digest method",
            SHA256,
            "http://www.w3.org/2001/04/xmlenc#sha512",
            "saml.signature_invalid",
        ),
    ] {
        let changed = signed.replacen(from, to, 1);
        let changed = if to.contains("<ds:x>") {
            changed.replacen("</ds:SignatureValue>", "</ds:x>", 1)
        } else {
            changed
        };
        family.attack(name, changed, code);
    }
    family.end(26);
}

#[test]
fn references_and_transforms() {
    let mut family = Family::new("reference");
    family.attack("none of it", Recipe::good().response(), ORIGINAL);
    for uri in [
        "",
        " URI=\"\"",
        " URI=\"#\"",
        " URI=\"#_response1\"",
        " URI=\"#other\"",
        " URI=\"_assertion1\"",
        " URI=\"https://evil.example/#_assertion1\"",
        " URI=\"file:///etc/passwd\"",
        " URI=\"cid:_assertion1\"",
        " URI=\"#xpointer(/)\"",
        " URI=\"#xpointer(id('_assertion1'))\"",
        " URI=\"# _assertion1\"",
        " URI=\"#_Assertion1\"",
        " URI=\"#%5fassertion1\"",
        " Type=\"x\"",
    ] {
        let recipe = Recipe::references(&reference(uri, &[ENVELOPED, EXCLUSIVE]));
        family.attack(uri, recipe.response(), "saml.reference_mismatch");
    }
    let one = Recipe::good().references;
    family.attack("no reference", Recipe::references("").response(), "saml.reference_count");
    family.attack("two references", Recipe::references(&one.repeat(2)).response(), "saml.reference_count");
    let manifest = format!("<ds:Manifest>{one}</ds:Manifest>");
    family.attack("a manifest", Recipe::references(&manifest).response(), "saml.signature_malformed");
    let external = reference(" URI=\"https://evil.example/\"", &[EXCLUSIVE]);
    family.attack(
        "a second one outside",
        Recipe::references(&format!("{one}{external}")).response(),
        "saml.reference_count",
    );

    let (xpath, xslt) =
        ("http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/TR/1999/REC-xslt-19991116");
    let comments = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
    for transforms in [
        &[][..],
        &[ENVELOPED],
        &[EXCLUSIVE],
        &[EXCLUSIVE, ENVELOPED],
        &[ENVELOPED, ENVELOPED],
        &[ENVELOPED, EXCLUSIVE, EXCLUSIVE],
        &[ENVELOPED, comments],
        &[xpath, EXCLUSIVE],
        &[ENVELOPED, xpath],
        &[ENVELOPED, xslt],
        &[ENVELOPED, xslt, EXCLUSIVE],
        &[ENVELOPED, "http://www.w3.org/2002/06/xmldsig-filter2"],
        &[ENVELOPED, "http://www.w3.org/2000/09/xmldsig#base64"],
        &[ENVELOPED, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"],
        &[ENVELOPED, ""],
        &["http://www.w3.org/2000/09/xmldsig#enveloped-signature ", EXCLUSIVE],
    ] {
        let recipe = Recipe::references(&reference(" URI=\"#_assertion1\"", transforms));
        family.attack(&format!("{transforms:?}"), recipe.response(), "saml.transforms_not_allowed");
    }
    let enveloped = format!("<ds:Transform Algorithm=\"{ENVELOPED}\"/>");
    let exclusive = format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\"/>");
    let list =
        |parameter: &str| format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\">{parameter}</ds:Transform>");
    let named =
        |name: &str| format!("<e:InclusiveNamespaces xmlns:e=\"{EXCLUSIVE}\" PrefixList=\"{name}\"/>");
    for (name, from, to, code) in [
        (
            "XPath in the enveloped one",
            &enveloped,
            format!("<ds:Transform Algorithm=\"{ENVELOPED}\"><ds:XPath>1</ds:XPath></ds:Transform>"),
            "saml.transforms_not_allowed",
        ),
        (
            "text in a transform",
            &enveloped,
            format!("<ds:Transform Algorithm=\"{ENVELOPED}\">x</ds:Transform>"),
            "saml.transforms_not_allowed",
        ),
        (
            "XSLT in the exclusive one",
            &exclusive,
            list("<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"/>"),
            "saml.transforms_not_allowed",
        ),
        ("two lists", &exclusive, list(&named("a").repeat(2)), "saml.transforms_not_allowed"),
        (
            "a list of another namespace",
            &exclusive,
            list("<InclusiveNamespaces PrefixList=\"a\"/>"),
            "saml.transforms_not_allowed",
        ),
        (
            "a list without its attribute",
            &exclusive,
            list(&named("a").replace(" PrefixList=\"a\"", "")),
            "saml.transforms_not_allowed",
        ),
        ("an unknown prefix", &exclusive, list(&named("nobody")), ORIGINAL),
        ("a long list", &exclusive, list(&named(&"a ".repeat(65))), "saml.transforms_not_allowed"),
    ] {
        family.attack(name, Recipe::references(&one.replace(from.as_str(), &to)).response(), code);
    }
    family.end(44);
}

#[test]
fn structure() {
    let mut family = Family::new("structure");
    let draft = Draft::new();
    let signed = draft.signed();
    let (plain, signature) = cut(&signed);
    for (name, to) in [
        ("at the end", "</saml:Assertion>"),
        ("before the conditions", "<saml:Conditions "),
        ("in the statement", "<saml:AuthnContext>"),
        ("in the subject", "<saml:NameID "),
        ("before the issuer", "<saml:Issuer>"),
    ] {
        let at = plain.rfind(to).unwrap();
        let code = match name {
            "in the statement" | "in the subject" => "saml.signature_unexpected",
            _ => "saml.signature_misplaced",
        };
        family.attack(name, format!("{}{signature}{}", &plain[..at], &plain[at..]), code);
    }
    for (name, from, to, code) in [
        ("an object", "</ds:Signature>", "<ds:Object/></ds:Signature>", "saml.signature_malformed"),
        (
            "two values",
            "</ds:SignatureValue>",
            "</ds:SignatureValue><ds:SignatureValue/>",
            "saml.signature_malformed",
        ),
        ("text", "<ds:SignatureValue>", "x<ds:SignatureValue>", "saml.signature_malformed"),
        (
            "two key infos",
            "</ds:Signature>",
            "<ds:KeyInfo/><ds:KeyInfo/></ds:Signature>",
            "saml.signature_malformed",
        ),
        (
            "properties",
            "</ds:Signature>",
            "<ds:KeyInfo/><ds:SignatureProperties/></ds:Signature>",
            "saml.signature_malformed",
        ),
        ("a key info before", "<ds:SignedInfo>", "<ds:KeyInfo/><ds:SignedInfo>", "saml.signature_malformed"),
        ("another namespace", DS, "http://www.w3.org/2000/09/xmldsig", "saml.not_signed"),
        ("another case", DS, "http://www.w3.org/2000/09/XMLDSIG#", "saml.not_signed"),
        ("XML Signature 1.1", DS, "http://www.w3.org/2009/xmldsig11#", "saml.not_signed"),
        ("another name", "ds:SignedInfo>", "ds:signedInfo>", "saml.signature_malformed"),
        ("no value at all", "ds:SignatureValue>", "ds:Value>", "saml.signature_malformed"),
        ("another issuer", ISSUER, "<saml:Issuer>x</saml:Issuer>", "saml.issuer_mismatch"),
    ] {
        family.attack(name, signed.replace(from, to), code);
    }
    let stray = |xml: String| {
        xml.replacen(
            "<samlp:Status>",
            &format!("<samlp:Extensions>{signature}</samlp:Extensions><samlp:Status>"),
            1,
        )
    };
    family.attack("a second signature elsewhere", stray(draft.signed()), "saml.signature_unexpected");
    family.attack("the only signature elsewhere", stray(draft.plain()), "saml.signature_unexpected");
    let by_stranger = sign_enveloped(&draft.signed(), "_response1", &new_key(), None).unwrap();
    family.attack("a good one inside a bad one", by_stranger, "saml.signature_invalid");
    let bad_inside = sign_enveloped(&draft.signed_by(&new_key()), "_response1", key(), None).unwrap();
    family.attack("a bad one inside a good one", bad_inside, "saml.signature_invalid");
    family.end(21);
}
