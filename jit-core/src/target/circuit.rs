//! The circuits of a target: while it does not accept our credentials, or fails whomever it is asked for, it is asked once in
//! a while and not more.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    against::{Against, Says},
    book::Book,
    tally::Tally,
};
use crate::{BackendError, Claimed};

/// For how long an answer of our own counts more than what another process says.
const OWN_EVIDENCE: TimeDelta = TimeDelta::minutes(5);
/// How many accounts are remembered that an attempt was made for: another one may be luckier.
const PROBERS: usize = 8;
/// How often it is asked, while we wait, whether another process was accepted meanwhile.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Knows whether a target may be asked.
#[derive(Default)]
pub(crate) struct Circuit {
    pub(crate) against: Against,
    state: Mutex<State>,
    pub(super) first: tokio::sync::Mutex<()>,
    /// What other processes know. Without it this one finds out by itself.
    book: Option<Book>,
}

#[derive(Default)]
pub(super) struct State {
    /// Whether any call was answered. Until then calls go one by one: nobody knows whether the credentials are right.
    pub(super) was_answered: bool,
    /// How many calls were not answered until then.
    pub(super) unanswered: u64,
    /// When a call last showed that all is well.
    worked_at: Option<DateTime<Utc>>,
    tally: Tally,
    /// How many attempts failed in a row.
    failed: u32,
    probe_at: Option<DateTime<Utc>>,
    /// For whom the last attempts were made, and the present one.
    probers: VecDeque<u64>,
    prober: Option<(u64, DateTime<Utc>)>,
    /// Whether other processes know of it: only then can they know that it is over.
    is_kept: bool,
    looked_at: Option<DateTime<Utc>>,
    is_told: bool,
}

/// Says what a circuit has to tell since it was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CircuitNews {
    Opened,
    Closed,
}

/// Lets one call through.
#[derive(Debug)]
pub(super) enum Pass {
    Usual,
    /// It finds out whether all is well again; with the claim of the book, where there is one.
    Probe(Option<Claimed>),
    /// It belongs to an attempt: what cannot be removed is put out of use in the same turn.
    Follows,
}

impl Circuit {
    pub(crate) fn kept_in(against: Against, book: Option<Book>) -> Self {
        Self { against, book, ..Self::default() }
    }

    /// The instant before which the target is not to be asked; `None` where it may be asked.
    pub(crate) fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.state().waits_until(now, self.against)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state().probe_at.is_some()
    }

    /// Asks what other processes know, where this one does not know better.
    pub(crate) async fn look(&self, now: DateTime<Utc>) -> Result<(), BackendError> {
        let Some(book) = self.book.as_ref().filter(|_| self.state().needs_to_know(now, self.against)) else {
            return Ok(());
        };
        let next = match book.next_attempt().await {
            Ok(next) => next,
            // A store that is down keeps nothing from its end: nobody has refused us so far.
            Err(error) if self.state().probe_at.is_none() => {
                tracing::warn!(code = %error.code(), "what other processes know of a target cannot be asked for");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut state = self.state();
        state.looked_at = Some(now);
        if !state.knows_better(next, now, self.against) {
            state.heard(next);
        }
        Ok(())
    }

    /// Tells whether somebody else might know that we are refused, and a call would show it.
    pub(crate) fn is_unproved(&self) -> bool {
        let state = self.state();
        self.book.is_some() && (!state.was_answered || state.probe_at.is_some())
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

    /// Lets a call for an account through; where the circuit is open, one for each pause, which is a probe.
    pub(super) async fn enter(&self, account: Option<u64>, now: DateTime<Utc>) -> Result<Pass, BackendError> {
        self.look(now).await?;
        let pass = self.step_in(account, now)?;
        let (Some(book), Pass::Probe(None)) = (&self.book, &pass) else { return Ok(pass) };
        if let Some(claimed) = book.take_attempt(now).await? {
            return Ok(Pass::Probe(Some(claimed)));
        }
        // Another process makes this attempt, or knows that all is well again.
        let next = book.next_attempt().await?;
        let mut state = self.state();
        state.heard(next);
        match (next, state.probe_at) {
            (Some(until), _) => Err(self.against.error(until, now)),
            (None, None) => Ok(Pass::Usual),
            (None, Some(_)) => Ok(Pass::Probe(None)),
        }
    }

    fn step_in(&self, account: Option<u64>, now: DateTime<Utc>) -> Result<Pass, BackendError> {
        let mut state = self.state();
        if let Some(until) = state.waits_until(now, self.against) {
            let follows = self.against == Against::Failure && state.is_prober(account, now);
            return if follows { Ok(Pass::Follows) } else { Err(self.against.error(until, now)) };
        }
        let Some(due) = state.probe_at else { return Ok(Pass::Usual) };
        if let Some(account) = account.filter(|_| self.against == Against::Failure) {
            let until = due.checked_add_signed(LOOK_AGAIN).unwrap_or(due);
            // It may be this account alone by now: others are tried before it.
            if state.probers.contains(&account) && (due..until).contains(&now) {
                return Err(self.against.error(until, now));
            }
            state.probes_for(account, now);
        }
        // Whatever becomes of this call, the next one waits.
        state.probe_at = Some(after(self.against.pause(state.failed), now));
        Ok(Pass::Probe(None))
    }

    /// Learns how a call came out, and tells other processes.
    pub(super) async fn learn(&self, pass: Pass, account: Option<u64>, says: Says, now: DateTime<Utc>) {
        let next = self.step_out(&pass, account, says, now);
        let Some(book) = &self.book else { return };
        let written = match (&pass, next) {
            (Pass::Probe(Some(claimed)), Some(until)) => book.put_off(claimed, until).await,
            (Pass::Probe(_) | Pass::Follows, None) if says == Says::Works => book.accepted().await,
            (Pass::Usual | Pass::Probe(None), Some(until)) if says == Says::Fails => {
                book.refused_first(until).await.map(|()| self.state().is_kept = true)
            }
            _ => Ok(()),
        };
        if let Err(error) = written {
            tracing::warn!(code = %error.code(), "what is known of a target is not kept");
        }
    }

    /// Learns how a call came out, and tells when the next one may be made, where that is known by now. One that was under
    /// way when the circuit opened went over a connection of before, and says nothing of how it is now.
    fn step_out(
        &self,
        pass: &Pass,
        account: Option<u64>,
        says: Says,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut state = self.state();
        state.count(account, says, now);
        let is_open = state.probe_at.is_some();
        if is_open && matches!(pass, Pass::Usual) {
            return None;
        }
        match says {
            Says::Fails if matches!(pass, Pass::Follows) => {}
            Says::Fails if is_open || self.against == Against::Refusal || state.tally.is_failing(now) => {
                state.failed = state.failed.saturating_add(1);
                state.probe_at = Some(after(self.against.pause(state.failed), now));
            }
            Says::Works if is_open => state.close(),
            Says::Fails | Says::Works | Says::Unanswered | Says::Nothing => {}
        }
        state.probe_at
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What lies further ahead than any pause was said before the clock was set back.
    fn waits_until(&self, now: DateTime<Utc>, against: Against) -> Option<DateTime<Utc>> {
        let waits =
            |until: &DateTime<Utc>| now < *until && until.signed_duration_since(now) <= against.beyond();
        self.probe_at.filter(waits)
    }

    fn needs_to_know(&self, now: DateTime<Utc>, against: Against) -> bool {
        let looked_lately = |at: DateTime<Utc>| (TimeDelta::zero()..LOOK_AGAIN).contains(&(now - at));
        if against == Against::Failure || self.waits_until(now, against).is_some() {
            !self.looked_at.is_some_and(looked_lately)
        } else {
            !self.was_answered || self.probe_at.is_some()
        }
    }

    /// Whether what other processes say counts less than what this one saw: it may be their way there that fails. Where
    /// nobody makes the attempts any more, somebody has to.
    fn knows_better(&self, next: Option<DateTime<Utc>>, now: DateTime<Utc>, against: Against) -> bool {
        let works = |at: DateTime<Utc>| (TimeDelta::zero()..OWN_EVIDENCE).contains(&(now - at));
        let is_left = next.is_some_and(|due| now.signed_duration_since(due) > against.longest_pause());
        against == Against::Failure
            && self.probe_at.is_none()
            && self.worked_at.is_some_and(works)
            && !is_left
    }

    fn is_prober(&self, account: Option<u64>, now: DateTime<Utc>) -> bool {
        let is_now = |at: DateTime<Utc>| (TimeDelta::zero()..LOOK_AGAIN).contains(&(now - at));
        self.prober.is_some_and(|(prober, at)| account == Some(prober) && is_now(at))
    }

    fn probes_for(&mut self, account: u64, now: DateTime<Utc>) {
        self.prober = Some((account, now));
        self.probers.push_back(account);
        if self.probers.len() > PROBERS {
            self.probers.pop_front();
        }
    }

    fn count(&mut self, account: Option<u64>, says: Says, now: DateTime<Utc>) {
        match says {
            Says::Unanswered => self.unanswered = self.unanswered.wrapping_add(1),
            Says::Fails | Says::Works | Says::Nothing => self.was_answered = true,
        }
        if says == Says::Works {
            self.worked_at = Some(now);
        }
        if let (Some(account), Says::Fails | Says::Works) = (account, says) {
            self.tally.note(account, says == Says::Fails, now);
        }
    }

    fn close(&mut self) {
        (self.failed, self.probe_at, self.is_kept) = (0, None, false);
        (self.prober, self.probers) = (None, VecDeque::new());
        self.tally.settle();
    }

    /// Hears when the next attempt may be made, by what another process wrote down.
    fn heard(&mut self, next: Option<DateTime<Utc>>) {
        if next.is_none() {
            if self.is_kept {
                self.close();
            }
            return;
        }
        self.is_kept = true;
        self.probe_at = next;
        // The first pause was theirs.
        self.failed = self.failed.max(1);
    }
}

fn after(pause: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(pause).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, TargetFault};

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::default() + TimeDelta::minutes(minute)
    }

    fn is_probe(circuit: &Circuit, minute: i64) -> bool {
        matches!(circuit.step_in(None, at(minute)), Ok(Pass::Probe(None)))
    }

    fn comes_out(circuit: &Circuit, pass: &Pass, fault: Option<TargetFault>, minute: i64) {
        let error = fault.map(ErrorKind::Target);
        circuit.step_out(pass, None, circuit.against.hears(error.as_ref()), at(minute));
    }

    #[test]
    fn an_answer_to_an_older_call_does_not_close_it_and_a_probe_does() {
        let circuit = Circuit::default();
        assert!(!is_probe(&circuit, 0) && !is_probe(&circuit, 0));
        comes_out(&circuit, &Pass::Usual, Some(TargetFault::Credentials), 0);
        comes_out(&circuit, &Pass::Usual, None, 0);
        assert_eq!(circuit.open_until(at(0)), Some(at(5)));
        assert_eq!(circuit.news(), Some(CircuitNews::Opened));
        circuit.told(CircuitNews::Opened);
        assert!(circuit.step_in(None, at(4)).is_err());
        assert!(is_probe(&circuit, 5));
        assert!(circuit.step_in(None, at(5)).is_err(), "one probe at a time");
        comes_out(&circuit, &Pass::Probe(None), Some(TargetFault::Unreachable), 6);
        assert_eq!(circuit.open_until(at(6)), Some(at(10)), "says nothing of our credentials");
        assert!(is_probe(&circuit, 10));
        comes_out(&circuit, &Pass::Probe(None), Some(TargetFault::Name), 10);
        assert_eq!((circuit.open_until(at(10)), circuit.news()), (None, Some(CircuitNews::Closed)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open_for_longer() {
        let circuit = Circuit::default();
        comes_out(&circuit, &Pass::Usual, Some(TargetFault::Credentials), 600);
        assert_eq!(circuit.open_until(at(600)), Some(at(605)));
        assert_eq!(circuit.open_until(at(0)), None);
        assert!(is_probe(&circuit, 0), "it is a probe");
        assert_eq!(circuit.open_until(at(0)), Some(at(5)));
    }

    /// A circuit that has just opened, because these accounts failed.
    fn failing(accounts: std::ops::Range<u64>) -> Circuit {
        let circuit = Circuit::kept_in(Against::Failure, None);
        for account in accounts {
            assert_eq!(circuit.open_until(at(0)), None);
            circuit.step_out(&Pass::Usual, Some(account), Says::Fails, at(0));
        }
        circuit
    }

    #[test]
    fn a_target_that_fails_everybody_is_asked_seldom_and_never_given_up() {
        let circuit = failing(0..10);
        let (mut now, mut pauses) = (at(0), Vec::new());
        for account in 100..108 {
            let until = circuit.open_until(now).unwrap();
            pauses.push((until - now).num_seconds());
            assert!(circuit.step_in(Some(1), now).is_err());
            now = until;
            assert!(matches!(circuit.step_in(Some(account), now), Ok(Pass::Probe(None))));
            circuit.step_out(&Pass::Probe(None), Some(account), Says::Fails, now);
        }
        assert_eq!(pauses, [15, 30, 60, 120, 240, 300, 300, 300]);
        let until = circuit.open_until(now).unwrap();
        assert!(matches!(circuit.step_in(Some(1), until), Ok(Pass::Probe(None))));
        circuit.step_out(&Pass::Probe(None), Some(1), Says::Works, until);
        assert_eq!(circuit.open_until(until), None);
        circuit.step_out(&Pass::Usual, Some(2), Says::Fails, until);
        assert_eq!(circuit.open_until(until), None, "that one is known to fail alone");
    }

    #[test]
    fn whoever_fails_alone_does_not_keep_it_open_and_ends_in_the_same_turn() {
        let circuit = failing(0..10);
        let first = circuit.open_until(at(0)).unwrap();
        assert!(matches!(circuit.step_in(Some(1), first), Ok(Pass::Probe(None))));
        circuit.step_out(&Pass::Probe(None), Some(1), Says::Fails, first);
        assert!(
            matches!(circuit.step_in(Some(1), first), Ok(Pass::Follows)),
            "what cannot be removed is shut"
        );
        assert!(circuit.step_in(Some(2), first).is_err());
        circuit.step_out(&Pass::Follows, Some(1), Says::Fails, first);
        let second = circuit.open_until(first).unwrap();
        assert_eq!(second - first, TimeDelta::seconds(30), "one attempt, one step");
        assert!(circuit.step_in(Some(1), second).is_err(), "others are tried before it");
        assert!(matches!(circuit.step_in(Some(2), second), Ok(Pass::Probe(None))));
        circuit.step_out(&Pass::Probe(None), Some(2), Says::Fails, second);
        let third = circuit.open_until(second).unwrap();
        let later = third + LOOK_AGAIN;
        assert!(matches!(circuit.step_in(Some(1), later), Ok(Pass::Probe(None))), "if there are any");
    }
}
