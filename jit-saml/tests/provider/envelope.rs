//! The response around the assertion: SAML Core §3.2.2, SAML Bindings §3.5.5.2, SAML Profiles §4.1.4.

use crate::support::{Draft, code, trusted, verify, verify_with};
use chrono::TimeDelta;
use jit_saml::checks::Check;
use jit_saml::idp::{LegacyRules, TrustedIdp};
use jit_saml::response::Solicitation;

/// Changes the unsigned response around a signed assertion.
fn refused(from: &str, to: &str) -> &'static str {
    code(&verify(&Draft::new().response(from, to).signed()))
}

#[test]
fn a_sound_response_says_what_was_signed_and_what_was_checked() {
    let response = verify(&Draft::new().both_signed()).unwrap();
    assert_eq!(response.issuer(), "https://idp.example.org/metadata");
    assert_eq!((response.response_id(), response.assertion_id()), ("_response1", "_assertion1"));
    assert_eq!(response.name_id().unwrap().value, "a1b2c3");
    assert_eq!(response.session_index(), Some("_session1"));
    assert_eq!(response.session_not_on_or_after().unwrap().to_rfc3339(), "2027-01-15T20:00:00+00:00");
    assert_eq!(response.authn_instant().to_rfc3339(), "2027-01-15T11:58:00+00:00");
    assert!(response.authn_context().unwrap().ends_with("PasswordProtectedTransport"));
    assert_eq!(response.session_at_idp().unwrap().session_indexes, ["_session1"]);
    // until the confirmation ends, and clocks may differ by three minutes
    assert_eq!(response.replayable_until().to_rfc3339(), "2027-01-15T12:08:00+00:00");
    for check in [
        Check::ResponseSignature,
        Check::AssertionSignature,
        Check::ResponseIssuer,
        Check::Issuer,
        Check::Destination,
        Check::Recipient,
        Check::Audience,
        Check::NotBefore,
        Check::NotOnOrAfter,
        Check::Confirmation,
        Check::Session,
        Check::InResponseTo,
    ] {
        assert!(response.checks().made(check), "{check:?}");
    }
    for check in
        [Check::Encryption, Check::AuthnContext, Check::State, Check::AssertionId, Check::Unsolicited]
    {
        assert!(!response.checks().made(check), "{check:?}");
    }
    assert!(!format!("{response:?}").contains("a1b2c3") && !format!("{response:?}").contains("ada@"));
}

#[test]
fn the_document_must_be_a_response() {
    assert_eq!(code(&verify("<a/>")), "saml.not_a_response");
    assert_eq!(code(&verify("<Response/>")), "saml.not_a_response");
    assert_eq!(code(&verify("<a")), "saml.xml_markup_malformed");
    assert_eq!(
        refused("samlp=\"urn:oasis:names:tc:SAML:2.0:protocol", "samlp=\"urn:other"),
        "saml.not_a_response"
    );
}

#[test]
fn version_id_and_time_of_issue_are_checked() {
    assert_eq!(refused("Version=\"2.0\"", "Version=\"2.1\""), "saml.version_unsupported");
    assert_eq!(refused("Version=\"2.0\"", ""), "saml.version_unsupported");
    assert_eq!(refused("ID=\"_response1\"", ""), "saml.id_malformed");
    assert_eq!(refused("ID=\"_response1\"", "ID=\"1\""), "saml.id_malformed");
    assert_eq!(refused("ID=\"_response1\"", "ID=\"_a b\""), "saml.id_malformed");
    assert_eq!(refused("IssueInstant=\"2027-01-15T12:00:00Z\"", ""), "saml.issue_instant_missing");
    assert_eq!(refused("2027-01-15T12:00:00Z", "2027-01-15T12:00:00"), "saml.time_malformed");
    assert_eq!(refused("2027-01-15T12:00:00Z", "2027-01-15T23:00:00+11:00"), "saml.time_malformed");
    assert_eq!(refused("2027-01-15T12:00:00Z", "2027-01-15T12:03:01Z"), "saml.issued_in_future");
    assert_eq!(refused("2027-01-15T12:00:00Z", "2027-01-15T12:03:00Z"), "accepted");
}

#[test]
fn no_other_element_bears_the_id_of_the_response() {
    let twice = "<samlp:Status ID=\"_response1\">";
    assert_eq!(refused("<samlp:Status>", twice), "saml.duplicate_id");
    let extension =
        "<samlp:Extensions><x xmlns=\"urn:x\" ID=\"_assertion1\"/></samlp:Extensions><samlp:Status>";
    assert_eq!(refused("<samlp:Status>", extension), "saml.id_repeated");
}

#[test]
fn odd_times_are_a_switch_of_one_provider() {
    let xml =
        Draft::new().assertion("11:58:00Z", "11:58:00").response("T12:00:00Z", "T23:00:00+11:00").signed();
    assert_eq!(code(&verify(&xml)), "saml.time_malformed");
    let mut legacy = LegacyRules::default();
    legacy.offset_times = true;
    let idp: TrustedIdp = trusted().with_legacy(legacy);
    assert_eq!(code(&verify_with(&xml, &idp, |_| {})), "accepted");
}

#[test]
fn the_response_came_to_where_it_was_sent() {
    let destination = "Destination=\"https://sp.example.com/saml/acs\"";
    assert_eq!(refused(destination, ""), "accepted");
    for other in
        ["", "https://sp.example.com/saml/acs/", "https://SP.example.com/saml/acs", "https://other/acs"]
    {
        assert_eq!(refused(destination, &format!("Destination=\"{other}\"")), "saml.destination_mismatch");
    }
    let signed = Draft::new().response(destination, "").response_signed();
    assert_eq!(code(&verify(&signed)), "saml.destination_missing");
}

#[test]
fn the_response_answers_our_request() {
    let answer = "InResponseTo=\"_request1\"";
    assert_eq!(refused(answer, ""), "saml.in_response_to_missing");
    assert_eq!(refused(answer, "InResponseTo=\"_request2\""), "saml.in_response_to_mismatch");
    assert_eq!(refused(answer, "InResponseTo=\"\""), "saml.in_response_to_mismatch");
}

#[test]
fn an_unsolicited_response_answers_nothing() {
    let unsolicited = |xml: &str| {
        code(&verify_with(xml, &trusted(), |expected| expected.solicitation = Solicitation::Unsolicited))
    };
    let answer = " InResponseTo=\"_request1\"";
    let neither = Draft::new().response(answer, "").assertion(answer, "");
    assert_eq!(unsolicited(&neither.signed()), "accepted");
    assert_eq!(code(&verify(&neither.signed())), "saml.in_response_to_missing");
    assert_eq!(unsolicited(&Draft::new().signed()), "saml.in_response_to_unexpected");
    assert_eq!(unsolicited(&Draft::new().response(answer, "").signed()), "saml.in_response_to_unexpected");
}

#[test]
fn the_response_comes_from_the_provider_that_was_asked() {
    let issuer = "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>";
    assert_eq!(refused(issuer, ""), "accepted");
    for other in ["https://other", "https://idp.example.org/metadata ", "https://idp.example.org/", ""] {
        assert_eq!(refused(issuer, &format!("<saml:Issuer>{other}</saml:Issuer>")), "saml.issuer_mismatch");
    }
    let odd = [
        "<saml:Issuer>https://idp.example.org/metadata<!-- --></saml:Issuer>",
        "<saml:Issuer>https://idp.example.org/metadata<b/></saml:Issuer>",
        "<saml:Issuer Format=\"urn:other\">https://idp.example.org/metadata</saml:Issuer>",
        "<saml:Issuer NameQualifier=\"x\">https://idp.example.org/metadata</saml:Issuer>",
    ];
    for odd in odd {
        assert_eq!(refused(issuer, odd), "saml.issuer_malformed", "{odd}");
    }
    let signed = Draft::new().response(issuer, "").response_signed();
    assert_eq!(code(&verify(&signed)), "saml.issuer_missing");
}

#[test]
fn a_status_tells_what_happened_without_any_assertion() {
    let success = "urn:oasis:names:tc:SAML:2.0:status:Success\"/>";
    let status = "urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode \
                  Value=\"urn:oasis:names:tc:SAML:2.0:status:NoPassive\"/></samlp:StatusCode>";
    let failed = Draft::new().response(success, status);
    let outcome = verify(&failed.with(""));
    assert_eq!(code(&outcome), "saml.status_no_passive");
    assert!(outcome.unwrap_err().status().is_some());
    assert_eq!(code(&verify(&failed.signed())), "saml.status_no_passive");
    assert_eq!(refused("<samlp:Status>", "<samlp:Status><x/>"), "accepted");
    let none = Draft::new().response("<samlp:Status><samlp:StatusCode Value=\"", "<!--");
    let none = none.response("urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>", "-->");
    assert_eq!(code(&verify(&none.signed())), "saml.status_missing");
}

#[test]
fn there_is_exactly_one_assertion() {
    let draft = Draft::new();
    assert_eq!(code(&verify(&draft.with(""))), "saml.assertion_missing");
    let two = format!("{}{}", draft.signed_assertion(crate::support::key()), draft.assertion);
    assert_eq!(code(&verify(&draft.with(&two))), "saml.assertion_several");
}

#[test]
fn nothing_else_may_stand_in_the_response() {
    for (from, to) in [
        ("<samlp:Status>", "<x/><samlp:Status>"),
        ("<samlp:Status>", "text<samlp:Status>"),
        ("<samlp:Status>", "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer><samlp:Status>"),
        ("{assertion}", "{assertion}<samlp:Extensions/>"),
        ("{assertion}", "{assertion}<samlp:Status/>"),
        ("<samlp:Status>", "<samlp:Response/><samlp:Status>"),
    ] {
        assert_eq!(refused(from, to), "saml.response_malformed", "{to}");
    }
    assert_eq!(
        refused("<samlp:Status>", "<samlp:Extensions><x/></samlp:Extensions><samlp:Status>"),
        "accepted"
    );
}

#[test]
fn metadata_that_ran_out_is_not_believed() {
    let idp = trusted().valid_until(Some(crate::support::now()));
    assert_eq!(code(&verify_with(&Draft::new().signed(), &idp, |_| {})), "saml.idp_expired");
    let idp = trusted().valid_until(Some(crate::support::later(1)));
    assert_eq!(code(&verify_with(&Draft::new().signed(), &idp, |_| {})), "accepted");
}

#[test]
fn the_skew_is_what_the_connection_says() {
    let late = |seconds: i64, skew: i64| {
        code(&verify_with(&Draft::new().signed(), &trusted(), |expected| {
            expected.now = crate::support::later(300 + seconds);
            expected.skew = TimeDelta::seconds(skew);
        }))
    };
    assert_eq!(late(-1, 0), "accepted");
    assert_eq!(late(0, 0), "saml.confirmation_expired");
    assert_eq!(late(179, 180), "accepted");
    assert_eq!(late(180, 180), "saml.confirmation_expired");
}
