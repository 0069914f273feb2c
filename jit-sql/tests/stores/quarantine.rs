//! A target that fails nearly everybody, as two engines on one database know it.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use chrono::TimeDelta;
use jit_core::*;

use crate::support::{first_sign_in, now, tenant};

/// Is out of reach while it is told to be, and counts what it is asked for.
#[derive(Default)]
struct Weak {
    inner: MemoryTarget,
    fails: AtomicBool,
    asked: AtomicUsize,
}

jit_core::pass_on! { Target(capabilities, home, observe, holdings, show, differs, list) for Weak => inner;
    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(BackendError::new(ErrorKind::Target(TargetFault::Unreachable), "test"));
        }
        self.inner.ensure(desired).await
    }
}

fn chat() -> TargetId {
    TargetId::new("chat").unwrap()
}

/// Two engines, each with a store of its own on the same database.
struct Pair {
    clock: Arc<ManualClock>,
    target: Arc<Weak>,
    engines: Vec<Jit>,
}

impl Pair {
    fn new(stores: [Arc<dyn Store>; 2]) -> Self {
        let (clock, target) = (Arc::new(ManualClock::at(now())), Arc::new(Weak::default()));
        let rules = QuarantineRules {
            accounts: 4,
            first_pause: TimeDelta::minutes(2),
            longest_pause: TimeDelta::minutes(10),
            ..QuarantineRules::default()
        };
        let engine = |(number, store): (usize, Arc<dyn Store>)| {
            let markers = MarkerKey::new("test", &[5; 32]).unwrap();
            let mirroring =
                Mirroring::of_holders([Entitlement::role("editor").unwrap()]).left_alone_by(rules);
            let setup = TargetSetup::new(chat(), Arc::clone(&target) as _, markers)
                .for_tenants([tenant()])
                .mirroring(mirroring);
            let entropy = SeededEntropy::new(u64::try_from(number).unwrap());
            let builder = Jit::builder(store).clock(Arc::clone(&clock) as _).entropy(Arc::new(entropy));
            builder.target(setup).build().unwrap()
        };
        let engines = stores.into_iter().enumerate().map(engine).collect();
        Self { clock, target, engines }
    }

    /// How often the target was asked in one round of both, at the same moment.
    async fn work(&self) -> usize {
        let before = self.target.asked.load(Ordering::SeqCst);
        let (chat, limit) = (chat(), NonZeroUsize::new(4).unwrap());
        let workers = ["one", "two"].map(|name| WorkerId::new(name).unwrap());
        let [one, two] = self.engines.as_slice() else { panic!("two engines") };
        let (one, two) = tokio::join!(
            one.work_target(&workers[0], &chat, limit),
            two.work_target(&workers[1], &chat, limit)
        );
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        self.target.asked.load(Ordering::SeqCst) - before
    }

    /// How often it was told, by what the trail says.
    async fn told(&self, store: &dyn Store, action: &str) -> usize {
        let (tenant, limit) = (Jit::house_tenant().unwrap(), NonZeroUsize::new(1_000).unwrap());
        let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit };
        let events = store.events(&query).await.unwrap().items;
        events.iter().filter(|event| event.action.as_str() == action).count()
    }
}

async fn two_engines_leave_it_alone_and_come_back_as_one(stores: [Arc<dyn Store>; 2]) {
    let store = Arc::clone(&stores[0]);
    for number in 0..20 {
        let name = format!("person{number}");
        store.commit(&first_sign_in(number, &name, &name)).await.unwrap();
    }
    let pair = Pair::new(stores);
    let many = NonZeroUsize::new(100).unwrap();
    let (marked, _) = pair.engines[0].mirror_anew(None, &tenant(), &chat(), None, many).await.unwrap();
    assert_eq!(marked, 20);
    pair.target.fails.store(true, Ordering::SeqCst);
    let asked = pair.work().await + pair.work().await;
    assert!((4..=16).contains(&asked), "four, and those that were under way: {asked}");
    for engine in &pair.engines {
        let known = engine.target_quarantine(&chat()).await.unwrap().unwrap();
        assert_eq!(known.next, pair.clock.now() + TimeDelta::minutes(2), "as the settings say");
    }
    assert_eq!(pair.told(&*store, "mirror.target_quarantined").await, 1);
    let mut asked = Vec::new();
    for _ in 0..15 {
        pair.clock.advance(TimeDelta::minutes(1));
        asked.push(pair.work().await);
    }
    assert_eq!(
        asked.iter().sum::<usize>(),
        2,
        "after two minutes and after ten more, whoever is first: {asked:?}"
    );
    pair.target.fails.store(false, Ordering::SeqCst);
    for _ in 0..40 {
        pair.clock.advance(TimeDelta::minutes(1));
        pair.work().await;
    }
    assert_eq!(pair.told(&*store, "mirror.target_quarantined_over").await, 1);
    assert_eq!(pair.target.inner.accounts().len(), 20, "everybody is brought");
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn on_one_file() {
    let folder = crate::support::folder::Folder::new("quarantine");
    let open = || -> Arc<dyn Store> { Arc::new(jit_sql::SqliteStore::open(folder.file()).unwrap()) };
    two_engines_leave_it_alone_and_come_back_as_one([open(), open()]).await;
}

#[cfg(feature = "real-postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_one_server() {
    let schema = crate::support::server::Schema::new().await;
    let stores: [Arc<dyn Store>; 2] = [Arc::new(schema.store().await), Arc::new(schema.store().await)];
    two_engines_leave_it_alone_and_come_back_as_one(stores).await;
}
