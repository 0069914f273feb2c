//! Last-seen instants, collected and written together: a returning sign-in writes nothing by itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Account, AccountId, Seen, StoreId, TenantId};

/// The number of collected instants at which they are written.
const FULL: usize = 1000;

type Waiting = HashMap<(Option<StoreId>, TenantId, AccountId), DateTime<Utc>>;

/// Collects when accounts were last used.
pub(super) struct SeenBuffer {
    every: TimeDelta,
    waiting: Mutex<Waiting>,
}

impl SeenBuffer {
    pub(super) fn new(every: TimeDelta) -> Self {
        Self { every, waiting: Mutex::default() }
    }

    /// Notes that an account is used, if what is known is older than the granularity; tells whether it is time to write.
    /// Where disuse ends an account, it is: a forgotten use must not end it.
    pub(super) fn note(&self, store: Option<&StoreId>, account: &Account, now: DateTime<Utc>) -> bool {
        let granularity = account.seen_granularity().map_or(self.every, |exact| self.every.min(exact));
        if account.last_seen.is_some_and(|seen| now - seen < granularity) {
            return false;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert((store.cloned(), account.tenant.clone(), account.id), now);
        waiting.len() >= FULL || account.idle_limit.is_some()
    }

    /// Takes everything out, by store.
    pub(super) fn take_all(&self) -> HashMap<Option<StoreId>, Vec<Seen>> {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut by_store: HashMap<Option<StoreId>, Vec<Seen>> = HashMap::new();
        for ((store, tenant, account), at) in waiting {
            by_store.entry(store).or_default().push(Seen { tenant, account, at });
        }
        by_store
    }

    /// Puts back what could not be written; newer instants stay.
    pub(super) fn put_back(&self, store: Option<&StoreId>, seen: Vec<Seen>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for Seen { tenant, account, at } in seen {
            waiting.entry((store.cloned(), tenant, account)).or_insert(at);
        }
    }
}
