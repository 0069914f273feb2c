//! Counts what a verification costs beside the bare signature check.
//!
//! ```text
//! verify_cost prepare DIR                       writes keys and tokens, once
//! verify_cost bare|ours|jsonwebtoken DIR ALG N  verifies N times; ALG is RS256, ES256 or EdDSA
//! ```
//! Run the second form under `valgrind --tool=callgrind` with two values of N: the difference divided by the
//! difference of N is the cost of one verification, start-up excluded.
#![expect(clippy::expect_used, reason = "a program for measuring, not for serving")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;

use aws_lc_rs::signature::{self as sig, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use jit_oidc::id_token;
use jit_oidc::keys::KeySet;
use jit_oidc::signature::Engine;
use serde_json::json;

#[path = "../tests/suite/signer.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod signer;

use signer::Signer;

type Anything = Result<(), Box<dyn Error>>;

fn main() -> Anything {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", directory] => prepare(Path::new(directory)),
        ["bare", directory, algorithm, times] => bare(Path::new(directory), algorithm, times.parse()?),
        ["ours", directory, algorithm, times] => {
            ours(Path::new(directory), algorithm, times.parse()?, &Engine::aws_lc())
        }
        ["jsonwebtoken", directory, algorithm, times] => {
            ours(Path::new(directory), algorithm, times.parse()?, &Engine::jsonwebtoken())
        }
        _ => Err("usage: verify_cost prepare DIR | bare|ours|jsonwebtoken DIR ALG N".into()),
    }
}

fn bare(directory: &Path, algorithm: &str, times: usize) -> Anything {
    let token = std::fs::read_to_string(directory.join(format!("{algorithm}.jwt")))?;
    let key = std::fs::read(directory.join(format!("{algorithm}.key")))?;
    let scheme: &'static dyn sig::VerificationAlgorithm = match algorithm {
        "RS256" => &sig::RSA_PKCS1_2048_8192_SHA256,
        "ES256" => &sig::ECDSA_P256_SHA256_FIXED,
        _ => &sig::ED25519,
    };
    let key = ParsedPublicKey::new(scheme, key)?;
    let (message, signature) = token.rsplit_once('.').ok_or("not a token")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    for _ in 0..times {
        key.verify_sig(black_box(message.as_bytes()), black_box(&signature))?;
    }
    Ok(())
}

fn ours(directory: &Path, algorithm: &str, times: usize, engine: &Engine) -> Anything {
    let token = std::fs::read(directory.join(format!("{algorithm}.jwt")))?;
    let jwks = std::fs::read(directory.join("jwks.json"))?;
    let policy = TokenPolicy::new(IssuerRule::exact("https://op.example.com"), "client");
    let keys = KeySet::parse(&jwks, engine, policy.allowed_algorithms())?;
    let expectations = Expectations::new(&policy).nonce("n-0S6_WzA2Mj");
    let now = DateTime::from_timestamp(1_800_000_100, 0).ok_or("time")?;
    for _ in 0..times {
        let _verified = black_box(id_token::verify(black_box(&token), &keys, &expectations, now)?);
    }
    Ok(())
}

/// 20 claims, one of them 40 groups; 10 keys: 4 RSA, 3 P-256, 3 Ed25519.
fn prepare(directory: &Path) -> Anything {
    let groups: Vec<String> = (0..40).map(|number| format!("team-{number}")).collect();
    // in the order in which providers write them, which is not the alphabetical one
    let claims = format!(
        r#"{{"iss":"https://op.example.com","sub":"248289761001","aud":"client","exp":1800003600,"iat":1800000000,
        "auth_time":1799999900,"nonce":"n-0S6_WzA2Mj","acr":"urn:mfa","amr":["pwd","otp"],"azp":"client",
        "nbf":1800000000,"sid":"08a5019c","name":"Jane Doe","given_name":"Jane","family_name":"Doe",
        "preferred_username":"j.doe","email":"jane@example.com","email_verified":true,"locale":"en",
        "groups":{}}}"#,
        json!(groups)
    )
    .replace("\n        ", "");
    let signers: Vec<Signer> =
        ["RS256", "RS256", "RS256", "RS256", "ES256", "ES256", "ES256", "EdDSA", "EdDSA", "EdDSA"]
            .iter()
            .enumerate()
            .map(|(number, algorithm)| Signer::generate(algorithm, &format!("key-{number}")))
            .collect();
    let jwks = json!({ "keys": signers.iter().map(Signer::jwk).collect::<Vec<_>>() });
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join("jwks.json"), jwks.to_string())?;
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        // the last of its kind, so that the look-up has something to pass by
        let signer = signers.iter().rev().find(|signer| signer.algorithm() == algorithm).ok_or("signer")?;
        let token = signer.token_of(signer.header().to_string().as_bytes(), claims.as_bytes());
        println!("{algorithm}: {} bytes", token.len());
        std::fs::write(directory.join(format!("{algorithm}.jwt")), token)?;
        std::fs::write(directory.join(format!("{algorithm}.key")), signer.public_key())?;
    }
    Ok(())
}
