//! What prefixes mean inside encrypted elements, and who says so.

use crate::support::{Draft, Recipe, code, decryption_key, key, new_key, trusted, verify, verify_with};
use jit_saml::Rejection;
use jit_saml::response::VerifiedResponse;
use jit_saml::signature::{SigningKey, sign_enveloped};

const DECLARED: &str = " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
const XSI: &str = " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

fn open(xml: &str) -> Result<VerifiedResponse, Rejection> {
    verify_with(xml, &trusted(), |expected| expected.decryption_keys = Vec::leak(vec![decryption_key(0)]))
}

fn seal(assertion: &str) -> String {
    Draft::new().with(&Recipe::default().seal("EncryptedAssertion", assertion, 0))
}

fn sign_response(xml: &str) -> String {
    sign_enveloped(xml, "_response1", key(), None).unwrap()
}

/// Takes a declaration away from the start of a text that was signed before.
fn without(text: &str, declaration: &str) -> String {
    assert!(text.contains(declaration));
    text.replacen(declaration, "", 1)
}

fn declare(response: &str, declaration: &str) -> String {
    response.replacen("<samlp:Response", &format!("<samlp:Response{declaration}"), 1)
}

#[test]
fn an_assertion_with_its_own_signature_may_leave_declarations_around_it() {
    let signed = Draft::new().signed_assertion(key());
    let shorter = without(&without(&signed, DECLARED), XSI);
    for wrap in [str::to_owned, sign_response] {
        let response = open(&wrap(&declare(&seal(&shorter), XSI))).unwrap();
        assert_eq!(response.name_id().unwrap().value, "a1b2c3");
        assert_eq!(
            response.attributes().get("mail").unwrap().texts().collect::<Vec<_>>(),
            ["ada@example.org"]
        );
        assert_eq!(code(&open(&wrap(&seal(&shorter)))), "saml.decrypted_prefix_unbound");
        let other = " xmlns:xsi=\"urn:another\"";
        assert_eq!(code(&open(&wrap(&declare(&seal(&shorter), other)))), "saml.digest_mismatch");
    }
}

#[test]
fn the_default_namespace_is_that_of_the_place() {
    let prefixed = "urn:oasis:names:tc:SAML:2.0:assertion";
    let assertion = Draft::new().assertion.replace("<saml:", "<").replace("</saml:", "</");
    let assertion = assertion.replacen(DECLARED, &format!(" xmlns=\"{prefixed}\""), 1);
    let signed = sign_enveloped(&assertion, "_assertion1", key(), None).unwrap();
    let alone = seal(&signed);
    assert_eq!(code(&open(&alone)), "accepted");
    let shorter = seal(&without(&signed, &format!(" xmlns=\"{prefixed}\"")));
    assert_eq!(code(&open(&shorter)), "saml.assertion_malformed");
    assert_eq!(code(&open(&declare(&shorter, &format!(" xmlns=\"{prefixed}\"")))), "accepted");
    // what says itself what it means is read alone: a namespace around it changes nothing
    assert_eq!(code(&open(&declare(&alone, " xmlns=\"urn:x\""))), "accepted");
}

#[test]
fn nobody_but_the_signer_says_what_a_signed_response_means() {
    let unsigned = without(&Draft::new().assertion, XSI);
    let bound = sign_response(&declare(&seal(&unsigned), XSI));
    assert_eq!(code(&open(&bound)), "saml.decrypted_prefix_unbound", "exclusive forms leave it out");
    let used = sign_response(&declare(&seal(&unsigned), &format!("{XSI} xsi:x=\"\"")));
    assert_eq!(code(&open(&used)), "accepted");
    let added = sign_response(&seal(&unsigned));
    assert_eq!(code(&open(&declare(&added, XSI))), "saml.decrypted_prefix_unbound");
}

#[test]
fn a_signature_that_hides_where_it_was_posted_must_hold_all_the_same() {
    let dsig = " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    let hidden = |key: &SigningKey| {
        let signed = without(&Draft::new().signed_assertion(key), dsig);
        let holder = seal(&without(&signed, XSI)).replacen(dsig, " xmlns:ds=\"urn:x\"", 1);
        let holder = holder.replacen("<xenc:EncryptedData", &format!("<xenc:EncryptedData{dsig}"), 1);
        sign_response(&declare(&holder, &format!("{dsig}{XSI} ds:x=\"\" xsi:x=\"\"")))
    };
    assert_eq!(code(&open(&hidden(key()))), "accepted");
    assert_eq!(code(&open(&hidden(&new_key()))), "saml.signature_invalid");
}

#[test]
fn names_and_attributes_stand_in_the_signed_assertion() {
    let name =
        "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">a1b2c3</saml:NameID>";
    let encrypted = Recipe::default().seal("EncryptedID", name, 0);
    let attribute =
        "<saml:Attribute Name=\"groups\"><saml:AttributeValue>hidden</saml:AttributeValue></saml:Attribute>";
    let attribute = Recipe::default().seal("EncryptedAttribute", attribute, 0);
    let draft = Draft::new().assertion(name, &encrypted).attributes(&attribute);
    for xml in [draft.signed(), draft.response_signed(), draft.both_signed()] {
        let response = open(&xml).unwrap();
        assert_eq!(response.name_id().unwrap().value, "a1b2c3");
        let groups: Vec<_> = response.attributes().get("groups").unwrap().texts().collect();
        assert_eq!(groups, ["hidden", "staff", "admins"]);
    }
    let foreign = Recipe::default().seal("EncryptedID", &name.replace("saml:", "x:"), 0);
    let foreign = Draft::new().assertion(name, &foreign);
    let around = " xmlns:x=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
    assert_eq!(code(&open(&declare(&foreign.signed(), around))), "saml.decrypted_prefix_unbound");
}

#[test]
fn a_long_surrounding_is_not_repeated_for_each_element() {
    let name =
        "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">a1b2c3</saml:NameID>";
    let encrypted = Recipe::default().seal("EncryptedID", name, 0);
    let long = format!("<saml:Assertion xmlns:l=\"urn:{}\" l:x=\"\"", "x".repeat(20_000));
    let draft = Draft::new().assertion(name, &encrypted).assertion("<saml:Assertion", &long);
    assert_eq!(code(&open(&draft.signed())), "saml.xml_too_many_namespaces");
    assert_eq!(code(&verify(&Draft::new().assertion("<saml:Assertion", &long).signed())), "accepted");
}
