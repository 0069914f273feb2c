//! A provider demands that sessions end.

use chrono::TimeDelta;
use jit_saml::binding::{Outbound, RedirectMessage};
use jit_saml::logout::{Ended, LogoutMessage, Received, VerifiedLogout};
use jit_saml::signature::{SignatureRules, verify, verify_detached};
use jit_saml::xml::{Document, Limits};

use crate::encrypting::encrypted;
use crate::keys;
use crate::public::public;
use crate::world::{IDP, Message, NAME, OTHER, World, later, now, sent_query};

const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

async fn demanded(world: &World, message: LogoutMessage) -> VerifiedLogout {
    match world.receive(message).await.unwrap() {
        Received::Request(logout) => logout,
        Received::Response(_) => panic!("a response"),
    }
}

/// Reads a name out of a demand, as an application has it from the sign-in.
async fn name(xml: &str) -> jit_saml::assertion::NameId {
    let world = World::new();
    demanded(&world, Message::request().holding(xml).redirect(&world.key)).await.name_id().clone()
}

#[tokio::test]
async fn says_whose_sessions_end_by_both_bindings() {
    let world = World::new();
    let sessions = "<samlp:SessionIndex>s1</samlp:SessionIndex><samlp:SessionIndex>s2</samlp:SessionIndex>";
    let request = || {
        let request = Message::request().holding(format!("{NAME}{sessions}"));
        request.set("Reason", "urn:oasis:names:tc:SAML:2.0:logout:admin")
    };
    for message in [request().set("ID", "_redirect").redirect(&world.key), request().post(&world.key)] {
        let logout = demanded(&world, message).await;
        assert_eq!(logout.issuer(), IDP);
        assert_eq!((logout.name_id().value.as_str(), logout.name_id().format()), ("p-17", PERSISTENT));
        assert_eq!(logout.name_id().name_qualifier.as_deref(), Some(IDP));
        assert_eq!(logout.session_indexes(), ["s1", "s2"]);
        assert_eq!(logout.reason(), Some("urn:oasis:names:tc:SAML:2.0:logout:admin"));
        assert!(!format!("{logout:?}").contains("p-17"));
    }
}

#[tokio::test]
async fn ends_exactly_the_sessions_that_it_names() {
    let world = World::new();
    let person = name(NAME).await;
    let content = format!("{NAME}<samlp:SessionIndex>s1</samlp:SessionIndex>");
    let logout = demanded(&world, Message::request().holding(content).redirect(&world.key)).await;
    assert!(logout.ends(IDP, &person, Some("s1")));
    assert!(!logout.ends(IDP, &person, Some("s2")));
    assert!(!logout.ends(IDP, &person, None));
    assert!(!logout.ends(OTHER, &person, Some("s1")));
    let all = demanded(&world, Message::request().set("ID", "_all").redirect(&world.key)).await;
    assert!(all.ends(IDP, &person, Some("s2")) && all.ends(IDP, &person, None));
    let named = |format: &str, qualifiers: &str, value: &str| {
        format!("<saml:NameID Format=\"{format}\" {qualifiers}>{value}</saml:NameID>")
    };
    for (odd, ends) in [
        (named(PERSISTENT, "", "p-17"), true),
        (named(PERSISTENT, "SPNameQualifier=\"https://sp.example.org/saml\"", "p-17"), true),
        (named(PERSISTENT, "NameQualifier=\"https://other\"", "p-17"), false),
        (named(PERSISTENT, "", "P-17"), false),
        (named(PERSISTENT, "", "p-17 "), false),
        (named(TRANSIENT, "", "p-17"), false),
    ] {
        assert_eq!(all.ends(IDP, &name(&odd).await, None), ends, "{odd}");
    }
}

#[tokio::test]
async fn is_answered_by_the_binding_that_it_came_by() {
    let world = World::new();
    let logout =
        |relay_state| LogoutMessage::from_query(&Message::request().query(relay_state, Some(&world.key)));
    let logout = demanded(&world, logout(Some("their state")).unwrap()).await;
    let outbound = world.slo.answer(logout, Ended::All).unwrap();
    let answer = RedirectMessage::from_query(sent_query(&outbound)).unwrap();
    assert_eq!(answer.relay_state(), Some("their state"));
    let signature = answer.signature().unwrap();
    let keys = [public(&world.sp_key)];
    let crypto = jit_saml::crypto::AwsLc;
    let rules = SignatureRules::default();
    verify_detached(&signature.octets, &signature.algorithm, &signature.value, &keys, &rules, now(), &crypto)
        .unwrap();
    let document = Document::parse(answer.xml(), &Limits::default()).unwrap();
    let root = document.root();
    assert_eq!((root.local(), root.attribute("InResponseTo")), ("LogoutResponse", Some("_message")));
    assert_eq!(root.attribute("Destination"), Some("https://idp.example.org/slo"));

    let request = Message::request().issued_by(&format!("<saml:Issuer>{OTHER}</saml:Issuer>"));
    let logout = demanded(&world, request.post(&world.other_key)).await;
    let Outbound::Post(form) = world.slo.answer(logout, Ended::Some).unwrap() else { panic!("by redirect") };
    assert_eq!(form.action(), "https://other.example.org/slo");
    let (_, value) = form.fields().find(|(name, _)| *name == "SAMLResponse").unwrap();
    let xml = jit_saml::base64_text::decode(value.as_bytes()).unwrap();
    let document = Document::parse(&xml, &Limits::default()).unwrap();
    assert!(verify(document.root(), &keys, &rules, now(), &crypto).is_ok());
    let codes: Vec<_> =
        document.root().descendants().filter(|element| element.local() == "StatusCode").collect();
    assert_eq!(codes.len(), 2);
    assert_eq!(codes[1].attribute("Value"), Some("urn:oasis:names:tc:SAML:2.0:status:PartialLogout"));
}

#[tokio::test]
async fn is_acted_upon_once() {
    let world = World::new();
    let message = Message::request().redirect(&world.key);
    let _ = demanded(&world, message.clone()).await;
    assert_eq!(world.refused(message.clone()).await, "saml.logout_replayed");
    world.clock.advance(TimeDelta::seconds(479));
    assert_eq!(world.refused(message.clone()).await, "saml.logout_replayed");
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(world.refused(message).await, "saml.logout_issued_too_long_ago");
    // another provider may choose the same identifier
    let other = Message::request().issued_by(&format!("<saml:Issuer>{OTHER}</saml:Issuer>"));
    let other = other.set("IssueInstant", later(480)).redirect(&world.other_key);
    let _ = demanded(&world, other).await;
}

#[tokio::test]
async fn times_are_kept_to_with_the_skew_of_the_clocks() {
    let world = World::new();
    for (attribute, seconds, code) in [
        ("IssueInstant", 180, "accepted"),
        ("IssueInstant", 181, "saml.logout_issued_in_future"),
        ("IssueInstant", -479, "accepted"),
        ("IssueInstant", -480, "saml.logout_issued_too_long_ago"),
        ("NotOnOrAfter", -179, "accepted"),
        ("NotOnOrAfter", -180, "saml.logout_expired"),
    ] {
        let id = format!("_{attribute}{seconds}");
        let message = Message::request().set("ID", id).set(attribute, later(seconds)).redirect(&world.key);
        assert_eq!(world.refused(message).await, code, "{attribute} {seconds}");
    }
}

#[tokio::test]
async fn an_encrypted_name_is_decrypted_with_any_of_our_keys() {
    let world = World::new();
    let encrypted = |name: &str| encrypted("saml:EncryptedID", name, &world.secret);
    let name = "<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Format=\"urn:f\">secret-17</saml:NameID>";
    let message = Message::request().holding(encrypted(name)).redirect(&world.key);
    let logout = demanded(&world, message).await;
    assert_eq!((logout.name_id().value.as_str(), logout.name_id().format()), ("secret-17", "urn:f"));
    let in_place = encrypted("<saml:NameID Format=\"urn:f\">secret-17</saml:NameID>");
    let message = Message::request().set("ID", "_0").holding(in_place).redirect(&world.key);
    assert_eq!(demanded(&world, message).await.name_id().value, "secret-17");
    for (id, plain, code) in [
        (
            "_1",
            "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">a</saml:Issuer>",
            "saml.subject_malformed",
        ),
        ("_2", "no xml", "saml.xml_"),
    ] {
        let message = Message::request().set("ID", id).holding(encrypted(plain)).redirect(&world.key);
        let refused = world.refused(message).await;
        assert!(refused.starts_with(code), "{refused}");
    }
    let stranger = crate::encrypting::encrypted("saml:EncryptedID", name, &keys::rsa_pkcs8());
    let message = Message::request().set("ID", "_3").holding(stranger).redirect(&world.key);
    assert_eq!(world.refused(message).await, "saml.decryption_failed");
}
