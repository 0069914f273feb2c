//! A store in which something happens at a chosen moment, or fails.

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

/// Lets something happen before the n-th call of an operation, or lets an operation fail.
pub(crate) struct Hooked {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) hook: Mutex<Option<(&'static str, usize, Hook)>>,
    pub(crate) failing: Mutex<Option<&'static str>>,
    /// Names the bound of the seats where it stands in the way as well.
    pub(crate) limit_first: Mutex<bool>,
}

impl Hooked {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, hook: Mutex::default(), failing: Mutex::default(), limit_first: Mutex::default() }
    }

    pub(crate) fn before(
        &self,
        operation: &'static str,
        call: usize,
        hook: impl FnOnce(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + 'static,
    ) {
        *self.hook.lock().unwrap() = Some((operation, call, Box::new(hook)));
    }

    async fn pass(&self, operation: &'static str) -> Result<(), BackendError> {
        let hook = {
            let mut slot = self.hook.lock().unwrap();
            match slot.take() {
                Some((wanted, 1, hook)) if wanted == operation => Some(hook),
                Some((wanted, left, hook)) => {
                    let left = if wanted == operation { left - 1 } else { left };
                    *slot = Some((wanted, left, hook));
                    None
                }
                None => None,
            }
        };
        if let Some(hook) = hook {
            hook(Arc::clone(&self.inner)).await;
        }
        if *self.failing.lock().unwrap() == Some(operation) {
            return Err(BackendError::new(ErrorKind::Unavailable, operation));
        }
        Ok(())
    }
}

jit_core::pass_on!(DocumentStore, OneTime, AuditLog for Hooked => inner);

#[async_trait]
impl UserStore for Hooked {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        self.inner.find(key).await
    }
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.inner.get(tenant, id).await
    }
    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        self.pass("matching").await?;
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
        self.pass("long_over").await?;
        self.inner.long_over(tenant, until, after, limit).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        self.pass("commit").await?;
        let result = self.inner.commit(commit).await;
        if result.is_err() && *self.limit_first.lock().unwrap() {
            let counters = Commit { counters: commit.counters.clone(), ..Commit::new(commit.tenant.clone()) };
            self.inner.commit(&counters).await?;
        }
        result
    }
    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        self.pass("touch").await?;
        self.inner.touch(seen).await
    }
}

#[async_trait]
impl TaskQueue for Hooked {
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: std::num::NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        self.pass("claim").await?;
        self.inner.claim(worker, lane, now, hold, limit).await
    }
    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        self.inner.settle(claimed, outcome).await
    }
    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        self.inner.next_due(lane).await
    }
    async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError> {
        self.inner.next_lane(after).await
    }
}
