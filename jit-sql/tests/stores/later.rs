//! A task that a later version wrote, beside those that this one can read: two versions on one store while one is replaced.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chrono::TimeDelta;
use jit_core::*;

use crate::support::{first_sign_in, lane, mint, now, tenant};

fn worker(name: &str) -> WorkerId {
    WorkerId::new(name).unwrap()
}

/// `rename` gives the tasks of alice, who comes first, another kind in the store.
pub(crate) async fn holds_up_none(store: Arc<dyn Store>, rename: impl AsyncFn(&str, &str)) {
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    rename("review_end", "fly_away").await;
    store.commit(&first_sign_in(2, "bob", "bob")).await.unwrap();
    let (hold, all) = (TimeDelta::minutes(1), NonZeroUsize::new(10).unwrap());
    let due = store.next_due(&lane()).await.unwrap().unwrap();
    let claimed = store.claim(&worker("old"), &lane(), &Tenants::All, due + hold, hold, all).await.unwrap();
    let kinds: Vec<_> = claimed.iter().map(|claimed| claimed.task.kind.clone()).collect();
    assert_eq!(
        kinds,
        [TaskKind::Unreadable, TaskKind::ReviewEnd],
        "somebody hears of alice's, and bob's is done"
    );
    store.settle(&claimed[1], Settlement::Done).await.unwrap();

    let later = due + hold * 2;
    rename("fly_away", "review_end").await;
    let again = store.claim(&worker("new"), &lane(), &Tenants::All, later, hold, all).await.unwrap();
    assert_eq!(again.len(), 1, "whoever can read it has it");
    let Claimed { task, attempts, .. } = &again[0];
    assert_eq!((&task.kind, *attempts), (&TaskKind::ReviewEnd, 1));
    let unread = Task { kind: TaskKind::Unreadable, ..task.clone() };
    assert_eq!(claimed[0].task, unread, "what is known of it without reading it");
    let mut commit = Commit::new(tenant());
    commit.tasks.push(Task { id: mint(9).task(), ..unread });
    let error = store.commit(&commit).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Invalid, "nobody writes such a task");
}

/// Hears of alarms.
#[derive(Default)]
struct Told(AtomicUsize);

#[async_trait]
impl Notices for Told {
    async fn deliver(&self, _task: &Task) -> Result<(), BackendError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// What cannot be read in one lane keeps no other from its turn.
pub(crate) async fn keeps_no_lane_waiting(store: Arc<dyn Store>, rename: impl AsyncFn(&str, &str)) {
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    rename("review_end", "fly_away").await;
    let (mut mint, due) = (mint(7), now() + TimeDelta::days(91));
    let mut commit = Commit::new(tenant());
    let kind = TaskKind::Alarm { about: Code::new("test.alarm"), target: None };
    let lane = Lane::new("alarms").unwrap();
    commit.tasks.push(Task { id: mint.task(), tenant: tenant(), lane, account: mint.account(), kind, due });
    store.commit(&commit).await.unwrap();
    let told = Arc::new(Told::default());
    let builder = Jit::builder(store).clock(Arc::new(ManualClock::at(due)) as _);
    let jit = builder.alarms(Arc::clone(&told) as _).build().unwrap();
    let report = jit.work(&worker("old"), NonZeroUsize::new(10).unwrap()).await.unwrap();
    assert_eq!((report.unreadable, report.done, told.0.load(Ordering::SeqCst)), (1, 1, 1));
}
