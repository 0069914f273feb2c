//! Two processes that mirror one target for different tenants: each brings what is its own, however often the other asks.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;

use super::{
    house::{House, chat, members},
    support,
};

/// Another process on the store, which has the target for another tenant.
struct Other {
    inner: support::House,
    target: Arc<MemoryTarget>,
}

impl Other {
    fn beside(house: &House) -> Self {
        let (target, markers) = (Arc::new(MemoryTarget::new()), MarkerKey::new("test", &[5; 32]).unwrap());
        let setup = TargetSetup::new(chat(), Arc::clone(&target) as _, markers).mirroring(members());
        let mut door = support::wire("theirs");
        door.settings.tenant = TenantId::new("globex").unwrap();
        let setup = setup.for_tenants([door.settings.tenant.clone()]);
        // What is another's costs nothing of what may be asked.
        let setup = setup.no_more_than(NonZeroU32::MIN, TimeDelta::hours(1));
        let mut inner = support::house_on(Arc::clone(&house.inner.store), vec![door], |builder| {
            let clock = Arc::clone(&house.inner.clock) as Arc<dyn Clock>;
            builder.target(setup).clock(clock).entropy(Arc::new(SeededEntropy::new(9)))
        });
        inner.clock = Arc::clone(&house.inner.clock);
        Self { inner, target }
    }

    async fn work(&self) -> WorkReport {
        let (worker, limit) = (WorkerId::new("w2").unwrap(), NonZeroUsize::new(10).unwrap());
        self.inner.jit.work_target(&worker, &chat(), limit).await.unwrap()
    }
}

#[tokio::test]
async fn an_end_is_brought_by_the_next_round_of_its_process_however_often_the_other_one_asks() {
    let house = House::new(members());
    let anna = house.enter(&["member"]).await;
    house.work().await.unwrap();
    let other = Other::beside(&house);
    other.inner.administer(anna, AdminAct::Suspend).await.unwrap();
    let mut reports = Vec::new();
    for _ in 0..60 {
        house.inner.clock.advance(TimeDelta::seconds(1));
        reports.push(other.work().await);
    }
    house.work().await.unwrap();
    assert_eq!(house.there(), [("anna".into(), false, vec![])]);
    assert_eq!(reports, [WorkReport::default(); 60], "it is not theirs");
    assert_eq!(house.mirror(anna).await.unwrap().task, None);
    assert!(other.target.accounts().is_empty());
}

#[tokio::test]
async fn what_waits_for_another_process_keeps_nobody_waiting_and_is_as_it_was_when_that_is_back() {
    let house = House::new(members());
    for n in 0..30 {
        let name = format!("p{n:02}");
        house.inner.enter(0, &name, json!({"preferred_username": name, "groups": ["member"]})).await;
    }
    house.inner.clock.advance(TimeDelta::minutes(1));
    let other = Other::beside(&house);
    other.inner.enter(0, "carl", json!({"preferred_username": "carl", "groups": ["member"]})).await;
    assert_eq!(other.work().await.done, 1, "though thirty others have waited for longer");
    assert_eq!(other.target.accounts().len(), 1);
    house.inner.clock.advance(TimeDelta::days(1));
    assert_eq!(other.work().await, WorkReport::default());
    house.work().await.unwrap();
    assert_eq!(house.there().len(), 30);
}
