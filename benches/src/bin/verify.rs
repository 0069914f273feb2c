//! What verifying an ID token costs beside the bare signature check: 20 claims, one of them 40 groups, 10 keys.
//!
//! `verify DIR` measures; `verify DIR bare|ours|jsonwebtoken ALG N` verifies N times, for callgrind.
#![expect(clippy::unwrap_used, reason = "a program for people who measure")]

use std::{hint::black_box, path::Path};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{self as sig, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use jit_benches::{
    cost::{Figures, Stopwatch},
    instructions,
    report::{Goal, line},
};
use jit_oidc::{
    expectations::{Expectations, IssuerRule, TokenPolicy},
    id_token,
    keys::KeySet,
    signature::Engine,
};
use serde_json::{Value, json};

const GOALS: [(&str, f64); 3] = [("RS256", 1.25), ("ES256", 1.12), ("EdDSA", 1.18)];
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [directory] => measure(Path::new(directory)),
        [directory, who, algorithm, turns] => {
            verify(Path::new(directory), who, algorithm, turns.parse().unwrap());
        }
        _ => eprintln!("usage: verify DIR [bare|ours|jsonwebtoken ALG N]"),
    }
}

fn measure(directory: &Path) {
    prepare(directory);
    for (algorithm, goal) in GOALS {
        let goals =
            [("ours", "", Goal::AtMost(goal)), ("jsonwebtoken", ", engine jsonwebtoken", Goal::Shown)];
        for (who, remark, goal) in goals {
            let (ours, bare, unit, ratio) = if instructions::can_count() {
                let count =
                    |who| instructions::of_a_turn(&[directory.to_str().unwrap(), who, algorithm], 50, 450);
                let (ours, bare) = (count(who), count("bare"));
                (ours, bare, "instructions", ours / bare)
            } else {
                let (ours, bare) = timed(directory, who, algorithm);
                (ours.cpu(), bare.cpu(), "us of cpu", ours.cpu_to(&bare))
            };
            let what = format!("ID token {algorithm}{remark}");
            line(&what, format!("{ours:.0} {unit}"), format!("{bare:.0} bare signature check"), ratio, goal);
        }
    }
}

/// Where instructions cannot be counted: processor time, in turns.
fn timed(directory: &Path, who: &str, algorithm: &str) -> (Figures, Figures) {
    const TURNS: usize = 4_000;
    let (mut ours, mut bare) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        for (who, figures) in [("bare", &mut bare), (who, &mut ours)] {
            let start = Stopwatch::start();
            verify(directory, who, algorithm, TURNS);
            figures.add(start.stop(), TURNS);
        }
    }
    (ours, bare)
}

fn verify(directory: &Path, who: &str, algorithm: &str, turns: usize) {
    match who {
        "bare" => bare(directory, algorithm, turns),
        "ours" => ours(directory, algorithm, turns, &Engine::aws_lc()),
        _ => ours(directory, algorithm, turns, &Engine::jsonwebtoken()),
    }
}

fn bare(directory: &Path, algorithm: &str, turns: usize) {
    let token = std::fs::read_to_string(directory.join(format!("{algorithm}.jwt"))).unwrap();
    let key = std::fs::read(directory.join(format!("{algorithm}.key"))).unwrap();
    let scheme: &'static dyn sig::VerificationAlgorithm = match algorithm {
        "RS256" => &sig::RSA_PKCS1_2048_8192_SHA256,
        "ES256" => &sig::ECDSA_P256_SHA256_FIXED,
        _ => &sig::ED25519,
    };
    let key = ParsedPublicKey::new(scheme, key).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for _ in 0..turns {
        key.verify_sig(black_box(message.as_bytes()), black_box(&signature)).unwrap();
    }
}

fn ours(directory: &Path, algorithm: &str, turns: usize, engine: &Engine) {
    let token = std::fs::read(directory.join(format!("{algorithm}.jwt"))).unwrap();
    let jwks = std::fs::read(directory.join("jwks.json")).unwrap();
    let policy = TokenPolicy::new(IssuerRule::exact("https://op.example.com"), "client");
    let keys = KeySet::parse(&jwks, engine, policy.allowed_algorithms()).unwrap();
    let expectations = Expectations::new(&policy).nonce("n-0S6_WzA2Mj");
    let now = DateTime::from_timestamp(1_800_000_100, 0).unwrap();
    for _ in 0..turns {
        let _verified = black_box(id_token::verify(black_box(&token), &keys, &expectations, now).unwrap());
    }
}

/// Writes 4 RSA, 3 P-256 and 3 Ed25519 keys, and a token signed by the last of each kind, so that the look-up has
/// something to pass by.
fn prepare(directory: &Path) {
    std::fs::create_dir_all(directory).unwrap();
    let mut jwks = Vec::new();
    for (algorithm, count) in [("RS256", 4), ("ES256", 3), ("EdDSA", 3)] {
        for number in 0..count {
            let kid = format!("{algorithm}-{number}");
            let pair = Pair::generate(algorithm);
            jwks.push(pair.jwk(algorithm, &kid));
            let header = json!({ "alg": algorithm, "kid": kid }).to_string();
            let message = format!("{}.{}", encode(header.as_bytes()), encode(claims().as_bytes()));
            let token = format!("{message}.{}", encode(&pair.sign(message.as_bytes())));
            std::fs::write(directory.join(format!("{algorithm}.jwt")), token).unwrap();
            std::fs::write(directory.join(format!("{algorithm}.key")), pair.public_key()).unwrap();
        }
    }
    std::fs::write(directory.join("jwks.json"), json!({ "keys": jwks }).to_string()).unwrap();
}

/// In the order in which providers write them, which is not the alphabetical one.
fn claims() -> String {
    let groups: Vec<String> = (0..40).map(|number| format!("team-{number}")).collect();
    let text = format!(
        r#"{{"iss":"https://op.example.com","sub":"248289761001","aud":"client","exp":1800003600,"iat":1800000000,
        "auth_time":1799999900,"nonce":"n-0S6_WzA2Mj","acr":"urn:mfa","amr":["pwd","otp"],"azp":"client",
        "nbf":1800000000,"sid":"08a5019c","name":"Jane Doe","given_name":"Jane","family_name":"Doe",
        "preferred_username":"j.doe","email":"jane@example.com","email_verified":true,"locale":"en",
        "groups":{}}}"#,
        json!(groups)
    );
    text.replace("\n        ", "")
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Pair {
    fn generate(algorithm: &str) -> Self {
        match algorithm {
            "RS256" => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            "ES256" => Self::Ec(EcdsaKeyPair::generate(&sig::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            _ => Self::Ed(Ed25519KeyPair::generate().unwrap()),
        }
    }

    fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(pair) => pair.public_key().as_ref(),
            Self::Ec(pair) => pair.public_key().as_ref(),
            Self::Ed(pair) => pair.public_key().as_ref(),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&sig::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn jwk(&self, algorithm: &str, kid: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let key = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "n": encode(&key.n), "e": encode(&key.e),
                    "alg": algorithm, "kid": kid, "use": "sig" })
            }
            Self::Ec(_) => {
                let (x, y) = self.public_key().get(1..).unwrap().split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y),
                    "alg": algorithm, "kid": kid, "use": "sig" })
            }
            Self::Ed(_) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(self.public_key()),
                    "alg": algorithm, "kid": kid, "use": "sig" })
            }
        }
    }
}
