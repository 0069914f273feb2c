//! True signatures in the wrong place: for another service, provider, request or time.

use jit_saml::TrustedIdp;
use jit_saml::response::{Expectations, Solicitation};

use crate::forge::ISSUER;
use crate::support::{ACS, Draft, IDP, SP, key, later, new_key, trusted, verification_key};
use crate::table::{Family, ORIGINAL};

const ANSWER: &str = " InResponseTo=\"_request1\"";
const DESTINATION: &str = "Destination=\"https://sp.example.com/saml/acs\"";
const RECIPIENT: &str = "Recipient=\"https://sp.example.com/saml/acs\"";

/// Addresses and names that a careless comparison takes for the true one.
fn alike(text: &str) -> Vec<String> {
    let [scheme, rest] = text.split("//").collect::<Vec<_>>()[..] else { panic!("an address") };
    let (host, path) = rest.split_once('/').unwrap();
    vec![
        format!("{text}/"),
        format!("{text}?"),
        format!("{text}?x=1"),
        format!("{text}#x"),
        format!("{text} "),
        format!(" {text}"),
        format!("{text}.evil"),
        text[..text.len() - 1].to_owned(),
        text.to_uppercase(),
        format!("http://{rest}"),
        format!("{scheme}//{}/{path}", host.to_uppercase()),
        format!("{scheme}//{host}:443/{path}"),
        format!("{scheme}//{host}./{path}"),
        format!("{scheme}//{host}@evil.example/{path}"),
        format!("{scheme}//evil.example/{path}"),
        format!("{scheme}//{host}.evil.example/{path}"),
        format!("{scheme}//{host}//{path}"),
        format!("{scheme}//{host}/./{path}"),
        format!("{scheme}//{host}/x/../{path}"),
        format!("{scheme}//*/{path}"),
        format!("{scheme}//{host}/*"),
        "*".to_owned(),
        String::new(),
        text.replacen('e', "%65", 1),
        text.replacen('e', "\u{435}", 1),
        format!("{text}\u{200b}"),
        format!("{text}&#10;"),
    ]
}

#[test]
fn for_another_address_or_service() {
    let mut family = Family::new("address");
    for other in alike(ACS) {
        let destination = format!("Destination=\"{other}\"");
        let recipient = format!("Recipient=\"{other}\"");
        let draft = Draft::new().response(DESTINATION, &destination);
        family.attack(&format!("destination {other}"), draft.signed(), "saml.destination_mismatch");
        family.attack(
            &format!("signed destination {other}"),
            draft.response_signed(),
            "saml.destination_mismatch",
        );
        let draft = Draft::new().assertion(RECIPIENT, &recipient);
        family.attack(&format!("recipient {other}"), draft.signed(), "saml.recipient_mismatch");
    }
    for other in alike(SP) {
        let draft = Draft::new()
            .assertion("<saml:Audience>https://sp.example.com/saml<", &format!("<saml:Audience>{other}<"));
        family.attack(&format!("audience {other}"), draft.signed(), "saml.audience_mismatch");
    }
    for other in alike(IDP) {
        let issuer = format!("<saml:Issuer>{other}</saml:Issuer>");
        family.attack(
            &format!("issuer {other}"),
            Draft::new().assertion(ISSUER, &issuer).signed(),
            "saml.issuer_mismatch",
        );
        let draft = Draft::new().response(ISSUER, &issuer);
        family.attack(&format!("issuer of the response {other}"), draft.signed(), "saml.issuer_mismatch");
    }
    family.end(160);
}

#[test]
fn of_another_kind_time_or_request() {
    let mut family = Family::new("protocol");
    let audience = "<saml:AudienceRestriction><saml:Audience>https://sp.example.com/saml</saml:Audience></saml:AudienceRestriction>";
    let restricted = |name: &str| {
        format!("<saml:AudienceRestriction><saml:Audience>{name}</saml:Audience></saml:AudienceRestriction>")
    };
    let success = "urn:oasis:names:tc:SAML:2.0:status:Success\"/>";
    let below = "urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:StatusCode>";
    for (name, from, to, code) in [
        ("version 1.1", "Version=\"2.0\"", "Version=\"1.1\"", "saml.version_unsupported"),
        ("version 2", "Version=\"2.0\"", "Version=\"2\"", "saml.version_unsupported"),
        ("no version", "Version=\"2.0\"", "", "saml.version_unsupported"),
        ("no identifier", "ID=\"_response1\"", "", "saml.id_malformed"),
        ("an empty identifier", "ID=\"_response1\"", "ID=\"\"", "saml.id_malformed"),
        ("an identifier that is no name", "ID=\"_response1\"", "ID=\"1 2\"", "saml.id_malformed"),
        ("no time", "IssueInstant=\"2027-01-15T12:00:00Z\"", "", "saml.issue_instant_missing"),
        ("a time ahead", "2027-01-15T12:00:00Z", "2027-01-15T12:03:01Z", "saml.issued_in_future"),
        ("a time that is none", "2027-01-15T12:00:00Z", "2027-02-30T12:00:00Z", "saml.time_malformed"),
        (
            "a time of another zone",
            "2027-01-15T12:00:00Z",
            "2027-01-15T12:00:00+00:00",
            "saml.time_malformed",
        ),
        ("another request", ANSWER, " InResponseTo=\"_request2\"", "saml.in_response_to_mismatch"),
        ("no request", ANSWER, "", "saml.in_response_to_missing"),
        ("an empty request", ANSWER, " InResponseTo=\"\"", "saml.in_response_to_mismatch"),
        ("a failure", success, "urn:oasis:names:tc:SAML:2.0:status:Requester\"/>", "saml.status_requester"),
        ("a failure with a success below", success, below, "saml.status_responder"),
        (
            "a status like success",
            success,
            "urn:oasis:names:tc:SAML:2.0:status:Success \"/>",
            "saml.status_other",
        ),
        ("an empty status", success, "\"/>", "saml.status_other"),
        (
            "two codes",
            success,
            &format!("{success}<samlp:StatusCode Value=\"{success}"),
            "saml.status_missing",
        ),
        (
            "another root",
            "urn:oasis:names:tc:SAML:2.0:protocol",
            "urn:oasis:names:tc:SAML:1.0:protocol",
            "saml.not_a_response",
        ),
    ] {
        let draft = Draft::new().response(from, to);
        family.attack(name, draft.signed(), code);
        if name.contains("no identifier")
            || name.contains("an empty identifier")
            || name.contains("is no name")
        {
            continue;
        }
        let signed = draft.response_signed();
        family.attack(&format!("{name}, signed"), signed, code);
    }
    let bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
    for (name, from, to, code) in [
        (
            "holder of a key",
            bearer,
            "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key",
            "saml.confirmation_missing",
        ),
        (
            "sender vouches",
            bearer,
            "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches",
            "saml.confirmation_missing",
        ),
        ("bearer of SAML 1", bearer, "urn:oasis:names:tc:SAML:1.0:cm:bearer", "saml.confirmation_missing"),
        ("no recipient", RECIPIENT, "", "saml.recipient_missing"),
        ("another request", ANSWER, " InResponseTo=\"_request2\"", "saml.in_response_to_mismatch"),
        ("no request", ANSWER, "", "saml.in_response_to_missing"),
        (
            "no end of the confirmation",
            "NotOnOrAfter=\"2027-01-15T12:05:00Z\"",
            "",
            "saml.confirmation_expiry_missing",
        ),
        (
            "a confirmation that ended",
            "2027-01-15T12:05:00Z",
            "2027-01-15T11:57:00Z",
            "saml.confirmation_expired",
        ),
        (
            "a confirmation with a begin",
            RECIPIENT,
            "Recipient=\"https://sp.example.com/saml/acs\" NotBefore=\"2027-01-15T11:00:00Z\"",
            "saml.confirmation_not_before",
        ),
        (
            "not valid yet",
            "NotBefore=\"2027-01-15T11:59:30Z\"",
            "NotBefore=\"2027-01-15T12:03:01Z\"",
            "saml.not_yet_valid",
        ),
        (
            "not valid any more",
            "NotBefore=\"2027-01-15T11:59:30Z\" NotOnOrAfter=\"2027-01-15T12:10:00Z\"",
            "NotOnOrAfter=\"2027-01-15T11:57:00Z\"",
            "saml.expired",
        ),
        (
            "an end before its begin",
            "NotOnOrAfter=\"2027-01-15T12:10:00Z\"",
            "NotOnOrAfter=\"2027-01-15T11:59:30Z\"",
            "saml.expires_before_valid",
        ),
        ("no audience", audience, "", "saml.audience_missing"),
        (
            "a second audience in its own restriction",
            audience,
            &format!("{audience}{}", restricted("https://other")),
            "saml.audience_mismatch",
        ),
        ("an empty restriction", audience, "<saml:AudienceRestriction/>", "saml.audience_mismatch"),
        (
            "a condition of another kind",
            audience,
            &format!("{audience}<x:y xmlns:x=\"urn:x\"/>"),
            "saml.condition_unknown",
        ),
        ("a sign-in ahead", "11:58:00Z", "12:03:01Z", "saml.authn_instant_in_future"),
        ("a session that is over", "2027-01-15T20:00:00Z", "2027-01-15T11:57:00Z", "saml.session_over"),
        (
            "no time of the sign-in",
            "AuthnInstant=\"2027-01-15T11:58:00Z\"",
            "",
            "saml.authn_statement_malformed",
        ),
        ("a version of its own", "Version=\"2.0\"", "Version=\"1.1\"", "saml.version_unsupported"),
        (
            "another format of the issuer",
            "<saml:Issuer>",
            "<saml:Issuer Format=\"urn:x\">",
            "saml.issuer_malformed",
        ),
        (
            "a qualifier of the issuer",
            "<saml:Issuer>",
            "<saml:Issuer NameQualifier=\"x\">",
            "saml.issuer_malformed",
        ),
        ("two names", "<saml:NameID ", "<saml:NameID>x</saml:NameID><saml:NameID ", "saml.subject_malformed"),
        (
            "a name behind the confirmation",
            "</saml:Subject>",
            "<saml:NameID>x</saml:NameID></saml:Subject>",
            "saml.subject_malformed",
        ),
        (
            "a second subject",
            "</saml:Subject>",
            "</saml:Subject><saml:Subject><saml:NameID>x</saml:NameID></saml:Subject>",
            "saml.assertion_malformed",
        ),
        ("an attribute without a name", "Name=\"groups\"", "", "saml.attribute_malformed"),
        (
            "an attribute of another namespace",
            "<saml:Attribute Name=\"groups\">",
            "<x:y xmlns:x=\"urn:x\"/><saml:Attribute Name=\"groups\">",
            "saml.attribute_malformed",
        ),
    ] {
        let draft = Draft::new().assertion(from, to);
        family.attack(&format!("{name} in the assertion"), draft.signed(), code);
        family.attack(
            &format!("{name} in the assertion of a signed response"),
            draft.response_signed(),
            code,
        );
    }
    family.end(85);
}

fn same(_: &mut Expectations<'_>) {}

#[test]
fn of_another_tenant_or_provider() {
    let mut family = Family::new("tenant");
    let other_key = new_key();
    let own = trusted();
    let other = TrustedIdp::new("https://other.example.net/metadata", vec![verification_key(&other_key)]);
    let shared = TrustedIdp::new("https://other.example.net/metadata", vec![verification_key(key())]);
    let draft = Draft::new();
    let in_its_name = draft.clone().response(IDP, other.entity_id()).assertion(IDP, other.entity_id());
    let stranger = draft.signed_by(&other_key);
    family.attack_on("the key of another provider", &stranger, (&own, same), "saml.signature_invalid");
    family.attack_on("a provider in our name", &stranger, (&other, same), "saml.issuer_mismatch");
    let honest = in_its_name.signed_by(&other_key);
    family.attack_on("an honest answer of another", &honest, (&own, same), "saml.issuer_mismatch");
    let only_outside = draft.clone().response(IDP, other.entity_id()).signed();
    family.attack_on("another name outside", &only_outside, (&own, same), "saml.issuer_mismatch");
    let only_inside = draft.clone().assertion(IDP, other.entity_id());
    family.attack_on("another name inside", only_inside.signed(), (&own, same), "saml.issuer_mismatch");
    family.attack_on(
        "another name inside a signed response",
        only_inside.response_signed(),
        (&own, same),
        "saml.issuer_mismatch",
    );
    // two entities that share a key, as tenants of one product may
    family.attack_on("a sibling with the same key", draft.signed(), (&shared, same), "saml.issuer_mismatch");
    family.attack_on("a sibling's answer", in_its_name.signed(), (&own, same), "saml.issuer_mismatch");
    let without = draft.clone().response(ISSUER, "");
    let named_inside = without.clone().assertion(IDP, other.entity_id());
    family.attack_on(
        "no name outside, another inside",
        named_inside.signed(),
        (&own, same),
        "saml.issuer_mismatch",
    );
    family.attack_on("no name outside", without.signed(), (&own, same), ORIGINAL);
    family.attack_on(
        "no name on a signed response",
        without.response_signed(),
        (&own, same),
        "saml.issuer_missing",
    );
    let elsewhere =
        |expected: &mut Expectations<'_>| expected.sp_entity_id = "https://sp.example.com/tenant2";
    family.attack_on("our other tenant", draft.signed(), (&own, elsewhere), "saml.audience_mismatch");
    let elsewhere = |expected: &mut Expectations<'_>| expected.acs_url = "https://sp.example.com/tenant2/acs";
    family.attack_on("our other address", draft.signed(), (&own, elsewhere), "saml.destination_mismatch");
    let later_request =
        |expected: &mut Expectations<'_>| expected.solicitation = Solicitation::Request("_request2");
    family.attack_on(
        "our other request",
        draft.signed(),
        (&own, later_request),
        "saml.in_response_to_mismatch",
    );
    let unasked = |expected: &mut Expectations<'_>| expected.solicitation = Solicitation::Unsolicited;
    family.attack_on(
        "an answer that was stolen",
        draft.signed(),
        (&own, unasked),
        "saml.in_response_to_unexpected",
    );
    let half = draft.clone().response(ANSWER, "");
    family.attack_on(
        "an answer stripped outside",
        half.signed(),
        (&own, unasked),
        "saml.in_response_to_unexpected",
    );
    let tomorrow = |expected: &mut Expectations<'_>| expected.now = later(86_400);
    family.attack_on("tomorrow", draft.signed(), (&own, tomorrow), "saml.confirmation_expired");
    let yesterday = |expected: &mut Expectations<'_>| expected.now = later(-86_400);
    family.attack_on("yesterday", draft.signed(), (&own, yesterday), "saml.issued_in_future");
    family.end(18);
}
