//! A sign-out begins here and comes back.

use chrono::TimeDelta;
use jit_saml::assertion::NameId;
use jit_saml::binding::{Outbound, RedirectMessage};
use jit_saml::crypto::AwsLc;
use jit_saml::logout::{LogoutMessage, LogoutSettings, LogoutStatus, Received, SessionAtIdp};
use jit_saml::signature::{SignatureRules, verify_detached};
use jit_saml::xml::{Document, Limits};

use crate::public::public;
use crate::world::{IDP, Message, OTHER, World, later, now, posted, sent_query};

fn session(issuer: &str) -> SessionAtIdp {
    let name: NameId = toml::from_str(
        "value = 'p-17 & more'\nformat = 'urn:f'\nname_qualifier = 'urn:nq'\nsp_name_qualifier = 'urn:spnq'\nsp_provided_id = 'us'",
    )
    .unwrap();
    SessionAtIdp { issuer: issuer.into(), name_id: name, session_indexes: vec!["s1".into()] }
}

/// Begins a sign-out and returns the identifier of the request.
pub(crate) async fn begun(world: &World, relay_state: Option<&str>) -> String {
    let outbound = world.slo.begin(&session(IDP), relay_state).await.unwrap();
    let message = RedirectMessage::from_query(sent_query(&outbound)).unwrap();
    let document = Document::parse(message.xml(), &Limits::default()).unwrap();
    document.root().attribute("ID").unwrap().to_owned()
}

fn finished(received: Received) -> (String, LogoutStatus, Option<String>) {
    match received {
        Received::Response(finished) => (finished.issuer, finished.status, finished.relay_state),
        Received::Request(_) => panic!("a request"),
    }
}

#[tokio::test]
async fn the_request_names_the_session_exactly_and_is_signed() {
    let world = World::new();
    let outbound = world.slo.begin(&session(IDP), Some("page 7")).await.unwrap();
    let message = RedirectMessage::from_query(sent_query(&outbound)).unwrap();
    assert_eq!(message.relay_state(), Some("page 7"));
    let (signature, keys) = (message.signature().unwrap(), [public(&world.sp_key)]);
    let (octets, algorithm) = (&signature.octets, &signature.algorithm);
    verify_detached(octets, algorithm, &signature.value, &keys, &SignatureRules::default(), now(), &AwsLc)
        .unwrap();
    let document = Document::parse(message.xml(), &Limits::default()).unwrap();
    let root = document.root();
    assert_eq!(root.attribute("Destination"), Some("https://idp.example.org/slo"));
    assert_eq!(root.attribute("NotOnOrAfter"), Some(later(300).as_str()));
    assert_eq!(root.attribute("ID").unwrap().len(), 41);
    let locals: Vec<_> = root.children().map(|child| child.local().to_owned()).collect();
    assert_eq!(locals, ["Issuer", "NameID", "SessionIndex"]);
    let name = root.children().nth(1).unwrap();
    let attributes: Vec<_> =
        name.attributes().map(|it| (it.local().to_owned(), it.value().to_owned())).collect();
    let expected = [
        ("NameQualifier", "urn:nq"),
        ("SPNameQualifier", "urn:spnq"),
        ("Format", "urn:f"),
        ("SPProvidedID", "us"),
    ];
    assert_eq!(attributes, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(name.only_text().unwrap(), "p-17 & more");
    assert!(!format!("{:?}", session(IDP)).contains("p-17"));
}

#[tokio::test]
async fn the_answer_ends_it_once() {
    let world = World::new();
    let id = begun(&world, Some("page 7")).await;
    let answer = Message::response(&id).redirect(&world.key);
    let expected = (IDP.to_owned(), LogoutStatus::Complete, Some("page 7".to_owned()));
    assert_eq!(finished(world.receive(answer.clone()).await.unwrap()), expected);
    assert_eq!(world.refused(answer).await, "saml.logout_in_response_to_unknown");
    let invented = Message::response("_invented").redirect(&world.key);
    assert_eq!(world.refused(invented).await, "saml.logout_in_response_to_unknown");
    let nothing = Message::response("").redirect(&world.key);
    assert_eq!(world.refused(nothing).await, "saml.logout_in_response_to_missing");
}

#[tokio::test]
async fn what_the_provider_achieved_is_told() {
    let world = World::new();
    let code = |value: &str, below: &str| {
        let uri = |name: &str| format!("urn:oasis:names:tc:SAML:2.0:status:{name}");
        let below = if below.is_empty() {
            String::new()
        } else {
            format!("<samlp:StatusCode Value=\"{}\"/>", uri(below))
        };
        format!(
            "<samlp:Status><samlp:StatusCode Value=\"{}\">{below}</samlp:StatusCode></samlp:Status>",
            uri(value)
        )
    };
    for (content, status) in [
        (code("Success", ""), LogoutStatus::Complete),
        (code("Success", "PartialLogout"), LogoutStatus::Partial),
        (code("Responder", "PartialLogout"), LogoutStatus::Partial),
        (code("PartialLogout", ""), LogoutStatus::Partial),
        (code("Responder", ""), LogoutStatus::Failed),
        (code("Requester", "RequestDenied"), LogoutStatus::Failed),
    ] {
        let id = begun(&world, None).await;
        let answer = Message::response(&id).holding(content).post(&world.key);
        assert_eq!(finished(world.receive(answer).await.unwrap()), (IDP.to_owned(), status, None));
    }
    for content in ["", "<samlp:Status/>", "<samlp:Status><samlp:StatusCode/></samlp:Status>"] {
        let id = begun(&world, None).await;
        let answer = Message::response(&id).holding(content).redirect(&world.key);
        assert_eq!(world.refused(answer).await, "saml.logout_status_missing");
    }
}

#[tokio::test]
async fn only_the_provider_that_was_asked_can_answer() {
    let world = World::new();
    let id = begun(&world, None).await;
    let other = format!("<saml:Issuer>{OTHER}</saml:Issuer>");
    let answer = Message::response(&id).issued_by(&other).redirect(&world.other_key);
    assert_eq!(world.refused(answer).await, "saml.logout_other_provider");
    let id = begun(&world, None).await;
    let forged = Message::response(&id).redirect(&world.other_key);
    assert_eq!(world.refused(forged).await, "saml.key_mismatch");
    assert!(world.receive(Message::response(&id).redirect(&world.key)).await.is_ok());
}

#[tokio::test]
async fn a_sign_out_that_took_too_long_is_over() {
    let world = World::new();
    let id = begun(&world, None).await;
    world.clock.advance(TimeDelta::minutes(10));
    let answer = Message::response(&id).set("IssueInstant", later(600)).redirect(&world.key);
    assert_eq!(world.refused(answer).await, "saml.logout_in_response_to_unknown");
}

#[tokio::test]
async fn the_state_that_comes_back_is_ours_whatever_the_form_says() {
    let world = World::new();
    let id = begun(&world, Some("ours")).await;
    let xml =
        jit_saml::signature::sign_enveloped(&Message::response(&id).xml(), "_message", &world.key, None)
            .unwrap();
    let answer = posted(jit_saml::binding::Direction::Response, &xml, Some("theirs"));
    let (_, _, relay_state) = finished(world.receive(answer).await.unwrap());
    assert_eq!(relay_state.as_deref(), Some("ours"));
}

#[tokio::test]
async fn unsigned_answers_need_their_switch() {
    let strict = World::new();
    let id = begun(&strict, None).await;
    let unsigned = |id: &str| LogoutMessage::from_query(&Message::response(id).query(None, None)).unwrap();
    assert_eq!(strict.refused(unsigned(&id)).await, "saml.logout_unsigned");
    let lax = World::with(LogoutSettings::dangerous_accept_unsigned_responses);
    let id = begun(&lax, None).await;
    let forged = Message::response(&id).redirect(&lax.other_key);
    assert_eq!(lax.refused(forged).await, "saml.key_mismatch");
    assert!(lax.receive(unsigned(&id)).await.is_ok());
    let request = LogoutMessage::from_query(&Message::request().query(None, None)).unwrap();
    assert_eq!(lax.refused(request).await, "saml.logout_unsigned");
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_the_browser_leaves() {
    let world = World::new();
    let code = |error: jit_saml::logout::LogoutError| error.code().to_string();
    let unknown = world.slo.begin(&session("https://unknown.example.org"), None).await.unwrap_err();
    assert_eq!(code(unknown), "saml.logout_issuer_unknown");
    let mute = world.slo.begin(&session("https://mute.example.org"), None).await.unwrap_err();
    assert_eq!(code(mute), "saml.logout_no_endpoint");
    let long = world.slo.begin(&session(IDP), Some(&"a".repeat(81))).await.unwrap_err();
    assert_eq!(code(long), "saml.relay_state_too_long");
    let Outbound::Post(form) = world.slo.begin(&session(OTHER), Some("s")).await.unwrap() else {
        panic!("a redirect")
    };
    assert_eq!(form.fields().count(), 2);
}
