//! A store that tells what is asked of it, and fails or takes its time where a test says so.

use std::sync::{Arc, Mutex, atomic::AtomicUsize};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

type OnTrail = dyn Fn(&TenantId) -> Result<(), BackendError> + Send;

/// Counts what is read, has one account that cannot be, and takes its time.
pub(crate) struct Watched {
    inner: Arc<dyn Store>,
    reads: AtomicUsize,
    pub(crate) spoilt: Mutex<Option<AccountId>>,
    /// Whose clock goes on by a second with each account that is read.
    pub(crate) slow: Mutex<Option<Arc<ManualClock>>>,
    on_trail: Mutex<Option<Box<OnTrail>>>,
    /// So many accounts more can be read.
    pub(crate) reads_left: Mutex<Option<usize>>,
    /// Whose clock goes on by so much with each call.
    pub(crate) slow_calls: Mutex<Option<(Arc<ManualClock>, TimeDelta)>>,
    pub(crate) calls: Mutex<Vec<&'static str>>,
    on_bearers: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Watched {
    pub(crate) fn new() -> Arc<Self> {
        let (reads, inner) = (AtomicUsize::new(0), Arc::new(MemoryStore::new()));
        let (slow, on_trail, on_bearers) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (slow_calls, calls, reads_left) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self {
            inner,
            reads,
            spoilt: Mutex::default(),
            slow,
            on_trail,
            slow_calls,
            calls,
            reads_left,
            on_bearers,
        })
    }

    pub(crate) fn on_trail(&self, hook: impl Fn(&TenantId) -> Result<(), BackendError> + Send + 'static) {
        *self.on_trail.lock().unwrap() = Some(Box::new(hook));
    }

    pub(crate) fn on_bearers(&self, hook: impl Fn() + Send + 'static) {
        *self.on_bearers.lock().unwrap() = Some(Box::new(hook));
    }

    fn called(&self, name: &'static str) {
        self.calls.lock().unwrap().push(name);
        self.slow_calls.lock().unwrap().iter().for_each(|(clock, by)| clock.advance(*by));
    }

    /// How many accounts were read since it was asked last.
    pub(crate) fn reads(&self) -> usize {
        self.reads.swap(0, std::sync::atomic::Ordering::SeqCst)
    }
}

jit_core::pass_on!(DocumentStore, TaskQueue, OneTime for Watched => inner);

#[async_trait]
impl AuditLog for Watched {
    async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
        self.inner.events(query).await
    }
    async fn about(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
        limit: std::num::NonZeroUsize,
    ) -> Result<Page<About>, BackendError> {
        self.called("about");
        self.on_trail.lock().unwrap().iter().try_for_each(|hook| hook(tenant))?;
        self.inner.about(tenant, after, limit).await
    }
}

#[async_trait]
impl UserStore for Watched {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        self.inner.find(key).await
    }
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.called("get");
        self.reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.slow.lock().unwrap().iter().for_each(|clock| clock.advance(TimeDelta::seconds(1)));
        if let Some(left) = self.reads_left.lock().unwrap().as_mut() {
            let after = left.checked_sub(1);
            *left = after.ok_or_else(|| BackendError::new(ErrorKind::Unavailable, "users.get"))?;
        }
        if *self.spoilt.lock().unwrap() == Some(id) {
            return Err(BackendError::new(ErrorKind::Corrupt, "users.get"));
        }
        self.inner.get(tenant, id).await
    }
    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        self.inner.matching(tenant, key).await
    }
    async fn named(&self, tenant: &TenantId, key: &str) -> Result<Option<Account>, BackendError> {
        self.inner.named(tenant, key).await
    }
    async fn list(&self, _query: &Query) -> Result<Page<Account>, BackendError> {
        panic!("accounts are not walked over")
    }
    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: std::num::NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        self.on_bearers.lock().unwrap().iter().for_each(|hook| hook());
        self.inner.bearers(tenant, key, after, limit).await
    }
    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: std::num::NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        self.inner.long_over(tenant, until, after, limit).await
    }
    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        self.called(if commit.account.is_some() { "commit" } else { "place" });
        self.inner.commit(commit).await
    }
    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        self.inner.touch(seen).await
    }
}
