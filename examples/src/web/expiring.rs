use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// Keeps a bounded number of values until their time is over.
///
/// When it is full, what has ended goes first, then the value that would end soonest: a flood costs
/// somebody a repeated sign-in, never memory.
pub struct Expiring<V> {
    capacity: usize,
    entries: Mutex<HashMap<String, Entry<V>>>,
}

struct Entry<V> {
    until: DateTime<Utc>,
    value: V,
}

impl<V> Expiring<V> {
    /// Makes an empty keeper of at most `capacity` values.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: Mutex::new(HashMap::new()) }
    }

    /// Keeps `value` under `key` until `until`, replacing what was there.
    pub fn put(&self, key: String, value: V, until: DateTime<Utc>, now: DateTime<Utc>) {
        let mut entries = self.lock();
        if entries.len() >= self.capacity && !entries.contains_key(&key) {
            make_room(&mut entries, self.capacity, now);
        }
        entries.insert(key, Entry { until, value });
    }

    /// Takes the value out; a second call finds nothing.
    pub fn take(&self, key: &str, now: DateTime<Utc>) -> Option<V> {
        self.lock().remove(key).filter(|entry| now < entry.until).map(|entry| entry.value)
    }

    /// Looks at the value, and may change it in place.
    pub fn with<R>(&self, key: &str, now: DateTime<Utc>, look: impl FnOnce(&mut V) -> R) -> Option<R> {
        let mut entries = self.lock();
        if entries.get(key).is_some_and(|entry| entry.until <= now) {
            entries.remove(key);
        }
        entries.get_mut(key).map(|entry| look(&mut entry.value))
    }

    /// Ends every value that `ends` picks.
    pub fn end_where(&self, ends: impl Fn(&V) -> bool) {
        self.lock().retain(|_, entry| !ends(&entry.value));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry<V>>> {
        // A panic of another holder cannot leave the map half changed: each change is one call.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> std::fmt::Debug for Expiring<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expiring").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

fn make_room<V>(entries: &mut HashMap<String, Entry<V>>, capacity: usize, now: DateTime<Utc>) {
    entries.retain(|_, entry| now < entry.until);
    while entries.len() >= capacity {
        let soonest = entries.iter().min_by_key(|(_, entry)| entry.until).map(|(key, _)| key.clone());
        let Some(key) = soonest else { return };
        entries.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone};

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_value_is_taken_once() {
        let kept = Expiring::new(4);
        kept.put("a".into(), 1, at(60), at(0));
        assert_eq!(kept.take("a", at(59)), Some(1));
        assert_eq!(kept.take("a", at(59)), None);
    }

    #[test]
    fn a_value_ends_at_its_time() {
        let kept = Expiring::new(4);
        kept.put("a".into(), 1, at(60), at(0));
        assert_eq!(kept.with("a", at(60), |value| *value), None);
        kept.put("b".into(), 1, at(60), at(0));
        assert_eq!(kept.take("b", at(60)), None);
    }

    #[test]
    fn a_flood_pushes_out_what_ends_soonest() {
        let kept = Expiring::new(2);
        kept.put("short".into(), 1, at(10), at(0));
        kept.put("long".into(), 2, at(0) + TimeDelta::hours(1), at(0));
        kept.put("new".into(), 3, at(60), at(1));
        assert_eq!(kept.take("short", at(1)), None);
        assert_eq!(kept.take("long", at(1)), Some(2));
        assert_eq!(kept.take("new", at(1)), Some(3));
    }
}
