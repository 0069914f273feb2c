//! Accounts that are over for good, by since when, and the ids of those that were forgotten.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{AccountId, Forgotten, LookupKey, Over};

#[derive(Default)]
pub(super) struct Overs {
    order: BTreeSet<Over>,
    /// No account comes into being under any of them again. What its lease made stays known.
    forgotten: HashMap<AccountId, Option<LookupKey>>,
}

impl Overs {
    pub(super) fn were_forgotten(&self, id: AccountId) -> bool {
        self.forgotten.contains_key(&id)
    }

    /// Tells whether it was forgotten, and its lease made what is looked for.
    pub(super) fn made(&self, id: AccountId, key: &LookupKey) -> bool {
        self.forgotten.get(&id).is_some_and(|made| made.as_ref() == Some(key))
    }

    /// Those that are over since then or longer, after one of them.
    pub(super) fn until(&self, until: DateTime<Utc>, after: Option<Over>) -> impl Iterator<Item = Over> {
        let first = Over { since: DateTime::<Utc>::MIN_UTC, account: AccountId::from_uuid(Uuid::nil()) };
        let from = after.map_or(Bound::Included(first), Bound::Excluded);
        let these = self.order.range((from, Bound::Unbounded)).copied();
        these.take_while(move |over| over.since <= until)
    }

    /// Brings the order from the keys that an account had to those that it has.
    pub(super) fn replace(&mut self, account: AccountId, removed: &[LookupKey], added: &[LookupKey]) {
        for since in removed.iter().filter_map(LookupKey::over_instant) {
            self.order.remove(&Over { since, account });
        }
        self.order
            .extend(added.iter().filter_map(LookupKey::over_instant).map(|since| Over { since, account }));
    }

    pub(super) fn forget(&mut self, forgotten: &Forgotten) {
        self.replace(forgotten.account(), std::slice::from_ref(forgotten.key()), &[]);
        self.forgotten.insert(forgotten.account(), forgotten.made().cloned());
    }
}
