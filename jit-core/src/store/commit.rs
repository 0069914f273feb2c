//! The atomic write.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::{Account, AccountId, AuditEvent, Entitlement, ExternalKey, LookupKey, TaskId, TenantId};

/// Carries everything that a backend writes together: at most one account, tasks, audit events, counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// The tenant that every part belongs to.
    pub tenant: TenantId,
    /// The account as it shall be.
    pub account: Option<AccountWrite>,
    /// Tasks that come into being.
    pub tasks: Vec<Task>,
    /// Tasks that are withdrawn; those already gone are passed over.
    pub withdrawn: Vec<TaskId>,
    /// What is recorded.
    pub events: Vec<AuditEvent>,
    /// Counters that move, each within its bounds.
    pub counters: Vec<CounterChange>,
}

impl Commit {
    /// Begins a commit that writes nothing yet.
    #[must_use]
    pub fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            account: None,
            tasks: Vec::new(),
            withdrawn: Vec::new(),
            events: Vec::new(),
            counters: Vec::new(),
        }
    }

    /// Tells whether every part belongs to the tenant; a backend refuses a commit for which this is false.
    #[must_use]
    pub fn is_within_tenant(&self) -> bool {
        let account = self.account.as_ref().is_none_or(|write| write.after.tenant == self.tenant);
        account
            && self.tasks.iter().all(|task| task.tenant == self.tenant)
            && self.events.iter().all(|event| event.tenant == self.tenant)
    }
}

/// Carries an account as it shall be, with the version it was planned on and the keys that change.
///
/// Fields are private so that the keys always agree with the account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountWrite {
    expected: Option<u64>,
    after: Account,
    keys: KeyChanges,
}

impl AccountWrite {
    /// Writes an account that must not exist yet.
    #[must_use]
    pub fn create(after: Account) -> Self {
        let keys = KeyChanges {
            identities_added: after.identities.iter().map(|identity| identity.key.clone()).collect(),
            lookups_added: after.lookup_keys(),
            entitlements_added: entitlements(&after),
            ..KeyChanges::default()
        };
        Self { expected: None, after, keys }
    }

    /// Writes an account over `before`, which must still be what is stored.
    #[must_use]
    pub fn update(before: &Account, after: Account) -> Self {
        let identities = |account: &Account| {
            account.identities.iter().map(|identity| identity.key.clone()).collect::<Vec<_>>()
        };
        let (identities_added, identities_removed) = difference(&identities(before), &identities(&after));
        let (lookups_added, lookups_removed) = difference(&before.lookup_keys(), &after.lookup_keys());
        let (entitlements_added, entitlements_removed) =
            difference(&entitlements(before), &entitlements(&after));
        let keys = KeyChanges {
            identities_added,
            identities_removed,
            lookups_added,
            lookups_removed,
            entitlements_added,
            entitlements_removed,
        };
        Self { expected: Some(before.version), after, keys }
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

    /// The keys that come and go.
    #[must_use]
    pub fn keys(&self) -> &KeyChanges {
        &self.keys
    }
}

fn entitlements(account: &Account) -> Vec<Entitlement> {
    let mut held: Vec<_> = account.grants.iter().map(|grant| grant.entitlement.clone()).collect();
    held.sort();
    held.dedup();
    held
}

fn difference<T: PartialEq + Clone>(before: &[T], after: &[T]) -> (Vec<T>, Vec<T>) {
    let added = after.iter().filter(|item| !before.contains(item)).cloned().collect();
    let removed = before.iter().filter(|item| !after.contains(item)).cloned().collect();
    (added, removed)
}

/// Lists the index keys of an account that come and go with a write.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyChanges {
    /// Identities that may sign in from now on.
    pub identities_added: Vec<ExternalKey>,
    /// Identities that may no longer.
    pub identities_removed: Vec<ExternalKey>,
    /// Lookup keys that lead here from now on.
    pub lookups_added: Vec<LookupKey>,
    /// Lookup keys that no longer do.
    pub lookups_removed: Vec<LookupKey>,
    /// Entitlements held from now on.
    pub entitlements_added: Vec<Entitlement>,
    /// Entitlements no longer held.
    pub entitlements_removed: Vec<Entitlement>,
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
