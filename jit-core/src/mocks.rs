//! A double of everything that one backend keeps. The doubles of the single ports stand next to their ports.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    About, Account, AccountId, AuditEvent, AuditLog, AuditQuery, BackendError, Claimed, Collection, Commit,
    Cursor, Document, DocumentId, DocumentKey, DocumentQuery, DocumentStore, DocumentText, ExternalKey,
    IndexName, Lane, LookupKey, Matches, Member, Memberships, OneTime, OneTimeKey, Over, Page, Query, Seen,
    Settlement, TaskQueue, TenantId, Tenants, UserStore, WorkerId,
};

mockall::mock! {
    /// Doubles a whole backend: whatever takes a [`Store`](crate::Store) takes this.
    #[derive(Debug)]
    pub Store {}

    #[async_trait]
    impl UserStore for Store {
        async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError>;
        async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError>;
        async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError>;
        async fn named(&self, tenant: &TenantId, user_name_key: &str) -> Result<Option<Account>, BackendError>;
        async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError>;
        async fn bearers(
            &self,
            tenant: &TenantId,
            key: &LookupKey,
            after: Option<Cursor>,
            limit: NonZeroUsize,
        ) -> Result<Page<AccountId>, BackendError>;
        async fn long_over(
            &self,
            tenant: &TenantId,
            until: DateTime<Utc>,
            after: Option<Over>,
            limit: NonZeroUsize,
        ) -> Result<Vec<Over>, BackendError>;
        async fn commit(&self, commit: &Commit) -> Result<(), BackendError>;
        async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError>;
    }

    #[async_trait]
    impl DocumentStore for Store {
        async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, BackendError>;
        async fn document_text(
            &self,
            of: &Collection,
            id: DocumentId,
        ) -> Result<Option<DocumentText>, BackendError>;
        async fn documents_named(
            &self,
            of: &Collection,
            index: &IndexName,
            value: &str,
        ) -> Result<Vec<DocumentText>, BackendError>;
        async fn documents(&self, query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError>;
        async fn count_documents(&self, of: &Collection) -> Result<u64, BackendError>;
        async fn members(
            &self,
            group: &DocumentKey,
            after: Option<DocumentId>,
            limit: NonZeroUsize,
        ) -> Result<Page<Member>, BackendError>;
        async fn member(&self, group: &DocumentKey, id: DocumentId) -> Result<Option<Member>, BackendError>;
        async fn memberships(&self, member: &DocumentKey) -> Result<Memberships, BackendError>;
    }

    #[async_trait]
    impl TaskQueue for Store {
        async fn claim(
            &self,
            worker: &WorkerId,
            lane: &Lane,
            tenants: &Tenants,
            now: DateTime<Utc>,
            hold: TimeDelta,
            limit: NonZeroUsize,
        ) -> Result<Vec<Claimed>, BackendError>;
        async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError>;
        async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError>;
        async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError>;
    }

    #[async_trait]
    impl OneTime for Store {
        async fn put(
            &self,
            key: &OneTimeKey,
            value: &[u8],
            until: DateTime<Utc>,
            now: DateTime<Utc>,
        ) -> Result<(), BackendError>;
        async fn take(&self, key: &OneTimeKey, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError>;
        async fn purge(&self, now: DateTime<Utc>, limit: NonZeroUsize) -> Result<usize, BackendError>;
    }

    #[async_trait]
    impl AuditLog for Store {
        async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError>;
        async fn about(
            &self,
            tenant: &TenantId,
            after: Option<Cursor>,
            limit: NonZeroUsize,
        ) -> Result<Page<About>, BackendError>;
    }
}
