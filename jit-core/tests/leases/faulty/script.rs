//! What befalls which step, and what the target and the store are to answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicUsize},
};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::Fault;

/// Numbers every step, says what befalls it, and keeps what has not landed yet.
pub(crate) struct Script {
    pub(super) clock: Arc<ManualClock>,
    pub(super) inner: Mutex<Inner>,
    /// How often the target was asked how an account differs.
    pub(crate) looks: AtomicUsize,
    /// How often it was asked what an account holds.
    pub(crate) asked_for_holdings: AtomicUsize,
}

/// What a listing shows instead of all there is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Lists {
    /// All, and says that it is a part.
    Part,
    /// None, and says that it is whole.
    Nothing,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Inner {
    pub(super) step: usize,
    pub(super) faults: BTreeMap<usize, Fault>,
    pub(super) hit: usize,
    pub(super) late: Vec<(DateTime<Utc>, Desired)>,
    pub(super) late_commits: Vec<(DateTime<Utc>, Commit)>,
    pub(super) effects: usize,
    pub(super) commits: usize,
    pub(super) listing: Option<Lists>,
    pub(super) answer: Option<TargetFault>,
    pub(super) refuses: bool,
    pub(super) refuses_effects: Option<TargetFault>,
    pub(super) fails_removals: bool,
    pub(super) names_removed: bool,
    pub(super) denies_accounts: bool,
    pub(super) tells_no_ids: bool,
    pub(super) hides: Option<&'static str>,
    pub(super) answers_to: Option<Vec<AccountId>>,
    pub(super) unreadable: Option<AccountId>,
    pub(super) delay: Option<Fault>,
    pub(super) meddling: Option<fn(&MemoryTarget)>,
    pub(super) meddling_after_listing: Option<fn(&MemoryTarget)>,
    pub(super) stalled: Option<TimeDelta>,
    pub(super) stalled_after_effect: Option<TimeDelta>,
    pub(super) silent_from: Option<usize>,
    pub(super) contended: usize,
    pub(super) interleaves: bool,
}

impl Script {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            inner: Mutex::default(),
            looks: AtomicUsize::default(),
            asked_for_holdings: AtomicUsize::default(),
        }
    }

    /// Lets a fault befall the n-th step from now.
    pub(crate) fn at(&self, ahead: usize, fault: Fault) {
        let mut inner = self.inner.lock().unwrap();
        let step = inner.step + ahead;
        inner.faults.insert(step, fault);
    }

    /// Lets the store answer nothing from the n-th step on, until the faults are cleared.
    pub(crate) fn silence_store(&self, ahead: usize) {
        let mut inner = self.inner.lock().unwrap();
        inner.silent_from = Some(inner.step + ahead);
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.faults.clear();
        inner.silent_from = None;
    }

    /// Lets the next call that changes the target fail, and take effect this many seconds later.
    pub(crate) fn delay_effect(&self, seconds: i64) {
        self.inner.lock().unwrap().delay = Some(Fault::Late(seconds));
    }

    /// Lets nobody look at an entitlement.
    pub(crate) fn hide(&self, entitlement: &'static str) {
        self.inner.lock().unwrap().hides = Some(entitlement);
    }

    /// Lets nothing be removed from the target, until it is well again.
    pub(crate) fn fail_removals(&self, fails: bool) {
        self.inner.lock().unwrap().fails_removals = fails;
    }

    /// Lets an entitlement name what is removed from the target, until it is well again.
    pub(crate) fn name_removed(&self, names: bool) {
        self.inner.lock().unwrap().names_removed = names;
    }

    /// Lets the target answer each removal as if nothing were there, and do nothing.
    pub(crate) fn deny_accounts(&self, denies: bool) {
        self.inner.lock().unwrap().denies_accounts = denies;
    }

    /// Lets the target tell of no entitlement what it is called for good.
    pub(crate) fn tell_no_ids(&self) {
        self.inner.lock().unwrap().tells_no_ids = true;
    }

    /// Lets the process die in the next call that changes the target, which another server takes this many seconds later.
    pub(crate) fn lose_effect_elsewhere(&self, seconds: i64) {
        self.inner.lock().unwrap().delay = Some(Fault::Elsewhere(seconds));
    }

    /// Lets every step wait for its turn, and its answer for another.
    pub(crate) fn interleave(&self, interleaves: bool) {
        self.inner.lock().unwrap().interleaves = interleaves;
    }

    pub(super) async fn turn(&self) {
        let mut waits = self.inner.lock().unwrap().interleaves;
        std::future::poll_fn(|context| {
            if !std::mem::take(&mut waits) {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }

    /// Lets somebody change the target right before the next call that does.
    pub(crate) fn meddle(&self, how: fn(&MemoryTarget)) {
        self.inner.lock().unwrap().meddling = Some(how);
    }

    /// Lets somebody change the target right after the next listing.
    pub(crate) fn meddle_after_listing(&self, how: fn(&MemoryTarget)) {
        self.inner.lock().unwrap().meddling_after_listing = Some(how);
    }

    /// Lets the process stand still for so long before the next account is shown to it.
    pub(crate) fn stall(&self, span: TimeDelta) {
        self.inner.lock().unwrap().stalled = Some(span);
    }

    /// The same after the next call that changes the target.
    pub(crate) fn stall_after_effect(&self, span: TimeDelta) {
        self.inner.lock().unwrap().stalled_after_effect = Some(span);
    }

    /// Lets the next listing not be whole.
    pub(crate) fn list_partially(&self) {
        self.inner.lock().unwrap().listing = Some(Lists::Part);
    }

    /// Lets the next listing be empty, and say that it is whole.
    pub(crate) fn list_nothing(&self) {
        self.inner.lock().unwrap().listing = Some(Lists::Nothing);
    }

    /// Lets the target answer everything so, until it is well again.
    pub(crate) fn answer(&self, fault: Option<TargetFault>) {
        self.answer_for(None, fault);
    }

    /// The same, and says that it has done nothing.
    pub(crate) fn refuse(&self, fault: Option<TargetFault>) {
        self.answer(fault);
        self.inner.lock().unwrap().refuses = fault.is_some();
    }

    /// Lets the target refuse every change, and say that it has done nothing.
    pub(crate) fn refuse_effects(&self, fault: Option<TargetFault>) {
        self.inner.lock().unwrap().refuses_effects = fault;
    }

    /// The same, of these accounts alone.
    pub(crate) fn answer_for(&self, whom: Option<Vec<AccountId>>, fault: Option<TargetFault>) {
        let mut inner = self.inner.lock().unwrap();
        (inner.answers_to, inner.answer, inner.refuses) = (whom, fault, false);
    }

    /// Lets another node be quicker at so many of the next writes about clocks.
    pub(crate) fn contend_clocks(&self, times: usize) {
        self.inner.lock().unwrap().contended = times;
    }

    pub(super) fn takes_contention(&self) -> bool {
        let mut inner = self.inner.lock().unwrap();
        let is_contended = inner.contended > 0;
        inner.contended = inner.contended.saturating_sub(1);
        is_contended
    }

    /// Lets the record of one lease be unreadable.
    pub(crate) fn spoil(&self, id: Option<AccountId>) {
        self.inner.lock().unwrap().unreadable = id;
    }

    pub(super) fn answered(&self, remote: &RemoteRef) -> Result<(), BackendError> {
        let inner = self.inner.lock().unwrap();
        let is_of = |id: &AccountId| remote.marker.as_str().contains(&id.to_string());
        let is_meant = inner.answers_to.as_ref().is_none_or(|whom| whom.iter().any(is_of));
        let fault = inner.answer.filter(|_| is_meant);
        let error = |fault| BackendError::new(ErrorKind::Target(fault), "injected");
        match fault {
            Some(fault) if inner.refuses => Err(error(fault).having_done_nothing()),
            Some(fault) => Err(error(fault)),
            None => Ok(()),
        }
    }

    pub(super) fn refuses(&self) -> bool {
        self.inner.lock().unwrap().refuses
    }

    /// Steps so far, faults that befell one, effects asked of the target, commits.
    pub(crate) fn counts(&self) -> (usize, usize, usize, usize) {
        let inner = self.inner.lock().unwrap();
        (inner.step, inner.hit, inner.effects, inner.commits)
    }

    pub(super) fn next(&self, broken: &ErrorKind) -> Option<Fault> {
        let mut inner = self.inner.lock().unwrap();
        let step = inner.step;
        inner.step += 1;
        let is_silent =
            *broken == ErrorKind::Unavailable && inner.silent_from.is_some_and(|from| from <= step);
        let fault = inner.faults.remove(&step).or(is_silent.then_some(Fault::FailBefore));
        inner.hit += usize::from(fault.is_some());
        fault
    }

    /// Lets late calls land.
    pub(crate) async fn land(&self, directory: &MemoryTarget) {
        let now = self.clock.now();
        let due: Vec<_> = self.inner.lock().unwrap().late.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, desired) in due {
            // Settings may have changed since.
            let _ = directory.ensure(&desired).await;
        }
    }

    /// Lets late commits land. One that was overtaken does nothing.
    pub(crate) async fn land_commits(&self, store: &MemoryStore) {
        let now = self.clock.now();
        let due: Vec<_> =
            self.inner.lock().unwrap().late_commits.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, commit) in due {
            let _ = store.commit(&commit).await;
        }
    }

    /// When what befalls the next step late takes effect. What another server took shows after so long; the store has none.
    pub(super) fn lands_at(&self, elsewhere: Option<TimeDelta>) -> Option<DateTime<Utc>> {
        let inner = self.inner.lock().unwrap();
        match inner.faults.get(&inner.step) {
            Some(Fault::Late(seconds)) => Some(self.clock.now() + TimeDelta::seconds(*seconds)),
            Some(Fault::Elsewhere(seconds)) => {
                Some(self.clock.now() + TimeDelta::seconds(*seconds) + elsewhere?)
            }
            _ => None,
        }
    }
}
