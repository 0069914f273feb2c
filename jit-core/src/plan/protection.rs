//! What no connection may break: ceilings, protected roles, the last administrator, seats.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Account, AccountState, CounterChange, CounterName, Entitlement, EntitlementPattern};

/// Says what must hold in every tenant, whatever a connection asks for.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    protected: BTreeSet<Entitlement>,
    never_without: BTreeSet<Entitlement>,
    includes: BTreeMap<Entitlement, Vec<Entitlement>>,
    seats: Option<u32>,
}

impl Protection {
    /// Protects nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a connection grant this only when its ceiling names it exactly; a pattern does not suffice.
    #[must_use]
    pub fn protect(mut self, entitlement: Entitlement) -> Self {
        self.protected.insert(entitlement);
        self
    }

    /// Keeps at least one account of each tenant in this role, such as the last administrator. Only those count that last:
    /// an active account that has begun and has no end date, by a grant without one.
    #[must_use]
    pub fn never_without(mut self, entitlement: Entitlement) -> Self {
        self.protected.insert(entitlement.clone());
        self.never_without.insert(entitlement);
        self
    }

    /// Declares that one entitlement brings others with it: a ceiling must allow all of them.
    #[must_use]
    pub fn includes(mut self, composite: Entitlement, parts: Vec<Entitlement>) -> Self {
        self.includes.insert(composite, parts);
        self
    }

    /// Bounds the number of accounts of each tenant, in each store, that are active or wait for approval.
    #[must_use]
    pub fn seats(mut self, seats: u32) -> Self {
        self.seats = Some(seats);
        self
    }

    /// Tells whether the entitlement is protected.
    #[must_use]
    pub fn is_protected(&self, entitlement: &Entitlement) -> bool {
        self.protected.contains(entitlement)
    }

    /// Tells whether a ceiling allows the entitlement with everything that it brings.
    #[must_use]
    pub fn allows(&self, ceiling: &[EntitlementPattern], entitlement: &Entitlement) -> bool {
        let allows_one = |one: &Entitlement| {
            let exactly = self.is_protected(one);
            ceiling.iter().any(|pattern| pattern.matches(one) && (pattern.is_exact() || !exactly))
        };
        if self.includes.is_empty() {
            return allows_one(entitlement);
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![entitlement];
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                if !allows_one(next) {
                    return false;
                }
                open.extend(self.includes.get(next).into_iter().flatten());
            }
        }
        true
    }

    /// Counts how a change of an account moves the counters. With `absolute` no lower bound stands in the way: an end
    /// is an end.
    #[must_use]
    pub fn counters(&self, before: Option<&Account>, after: &Account, absolute: bool) -> Vec<CounterChange> {
        let mut changes = Vec::new();
        for entitlement in &self.never_without {
            let by = delta(before, after, |account| is_lasting_holder(account, entitlement));
            let at_least = (by < 0 && !absolute).then_some(1);
            changes.push(CounterChange {
                name: CounterName::holders(entitlement),
                by,
                at_least,
                at_most: None,
            });
        }
        if let Some(seats) = self.seats {
            let by = delta(before, after, takes_seat);
            let at_most = (by > 0).then_some(i64::from(seats));
            changes.push(CounterChange { name: CounterName::seats(), by, at_least: None, at_most });
        }
        changes.retain(|change| change.by != 0);
        changes
    }

    /// Names everything that is counted.
    pub(crate) fn counter_names(&self) -> Vec<CounterName> {
        let seats = self.seats.map(|_| CounterName::seats());
        self.never_without.iter().map(CounterName::holders).chain(seats).collect()
    }

    /// Tells how much one account counts for a counter.
    pub(crate) fn count_of(&self, name: &CounterName, account: &Account) -> i64 {
        match self.last_held(name) {
            Some(entitlement) => i64::from(is_lasting_holder(account, entitlement)),
            None => i64::from(takes_seat(account)),
        }
    }

    /// The role whose last holder a counter protects, by the counter's name.
    pub(crate) fn last_held(&self, counter: &CounterName) -> Option<&Entitlement> {
        self.never_without.iter().find(|entitlement| CounterName::holders(entitlement) == *counter)
    }
}

fn delta(before: Option<&Account>, after: &Account, counts: impl Fn(&Account) -> bool) -> i64 {
    i64::from(counts(after)) - i64::from(before.is_some_and(counts))
}

fn is_lasting_holder(account: &Account, entitlement: &Entitlement) -> bool {
    // Counted as of the commit that wrote it, so that each commit tells by how much the count moves.
    let has_begun = account.begins_at.is_none_or(|begin| begin <= account.updated_at);
    let lasts = account.state == AccountState::Active && account.ends_at.is_none() && has_begun;
    lasts && account.grants.iter().any(|grant| grant.entitlement == *entitlement && grant.ends_at.is_none())
}

fn takes_seat(account: &Account) -> bool {
    // What is lent to somebody takes no seat beside theirs.
    !account.is_remote() && matches!(account.state, AccountState::Active | AccountState::Pending { .. })
}
