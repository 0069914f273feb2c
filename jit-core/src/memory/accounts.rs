//! The accounts of one tenant with their indexes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use chrono::{DateTime, Utc};

use crate::{
    Account, AccountId, AccountWrite, Cursor, Entitlement, ErrorKind, ExternalKey, Filter, LookupKey,
    Matches, PAGE_ITEMS, Page, Query, Taken,
};

#[derive(Default)]
pub(super) struct Accounts {
    // In boxes: what comes in the order of its id leaves nodes half empty.
    all: BTreeMap<AccountId, Box<Account>>,
    identities: BTreeMap<ExternalKey, AccountId>,
    names: BTreeMap<String, AccountId>,
    lookups: Pairs<LookupKey>,
    states: Index<&'static str>,
    holders: Index<Entitlement>,
}

impl Accounts {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, id: AccountId) -> Option<&Account> {
        self.all.get(&id).map(AsRef::as_ref)
    }

    pub(super) fn find(&self, key: &ExternalKey) -> Option<&Account> {
        self.identities.get(key).and_then(|id| self.get(*id))
    }

    pub(super) fn named(&self, key: &str) -> Option<&Account> {
        self.names.get(key).and_then(|id| self.get(*id))
    }

    pub(super) fn matching(&self, key: &LookupKey) -> Matches {
        let mut found = self.lookups.ids(key, None).filter_map(|id| self.get(id));
        match (found.next(), found.next()) {
            (None, _) => Matches::None,
            (Some(account), None) => Matches::One(Box::new(account.clone())),
            (Some(_), Some(_)) => Matches::Several,
        }
    }

    pub(super) fn list(&self, query: &Query) -> Page<Account> {
        let after = query.after.map(|cursor| AccountId::from_uuid(cursor.id()));
        let limit = query.limit.get().min(PAGE_ITEMS);
        match &query.filter {
            Filter::All => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                page(self.all.range((from, Bound::Unbounded)).map(|(_, account)| account.as_ref()), limit)
            }
            Filter::State(word) => self.page_of(self.states.ids(word, after), limit),
            Filter::Holding(entitlement) => self.page_of(self.holders.ids(entitlement, after), limit),
            Filter::Bearing(key) => self.page_of(self.lookups.ids(key, after), limit),
        }
    }

    fn page_of(&self, ids: impl Iterator<Item = AccountId>, limit: usize) -> Page<Account> {
        page(ids.filter_map(|id| self.get(id)), limit)
    }

    /// Lists what speaks against a write.
    pub(super) fn refusals(&self, write: &AccountWrite) -> Vec<ErrorKind> {
        let (after, stored) = (write.after(), self.all.get(&write.after().id));
        let mut refusals = Vec::new();
        match (write.expected(), stored) {
            (None, None) => {}
            (None, Some(_)) => refusals.push(ErrorKind::AlreadyExists(Taken::Account)),
            (Some(expected), Some(stored)) if stored.version == expected && is_unused(stored, write) => {}
            (Some(_), _) => refusals.push(ErrorKind::Conflict),
        }
        // An account does not stand in its own way, unless the write does not know what is stored.
        let in_the_way = |holder: Option<&AccountId>, adds: bool| match holder {
            Some(id) if *id == after.id => adds && !refusals.is_empty(),
            holder => holder.is_some(),
        };
        let added = &write.keys().identities_added;
        let mut identities = after.identities.iter().map(|identity| &identity.key);
        let identity = identities.any(|key| in_the_way(self.identities.get(key), added.contains(key)));
        let mut names = after.user_name.iter().map(|name| self.names.get(name.key()));
        let name = names.any(|holder| in_the_way(holder, write.expected().is_none()));
        refusals.extend(identity.then_some(ErrorKind::AlreadyExists(Taken::Identity)));
        refusals.extend(name.then_some(ErrorKind::AlreadyExists(Taken::UserName)));
        refusals
    }

    /// Writes an account that nothing speaks against.
    pub(super) fn write(&mut self, write: &AccountWrite) {
        let mut after = write.after().clone();
        if let Some(before) = self.all.remove(&after.id) {
            self.unindex(&before);
            after.last_seen = after.last_seen.max(before.last_seen);
        }
        self.index(&after);
        self.all.insert(after.id, Box::new(after));
    }

    pub(super) fn touch(&mut self, id: AccountId, at: DateTime<Utc>) {
        if let Some(account) = self.all.get_mut(&id) {
            account.last_seen = account.last_seen.max(Some(at));
        }
    }

    fn index(&mut self, account: &Account) {
        for identity in &account.identities {
            self.identities.insert(identity.key.clone(), account.id);
        }
        if let Some(name) = &account.user_name {
            self.names.insert(name.key().to_owned(), account.id);
        }
        for key in account.lookup_keys() {
            self.lookups.add(key, account.id);
        }
        self.states.add(account.state.word(), account.id);
        for grant in &account.grants {
            self.holders.add(grant.entitlement.clone(), account.id);
        }
    }

    fn unindex(&mut self, account: &Account) {
        for identity in &account.identities {
            self.identities.remove(&identity.key);
        }
        if let Some(name) = &account.user_name {
            self.names.remove(name.key());
        }
        for key in account.lookup_keys() {
            self.lookups.remove(key, account.id);
        }
        self.states.remove(&account.state.word(), account.id);
        for grant in &account.grants {
            self.holders.remove(&grant.entitlement, account.id);
        }
    }
}

/// Tells whether no use stands in the way that is later than the write was planned on.
fn is_unused(stored: &Account, write: &AccountWrite) -> bool {
    write.unused_since().is_none_or(|since| stored.last_seen.is_none_or(|seen| seen <= since))
}

/// Takes a page from accounts in the order of their ids.
fn page<'a>(mut accounts: impl Iterator<Item = &'a Account>, limit: usize) -> Page<Account> {
    let items: Vec<Account> = accounts.by_ref().take(limit).cloned().collect();
    let more = accounts.next().is_some();
    let next = items.last().filter(|_| more).map(|last| Cursor::after(last.id.as_uuid()));
    Page { items, next }
}

/// Leads from a key that few carry to the accounts that do.
struct Pairs<K>(BTreeSet<(K, AccountId)>);

impl<K> Default for Pairs<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord + Clone> Pairs<K> {
    fn ids(&self, key: &K, after: Option<AccountId>) -> impl Iterator<Item = AccountId> {
        let from = match after {
            Some(id) => Bound::Excluded((key.clone(), id)),
            None => Bound::Included((key.clone(), AccountId::from_uuid(uuid::Uuid::nil()))),
        };
        let pairs = self.0.range((from, Bound::Unbounded));
        pairs.take_while(move |(other, _)| other == key).map(|(_, id)| *id)
    }

    fn add(&mut self, key: K, id: AccountId) {
        self.0.insert((key, id));
    }

    fn remove(&mut self, key: K, id: AccountId) {
        self.0.remove(&(key, id));
    }
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
        let ids = self.0.get(key).map(|ids| ids.range((from, Bound::Unbounded)).copied());
        ids.into_iter().flatten()
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
