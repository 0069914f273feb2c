//! What a round brings to a target that accounts are mirrored to, and the attempts at one that fails nearly everybody.

use std::{collections::VecDeque, num::NonZeroUsize};

use super::{
    super::{
        WorkReport,
        mirror::{Brought, Pass, lanes_of, not_before},
        work::{HOLD, after_pause},
    },
    places::Places,
    round::{Round, Tended, settle},
};
use crate::{BackendError, Claimed, Jit, Store, StoreId, TargetSetup, Tenants, WorkerId, target::Health};

impl Jit {
    pub(super) async fn tend_mirror(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        claimed: &Claimed,
        pass: Pass,
    ) -> Tended {
        let (task, now) = (&claimed.task, self.parts.clock.work());
        let brought = if let Some(until) = setup.circuit.open_until(self.parts.clock.now()) {
            Err(self.looked_at_until(claimed, until))
        } else {
            let brought = self.bring(store, setup, (&task.tenant, task.account), task.id, pass).await;
            brought.map_err(|error| match self.comes_again(setup, claimed, &error) {
                Tended::Failed(pause) => Tended::Failed(not_before(&error, pause, now)),
                other => other,
            })
        };
        match brought {
            Ok(Brought::Moved) => Tended::Moved,
            Ok(Brought::Done) => Tended::Done,
            Ok(Brought::Later(due)) => Tended::Again(due),
            Ok(Brought::Held) => {
                if let Some(pace) = &setup.pace {
                    pace.give_back(1);
                }
                Tended::Again(after_pause(claimed, now))
            }
            Err(failed) => {
                let told = self.raise_unbrought(store, setup, &task.tenant, task.account).await;
                if let Err(error) = told {
                    tracing::warn!(account = %task.account, code = %error.code(), "alarm not raised");
                }
                failed
            }
        }
    }

    /// Finds whom others brought, and brings them where this round may still do something.
    pub(super) async fn bring_newcomers(
        &self,
        (id, store): (Option<&StoreId>, &dyn Store),
        worker: &WorkerId,
        setup: &TargetSetup,
        (limit, report): (NonZeroUsize, &mut WorkReport),
    ) -> Result<(), BackendError> {
        let (is_found, looked) = self.look_for_newcomers((id, store), setup).await;
        let [_, Some(lane)] = lanes_of(&setup.id) else { return looked };
        if !is_found {
            return looked;
        }
        let (places, pushes) = (Places::new(setup.at_once), Some(lane.clone()));
        let left = limit.get().saturating_sub(report.done + report.again + report.failed);
        let (places, mirrored) = (&places, &Tenants::These(setup.tenants.clone()));
        let lanes = VecDeque::from([(lane, mirrored)]);
        let round =
            Round { store, worker, setup, places, lanes, pushes, left, first_error: None, unread: None };
        let done = self.run_round(round, report).await;
        looked.and(done)
    }

    /// Asks a target in quarantine for one account, where an attempt is due and somebody waits: for one that it did not fail
    /// lately, if there is one, so that nobody waits for those who fail alone. All others go on waiting.
    pub(super) async fn attempt_push(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        setup: &TargetSetup,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let (known, now) = (setup.health.known(), self.parts.clock.work());
        let is_due = |has_failed| known.next_attempt(has_failed, now).is_some_and(|due| due <= now);
        let [_, Some(lane)] = lanes_of(&setup.id) else { return Ok(()) };
        if !is_due(false) || setup.pace.as_ref().is_some_and(|pace| pace.take(1, now) == 0) {
            return Ok(());
        }
        // Among one more than it failed there is one that it did not, if such a one waits at all.
        let most = NonZeroUsize::MIN.saturating_add(known.count_failed());
        let mirrored = &Tenants::These(setup.tenants.clone());
        let waiting = store.claim(worker, &lane, mirrored, now, HOLD, most).await?;
        let mut waiting = self.readable(waiting, Some(&setup.id), report).await;
        let other = waiting.iter().position(|claimed| !known.has_failed(claimed.task.account));
        let chosen = other.or(Some(0).filter(|_| is_due(true) && !waiting.is_empty()));
        let chosen = chosen.map(|place| waiting.swap_remove(place));
        for claimed in waiting {
            self.goes_on_waiting(store, &known, &claimed).await?.count(report);
        }
        let Some(claimed) = chosen else {
            setup.pace.iter().for_each(|pace| pace.give_back(1));
            return Ok(());
        };
        let tended = Box::pin(self.tend_mirror(store, setup, &claimed, Pass::Attempt)).await;
        settle(store, &claimed, tended).await?.count(report);
        Ok(())
    }

    /// Whom the target failed comes again later and later, and is out of the way of the others.
    async fn goes_on_waiting(
        &self,
        store: &dyn Store,
        known: &Health,
        claimed: &Claimed,
    ) -> Result<Tended, BackendError> {
        let has_failed = known.has_failed(claimed.task.account);
        let due = if has_failed { after_pause(claimed, self.parts.clock.work()) } else { claimed.task.due };
        settle(store, claimed, Tended::Again(due)).await
    }
}
