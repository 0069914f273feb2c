//! What holds when one person signs in many times at once, for the first time.

#[cfg(test)]
mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jit_core::*;
use serde_json::{Value, json};
use support::{hooked::Hooked, *};
use tokio::{sync::Notify, task::JoinHandle};

const FORBIDDEN: [u8; 4] = [203, 0, 113, 9];

/// A house whose first commit waits until it is told to go on, and which counts its decisions.
struct Held {
    house: Arc<House>,
    go_on: Arc<Notify>,
    decided: Arc<AtomicUsize>,
}

fn held(adjust: impl FnOnce(Wire) -> Wire) -> Held {
    let (go_on, decided) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let hooked = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
    let (told, counter) = (Arc::clone(&go_on), Arc::clone(&decided));
    hooked.before("commit", 1, move |_| Box::pin(async move { told.notified().await }));
    // Lets nobody of Sales in, nobody from one address, and nobody without a second factor.
    let decide = move |request: &Request<'_>| {
        counter.fetch_add(1, Ordering::Relaxed);
        let department = request.identity.claims().get("department");
        let is_sales = department.values().is_some_and(|values| values.text().as_deref() == Some("Sales"));
        let is_strong = request.identity.assurance().methods.iter().any(|method| method == "otp");
        if is_sales || !is_strong || request.context.client == Some(FORBIDDEN.into()) {
            return Decision::Deny(Denial::new(Code::new("policy.no_rule")));
        }
        permit()
    };
    let wire = adjust(wire("corp").speaks_for("example.com").decides(decide));
    Held { house: Arc::new(house_on(hooked, vec![wire], |builder| builder)), go_on, decided }
}

fn said(department: &str) -> Value {
    json!({"email": "alice@example.com", "email_verified": true, "department": department})
}

impl Held {
    fn begin(&self, said: Value, client: Option<[u8; 4]>, methods: &[&str]) -> JoinHandle<Outcome> {
        let corp = &self.house.attestors[0];
        let assurance = Assurance {
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            ..Assurance::default()
        };
        let attestation = Attestation { assurance, ..attestation(issuer("corp"), "alice", claims(said)) };
        let context = Context { client: client.map(Into::into) };
        let event = Event::sign_in(corp.attest(attestation).unwrap(), context);
        let house = Arc::clone(&self.house);
        tokio::spawn(async move { house.jit.handle(event).await.unwrap() })
    }

    fn begin_alike(&self) -> JoinHandle<Outcome> {
        self.begin(said("Engineering"), None, &["pwd", "otp"])
    }

    /// Lets everybody who has begun come as far as they can: there is one thread, and they take turns on it.
    async fn all_wait(&self) {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.decided.load(Ordering::Relaxed), 1, "only the first was decided so far");
    }
}

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

/// How many of `count` who come at once and are alike a policy is asked about.
async fn decided_of(count: usize, adjust: impl FnOnce(Wire) -> Wire) -> usize {
    let held = held(adjust);
    let all: Vec<_> = (0..count).map(|_| held.begin_alike()).collect();
    held.all_wait().await;
    held.go_on.notify_one();
    for outcome in all {
        let Outcome::SignedIn(done) = outcome.await.unwrap() else { panic!("not let in") };
        assert_eq!(done.account, held.house.get(done.account.id).await);
    }
    assert_eq!(held.house.trail().await.len(), 1);
    held.decided.load(Ordering::Relaxed)
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
