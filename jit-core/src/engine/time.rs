//! The trusted time: comparing it with what the store knows, keeping it there, and telling of doubts.

use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Jit, JitError, compose::ALARMS};
use crate::{
    AccountId, Actor, AuditEvent, AuditOutcome, BackendError, Code, Commit, ErrorKind, Lane, Settlement,
    Taken, TargetId, Task, TaskId, TaskKind, TenantId, Tenants, TimeDoubt, WorkerId, clock::Reading,
};

/// The tenant under which stands what concerns no tenant: the clock, and the targets.
const HOUSE: &str = "jit:engine";
/// The lane of the one task whose due instant is the last trusted time.
pub(super) const CLOCK: &str = "clock";
/// The id of that task: every node names the same.
pub(super) const ANCHOR: Uuid = Uuid::from_u128(0x6a69_7400_0000_8000_8000_0000_616e_6368);
/// How long moving it may take, at most.
const MOVES_FOR: TimeDelta = TimeDelta::seconds(1);

impl Jit {
    /// The tenant under which the audit trail keeps what concerns no tenant: doubts about the time, targets that do not
    /// accept our credentials.
    #[must_use]
    pub fn house_tenant() -> Option<TenantId> {
        TenantId::new(HOUSE).ok()
    }

    /// Tells whether the clock is in doubt. While it is ahead, nothing ends that would not have ended by the plausible
    /// time; while it is behind, the plausible time counts.
    #[must_use]
    pub fn time_doubt(&self) -> Option<TimeDoubt> {
        self.parts.clock.read().doubt
    }

    /// Takes the word of a person that the clock is right, whatever it was before: what waited is done, and where
    /// the clock was set back, the trusted time goes back with it.
    ///
    /// # Errors
    /// [`BackendError`] of the main store, also where others write about the clock at the same time again and again: others may
    /// then not have heard of it, and it is to be called again.
    ///
    /// # Cancel safety
    /// This engine believes its clock; others may not have heard of it.
    pub async fn confirm_time(&self, by: &str) -> Result<(), BackendError> {
        let at = self.parts.clock.trust();
        self.keep_anchor(at).await?;
        self.forget_lags().await?;
        self.forget_told().await?;
        self.parts.clock.anchored(at);
        self.parts.clock.announced(None);
        let by = Actor::Administrator { name: by.to_owned() };
        self.tell("clock.confirmed", None, by, Vec::new()).await
    }

    /// Compares the clock with the time that the store knows; call it before whatever ends something. It fails where
    /// nothing may end yet; what else went wrong is tried again the next time.
    pub(super) async fn watch_time(&self) -> Result<Option<BackendError>, BackendError> {
        let clock = &self.parts.clock;
        if !clock.is_guarded() {
            return Ok(None);
        }
        if !clock.is_anchored() {
            let anchor = self.anchor().await?;
            let lags = if clock.is_behind(anchor) { self.lags().await? } else { Vec::new() };
            clock.begin_from(anchor, &lags);
        }
        Ok(self.weigh_time().await.err())
    }

    /// Lets nothing begin or be prolonged while the clock is ahead of the plausible time: it would end by an instant that nobody
    /// believes, and outlive its span by the whole jump once the clock is right. A clock that is behind is no hindrance: the
    /// plausible time counts in its place.
    pub(super) async fn check_time(&self) -> Result<(), JitError> {
        if let Some(error) = self.watch_time().await? {
            tracing::warn!(code = %error.code(), "the trusted time was not kept");
        }
        match self.time_doubt() {
            Some(TimeDoubt::Ahead(_)) => Err(JitError::refused("clock.ahead")),
            Some(TimeDoubt::Behind(_)) | None => Ok(()),
        }
    }

    async fn weigh_time(&self) -> Result<(), BackendError> {
        let clock = &self.parts.clock;
        let mut reading = clock.read();
        if reading.doubt.is_some()
            && let Some(anchor) = self.anchor().await?
        {
            clock.compare(reading, anchor);
            reading = clock.read();
        }
        if clock.takes_news(reading.doubt) {
            self.tell_news(reading).await.inspect_err(|_| clock.was_not_told())?;
        }
        if let Some(told) = clock.told_to_keep(reading) {
            self.keep_told(told, reading.work).await?;
            clock.told_was_kept(told);
        }
        if clock.moves_anchor(reading.work) {
            let known = self.anchor().await?;
            if known.is_none_or(|known| known < reading.work) {
                self.keep_anchor(reading.work).await?;
            }
            clock.anchored(known.map_or(reading.work, |known| known.max(reading.work)));
        }
        if let Some(lag) = clock.lag_to_keep(reading) {
            self.keep_lag(lag).await?;
            clock.lag_was_kept(lag);
        }
        Ok(())
    }

    /// Tells of a doubt, unless a process before this one or beside it did; or that it is over.
    async fn tell_news(&self, reading: Reading) -> Result<(), BackendError> {
        match reading.told() {
            Some(told) if self.is_told(told).await? => return Ok(()),
            Some(_) => {}
            // The next doubt is another one.
            None => self.forget_told().await?,
        }
        let (action, changes) = match reading.doubt {
            None => ("clock.trusted", Vec::new()),
            Some(TimeDoubt::Ahead(by)) => ("clock.ahead", vec![format!("by {} s", by.num_seconds())]),
            Some(TimeDoubt::Behind(by)) => ("clock.behind", vec![format!("by {} s", by.num_seconds())]),
        };
        self.tell(action, None, Actor::Clock, changes).await
    }

    /// Records something that concerns no tenant, and raises an alarm about it.
    pub(super) async fn tell(
        &self,
        action: &'static str,
        target: Option<&TargetId>,
        actor: Actor,
        changes: Vec<String>,
    ) -> Result<(), BackendError> {
        match self.telling(action, target, actor, changes) {
            Some(commit) => self.parts.store.commit(&commit).await,
            None => Ok(()),
        }
    }

    /// The commit that does so; whatever else belongs to it can be added.
    pub(super) fn telling(
        &self,
        action: &'static str,
        target: Option<&TargetId>,
        actor: Actor,
        changes: Vec<String>,
    ) -> Option<Commit> {
        tracing::warn!(action, ?target, "alarm");
        let tenant = Self::house_tenant()?;
        let reading = self.parts.clock.read();
        let mut mint = self.mint(reading.now);
        let mut commit = Commit::new(tenant.clone());
        let kind = TaskKind::Alarm { about: Code::new(action), target: target.cloned() };
        let nobody = AccountId::from_uuid(Uuid::nil());
        commit.tasks.extend(self.notice(mint.task(), &tenant, nobody, kind, reading.work));
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: reading.now,
            tenant,
            actor,
            action: Code::new(action),
            account: None,
            outcome: AuditOutcome::Done,
            rule: None,
            changes,
        });
        Some(commit)
    }

    /// A task that tells the application something, where it listens.
    pub(super) fn notice(
        &self,
        id: TaskId,
        tenant: &TenantId,
        account: AccountId,
        kind: TaskKind,
        due: DateTime<Utc>,
    ) -> Option<Task> {
        self.parts.notices.as_ref()?;
        Some(Task { id, tenant: tenant.clone(), lane: Lane::new(ALARMS).ok()?, account, kind, due })
    }

    async fn anchor(&self) -> Result<Option<DateTime<Utc>>, BackendError> {
        let Ok(lane) = Lane::new(CLOCK) else { return Ok(None) };
        self.parts.store.next_due(&lane).await
    }

    /// Moves the one task of the lane to an instant, or makes it. Claims live by the caller's time, so that it can be
    /// claimed at its own instant and be moved in both directions.
    async fn keep_anchor(&self, at: DateTime<Utc>) -> Result<(), BackendError> {
        let (Ok(lane), Ok(worker)) = (Lane::new(CLOCK), WorkerId::new(CLOCK)) else { return Ok(()) };
        let store = &self.parts.store;
        let Some(known) = store.next_due(&lane).await? else { return self.make_anchor(lane, at).await };
        for claimed in store.claim(&worker, &lane, &Tenants::All, known, MOVES_FOR, NonZeroUsize::MIN).await?
        {
            match store.settle(&claimed, Settlement::Again(at)).await {
                // Another node moved it.
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                other => other?,
            }
        }
        Ok(())
    }

    async fn make_anchor(&self, lane: Lane, due: DateTime<Utc>) -> Result<(), BackendError> {
        let Some(tenant) = Self::house_tenant() else { return Ok(()) };
        let mut commit = Commit::new(tenant.clone());
        let (id, account) = (TaskId::from_uuid(ANCHOR), AccountId::from_uuid(Uuid::nil()));
        commit.tasks.push(Task { id, tenant, lane, account, kind: TaskKind::Anchor, due });
        match self.parts.store.commit(&commit).await {
            Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Task) => Ok(()),
            other => other,
        }
    }
}
