//! A round of work at one target: privileged leases first, some at a time, and no more than the target bears.

use std::{collections::VecDeque, num::NonZeroUsize};

use chrono::{DateTime, Utc};
use futures_util::{
    future::{BoxFuture, FutureExt as _},
    stream::{FuturesUnordered, StreamExt as _},
};

use super::{
    super::{
        JitError, WorkReport,
        mirror::{Pass, lanes_of},
        unreadable::is_unreadable,
        work::{HOLD, after_pause},
    },
    places::Places,
    record::{Next, moved_on},
};
use crate::{
    Account, Actor, BackendError, Claimed, Duty, EndReason, ErrorKind, Jit, Lane, Phase, Settlement, Store,
    TargetId, TargetSetup, TaskKind, Tenants, WorkerId,
};

/// How many tasks are claimed at once for each place: what is privileged and falls due meanwhile waits for these.
const AHEAD: usize = 2;

/// Says how one task came out.
pub(super) enum Tended {
    /// The lease moved on, and the task went with the step that it took.
    Moved,
    Done,
    Again(DateTime<Utc>),
    Failed(DateTime<Utc>),
}

/// What is left of a round.
pub(super) struct Round<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) worker: &'a WorkerId,
    pub(super) setup: &'a TargetSetup,
    pub(super) places: &'a Places,
    /// Those that may hold anything, the first of them first, and whose tasks of each are done here.
    pub(super) lanes: VecDeque<(Lane, &'a Tenants)>,
    /// That of the lanes which waits while the target fails nearly everybody.
    pub(super) pushes: Option<Lane>,
    pub(super) left: usize,
    pub(super) first_error: Option<BackendError>,
    pub(super) unread: Option<BackendError>,
}

/// What a round waits for.
enum Came {
    Claimed(NonZeroUsize, Result<Vec<Claimed>, BackendError>),
    Tended(Result<Tended, BackendError>),
}

impl Tended {
    pub(super) fn count(self, report: &mut WorkReport) {
        match self {
            Self::Moved | Self::Done => report.done += 1,
            Self::Again(_) => report.again += 1,
            Self::Failed(_) => report.failed += 1,
        }
    }
}

impl<'a> Round<'a> {
    /// The lane to claim from, whose tasks, and how many, if any shall be claimed.
    fn next_claim(&mut self, now: DateTime<Utc>) -> Option<((Lane, &'a Tenants), NonZeroUsize)> {
        if self.setup.health.is_on() {
            // What is no end waits in its lane until the target is well.
            self.lanes.retain(|(lane, _)| self.pushes.as_ref() != Some(lane));
        }
        let lane = self.lanes.front().filter(|_| self.first_error.is_none())?;
        let wanted = self.left.min(self.setup.at_once.get().saturating_mul(AHEAD));
        let turns = self.setup.pace.as_ref().map_or(wanted, |pace| pace.take(wanted, now));
        Some((lane.clone(), NonZeroUsize::new(turns)?))
    }

    /// Takes what was claimed where so many were wanted.
    fn take(&mut self, turns: NonZeroUsize, claims: Result<Vec<Claimed>, BackendError>) -> Vec<Claimed> {
        let claims = claims.unwrap_or_else(|error| {
            // What this build cannot read keeps no other lane from its turn.
            let is_unread = *error.kind() == ErrorKind::Corrupt;
            (if is_unread { &mut self.unread } else { &mut self.first_error }).get_or_insert(error);
            Vec::new()
        });
        if claims.len() < turns.get() {
            // The rest of the lane waits for the next round, as it would have to for what is not due yet.
            self.lanes.pop_front();
        }
        self.left = self.left.saturating_sub(claims.len());
        if let Some(pace) = &self.setup.pace {
            // The target is asked for nothing that cannot be read.
            let asked = claims.iter().filter(|claimed| !is_unreadable(claimed)).count();
            pace.give_back(turns.get().saturating_sub(asked));
        }
        claims
    }
}

impl Jit {
    /// Does up to `limit` due tasks of the leases at one target, privileged ones first, in each store. Call it in a loop of
    /// its own for each target: a target that hangs keeps no other from its work. Any number of workers share it.
    ///
    /// As many calls as [`TargetSetup::at_once`] says are under way at a time: one that hangs holds its own place, up to the
    /// time limit of the target's client, and the round goes on with the others.
    ///
    /// # Errors
    /// `lease.unknown_target`; the first [`BackendError`] of a store that cannot hand out or settle tasks, after the
    /// others had their turn. A lease whose target fails is counted and comes again, later and later, without end.
    ///
    /// # Cancel safety
    /// Each step is written down whole or not at all; claims come back when their hold is over.
    pub async fn work_target(
        &self,
        worker: &WorkerId,
        target: &TargetId,
        limit: NonZeroUsize,
    ) -> Result<WorkReport, JitError> {
        let setup = self.setup(target)?;
        let mut report = WorkReport::default();
        let mut first = self.watch_time().await?;
        if let Err(error) = setup.circuit.look(self.parts.clock.now()).await {
            first.get_or_insert(error);
        }
        let [privileged, usual] = Self::lanes_of(target);
        let [ends, pushes] = setup.mirroring.as_ref().map(|_| lanes_of(target)).unwrap_or_default();
        if pushes.is_some() {
            self.look_at_health(setup).await;
        }
        // What is lent is ended where it is known to be, also where nobody borrows any longer; a change is brought by whoever
        // mirrors its tenant there.
        let (tended, mirrored) = (&Tenants::These(setup.tended()), &Tenants::These(setup.tenants.clone()));
        let lanes = [(privileged, tended), (usual, tended), (ends, mirrored), (pushes.clone(), mirrored)];
        let lanes: VecDeque<_> = lanes.into_iter().filter_map(|(lane, of)| Some((lane?, of))).collect();
        let named = self.parts.stores.iter().map(|(id, store)| (Some(id), store.as_ref()));
        let stores: Vec<_> = named.chain([(None, self.parts.store.as_ref())]).collect();
        for (_, store) in &stores {
            let (store, lanes, places) = (*store, lanes.clone(), Places::new(setup.at_once));
            let (places, pushes, left) = (&places, pushes.clone(), limit.get());
            let round =
                Round { store, worker, setup, places, lanes, pushes, left, first_error: None, unread: None };
            first = first.or(self.run_round(round, &mut report).await.err());
        }
        // After the ends in all stores: neither a store that is slow to tell whom others made nor a target that is slow to show
        // what it has keeps anybody's end waiting.
        for (id, store) in stores {
            first = first.or(self.attempt_push(store, worker, setup, &mut report).await.err());
            let found = self.bring_newcomers((id, store), worker, setup, (limit, &mut report));
            first = first.or(Box::pin(found).await.err());
            let looked = self.look_for_drift(store, worker, setup, &mut report);
            first = first.or(Box::pin(looked).await.err());
        }
        first = first.or(self.tell_of_circuit(setup).await.err());
        first.map_or(Ok(report), |error| Err(error.into()))
    }

    /// Claims while what was claimed before is under way: neither waits for the other.
    pub(super) async fn run_round(
        &self,
        mut round: Round<'_>,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let Round { store, worker, setup, places, .. } = round;
        let mut under_way: FuturesUnordered<BoxFuture<'_, Came>> = FuturesUnordered::new();
        let mut is_claiming = false;
        loop {
            if !is_claiming
                && under_way.len() <= setup.at_once.get()
                && let Some(((lane, tenants), turns)) = round.next_claim(self.parts.clock.work())
            {
                is_claiming = true;
                let now = self.parts.clock.work();
                let claim = async move { store.claim(worker, &lane, tenants, now, HOLD, turns).await };
                under_way.push(claim.map(move |claims| Came::Claimed(turns, claims)).boxed());
            }
            match under_way.next().await {
                Some(Came::Claimed(turns, claims)) => {
                    is_claiming = false;
                    let claims = round.take(turns, claims);
                    for claimed in self.readable(claims, Some(&setup.id), report).await {
                        under_way
                            .push(self.tend_claimed(store, setup, places, claimed).map(Came::Tended).boxed());
                    }
                }
                Some(Came::Tended(Ok(tended))) => tended.count(report),
                Some(Came::Tended(Err(error))) => drop(round.first_error.get_or_insert(error)),
                None => return round.first_error.or(round.unread).map_or(Ok(()), Err),
            }
        }
    }

    async fn tend_claimed(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        places: &Places,
        claimed: Claimed,
    ) -> Result<Tended, BackendError> {
        let tended = self.tend_task(store, setup, places, &claimed).await;
        settle(store, &claimed, tended).await
    }

    /// What happens seldom is boxed: a round keeps a task in memory for each place, twice over.
    async fn tend_task(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        places: &Places,
        claimed: &Claimed,
    ) -> Tended {
        let task = &claimed.task;
        if matches!(task.kind, TaskKind::Mirror { .. }) {
            return self.tend_mirror_in_turn(store, setup, places, claimed).await;
        }
        if !setup.tends(&task.tenant) {
            // It was not asked for: a store that gives it all the same has it back, for whoever has the target for them.
            return Tended::Failed(after_pause(claimed, self.parts.clock.work()));
        }
        let is_ours =
            |account: &Account| account.lease.as_ref().is_some_and(|lease| lease.task == Some(task.id));
        let account = match store.get(&task.tenant, task.account).await {
            Ok(Some(account)) if is_ours(&account) => account,
            Ok(_) => return Tended::Done,
            Err(error) => {
                Box::pin(self.tell_of_unreadable(setup, claimed, &error)).await;
                return self.comes_again(setup, claimed, &error.into());
            }
        };
        if let Some(until) = setup.circuit.open_until(self.parts.clock.now()) {
            Box::pin(self.raise_overdue(store, setup.overdue_after, account)).await;
            return self.looked_at_until(claimed, until);
        }
        let account = match Box::pin(self.look_again(store, setup, places, &account)).await {
            Ok(settled) => settled.unwrap_or(account),
            Err(error) => return Box::pin(self.fails(store, setup, claimed, (account, &error))).await,
        };
        match self.tend(store, account, places.turn()).await {
            // Each step that was written down brought a task of its own; only an early one is due again.
            Ok(account) if !is_ours(&account) => Tended::Moved,
            Ok(account) => {
                let due = account.lease.as_ref().and_then(|lease| lease.due(self.parts.clock.work()));
                due.map_or(Tended::Done, Tended::Again)
            }
            Err(failed) => Box::pin(self.fails(store, setup, claimed, (failed.account, &failed.error))).await,
        }
    }

    async fn tend_mirror_in_turn(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        places: &Places,
        claimed: &Claimed,
    ) -> Tended {
        let _place = places.turn().place().await;
        // What came among the ends and is none any longer has nobody else who asks for it.
        let is_among_ends =
            lanes_of(&setup.id).first().is_some_and(|ends| ends.as_ref() == Some(&claimed.task.lane));
        let pass = if is_among_ends { Pass::Attempt } else { Pass::Usual };
        Box::pin(self.tend_mirror(store, setup, claimed, pass)).await
    }

    /// Tells of a lease whose step failed, if an alarm about it is due; the step comes again.
    async fn fails(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        claimed: &Claimed,
        (account, error): (Account, &JitError),
    ) -> Tended {
        self.raise_overdue(store, setup.overdue_after, account).await;
        self.comes_again(setup, claimed, error)
    }

    /// A record that cannot be read keeps no other lease waiting, and needs a person. Told at the first attempt and at each
    /// hundredth after it: a day apart.
    async fn tell_of_unreadable(&self, setup: &TargetSetup, claimed: &Claimed, error: &BackendError) {
        if *error.kind() == ErrorKind::Corrupt && claimed.attempts.is_multiple_of(100) {
            let which = vec![format!("{} of {}", claimed.task.account, claimed.task.tenant)];
            let told = self.tell("lease.unreadable", Some(&setup.id), Actor::Clock, which).await;
            if let Err(error) = told {
                tracing::warn!(account = %claimed.task.account, code = %error.code(), "alarm not raised");
            }
        }
    }

    /// Looks at what is quarantined between two reminders, which may be a week apart. What a person settled meanwhile ends,
    /// and so does what bears its marker again, because the setting of the markers was put right.
    async fn look_again(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        places: &Places,
        account: &Account,
    ) -> Result<Option<Account>, JitError> {
        let now = self.parts.clock.work();
        let lease = account.lease.as_deref().filter(|lease| {
            let is_quarantined = matches!(lease.phase, Phase::Quarantined { .. });
            is_quarantined && lease.elevates.is_none() && matches!(lease.duty(now), Duty::Wait(_))
        });
        let Some(lease) = lease else { return Ok(None) };
        let place = places.turn().place().await;
        let is_settled = self.is_settled(setup, account, lease).await?;
        drop(place);
        if !is_settled {
            return Ok(None);
        }
        let settled = lease.clone().settled(EndReason::Settled, now).map_err(moved_on)?;
        let act = ("lease.ending", Actor::Clock);
        Ok(Some(self.note_before(store, account, settled, act, Next::AtOnce).await?))
    }

    /// Revocation has no terminal failure: the task comes again, whatever it was, and in time for the next attempt where the
    /// target refuses our credentials.
    pub(super) fn comes_again(&self, setup: &TargetSetup, claimed: &Claimed, error: &JitError) -> Tended {
        tracing::warn!(task = %claimed.task.id, kind = claimed.task.kind.word(), code = %error.code(), "task failed");
        match setup.circuit.open_until(self.parts.clock.now()) {
            Some(until) => self.looked_at_until(claimed, until),
            None => Tended::Failed(after_pause(claimed, self.parts.clock.work())),
        }
    }

    /// What waits for the target comes again when that may be asked, and before that where an alarm may be due.
    pub(super) fn looked_at_until(&self, claimed: &Claimed, until: DateTime<Utc>) -> Tended {
        Tended::Failed(until.min(after_pause(claimed, self.parts.clock.work())))
    }
}

/// Writes down when a task comes again, where it does.
pub(super) async fn settle(
    store: &dyn Store,
    claimed: &Claimed,
    tended: Tended,
) -> Result<Tended, BackendError> {
    let settlement = match tended {
        Tended::Moved => return Ok(tended),
        Tended::Done => Settlement::Done,
        Tended::Again(due) | Tended::Failed(due) => Settlement::Again(due),
    };
    match store.settle(claimed, settlement).await {
        // The lease moved on and has another task by now.
        Err(error) if *error.kind() == ErrorKind::Conflict => Ok(tended),
        other => other.map(|()| tended),
    }
}
