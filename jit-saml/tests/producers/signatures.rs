//! Signatures of every producer, verified without the rest of a sign-in.

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Clock as _, SystemClock};
use jit_saml::crypto::AwsLc;
use jit_saml::signature::{SignatureError, SignatureRules, SignedOctets, signatures_in, verify};
use jit_saml::xml::{Document, Element, Limits};

use crate::ability::{ABILITIES, Ability, Order, Position, RSA_SHA1};
use crate::peer::{Peer, verification_key};

pub(crate) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// Verifies what an order says is signed, and answers how many signatures that were.
fn verify_all(text: &[u8], order: &Order, rules: &SignatureRules) -> Result<usize, SignatureError> {
    let limits = Limits::default();
    let document = Document::parse(text, &limits).unwrap();
    let mut verified = 0;
    for (name, signed) in
        [("Response", order.position.covers_response()), ("Assertion", order.position.covers_assertion())]
    {
        if signed {
            let octets = verify_one(the(&document, name), order.signing.key, rules)?;
            assert!(octets.document(&limits).unwrap().root().local() == name);
            verified += 1;
        }
    }
    assert_eq!(signatures_in(&document).count(), verified);
    Ok(verified)
}

fn verify_one(
    element: Element<'_>,
    key: &str,
    rules: &SignatureRules,
) -> Result<SignedOctets, SignatureError> {
    let keys = [verification_key("other"), verification_key(key)];
    verify(element, &keys, rules, now(), &AwsLc)
}

fn the<'d>(document: &'d Document<'d>, local: &str) -> Element<'d> {
    let root = document.root();
    let mut found =
        std::iter::once(root).chain(root.descendants()).filter(|element| element.local() == local);
    found.next().unwrap()
}

fn every_position_and_algorithm(ability: &Ability) -> usize {
    let mut producer = Peer::producer(ability.name);
    let orders = ability.signed().map(|order| {
        let response = producer.response(&order.request());
        verify_all(&response, &order, &SignatureRules::default())
            .unwrap_or_else(|error| panic!("{} {order:?}: {error}", ability.name))
    });
    orders.sum()
}

#[test]
fn every_producer_signs_what_is_accepted() {
    let verified: usize = ABILITIES.iter().map(every_position_and_algorithm).sum();
    assert!(verified >= 110, "only {verified} signatures");
}

#[test]
fn sha_1_of_every_producer_needs_its_switch() {
    let allowed =
        SignatureRules { sha1_until: Some(now() + TimeDelta::days(1)), ..SignatureRules::default() };
    let over = SignatureRules { sha1_until: Some(now() - TimeDelta::days(1)), ..SignatureRules::default() };
    for ability in ABILITIES {
        let order = Order { signing: RSA_SHA1, ..Order::plain(Position::Assertion) };
        let response = Peer::producer(ability.name).response(&order.request());
        for strict in [&SignatureRules::default(), &over] {
            let refused = verify_all(&response, &order, strict);
            assert_eq!(refused, Err(SignatureError::Sha1NotAllowed), "{}", ability.name);
        }
        assert_eq!(verify_all(&response, &order, &allowed), Ok(1), "{}", ability.name);
    }
}

#[test]
fn inclusive_forms_need_their_switch() {
    let allowed = SignatureRules { inclusive_c14n: true, ..SignatureRules::default() };
    for ability in ABILITIES.iter().filter(|ability| ability.inclusive) {
        for position in ability.positions {
            let order = Order { inclusive: true, ..Order::plain(*position) };
            let response = Peer::producer(ability.name).response(&order.request());
            let refused = verify_all(&response, &order, &SignatureRules::default());
            assert_eq!(refused, Err(SignatureError::CanonicalizationNotAllowed), "{}", ability.name);
            assert!(verify_all(&response, &order, &allowed).is_ok(), "{} {position:?}", ability.name);
        }
    }
}
