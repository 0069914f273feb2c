//! The door to the store.

use std::{num::NonZeroUsize, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::{script::Script, through};

/// The trusted time is kept once a minute, which would put every count out of step; `time.rs` tests what becomes of it.
fn is_clock(tenant: &TenantId) -> bool {
    Jit::house_tenant().as_ref() == Some(tenant)
}

pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<MemoryStore>,
    pub(crate) script: Arc<Script>,
}

jit_core::pass_on!(DocumentStore, OneTime, AuditLog for FaultyStore => inner);

jit_core::pass_on! { UserStore(find, matching, named, bearers, long_over, touch) for FaultyStore => inner;
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        if self.script.inner.lock().unwrap().unreadable == Some(id) {
            return Err(BackendError::new(ErrorKind::Corrupt, "injected"));
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.get(tenant, id)).await
    }

    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        let page = self.inner.list(query).await?;
        let unreadable = self.script.inner.lock().unwrap().unreadable;
        // As databases do: one row that cannot be read fails the page that it is on.
        if page.items.iter().any(|account| Some(account.id) == unreadable) {
            return Err(BackendError::new(ErrorKind::Corrupt, "injected"));
        }
        Ok(page)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        if is_clock(&commit.tenant) {
            if !commit.documents.is_empty() && self.script.takes_contention() {
                return Err(BackendError::new(ErrorKind::DocumentChanged, "injected"));
            }
            return self.inner.commit(commit).await;
        }
        self.script.inner.lock().unwrap().commits += 1;
        if let Some(at) = self.script.lands_at(None) {
            self.script.inner.lock().unwrap().late_commits.push((at, commit.clone()));
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.commit(commit)).await
    }
}

jit_core::pass_on! { TaskQueue(next_due, next_lane) for FaultyStore => inner;
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        if lane.as_str() == "clock" {
            return self.inner.claim(worker, lane, tenants, now, hold, limit).await;
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.claim(worker, lane, tenants, now, hold, limit))
            .await
    }

    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        if is_clock(&claimed.task.tenant) {
            return self.inner.settle(claimed, outcome).await;
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.settle(claimed, outcome)).await
    }
}
