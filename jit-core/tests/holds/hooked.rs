//! A store that lets something happen just before a link candidate is looked up.

use std::{
    future::Future,
    num::NonZeroUsize,
    pin::Pin,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

type Hook = Box<dyn FnOnce(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

pub(crate) struct Hooked {
    inner: Arc<dyn Store>,
    hook: Mutex<Option<Hook>>,
}

impl Hooked {
    pub(crate) fn new() -> Self {
        Self { inner: Arc::new(MemoryStore::new()), hook: Mutex::default() }
    }

    pub(crate) fn before_matching(
        &self,
        hook: impl FnOnce(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + 'static,
    ) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    pub(crate) fn has_happened(&self) -> bool {
        self.hook.lock().unwrap().is_none()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl UserStore for Hooked {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        self.inner.find(key).await
    }
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.inner.get(tenant, id).await
    }
    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        let hook = self.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook(Arc::clone(&self.inner)).await;
        }
        self.inner.matching(tenant, key).await
    }
    async fn named(&self, tenant: &TenantId, key: &str) -> Result<Option<Account>, BackendError> {
        self.inner.named(tenant, key).await
    }
    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        self.inner.list(query).await
    }
    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        self.inner.commit(commit).await
    }
    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        self.inner.touch(seen).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl TaskQueue for Hooked {
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        self.inner.claim(worker, lane, now, hold, limit).await
    }
    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        self.inner.settle(claimed, outcome).await
    }
    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        self.inner.next_due(lane).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl OneTime for Hooked {
    async fn put(
        &self,
        key: &OneTimeKey,
        value: &[u8],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        self.inner.put(key, value, until, now).await
    }
    async fn take(&self, key: &OneTimeKey, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError> {
        self.inner.take(key, now).await
    }
    async fn purge(&self, now: DateTime<Utc>, limit: NonZeroUsize) -> Result<usize, BackendError> {
        self.inner.purge(now, limit).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AuditLog for Hooked {
    async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
        self.inner.events(query).await
    }
}
