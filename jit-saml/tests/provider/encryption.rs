//! Encrypted assertions, names and attributes: SAML Core §6.

use crate::support::{
    Cipher, Draft, Layout, Recipe, code, decryption_key, key, new_key, trusted, verify_with,
};
use jit_saml::checks::Check;
use jit_saml::idp::LegacyRules;
use jit_saml::response::VerifiedResponse;
use jit_saml::signature::sign_enveloped;
use jit_saml::{Rejection, TrustedIdp};

fn open_at(xml: &str, idp: &TrustedIdp, keys: &[usize]) -> Result<VerifiedResponse, Rejection> {
    let keys: Vec<_> = keys.iter().map(|index| decryption_key(*index)).collect();
    verify_with(xml, idp, |expected| expected.decryption_keys = Vec::leak(keys))
}

fn open(xml: &str) -> Result<VerifiedResponse, Rejection> {
    open_at(xml, &trusted(), &[0, 1])
}

fn sealed(recipe: Recipe, assertion: &str, index: usize) -> String {
    Draft::new().with(&recipe.seal("EncryptedAssertion", assertion, index))
}

fn sign_response(xml: &str) -> String {
    sign_enveloped(xml, "_response1", key(), None).unwrap()
}

#[test]
fn every_cipher_layout_and_key_in_turn() {
    let signed = Draft::new().signed_assertion(key());
    for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm] {
        for (sha256, layout, strangers, index) in
            [(false, Layout::Inside, 0, 0), (true, Layout::Beside, 1, 1), (false, Layout::Beside, 3, 0)]
        {
            let recipe = Recipe { cipher, sha256, layout, strangers };
            let response = open(&sealed(recipe, &signed, index)).unwrap();
            assert!(
                response.checks().made(Check::Encryption)
                    && response.checks().made(Check::AssertionSignature)
            );
            assert_eq!(response.name_id().unwrap().value, "a1b2c3");
        }
    }
}

#[test]
fn what_is_decrypted_must_be_signed_like_everything_else() {
    let (draft, recipe) = (Draft::new(), Recipe::default());
    let unsigned = sealed(recipe, &draft.assertion, 0);
    assert_eq!(code(&open(&unsigned)), "saml.not_signed");
    assert_eq!(code(&open(&sign_response(&unsigned))), "accepted");
    let forged = draft.signed_assertion(key()).replace("a1b2c3", "victim");
    assert_eq!(code(&open(&sealed(recipe, &forged, 0))), "saml.digest_mismatch");
    let stranger = draft.signed_assertion(&new_key());
    for xml in [sealed(recipe, &stranger, 0), sign_response(&sealed(recipe, &stranger, 0))] {
        assert_eq!(code(&open(&xml)), "saml.signature_invalid");
    }
    for (text, expected) in [
        ("<a/>", "saml.assertion_malformed"),
        ("<a/><b/>", "saml.xml_second_root"),
        ("", "saml.xml_root_missing"),
        ("<!DOCTYPE a><a/>", "saml.xml_doctype"),
    ] {
        assert_eq!(code(&open(&sealed(recipe, text, 0))), expected);
    }
    let nested = recipe.seal("EncryptedAssertion", &draft.signed_assertion(key()), 0);
    assert_eq!(code(&open(&sealed(recipe, &nested, 0))), "saml.assertion_malformed");
}

#[test]
fn every_failure_to_decrypt_is_the_same() {
    let xml = sealed(Recipe::default(), &Draft::new().signed_assertion(key()), 0);
    assert_eq!(code(&open_at(&xml, &trusted(), &[1])), "saml.decryption_failed");
    let values: Vec<_> = xml.match_indices("<xenc:CipherValue>").map(|(at, tag)| at + tag.len()).collect();
    for at in values {
        let mut tampered = xml.clone();
        let other = if tampered.as_bytes()[at + 40] == b'A' { "B" } else { "A" };
        tampered.replace_range(at + 40..=at + 40, other);
        assert_eq!(code(&open(&tampered)), "saml.decryption_failed");
    }
    assert_eq!(code(&open_at(&xml, &trusted(), &[])), "saml.decryption_key_missing");
}

#[test]
fn cbc_is_a_switch_and_only_under_a_signed_response() {
    let recipe = Recipe { cipher: Cipher::Aes128Cbc, ..Recipe::default() };
    let unsigned = sealed(recipe, &Draft::new().signed_assertion(key()), 0);
    let signed = sign_response(&unsigned);
    let mut legacy = LegacyRules::default();
    legacy.cbc_under_signed_response = true;
    let idp = trusted().with_legacy(legacy);
    assert_eq!(code(&open(&signed)), "saml.encryption_cbc");
    assert_eq!(code(&open_at(&unsigned, &idp, &[0])), "saml.encryption_cbc");
    assert_eq!(code(&open_at(&signed, &idp, &[0])), "accepted");
    let garbage = sign_response(&sealed(recipe, "no XML", 0));
    assert_eq!(code(&open_at(&garbage, &idp, &[0])), "saml.decryption_failed");
}

#[test]
fn what_is_not_built_as_demanded_is_told() {
    let xml = sealed(Recipe::default(), &Draft::new().signed_assertion(key()), 0);
    let aes = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
    let oaep = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
    for (from, to, expected) in [
        (aes, "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "saml.encryption_algorithm"),
        (oaep, "http://www.w3.org/2001/04/xmlenc#rsa-1_5", "saml.encryption_algorithm"),
        ("xenc:EncryptedKey", "xenc:Other", "saml.encryption_malformed"),
        (
            "<xenc:CipherValue>",
            "<xenc:CipherReference URI=\"https://x\"/><xenc:CipherValue>*",
            "saml.encryption_malformed",
        ),
    ] {
        assert_eq!(code(&open(&xml.replace(from, to))), expected, "{to}");
    }
    // one digest for the label and for the mask, or none at all
    let sha256 = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>";
    let in_oaep = format!("{oaep}\">{sha256}</xenc:EncryptionMethod>");
    let mixed = xml.replace(&format!("{oaep}\"/>"), &in_oaep);
    assert_eq!(code(&open(&mixed)), "saml.encryption_algorithm");
    let mixed = mixed.replace(oaep, "http://www.w3.org/2009/xmlenc11#rsa-oaep");
    assert_eq!(code(&open(&mixed)), "saml.encryption_algorithm");
    let two = xml.replace("</saml:EncryptedAssertion>", "<xenc:EncryptedData/></saml:EncryptedAssertion>");
    assert_eq!(code(&open(&two)), "saml.encryption_malformed");
    let stray = "<ds:KeyInfo><ds:Signature/>";
    assert_eq!(code(&open(&xml.replacen("<ds:KeyInfo>", stray, 1))), "saml.signature_unexpected");
}

#[test]
fn the_number_of_keys_is_bounded() {
    let signed = Draft::new().signed_assertion(key());
    let with = |strangers| code(&open(&sealed(Recipe { strangers, ..Recipe::default() }, &signed, 0)));
    assert_eq!(with(7), "accepted");
    assert_eq!(with(8), "saml.encryption_too_many_keys");
    assert_eq!(with(200), "saml.encryption_too_many_keys");
}

#[test]
fn every_key_is_tried_on_every_encrypted_key() {
    let signed = Draft::new().signed_assertion(key());
    // four keys of strangers before ours, and another key of ours that fits none
    let xml = sealed(Recipe { strangers: 4, ..Recipe::default() }, &signed, 0);
    assert_eq!(code(&open_at(&xml, &trusted(), &[2, 0])), "accepted");
    let xml = sealed(Recipe::default(), &signed, 0);
    assert_eq!(code(&open_at(&xml, &trusted(), &[2, 2, 2, 2, 2, 2, 2, 2, 0])), "accepted");
}

#[test]
fn what_fitted_last_is_tried_first() {
    let attribute = "<saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Name=\"x\">\
                     <saml:AttributeValue>1</saml:AttributeValue></saml:Attribute>";
    let recipe = Recipe { strangers: 3, ..Recipe::default() };
    let attribute = recipe.seal("EncryptedAttribute", attribute, 0).replace(" Id=\"_key\"", "");
    let xml = Draft::new().attributes(&attribute.repeat(20)).signed();
    let response = open_at(&xml, &trusted(), &[2, 0]).unwrap();
    assert_eq!(response.attributes().get("x").unwrap().texts().count(), 20);
}

/// It may be the one by which somebody is kept out.
#[test]
fn an_attribute_that_cannot_be_decrypted_refuses_the_sign_in() {
    let attribute = "<saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Name=\"secret\"/>";
    let attribute = |index| Recipe::default().seal("EncryptedAttribute", attribute, index);
    for (encrypted, keys, refused) in [
        (attribute(1), &[0][..], "saml.decryption_failed"),
        (attribute(0), &[], "saml.decryption_key_missing"),
        (attribute(0).replace("aes256-gcm", "aes192-gcm"), &[0], "saml.encryption_algorithm"),
        (attribute(0).replace("xenc:EncryptedKey", "xenc:Other"), &[0], "saml.encryption_malformed"),
    ] {
        let xml = Draft::new().attributes(&encrypted).signed();
        assert_eq!(code(&open_at(&xml, &trusted(), keys)), refused);
    }
}

#[test]
fn names_and_attributes_are_decrypted_as_well() {
    let name =
        "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">a1b2c3</saml:NameID>";
    let standalone =
        name.replace("<saml:NameID", "<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"");
    let encrypted = Recipe::default().seal("EncryptedID", &standalone, 1);
    let attribute = "<a:Attribute xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\" Name=\"groups\">\
                     <a:AttributeValue>hidden</a:AttributeValue></a:Attribute>";
    let attribute = Recipe::default().seal("EncryptedAttribute", attribute, 0);
    let draft = Draft::new().assertion(name, &encrypted).attributes(&attribute);
    for xml in [draft.signed(), draft.response_signed()] {
        let response = open(&xml).unwrap();
        assert_eq!(response.name_id().unwrap().value, "a1b2c3");
        let groups: Vec<_> = response.attributes().get("groups").unwrap().texts().collect();
        assert_eq!(groups, ["hidden", "staff", "admins"]);
    }
    assert_eq!(code(&open_at(&draft.signed(), &trusted(), &[])), "saml.decryption_key_missing");
    let wrong = Draft::new().assertion(name, &Recipe::default().seal("EncryptedID", "<a/>", 0));
    assert_eq!(code(&open(&wrong.signed())), "saml.subject_malformed");
}
