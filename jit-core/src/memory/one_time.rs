//! Values that may be put once and taken once.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use chrono::{DateTime, Utc};

use crate::{ErrorKind, ONE_TIME_BYTES, OneTimeKey, PAGE_ITEMS, Taken};

#[derive(Default)]
pub(super) struct OneTimes {
    entries: BTreeMap<OneTimeKey, Entry>,
    ends: BTreeSet<(DateTime<Utc>, OneTimeKey)>,
}

struct Entry {
    value: Vec<u8>,
    until: DateTime<Utc>,
}

impl OneTimes {
    pub(super) fn put(
        &mut self,
        key: &OneTimeKey,
        value: &[u8],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), ErrorKind> {
        if value.len() > ONE_TIME_BYTES {
            return Err(ErrorKind::Invalid);
        }
        if self.entries.get(key).is_some_and(|entry| now < entry.until) {
            return Err(ErrorKind::AlreadyExists(Taken::OneTime));
        }
        self.remove(key);
        self.ends.insert((until, key.clone()));
        self.entries.insert(key.clone(), Entry { value: value.to_vec(), until });
        Ok(())
    }

    pub(super) fn take(&mut self, key: &OneTimeKey, now: DateTime<Utc>) -> Option<Vec<u8>> {
        let entry = self.remove(key)?;
        (now < entry.until).then_some(entry.value)
    }

    pub(super) fn purge(&mut self, now: DateTime<Utc>, limit: NonZeroUsize) -> usize {
        let over = self.ends.iter().take_while(|(until, _)| *until <= now);
        let over: Vec<_> = over.take(limit.get().min(PAGE_ITEMS)).map(|(_, key)| key.clone()).collect();
        over.iter().filter_map(|key| self.remove(key)).count()
    }

    fn remove(&mut self, key: &OneTimeKey) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.ends.remove(&(entry.until, key.clone()));
        Some(entry)
    }
}
