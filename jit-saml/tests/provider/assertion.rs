//! The assertion: SAML Core §2.3 to §2.7, SAML Profiles §4.1.4.2 and §4.1.4.3.

use crate::support::{Draft, code, later, trusted, verify, verify_with};
use jit_saml::checks::Check;

/// Changes the assertion before it is signed.
fn refused(from: &str, to: &str) -> &'static str {
    code(&verify(&Draft::new().assertion(from, to).signed()))
}

const AUDIENCE: &str = "<saml:Audience>https://sp.example.com/saml</saml:Audience>";
const RESTRICTION: &str = concat!(
    "<saml:AudienceRestriction><saml:Audience>https://sp.example.com/saml</saml:Audience>",
    "</saml:AudienceRestriction>"
);
const BEARER: &str = "Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"";
const CONFIRMED_UNTIL: &str = "NotOnOrAfter=\"2027-01-15T12:05:00Z\"";
const RECIPIENT: &str = "Recipient=\"https://sp.example.com/saml/acs\"";

#[test]
fn version_id_and_time_of_issue_are_checked() {
    assert_eq!(refused("Version=\"2.0\"", "Version=\"1.1\""), "saml.version_unsupported");
    assert_eq!(refused("IssueInstant=\"2027-01-15T12:00:00Z\"", ""), "saml.issue_instant_missing");
    assert_eq!(refused("2027-01-15T12:00:00Z", "yesterday"), "saml.time_malformed");
    assert_eq!(refused("2027-01-15T12:00:00Z", "2027-01-15T12:03:01Z"), "saml.issued_in_future");
    let no_id = Draft::new().assertion("ID=\"_assertion1\"", "").response_signed();
    assert_eq!(code(&verify(&no_id)), "saml.id_malformed");
    let same_id = Draft::new().assertion("ID=\"_assertion1\"", "ID=\"_response1\"").plain();
    assert_eq!(code(&verify(&same_id)), "saml.duplicate_id");
}

#[test]
fn the_issuer_is_the_provider_that_was_asked() {
    let issuer = "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>";
    assert_eq!(refused("https://idp.example.org/metadata", "https://other"), "saml.issuer_mismatch");
    let without = Draft::new().assertion(issuer, "");
    assert_eq!(code(&verify(&without.signed())), "saml.issuer_missing");
    let elsewhere = format!("</saml:Subject>{issuer}");
    let moved = Draft::new().assertion(issuer, "").assertion("</saml:Subject>", &elsewhere);
    assert_eq!(code(&verify(&moved.response_signed())), "saml.assertion_malformed");
}

#[test]
fn parts_come_once_and_in_their_order() {
    for (from, to) in [
        ("<saml:Subject>", "<x/><saml:Subject>"),
        ("<saml:Subject>", "text<saml:Subject>"),
        ("<saml:Conditions ", "<saml:Subject/><saml:Conditions "),
        ("</saml:Conditions>", "</saml:Conditions><saml:Conditions/>"),
        ("</saml:AuthnStatement>", "</saml:AuthnStatement><saml:Subject/>"),
    ] {
        assert_eq!(refused(from, to), "saml.assertion_malformed", "{to}");
    }
    let advice = "</saml:Conditions><saml:Advice><x xmlns=\"urn:x\">y</x></saml:Advice>";
    assert_eq!(refused("</saml:Conditions>", advice), "accepted");
}

#[test]
fn conditions_hold_now() {
    let begin = "NotBefore=\"2027-01-15T11:59:30Z\"";
    let end = "NotOnOrAfter=\"2027-01-15T12:10:00Z\"";
    assert_eq!(refused(begin, ""), "accepted");
    assert_eq!(refused(end, ""), "accepted");
    assert_eq!(refused(begin, "NotBefore=\"2027-01-15T12:03:00Z\""), "accepted");
    assert_eq!(refused(begin, "NotBefore=\"2027-01-15T12:03:01Z\""), "saml.not_yet_valid");
    assert_eq!(refused(begin, "NotBefore=\"2027-01-15T12:10:00Z\""), "saml.expires_before_valid");
    assert_eq!(refused(begin, "NotBefore=\"soon\""), "saml.time_malformed");
    assert_eq!(refused(end, "NotOnOrAfter=\"2027-01-15T12:10:00+00:00\""), "saml.time_malformed");
    let ends = |seconds: i64| {
        let draft = Draft::new().assertion("2027-01-15T12:05:00Z", "2027-01-15T13:00:00Z");
        code(&verify_with(&draft.signed(), &trusted(), |expected| expected.now = later(600 + seconds)))
    };
    assert_eq!(ends(179), "accepted");
    assert_eq!(ends(180), "saml.expired");
}

#[test]
fn fractions_of_seconds_are_read() {
    assert_eq!(refused("11:59:30Z", "11:59:30.1234567Z"), "accepted");
}

#[test]
fn every_restriction_names_us() {
    assert_eq!(refused(RESTRICTION, ""), "saml.audience_missing");
    assert_eq!(refused(AUDIENCE, ""), "saml.audience_mismatch");
    let other = "<saml:Audience>https://other</saml:Audience>";
    assert_eq!(refused(AUDIENCE, &format!("{other}{AUDIENCE}")), "accepted");
    let both = format!("{RESTRICTION}<saml:AudienceRestriction>{other}</saml:AudienceRestriction>");
    assert_eq!(refused(RESTRICTION, &both), "saml.audience_mismatch");
    for odd in ["https://sp.example.com/saml/", " https://sp.example.com/saml", "https://sp.example.com", ""]
    {
        let odd = format!("<saml:Audience>{odd}</saml:Audience>");
        assert_eq!(refused(AUDIENCE, &odd), "saml.audience_mismatch", "{odd}");
    }
    assert_eq!(refused(AUDIENCE, "<x/>"), "saml.assertion_malformed");
}

#[test]
fn conditions_that_are_not_understood_refuse() {
    let with = |condition: &str| refused(RESTRICTION, &format!("{RESTRICTION}{condition}"));
    assert_eq!(with("<saml:OneTimeUse/>"), "accepted");
    assert_eq!(with("<saml:ProxyRestriction Count=\"0\"/>"), "accepted");
    assert_eq!(with("<saml:OneTimeUse/><saml:OneTimeUse/>"), "saml.assertion_malformed");
    assert_eq!(with("<saml:Condition xsi:type=\"xs:any\"/>"), "saml.condition_unknown");
    assert_eq!(with("<del:Delegation xmlns:del=\"urn:x\"/>"), "saml.condition_unknown");
}

#[test]
fn an_assertion_without_conditions_or_subject_is_refused() {
    let draft = Draft::new();
    let cut = |from: &str, to: &str| {
        let (start, end) =
            (draft.assertion.find(from).unwrap(), draft.assertion.find(to).unwrap() + to.len());
        let mut cut = draft.clone();
        cut.assertion.replace_range(start..end, "");
        code(&verify(&cut.signed()))
    };
    assert_eq!(cut("<saml:Conditions", "</saml:Conditions>"), "saml.conditions_missing");
    assert_eq!(cut("<saml:Subject>", "</saml:Subject>"), "saml.subject_missing");
    assert_eq!(cut("<saml:AuthnStatement", "</saml:AuthnStatement>"), "saml.authn_statement_missing");
    assert_eq!(cut("<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>"), "saml.confirmation_missing");
    assert_eq!(cut("<saml:AttributeStatement>", "</saml:AttributeStatement>"), "accepted");
    assert_eq!(cut("<saml:NameID", "</saml:NameID>"), "accepted");
}

#[test]
fn the_bearer_confirmation_is_for_us_and_now() {
    assert_eq!(
        refused(BEARER, "Method=\"urn:oasis:names:tc:SAML:2.0:cm:sender-vouches\""),
        "saml.confirmation_missing"
    );
    assert_eq!(refused(RECIPIENT, ""), "saml.recipient_missing");
    assert_eq!(refused(RECIPIENT, "Recipient=\"https://sp.example.com/saml/ac\""), "saml.recipient_mismatch");
    assert_eq!(refused(CONFIRMED_UNTIL, ""), "saml.confirmation_expiry_missing");
    assert_eq!(
        refused(CONFIRMED_UNTIL, "NotOnOrAfter=\"2027-01-15T11:57:00Z\""),
        "saml.confirmation_expired"
    );
    assert_eq!(refused(CONFIRMED_UNTIL, "NotOnOrAfter=\"2027-01-15T11:57:01Z\""), "accepted");
    let not_before = format!("{CONFIRMED_UNTIL} NotBefore=\"2027-01-15T11:00:00Z\"");
    assert_eq!(refused(CONFIRMED_UNTIL, &not_before), "saml.confirmation_not_before");
    assert_eq!(refused("InResponseTo=\"_request1\"", ""), "saml.in_response_to_missing");
    assert_eq!(refused("InResponseTo=\"_request1\"", "InResponseTo=\"_2\""), "saml.in_response_to_mismatch");
}

#[test]
fn one_of_several_confirmations_is_enough_and_the_last_end_counts_for_replay() {
    let other = "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
                 <saml:SubjectConfirmationData NotOnOrAfter=\"2027-01-15T12:09:00Z\" Recipient=\"https://other/acs\"/>\
                 </saml:SubjectConfirmation><saml:SubjectConfirmation Method";
    let xml = Draft::new().assertion("<saml:SubjectConfirmation Method", other).signed();
    let response = verify(&xml).unwrap();
    assert_eq!(response.replayable_until(), later(9 * 60 + 180));
    let alone = Draft::new().assertion("<saml:SubjectConfirmation Method", other);
    let alone = alone.assertion("https://sp.example.com/saml/acs", "https://other");
    assert_eq!(code(&verify(&alone.signed())), "saml.recipient_mismatch");
}

#[test]
fn subjects_are_built_as_saml_demands() {
    let name =
        "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">a1b2c3</saml:NameID>";
    for odd in [
        format!("{name}{name}"),
        name.replace("a1b2c3", ""),
        name.replace("a1b2c3", "  "),
        name.replace("a1b2c3", "a<b/>b"),
        name.replace("a1b2c3", "a<?pi?>b"),
        format!("<x/>{name}"),
        format!("text{name}"),
    ] {
        assert_eq!(refused(name, &odd), "saml.subject_malformed", "{odd}");
    }
    assert_eq!(refused(name, "<saml:BaseID/>"), "accepted");
    let long = name.replace("a1b2c3", &"n".repeat(256));
    assert_eq!(refused(name, &long), "accepted");
}

#[test]
fn the_sign_in_is_recent_and_its_session_not_over() {
    let instant = "AuthnInstant=\"2027-01-15T11:58:00Z\"";
    assert_eq!(refused(instant, ""), "saml.authn_statement_malformed");
    assert_eq!(refused(instant, "AuthnInstant=\"2027-01-15T12:03:01Z\""), "saml.authn_instant_in_future");
    let session = "SessionNotOnOrAfter=\"2027-01-15T20:00:00Z\"";
    assert_eq!(refused(session, "SessionNotOnOrAfter=\"2027-01-15T11:57:00Z\""), "saml.session_over");
    assert_eq!(refused(session, ""), "accepted");
    let forced = |draft: Draft| {
        verify_with(&draft.signed(), &trusted(), |expected| expected.authenticated_after = Some(later(0)))
    };
    let response = forced(Draft::new()).unwrap();
    assert!(response.checks().made(Check::AuthnInstant));
    let old = Draft::new().assertion("11:58:00Z", "11:56:59Z");
    assert_eq!(code(&forced(old)), "saml.authentication_too_old");
}

#[test]
fn the_way_of_signing_in_is_one_that_was_demanded() {
    let demanding = |draft: Draft, contexts: &[&str]| {
        let contexts: Vec<_> = contexts.iter().map(|context| (*context).to_owned()).collect();
        code(&verify_with(&draft.signed(), &trusted(), |expected| {
            expected.contexts = Vec::leak(contexts);
        }))
    };
    let password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    assert_eq!(demanding(Draft::new(), &["urn:mfa", password]), "accepted");
    assert_eq!(demanding(Draft::new(), &["urn:mfa"]), "saml.authn_context_mismatch");
    let none = Draft::new().assertion(
        &format!("<saml:AuthnContextClassRef>{password}</saml:AuthnContextClassRef>"),
        "<saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef>",
    );
    assert_eq!(demanding(none.clone(), &[password]), "saml.authn_context_mismatch");
    assert_eq!(demanding(none, &[]), "accepted");
    let twice =
        "<saml:AuthnContext><saml:AuthnContextClassRef>a</saml:AuthnContextClassRef></saml:AuthnContext>";
    let twice = Draft::new().assertion("<saml:AuthnContext>", &format!("{twice}<saml:AuthnContext>"));
    assert_eq!(demanding(twice, &[]), "saml.authn_statement_malformed");
}

#[test]
fn of_several_statements_the_earliest_end_counts() {
    let other = "<saml:AuthnStatement AuthnInstant=\"2027-01-15T11:00:00Z\" SessionIndex=\"_other\" \
                 SessionNotOnOrAfter=\"2027-01-15T13:00:00Z\"><saml:AuthnContext>\
                 <saml:AuthnContextClassRef>urn:mfa</saml:AuthnContextClassRef></saml:AuthnContext>\
                 </saml:AuthnStatement><saml:AttributeStatement>";
    let xml = Draft::new().assertion("<saml:AttributeStatement>", other).signed();
    let response = verify(&xml).unwrap();
    assert_eq!(response.session_index(), Some("_session1"));
    assert_eq!(response.session_not_on_or_after(), Some(later(3600)));
    let contexts = ["urn:mfa".to_owned()];
    let response = verify_with(&xml, &trusted(), |expected| {
        expected.contexts = Box::leak(Box::new(contexts.clone()));
    });
    assert_eq!(response.unwrap().session_index(), Some("_other"));
}
