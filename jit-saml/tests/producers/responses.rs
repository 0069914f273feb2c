//! Whole responses of every producer: accepted with exactly the right identity, refused with the right code.

use chrono::{DateTime, TimeDelta, Utc};
use jit_saml::crypto::{AwsLc, DecryptionKey};
use jit_saml::idp::{LegacyRules, TrustedIdp};
use jit_saml::response::{Expectations, Solicitation, VerifiedResponse, verify_response};

use crate::ability::{
    ABILITIES, ACS, AES_128_CBC, Ability, Encryption, IDP, NAME_ID, Order, PERSISTENT, Position, REQUEST_ID,
    RSA_SHA1, SESSION_INDEX, SP, Signing, attributes,
};
use crate::peer::{Peer, now, pem, verification_key};

const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

/// What a service provider knows and demands.
pub(crate) struct World {
    idp: TrustedIdp,
    decryption: Vec<DecryptionKey>,
    sp: &'static str,
    acs: &'static str,
    request: &'static str,
    now: DateTime<Utc>,
}

impl World {
    /// Trusts a key, and an older one beside it; decrypts with the second of two keys.
    pub(crate) fn trusting(key: &str) -> Self {
        let decryption_key = |name| DecryptionKey::from_pem(&pem(name)).unwrap();
        Self {
            idp: TrustedIdp::new(IDP, vec![verification_key("p521"), verification_key(key)]),
            decryption: vec![decryption_key("other.key.pem"), decryption_key("decryption.key.pem")],
            sp: SP,
            acs: ACS,
            request: REQUEST_ID,
            now: now(),
        }
    }

    pub(crate) fn allowing(mut self, allow: impl FnOnce(&mut LegacyRules)) -> Self {
        let mut legacy = LegacyRules::default();
        allow(&mut legacy);
        self.idp = self.idp.with_legacy(legacy);
        self
    }

    pub(crate) fn verify(&self, response: &[u8]) -> Result<VerifiedResponse, &'static str> {
        let request = Solicitation::Request(self.request);
        let mut expected = Expectations::new(self.sp, self.acs, &self.idp, request, self.now, &AwsLc);
        expected.decryption_keys = &self.decryption;
        verify_response(response, &expected).map_err(jit_saml::Rejection::code)
    }

    pub(crate) fn code(&self, response: &[u8]) -> &'static str {
        self.verify(response).map_or_else(|code| code, |_| "accepted")
    }
}

pub(crate) fn assert_identity(verified: &VerifiedResponse, order: &Order, whose: &str) {
    assert_eq!(verified.issuer(), IDP, "{whose} {order:?}");
    let name_id = verified.name_id().unwrap();
    assert_eq!((name_id.value.as_str(), name_id.format()), (NAME_ID, PERSISTENT), "{whose} {order:?}");
    // pysaml2 invents its own
    let session_index = verified.session_index().filter(|_| whose != "pysaml2");
    assert_eq!(session_index.unwrap_or(SESSION_INDEX), SESSION_INDEX, "{whose} {order:?}");
    assert_eq!(verified.authn_context(), Some(PASSWORD), "{whose} {order:?}");
    assert!(verified.replayable_until() > now());
    let read: Vec<(&str, Vec<&str>)> =
        verified.attributes().iter().map(|it| (it.name.as_str(), it.texts().collect())).collect();
    assert_eq!(read, attributes(), "{whose} {order:?}");
}

/// What the profile says about an encryption; `cbc` is the switch for AES in CBC mode.
fn expected_of(encryption: Encryption, position: Position, cbc: bool) -> &'static str {
    match (encryption.content, encryption.transport) {
        // both are beyond what aws-lc offers, or what anybody should use
        ("aes192-gcm" | "tripledes-cbc", _) | (_, "rsa-oaep-mgf1p-sha256" | "rsa-oaep-sha512") => {
            "saml.encryption_algorithm"
        }
        ("aes128-cbc" | "aes256-cbc", _) if !cbc || !position.covers_response() => "saml.encryption_cbc",
        _ => "accepted",
    }
}

fn accepted_by(ability: &Ability) -> usize {
    let mut producer = Peer::producer(ability.name);
    let orders = ability.signed().map(|order| {
        let response = producer.response(&order.request());
        let verified = World::trusting(order.signing.key).verify(&response);
        let verified = verified.unwrap_or_else(|code| panic!("{} {order:?}: {code}", ability.name));
        assert_identity(&verified, &order, ability.name);
    });
    orders.count()
}

#[test]
fn every_signature_of_every_producer_gives_exactly_the_identity() {
    let accepted: usize = ABILITIES.iter().map(accepted_by).sum();
    assert!(accepted >= 80, "only {accepted}");
}

#[test]
fn every_encryption_of_every_producer_is_decrypted_or_refused_by_name() {
    let strict = World::trusting("rsa");
    let lenient = World::trusting("rsa").allowing(|legacy| legacy.cbc_under_signed_response = true);
    let mut accepted = 0;
    for ability in ABILITIES {
        let mut producer = Peer::producer(ability.name);
        for order in ability.encrypted() {
            let response = producer.response(&order.request());
            for (world, cbc) in [(&strict, false), (&lenient, true)] {
                let expected = expected_of(order.encryption.unwrap(), order.position, cbc);
                assert_eq!(world.code(&response), expected, "{} {order:?} {cbc}", ability.name);
                if let Ok(verified) = world.verify(&response) {
                    assert_identity(&verified, &order, ability.name);
                    accepted += 1;
                }
            }
        }
    }
    assert!(accepted >= 70, "only {accepted}");
}

#[test]
fn legacy_signatures_of_every_producer_need_their_switch() {
    let strict = World::trusting("rsa");
    let until = Some(now() + TimeDelta::days(1));
    let sha1 = World::trusting("rsa").allowing(|legacy| legacy.sha1_until = until);
    let inclusive = World::trusting("rsa").allowing(|legacy| legacy.inclusive_c14n = true);
    for ability in ABILITIES {
        let mut producer = Peer::producer(ability.name);
        for position in ability.positions {
            let old = producer.response(&Order { signing: RSA_SHA1, ..Order::plain(*position) }.request());
            assert_eq!(strict.code(&old), "saml.sha1_not_allowed", "{}", ability.name);
            assert_identity(&sha1.verify(&old).unwrap(), &Order::plain(*position), ability.name);
            assert_eq!(inclusive.code(&old), "saml.sha1_not_allowed", "{}", ability.name);
            if ability.inclusive {
                let wide = producer.response(&Order { inclusive: true, ..Order::plain(*position) }.request());
                assert_eq!(strict.code(&wide), "saml.canonicalization_not_allowed", "{}", ability.name);
                assert_identity(&inclusive.verify(&wide).unwrap(), &Order::plain(*position), ability.name);
            }
        }
    }
}

/// A change of the text that each producer writes, and what must be said of it.
type Forgery = (&'static str, fn(&str) -> String, &'static str);

const FORGERIES: &[Forgery] = &[
    ("another name", |text| text.replacen("alice &", "admin &", 1), "saml.digest_mismatch"),
    ("another group", |text| text.replacen(">eng<", ">ops<", 1), "saml.digest_mismatch"),
    ("a later end", |text| text.replace(" NotOnOrAfter=\"20", " NotOnOrAfter=\"21"), "saml.digest_mismatch"),
    ("another audience", |text| text.replacen("tenant=1", "tenant=2", 1), "saml.digest_mismatch"),
    ("no signature", |text| cut(text, "Signature", false), "saml.not_signed"),
    ("another digest", |text| with_first_letter_changed(text, "DigestValue>"), "saml.signature_invalid"),
    (
        "another signature value",
        |text| with_first_letter_changed(text, "SignatureValue>"),
        "saml.signature_invalid",
    ),
    ("a comment in the name", |text| text.replacen("alice &", "alice<!-- --> &", 1), "accepted"),
    ("a document type", |text| format!("<!DOCTYPE r>{text}"), "saml.xml_doctype"),
    ("a second root", |text| format!("{text}<r/>"), "saml.xml_second_root"),
    ("two assertions", doubled, "saml.assertion_several"),
];

/// Cuts out the first element of this local name, whatever its prefix.
fn cut(text: &str, local: &str, keep: bool) -> String {
    let (start, end) = place_of(text, local);
    if keep { text[start..end].to_owned() } else { [&text[..start], &text[end..]].concat() }
}

fn place_of(text: &str, local: &str) -> (usize, usize) {
    let prefixed = format!(":{local}");
    let opening = text.match_indices('<').find(|(at, _)| {
        let name = text[at + 1..].split([' ', '>', '/', '\n']).next().unwrap();
        name == local || name.ends_with(&prefixed)
    });
    let start = opening.unwrap().0;
    let name = text[start + 1..].split([' ', '>', '\n']).next().unwrap();
    let close = format!("</{name}>");
    (start, start + text[start..].find(&close).unwrap() + close.len())
}

fn with_first_letter_changed(text: &str, after: &str) -> String {
    let at = text.find(after).unwrap() + after.len();
    let other = if text[at..].starts_with('A') { "B" } else { "A" };
    [&text[..at], other, &text[at + 1..]].concat()
}

fn doubled(text: &str) -> String {
    let (_, end) = place_of(text, "Assertion");
    [&text[..end], &cut(text, "Assertion", true), &text[end..]].concat()
}

#[test]
fn forgeries_of_every_producer_are_refused_by_name() {
    let world = World::trusting("rsa");
    for ability in ABILITIES {
        let mut producer = Peer::producer(ability.name);
        for position in ability.positions.iter().filter(|position| **position != Position::Both) {
            let order = Order::plain(*position);
            let response = String::from_utf8(producer.response(&order.request())).unwrap();
            for (name, forge, expected) in FORGERIES {
                let forged = forge(&response);
                assert_ne!(forged, response, "{} {name}", ability.name);
                let expected = match *expected {
                    // what stands inside a signed response is not looked at before the digest
                    "saml.assertion_several" if position.covers_response() => "saml.digest_mismatch",
                    expected => expected,
                };
                assert_eq!(world.code(forged.as_bytes()), expected, "{} {position:?} {name}", ability.name);
                if let Ok(verified) = world.verify(forged.as_bytes()) {
                    assert_identity(&verified, &order, ability.name);
                }
            }
        }
    }
}

#[test]
fn what_is_meant_for_somebody_else_is_refused_by_name() {
    for ability in ABILITIES {
        let mut producer = Peer::producer(ability.name);
        let order = Order::plain(Position::Assertion);
        let response = producer.response(&order.request());
        let world = |change: fn(&mut World)| {
            let mut world = World::trusting("rsa");
            change(&mut world);
            world.code(&response)
        };
        let whose = ability.name;
        assert_eq!(world(|_| ()), "accepted", "{whose}");
        assert_eq!(
            world(|world| world.sp = "https://sp.example.com/saml"),
            "saml.audience_mismatch",
            "{whose}"
        );
        assert_eq!(world(|world| world.request = "_request-2"), "saml.in_response_to_mismatch", "{whose}");
        assert_eq!(
            world(|world| world.acs = "https://sp.example.com/acs/2"),
            "saml.destination_mismatch",
            "{whose}"
        );
        assert_eq!(world(|world| world.now += TimeDelta::hours(1)), "saml.confirmation_expired", "{whose}");
        assert_eq!(world(|world| world.now -= TimeDelta::hours(1)), "saml.issued_in_future", "{whose}");
        let untrusted = Order { signing: Signing { algorithm: "rsa-sha256", key: "other" }, ..order };
        let stranger = producer.response(&untrusted.request());
        assert_eq!(World::trusting("rsa").code(&stranger), "saml.signature_invalid", "{whose}");
    }
}

#[test]
fn changed_and_stray_ciphertexts_are_refused_alike() {
    for ability in ABILITIES.iter().filter(|ability| !ability.encryptions.is_empty()) {
        let mut producer = Peer::producer(ability.name);
        for order in ability.encrypted() {
            if expected_of(order.encryption.unwrap(), order.position, false) != "accepted" {
                continue;
            }
            let response = String::from_utf8(producer.response(&order.request())).unwrap();
            let expected = if order.position.covers_response() {
                "saml.digest_mismatch"
            } else {
                "saml.decryption_failed"
            };
            let last = response.rfind("CipherValue>").unwrap();
            let (first, second) = (changed_after(&response, "CipherValue>"), changed_before(&response, last));
            for changed in [first, second] {
                let code = World::trusting("rsa").code(changed.as_bytes());
                assert_eq!(code, expected, "{} {order:?}", ability.name);
            }
            let mut keyless = World::trusting("rsa");
            keyless.decryption.truncate(1);
            assert_eq!(
                keyless.code(response.as_bytes()),
                "saml.decryption_failed",
                "{} {order:?}",
                ability.name
            );
            keyless.decryption.clear();
            assert_eq!(
                keyless.code(response.as_bytes()),
                "saml.decryption_key_missing",
                "{} {order:?}",
                ability.name
            );
        }
    }
}

/// Changes a letter of the first value, white space left aside.
fn changed_after(text: &str, mark: &str) -> String {
    let value = text.find(mark).unwrap() + mark.len();
    let at = value + 40 + text[value + 40..].find(|letter: char| letter.is_ascii_lowercase()).unwrap();
    [&text[..at], if &text[at..=at] == "a" { "b" } else { "a" }, &text[at + 1..]].concat()
}

/// Changes a letter of the value that ends before a place.
fn changed_before(text: &str, end: usize) -> String {
    let at = text[..end - 40].rfind(|letter: char| letter.is_ascii_lowercase()).unwrap();
    [&text[..at], if &text[at..=at] == "a" { "b" } else { "a" }, &text[at + 1..]].concat()
}

#[test]
fn cbc_of_simplesamlphp_is_read_only_under_a_signed_response() {
    let mut producer = Peer::producer("ssp");
    for (position, expected) in [
        (Position::Assertion, "saml.encryption_cbc"),
        (Position::Response, "accepted"),
        (Position::Both, "accepted"),
    ] {
        let order = Order { encryption: Some(AES_128_CBC), ..Order::plain(position) };
        let response = producer.response(&order.request());
        let lenient = World::trusting("rsa").allowing(|legacy| legacy.cbc_under_signed_response = true);
        assert_eq!(World::trusting("rsa").code(&response), "saml.encryption_cbc", "{position:?}");
        assert_eq!(lenient.code(&response), expected, "{position:?}");
    }
}
