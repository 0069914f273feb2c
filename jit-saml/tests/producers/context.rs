//! Assertions whose namespaces are declared around them: in the forms that are signed, and in what was encrypted.
//!
//! libxmlsec1 encrypts an element as it stands, without the declarations of its surroundings; several identity providers
//! are built on it.

use crate::ability::{Encryption, Order, Outer, Position, gcm256};
use crate::peer::Peer;
use crate::responses::{World, assert_identity};
use crate::xmlsec::Verifier;

const PRODUCERS: &[&str] = &["xmlsec", "pyxmlsec"];
const GCM: Encryption = gcm256("rsa-oaep-mgf1p");
const LISTS: &[Outer] = &[
    Outer { assertion: &[], response: &[] },
    Outer { assertion: &["xs"], response: &[] },
    Outer { assertion: &["xs", "xsi", "nowhere"], response: &["xs"] },
    Outer { assertion: &["samlp", "saml", "xs"], response: &["xs", "xsi"] },
];

fn order(position: Position, outer: Outer) -> Order {
    Order { outer: Some(outer), ..Order::plain(position) }
}

/// Gives the prefix `xs` of the response another meaning.
fn with_another_meaning(response: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(response.to_vec()).unwrap();
    let changed = text.replacen("xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"", "xmlns:xs=\"urn:x\"", 1);
    assert_ne!(changed, text);
    changed.into_bytes()
}

#[test]
fn listed_prefixes_mean_what_the_posted_document_says() {
    let (world, mut oracle) = (World::trusting("rsa"), Verifier::start());
    for (name, position) in PRODUCERS.iter().flat_map(|name| Position::ALL.iter().map(move |it| (*name, *it)))
    {
        let mut producer = Peer::producer(name);
        for outer in LISTS {
            let order = order(position, *outer);
            let response = producer.response(&order.request());
            let verified = world.verify(&response).unwrap_or_else(|code| panic!("{name} {order:?}: {code}"));
            assert_identity(&verified, &order, name);

            let changed = with_another_meaning(&response);
            let of_assertion = position != Position::Response && outer.assertion.contains(&"xs");
            let of_response = position != Position::Assertion && outer.response.contains(&"xs");
            let is_signed = of_assertion || of_response;
            assert_eq!(world.code(&changed) == "saml.digest_mismatch", is_signed, "{name} {order:?}");
            for (element, signed, covered) in [
                ("Assertion", position != Position::Response, of_assertion),
                ("Response", position != Position::Assertion, of_response),
            ] {
                assert_eq!(oracle.accepts(&response, element, "rsa"), signed, "{name} {order:?} {element}");
                let still = signed && !covered;
                assert_eq!(oracle.accepts(&changed, element, "rsa"), still, "{name} {order:?} {element}");
            }
        }
    }
}

#[test]
fn what_was_encrypted_means_what_it_meant_in_its_place() {
    let world = World::trusting("rsa");
    for (name, position) in PRODUCERS.iter().flat_map(|name| Position::ALL.iter().map(move |it| (*name, *it)))
    {
        let mut producer = Peer::producer(name);
        for outer in LISTS {
            let order = Order { encryption: Some(GCM), ..order(position, *outer) };
            let response = producer.response(&order.request());
            // only the response is signed: it must say all that the assertion does not say itself
            let expected = match position {
                Position::Response if !outer.response.contains(&"xsi") => "saml.decrypted_prefix_unbound",
                _ => "accepted",
            };
            assert_eq!(world.code(&response), expected, "{name} {order:?}");
            if let Ok(verified) = world.verify(&response) {
                assert_identity(&verified, &order, name);
            }
            let changed = with_another_meaning(&response);
            let covers = |listed: &[&str], signature| position != signature && listed.contains(&"xs");
            let is_signed =
                covers(outer.assertion, Position::Response) || covers(outer.response, Position::Assertion);
            let expected = if is_signed { "saml.digest_mismatch" } else { expected };
            assert_eq!(world.code(&changed), expected, "{name} {order:?}, changed");
        }
    }
}

#[test]
fn a_cipher_that_can_be_changed_tells_nothing_about_prefixes() {
    let lenient = World::trusting("rsa").allowing(|legacy| legacy.cbc_under_signed_response = true);
    let cbc = Encryption { content: "aes256-cbc", transport: "rsa-oaep-mgf1p" };
    for name in PRODUCERS {
        let mut producer = Peer::producer(name);
        let mut code = |position, outer| {
            let order = Order { encryption: Some(cbc), ..order(position, outer) };
            lenient.code(&producer.response(&order.request()))
        };
        assert_eq!(code(Position::Both, LISTS[0]), "accepted", "{name}");
        assert_eq!(code(Position::Response, LISTS[3]), "accepted", "{name}");
        assert_eq!(code(Position::Response, LISTS[0]), "saml.decryption_failed", "{name}");
    }
}
