//! Starts a provider and speaks with its control interface.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use jit_oidc::Http as _;
use serde_json::{Value, json};

/// A provider; it ends with its standard input, which ends with the test.
pub(crate) struct Peer {
    pub(crate) issuer: String,
    child: Child,
}

impl Peer {
    /// Starts the provider in the folder `name` of `tests/peers`.
    pub(crate) async fn start(name: &str) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(name).join("start");
        let mut child = Command::new(program)
            .args(["--port", "0", "--stdin-lifeline"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        });
        let ready: Value = serde_json::from_str(&line.await.unwrap().unwrap()).unwrap();
        Self { issuer: ready["issuer"].as_str().unwrap().to_owned(), child }
    }

    /// Sends a command; `null` asks by GET.
    pub(crate) async fn control(&self, command: &str, body: &Value) -> Value {
        let method = if body.is_null() { "GET" } else { "POST" };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}/_ctl/{command}", self.issuer))
            .header("content-type", "application/json")
            .body(Bytes::from(if body.is_null() { String::new() } else { body.to_string() }))
            .unwrap();
        let answer = crate::http().send(request, 1 << 20).await.unwrap();
        assert!(answer.status().is_success(), "{command}: {}", answer.status());
        serde_json::from_slice(answer.body()).unwrap_or(Value::Null)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

/// Makes a key for a client: PKCS#8 in PEM, and the public JWK.
pub(crate) fn client_key() -> (String, Value) {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "client-1", "alg": "ES256", "use": "sig", "x": x, "y": y });
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(pkcs8.as_ref())
    );
    (pem, jwk)
}
