//! A task that this build cannot read: it keeps no end waiting, and somebody hears of it.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::house::{House, rule, target, tenant};

/// Keeps the task of one account as a later version would have written it.
struct Later {
    inner: Arc<MemoryStore>,
    of: Mutex<Option<AccountId>>,
}

jit_core::pass_on!(UserStore, DocumentStore, OneTime, AuditLog for Later => inner);

jit_core::pass_on! { TaskQueue(settle, next_due, next_lane) for Later => inner;
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        let mut claimed = self.inner.claim(worker, lane, tenants, now, hold, limit).await?;
        let of = *self.of.lock().unwrap();
        for claimed in claimed.iter_mut().filter(|claimed| Some(claimed.task.account) == of) {
            claimed.task.kind = TaskKind::Unreadable;
        }
        Ok(claimed)
    }
}

fn engine(house: &House, store: &Arc<Later>) -> Jit {
    let role = TargetRole::new(TimeDelta::hours(8), vec![Entitlement::role("operator").unwrap()]);
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup = TargetSetup::new(target(), Arc::clone(&house.directory) as _, markers)
        .for_tenants([tenant()])
        .role(rule("reader"), role);
    Jit::builder(Arc::clone(store) as _)
        .clock(Arc::clone(&house.clock) as _)
        .entropy(Arc::new(SeededEntropy::new(7)))
        .notices(Arc::clone(&house.told) as _)
        .target(setup)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_task_that_cannot_be_read_keeps_no_end_waiting_and_is_told_of() {
    let house = House::new().await;
    let store = Arc::new(Later { inner: Arc::clone(&house.store), of: Mutex::default() });
    let (jit, worker, most) =
        (engine(&house, &store), WorkerId::new("w").unwrap(), NonZeroUsize::new(100).unwrap());
    let request = CheckOut { role: rule("reader"), ..house.request(30, None) };
    let first = jit.check_out(&request).await.unwrap();
    for _ in 0..20 {
        jit.check_out(&request).await.unwrap();
    }
    *store.of.lock().unwrap() = Some(first.lease);
    house.clock.advance(TimeDelta::minutes(31));
    let round = async || jit.work_target(&worker, &target(), most).await.unwrap();
    let report = round().await;
    assert_eq!((report.unreadable, report.failed), (1, 0));
    assert_eq!(house.directory.accounts().len(), 1, "all others end in one round");
    for _ in 0..14 {
        house.clock.advance(TimeDelta::seconds(61));
        assert_eq!(round().await.unreadable, 1);
    }
    let told = async || {
        jit.work(&worker, most).await.unwrap();
        house.told.alarms().iter().filter(|about| *about == "task.unreadable").count()
    };
    assert_eq!(told().await, 0, "a later version may be about to take the place of this one");
    for _ in 0..20 {
        house.clock.advance(TimeDelta::seconds(61));
        assert_eq!(round().await.unreadable, 1);
    }
    assert_eq!(told().await, 1);
    *store.of.lock().unwrap() = None;
    house.clock.advance(TimeDelta::seconds(61));
    assert_eq!(round().await.unreadable, 0);
    assert_eq!(house.directory.accounts().len(), 0, "whoever can read it does it");
}
