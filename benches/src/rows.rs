//! The rows of first sign-ins, as the engine commits them and as somebody would write them by hand.

use std::sync::Arc;

use jit_core::{Commit, ExternalKey, Outcome};
use sha2::{Digest as _, Sha256};

use crate::{
    house::{self, PLAIN_MAPPING, PLAIN_POLICY},
    scripted::Scripted,
};

/// Holds a commit and the bare rows that it stands for: an account, its identity, its address, its roles, the count
/// of accounts that carry the address, an audit event and a task.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "used in this package only")]
#[expect(missing_docs, reason = "the names of the columns")]
pub struct Rows {
    pub commit: Commit,
    pub key: ExternalKey,
    pub account: uuid::Uuid,
    pub name: String,
    pub ends_at: Option<i64>,
    pub last_seen: Option<i64>,
    pub document: String,
    pub digest: Vec<u8>,
    pub roles: Vec<String>,
    pub counter: String,
    pub event: uuid::Uuid,
    pub at: i64,
    pub event_document: String,
    pub task: uuid::Uuid,
    pub due: i64,
    pub task_document: String,
}

/// Lets people sign in for the first time, before a store that keeps nothing, and takes what the engine commits.
#[must_use]
pub fn rows(people: std::ops::Range<u64>) -> Vec<Rows> {
    let store = Arc::new(Scripted::default());
    let house = house::house(Arc::clone(&store) as _, PLAIN_MAPPING, PLAIN_POLICY);
    for number in people {
        let handled = house.jit.handle(house::plain_sign_in(&house.attestor, number));
        // Else tokio would have it wait now and then, for the sake of other tasks.
        let outcome = house::ready(tokio::task::unconstrained(handled));
        assert!(matches!(outcome, Ok(Outcome::SignedIn(_))), "{outcome:?}");
    }
    store.take_commits().into_iter().map(bare).collect()
}

fn bare(commit: Commit) -> Rows {
    let write = commit.account.as_ref().unwrap();
    let (after, keys) = (write.after(), write.keys());
    let ([event], [task], [counter]) = (&*commit.events, &*commit.tasks, &*commit.counters) else {
        panic!("not the rows of a plain first sign-in: {commit:?}")
    };
    let ([key], [lookup]) = (&*keys.identities_added, &*keys.lookups_added) else {
        panic!("not the rows of a plain first sign-in: {commit:?}")
    };
    assert_eq!((lookup.kind.as_str(), after.state.word(), counter.by), ("email", "active", 1));
    Rows {
        key: key.clone(),
        account: after.id.as_uuid(),
        name: after.user_name.as_ref().unwrap().key().to_owned(),
        ends_at: after.ends_at.map(|end| end.timestamp_micros()),
        last_seen: after.last_seen.map(|seen| seen.timestamp_micros()),
        document: serde_json::to_string(after).unwrap(),
        digest: Sha256::digest(lookup.value.as_bytes()).to_vec(),
        roles: keys.entitlements_added.iter().map(ToString::to_string).collect(),
        counter: counter.name.as_str().to_owned(),
        event: event.id.as_uuid(),
        at: event.at.timestamp_micros(),
        event_document: serde_json::to_string(event).unwrap(),
        task: task.id.as_uuid(),
        due: task.due.timestamp_micros(),
        task_document: serde_json::to_string(task).unwrap(),
        commit,
    }
}
