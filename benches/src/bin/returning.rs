//! What a returning login costs whose plan is empty, apart from store and crypto.
//!
//! `returning` measures; `returning plain|rich N` runs N logins, for callgrind.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a program for people who measure")]

use std::{hint::black_box, sync::Arc, time::Duration};

use jit_benches::{
    cost::{Cost, Figures, Stopwatch},
    house::{self, PLAIN_MAPPING, PLAIN_POLICY, RICH_MAPPING},
    instructions,
    report::{Goal, line},
    scripted::Scripted,
};
use jit_core::{Account, Event, Outcome};

const LIMIT: f64 = 10.0;
/// How many logins are laid ready at a time: few enough that what they bring is still near the processor, as claims are
/// that were verified a moment ago.
const NEAR: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => measure(),
        [kind, turns] => drop(run(kind, turns.parse().unwrap())),
        _ => eprintln!("usage: returning [plain|rich N]"),
    }
}

fn measure() {
    const LOGINS: usize = 4_000;
    let kinds = [
        ("plain", "returning login, 10 claims, 1 rule: 1 read, 0 writes"),
        ("rich", "returning login, 50 claims, 30 rules: 1 read, 0 writes"),
    ];
    for (kind, what) in kinds {
        let mut figures = Figures::default();
        for _ in 0..15 {
            figures.add(run(kind, LOGINS), LOGINS);
        }
        let ours = if instructions::can_count() {
            // Less what it takes to lay everything ready, which a second program run of laying ready alone tells.
            let of = |kind: &str| instructions::of_a_turn(&[kind], 100, 600);
            let laying = of(&format!("lay-{kind}"));
            format!("{:.1} us, {:.0} instr.", figures.cpu(), of(kind) - laying)
        } else {
            format!("{:.1} us of cpu", figures.cpu())
        };
        line(what, ours, format!("{LIMIT} us of cpu"), figures.cpu() / LIMIT, Goal::AtMost(1.0));
    }
}

/// Runs so many returning logins, and none when the kind begins with `lay-`.
fn run(kind: &str, logins: usize) -> Cost {
    let rich = kind.ends_with("rich");
    let store = Arc::new(Scripted::default());
    let policy = house::rich_policy(30);
    let (mapping, policy) = if rich { (RICH_MAPPING, &*policy) } else { (PLAIN_MAPPING, PLAIN_POLICY) };
    let house = house::house(Arc::clone(&store) as _, mapping, policy);
    let claims = if rich { house::rich_claims(1) } else { house::plain_claims(1) };
    let event = || Event::sign_in(house::identity(&house.attestor, 1, claims.clone()), house::context());

    let mut account = account(house::ready(house.jit.handle(event())).unwrap());
    account.last_seen = Some(house::morning());
    let mut whole = Cost { wall: Duration::ZERO, cpu: Duration::ZERO };
    for first in (0..logins).step_by(NEAR) {
        let count = NEAR.min(logins - first);
        store.lay_ready(std::iter::repeat_n(account.clone(), count));
        let events: Vec<_> = (0..count).map(|_| event()).collect();
        store.take_counts();
        if kind.starts_with("lay-") {
            drop(black_box(events));
            continue;
        }
        let start = Stopwatch::start();
        for event in events {
            let outcome = house::ready(house.jit.handle(black_box(event))).unwrap();
            let Outcome::SignedIn(signed_in) = black_box(outcome) else { panic!("they sign in") };
            assert!(signed_in.plan.is_empty(), "{:?}", signed_in.plan);
        }
        let cost = start.stop();
        assert_eq!(store.take_counts(), (count, 0), "one read for each login, and no write");
        whole = Cost { wall: whole.wall + cost.wall, cpu: whole.cpu + cost.cpu };
    }
    whole
}

fn account(outcome: Outcome) -> Account {
    match outcome {
        Outcome::SignedIn(signed_in) => Arc::unwrap_or_clone(signed_in.account),
        outcome => panic!("they sign in: {outcome:?}"),
    }
}
