//! What must be signed, by whom, and that nothing unsigned is read: SAML Core §5.

use crate::support::{Draft, code, key, new_key, trusted, verification_key, verify, verify_with};
use jit_saml::idp::{SignatureDemand, TrustedIdp};
use jit_saml::signature::sign_enveloped;

#[test]
fn one_of_both_is_signed_unless_more_is_demanded() {
    use SignatureDemand::{Assertion, Both, Either, Response};
    let draft = Draft::new();
    let documents = [draft.plain(), draft.signed(), draft.response_signed(), draft.both_signed()];
    for (demand, codes) in [
        (Either, ["saml.not_signed", "accepted", "accepted", "accepted"]),
        (Assertion, ["saml.assertion_not_signed", "accepted", "saml.assertion_not_signed", "accepted"]),
        (Response, ["saml.response_not_signed", "saml.response_not_signed", "accepted", "accepted"]),
        (
            Both,
            ["saml.response_not_signed", "saml.response_not_signed", "saml.assertion_not_signed", "accepted"],
        ),
    ] {
        let idp = trusted().demanding(demand);
        let found = documents.each_ref().map(|xml| code(&verify_with(xml, &idp, |_| {})));
        assert_eq!(found, codes, "{demand:?}");
    }
}

#[test]
fn every_key_of_the_provider_is_tried_and_no_other() {
    let (next, stranger) = (new_key(), new_key());
    let idp = TrustedIdp::new(
        crate::support::IDP,
        vec![verification_key(&new_key()), verification_key(key()), verification_key(&next)],
    );
    let draft = Draft::new();
    for key in [key(), &next] {
        assert_eq!(code(&verify_with(&draft.signed_by(key), &idp, |_| {})), "accepted");
    }
    assert_eq!(code(&verify_with(&draft.signed_by(&stranger), &idp, |_| {})), "saml.signature_invalid");
    let nobody = TrustedIdp::new(crate::support::IDP, Vec::new());
    assert_eq!(code(&verify_with(&draft.signed(), &nobody, |_| {})), "saml.key_missing");
    assert_eq!(code(&verify_with(&draft.plain(), &nobody, |_| {})), "saml.not_signed");
}

#[test]
fn a_refusal_names_what_is_not_signed_by_any_key() {
    let stranger = new_key();
    let assertion = verify(&Draft::new().signed_by(&stranger)).unwrap_err();
    assert_eq!(assertion.to_string(), "the assertion is not signed by any key of this connection");
    let response = sign_enveloped(&Draft::new().plain(), "_response1", &stranger, None).unwrap();
    let response = verify(&response).unwrap_err();
    assert_eq!(response.to_string(), "the response is not signed by any key of this connection");
    let changed = verify(&Draft::new().signed().replace("staff", "root")).unwrap_err();
    assert_eq!(changed.to_string(), "the assertion: the element is not what was signed");
    assert_eq!(response.code(), "saml.signature_invalid");
}

#[test]
fn what_is_changed_after_signing_is_refused() {
    for xml in [Draft::new().signed(), Draft::new().response_signed(), Draft::new().both_signed()] {
        for (from, to) in
            [("a1b2c3", "victim"), ("staff", "root"), ("example.com/saml<", "example.net/saml<")]
        {
            assert!(xml.contains(from));
            assert_eq!(code(&verify(&xml.replace(from, to))), "saml.digest_mismatch", "{from}");
        }
    }
}

#[test]
fn every_signature_that_is_there_is_verified() {
    let draft = Draft::new();
    // one good signature does not cover for a bad one
    let bad_inside = sign_enveloped(&draft.signed_by(&new_key()), "_response1", key(), None).unwrap();
    assert_eq!(code(&verify(&bad_inside)), "saml.signature_invalid");
    let bad_outside = sign_enveloped(&draft.signed(), "_response1", &new_key(), None).unwrap();
    assert_eq!(code(&verify(&bad_outside)), "saml.signature_invalid");
    // a signature that belongs to nothing
    let stray = "<samlp:Extensions><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></samlp:Extensions>";
    let stray = draft.clone().response("<samlp:Status>", &format!("{stray}<samlp:Status>"));
    assert_eq!(code(&verify(&stray.signed())), "saml.signature_unexpected");
    assert_eq!(code(&verify(&stray.response_signed())), "saml.signature_unexpected");
    let inside = "<saml:Advice><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></saml:Advice>";
    let inside = draft.assertion("</saml:Conditions>", &format!("</saml:Conditions>{inside}"));
    assert_eq!(code(&verify(&inside.signed())), "saml.signature_unexpected");
    assert_eq!(code(&verify(&inside.response_signed())), "saml.signature_unexpected");
}

#[test]
fn the_signed_assertion_moved_aside_does_not_vouch_for_another() {
    let draft = Draft::new();
    let signed = draft.signed_assertion(key());
    let forged = draft.assertion.replace("a1b2c3", "victim");
    let evil = forged.replace("_assertion1", "_evil");
    let in_extensions =
        draft.clone().response("<samlp:Status>", "<samlp:Extensions>{x}</samlp:Extensions><samlp:Status>");
    let in_extensions = in_extensions.with(&evil).replace("{x}", &signed);
    assert_eq!(code(&verify(&in_extensions)), "saml.signature_unexpected");
    let in_advice =
        evil.replace("</saml:Conditions>", &format!("</saml:Conditions><saml:Advice>{signed}</saml:Advice>"));
    assert_eq!(code(&verify(&draft.with(&in_advice))), "saml.signature_unexpected");
    let in_value = evil.replace("ada@example.org", &signed);
    assert_eq!(code(&verify(&draft.with(&in_value))), "saml.signature_unexpected");
    for order in [format!("{signed}{evil}"), format!("{evil}{signed}")] {
        assert_eq!(code(&verify(&draft.with(&order))), "saml.assertion_several");
    }
}

#[test]
fn comments_change_neither_the_name_nor_an_attribute() {
    let xml = Draft::new().assertion("a1b2c3", "admin@victim.example.evil").signed();
    let split = xml.replace("admin@victim.example.evil", "admin@victim.example<!-- -->.evil");
    let split = split.replace("staff", "st<!-- x -->aff");
    let response = verify(&split).unwrap();
    assert_eq!(response.name_id().unwrap().value, "admin@victim.example.evil");
    assert_eq!(response.attributes().get("groups").unwrap().texts().next(), Some("staff"));
}
