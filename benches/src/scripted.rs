//! A store without cost: it hands out what was laid ready, and keeps what is written to look at.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    About, Account, AccountId, AuditEvent, AuditLog, AuditQuery, BackendError, Claimed, Collection, Commit,
    Cursor, Document, DocumentId, DocumentKey, DocumentQuery, DocumentStore, DocumentText, ErrorKind,
    ExternalKey, IndexName, Lane, LookupKey, Matches, Member, Memberships, OneTime, OneTimeKey, Over, Page,
    Query, Seen, Settlement, TaskQueue, TenantId, Tenants, UserStore, WorkerId,
};

/// Finds the accounts that were laid ready, one after the other, then nobody; counts calls and keeps commits.
#[derive(Debug, Default)]
pub struct Scripted {
    ready: Mutex<VecDeque<Account>>,
    reads: AtomicUsize,
    writes: AtomicUsize,
    commits: Mutex<Vec<Commit>>,
}

impl Scripted {
    /// Lays accounts ready.
    pub fn lay_ready(&self, accounts: impl IntoIterator<Item = Account>) {
        self.ready.lock().unwrap().extend(accounts);
    }

    /// Reads and writes since the last call.
    pub fn take_counts(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::Relaxed), self.writes.swap(0, Ordering::Relaxed))
    }

    /// What was committed since the last call.
    pub fn take_commits(&self) -> Vec<Commit> {
        std::mem::take(&mut *self.commits.lock().unwrap())
    }

    fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

fn unused<T>(operation: &'static str) -> Result<T, BackendError> {
    Err(BackendError::new(ErrorKind::Invalid, operation).caused_by("no part of the measurement"))
}

#[async_trait]
impl UserStore for Scripted {
    async fn find(&self, _key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        self.read();
        Ok(self.ready.lock().unwrap().pop_front())
    }

    async fn get(&self, _tenant: &TenantId, _id: AccountId) -> Result<Option<Account>, BackendError> {
        unused("users.get")
    }

    async fn matching(&self, _tenant: &TenantId, _key: &LookupKey) -> Result<Matches, BackendError> {
        self.read();
        Ok(Matches::None)
    }

    async fn named(&self, _tenant: &TenantId, _key: &str) -> Result<Option<Account>, BackendError> {
        unused("users.named")
    }

    async fn list(&self, _query: &Query) -> Result<Page<Account>, BackendError> {
        unused("users.list")
    }

    async fn bearers(
        &self,
        _tenant: &TenantId,
        _key: &LookupKey,
        _after: Option<Cursor>,
        _limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        unused("users.bearers")
    }

    async fn long_over(
        &self,
        _tenant: &TenantId,
        _until: DateTime<Utc>,
        _after: Option<Over>,
        _limit: NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        unused("users.long_over")
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        self.wrote();
        self.commits.lock().unwrap().push(commit.clone());
        Ok(())
    }

    async fn touch(&self, _seen: &[Seen]) -> Result<(), BackendError> {
        self.wrote();
        Ok(())
    }
}

#[async_trait]
impl DocumentStore for Scripted {
    async fn document(&self, _key: &DocumentKey) -> Result<Option<Document>, BackendError> {
        unused("documents.document")
    }

    async fn document_text(
        &self,
        _of: &Collection,
        _id: DocumentId,
    ) -> Result<Option<DocumentText>, BackendError> {
        unused("documents.text")
    }

    async fn documents_named(
        &self,
        _of: &Collection,
        _index: &IndexName,
        _value: &str,
    ) -> Result<Vec<DocumentText>, BackendError> {
        unused("documents.named")
    }

    async fn documents(&self, _query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError> {
        unused("documents.list")
    }

    async fn count_documents(&self, _of: &Collection) -> Result<u64, BackendError> {
        unused("documents.count")
    }

    async fn members(
        &self,
        _group: &DocumentKey,
        _after: Option<DocumentId>,
        _limit: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError> {
        unused("documents.members")
    }

    async fn member(&self, _group: &DocumentKey, _id: DocumentId) -> Result<Option<Member>, BackendError> {
        unused("documents.member")
    }

    async fn memberships(&self, _member: &DocumentKey) -> Result<Memberships, BackendError> {
        unused("documents.memberships")
    }
}

#[async_trait]
impl TaskQueue for Scripted {
    async fn claim(
        &self,
        _worker: &WorkerId,
        _lane: &Lane,
        _tenants: &Tenants,
        _now: DateTime<Utc>,
        _hold: TimeDelta,
        _limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        unused("tasks.claim")
    }

    async fn settle(&self, _claimed: &Claimed, _outcome: Settlement) -> Result<(), BackendError> {
        unused("tasks.settle")
    }

    async fn next_due(&self, _lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        unused("tasks.next_due")
    }

    async fn next_lane(&self, _after: Option<Lane>) -> Result<Option<Lane>, BackendError> {
        unused("tasks.next_lane")
    }
}

#[async_trait]
impl OneTime for Scripted {
    async fn put(
        &self,
        _key: &OneTimeKey,
        _value: &[u8],
        _until: DateTime<Utc>,
        _now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        unused("one_time.put")
    }

    async fn take(&self, _key: &OneTimeKey, _now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError> {
        unused("one_time.take")
    }

    async fn purge(&self, _now: DateTime<Utc>, _limit: NonZeroUsize) -> Result<usize, BackendError> {
        unused("one_time.purge")
    }
}

#[async_trait]
impl AuditLog for Scripted {
    async fn events(&self, _query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
        unused("audit.events")
    }

    async fn about(
        &self,
        _tenant: &TenantId,
        _after: Option<Cursor>,
        _limit: NonZeroUsize,
    ) -> Result<Page<About>, BackendError> {
        unused("audit.about")
    }
}
