//! How much work a target is given.

use std::{
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

/// Gives out turns: so many in a span, all of them at once where none were taken before.
#[derive(Debug)]
pub(crate) struct Pace {
    each: TimeDelta,
    span: TimeDelta,
    /// When the turns that were given out would have been over, one after the other.
    taken_to: Mutex<DateTime<Utc>>,
}

impl Pace {
    pub(crate) fn new(turns: NonZeroU32, span: TimeDelta) -> Self {
        let each = span / i32::try_from(turns.get()).unwrap_or(i32::MAX);
        Self { each, span, taken_to: Mutex::new(DateTime::<Utc>::MIN_UTC) }
    }

    /// Takes up to `wanted` turns.
    pub(crate) fn take(&self, wanted: usize, now: DateTime<Utc>) -> usize {
        let mut taken_to = self.taken_to.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = now.checked_add_signed(self.span).unwrap_or(now);
        // What lies further ahead was taken before the clock was set back.
        *taken_to = (*taken_to).min(latest).max(now);
        let mut given = 0;
        while given < wanted {
            let Some(next) = taken_to.checked_add_signed(self.each).filter(|next| *next <= latest) else {
                break;
            };
            *taken_to = next;
            given += 1;
        }
        given
    }

    /// Gives turns back that were not needed.
    pub(crate) fn give_back(&self, turns: usize) {
        let mut taken_to = self.taken_to.lock().unwrap_or_else(PoisonError::into_inner);
        let back = self.each * i32::try_from(turns).unwrap_or(i32::MAX);
        *taken_to = taken_to.checked_sub_signed(back).unwrap_or(*taken_to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_at_once_and_then_one_by_one() {
        let pace = Pace::new(NonZeroU32::new(10).unwrap(), TimeDelta::seconds(10));
        let at = |second| DateTime::<Utc>::default() + TimeDelta::seconds(second);
        assert_eq!(pace.take(100, at(0)), 10);
        assert_eq!(pace.take(100, at(0)), 0);
        assert_eq!(pace.take(100, at(3)), 3);
        pace.give_back(2);
        assert_eq!(pace.take(100, at(3)), 2);
        assert_eq!(pace.take(100, at(60)), 10);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing_for_longer_than_the_span() {
        let pace = Pace::new(NonZeroU32::new(10).unwrap(), TimeDelta::seconds(10));
        let at = |second| DateTime::<Utc>::default() + TimeDelta::seconds(second);
        assert_eq!(pace.take(100, at(86_400)), 10);
        assert_eq!(pace.take(100, at(0)), 0);
        assert_eq!(pace.take(100, at(10)), 10);
    }
}
