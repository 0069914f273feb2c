//! What an account is found by, and what of it comes and goes with a write.

use std::{collections::HashSet, hash::Hash};

use serde::{Deserialize, Serialize};

use crate::{Account, AttributeName, EmailAddress, Entitlement, ExternalKey, LookupKey};

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

impl KeyChanges {
    /// All keys of a new account.
    pub(super) fn of(account: &Account) -> Self {
        Self {
            identities_added: identities(account).cloned().collect(),
            lookups_added: account.lookup_keys(),
            entitlements_added: entitlements(account).into_iter().cloned().collect(),
            ..Self::default()
        }
    }

    /// The keys in which two states of an account differ.
    pub(super) fn between(before: &Account, after: &Account) -> Self {
        let (identities_added, identities_removed) = difference(identities(before), identities(after));
        let (lookups_added, lookups_removed) = if is_found_alike(before, after) {
            (Vec::new(), Vec::new())
        } else {
            difference(before.lookup_keys().iter(), after.lookup_keys().iter())
        };
        let (held_before, held_after) = (entitlements(before), entitlements(after));
        let (entitlements_added, entitlements_removed) =
            difference(held_before.iter().copied(), held_after.iter().copied());
        Self {
            identities_added,
            identities_removed,
            lookups_added,
            lookups_removed,
            entitlements_added,
            entitlements_removed,
        }
    }
}

fn identities(account: &Account) -> impl Iterator<Item = &ExternalKey> + Clone {
    account.identities.iter().map(|identity| &identity.key)
}

fn entitlements(account: &Account) -> Vec<&Entitlement> {
    let mut held: Vec<_> = account.grants.iter().map(|grant| &grant.entitlement).collect();
    held.sort();
    held.dedup();
    held
}

/// Tells of two states of an account, as nearly all are, that they are found by the same keys, without making the keys.
fn is_found_alike(before: &Account, after: &Account) -> bool {
    fn address(account: &Account) -> Option<&EmailAddress> {
        account.email.as_ref().map(|email| &email.address)
    }
    fn searchable(account: &Account) -> impl Iterator<Item = (&AttributeName, &str)> {
        let values = account
            .attributes
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        values.filter(|(_, value)| value.searchable).map(|(name, value)| (name, value.text.as_str()))
    }
    let has_no_others = |account: &Account| {
        account.lease.is_none()
            && account.elevation.is_none()
            && account.mirrors.is_empty()
            && account.records.iter().all(|record| record.parked.is_none())
    };
    has_no_others(before)
        && has_no_others(after)
        && address(before) == address(after)
        && searchable(before).eq(searchable(after))
}

/// What is there after and was not before, and what was there before and is not after. A source says how much that is.
fn difference<'a, T: Eq + Hash + Clone + 'a>(
    before: impl Iterator<Item = &'a T> + Clone,
    after: impl Iterator<Item = &'a T> + Clone,
) -> (Vec<T>, Vec<T>) {
    if before.clone().eq(after.clone()) {
        return (Vec::new(), Vec::new());
    }
    (without(after.clone(), before.clone()), without(before, after))
}

fn without<'a, T: Eq + Hash + Clone + 'a>(
    these: impl Iterator<Item = &'a T>,
    others: impl Iterator<Item = &'a T>,
) -> Vec<T> {
    let others: HashSet<_> = others.collect();
    these.filter(|item| !others.contains(item)).cloned().collect()
}
