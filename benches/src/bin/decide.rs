//! What mapping and policy cost beside one RS256 check: declarative rules on 50 claims, one of them 40 groups.
//!
//! `decide DIR` measures; `decide DIR check|map|decide|both RULES N` runs N times, for callgrind.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a program for people who measure")]

use std::{hint::black_box, path::Path};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self as sig, KeyPair as _, ParsedPublicKey, RsaKeyPair},
};
use jit_benches::{
    cost::{Figures, Stopwatch},
    house::{self, RICH_MAPPING},
    instructions,
    report::{Goal, line},
};
use jit_core::{
    AttributeMapper as _, Decision, DomainSet, EmailEvidence, Mapping, Policy as _, Present, Request,
    RulePolicy, Trace, VerifiedIdentity,
};

/// The rules of the mapping: a name, an address, eight attributes, three entitlement rules.
const MAPPED: usize = 13;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [directory] => measure(directory),
        [directory, what, rules, turns] => {
            run(directory, what, rules.parse().unwrap(), turns.parse().unwrap());
        }
        _ => eprintln!("usage: decide DIR [check|map|decide|both RULES N]"),
    }
}

fn measure(directory: &str) {
    prepare(directory);
    let (check, unit) =
        (cost(directory, "check", 1), if instructions::can_count() { "instructions" } else { "us of cpu" });
    let rows = [
        (
            "both",
            30,
            format!("mapping of {MAPPED} rules + policy of 30 rules, 50 claims"),
            Goal::AtMost(0.05),
        ),
        (
            "both",
            30 - MAPPED,
            format!("mapping of {MAPPED} + policy of {}: 30 rules in all", 30 - MAPPED),
            Goal::Shown,
        ),
        ("map", 1, format!("  of this: mapping of {MAPPED} rules"), Goal::Shown),
        ("decide", 30, "  of this: policy of 30 rules, the last of which applies".to_owned(), Goal::Shown),
    ];
    for (what, rules, words, goal) in rows {
        let ours = cost(directory, what, rules);
        line(&words, format!("{ours:.0} {unit}"), format!("{check:.0} RS256 check"), ours / check, goal);
    }
}

/// The cost of one turn: instructions, or microseconds of the processor where instructions cannot be counted.
fn cost(directory: &str, what: &str, rules: usize) -> f64 {
    const TURNS: usize = 5_000;
    if instructions::can_count() {
        return instructions::of_a_turn(&[directory, what, &rules.to_string()], 200, 1_200);
    }
    let mut figures = Figures::default();
    for _ in 0..7 {
        let start = Stopwatch::start();
        run(directory, what, rules, TURNS);
        figures.add(start.stop(), TURNS);
    }
    figures.cpu()
}

fn run(directory: &str, what: &str, rules: usize, turns: usize) {
    if what == "check" {
        return check(directory, turns);
    }
    let (_, attestor) = house::connection(RICH_MAPPING, house::PLAIN_POLICY);
    let case = Case {
        mapping: house::mapping(RICH_MAPPING),
        policy: house::policy(&house::rich_policy(rules)),
        identity: house::identity(&attestor, 1, house::rich_claims(1)),
        domains: DomainSet::new(vec!["example.com".parse().unwrap()]),
    };
    assert_eq!(case.identity.claims().names().count(), 50);
    match what {
        "map" => {
            (0..turns).for_each(|_| drop(black_box(case.mapping.map(black_box(&case.identity)).unwrap())));
        }
        "decide" => {
            let profile = case.mapping.map(&case.identity).unwrap();
            (0..turns).for_each(|_| case.decide(&profile));
        }
        _ => (0..turns).for_each(|_| {
            let profile = case.mapping.map(black_box(&case.identity)).unwrap();
            case.decide(&profile);
        }),
    }
}

struct Case {
    mapping: Mapping,
    policy: RulePolicy,
    identity: VerifiedIdentity,
    domains: DomainSet,
}

impl Case {
    fn decide(&self, profile: &jit_core::Profile) {
        let email = profile.email.clone().map(|claim| EmailEvidence::grade(claim, &self.domains));
        let context = house::context();
        let request = Request {
            identity: &self.identity,
            profile,
            email: email.as_ref(),
            present: Present::Nobody,
            context: &context,
            now: house::morning(),
        };
        let decision = house::ready(self.policy.decide(black_box(&request), &mut Trace::off()));
        let Decision::Permit(permit) = black_box(decision) else { panic!("the last rule permits") };
        assert!(permit.rule.is_some_and(|rule| rule.as_str() == "last"));
    }
}

/// As long as the signed part of a token with 20 claims and 40 groups.
fn message() -> Vec<u8> {
    vec![b'm'; 1_400]
}

/// Signs once: making a key takes a different time each time, which must not stand in the count.
fn prepare(directory: &str) {
    std::fs::create_dir_all(directory).unwrap();
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&sig::RSA_PKCS1_SHA256, &SystemRandom::new(), &message(), &mut signature).unwrap();
    std::fs::write(Path::new(directory).join("signature"), signature).unwrap();
    std::fs::write(Path::new(directory).join("key"), pair.public_key().as_ref()).unwrap();
}

/// The bare signature check.
fn check(directory: &str, turns: usize) {
    let read = |name: &str| std::fs::read(Path::new(directory).join(name)).unwrap();
    let (message, signature) = (message(), read("signature"));
    let key = ParsedPublicKey::new(&sig::RSA_PKCS1_2048_8192_SHA256, read("key")).unwrap();
    for _ in 0..turns {
        key.verify_sig(black_box(&message), black_box(&signature)).unwrap();
    }
}
