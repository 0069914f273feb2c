//! The circuit of a target: while it does not accept our credentials, it is asked once in a while and not more.
//!
//! Directories lock accounts out that prove themselves wrongly a few times, and ours is the one that ends all others. Active
//! Directory forgets failures only when its window (30 minutes) has passed since the last one, so that all but the second
//! attempt come later than that: it never counts more than two.

mod guarded;

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::book::Book;
use crate::{BackendError, Claimed, ErrorKind, Retry, TargetFault};

pub(crate) use guarded::Guarded;

/// The first pause after our credentials were refused: whoever mends a slip at once waits no longer than this.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// Every further one.
pub(super) const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(35);
/// No clock of another process is as far ahead as this: what lies further was said before ours was set back.
pub(super) const BEYOND: TimeDelta = TimeDelta::minutes(70);
/// How often it is asked, while we wait, whether another process was accepted meanwhile.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(1);
/// How often it is looked, while we are accepted, whether an alarm says otherwise.
const LOOK_FOR_ALARMS: TimeDelta = TimeDelta::minutes(5);

/// Knows whether a target accepts our credentials.
#[derive(Default)]
pub(crate) struct Circuit {
    state: Mutex<State>,
    /// Held by whoever finds out whether we are accepted.
    first: tokio::sync::Mutex<()>,
    /// What other processes know. Without it this one finds out by itself.
    book: Option<Book>,
}

#[derive(Default)]
struct State {
    /// Whether any call was answered. Until then calls go one by one: nobody knows whether the credentials are right.
    was_answered: bool,
    /// How many calls were not answered until then.
    unanswered: u64,
    refused: u32,
    probe_at: Option<DateTime<Utc>>,
    /// Whether other processes know of the refusal: only then can they know that it is over.
    is_kept: bool,
    looked_at: Option<DateTime<Utc>>,
    is_told: bool,
    /// When whoever is accepted next looks whether an alarm says otherwise; `None` where nobody looked yet.
    alarms_looked_for_from: Option<DateTime<Utc>>,
    /// The attempt that went well, until that is written down.
    unwritten: Option<Claimed>,
}

/// Says what a circuit has to tell since it was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CircuitNews {
    Opened,
    Closed,
}

/// Lets one call through.
enum Pass {
    Usual,
    /// It finds out whether we are accepted again; with the claim of the book, where there is one.
    Probe(Option<Claimed>),
}

impl Circuit {
    pub(crate) fn kept_in(book: Option<Book>) -> Self {
        Self { book, ..Self::default() }
    }

    /// The instant before which the target is not to be asked; `None` where it may be asked, also where somebody finds out just
    /// now whether it accepts us again: whoever asks then hears of that first.
    pub(crate) fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.state().waits_until(now).filter(|_| !self.is_being_tried())
    }

    /// Tells whether a call need not wait for its turn: we are accepted, or nobody is asked and nobody asks.
    fn needs_no_turn(&self, now: DateTime<Utc>) -> bool {
        let (is_accepted, rests) = {
            let state = self.state();
            (state.is_accepted(), state.waits_until(now).is_some())
        };
        is_accepted || (rests && !self.is_being_tried())
    }

    /// Tells whether somebody finds out just now whether we are accepted.
    fn is_being_tried(&self) -> bool {
        self.first.try_lock().is_err()
    }

    /// Asks what other processes know, where this one does not know better.
    pub(crate) async fn look(&self, now: DateTime<Utc>) -> Result<(), BackendError> {
        let Some(book) = self.book.as_ref().filter(|_| self.state().needs_to_know(now)) else {
            return Ok(());
        };
        let next = match book.next_attempt().await {
            Ok(next) => next,
            // A store that is down keeps nothing from its end: nobody has refused us so far.
            Err(error) if self.state().probe_at.is_none() => {
                tracing::warn!(code = %error.code(), "what is known of our credentials cannot be asked for");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut state = self.state();
        state.looked_at = Some(now);
        state.heard(next);
        Ok(())
    }

    /// Tells whether somebody else might know that we are refused, and a call would show it.
    pub(crate) fn is_unproved(&self) -> bool {
        self.book.is_some() && self.would_prove()
    }

    /// Tells whether the next call shows whether we are accepted.
    pub(crate) fn would_prove(&self) -> bool {
        !self.state().is_accepted()
    }

    /// What somebody must be told; what is in the book, whoever wrote it there told.
    pub(crate) fn news(&self) -> Option<CircuitNews> {
        let state = self.state();
        match (state.probe_at.is_some(), state.is_told) {
            _ if self.book.is_some() => None,
            (true, false) => Some(CircuitNews::Opened),
            (false, true) => Some(CircuitNews::Closed),
            _ => None,
        }
    }

    pub(crate) fn told(&self, news: CircuitNews) {
        self.state().is_told = news == CircuitNews::Opened;
    }

    /// Lets a call through; where the circuit is open, one for each pause, which is a probe.
    async fn enter(&self, now: DateTime<Utc>) -> Result<Pass, BackendError> {
        self.look(now).await?;
        if !self.step_in(now)? {
            return Ok(Pass::Usual);
        }
        let Some(book) = &self.book else { return Ok(Pass::Probe(None)) };
        if let Some(claimed) = book.take_attempt(now).await? {
            return Ok(Pass::Probe(Some(claimed)));
        }
        // Another process makes this attempt, or knows that we are accepted again.
        let next = book.next_attempt().await?;
        let mut state = self.state();
        state.heard(next);
        match (next, state.probe_at) {
            (Some(until), _) => Err(refused_until(until, now)),
            (None, None) => Ok(Pass::Usual),
            (None, Some(_)) => Ok(Pass::Probe(None)),
        }
    }

    /// Tells whether the call is a probe.
    fn step_in(&self, now: DateTime<Utc>) -> Result<bool, BackendError> {
        let mut state = self.state();
        if let Some(until) = state.waits_until(now) {
            return Err(refused_until(until, now));
        }
        let is_probe = state.probe_at.is_some();
        if is_probe {
            // Whatever becomes of this call, the next one waits.
            state.probe_at = Some(after(state.refused, now));
        }
        Ok(is_probe)
    }

    /// Learns how a call came out, and tells other processes.
    async fn learn(&self, pass: Pass, fault: Option<TargetFault>, now: DateTime<Utc>) {
        let is_probe = matches!(pass, Pass::Probe(_));
        let next = self.step_out(is_probe, fault, now);
        let Some(book) = &self.book else { return };
        let written = match (&pass, next) {
            (Pass::Probe(Some(claimed)), Some(until)) => {
                book.put_off(claimed, until, fault.is_some_and(TargetFault::refuses_us), now).await
            }
            (Pass::Probe(attempt), None) => self.write_acceptance(book, attempt.clone(), now).await,
            (Pass::Usual, None) if accepts_us(fault) && self.state().takes_look(now) => {
                let unwritten = self.state().unwritten.clone();
                self.write_acceptance(book, unwritten, now).await
            }
            (Pass::Usual | Pass::Probe(None), Some(until)) if fault.is_some_and(TargetFault::refuses_us) => {
                book.refused_first(until, now).await.map(|()| self.state().is_kept = true)
            }
            _ => Ok(()),
        };
        if let Err(error) = written {
            tracing::warn!(code = %error.code(), "what the target said of our credentials is not kept");
        }
    }

    /// Writes down that we are accepted. What could not be written, or is in the hands of somebody else, is looked at sooner.
    async fn write_acceptance(
        &self,
        book: &Book,
        attempt: Option<Claimed>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        {
            let mut state = self.state();
            state.looks_for_alarms_after(LOOK_AGAIN, now);
            state.unwritten.clone_from(&attempt);
        }
        let is_all = book.accepted(attempt.as_ref(), now).await?;
        let mut state = self.state();
        state.unwritten = None;
        if is_all {
            state.looks_for_alarms_after(LOOK_FOR_ALARMS, now);
        }
        Ok(())
    }

    /// Learns how a call came out, and tells when the next one may be made, where that is known by now. One that was under
    /// way when the circuit opened went over a connection of before, and says nothing of the credentials now.
    fn step_out(
        &self,
        is_probe: bool,
        fault: Option<TargetFault>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut state = self.state();
        if matches!(fault, Some(TargetFault::Unreachable | TargetFault::Untrusted)) {
            state.unanswered = state.unanswered.wrapping_add(1);
        } else if fault != Some(TargetFault::Resting) {
            state.was_answered = true;
        }
        match fault {
            _ if state.probe_at.is_some() && !is_probe => return None,
            Some(TargetFault::Credentials) => {
                state.unwritten = None;
                state.refused = state.refused.saturating_add(1);
                state.probe_at = Some(after(state.refused, now));
            }
            // A refusal of before that was not counted here counts as the first; nobody was asked, so it is never another.
            Some(TargetFault::Resting) => {
                state.refused = state.refused.max(1);
                state.probe_at = Some(after(1, now));
            }
            fault if accepts_us(fault) => (state.refused, state.probe_at, state.is_kept) = (0, None, false),
            _ => {}
        }
        state.probe_at
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_accepted(&self) -> bool {
        self.was_answered && self.probe_at.is_none()
    }

    /// What lies further ahead than any pause was said before the clock was set back.
    fn waits_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let waits = |until: &DateTime<Utc>| now < *until && until.signed_duration_since(now) <= BEYOND;
        self.probe_at.filter(waits)
    }

    /// Tells whether it is time to look whether an alarm says that we are refused: one of all who ask looks. What a call of
    /// before the circuit opened was told proves nothing.
    fn takes_look(&mut self, now: DateTime<Utc>) -> bool {
        // What lies further ahead was said before the clock was set back.
        let waits = |from: DateTime<Utc>| now < from && from.signed_duration_since(now) <= LOOK_FOR_ALARMS;
        let looks = self.probe_at.is_none() && !self.alarms_looked_for_from.is_some_and(waits);
        if looks {
            self.looks_for_alarms_after(LOOK_AGAIN, now);
        }
        looks
    }

    fn looks_for_alarms_after(&mut self, pause: TimeDelta, now: DateTime<Utc>) {
        self.alarms_looked_for_from = now.checked_add_signed(pause);
    }

    fn needs_to_know(&self, now: DateTime<Utc>) -> bool {
        let looked_lately = |at: DateTime<Utc>| (TimeDelta::zero()..LOOK_AGAIN).contains(&(now - at));
        match self.waits_until(now) {
            Some(_) => !self.looked_at.is_some_and(looked_lately),
            None => !self.is_accepted(),
        }
    }

    /// Hears when the next attempt may be made, by what another process wrote down.
    fn heard(&mut self, next: Option<DateTime<Utc>>) {
        if next.is_none() && self.probe_at.is_some() && !self.is_kept {
            return;
        }
        self.is_kept = next.is_some();
        self.probe_at = next;
        // The first pause was theirs.
        self.refused = if next.is_some() { self.refused.max(1) } else { 0 };
    }
}

/// Tells whether such an answer proves that our credentials are right. A limit may be one of our own, and nobody was asked.
const fn accepts_us(fault: Option<TargetFault>) -> bool {
    match fault {
        Some(TargetFault::Limit) => false,
        Some(fault) => !fault.keeps_us_out(),
        None => true,
    }
}

fn after(refused: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    let pause = if refused <= 1 { FIRST_PAUSE } else { LONGEST_PAUSE };
    now.checked_add_signed(pause).unwrap_or(now)
}

pub(crate) fn refused_until(until: DateTime<Utc>, now: DateTime<Utc>) -> BackendError {
    let resting = BackendError::new(ErrorKind::Target(TargetFault::Resting), "circuit.enter");
    let pause = until.signed_duration_since(now).max(TimeDelta::zero());
    // nobody was asked
    resting.with_retry(Retry::After(pause)).having_done_nothing()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::default() + TimeDelta::minutes(minute)
    }

    #[test]
    fn an_answer_to_an_older_call_does_not_close_it_and_a_probe_does() {
        let circuit = Circuit::default();
        assert!(!circuit.step_in(at(0)).unwrap() && !circuit.step_in(at(0)).unwrap());
        circuit.step_out(false, Some(TargetFault::Credentials), at(0));
        circuit.step_out(false, None, at(0));
        assert_eq!(circuit.open_until(at(0)), Some(at(5)));
        assert_eq!(circuit.news(), Some(CircuitNews::Opened));
        circuit.told(CircuitNews::Opened);
        assert!(circuit.step_in(at(4)).is_err());
        assert!(circuit.step_in(at(5)).unwrap());
        assert!(circuit.step_in(at(5)).is_err(), "one probe at a time");
        circuit.step_out(true, Some(TargetFault::Unreachable), at(6));
        assert_eq!(circuit.open_until(at(6)), Some(at(10)), "says nothing of our credentials");
        assert!(circuit.step_in(at(10)).unwrap());
        circuit.step_out(true, Some(TargetFault::Name), at(10));
        assert_eq!((circuit.open_until(at(10)), circuit.news()), (None, Some(CircuitNews::Closed)));
    }

    #[test]
    fn a_target_that_was_not_asked_has_not_refused_us_again() {
        let circuit = Circuit::default();
        circuit.step_out(false, Some(TargetFault::Resting), at(0));
        assert_eq!(circuit.open_until(at(0)), Some(at(5)), "it refused somebody a moment ago");
        assert_eq!(circuit.news(), Some(CircuitNews::Opened));
        for minute in [5, 10, 15] {
            assert!(circuit.step_in(at(minute)).unwrap());
            circuit.step_out(true, Some(TargetFault::Resting), at(minute));
            assert_eq!(circuit.open_until(at(minute)), Some(at(minute + 5)), "it is asked again soon");
        }
        assert!(circuit.step_in(at(20)).unwrap());
        circuit.step_out(true, Some(TargetFault::Credentials), at(20));
        assert_eq!(circuit.open_until(at(20)), Some(at(55)), "which is the second refusal");
        assert!(circuit.step_in(at(55)).unwrap());
        circuit.step_out(true, Some(TargetFault::Resting), at(55));
        assert_eq!(circuit.open_until(at(55)), Some(at(60)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open_for_longer() {
        let circuit = Circuit::default();
        circuit.step_out(false, Some(TargetFault::Credentials), at(600));
        assert_eq!(circuit.open_until(at(600)), Some(at(605)));
        assert_eq!(circuit.open_until(at(0)), None);
        assert!(circuit.step_in(at(0)).unwrap(), "it is a probe");
        assert_eq!(circuit.open_until(at(0)), Some(at(5)));
    }
}
