//! Doing what is due: ends of grants and accounts, notices, leftovers.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Jit,
    compose::{ACCOUNTS, ALARMS, NOTICES, Record},
    outcome::JitError,
};
use crate::{
    Account, AccountState, Actor, BackendError, Claimed, Code, ErrorKind, GrantId, Lane, Plan, Settlement,
    Standing, Store, Task, TaskKind, Tenants, WorkerId, plan_end_of_account, plan_end_of_grant,
};

/// Delivers what the application must be told. At least once: the same task may come again after a crash.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Notices: Send + Sync {
    /// Delivers one.
    ///
    /// # Errors
    /// Whatever prevents delivery now; the task comes again, later and later.
    ///
    /// # Cancel safety
    /// The notice may have been delivered.
    async fn deliver(&self, task: &Task) -> Result<(), BackendError>;
}

/// Counts what one round of work did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkReport {
    /// Tasks done.
    pub done: usize,
    /// Tasks that are due again later.
    pub again: usize,
    /// Tasks that failed and are due again after a pause.
    pub failed: usize,
    /// Tasks that this build cannot read, such as those of a later version beside it: each time that one was claimed. They are
    /// left to whoever can, and an alarm (`task.unreadable`) tells of what stays so for a quarter of an hour.
    pub unreadable: usize,
    /// One-time values removed.
    pub purged: usize,
    /// Leases of targets that this engine does not have, which nobody has looked after since they were due. What is looked
    /// at is bounded: there may be more.
    pub unserved: usize,
    /// Records of leases that were removed, because they had been over for good for long.
    pub forgotten: usize,
}

/// How long a claim holds.
pub(super) const HOLD: TimeDelta = TimeDelta::seconds(60);
/// How long an end that cannot be decided yet waits for the next look.
const DAILY: TimeDelta = TimeDelta::days(1);
/// The longest pause between attempts: revocation never gives up.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(15);

impl Jit {
    /// Does up to `limit` due tasks of each lane and store, writes collected last-seen instants, removes one-time values
    /// that are over, raises alarms for leases whose target no engine has, and removes records that are kept no longer
    /// ([`JitBuilder::keep_ended_for`](crate::JitBuilder::keep_ended_for)). Call it in a loop; any number of workers on any number of
    /// nodes share the work.
    ///
    /// # Errors
    /// The first [`BackendError`] of a store that cannot hand out or settle tasks, after the others had their turn; a task
    /// that fails by itself is counted and comes again.
    ///
    /// # Cancel safety
    /// Each task's commit is made whole or not at all; claims come back when their hold is over.
    pub async fn work(&self, worker: &WorkerId, limit: NonZeroUsize) -> Result<WorkReport, BackendError> {
        let mut report = WorkReport::default();
        let mut first = self.watch_time().await?;
        let looks = self.looks_for_missing();
        for store in self.parts.stores.values().chain(std::iter::once(&self.parts.store)) {
            if looks {
                let told = self.tell_of_missing(store.as_ref(), worker, limit, &mut report).await;
                let forgotten = Box::pin(self.forget_leases(store.as_ref(), worker, &mut report)).await;
                first = first.or(told.err()).or(forgotten.err());
            }
            // A store that is down does not keep ends from coming in the others.
            if let Err(error) = self.work_store(store.as_ref(), worker, limit, &mut report).await {
                first.get_or_insert(error);
            }
        }
        if let Err(error) = self.flush_seen().await {
            first.get_or_insert(error);
        }
        first.map_or(Ok(report), Err)
    }

    async fn work_store(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        limit: NonZeroUsize,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        // Alarms of earlier builds are among the notices.
        let lanes =
            [(ACCOUNTS, true), (ALARMS, self.parts.notices.is_some()), (NOTICES, self.parts.takes_notices)];
        let mut unreadable = None;
        for (lane, _) in lanes.into_iter().filter(|(_, is_ours)| *is_ours) {
            match self.work_lane(store, worker, lane, limit, report).await {
                // What this build cannot read keeps no other lane from its turn.
                Err(error) if *error.kind() == ErrorKind::Corrupt => drop(unreadable.get_or_insert(error)),
                done => done?,
            }
        }
        report.purged += store.purge(self.parts.clock.work(), limit).await?;
        unreadable.map_or(Ok(()), Err)
    }

    async fn work_lane(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        lane: &str,
        limit: NonZeroUsize,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let Ok(lane) = Lane::new(lane) else { return Ok(()) };
        let claimed = store.claim(worker, &lane, &Tenants::All, self.parts.clock.work(), HOLD, limit).await?;
        for claimed in self.readable(claimed, None, report).await {
            let now = self.parts.clock.work();
            let settlement = match self.do_task(store, &claimed, now).await {
                Ok(Settlement::Done) => {
                    report.done += 1;
                    Settlement::Done
                }
                Ok(again) => {
                    report.again += 1;
                    again
                }
                Err(error) => {
                    tracing::warn!(task = %claimed.task.id, kind = claimed.task.kind.word(), code = %error.code(), "task failed");
                    report.failed += 1;
                    Settlement::Again(after_pause(&claimed, now))
                }
            };
            match store.settle(&claimed, settlement).await {
                // Somebody else has the task by now, and will settle it.
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                other => other?,
            }
        }
        Ok(())
    }

    async fn do_task(
        &self,
        store: &dyn Store,
        claimed: &Claimed,
        now: DateTime<Utc>,
    ) -> Result<Settlement, JitError> {
        let task = &claimed.task;
        let account = store.get(&task.tenant, task.account).await?;
        match &task.kind {
            TaskKind::EndGrant { grant } => match account {
                Some(account) => self.end_grant(store, &account, *grant, now).await,
                None => Ok(Settlement::Done),
            },
            TaskKind::ReviewEnd => match account.filter(|account| account.end_review == Some(task.id)) {
                Some(account) => self.review_end(store, &account, now).await,
                None => Ok(Settlement::Done),
            },
            TaskKind::EndLeases => {
                if let Some(holder) = account.filter(|account| account.standing(now) != Standing::Active) {
                    self.end_leases_of(store, &holder, claimed.attempts).await?;
                }
                Ok(Settlement::Done)
            }
            // Each waits in a lane of its own: those of the targets (`Jit::work_target`), those of the connections
            // (`Jit::retell`), those of what is forgotten, and that of the trusted time.
            TaskKind::TendLease
            | TaskKind::Mirror { .. }
            | TaskKind::Retell { .. }
            | TaskKind::RetellThese { .. }
            | TaskKind::RetellMembers { .. }
            | TaskKind::LookForDrift { .. }
            | TaskKind::ForgetLeases
            | TaskKind::Anchor
            | TaskKind::Unreadable => Ok(Settlement::Again(now.checked_add_signed(DAILY).unwrap_or(now))),
            TaskKind::EndSessions { .. } | TaskKind::Notify { .. } | TaskKind::Alarm { .. } => {
                if let Some(notices) = &self.parts.notices {
                    notices.deliver(task).await?;
                }
                Ok(Settlement::Done)
            }
        }
    }

    async fn end_grant(
        &self,
        store: &dyn Store,
        account: &Account,
        grant: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Settlement, JitError> {
        let plan = plan_end_of_grant(account, grant, now);
        if plan.is_empty() {
            let end = account.grants.iter().find(|held| held.id == grant).and_then(|held| held.ends_at);
            return Ok(end.map_or(Settlement::Done, Settlement::Again));
        }
        self.end(store, account, &plan, "access.ended", now).await
    }

    async fn review_end(
        &self,
        store: &dyn Store,
        account: &Account,
        now: DateTime<Utc>,
    ) -> Result<Settlement, JitError> {
        let plan = plan_end_of_account(account, now);
        if plan.is_empty() {
            let is_over = matches!(account.state, AccountState::Disabled { .. } | AccountState::Ended { .. });
            // Whoever is brought back gets a review anew; a suspended or waiting account is looked at daily.
            let next = account.next_end().filter(|_| !is_over).map(|next| next.max(now + DAILY));
            return Ok(next.map_or(Settlement::Done, Settlement::Again));
        }
        self.end(store, account, &plan, "account.was_ended_by_time", now).await
    }

    /// Commits an end, one by disuse only if the account is still unused. A conflict leaves the task for the next round:
    /// it is planned on what is there then.
    async fn end(
        &self,
        store: &dyn Store,
        account: &Account,
        plan: &Plan,
        action: &'static str,
        now: DateTime<Utc>,
    ) -> Result<Settlement, JitError> {
        let record =
            Record { actor: Actor::Clock, action: Code::new(action), rule: None, absolute: true, now };
        let (mut commit, _) = self.compose(&account.tenant, Some(account), plan, record, &mut self.mint(now));
        if account.standing(now) == Standing::Idle {
            let last_use = account.last_seen.unwrap_or(account.created_at);
            commit.account = commit.account.map(|write| write.if_unused_since(last_use));
        }
        match self.commit(store, &commit).await {
            Ok(()) => Ok(Settlement::Done),
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(Settlement::Again(now)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Doubles the pause with each attempt, up to the longest.
pub(super) fn after_pause(claimed: &Claimed, now: DateTime<Utc>) -> DateTime<Utc> {
    let pause = TimeDelta::seconds(1 << claimed.attempts.min(12)).min(LONGEST_PAUSE);
    now.checked_add_signed(pause).unwrap_or(now)
}
