//! Documents that would cost much more than their size. Each is refused by a count, so that no clock is needed here; the
//! benchmarks hold the times.

use std::fmt::Write as _;

use crate::forge::{EXCLUSIVE, Recipe, cut, reference};
use crate::support::{Draft, key};
use crate::table::Family;

fn extended(xml: &str, what: &str) -> String {
    xml.replacen("<samlp:Status>", &format!("<samlp:Extensions>{what}</samlp:Extensions><samlp:Status>"), 1)
}

#[test]
fn counts() {
    let mut family = Family::new("counts");
    let signed = Draft::new().signed();
    let (_, signature) = cut(&signed);
    let numbered = |count: usize, piece: fn(usize) -> String| {
        (0..count).fold(String::new(), |mut text, number| {
            let _ = write!(text, "{}", piece(number));
            text
        })
    };
    let attributes = numbered(60_000, |number| format!(" a{number}=''"));
    let namespaces = numbered(1_000, |number| format!("<x xmlns:p{number}='urn:{number}'/>"));
    let names = numbered(1_000, |number| format!("<x xmlns='urn:{number}'/>"));
    for (name, what, code) in [
        ("attributes", format!("<x{attributes}/>"), "saml.xml_too_many_attributes"),
        (
            "declarations",
            format!("<x{}/>", numbered(1_000, |number| format!(" xmlns:p{number}='urn:x'"))),
            "saml.xml_too_many_namespaces",
        ),
        ("prefixes", namespaces, "saml.xml_too_many_namespaces"),
        ("namespaces", names, "saml.xml_too_many_namespaces"),
        ("depth", "<x>".repeat(100_000), "saml.xml_too_deep"),
        ("siblings", "<x/>".repeat(200_000), "saml.xml_too_many_elements"),
        ("siblings of four megabytes", "<x/>".repeat(1_000_000), "saml.xml_too_large"),
        ("comments", "<!---->".repeat(140_000), "saml.xml_too_many_nodes"),
        ("instructions", "<?x?>".repeat(200_000), "saml.xml_too_many_nodes"),
        ("sections", "<![CDATA[]]>".repeat(80_000), "saml.xml_too_many_nodes"),
        ("signatures", signature.repeat(500), "saml.xml_too_many_signatures"),
        (
            "empty signatures",
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>".repeat(2_000),
            "saml.xml_too_many_signatures",
        ),
        (
            "attributes of many",
            numbered(700, |turn| {
                format!(
                    "<x{}/>",
                    (0..50).fold(String::new(), |all, number| format!("{all} a{number}='{turn}'"))
                )
            }),
            "saml.xml_too_many_nodes",
        ),
        (
            "declarations of many",
            numbered(700, |turn| {
                let one = |all, number| format!("{all} xmlns:p{number}='u:{}'", (number + turn) % 50);
                format!("<x{}/>", (0..50).fold(String::new(), one))
            }),
            "saml.xml_too_many_nodes",
        ),
        ("references", "&#65;".repeat(70_000), "saml.xml_too_many_nodes"),
        ("text", "x".repeat(2 << 20), "saml.xml_too_large"),
        ("a name", format!("<{}/>", "x".repeat(2 << 20)), "saml.xml_too_large"),
    ] {
        family.attack(name, extended(&signed, &what), code);
    }
    family.end(17);
}

#[test]
fn signatures_that_cost_much_before_anything_is_proved() {
    let mut family = Family::new("before the proof");
    let one = Recipe::good().references;
    let transform = format!("<ds:Transform Algorithm=\"{EXCLUSIVE}\"/>");
    let list = |names: usize| {
        format!(
            "<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"><e:InclusiveNamespaces xmlns:e=\"{EXCLUSIVE}\" \
             PrefixList=\"{}\"/></ds:CanonicalizationMethod>",
            "a ".repeat(names)
        )
    };
    let padded = |at: &str, padding: String| Recipe::references(&one.replacen(at, &padding, 1));
    for (name, recipe, code) in [
        ("references", Recipe::references(&one.repeat(2_000)), "saml.reference_count"),
        (
            "transforms",
            Recipe::references(&one.replacen(&transform, &transform.repeat(9_000), 1)),
            "saml.transforms_not_allowed",
        ),
        ("prefixes", Recipe { form: list(400_000), ..Recipe::good() }, "saml.canonicalization_not_allowed"),
        ("few prefixes", Recipe { form: list(65), ..Recipe::good() }, "saml.canonicalization_not_allowed"),
        (
            "an identifier of the reference",
            padded("<ds:Reference", format!("<ds:Reference Id=\"{}\"", "x".repeat(900_000))),
            "saml.canonical_too_large",
        ),
        (
            "white space",
            padded("<ds:Transforms>", format!("{}<ds:Transforms>", " ".repeat(900_000))),
            "saml.canonical_too_large",
        ),
        ("a digest", padded("@", "AAAA".repeat(200_000)), "saml.canonical_too_large"),
        (
            "instructions",
            padded("<ds:Transforms>", format!("{}<ds:Transforms>", "<?x?>".repeat(50_000))),
            "saml.canonical_too_large",
        ),
        (
            "an identifier of sixteen kilobytes",
            padded("<ds:Reference", format!("<ds:Reference Id=\"{}\"", "x".repeat(16 * 1024))),
            "saml.canonical_too_large",
        ),
        (
            "an identifier of twelve kilobytes",
            padded("<ds:Reference", format!("<ds:Reference Id=\"{}\"", "x".repeat(12 * 1024))),
            "original",
        ),
        (
            "a reference to nothing",
            Recipe::references(&reference(&format!(" URI=\"#{}\"", "x".repeat(900_000)), &[])),
            "saml.reference_mismatch",
        ),
    ] {
        family.attack(name, recipe.response(), code);
    }
    let huge = Recipe::good().response_with(|_| vec![1; 600_000]);
    family.attack("a signature value", huge, "saml.signature_invalid");
    family.end(12);
}

/// Whoever has any true signature, such as that of their own sign-in, can put it on an element of their own. The canonical
/// form of that element is then made, and one long name of a namespace is written again for each neighbour that uses it.
#[test]
fn the_canonical_form_of_a_forged_element_is_bounded() {
    let mut family = Family::new("canonical form");
    let draft = Draft::new();
    for (name, long, count) in [("many", 200_000, 15_000), ("few", 400_000, 12), ("short", 2_000, 15_000)] {
        let advice = format!("</saml:Conditions><saml:Advice>{}</saml:Advice>", "<p:a/>".repeat(count));
        let forged = draft.signed_assertion(key()).replacen("</saml:Conditions>", &advice, 1);
        let declared = format!("<samlp:Response xmlns:p=\"urn:{}\" ", "x".repeat(long));
        let xml = draft.with(&forged).replacen("<samlp:Response ", &declared, 1);
        assert!(xml.len() < 1 << 20);
        family.attack(name, xml, "saml.canonical_too_large");
    }
    let (_, signature) = cut(&draft.response_signed());
    let long = format!("<samlp:Response xmlns:p=\"urn:{}\" ", "x".repeat(200_000));
    let forged = extended(&draft.plain(), &"<p:a/>".repeat(15_000)).replacen("<samlp:Response ", &long, 1);
    family.attack(
        "the response",
        crate::forge::after_issuer(&forged, &signature),
        "saml.canonical_too_large",
    );
    // what real documents repeat is let through
    let values = "<saml:AttributeValue xsi:type=\"xs:string\">x</saml:AttributeValue>".repeat(6_000);
    let xml = draft.attributes(&format!("<saml:Attribute Name=\"many\">{values}</saml:Attribute>"));
    family.attack("values", xml.signed(), "BREACH: another identity was accepted");
    family.end(5);
}

#[test]
fn nobody_is_looked_up_by_an_endless_name() {
    for (length, found) in [(4_000, true), (5_000, false), (900_000, false)] {
        let name = format!("<saml:Issuer>{}</saml:Issuer>", "x".repeat(length));
        let xml = Draft::new().response(crate::forge::ISSUER, &name).signed();
        let form = jit_saml::ResponseForm::new(&jit_saml::base64_text::encode(xml.as_bytes()), None).unwrap();
        // where the response names nobody who could be known, the assertion may
        let issuer = form.unverified_issuer().unwrap();
        assert_eq!(issuer.starts_with('x'), found, "{length}");
    }
}
