//! The responses of the benchmark `saml` through other crates and through ours, by turns in one process: base64, every check
//! that each of them has, attributes read. `samael` stands on libxmlsec1, libxml2 and OpenSSL, `saml-rs` on `bergshamra`.
//!
//! `jit-bench-peers DIR` measures; `jit-bench-peers DIR WHO DOCUMENT N` verifies N times, for callgrind.

#[expect(dead_code, reason = "each program of the benchmarks uses a part of it")]
#[path = "../../src/cost.rs"]
mod cost;
#[path = "../../src/bin/saml/documents.rs"]
mod documents;
#[path = "../../src/instructions.rs"]
mod instructions;
mod provider;
#[expect(dead_code, reason = "each program of the benchmarks uses a part of it")]
#[path = "../../src/report.rs"]
mod report;
mod verifiers;

use std::{fs, hint::black_box, path::Path};

use cost::{Figures, Stopwatch};
use jit_saml::base64_text;
use provider::{Provider, prepare};
use report::{Goal, line, remark};
use verifiers::{Seen, verifier};

const ROUNDS: usize = 7;
/// samael by its default, and by its strictest way of finding out what was signed, which is faster as well.
const PEERS: [&str; 3] = ["samael", "samael strict", "saml-rs"];

#[derive(Clone, Copy)]
struct Document {
    name: &'static str,
    groups: usize,
    /// How often each peer verifies it in a round, by the clock.
    turns: usize,
    /// How many times as fast as each peer ours shall be.
    goals: [Goal; 3],
}

const DOCUMENTS: [Document; 2] = [
    Document { name: "typical", groups: 40, turns: 100, goals: [Goal::AtLeast(10.0); 3] },
    Document {
        name: "500-groups",
        groups: 500,
        turns: 10,
        goals: [Goal::AtLeast(50.0), Goal::AtLeast(50.0), Goal::Shown],
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [directory] => measure(Path::new(directory)),
        [directory, who, document, turns] => {
            let verify = verifier(who, &Provider::read(Path::new(directory)));
            let form = form(Path::new(directory), document);
            (0..turns.parse().unwrap()).for_each(|_| drop(black_box(verify(black_box(&form)).unwrap())));
        }
        _ => {
            eprintln!("usage: jit-bench-peers DIR [ours|samael|'samael strict'|saml-rs typical|500-groups N]")
        }
    }
}

fn measure(directory: &Path) {
    prepare(directory);
    remark("what libxmlsec1 writes of data and digest is about a response that it has to refuse");
    for document in DOCUMENTS {
        for who in ["ours"].iter().chain(&PEERS) {
            prove(directory, document, who);
        }
    }
    for document in DOCUMENTS {
        for (peer, goal) in PEERS.into_iter().zip(document.goals) {
            by_the_clock(directory, document, peer, goal);
            if instructions::can_count() {
                by_instructions(directory, document, peer);
            }
        }
    }
}

/// Whoever is measured accepts the document, reads all of it, and refuses it when one letter is another.
fn prove(directory: &Path, document: Document, who: &str) {
    let verify = verifier(who, &Provider::read(directory));
    let seen = Seen { name_id: "248289761001".to_owned(), values: 12 + document.groups };
    assert_eq!(verify(&form(directory, document.name)), Ok(seen), "{who} reads the response");
    let forged = text(directory, document.name).replacen("cn=team-1,", "cn=team-2,", 1);
    assert!(verify(&base64_text::encode(forged.as_bytes())).is_err(), "{who} refuses a forged response");
}

fn by_the_clock(directory: &Path, document: Document, peer: &str, goal: Goal) {
    let provider = Provider::read(directory);
    let form = form(directory, document.name);
    let (ours, theirs) = (verifier("ours", &provider), verifier(peer, &provider));
    let (mut us, mut them) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        // Ours takes so little that it has more turns: a round of each is to be long enough to be timed.
        let sides = [(&ours, &mut us, 10 * document.turns), (&theirs, &mut them, document.turns)];
        for (verify, figures, turns) in sides {
            let start = Stopwatch::start();
            (0..turns).for_each(|_| drop(black_box(verify(black_box(&form)).unwrap())));
            figures.add(start.stop(), turns);
        }
    }
    line(&what(directory, document), &us, format!("{them} {peer}"), them.to(&us), goal);
}

fn by_instructions(directory: &Path, document: Document, peer: &str) {
    let arguments = |who| [directory.to_str().unwrap(), who, document.name];
    let ours = instructions::of_a_turn(&arguments("ours"), 20, 120);
    let theirs = instructions::of_a_turn(&arguments(peer), 2, 7);
    let shown = |figure: f64| format!("{:.2} M instructions", figure / 1e6);
    line(
        &what(directory, document),
        shown(ours),
        format!("{} {peer}", shown(theirs)),
        theirs / ours,
        Goal::Shown,
    );
}

fn what(directory: &Path, document: Document) -> String {
    let size = text(directory, document.name).len();
    format!("SAML response, {}, {}.{} KB", document.name, size / 1000, size / 100 % 10)
}

fn form(directory: &Path, document: &str) -> String {
    base64_text::encode(text(directory, document).as_bytes())
}

fn text(directory: &Path, document: &str) -> String {
    fs::read_to_string(directory.join(document)).unwrap()
}
