//! Whether a target fails nearly everybody, as all processes know it. Pure.
//!
//! What counts are different accounts, not calls: whoever is refused again and again is one. Who has failed for longer than
//! counts, or fails while others are served, fails alone, and says nothing of the target.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::QuarantineRules;
use crate::AccountId;

/// How long whoever fails alone is known to.
const ALONE_FOR: TimeDelta = TimeDelta::days(1);
/// How many accounts are remembered.
pub(crate) const REMEMBERED: usize = 128;
/// As long as somebody waits whom the target did not fail, no pause between attempts is longer than this step: it may be that
/// those before them fail alone.
const LAST_FOR_OTHERS: usize = 1;
/// When somebody is told again, counted from the beginning; the next time at four times that distance, and so on.
const TOLD_AGAIN: TimeDelta = TimeDelta::hours(1);
const MOST_TOLD: u32 = 8;

/// Remembers what came of the pushes for each account, the latest last, and whether the target is in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    tried: VecDeque<Tried>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quarantine: Option<Quarantine>,
    /// What this process goes by; it is no part of what all know.
    #[serde(skip)]
    rules: QuarantineRules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tried {
    account: AccountId,
    /// Of those that fail with others when the first failure was, else when the last answer was.
    #[serde(with = "crate::instant")]
    at: DateTime<Utc>,
    came_out: CameOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CameOut {
    Well,
    Failed,
    /// It fails while the target works for others.
    Alone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Quarantine {
    #[serde(with = "crate::instant")]
    since: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    attempted_at: DateTime<Utc>,
    attempts: u32,
    told: u32,
}

impl Health {
    /// Goes by these rules.
    pub(crate) fn by(self, rules: QuarantineRules) -> Self {
        Self { rules, ..self }
    }

    /// Takes in that the target failed for an account; `false` where that was known.
    pub(crate) fn failed_for(&mut self, account: AccountId, now: DateTime<Utc>) -> bool {
        let place = self.tried.iter().position(|tried| tried.account == account);
        let before = place.and_then(|place| self.tried.remove(place));
        let before = before.filter(|before| before.came_out != CameOut::Well);
        let (came_out, at) = match before {
            None => (CameOut::Failed, now),
            Some(before) if before.came_out == CameOut::Failed && self.is_recent(&before, now) => {
                (CameOut::Failed, before.at)
            }
            Some(_) => (CameOut::Alone, now),
        };
        let tried = Tried { account, at, came_out };
        self.tried.push_back(tried);
        if self.tried.len() > REMEMBERED {
            self.tried.pop_front();
        }
        // One that fails alone is written down again before it is forgotten, and not each time.
        !before.is_some_and(|before| {
            before == tried || before.came_out == came_out && self.is_recent(&before, now)
        })
    }

    /// Takes in that the target did its work for an account; what failed since is known better.
    pub(crate) fn worked_for(&mut self, account: AccountId, at: DateTime<Utc>) {
        if self.failures().any(|tried| tried.account == account && tried.at > at) {
            return;
        }
        self.tried.retain(|tried| tried.account != account);
        self.tried.push_back(Tried { account, at, came_out: CameOut::Well });
        if self.tried.len() > REMEMBERED {
            self.tried.pop_front();
        }
    }

    /// Forgets what no longer counts. Whom a target in quarantine failed is known until it works.
    pub(crate) fn forget_old(&mut self, now: DateTime<Utc>) {
        let (is_on, within) = (self.is_on(), self.rules.within);
        self.tried.retain(|tried| match tried.came_out {
            CameOut::Well => tried.is_within(within, now),
            CameOut::Failed => is_on || tried.is_within(within, now),
            CameOut::Alone => is_on || tried.is_within(ALONE_FOR, now),
        });
    }

    /// Tells whether so many different accounts failed, and so large a part of them, that it is the target.
    pub(crate) fn is_failing(&self, now: DateTime<Utc>) -> bool {
        let recent = self.tried.iter().filter(|tried| self.is_recent(tried, now));
        let (mut failed, mut asked) = (0, 0);
        for tried in recent {
            failed += usize::from(tried.came_out == CameOut::Failed);
            asked += usize::from(tried.came_out != CameOut::Alone);
        }
        self.rules.are_too_many(failed, asked)
    }

    /// Tells whether the target failed anybody lately of whom it is not known that they fail alone.
    pub(crate) fn has_failures(&self, now: DateTime<Utc>) -> bool {
        self.tried.iter().any(|tried| tried.came_out == CameOut::Failed && self.is_recent(tried, now))
    }

    /// Tells whether the target failed for this account, and has not worked for it since.
    pub(crate) fn has_failed(&self, account: AccountId) -> bool {
        self.failures().any(|tried| tried.account == account)
    }

    /// How many accounts it failed for.
    pub(crate) fn count_failed(&self) -> usize {
        self.failures().count()
    }

    pub(crate) fn is_on(&self) -> bool {
        self.quarantine.is_some()
    }

    pub(crate) fn since(&self) -> Option<DateTime<Utc>> {
        self.quarantine.map(|quarantine| quarantine.since)
    }

    pub(crate) fn begin(&mut self, now: DateTime<Utc>) {
        self.quarantine = Some(Quarantine { since: now, attempted_at: now, attempts: 0, told: 1 });
    }

    /// When the next attempt may be made: for an account that failed before, or for another one.
    pub(crate) fn next_attempt(&self, has_failed: bool, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let quarantine = self.quarantine?;
        let pause = self.rules.pause(quarantine.step(has_failed));
        let due = quarantine.attempted_at.checked_add_signed(pause).unwrap_or(now);
        // What lies further ahead than the pause was written before the clock was set back.
        Some(if due.signed_duration_since(now) > pause { now } else { due })
    }

    /// Takes the attempt for an account, where one may be made: whatever becomes of it, the next one waits longer.
    pub(crate) fn take_attempt(&mut self, account: AccountId, now: DateTime<Utc>) -> bool {
        let is_due = self.next_attempt(self.has_failed(account), now).is_some_and(|due| due <= now);
        let Some(quarantine) = self.quarantine.as_mut().filter(|_| is_due) else { return false };
        quarantine.attempts = quarantine.attempts.saturating_add(1);
        quarantine.attempted_at = now;
        true
    }

    /// Tells whether somebody is to be told again that it goes on.
    pub(crate) fn tells_again(&mut self, now: DateTime<Utc>) -> bool {
        let Some(quarantine) = &mut self.quarantine else { return false };
        let distance = TOLD_AGAIN * 4_i32.pow(quarantine.told.saturating_sub(1).min(MOST_TOLD));
        let is_due = now.signed_duration_since(quarantine.since) >= distance;
        quarantine.told = quarantine.told.saturating_add(u32::from(is_due));
        is_due
    }

    /// Learns that the target works: what still fails is the affair of each account. `false` where it was not in quarantine.
    pub(crate) fn end(&mut self, now: DateTime<Utc>) -> bool {
        for tried in self.tried.iter_mut().filter(|tried| tried.came_out == CameOut::Failed) {
            (tried.came_out, tried.at) = (CameOut::Alone, now);
        }
        self.quarantine.take().is_some()
    }

    fn is_recent(&self, tried: &Tried, now: DateTime<Utc>) -> bool {
        tried.is_within(self.rules.within, now)
    }

    fn failures(&self) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(|tried| tried.came_out != CameOut::Well)
    }
}

impl Tried {
    /// What lies ahead was written before the clock was set back.
    fn is_within(&self, span: TimeDelta, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..span).contains(&now.signed_duration_since(self.at))
    }
}

impl Quarantine {
    /// The number of the attempt that comes next, by which the pause before it grows.
    fn step(&self, has_failed: bool) -> usize {
        let step = usize::try_from(self.attempts).unwrap_or(usize::MAX);
        if has_failed { step } else { step.min(LAST_FOR_OTHERS) }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::default() + TimeDelta::minutes(minute)
    }

    fn account(number: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(number))
    }

    fn fail(health: &mut Health, accounts: std::ops::Range<u128>, minute: i64) {
        for number in accounts {
            health.failed_for(account(number), at(minute));
        }
    }

    fn failed(accounts: std::ops::Range<u128>, minute: i64) -> Health {
        let mut health = Health::default();
        fail(&mut health, accounts, minute);
        health
    }

    #[test]
    fn it_takes_many_accounts_and_not_many_failures() {
        let mut health = failed(0..9, 0);
        for _ in 0..100 {
            assert!(!health.failed_for(account(3), at(1)), "nothing new, and not to be written down");
        }
        assert!(!health.is_failing(at(1)), "one person's failures are one");
        assert!(health.failed_for(account(9), at(1)));
        assert!(health.is_failing(at(1)));
        assert!(!health.is_failing(at(30)), "nor does what was long ago count");
        assert!(!health.is_failing(at(-1)), "the clock was set back");
    }

    #[test]
    fn who_is_stuck_for_long_is_not_added_up_with_others() {
        let mut health = Health::default();
        for minute in 0..600 {
            for number in 0..12 {
                // One more each ten minutes, and each again and again.
                if minute >= number * 10 && minute % 15 == number {
                    health.failed_for(account(u128::try_from(number).unwrap()), at(minute));
                    health.forget_old(at(minute));
                    assert!(!health.is_failing(at(minute)));
                }
            }
        }
    }

    #[test]
    fn it_takes_half_of_those_that_were_asked_for() {
        let mut health = failed(0..10, 0);
        (100..110).for_each(|number| health.worked_for(account(number), at(0)));
        assert!(health.is_failing(at(0)));
        health.worked_for(account(110), at(0));
        assert!(!health.is_failing(at(0)), "it works for most");
        fail(&mut health, 100..103, 1);
        assert!(health.is_failing(at(1)), "and no longer does");
        (0..8).for_each(|number| health.worked_for(account(number), at(2)));
        assert!(!health.is_failing(at(2)), "what came out well is no failure any longer");
    }

    #[test]
    fn who_fails_while_it_works_for_others_is_known() {
        let mut health = failed(0..12, 0);
        health.begin(at(0));
        assert!(health.end(at(5)) && !health.is_on());
        fail(&mut health, 0..12, 6);
        assert!(!health.is_failing(at(6)) && !health.has_failures(at(6)));
        fail(&mut health, 20..30, 7);
        assert!(health.is_failing(at(7)), "these are others");
    }

    #[test]
    fn the_pauses_grow_up_to_a_day_and_for_others_up_to_half_an_hour() {
        let mut health = failed(0..10, 0);
        health.begin(at(0));
        let (mut now, mut pauses) = (at(0), Vec::new());
        for _ in 0..6 {
            let [others, stuck] = [false, true].map(|failed| health.next_attempt(failed, now).unwrap() - now);
            pauses.push((others.num_minutes(), stuck.num_minutes()));
            assert!(!health.take_attempt(account(0), now), "not before it is due");
            now = health.next_attempt(true, now).unwrap();
            assert!(health.take_attempt(account(0), now));
            assert!(!health.take_attempt(account(77), now), "one alone has it");
        }
        assert_eq!(pauses, [(5, 5), (30, 30), (30, 120), (30, 360), (30, 1440), (30, 1440)]);
        assert!(health.take_attempt(account(77), at(-100)), "the clock was set back");
    }

    #[test]
    fn somebody_is_told_again_at_growing_distances() {
        let mut health = failed(0..10, 0);
        health.begin(at(0));
        let told: Vec<_> = (0..7 * 24).filter(|hour| health.tells_again(at(hour * 60))).collect();
        assert_eq!(told, [1, 4, 16, 64]);
    }

    #[test]
    fn settings_move_each_bound() {
        let rules = QuarantineRules {
            accounts: 3,
            percent: 100,
            within: TimeDelta::minutes(10),
            first_pause: TimeDelta::minutes(1),
            longest_pause: TimeDelta::minutes(20),
        };
        let mut health = failed(0..3, 0).by(rules);
        assert!(health.is_failing(at(9)) && !health.is_failing(at(10)));
        health.worked_for(account(9), at(0));
        assert!(!health.is_failing(at(0)), "one of four worked");
        health.begin(at(0));
        let (mut now, mut pauses) = (at(0), Vec::new());
        for _ in 0..5 {
            let next = health.next_attempt(true, now).unwrap();
            pauses.push((next - now).num_minutes());
            now = next;
            assert!(health.take_attempt(account(0), now));
        }
        assert_eq!(pauses, [1, 6, 20, 20, 20]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let health = failed(0..10_000, 0);
        assert_eq!(health.count_failed(), REMEMBERED);
        assert!(health.is_failing(at(0)));
    }
}
