//! No change to a token, however small or wild, panics or yields another identity.

use jit_oidc::expectations::Expectations;
use jit_oidc::id_token;
use jit_oidc::keys::KeySet;
use proptest::prelude::*;

use crate::world::{NONCE, WORLD, claims, engines, now, policy};

#[derive(Debug, Clone)]
enum Change {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Swap(usize, usize),
    Cut(usize),
    Repeat(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let text = prop_oneof![any::<u8>(), prop::sample::select(b"ABCabc019-_.=".to_vec())];
    prop_oneof![
        (any::<usize>(), text.clone()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (any::<usize>(), text).prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<usize>().prop_map(Change::Remove),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Change::Swap(a, b)),
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), 1..64_usize).prop_map(|(at, len)| Change::Repeat(at, len)),
    ]
}

fn apply(token: &mut Vec<u8>, change: &Change) {
    let len = token.len().max(1);
    match *change {
        _ if token.is_empty() => {}
        Change::Replace(at, byte) => token[at % len] = byte,
        Change::Insert(at, byte) => token.insert(at % len, byte),
        Change::Remove(at) => drop(token.remove(at % len)),
        Change::Swap(a, b) => token.swap(a % len, b % len),
        Change::Cut(at) => token.truncate(at % len),
        Change::Repeat(at, count) => {
            let part: Vec<u8> = token.iter().skip(at % len).take(count).copied().collect();
            token.splice(at % len..at % len, part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn changed_tokens_say_the_same_or_nothing(changes in prop::collection::vec(change(), 1..8), which in 0..3_usize) {
        let signer = [&WORLD.es, &WORLD.ed, &WORLD.rs][which];
        let original = signer.token(&claims());
        let mut token = original.clone().into_bytes();
        for change in &changes {
            apply(&mut token, change);
        }
        let policy = policy();
        let expectations = Expectations::new(&policy).nonce(NONCE);
        for (name, keys) in &WORLD.keys {
            if let Ok(verified) = id_token::verify(&token, keys, &expectations, now()) {
                let said = serde_json::Value::Object(verified.claims().clone());
                prop_assert_eq!(said, claims(), "{}", name);
                prop_assert_eq!(&token, original.as_bytes());
            }
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let policy = policy();
        let expectations = Expectations::new(&policy);
        for (_, keys) in &WORLD.keys {
            prop_assert!(id_token::verify(&bytes, keys, &expectations, now()).is_err());
        }
    }

    #[test]
    fn any_signed_payload_is_answered(payload in "[\\PC{}\\[\\]\":,0-9a-z]{0,200}") {
        let token = WORLD.ed.token_of(WORLD.ed.header().to_string().as_bytes(), payload.as_bytes());
        let policy = policy();
        let expectations = Expectations::new(&policy);
        for (_, keys) in &WORLD.keys {
            prop_assert!(id_token::verify(token.as_bytes(), keys, &expectations, now()).is_err());
        }
    }

    #[test]
    fn any_key_set_is_answered(text in "[\\PC{}\\[\\]\":,0-9a-z]{0,200}") {
        for (_, engine) in engines() {
            let _answer = KeySet::parse(text.as_bytes(), &engine, policy().allowed_algorithms());
        }
    }
}
