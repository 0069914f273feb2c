//! The accounts of one tenant with their indexes.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    ops::Bound,
};

use chrono::{DateTime, Utc};
use smol_str::SmolStr;
use uuid::Uuid;

use super::{
    hashed::Hashed,
    over::Overs,
    packed::{Packed, Tables},
    rows::Rows,
};
use crate::{
    Account, AccountId, AccountWrite, Cursor, Entitlement, ErrorKind, ExternalKey, Filter, Forgotten,
    LookupKey, Matches, Over, PAGE_ITEMS, Page, Query, Taken,
};

#[derive(Default)]
pub(super) struct Accounts {
    rows: Rows<Packed>,
    tables: Tables,
    /// By hashes, so that the text of a key is kept once: with the account.
    identities: Hashed<ExternalKey>,
    names: Hashed<str>,
    lookups: Hashed<LookupKey>,
    states: Index<&'static str>,
    holders: Index<Entitlement>,
    over: Overs,
}

/// Reading.
impl Accounts {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, id: AccountId) -> Option<Account> {
        self.rows.get(id)?.account(&self.tables)
    }

    pub(super) fn find(&self, key: &ExternalKey) -> Option<Account> {
        self.each(self.identities.ids(key, None)).find(|account| account.is_linked_to(key))
    }

    pub(super) fn named(&self, key: &str) -> Option<Account> {
        let is_named = |account: &Account| account.user_name.as_ref().is_some_and(|name| name.key() == key);
        self.each(self.names.ids(key, None)).find(is_named)
    }

    pub(super) fn matching(&self, key: &LookupKey) -> Matches {
        let mut found = self.bearing(key, None);
        match (found.next(), found.next()) {
            (None, _) => Matches::None,
            (Some(account), None) => Matches::One(Box::new(account)),
            (Some(_), Some(_)) => Matches::Several,
        }
    }

    pub(super) fn list(&self, query: &Query) -> Page<Account> {
        let after = query.after.map(|cursor| AccountId::from_uuid(cursor.id()));
        let limit = query.limit.get().min(PAGE_ITEMS);
        match &query.filter {
            Filter::All => {
                let rows = self.rows.after(after, 0);
                page_of(rows.filter_map(|row| row.account(&self.tables)), limit)
            }
            Filter::State(word) => page_of(self.each(self.states.ids(word, after)), limit),
            Filter::Holding(entitlement) => page_of(self.each(self.holders.ids(entitlement, after)), limit),
            Filter::Bearing(key) => page_of(self.bearing(key, after), limit),
        }
    }

    pub(super) fn bearers(
        &self,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Page<AccountId> {
        let after = after.map(|cursor| AccountId::from_uuid(cursor.id()));
        let bears = |id: &AccountId| {
            let kept = self.get(*id);
            kept.map_or_else(|| self.over.made(*id, key), |account| account.lookup_keys().contains(key))
        };
        let ids = self.lookups.ids(key, after).filter(bears);
        page(ids, limit.get().min(PAGE_ITEMS), |id| id.as_uuid())
    }

    pub(super) fn long_over(
        &self,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: NonZeroUsize,
    ) -> Vec<Over> {
        self.over.until(until, after).take(limit.get().min(PAGE_ITEMS)).collect()
    }

    /// Tells whether any of these is not as it was read.
    pub(super) fn keeps(&self, forgotten: &[Forgotten]) -> bool {
        let is_as_read = |row: &Packed, forgotten: &Forgotten| row.version == forgotten.version();
        !forgotten.iter().all(|each| self.rows.get(each.account()).is_some_and(|row| is_as_read(row, each)))
    }

    fn each(&self, ids: impl Iterator<Item = AccountId>) -> impl Iterator<Item = Account> {
        ids.filter_map(|id| self.get(id))
    }

    /// The accounts that can be found by a key, in the order of their ids.
    fn bearing(&self, key: &LookupKey, after: Option<AccountId>) -> impl Iterator<Item = Account> {
        self.each(self.lookups.ids(key, after)).filter(move |account| account.lookup_keys().contains(key))
    }
}

/// Writing.
impl Accounts {
    /// Lists what speaks against a write.
    pub(super) fn refusals(&self, write: &AccountWrite) -> Vec<ErrorKind> {
        let (after, stored) = (write.after(), self.rows.get(write.after().id));
        let mut refusals = Vec::new();
        match (write.expected(), stored) {
            (None, None) if !self.over.were_forgotten(after.id) => {}
            (None, _) => refusals.push(ErrorKind::AlreadyExists(Taken::Account)),
            (Some(expected), Some(stored)) if stored.version == expected && is_unused(stored, write) => {}
            (Some(_), _) => refusals.push(ErrorKind::Conflict),
        }
        // An account does not stand in its own way, unless the write does not know what is stored.
        let is_known = refusals.is_empty();
        let others = |id: &AccountId| *id != after.id || !is_known;
        let added = &write.keys().identities_added;
        let has_identity = |key: &ExternalKey| {
            let mut holders = self.each(self.identities.ids(key, None).filter(others));
            holders.any(|holder| holder.is_linked_to(key) && (holder.id != after.id || added.contains(key)))
        };
        // What it had before, it has alone.
        let mut keys = after.identities.iter().map(|identity| &identity.key);
        let identity = keys.any(|key| (!is_known || added.contains(key)) && has_identity(key));
        let has_name = |key: &str| {
            let mut holders = self.each(self.names.ids(key, None).filter(others));
            holders.any(|holder| {
                holder.user_name.as_ref().is_some_and(|name| name.key() == key)
                    && (holder.id != after.id || write.expected().is_none())
            })
        };
        let name = after.user_name.iter().any(|name| has_name(name.key()));
        refusals.extend(identity.then_some(ErrorKind::AlreadyExists(Taken::Identity)));
        refusals.extend(name.then_some(ErrorKind::AlreadyExists(Taken::UserName)));
        refusals
    }

    /// Writes an account that nothing speaks against.
    pub(super) fn write(&mut self, write: &AccountWrite) {
        let after = write.after();
        let before = self.rows.get(after.id);
        let known = before.and_then(Packed::state_and_name);
        let seen = before.and_then(|before| before.last_seen);
        let mut packed = Packed::of(after, &mut self.tables);
        packed.last_seen = packed.last_seen.max(seen);
        self.rows.put(packed);
        self.index(write, known);
    }

    pub(super) fn touch(&mut self, id: AccountId, at: DateTime<Utc>) {
        if let Some(account) = self.rows.get_mut(id) {
            account.last_seen = account.last_seen.max(Some(at));
        }
    }

    /// Removes accounts that nothing leads to but that they are over, and what their leases made: that stays, as their ids do.
    pub(super) fn forget(&mut self, forgotten: &[Forgotten]) {
        for each in forgotten {
            let id = each.account();
            let known = self.rows.remove(id).as_ref().and_then(Packed::state_and_name);
            if let Some((word, _)) = known {
                self.states.remove(&word, id);
            }
            self.lookups.replace(id, std::slice::from_ref(each.key()), &[]);
            self.over.forget(each);
        }
    }

    /// Brings the indexes from what was `before` to what is written.
    fn index(&mut self, write: &AccountWrite, before: Option<(&'static str, Option<SmolStr>)>) {
        let (after, keys) = (write.after(), write.keys());
        let id = after.id;
        self.identities.replace(id, &keys.identities_removed, &keys.identities_added);
        self.lookups.replace(id, &keys.lookups_removed, &keys.lookups_added);
        self.over.replace(id, &keys.lookups_removed, &keys.lookups_added);
        for entitlement in &keys.entitlements_removed {
            self.holders.remove(entitlement, id);
        }
        for entitlement in &keys.entitlements_added {
            self.holders.add(entitlement.clone(), id);
        }
        let (state, name) = before.unzip();
        let (old, new) = (name.flatten(), after.user_name.as_ref().map(crate::UserName::key));
        if old.as_deref() != new {
            self.names.replace(id, old.as_deref(), new);
        }
        if state != Some(after.state.word()) {
            if let Some(word) = state {
                self.states.remove(&word, id);
            }
            self.states.add(after.state.word(), id);
        }
    }
}

/// Tells whether no use stands in the way that is later than the write was planned on.
fn is_unused(stored: &Packed, write: &AccountWrite) -> bool {
    write.unused_since().is_none_or(|since| stored.last_seen.is_none_or(|seen| seen <= since))
}

/// Takes a page of accounts in the order of their ids.
fn page_of(accounts: impl Iterator<Item = Account>, limit: usize) -> Page<Account> {
    page(accounts, limit, |account| account.id.as_uuid())
}

fn page<T>(mut all: impl Iterator<Item = T>, limit: usize, id: impl Fn(&T) -> Uuid) -> Page<T> {
    let items: Vec<T> = all.by_ref().take(limit).collect();
    let more = all.next().is_some();
    let next = items.last().filter(|_| more).map(|last| Cursor::after(id(last)));
    Page { items, next }
}

/// Leads from a key that many carry to the accounts that do.
struct Index<K>(BTreeMap<K, BTreeSet<AccountId>>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Index<K> {
    fn ids(&self, key: &K, after: Option<AccountId>) -> impl Iterator<Item = AccountId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.0.get(key).map(|ids| ids.range((from, Bound::Unbounded)));
        ids.into_iter().flatten().copied()
    }

    fn add(&mut self, key: K, id: AccountId) {
        self.0.entry(key).or_default().insert(id);
    }

    fn remove(&mut self, key: &K, id: AccountId) {
        if let Some(ids) = self.0.get_mut(key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.0.remove(key);
            }
        }
    }
}
