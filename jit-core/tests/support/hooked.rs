//! A store in which something happens at a chosen moment, or fails.

use std::{
    future::Future,
    num::NonZeroUsize,
    pin::Pin,
    sync::{Arc, Mutex},
};

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

jit_core::pass_on! { UserStore(find, named, list, bearers) for Hooked => inner;
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.pass("get").await?;
        self.inner.get(tenant, id).await
    }

    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        self.pass("matching").await?;
        self.inner.matching(tenant, key).await
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

jit_core::pass_on! { TaskQueue(settle, next_due, next_lane) for Hooked => inner;
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: std::num::NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        self.pass("claim").await?;
        self.inner.claim(worker, lane, tenants, now, hold, limit).await
    }
}
