//! Of how many different accounts a target failed lately: whether it fails everybody, or some persons only.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// How long a failure counts.
const WINDOW: TimeDelta = TimeDelta::minutes(30);
/// How many accounts a target must have failed before it counts as failing, and which part of those it was asked for.
const FEWEST: usize = 10;
const PART: usize = 2;
/// How many accounts are remembered.
const MOST: usize = 256;

/// Remembers what came of the calls for each account, the latest last.
#[derive(Debug, Default)]
pub(super) struct Tally {
    seen: VecDeque<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    account: u64,
    /// Of a failure, when the first one was: who is refused again and again is one failure.
    at: DateTime<Utc>,
    came_out: CameOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CameOut {
    Well,
    Failed,
    /// It failed, and so it did when the target worked for others: it says nothing of the target.
    Alone,
}

impl Tally {
    /// Takes in what came of a call for an account.
    pub(super) fn note(&mut self, account: u64, is_failure: bool, now: DateTime<Utc>) {
        // A target without failures costs nothing.
        if !is_failure && self.seen.is_empty() {
            return;
        }
        let place = self.seen.iter().position(|seen| seen.account == account);
        let before = place.and_then(|place| self.seen.remove(place));
        let noted = match before.filter(|before| is_failure && before.came_out != CameOut::Well) {
            Some(before) => before,
            None if is_failure => Seen { account, at: now, came_out: CameOut::Failed },
            None => Seen { account, at: now, came_out: CameOut::Well },
        };
        self.seen.push_back(noted);
        if self.seen.len() > MOST {
            self.seen.pop_front();
        }
    }

    /// Tells whether so many different accounts failed, and so large a part of them, that it is the target.
    pub(super) fn is_failing(&self, now: DateTime<Utc>) -> bool {
        let is_recent =
            |seen: &&Seen| (TimeDelta::zero()..WINDOW).contains(&now.signed_duration_since(seen.at));
        let (mut failed, mut asked) = (0, 0);
        for seen in self.seen.iter().filter(is_recent) {
            failed += usize::from(seen.came_out == CameOut::Failed);
            asked += usize::from(seen.came_out != CameOut::Alone);
        }
        failed >= FEWEST && failed * PART >= asked
    }

    /// Learns that the target works: what still fails is the affair of each account.
    pub(super) fn settle(&mut self) {
        for seen in self.seen.iter_mut().filter(|seen| seen.came_out == CameOut::Failed) {
            seen.came_out = CameOut::Alone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::default() + TimeDelta::minutes(minute)
    }

    fn failed(accounts: std::ops::Range<u64>, minute: i64) -> Tally {
        let mut tally = Tally::default();
        accounts.for_each(|account| tally.note(account, true, at(minute)));
        tally
    }

    #[test]
    fn it_takes_many_accounts_and_not_many_failures() {
        let mut tally = failed(0..9, 0);
        for _ in 0..100 {
            tally.note(3, true, at(1));
        }
        assert!(!tally.is_failing(at(1)), "one person's failures are one");
        tally.note(9, true, at(1));
        assert!(tally.is_failing(at(1)));
        assert!(!tally.is_failing(at(30)), "nor does what was long ago count");
        tally.note(3, true, at(30));
        assert!(!tally.is_failing(at(30)), "a failure again is no new one");
        assert!(!tally.is_failing(at(-1)), "the clock was set back");
    }

    #[test]
    fn it_takes_half_of_those_that_were_asked_for() {
        let mut tally = failed(0..10, 0);
        (100..110).for_each(|account| tally.note(account, false, at(0)));
        assert!(tally.is_failing(at(0)));
        tally.note(110, false, at(0));
        assert!(!tally.is_failing(at(0)), "it works for most");
        (100..103).for_each(|account| tally.note(account, true, at(1)));
        assert!(tally.is_failing(at(1)), "and no longer does");
        (0..8).for_each(|account| tally.note(account, false, at(2)));
        assert!(!tally.is_failing(at(2)), "what came out well is no failure any longer");
    }

    #[test]
    fn who_fails_while_it_works_for_others_is_known() {
        let mut tally = failed(0..12, 0);
        tally.settle();
        (0..12).for_each(|account| tally.note(account, true, at(5)));
        assert!(!tally.is_failing(at(5)));
        (20..30).for_each(|account| tally.note(account, true, at(6)));
        assert!(tally.is_failing(at(6)), "these are others");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let tally = failed(0..100_000, 0);
        assert_eq!(tally.seen.len(), MOST);
        assert!(tally.is_failing(at(0)));
        let mut tally = Tally::default();
        (0..100).for_each(|account| tally.note(account, false, at(0)));
        assert!(tally.seen.is_empty());
    }
}
