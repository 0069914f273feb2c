//! What holds when one person signs in many times at once, for the first time.

#[cfg(test)]
mod held;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;

use held::{FORBIDDEN, decided_of, held, said};
use jit_core::*;
use support::Wire;

fn is_in(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::SignedIn(_))
}

#[tokio::test]
async fn nobody_who_waits_gets_in_by_what_was_said_of_somebody_else() {
    for adjust in [Wire::decides_each as fn(Wire) -> Wire, |wire| wire] {
        let held = held(adjust);
        let first = held.begin_alike();
        held.all_wait().await;
        let otp = ["pwd", "otp"];
        let outcomes = [
            held.begin_alike(),
            held.begin(said("Sales"), None, &otp),
            held.begin_alike(),
            held.begin(said("Engineering"), Some(FORBIDDEN), &otp),
            held.begin(said("Engineering"), None, &["pwd"]),
            held.begin_alike(),
        ];
        held.all_wait().await;
        held.go_on.notify_one();
        assert!(is_in(&first.await.unwrap()));
        let mut let_in = Vec::new();
        for outcome in outcomes {
            let_in.push(is_in(&outcome.await.unwrap()));
        }
        assert_eq!(let_in, [true, false, true, false, false, true]);
        assert_eq!(held.house.all().await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_said_anew_by_one_who_waits_is_taken_over() {
    let held = held(|wire| wire);
    let first = held.begin_alike();
    held.all_wait().await;
    let alike = held.begin_alike();
    let moved = held.begin(said("Research"), None, &["otp"]);
    held.all_wait().await;
    held.go_on.notify_one();
    for outcome in [first, alike, moved] {
        assert!(is_in(&outcome.await.unwrap()));
    }
    let department = AttributeName::new("department").unwrap();
    assert_eq!(held.house.all().await[0].attributes[&department][0].text, "Research");
}

#[tokio::test]
async fn a_pure_policy_decides_once_on_all_who_wait_and_are_alike_and_another_each_time() {
    assert_eq!(decided_of(64, |wire| wire).await, 2);
    assert_eq!(decided_of(64, Wire::decides_each).await, 64);
}

#[tokio::test]
async fn when_the_first_gives_up_the_next_goes_ahead() {
    let held = held(|wire| wire);
    let first = held.begin_alike();
    held.all_wait().await;
    let others: Vec<_> = (0..5).map(|_| held.begin_alike()).collect();
    held.all_wait().await;
    first.abort();
    for outcome in others {
        assert!(is_in(&outcome.await.unwrap()));
    }
    assert_eq!(held.house.all().await.len(), 1);
}
