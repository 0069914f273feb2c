//! Many ends at once: privileged ones first, as many at a time as the target bears, and no target waits for another.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::house::{House, rule, run, tenant};

/// Lets removals wait for each other, hang or pass, and writes down in which order they came.
#[derive(Default)]
struct Busy {
    inner: MemoryTarget,
    hangs: Mutex<Option<String>>,
    order: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

jit_core::pass_on! { Target(capabilities, home, observe, holdings, show, differs, list) for Busy => inner;
    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        if !matches!(desired.state, DesiredState::Absent { .. }) {
            return self.inner.ensure(desired).await;
        }
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        if self.hangs.lock().unwrap().as_ref() == Some(&desired.remote.name) {
            std::future::pending::<()>().await;
        }
        give_way().await;
        self.order.lock().unwrap().push(desired.remote.name.clone());
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.inner.ensure(desired).await
    }
}

/// Lets others go first, once.
async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Storm {
    jit: Jit,
    clock: Arc<ManualClock>,
    holder: AccountId,
    targets: [Arc<Busy>; 2],
}

fn id(number: usize) -> TargetId {
    TargetId::new(format!("target-{number}")).unwrap()
}

fn limit(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

impl Storm {
    async fn with(change: fn(TargetSetup) -> TargetSetup) -> Self {
        let house = House::new().await;
        let targets = [Arc::new(Busy::default()), Arc::new(Busy::default())];
        let holders = vec![Entitlement::role("operator").unwrap()];
        let role = || TargetRole::new(TimeDelta::hours(8), holders.clone()).per_holder(NonZeroU32::MAX);
        let mut builder = Jit::builder(Arc::clone(&house.store) as _)
            .clock(Arc::clone(&house.clock) as _)
            .entropy(Arc::new(SeededEntropy::new(77)))
            .leases_per_holder(NonZeroU32::MAX);
        for (number, target) in targets.iter().enumerate() {
            let markers = MarkerKey::new("test", &[5; 32]).unwrap();
            let setup = TargetSetup::new(id(number), Arc::clone(target) as _, markers)
                .for_tenants([tenant()])
                .role(rule("admin"), role().privileged())
                .role(rule("reader"), role());
            builder = builder.target(change(setup));
        }
        let jit = builder.build().unwrap();
        Self { jit, clock: house.clock, holder: house.holder, targets }
    }

    async fn out(&self, target: usize, role: &str) -> String {
        let request = CheckOut {
            tenant: tenant(),
            store: None,
            holder: self.holder,
            by: Actor::Account { id: self.holder },
            target: id(target),
            role: rule(role),
            span: TimeDelta::minutes(30),
            key: None,
            purpose: None,
        };
        self.jit.check_out(&request).await.unwrap().name
    }

    async fn work(&self, target: usize, most: usize) -> WorkReport {
        self.jit.work_target(&worker(), &id(target), limit(most)).await.unwrap()
    }

    fn left(&self, target: usize) -> usize {
        self.targets[target].inner.accounts().len()
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

fn worker() -> WorkerId {
    WorkerId::new("w").unwrap()
}

#[tokio::test]
async fn of_thousands_that_end_in_one_second_the_privileged_end_first() {
    let storm = Storm::with(|setup| setup.at_once(limit(16))).await;
    let mut privileged = std::collections::BTreeSet::new();
    for number in 0..2_000 {
        let is_privileged = number % 4 == 3;
        let name = storm.out(0, if is_privileged { "admin" } else { "reader" }).await;
        if is_privileged {
            privileged.insert(name);
        }
    }
    storm.clock.advance(TimeDelta::minutes(30));
    while storm.left(0) > 0 {
        storm.work(0, 100).await;
    }
    let order = storm.targets[0].order.lock().unwrap().clone();
    assert_eq!(order.len(), 2_000, "each is removed once");
    assert!(order[..500].iter().all(|name| privileged.contains(name)));
    assert_eq!(storm.targets[0].most.load(Ordering::SeqCst), 16);
}

#[tokio::test]
async fn a_target_gets_four_at_a_time_unless_said_otherwise() {
    let storm = Storm::with(|setup| setup).await;
    for _ in 0..40 {
        storm.out(0, "reader").await;
    }
    storm.clock.advance(TimeDelta::minutes(30));
    assert_eq!(storm.work(0, 100).await.done, 40);
    assert_eq!(storm.targets[0].most.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn one_that_hangs_holds_its_own_place_and_no_other_target() {
    let storm = Storm::with(|setup| setup).await;
    let hanging = storm.out(0, "admin").await;
    for _ in 0..20 {
        storm.out(0, "reader").await;
        storm.out(1, "reader").await;
    }
    *storm.targets[0].hangs.lock().unwrap() = Some(hanging.clone());
    storm.clock.advance(TimeDelta::minutes(30));
    // A target that was never asked is asked once before all others; this one was, by the check-outs.
    let (worker, target) = (worker(), id(0));
    let mut round = Box::pin(storm.jit.work_target(&worker, &target, limit(100)));
    for _ in 0..50 {
        let waker = std::task::Waker::noop();
        assert!(round.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    let left = storm.targets[0].inner.accounts();
    assert!(left.len() == 1 && left.contains_key(&hanging), "{left:?}");
    assert_eq!(storm.work(1, 100).await.done, 20);
    assert_eq!(storm.left(1), 0);
    // People are served while it hangs.
    storm.out(0, "reader").await;
    drop(round);
    *storm.targets[0].hangs.lock().unwrap() = None;
    storm.clock.advance(TimeDelta::minutes(1));
    storm.work(0, 100).await;
    assert!(
        !storm.targets[0].inner.accounts().contains_key(&hanging),
        "it comes again when its claim is over"
    );
}

#[tokio::test]
async fn a_target_that_bears_little_gets_little_and_all_is_done_within_the_bound() {
    let pace = |setup: TargetSetup| setup.no_more_than(NonZeroU32::new(10).unwrap(), TimeDelta::seconds(1));
    let storm = Storm::with(pace).await;
    for _ in 0..100 {
        storm.out(0, "reader").await;
    }
    storm.clock.advance(TimeDelta::minutes(30));
    let began = storm.now();
    let mut last = storm.left(0);
    while storm.left(0) > 0 {
        storm.work(0, 100).await;
        let done = last - storm.left(0);
        assert!(done <= 10, "{done} in one second");
        last = storm.left(0);
        storm.clock.advance(TimeDelta::seconds(1));
    }
    assert!(storm.now() - began <= TimeDelta::seconds(11), "ten a second");
}

#[tokio::test]
async fn a_round_that_is_dropped_leaves_nothing_behind() {
    let storm = Storm::with(|setup| setup).await;
    for _ in 0..8 {
        storm.out(0, "reader").await;
    }
    storm.clock.advance(TimeDelta::minutes(30));
    // The removals give way once: the round stops in the middle.
    assert!(run(storm.jit.work_target(&worker(), &id(0), limit(1))).is_none());
    storm.clock.advance(TimeDelta::minutes(2));
    storm.work(0, 100).await;
    assert_eq!(storm.left(0), 0);
}
