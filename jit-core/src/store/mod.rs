//! The ports for keeping: accounts, documents, tasks, one-time values and the audit trail.
//!
//! One backend implements all of them, so that what belongs together is committed together. Backends invent nothing:
//! ids and times come from the caller.

mod commit;
mod document;
mod forgotten;
mod keys;
mod pass_on;
mod query;
mod task;

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

pub use commit::{AccountWrite, Commit, CounterChange, CounterName, Seen};
#[cfg(feature = "mocks")]
pub use document::MockDocumentStore;
pub use document::{
    Collection, Document, DocumentKey, DocumentName, DocumentQuery, DocumentStore, DocumentText,
    DocumentWrite, Joining, MEMBERSHIPS, Member, MemberChange, Memberships, NetMembers, UNIQUE_INDEXES,
};
pub use forgotten::Forgotten;
pub use keys::KeyChanges;
pub use query::{About, AuditQuery, Cursor, Filter, Matches, Over, PAGE_ITEMS, Page, Query};
pub use task::{Claimed, Settlement, Task, TaskKind, Tenants};

use crate::{Account, AccountId, AuditEvent, BackendError, ExternalKey, Lane, LookupKey, TenantId, WorkerId};

/// Keeps accounts.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Finds the account that an identity signs in to, by exact bytes.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError>;

    /// Reads an account of a tenant.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError>;

    /// Finds the accounts of a tenant that carry a lookup key: none, one or several. Ended accounts count as well.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError>;

    /// Finds the account that holds a user name, by the name's comparison key.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn named(&self, tenant: &TenantId, user_name_key: &str) -> Result<Option<Account>, BackendError>;

    /// Lists accounts of a tenant in the order of their ids.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError>;

    /// Names the accounts of a tenant that carry a lookup key, in the order of their ids, in pages as [`Self::list`]. It reads
    /// none of them: what cannot be read is named as well, so that it keeps nobody from the others, and so is what was forgotten
    /// ([`Forgotten::made`]).
    ///
    /// # Errors
    /// `store.unavailable`.
    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError>;

    /// Names the accounts of a tenant that are over for good ([`Account::over_since`]) since `until` or longer: those first that
    /// are so for longest, then in the order of their ids; from where `after` ended, also if whoever it names is not there any
    /// longer, and at most `limit`, which is never more than [`PAGE_ITEMS`]. It reads none of them, and costs by what it names.
    ///
    /// # Errors
    /// `store.unavailable`.
    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError>;

    /// Writes a commit: all of it, durably, or nothing. A commit never moves `last_seen` backward: where the stored
    /// instant is later than the one that the commit carries, the stored one stays.
    ///
    /// An account that a commit forgets ([`Commit::forgotten`]) is found by nobody from then on, and nothing of it can be read
    /// again. Its id stays taken for ever, and [`Self::bearers`] of what its lease made ([`Forgotten::made`]) still names it;
    /// nothing else stays. Its trail and its tasks are not touched.
    ///
    /// # Errors
    /// `store.identity_taken`, `store.user_name_taken`, `store.account_taken`, `store.task_taken`, `store.conflict` when
    /// the account, or one that it forgets, is not at the version that the commit names or an event was recorded before, `store.limit_reached`
    /// when a counter would leave its bounds, `store.document_taken`, `store.document_name_taken`, `store.document_changed`
    /// and `store.no_such_member` for the documents, `store.invalid` when [`Commit::check`] refuses, `store.unavailable`. Where
    /// several apply, any one of them is named. After any of them nothing was written, except that after `store.unavailable` the outcome may
    /// be unknown: the same commit repeated is then answered with `store.conflict` or one of the taken codes if it had
    /// been written.
    ///
    /// # Cancel safety
    /// A dropped future leaves all of the commit or nothing of it, and the caller does not know which.
    async fn commit(&self, commit: &Commit) -> Result<(), BackendError>;

    /// Moves the last-seen instants of accounts forward; never backward, and never the version. Unknown accounts are
    /// passed over. May be lost in a crash.
    ///
    /// # Errors
    /// `store.unavailable`.
    ///
    /// # Cancel safety
    /// Some of the instants may have been written.
    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError>;
}

/// Hands out due tasks, each to one worker at a time.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait TaskQueue: Send + Sync {
    /// Claims up to `limit` tasks of a lane, of these tenants, that are due at `now` and not claimed by anyone past `now`,
    /// oldest first: in the order of the instants from which they may be claimed, then of their ids. The claim holds for
    /// `hold`; each claim raises the task's epoch. A task whose claim ran out may be claimed from the end of that claim.
    ///
    /// Tasks of other tenants stay as they are, however many are due, and neither count nor take anybody's place; they may cost
    /// a look each.
    ///
    /// A task that cannot be read, such as one of a later version, is claimed as the others are, with [`TaskKind::Unreadable`] in
    /// the place of its kind. Whoever claims it leaves it alone, so that it comes again, when the claim is over, for whoever can
    /// read it.
    ///
    /// # Errors
    /// `store.invalid` when `hold` is not positive, `store.unavailable`; `store.corrupt` where tasks were claimed, and of none
    /// of them it can be told whose they are.
    ///
    /// # Cancel safety
    /// Tasks may have been claimed; they come back when `hold` is over.
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError>;

    /// Ends a claim with its outcome.
    ///
    /// # Errors
    /// `store.conflict` when the claim is stale: the task was claimed anew, settled or withdrawn.
    ///
    /// # Cancel safety
    /// The outcome may have been written; settling again is then answered with `store.conflict`.
    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError>;

    /// Tells the instant from which the earliest task of a lane may be claimed: a claimed task counts from the end of its
    /// claim.
    ///
    /// # Errors
    /// `store.unavailable`.
    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError>;

    /// Names the lane that comes next after this one, of those that hold a task, due or not; the first without one. In an
    /// order of the store's own, which stays: whoever asks on from each answer is told every lane once.
    ///
    /// # Errors
    /// `store.unavailable`.
    async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError>;
}

/// Keeps values that may be put once and taken once: login states, assertion ids, pending sign-ins.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait OneTime: Send + Sync {
    /// Puts a value until an instant. An entry that is over at `now` counts as absent; it is over at `until` itself. A key
    /// whose value was taken holds none and may be put again.
    ///
    /// # Errors
    /// `store.one_time_taken` when the key holds a value; `store.invalid` when the value is longer than
    /// [`ONE_TIME_BYTES`]; `store.unavailable`.
    ///
    /// # Cancel safety
    /// The value may have been put.
    async fn put(
        &self,
        key: &OneTimeKey,
        value: &[u8],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError>;

    /// Takes the value: of all who try, one gets it. An entry that is over at `now` counts as absent.
    ///
    /// # Errors
    /// `store.unavailable`.
    ///
    /// # Cancel safety
    /// The value may have been taken and is then lost.
    async fn take(&self, key: &OneTimeKey, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError>;

    /// Removes up to `limit` entries that are over at `now` and tells how many.
    ///
    /// # Errors
    /// `store.unavailable`.
    ///
    /// # Cancel safety
    /// Some of them may have been removed.
    async fn purge(&self, now: DateTime<Utc>, limit: NonZeroUsize) -> Result<usize, BackendError>;
}

/// The longest value that a one-time store takes, in bytes.
pub const ONE_TIME_BYTES: usize = 256 * 1024;

/// Names a one-time value. Built from a purpose and parts; the parts are hashed, so that any bytes may take part.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OneTimeKey {
    tenant: TenantId,
    digest: [u8; 32],
}

impl OneTimeKey {
    /// Names a value of a tenant for one purpose, such as `oidc.state`.
    #[must_use]
    pub fn new(tenant: TenantId, purpose: &str, parts: &[&[u8]]) -> Self {
        use sha2::{Digest as _, Sha256};
        let mut hash = Sha256::new();
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { tenant, digest: hash.finalize().into() }
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The digest of purpose and parts.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl std::fmt::Debug for OneTimeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OneTimeKey({} …)", self.tenant)
    }
}

/// Reads the audit trail.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Reads events of a tenant in the order of their ids.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError>;

    /// Names the events of a tenant in the order of their ids, in pages as [`Self::events`], and the accounts that they are
    /// about. It reads none of them: what cannot be read is named as well, so that it keeps nobody from the others.
    ///
    /// # Errors
    /// `store.unavailable`.
    async fn about(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<About>, BackendError>;
}

/// Exports audit events to another system, at least once. The event itself is in the commit; sinks are fed from there.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AuditSink: Send + Sync {
    /// Takes events.
    ///
    /// # Errors
    /// `store.unavailable`: the same events will be offered again.
    ///
    /// # Cancel safety
    /// Some of the events may have been taken.
    async fn export(&self, events: &[AuditEvent]) -> Result<(), BackendError>;
}

/// Everything that one backend keeps. Implemented for whatever implements the five ports.
pub trait Store: UserStore + DocumentStore + TaskQueue + OneTime + AuditLog {}

impl<T: UserStore + DocumentStore + TaskQueue + OneTime + AuditLog> Store for T {}
