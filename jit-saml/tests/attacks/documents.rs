//! Documents that parsers read differently, and declarations of document types.

use crate::support::Draft;
use crate::table::{Family, ORIGINAL};

#[test]
fn malformed_or_ambiguous() {
    let mut family = Family::new("differential");
    let signed = Draft::new().signed();
    let (status, subject) = ("<samlp:Status>", "<saml:Subject>");
    for (name, from, to, code) in [
        (
            "declaration in the middle",
            status,
            "<?xml version='1.0'?><samlp:Status>",
            "saml.xml_declaration_misplaced",
        ),
        ("instruction named xml", status, "<?XmL x?><samlp:Status>", "saml.xml_declaration_misplaced"),
        (
            "raw less-than in a value",
            "SessionIndex=\"_",
            "SessionIndex=\"<_",
            "saml.xml_less_than_in_attribute",
        ),
        ("end mark of a section", "a1b2c3", "a1b2c3]]>", "saml.xml_section_end_in_text"),
        ("control character", "a1b2c3", "a1b2\u{1}c3", "saml.xml_forbidden_character"),
        ("zero", "a1b2c3", "a1b2c3\0.evil", "saml.xml_forbidden_character"),
        ("noncharacter", "a1b2c3", "a1b2c3\u{ffff}", "saml.xml_forbidden_character"),
        ("invalid name", subject, "<1x/><saml:Subject>", "saml.xml_name_invalid"),
        ("slash in a name", subject, "<saml:x/y/><saml:Subject>", "saml.xml_name_invalid"),
        ("space before a name", subject, "< saml:Subject>", "saml.xml_name_invalid"),
        ("two colons", subject, "<saml:x:y/><saml:Subject>", "saml.xml_qualified_name_invalid"),
        ("unbound prefix", subject, "<evil:x/><saml:Subject>", "saml.xml_prefix_unbound"),
        ("emptied prefix", subject, "<saml:Subject xmlns:saml=\"\">", "saml.xml_prefix_emptied"),
        ("prefix xml taken", subject, "<saml:Subject xmlns:xml=\"urn:x\">", "saml.xml_prefix_reserved"),
        ("prefix xmlns taken", subject, "<saml:Subject xmlns:xmlns=\"urn:x\">", "saml.xml_prefix_reserved"),
        (
            "namespace of xml taken",
            subject,
            "<saml:Subject xmlns=\"http://www.w3.org/XML/1998/namespace\">",
            "saml.xml_prefix_reserved",
        ),
        (
            "namespace of xmlns taken",
            subject,
            "<saml:Subject xmlns:q=\"http://www.w3.org/2000/xmlns/\">",
            "saml.xml_prefix_reserved",
        ),
        (
            "attribute twice",
            " ID=\"_assertion1\"",
            " ID=\"_assertion1\" ID=\"_evil\"",
            "saml.xml_duplicate_attribute",
        ),
        (
            "attribute twice by two prefixes",
            subject,
            "<saml:Subject xmlns:p=\"urn:x\" xmlns:q=\"urn:x\" p:a=\"\" q:a=\"\">",
            "saml.xml_duplicate_attribute",
        ),
        (
            "declaration twice",
            subject,
            "<saml:Subject xmlns:p=\"urn:x\" xmlns:p=\"urn:y\">",
            "saml.xml_duplicate_attribute",
        ),
        ("no quotes", " ID=\"_assertion1\"", " ID=_assertion1", "saml.xml_attribute_malformed"),
        ("no value", " ID=\"_assertion1\"", " ID", "saml.xml_attribute_malformed"),
        ("no space between", "\" ID=\"_assertion1\"", "\"ID=\"_assertion1\"", "saml.xml_attribute_malformed"),
        (
            "no-break space between",
            " ID=\"_assertion1\"",
            "\u{a0}ID=\"_assertion1\"",
            "saml.xml_attribute_malformed",
        ),
        (
            "next line between",
            " ID=\"_assertion1\"",
            "\u{85}ID=\"_assertion1\"",
            "saml.xml_attribute_malformed",
        ),
        ("unknown entity", "a1b2c3", "a1&evil;c3", "saml.xml_reference_invalid"),
        ("entity of HTML", "a1b2c3", "a1&nbsp;c3", "saml.xml_reference_invalid"),
        ("reference to zero", "a1b2c3", "a1&#0;c3", "saml.xml_reference_invalid"),
        ("reference to a surrogate", "a1b2c3", "a1&#xD800;c3", "saml.xml_reference_invalid"),
        ("reference beyond Unicode", "a1b2c3", "a1&#x110000;c3", "saml.xml_reference_invalid"),
        ("reference that wraps around", "a1b2c3", "a1&#4294967393;c3", "saml.xml_reference_invalid"),
        ("ampersand alone", "a1b2c3", "a1 & c3", "saml.xml_reference_invalid"),
        ("other case at the end", "</saml:Subject>", "</saml:subject>", "saml.xml_end_tag_mismatch"),
        ("other prefix at the end", "</saml:Subject>", "</samlp:Subject>", "saml.xml_end_tag_mismatch"),
        ("attribute at the end", "</saml:Subject>", "</saml:Subject x=\"\">", "saml.xml_end_tag_mismatch"),
        ("crossed elements", "</saml:NameID>", "", "saml.xml_end_tag_mismatch"),
        ("hyphens in a comment", status, "<!-- -- --><samlp:Status>", "saml.xml_comment_malformed"),
        ("comment of HTML", status, "<!--><samlp:Status>", "saml.xml_markup_malformed"),
        ("other comment of HTML", status, "<!---><samlp:Status>", "saml.xml_markup_malformed"),
        ("comment that ends at --!>", status, "<!-- --!> --><samlp:Status>", "saml.xml_comment_malformed"),
        ("section in small letters", "a1b2c3", "<![cdata[a1b2c3]]>", "saml.xml_markup_malformed"),
        ("conditional section", "a1b2c3", "<![INCLUDE[a1b2c3]]>", "saml.xml_markup_malformed"),
        ("instruction without a name", status, "<? x?><samlp:Status>", "saml.xml_instruction_malformed"),
        ("relative namespace", subject, "<saml:Subject xmlns:r=\"r\">", "saml.xml_namespace_relative"),
    ] {
        assert!(signed.contains(from), "{name}");
        let at = if from.starts_with('<') { signed.find(from).unwrap() } else { signed.rfind(from).unwrap() };
        let changed = format!("{}{to}{}", &signed[..at], &signed[at + from.len()..]);
        family.attack(name, changed, code);
    }
    family.end(44);
}

#[test]
fn around_the_root() {
    let mut family = Family::new("around the root");
    let signed = Draft::new().signed();
    let evil = Draft::new().plain().replace("a1b2c3", "victim");
    for (name, before, after, code) in [
        ("nothing", "", "", ORIGINAL),
        ("text before", "x", "", "saml.xml_text_outside_root"),
        ("text behind", "", "x", "saml.xml_text_outside_root"),
        ("reference behind", "", "&#32;", "saml.xml_text_outside_root"),
        ("section behind", "", "<![CDATA[]]>", "saml.xml_text_outside_root"),
        ("root before", "<a/>", "", "saml.xml_second_root"),
        ("root behind", "", "<a/>", "saml.xml_second_root"),
        ("response before", &evil, "", "saml.xml_second_root"),
        ("response behind", "", &evil, "saml.xml_second_root"),
        ("end tag behind", "", "</samlp:Response>", "saml.xml_end_tag_mismatch"),
        ("comment", "<!-- <a> -->", "<!-- </a> -->", ORIGINAL),
        ("style sheet", "<?xml-stylesheet href=\"https://evil.example/\"?>", "", ORIGINAL),
        ("byte order mark", "\u{feff}", "", ORIGINAL),
        ("two byte order marks", "\u{feff}\u{feff}", "", "saml.xml_text_outside_root"),
        ("two byte order marks and a comment", "\u{feff}\u{feff}<!--x-->", "", "saml.xml_text_outside_root"),
        ("byte order mark behind", "", "\u{feff}", "saml.xml_text_outside_root"),
        ("declaration", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "", ORIGINAL),
        ("XML 1.1", "<?xml version=\"1.1\"?>", "", "saml.xml_version_unsupported"),
        ("Latin 1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", "", "saml.xml_encoding_unsupported"),
        ("UTF-7", "<?xml version=\"1.0\" encoding=\"UTF-7\"?>", "", "saml.xml_encoding_unsupported"),
        ("UTF-16", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>", "", "saml.xml_encoding_unsupported"),
        ("EBCDIC", "<?xml version=\"1.0\" encoding=\"IBM037\"?>", "", "saml.xml_encoding_unsupported"),
        (
            "two declarations",
            "<?xml version=\"1.0\"?><?xml version=\"1.0\"?>",
            "",
            "saml.xml_declaration_misplaced",
        ),
        ("space before the declaration", " <?xml version=\"1.0\"?>", "", "saml.xml_declaration_misplaced"),
    ] {
        family.attack(name, format!("{before}{signed}{after}"), code);
    }
    let cut = |length: usize| signed[..signed.len() - length].to_owned();
    family.attack("last tag missing", cut("</samlp:Response>".len()), "saml.xml_unclosed");
    family.attack("last octet missing", cut(1), "saml.xml_markup_malformed");
    let put = |octets: &[u8]| {
        let at = signed.rfind("a1b2c3").unwrap();
        [&signed.as_bytes()[..at], octets, &signed.as_bytes()[at..]].concat()
    };
    family.octets("overlong zero", &put(b"\xc0\x80"), "saml.xml_utf8_invalid");
    family.octets("overlong less-than", &put(b"\xc0\xbc"), "saml.xml_utf8_invalid");
    family.octets("surrogate", &put(b"\xed\xa0\x80"), "saml.xml_utf8_invalid");
    family.octets("lone octet", &put(b"\xff"), "saml.xml_utf8_invalid");
    family.octets("beyond Unicode", &put(b"\xf4\x90\x80\x80"), "saml.xml_utf8_invalid");
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(signed.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    family.octets("UTF-16 by its octets", &wide, "saml.xml_forbidden_character");
    family.end(32);
}

#[test]
fn document_types() {
    let mut family = Family::new("document type");
    let signed = Draft::new().signed();
    let laughs: Vec<_> =
        (1..12).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let laughs = laughs.concat();
    let long = format!("<!ENTITY a \"{}\">", "a".repeat(50_000));
    for (name, subset) in [
        ("entity", "[<!ENTITY e \"victim\">]"),
        ("external entity", "[<!ENTITY e SYSTEM \"file:///etc/passwd\">]"),
        ("external entity by http", "[<!ENTITY e SYSTEM \"http://169.254.169.254/\">]"),
        ("public entity", "[<!ENTITY e PUBLIC \"x\" \"https://evil.example/\">]"),
        ("parameter entity", "[<!ENTITY % e SYSTEM \"https://evil.example/\"> %e;]"),
        ("external subset", "SYSTEM \"https://evil.example/evil.dtd\""),
        ("public subset", "PUBLIC \"x\" \"https://evil.example/evil.dtd\""),
        ("default of an identifier", "[<!ATTLIST saml:Assertion Id ID \"_assertion1\">]"),
        ("default of a namespace", "[<!ATTLIST saml:Assertion xmlns:ds CDATA \"urn:x\">]"),
        ("normalisation of an attribute", "[<!ATTLIST saml:Assertion ID ID #REQUIRED>]"),
        ("notation", "[<!NOTATION n SYSTEM \"x\">]"),
        ("laughs", &format!("[<!ENTITY l0 \"ha\">{laughs}]")),
        ("long entity", &format!("[{long}]")),
        ("nothing", ""),
    ] {
        let xml = format!("<!DOCTYPE samlp:Response {subset}>{signed}");
        family.attack(name, xml.replace("a1b2c3", "&e;"), "saml.xml_doctype");
        family.attack(&format!("{name}, unused"), xml, "saml.xml_doctype");
    }
    for (name, xml) in [
        ("in small letters", format!("<!doctype x>{signed}")),
        ("inside", signed.replacen("<samlp:Status>", "<!DOCTYPE x><samlp:Status>", 1)),
        ("behind", format!("{signed}<!DOCTYPE x>")),
        ("after the declaration", format!("<?xml version=\"1.0\"?><!DOCTYPE x>{signed}")),
        ("twice", format!("<!DOCTYPE x><!DOCTYPE x>{signed}")),
    ] {
        family.attack(name, xml, "saml.xml_doctype");
    }
    let element = signed.replacen("<samlp:Status>", "<!ENTITY e \"x\"><samlp:Status>", 1);
    family.attack("an entity without a document type", element, "saml.xml_markup_malformed");
    let include = "<samlp:Extensions><i:include xmlns:i=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\"/></samlp:Extensions><samlp:Status>";
    family.attack("XInclude", signed.replacen("<samlp:Status>", include, 1), ORIGINAL);
    family.end(35);
}
