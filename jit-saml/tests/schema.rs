//! What we write, against the schemas of OASIS and the eyes of libxmlsec1, by programs in `tests/peers`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "support/certificate.rs"]
mod certificate;
#[path = "support/keys.rs"]
mod keys;
#[path = "support/sp.rs"]
mod sp;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jit_core::{ConnectionId, ManualClock, MemoryStore, SystemEntropy, TenantId};
use jit_saml::binding::{Binding, Endpoint, Outbound};
use jit_saml::crypto::AwsLc;
use jit_saml::idp::{FixedIdps, TrustedIdp};
use jit_saml::logout::{LogoutEnvironment, LogoutSettings, SessionAtIdp, SingleLogout};
use jit_saml::metadata::SpMetadata;

/// Validates documents and returns what is wrong with each, `valid` where nothing is.
fn validated(documents: &[String]) -> Vec<String> {
    let lines: Vec<_> = documents.iter().map(|document| keys::base64(document.as_bytes())).collect();
    answered("saml-schema/validate", &lines)
}

/// Asks a program of `tests/peers` and returns a line for each line.
fn answered(program: &str, lines: &[String]) -> Vec<String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(program);
    let child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("run ./test --setup");
    let mut requests = child.stdin.take().unwrap();
    for line in lines {
        writeln!(requests, "{line}").unwrap();
    }
    drop(requests);
    let answers = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success(), "run ./test --setup");
    answers
}

#[test]
fn our_metadata_is_valid_and_the_program_would_notice_if_it_were_not() {
    let (present, next, secret) = (keys::rsa(), keys::elliptic(), keys::rsa());
    let complete = sp::complete(&[&present, &next], &[&secret]);
    let own = certificate::certificate(&present);
    let little = SpMetadata::new("urn:example:sp", "https://sp.example.org/acs").write().unwrap();
    let documents = [
        complete.write().unwrap(),
        complete.write_signed("_1", &present, Some(&own)).unwrap(),
        little.replace("index=\"0\"", ""),
        little,
    ];
    let [whole, signed, spoiled, little] = validated(&documents).try_into().unwrap();
    assert_eq!([whole, signed, little], ["valid"; 3]);
    assert!(spoiled.contains("index"), "{spoiled}");
}

#[test]
fn libxmlsec1_verifies_the_signature_of_our_metadata() {
    let key = keys::rsa();
    let own = certificate::certificate(&key);
    let signed = sp::complete(&[&key], &[&keys::rsa()]).write_signed("_1", &key, None).unwrap();
    let changed = signed.replace("https://sp.example.org/saml/acs", "https://evil.example.org/saml/acs");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("metadata-certificate.pem");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", keys::base64(&own));
    std::fs::write(&file, pem).unwrap();
    let request = |document: &str| {
        let document = keys::base64(document.as_bytes());
        serde_json::json!({ "document": document, "certificate": file, "element": "EntityDescriptor" })
            .to_string()
    };
    let answers = answered("saml-pyxmlsec/verify", &[request(&signed), request(&changed)]);
    assert_eq!(answers, ["valid", "invalid"]);
}

#[tokio::test]
async fn our_requests_to_sign_out_are_valid() {
    let endpoint = Endpoint::new(Binding::Post, "https://idp.example.org/slo").unwrap();
    let idp = TrustedIdp::new("https://idp.example.org", Vec::new()).with_logout(vec![endpoint]);
    let environment = LogoutEnvironment {
        idps: Arc::new(FixedIdps::one(idp)),
        store: Arc::new(MemoryStore::new()),
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionId::new("corp").unwrap(),
        clock: Arc::new(ManualClock::at(sp::now())),
        entropy: Arc::new(SystemEntropy),
        crypto: Arc::new(AwsLc),
    };
    let settings = LogoutSettings::new("https://sp.example.org", "https://sp.example.org/slo", keys::rsa());
    let slo = SingleLogout::new(settings, environment);
    let session: SessionAtIdp = toml::from_str(
        "issuer = 'https://idp.example.org'\nsession_indexes = ['s1', 's2']\n[name_id]\nvalue = 'a & b'\nformat = 'urn:f'",
    )
    .unwrap();
    let Outbound::Post(form) = slo.begin(&session, None).await.unwrap() else { panic!("a redirect") };
    let (_, request) = form.fields().next().unwrap();
    let request = String::from_utf8(jit_saml::base64_text::decode(request.as_bytes()).unwrap()).unwrap();
    let spoiled = request.replace("<samlp:SessionIndex>s1", "<samlp:Sessions>s1").replacen(
        "s1</samlp:SessionIndex>",
        "s1</samlp:Sessions>",
        1,
    );
    let [valid, spoiled] = validated(&[request, spoiled]).try_into().unwrap();
    assert_eq!(valid, "valid");
    assert!(spoiled.contains("Sessions"), "{spoiled}");
}
