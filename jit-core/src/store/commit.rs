//! The atomic write.

use std::{collections::BTreeSet, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DocumentWrite, Forgotten, KeyChanges, MemberChange, PAGE_ITEMS, Task};
use crate::{
    Account, AccountId, AuditEvent, BackendError, ConnectionId, EmailAddress, Entitlement, ErrorKind,
    RuleName, TargetId, TaskId, TenantId, UserName,
};

/// Carries everything that a backend writes together: at most one account, documents, tasks, audit events,
/// counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// The tenant that every part belongs to.
    pub tenant: TenantId,
    /// The account as it shall be.
    pub account: Option<AccountWrite>,
    /// Documents that come, change or go. Names and members are as they are when all of them are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentWrite>,
    /// Tasks that come into being.
    pub tasks: Vec<Task>,
    /// Tasks that are withdrawn; those already gone are passed over.
    pub withdrawn: Vec<TaskId>,
    /// What is recorded.
    pub events: Vec<AuditEvent>,
    /// Counters that move, each within its bounds.
    pub counters: Vec<CounterChange>,
    /// Accounts that are removed, each as it was read; up to [`PAGE_ITEMS`], and beside no account or document that is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<Forgotten>,
}

impl Commit {
    /// Begins a commit that writes nothing yet.
    #[must_use]
    pub fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            account: None,
            documents: Vec::new(),
            tasks: Vec::new(),
            withdrawn: Vec::new(),
            events: Vec::new(),
            counters: Vec::new(),
            forgotten: Vec::new(),
        }
    }

    /// Refuses a commit that is wrong in itself: parts of another tenant, a thing that is named twice, a version that
    /// does not follow the one before. Every backend asks first.
    ///
    /// # Errors
    /// `store.invalid`.
    pub fn check(&self) -> Result<(), BackendError> {
        let wrong = if !self.is_within_tenant() {
            "a part belongs to another tenant"
        } else if !self.names_everything_once() {
            "a part is named twice"
        } else if !self.account.as_ref().is_none_or(AccountWrite::counts_on) {
            "the version does not follow the one before"
        } else if let Some(wrong) = self.documents.iter().find_map(DocumentWrite::wrong) {
            wrong
        } else if self.forgets_beside_writing() {
            "what is forgotten goes by itself, and not without bound"
        } else if self.adds_what_it_removes() {
            "a document that is removed becomes a member"
        } else {
            return Ok(());
        };
        Err(BackendError::new(ErrorKind::Invalid, "users.commit").caused_by(wrong))
    }

    fn forgets_beside_writing(&self) -> bool {
        let writes = self.account.is_some() || !self.documents.is_empty();
        self.forgotten.len() > PAGE_ITEMS || (writes && !self.forgotten.is_empty())
    }

    fn adds_what_it_removes(&self) -> bool {
        let removed = self.documents.iter().filter(|write| write.removed_at().is_some());
        let removed = removed.map(|write| {
            let of = &write.key().collection;
            (&of.connection, &of.kind, write.key().id)
        });
        let removed: BTreeSet<_> = removed.collect();
        let is_removed = |group: &DocumentWrite, change: &MemberChange| match change {
            MemberChange::Add { member, kind, .. } => {
                removed.contains(&(&group.key().collection.connection, kind, *member))
            }
            MemberChange::Remove { .. } | MemberChange::Clear => false,
        };
        !removed.is_empty()
            && self
                .documents
                .iter()
                .any(|group| group.members().iter().any(|change| is_removed(group, change)))
    }

    fn names_everything_once(&self) -> bool {
        let tasks = self.tasks.iter().map(|task| task.id);
        let withdrawn: BTreeSet<_> = self.withdrawn.iter().copied().collect();
        let identities = self.account.iter().flat_map(|write| &write.after.identities);
        all_differ(tasks.chain(withdrawn))
            && all_differ(self.events.iter().map(|event| event.id))
            && all_differ(self.counters.iter().map(|change| &change.name))
            && all_differ(identities.map(|identity| &identity.key))
            && all_differ(self.documents.iter().map(DocumentWrite::key))
            && all_differ(self.forgotten.iter().map(Forgotten::account))
    }

    /// Tells whether every part belongs to the tenant; a backend refuses a commit for which this is false.
    #[must_use]
    pub fn is_within_tenant(&self) -> bool {
        let account = self.account.as_ref().is_none_or(|write| {
            let identities = &write.after.identities;
            write.after.tenant == self.tenant
                && identities.iter().all(|identity| identity.key.tenant == self.tenant)
        });
        account
            && self.documents.iter().all(|write| write.key().collection.tenant == self.tenant)
            && self.tasks.iter().all(|task| task.tenant == self.tenant)
            && self.events.iter().all(|event| event.tenant == self.tenant)
            && self.forgotten.iter().all(|forgotten| *forgotten.tenant() == self.tenant)
    }
}

/// Carries an account as it shall be, with the version it was planned on and the keys that change.
///
/// Fields are private so that the keys always agree with the account. The write numbers the versions by itself: 1 for a
/// new account, one more than `before` for an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountWrite {
    expected: Option<u64>,
    after: Arc<Account>,
    keys: KeyChanges,
    #[serde(default)]
    keeps_state_and_name: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unused_since: Option<DateTime<Utc>>,
}

impl AccountWrite {
    /// Writes an account that must not exist yet.
    #[must_use]
    pub fn create(mut after: Account) -> Self {
        after.version = 1;
        let keys = KeyChanges::of(&after);
        Self { expected: None, after: Arc::new(after), keys, keeps_state_and_name: false, unused_since: None }
    }

    /// Writes an account over `before`, which must still be what is stored.
    #[must_use]
    pub fn update(before: &Account, mut after: Account) -> Self {
        after.version = before.version.saturating_add(1);
        let keys = KeyChanges::between(before, &after);
        let keeps_state_and_name = before.state.word() == after.state.word()
            && before.user_name.as_ref().map(UserName::key) == after.user_name.as_ref().map(UserName::key);
        Self {
            expected: Some(before.version),
            after: Arc::new(after),
            keys,
            keeps_state_and_name,
            unused_since: None,
        }
    }

    /// Lets the write go ahead only while no use later than `at` is stored: a touch leaves the version as it is, so that
    /// the version alone would let disuse end an account that is used at the same moment.
    #[must_use]
    pub fn if_unused_since(mut self, at: DateTime<Utc>) -> Self {
        self.unused_since = Some(at);
        self
    }

    /// The latest use that may be stored; a backend refuses with `store.conflict` where a later one is.
    #[must_use]
    pub fn unused_since(&self) -> Option<DateTime<Utc>> {
        self.unused_since
    }

    /// Tells whether the account keeps the word of its state and its user name: where it does, a backend that indexes
    /// accounts by them can leave these indexes alone.
    #[must_use]
    pub fn keeps_state_and_name(&self) -> bool {
        self.keeps_state_and_name
    }

    /// The version that must be stored; `None` where the account must not exist.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// The account as it shall be.
    #[must_use]
    pub fn after(&self) -> &Account {
        &self.after
    }

    /// The account as it shall be, so that it need not be copied to be kept beyond the write.
    pub(crate) fn shared(&self) -> Arc<Account> {
        Arc::clone(&self.after)
    }

    fn counts_on(&self) -> bool {
        self.after.version == self.expected.map_or(1, |version| version.saturating_add(1))
    }

    /// The keys that come and go.
    #[must_use]
    pub fn keys(&self) -> &KeyChanges {
        &self.keys
    }
}

fn all_differ<T: Ord>(mut items: impl Iterator<Item = T>) -> bool {
    let (Some(first), Some(second)) = (items.next(), items.next()) else { return true };
    let mut met = BTreeSet::from([first]);
    met.insert(second) && items.all(|item| met.insert(item))
}

/// Names a counter of a tenant, such as `seats` or `holders:role:admin`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CounterName(String);

impl CounterName {
    /// Counts the accounts of the tenant that take a seat.
    #[must_use]
    pub fn seats() -> Self {
        Self("seats".into())
    }

    /// Counts the accounts of the tenant that hold an entitlement.
    #[must_use]
    pub fn holders(entitlement: &Entitlement) -> Self {
        Self(format!("holders:{entitlement}"))
    }

    /// Counts the accounts that carry an address; by a digest, so that the name tells nothing.
    #[must_use]
    pub fn address(address: &EmailAddress) -> Self {
        use sha2::{Digest as _, Sha256};
        const DIGITS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        let mut name = String::with_capacity("address:".len() + 64);
        name.push_str("address:");
        for byte in Sha256::digest(address.key().as_bytes()) {
            let halves = [byte >> 4, byte & 15].map(usize::from);
            name.extend(halves.iter().filter_map(|half| DIGITS.get(*half)));
        }
        Self(name)
    }

    /// Tells whether this counts the accounts that carry one address.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.0.starts_with("address:")
    }

    /// Counts the people whom a connection let go in one span of time, by the span's number.
    #[must_use]
    pub fn leavers(connection: &ConnectionId, span: i64) -> Self {
        Self(format!("left:{connection}:{span}"))
    }

    /// Tells whether this counts leavers.
    #[must_use]
    pub fn is_leavers(&self) -> bool {
        self.0.starts_with("left:")
    }

    /// Counts the people whom a connection removed for good in one span of time and who were out of use before, by the
    /// span's number.
    #[must_use]
    pub fn removals(connection: &ConnectionId, span: i64) -> Self {
        Self(format!("removed:{connection}:{span}"))
    }

    /// Tells whether this counts removals.
    #[must_use]
    pub fn is_removals(&self) -> bool {
        self.0.starts_with("removed:")
    }

    /// Counts how many accounts may still be stopped in a target that they are mirrored to, in one span of time, by the
    /// span's number.
    #[must_use]
    pub fn stops(target: &TargetId, span: i64) -> Self {
        Self(format!("stops:{target}:{span}"))
    }

    /// Counts what somebody allowed to be stopped besides, in the span of this number and in the next.
    #[must_use]
    pub fn stops_allowed(target: &TargetId, span: i64) -> Self {
        Self(format!("stops:{target}:{span}:allowed"))
    }

    /// Tells whether this counts what may still be stopped.
    #[must_use]
    pub fn is_stops(&self) -> bool {
        self.0.starts_with("stops:")
    }

    /// Counts what is lent to a holder.
    #[must_use]
    pub fn lent(holder: AccountId) -> Self {
        Self(format!("lent:{holder}"))
    }

    /// Counts what is lent to a holder by one role of a target.
    #[must_use]
    pub fn lent_as(holder: AccountId, target: &TargetId, role: &RuleName) -> Self {
        // Both names may hold the sign between them.
        Self(format!("lent:{holder}:{}:{target}:{role}", target.as_str().len()))
    }

    /// Marks that what another counter counts has been counted.
    pub(crate) fn counted(other: &Self) -> Self {
        Self(format!("counted:{other}"))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CounterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CounterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CounterName({})", self.0)
    }
}

/// Moves a counter (which starts at zero) and bounds where it may arrive, atomically with the rest of the commit: two
/// commits that each leave the bound intact alone cannot break it together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterChange {
    /// The counter.
    pub name: CounterName,
    /// By how much.
    pub by: i64,
    /// The least value it may arrive at.
    pub at_least: Option<i64>,
    /// The greatest value it may arrive at.
    pub at_most: Option<i64>,
}

/// Tells that an account was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The tenant of the account.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// When.
    pub at: DateTime<Utc>,
}
