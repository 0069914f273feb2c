//! Mutants of valid responses: none makes anything panic, and each that is still accepted says what the original says.
//!
//! Twenty thousand run with the other tests. A million, which is what a release is proved with:
//! `JIT_SAML_MUTANTS=1000000 cargo test --release -p jit-saml --test mutants`
#![expect(clippy::unwrap_used, reason = "a test says with a panic what went wrong")]

#[path = "support/said.rs"]
mod said;
#[expect(dead_code, unused_imports, reason = "a small part of the provider is enough here")]
#[path = "support/mod.rs"]
mod support;

use jit_saml::crypto::AwsLc;
use jit_saml::response::{Expectations, Solicitation, verify_response};
use said::said_by;
use support::{ACS, Draft, REQUEST, Recipe, SP, decryption_key, key, now, trusted};

/// What an attacker would like to add, beside what merely breaks documents.
const PIECES: &[&str] = &[
    "<!---->",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x y?>",
    "<!DOCTYPE a>",
    "<!DOCTYPE a [<!ENTITY e 'admin'>]>",
    "&e;",
    "&amp;",
    "&#x0;",
    "&#65;",
    "&#13;",
    "\r\n",
    "\t",
    " ",
    "\0",
    "\u{feff}",
    "\u{fffe}",
    "é",
    "\"",
    "'",
    "<",
    ">",
    "/",
    "=",
    "#",
    "</",
    "/>",
    "<a>",
    "</a>",
    " xmlns=\"\"",
    " xmlns=\"urn:x\"",
    " xmlns:saml=\"urn:x\"",
    " xmlns:ds=\"urn:x\"",
    " xml:id=\"_assertion1\"",
    " ID=\"_assertion1\"",
    " ID=\"_response1\"",
    " Id=\"_assertion1\"",
    "_assertion1",
    "_response1",
    "<saml:NameID>admin</saml:NameID>",
    "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>",
    "<saml:Attribute Name=\"groups\"><saml:AttributeValue>root</saml:AttributeValue></saml:Attribute>",
    "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_evil\">",
    "<saml:Assertion>",
    "</saml:Assertion>",
    "<saml:Advice>",
    "</saml:Advice>",
    "<samlp:Extensions>",
    "</samlp:Extensions>",
    "<ds:Object>",
    "</ds:Object>",
    "<ds:KeyInfo>",
    "</ds:KeyInfo>",
    "<ds:DigestValue>",
    "</ds:DigestValue>",
    "<ds:SignedInfo>",
    "</ds:SignedInfo>",
    "<ds:Signature>",
    "</ds:Signature>",
    "<ds:Transform Algorithm=\"x\"/>",
    "<samlp:Response>",
    "</samlp:Response>",
    "admin",
    "2.0",
    "2099-01-01T00:00:00Z",
    "",
];

/// A generator of numbers that needs no more than to differ (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        let most = if self.below(4) == 0 { 2000 } else { 24 };
        start..(start + self.below(most)).min(length)
    }
}

/// The places at which markup begins, where changes tell most.
fn markup(octets: &[u8], chance: &mut Chance) -> usize {
    let from = chance.below(octets.len());
    octets
        .get(from..)
        .unwrap()
        .iter()
        .position(|octet| matches!(octet, b'<' | b'>' | b'"'))
        .map_or(from, |at| from + at)
}

fn mutate(octets: &mut Vec<u8>, chance: &mut Chance) {
    let at = if chance.below(2) == 0 { markup(octets, chance) } else { chance.below(octets.len()) };
    let piece = PIECES.get(chance.below(PIECES.len())).unwrap().bytes();
    match chance.below(8) {
        0 => *octets.get_mut(at).unwrap() ^= 1 << chance.below(8),
        1 => *octets.get_mut(at).unwrap() = u8::try_from(chance.below(256)).unwrap(),
        2 => drop(octets.splice(at..at, piece)),
        3 => drop(octets.splice(chance.range(octets.len()), piece)),
        4 => drop(octets.drain(chance.range(octets.len()))),
        5 => {
            let copied = octets.get(chance.range(octets.len())).unwrap().to_vec();
            octets.splice(at..at, copied);
        }
        6 => {
            let moved: Vec<u8> = octets.drain(chance.range(octets.len())).collect();
            let at = chance.below(octets.len() + 1);
            octets.splice(at..at, moved);
        }
        _ => move_element(octets, chance),
    }
}

/// Copies or moves what stands between two pieces of markup, which wrapping attacks are made of.
fn move_element(octets: &mut Vec<u8>, chance: &mut Chance) {
    let (one, other) = (markup(octets, chance), markup(octets, chance));
    let range = one.min(other)..one.max(other);
    let piece = octets.get(range.clone()).unwrap().to_vec();
    if chance.below(2) == 0 {
        octets.drain(range);
    }
    let at = if octets.is_empty() { 0 } else { markup(octets, chance) };
    octets.splice(at..at, piece);
}

#[test]
fn no_mutant_is_somebody_else() {
    let count =
        std::env::var("JIT_SAML_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000_u64);
    let draft = Draft::new();
    let sealed = Recipe::default().seal("EncryptedAssertion", &draft.signed_assertion(key()), 0);
    let originals = [draft.signed(), draft.response_signed(), draft.both_signed(), draft.with(&sealed)];
    let (idp, keys) = (trusted(), [decryption_key(0)]);
    let mut demands = Expectations::new(SP, ACS, &idp, Solicitation::Request(REQUEST), now(), &AwsLc);
    demands.decryption_keys = &keys;
    let expected = said_by(&verify_response(originals[0].as_bytes(), &demands).unwrap());
    let mut accepted = 0_u64;
    for number in 0..count {
        let mut chance = Chance(number);
        let mut octets = originals.get(chance.below(originals.len())).unwrap().clone().into_bytes();
        for _ in 0..=chance.below(3) {
            if !octets.is_empty() {
                mutate(&mut octets, &mut chance);
            }
        }
        if let Ok(response) = verify_response(&octets, &demands) {
            accepted += 1;
            assert_eq!(said_by(&response), expected, "mutant {number}: {}", String::from_utf8_lossy(&octets));
        }
    }
    // Changes outside of what is signed, such as comments, let some through; none at all would mean a broken test.
    assert!(accepted > count / 1000, "only {accepted} of {count} were accepted");
    assert!(accepted < count / 4, "{accepted} of {count} were accepted");
}
