//! Removing records of leases that are over where very many of those that are over for longest have to stay.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use chrono::TimeDelta;
use jit_core::*;

use crate::{
    forgetting::leased,
    support::{all_at_once, now, tenant},
};

/// More than one turn looks at.
const STAY: u64 = 4_003;
/// The most that one turn looks at.
const MOST: usize = 4_000;

/// Cannot read whoever is old, and counts whom it is asked for.
struct Spoilt {
    inner: Arc<dyn Store>,
    is_damaged: AtomicBool,
    reads: AtomicUsize,
}

jit_core::pass_on!(DocumentStore, TaskQueue, OneTime, AuditLog for Spoilt => inner);
jit_core::pass_on! { UserStore(find, matching, named, list, bearers, long_over, commit, touch) for Spoilt => inner;
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let account = self.inner.get(tenant, id).await?;
        let is_old = account.as_ref().and_then(Account::over_since).is_some_and(|since| since < now());
        if is_old && self.is_damaged.load(Ordering::SeqCst) {
            return Err(BackendError::new(ErrorKind::Corrupt, "users.get"));
        }
        Ok(account)
    }
}

fn gone(number: u64, since: chrono::DateTime<chrono::Utc>) -> Account {
    let phase = Phase::Gone { since, why: EndReason::Expired };
    leased(number, phase, &since.to_rfc3339())
}

/// A new process each time, which looks once.
async fn turn(store: &Arc<Spoilt>, clock: &Arc<ManualClock>) -> usize {
    clock.advance(TimeDelta::minutes(5));
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup =
        TargetSetup::new(TargetId::new("directory").unwrap(), Arc::new(MemoryTarget::default()), markers);
    let jit = Jit::builder(Arc::clone(store) as _)
        .clock(Arc::clone(clock) as _)
        .target(setup.for_tenants([tenant()]))
        .keep_ended_for(TimeDelta::days(30))
        .build()
        .unwrap();
    store.reads.store(0, Ordering::SeqCst);
    let done = jit.work(&WorkerId::new("w").unwrap(), NonZeroUsize::MIN).await.unwrap();
    let reads = store.reads.load(Ordering::SeqCst);
    assert!(reads <= MOST, "{reads} were read");
    done.forgotten
}

async fn what_has_to_stay_keeps_no_other(inner: Arc<dyn Store>) {
    let create = |account| Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant()) };
    let old = |number: u64| now() - TimeDelta::seconds(i64::try_from(STAY - number).unwrap());
    let mut commits: Vec<_> = (0..STAY).map(|number| create(gone(number, old(number)))).collect();
    commits.extend([create(gone(STAY, now())), create(gone(STAY + 1, now() + TimeDelta::seconds(1)))]);
    for outcome in all_at_once(&[Arc::clone(&inner)], commits).await {
        outcome.unwrap();
    }
    let (is_damaged, reads) = (AtomicBool::new(true), AtomicUsize::new(0));
    let store = Arc::new(Spoilt { inner, is_damaged, reads });
    let clock = Arc::new(ManualClock::at(now() + TimeDelta::days(31)));
    assert_eq!(
        [turn(&store, &clock).await, turn(&store, &clock).await],
        [0, 2],
        "they are beyond the first turn"
    );
    assert_eq!(turn(&store, &clock).await, 0, "all had their turn: the next one comes later");

    // Mended, they go as the others, those first that are over for longest.
    store.is_damaged.store(false, Ordering::SeqCst);
    clock.advance(TimeDelta::hours(6));
    let mut forgotten = Vec::new();
    for _ in 0..6 {
        forgotten.push(turn(&store, &clock).await);
    }
    assert_eq!(forgotten, [1_000, 1_000, 1_000, 1_000, 3, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_memory() {
    what_has_to_stay_keeps_no_other(Arc::new(MemoryStore::default())).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_one_file() {
    let folder = crate::support::folder::Folder::new("retention");
    what_has_to_stay_keeps_no_other(Arc::new(jit_sql::SqliteStore::open(folder.file()).unwrap())).await;
}

#[cfg(feature = "real-postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_one_server() {
    let schema = crate::support::server::Schema::new().await;
    what_has_to_stay_keeps_no_other(Arc::new(schema.store().await)).await;
}
