//! What verifying a SAML response costs beside what nobody can avoid: the RSA check and the digest of each signature, and
//! one quick-xml pass over the document with its attributes.
//!
//! `saml DIR` measures; `saml DIR limit|ours DOCUMENT N` verifies N times, for callgrind; `saml DIR costly` measures
//! what costs most for its size, and `saml DIR costly DOCUMENT` does one of them in a process whose memory nobody else uses.
#![expect(clippy::unwrap_used, reason = "a program for people who measure")]

mod costly;
mod documents;

use std::{hint::black_box, path::Path};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256},
};
use chrono::{DateTime, Utc};
use documents::{ACS, IDP, SP, response};
use jit_benches::{
    cost::{Figures, Stopwatch},
    instructions,
    report::{Goal, line},
};
use jit_saml::{
    base64_text,
    crypto::{AwsLc, VerificationKey},
    idp::TrustedIdp,
    response::{Expectations, Solicitation, verify_response},
    signature::{SigningKey, sign_enveloped},
};
use quick_xml::{Reader, events::Event};

/// Document, groups, whether the response is signed beside its assertion, goal.
const DOCUMENTS: [(&str, usize, bool, f64); 3] =
    [("typical", 40, false, 1.5), ("both-signed", 40, true, 1.5), ("500-groups", 500, false, 2.5)];
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [directory] => measure(Path::new(directory)),
        [directory, "costly"] => {
            prepare(Path::new(directory));
            costly::measure(Path::new(directory));
        }
        [directory, "costly", document] => costly::run(Path::new(directory), document),
        [directory, who, document, turns] => {
            run(Path::new(directory), who, document, turns.parse().unwrap());
        }
        _ => eprintln!("usage: saml DIR [costly | limit|ours typical|both-signed|500-groups N]"),
    }
}

fn measure(directory: &Path) {
    prepare(directory);
    for (document, _, _, goal) in DOCUMENTS {
        let size = std::fs::metadata(directory.join(document)).unwrap().len();
        let what = format!("SAML response, {document}, {}.{} KB", size / 1000, size / 100 % 10);
        if instructions::can_count() {
            let count = |who| instructions::of_a_turn(&[directory.to_str().unwrap(), who, document], 20, 220);
            let (ours, limit) = (count("ours"), count("limit"));
            let shown = |figure: f64| format!("{:.2} M instructions", figure / 1e6);
            line(&what, shown(ours), format!("{} limit", shown(limit)), ours / limit, Goal::AtMost(goal));
        }
        let (ours, limit) = timed(directory, document);
        let (shown, beside) =
            (format!("{:.1} us of cpu", ours.cpu()), format!("{:.1} us limit", limit.cpu()));
        line(&what, shown, beside, ours.cpu_to(&limit), Goal::AtMost(goal));
    }
    costly::measure(directory);
}

fn timed(directory: &Path, document: &str) -> (Figures, Figures) {
    const TURNS: usize = 2_000;
    let (mut ours, mut limit) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        for (who, figures) in [("limit", &mut limit), ("ours", &mut ours)] {
            let start = Stopwatch::start();
            run(directory, who, document, TURNS);
            figures.add(start.stop(), TURNS);
        }
    }
    (ours, limit)
}

fn run(directory: &Path, who: &str, document: &str, turns: usize) {
    match who {
        "limit" => limit(directory, document, turns),
        _ => ours(directory, document, turns),
    }
}

fn ours(directory: &Path, document: &str, turns: usize) {
    let response = std::fs::read(directory.join(document)).unwrap();
    let form = base64_text::encode(&response);
    let key = VerificationKey::from_public_key_info(&std::fs::read(directory.join("key")).unwrap()).unwrap();
    let idp = TrustedIdp::new(IDP, vec![key]);
    let request = Solicitation::Request("_request");
    let expected = Expectations::new(SP, ACS, &idp, request, now(), &AwsLc);
    for _ in 0..turns {
        let octets = base64_text::decode(black_box(form.as_bytes())).unwrap();
        drop(black_box(verify_response(&octets, &expected).unwrap()));
    }
}

fn limit(directory: &Path, document: &str, turns: usize) {
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap();
    let (octets, signature) = (read(document), read("signature"));
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, read("key")).unwrap();
    let signatures = if document == "both-signed" { 2 } else { 1 };
    for _ in 0..turns {
        for _ in 0..signatures {
            key.verify_sig(black_box(b"message"), black_box(&signature)).unwrap();
            black_box(digest(&SHA256, black_box(&octets)));
        }
        quick_xml_pass(black_box(&octets));
    }
}

fn quick_xml_pass(octets: &[u8]) {
    let mut reader = Reader::from_reader(octets);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                black_box(tag.attributes().map(Result::unwrap).count());
            }
            Event::Eof => return,
            other => {
                black_box(other);
            }
        }
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_100, 0).unwrap()
}

fn prepare(directory: &Path) {
    std::fs::create_dir_all(directory).unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(directory.join(name), content).unwrap();
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"message", &mut signature).unwrap();
    write("signature", &signature);
    let key = SigningKey::from_pkcs8(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref()).unwrap();
    write("key", &key.public_key_info().unwrap());
    // As large as a certificate, which verification does not look at.
    let certificate = vec![0xa5; 900];
    for (name, groups, both, _) in DOCUMENTS {
        let mut text = sign_enveloped(&response(groups), "_assertion", &key, Some(&certificate)).unwrap();
        if both {
            text = sign_enveloped(&text, "_response", &key, Some(&certificate)).unwrap();
        }
        write(name, text.as_bytes());
    }
    costly::prepare(directory, &key);
}
