//! Every port in memory: the default for tests, and the executable model that other backends are compared with.

mod accounts;
mod by_hash;
mod commit;
mod documents;
mod hashed;
mod names;
mod one_time;
mod over;
mod packed;
mod rows;
mod sink;
mod target;
mod tasks;
mod trail;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    num::NonZeroUsize,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use self::{accounts::Accounts, documents::Documents, one_time::OneTimes, tasks::Tasks, trail::Trail};
use crate::{
    About, Account, AccountId, AuditEvent, AuditLog, AuditQuery, BackendError, Claimed, Collection, Commit,
    CounterName, Cursor, Document, DocumentId, DocumentKey, DocumentQuery, DocumentStore, DocumentText,
    ErrorKind, ExternalKey, IndexName, Lane, LookupKey, Matches, Member, Memberships, OneTime, OneTimeKey,
    Page, Query, Seen, Settlement, TaskQueue, TenantId, Tenants, UserStore, WorkerId,
};

pub use sink::MemorySink;
pub use target::{MemoryTarget, RemoteAccount};

/// Keeps accounts, tasks, one-time values and the audit trail in memory. Nodes that share one share it by an `Arc`.
///
/// Everything is lost with the process. `Debug` prints how many accounts there are and nothing of them.
#[derive(Default)]
pub struct MemoryStore {
    /// Those who only read do not wait for each other.
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    tenants: BTreeMap<TenantId, Tenant>,
    tasks: Tasks,
    one_times: OneTimes,
}

/// Keeps what belongs to one tenant, so that no query can cross.
#[derive(Default)]
struct Tenant {
    accounts: Accounts,
    documents: Documents,
    trail: Trail,
    counters: HashMap<CounterName, i64>,
}

impl MemoryStore {
    /// Begins an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists every reason for which a commit would be refused now; none where it would be written.
    #[cfg(feature = "conformance")]
    pub(crate) fn refusals(&self, commit: &Commit) -> Vec<ErrorKind> {
        match commit.check() {
            Err(error) => vec![error.kind().clone()],
            Ok(()) => self.state().refusals(commit),
        }
    }

    /// No call leaves the state half changed, so a panic of another thread does not make it unusable.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accounts: usize = self.state().tenants.values().map(|tenant| tenant.accounts.len()).sum();
        f.debug_struct("MemoryStore").field("accounts", &accounts).finish_non_exhaustive()
    }
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        let state = self.state();
        Ok(state.tenants.get(&key.tenant).and_then(|tenant| tenant.accounts.find(key)))
    }

    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        let state = self.state();
        Ok(state.tenants.get(tenant).and_then(|tenant| tenant.accounts.get(id)))
    }

    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        let state = self.state();
        Ok(state.tenants.get(tenant).map_or(Matches::None, |tenant| tenant.accounts.matching(key)))
    }

    async fn named(&self, tenant: &TenantId, user_name_key: &str) -> Result<Option<Account>, BackendError> {
        let state = self.state();
        Ok(state.tenants.get(tenant).and_then(|tenant| tenant.accounts.named(user_name_key)))
    }

    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        let state = self.state();
        Ok(state.tenants.get(&query.tenant).map_or_else(empty_page, |tenant| tenant.accounts.list(query)))
    }

    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<crate::Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        let state = self.state();
        let tenant = state.tenants.get(tenant);
        Ok(tenant.map_or_else(empty_page, |tenant| tenant.accounts.bearers(key, after, limit)))
    }

    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<crate::Over>,
        limit: NonZeroUsize,
    ) -> Result<Vec<crate::Over>, BackendError> {
        let state = self.state();
        let tenant = state.tenants.get(tenant);
        Ok(tenant.map_or_else(Vec::new, |tenant| tenant.accounts.long_over(until, after, limit)))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        commit.check()?;
        let mut state = self.state_mut();
        if let Some(kind) = state.refusals(commit).into_iter().next() {
            return Err(BackendError::new(kind, "users.commit"));
        }
        state.apply(commit);
        Ok(())
    }

    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        let mut state = self.state_mut();
        for seen in seen {
            if let Some(tenant) = state.tenants.get_mut(&seen.tenant) {
                tenant.accounts.touch(seen.account, seen.at);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl DocumentStore for MemoryStore {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, BackendError> {
        Ok(self.state().documents(&key.collection).and_then(|documents| documents.get(key)))
    }

    async fn document_text(
        &self,
        of: &Collection,
        id: DocumentId,
    ) -> Result<Option<DocumentText>, BackendError> {
        Ok(self.state().documents(of).and_then(|documents| documents.text(of, id)))
    }

    async fn documents_named(
        &self,
        of: &Collection,
        index: &IndexName,
        value: &str,
    ) -> Result<Vec<DocumentText>, BackendError> {
        let state = self.state();
        Ok(state.documents(of).map_or_else(Vec::new, |documents| documents.named(of, index, value)))
    }

    async fn documents(&self, query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError> {
        let state = self.state();
        Ok(state.documents(&query.of).map_or_else(empty_page, |documents| documents.list(query)))
    }

    async fn count_documents(&self, of: &Collection) -> Result<u64, BackendError> {
        Ok(self.state().documents(of).map_or(0, |documents| documents.count(of)))
    }

    async fn members(
        &self,
        group: &DocumentKey,
        after: Option<DocumentId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError> {
        let state = self.state();
        let documents = state.documents(&group.collection);
        Ok(documents.map_or_else(empty_page, |documents| documents.members(group, after, limit)))
    }

    async fn member(&self, group: &DocumentKey, id: DocumentId) -> Result<Option<Member>, BackendError> {
        Ok(self.state().documents(&group.collection).and_then(|documents| documents.member(group, id)))
    }

    async fn memberships(&self, member: &DocumentKey) -> Result<Memberships, BackendError> {
        let state = self.state();
        let documents = state.documents(&member.collection);
        Ok(documents.map_or_else(Memberships::default, |documents| documents.memberships(member)))
    }
}

#[async_trait]
impl TaskQueue for MemoryStore {
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        if hold <= TimeDelta::zero() {
            return Err(
                BackendError::new(ErrorKind::Invalid, "tasks.claim").caused_by("the hold is not positive")
            );
        }
        let until = now.checked_add_signed(hold).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Ok(self.state_mut().tasks.claim((worker, lane, tenants), now, until, limit))
    }

    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        if self.state_mut().tasks.settle(claimed, outcome) {
            Ok(())
        } else {
            Err(BackendError::new(ErrorKind::Conflict, "tasks.settle"))
        }
    }

    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        Ok(self.state().tasks.next_due(lane))
    }

    async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError> {
        Ok(self.state().tasks.next_lane(after.as_ref()))
    }
}

#[async_trait]
impl OneTime for MemoryStore {
    async fn put(
        &self,
        key: &OneTimeKey,
        value: &[u8],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        let put = self.state_mut().one_times.put(key, value, until, now);
        put.map_err(|kind| BackendError::new(kind, "one_time.put"))
    }

    async fn take(&self, key: &OneTimeKey, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.state_mut().one_times.take(key, now))
    }

    async fn purge(&self, now: DateTime<Utc>, limit: NonZeroUsize) -> Result<usize, BackendError> {
        Ok(self.state_mut().one_times.purge(now, limit))
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
        let state = self.state();
        Ok(state.tenants.get(&query.tenant).map_or_else(empty_page, |tenant| tenant.trail.events(query)))
    }

    async fn about(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<About>, BackendError> {
        let state = self.state();
        Ok(state.tenants.get(tenant).map_or_else(empty_page, |tenant| tenant.trail.about(after, limit)))
    }
}

fn empty_page<T>() -> Page<T> {
    Page { items: Vec::new(), next: None }
}
