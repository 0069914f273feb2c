//! Signatures that only look like signatures.

use jit_oidc::Rejection;
use serde_json::{Value, json};

use crate::signer::{Signer, encode};
use crate::world::{WORLD, assert_answers, claims};

type Change = fn(&mut Vec<u8>);

fn signed_as(header: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims().to_string().as_bytes()));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", encode(&signature))
}

fn signers() -> [&'static Signer; 5] {
    [&WORLD.rs, &WORLD.ps, &WORLD.es, &WORLD.es384, &WORLD.ed]
}

#[test]
fn damaged_signatures() {
    for signer in signers() {
        let name = signer.algorithm();
        let good = |message: &[u8]| signer.sign(message);
        let cases: [(&str, Vec<u8>); 6] = [
            ("empty", Vec::new()),
            ("zeros", vec![0; good(b"").len()]),
            ("ones", vec![0xff; good(b"").len()]),
            ("of another message", good(b"another message")),
            ("one byte", vec![1]),
            ("long", vec![1; 4096]),
        ];
        for (case, signature) in cases {
            let token = signed_as(&signer.header(), |_| signature);
            assert_answers([(format!("{name} {case}").as_str(), token, Rejection::SignatureInvalid)]);
        }
        let changes: [(&str, Change); 4] = [
            ("flipped", |signature| signature[10] ^= 1),
            ("cut", |signature| signature.truncate(signature.len() - 1)),
            ("longer", |signature| signature.push(0)),
            ("led by a zero", |signature| signature.insert(0, 0)),
        ];
        for (case, change) in changes {
            let token = signed_as(&signer.header(), |message| {
                let mut signature = good(message);
                change(&mut signature);
                signature
            });
            assert_answers([(format!("{name} {case}").as_str(), token, Rejection::SignatureInvalid)]);
        }
    }
}

#[test]
fn signatures_of_a_stranger() {
    for signer in signers() {
        let stranger = Signer::generate(signer.algorithm(), signer.algorithm());
        assert_answers([(signer.algorithm(), stranger.token(&claims()), Rejection::SignatureInvalid)]);
    }
}

#[test]
fn elliptic_signatures_in_other_forms() {
    let header = WORLD.es.header();
    let small = |r: u8, s: u8| {
        let mut signature = vec![0; 64];
        signature[31] = r;
        signature[63] = s;
        signature
    };
    // the order of P-256, which is zero in its group
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for (name, token) in [
        ("der", signed_as(&header, |message| WORLD.es.sign_der(message))),
        ("psychic", signed_as(&header, |_| small(0, 0))),
        ("zero r", signed_as(&header, |_| small(0, 1))),
        ("zero s", signed_as(&header, |_| small(1, 0))),
        ("the order", signed_as(&header, |_| [order.clone(), order.clone()].concat())),
        ("of P-384", signed_as(&header, |message| WORLD.es384.sign(message))),
    ] {
        assert_answers([(name, token, Rejection::SignatureInvalid)]);
    }
}

#[test]
fn signatures_of_another_algorithm() {
    let rs = WORLD.rs.header();
    let ps = WORLD.ps.header();
    for (name, token) in [
        ("RS512 for RS256", signed_as(&rs, |message| WORLD.rs.sign_as("RS512", message))),
        ("PS256 for RS256", signed_as(&rs, |message| WORLD.rs.sign_as("PS256", message))),
        ("RS256 for PS256", signed_as(&ps, |message| WORLD.ps.sign_as("RS256", message))),
        ("PS512 for PS256", signed_as(&ps, |message| WORLD.ps.sign_as("PS512", message))),
    ] {
        assert_answers([(name, token, Rejection::SignatureInvalid)]);
    }
}

#[test]
fn a_key_serves_its_own_algorithm_only() {
    for (kid, algorithm) in
        [("PS256", "RS256"), ("RS256", "PS256"), ("ES384", "ES256"), ("EdDSA", "ES256"), ("RS256", "EdDSA")]
    {
        let header = json!({ "alg": algorithm, "kid": kid });
        let signer = signers().into_iter().find(|signer| signer.algorithm() == kid).unwrap();
        let token = signed_as(&header, |message| signer.sign_as(algorithm, message));
        assert_answers([(kid, token, Rejection::KeyAlgorithmMismatch)]);
    }
}

#[test]
fn a_signature_covers_header_and_payload() {
    let token = WORLD.es.token(&claims());
    let other = WORLD.es.token(&json!({ "sub": "somebody-else" }));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (mine, theirs) = (parts(&token), parts(&other));
    let header = encode(json!({ "alg": "ES256", "kid": "ES256", "typ": "JWT" }).to_string().as_bytes());
    assert_answers([
        ("payload", format!("{}.{}.{}", mine[0], theirs[1], mine[2]), Rejection::SignatureInvalid),
        ("signature", format!("{}.{}.{}", mine[0], mine[1], theirs[2]), Rejection::SignatureInvalid),
        ("header", format!("{header}.{}.{}", mine[1], mine[2]), Rejection::SignatureInvalid),
    ]);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap())
        .collect()
}
