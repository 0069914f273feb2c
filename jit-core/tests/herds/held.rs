//! A herd that is held up in its first commit.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jit_core::*;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinHandle};

use crate::support::{hooked::Hooked, *};

pub(crate) const FORBIDDEN: [u8; 4] = [203, 0, 113, 9];

/// A house whose first commit waits until it is told to go on, and which counts its decisions.
pub(crate) struct Held {
    pub(crate) house: Arc<House>,
    pub(crate) go_on: Arc<Notify>,
    decided: Arc<AtomicUsize>,
}

pub(crate) fn held(adjust: impl FnOnce(Wire) -> Wire) -> Held {
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

pub(crate) fn said(department: &str) -> Value {
    json!({"email": "alice@example.com", "email_verified": true, "department": department})
}

impl Held {
    pub(crate) fn begin(
        &self,
        said: Value,
        client: Option<[u8; 4]>,
        methods: &[&str],
    ) -> JoinHandle<Outcome> {
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

    pub(crate) fn begin_alike(&self) -> JoinHandle<Outcome> {
        self.begin(said("Engineering"), None, &["pwd", "otp"])
    }

    /// Lets everybody who has begun come as far as they can: there is one thread, and they take turns on it.
    pub(crate) async fn all_wait(&self) {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.decided.load(Ordering::Relaxed), 1, "only the first was decided so far");
    }
}

/// How many of `count` who come at once and are alike a policy is asked about.
pub(crate) async fn decided_of(count: usize, adjust: impl FnOnce(Wire) -> Wire) -> usize {
    let held = held(adjust);
    let all: Vec<_> = (0..count).map(|_| held.begin_alike()).collect();
    held.all_wait().await;
    held.go_on.notify_one();
    for outcome in all {
        let Outcome::SignedIn(done) = outcome.await.unwrap() else { panic!("not let in") };
        assert_eq!(*done.account, held.house.get(done.account.id).await);
    }
    assert_eq!(held.house.trail().await.len(), 1);
    held.decided.load(Ordering::Relaxed)
}
