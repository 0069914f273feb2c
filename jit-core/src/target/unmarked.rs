//! Which leases of a target are quarantined because what is there does not bear their marker, as all processes know it. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, StoreId, TenantId};

/// How long whoever takes a place has to write down that the lease is quarantined.
const WRITTEN_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// Remembers who has a place among the quarantined, and whether somebody was told that there was none left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unmarked {
    places: Vec<UnmarkedLease>,
    #[serde(default)]
    is_told: bool,
}

/// Names one lease, and when it took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnmarkedLease {
    pub(crate) tenant: TenantId,
    pub(crate) lease: AccountId,
    #[serde(with = "crate::instant")]
    pub(crate) at: DateTime<Utc>,
    /// Where its record is; `None` where an earlier build wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kept: Option<KeptIn>,
}

/// Names a store as all processes that have it do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeptIn {
    Main,
    Store(StoreId),
}

impl Unmarked {
    pub(crate) fn has(&self, tenant: &TenantId, lease: AccountId) -> bool {
        self.places.iter().any(|place| place.is_of(tenant, lease))
    }

    /// Tells whether a lease takes a place; no more than so many have one.
    pub(crate) fn take(&mut self, lease: UnmarkedLease, most: usize) -> bool {
        let is_free = self.places.len() < most;
        self.places.extend(is_free.then_some(lease));
        is_free
    }

    /// Gives back the place of a lease; `false` where it had none.
    pub(crate) fn leave(&mut self, tenant: &TenantId, lease: AccountId) -> bool {
        let before = self.places.len();
        self.places.retain(|place| !place.is_of(tenant, lease));
        self.places.len() < before
    }

    /// Those whose places may be free by now: whoever took one lately may not have written it down yet.
    pub(crate) fn written_by(&self, now: DateTime<Utc>) -> impl Iterator<Item = &UnmarkedLease> {
        let is_new = move |place: &&UnmarkedLease| {
            (TimeDelta::zero()..WRITTEN_WITHIN).contains(&now.signed_duration_since(place.at))
        };
        self.places.iter().filter(move |place| !is_new(place))
    }

    /// Tells whether somebody is to be told that no place was left; once, until that is over.
    pub(crate) fn is_news_that_full(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }

    /// Tells whether somebody is to be told that it is over: half of the places are free again, so that the next lease does
    /// not raise the same alarm anew.
    pub(crate) fn is_news_that_over(&mut self, most: usize) -> bool {
        let is_over = self.is_told && self.places.len() <= most / 2;
        self.is_told &= !is_over;
        is_over
    }
}

impl UnmarkedLease {
    fn is_of(&self, tenant: &TenantId, lease: AccountId) -> bool {
        self.lease == lease && self.tenant == *tenant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::default() + TimeDelta::minutes(minute)
    }

    fn tenant() -> TenantId {
        TenantId::new("acme").unwrap()
    }

    fn id(number: u128) -> AccountId {
        AccountId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn taken(count: u128, most: usize) -> Unmarked {
        let mut unmarked = Unmarked::default();
        for number in 0..count {
            let lease = UnmarkedLease { tenant: tenant(), lease: id(number), at: at(0), kept: None };
            assert_eq!(unmarked.take(lease, most), number < most as u128);
        }
        unmarked
    }

    #[test]
    fn no_more_than_so_many_have_a_place_and_who_leaves_makes_room() {
        let mut unmarked = taken(5, 3);
        assert!(unmarked.has(&tenant(), id(2)) && !unmarked.has(&tenant(), id(3)));
        assert!(!unmarked.has(&TenantId::new("other").unwrap(), id(2)));
        assert!(unmarked.leave(&tenant(), id(1)) && !unmarked.leave(&tenant(), id(1)));
        assert!(unmarked.take(UnmarkedLease { tenant: tenant(), lease: id(3), at: at(0), kept: None }, 3));
    }

    #[test]
    fn it_is_told_once_until_half_of_the_places_are_free() {
        let mut unmarked = taken(4, 4);
        assert!(!unmarked.is_news_that_over(4), "nobody was told");
        assert!(unmarked.is_news_that_full() && !unmarked.is_news_that_full());
        unmarked.leave(&tenant(), id(0));
        assert!(!unmarked.is_news_that_over(4), "the next one would raise the alarm again");
        unmarked.leave(&tenant(), id(1));
        assert!(unmarked.is_news_that_over(4) && !unmarked.is_news_that_over(4));
        assert!(unmarked.is_news_that_full(), "that is another one");
    }

    #[test]
    fn whoever_took_a_place_lately_is_left_the_time_to_write_it_down() {
        let unmarked = taken(1, 3);
        assert_eq!(unmarked.written_by(at(9)).count(), 0);
        assert_eq!(unmarked.written_by(at(10)).count(), 1);
        assert_eq!(unmarked.written_by(at(-1)).count(), 1, "a clock that was set back holds nothing up");
    }
}
