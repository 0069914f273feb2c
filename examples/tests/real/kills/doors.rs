//! Doors to the store and the target at which every step has a number, and a process can be made to stand still.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::io::{BufRead as _, Write as _};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

/// Numbers the steps of a process, and counts what it did.
pub(crate) struct Steps {
    clock: Arc<ManualClock>,
    stop_at: Option<u64>,
    taken: AtomicU64,
    /// Calls that may change the target.
    pub(crate) asked: AtomicU64,
    /// Accounts that the target says it removed.
    pub(crate) removed: AtomicU64,
    /// Commits that the store took.
    pub(crate) commits: AtomicU64,
}

impl Steps {
    pub(crate) fn new(clock: Arc<ManualClock>, stop_at: Option<u64>) -> Arc<Self> {
        let zero = AtomicU64::default;
        Arc::new(Self { clock, stop_at, taken: zero(), asked: zero(), removed: zero(), commits: zero() })
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(SeqCst)
    }

    /// Stands still at the chosen step: until it is killed, or told `go` and by how many minutes it is later.
    fn step(&self, what: &str) {
        let step = self.taken.fetch_add(1, SeqCst) + 1;
        if self.stop_at != Some(step) {
            return;
        }
        say(&format!("at {step} {what}"));
        let mut word = String::new();
        std::io::stdin().lock().read_line(&mut word).unwrap();
        // Whoever was to say it is gone: nothing may happen behind their back.
        let Some(minutes) = word.strip_prefix("go ") else { std::process::abort() };
        self.clock.advance(TimeDelta::minutes(minutes.trim().parse().unwrap()));
    }

    /// A call of the store: a step before it and one after it.
    async fn around<T>(&self, what: &str, call: impl Future<Output = T>) -> T {
        self.step(&format!("before {what}"));
        let result = call.await;
        self.step(&format!("after {what}"));
        result
    }

    /// A call of the target: a step more where it first waits, with its request on the way.
    async fn across<T>(&self, what: &str, call: impl Future<Output = T>) -> T {
        self.step(&format!("before {what}"));
        let (mut call, mut waited) = (pin!(call), false);
        let result = poll_fn(|context| {
            let polled = call.as_mut().poll(context);
            if !std::mem::replace(&mut waited, true) {
                self.step(&format!("during {what}"));
            }
            polled
        })
        .await;
        self.step(&format!("after {what}"));
        result
    }
}

/// Tells whoever watches, past what the test harness captures.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nchild: {line}").and_then(|()| out.flush()).unwrap();
}

pub(crate) struct WatchedTarget {
    pub(crate) inner: Arc<dyn Target>,
    pub(crate) steps: Arc<Steps>,
}

#[async_trait]
impl Target for WatchedTarget {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
        self.inner.home(remote).await
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        self.steps.asked.fetch_add(1, SeqCst);
        let effect = self.steps.across("ensure", self.inner.ensure(desired)).await;
        if matches!(effect, Ok(Effect::Absent { was_there: true })) {
            self.steps.removed.fetch_add(1, SeqCst);
        }
        effect
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.steps.across("observe", self.inner.observe(remote)).await
    }

    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        self.steps.across("holdings", self.inner.holdings(remote, asked)).await
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        self.steps.across("show", self.inner.show(remote)).await
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        self.inner.differs(remote, wanted).await
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        self.inner.list(cursor).await
    }
}

pub(crate) struct WatchedStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) steps: Arc<Steps>,
}

jit_core::pass_on!(DocumentStore, OneTime, AuditLog for WatchedStore => inner);

#[async_trait]
impl UserStore for WatchedStore {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        self.inner.find(key).await
    }

    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.inner.get(tenant, id).await
    }

    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        self.inner.matching(tenant, key).await
    }

    async fn named(&self, tenant: &TenantId, key: &str) -> Result<Option<Account>, BackendError> {
        self.inner.named(tenant, key).await
    }

    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        self.inner.list(query).await
    }
    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        self.inner.bearers(tenant, key, after, limit).await
    }

    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        self.inner.long_over(tenant, until, after, limit).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        let committed = self.steps.around("commit", self.inner.commit(commit)).await;
        self.steps.commits.fetch_add(u64::from(committed.is_ok()), SeqCst);
        committed
    }

    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        self.inner.touch(seen).await
    }
}

#[async_trait]
impl TaskQueue for WatchedStore {
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        let claims = self.inner.claim(worker, lane, tenants, now, hold, limit).await?;
        // Only what was claimed is a write.
        if !claims.is_empty() {
            self.steps.step("after claim");
        }
        Ok(claims)
    }

    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        self.steps.around("settle", self.inner.settle(claimed, outcome)).await
    }

    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        self.inner.next_due(lane).await
    }

    async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError> {
        self.inner.next_lane(after).await
    }
}
