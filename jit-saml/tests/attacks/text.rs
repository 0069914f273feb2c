//! Texts that one program reads as one and another as two: comments, instructions, sections, elements.

use crate::forge::ISSUER;
use crate::support::Draft;
use crate::table::{Family, ORIGINAL};

#[test]
fn after_signing() {
    let mut family = Family::new("text after signing");
    for (place, text) in [
        ("name", "a1b2c3"),
        ("attribute", "staff"),
        ("audience", "https://sp.example.com/saml<"),
        ("context", "PasswordProtectedTransport<"),
    ] {
        for (what, piece, code) in [
            ("comment", "<!---->", ORIGINAL),
            ("comment with text", "<!-- victim -->", ORIGINAL),
            ("empty section", "<![CDATA[]]>", ORIGINAL),
            ("section", "<![CDATA[x]]>", "saml.digest_mismatch"),
            ("instruction", "<?x?>", "saml.digest_mismatch"),
            ("element", "<saml:x/>", "saml.digest_mismatch"),
            ("space", " ", "saml.digest_mismatch"),
            ("reference", "&#32;", "saml.digest_mismatch"),
            ("zero width space", "\u{200b}", "saml.digest_mismatch"),
            ("carriage return", "&#13;", "saml.digest_mismatch"),
        ] {
            let changed = format!("{}{piece}{}", &text[..2], &text[2..]);
            for (signed, xml) in [
                ("assertion", Draft::new().signed()),
                ("response", Draft::new().response_signed()),
                ("both", Draft::new().both_signed()),
            ] {
                assert!(xml.contains(text));
                family.attack(
                    &format!("{what} in the {place}, {signed} signed"),
                    xml.replacen(text, &changed, 1),
                    code,
                );
            }
        }
    }
    // the issuer of the response comes first in the document
    for piece in ["<!---->", "<?x?>", "<x/>"] {
        let issuer = ISSUER.replace("idp.", &format!("idp{piece}."));
        let xml = Draft::new().signed().replacen(ISSUER, &issuer, 1);
        family.attack(&format!("{piece} in the issuer of the response"), xml, "saml.issuer_malformed");
        let xml = Draft::new().signed();
        let at = xml.rfind(ISSUER).unwrap();
        let xml = format!("{}{issuer}{}", &xml[..at], &xml[at + ISSUER.len()..]);
        let code = if piece == "<!---->" { ORIGINAL } else { "saml.digest_mismatch" };
        family.attack(&format!("{piece} in the issuer of the assertion"), xml, code);
    }
    family.end(126);
}

/// A person may choose a name with anything in it at a careless provider.
#[test]
fn before_signing() {
    let mut family = Family::new("text before signing");
    for (what, name, code) in [
        ("comment", "a1<!-- -->b2c3", ORIGINAL),
        ("section", "<![CDATA[a1b2c3]]>", ORIGINAL),
        ("split section", "a1<![CDATA[b2]]>c3", ORIGINAL),
        ("references", "a1&#98;&#x32;c3", ORIGINAL),
        ("instruction", "a1<?x?>b2c3", "saml.subject_malformed"),
        ("element", "a1<saml:x>b2</saml:x>c3", "saml.subject_malformed"),
        ("name inside", "<saml:NameID>a1b2c3</saml:NameID>", "saml.subject_malformed"),
        ("white space only", " &#9;&#10; ", "saml.subject_malformed"),
        ("nothing", "", "saml.subject_malformed"),
    ] {
        let draft = Draft::new().assertion("a1b2c3", name);
        for (signed, xml) in [("assertion", draft.signed()), ("response", draft.response_signed())] {
            family.attack(&format!("{what}, {signed} signed"), xml, code);
        }
    }
    for (what, audience) in [
        ("instruction", "https://sp.example.com/saml<?x?>"),
        ("element", "https://sp.example.com/saml<x/>"),
        ("white space", " https://sp.example.com/saml "),
        ("case", "https://SP.example.com/saml"),
        ("slash", "https://sp.example.com/saml/"),
        ("port", "https://sp.example.com:443/saml"),
        ("prefix", "https://sp.example.com/sam"),
        ("wildcard", "https://sp.example.com/*"),
        ("encoded", "https://sp.example.com/%73aml"),
    ] {
        let xml = Draft::new()
            .assertion("<saml:Audience>https://sp.example.com/saml", &format!("<saml:Audience>{audience}"));
        family.attack(&format!("{what} in the audience"), xml.signed(), "saml.audience_mismatch");
    }
    family.end(27);
}
