//! Leaving a target alone that fails nearly everybody: joins and updates wait for it, ends do not.
//!
//! One document in the main store says for all processes whom the target failed, and whether it is in quarantine. Whoever
//! writes it first begins or ends the quarantine, tells of it, and has the next attempt; the others do nothing.

use chrono::{DateTime, Utc};

use super::super::known::is_contended;
use crate::{
    AccountId, Actor, BackendError, Commit, Document, Effect, ErrorKind, FaultScope, Jit, JitError, Retry,
    TargetFault, TargetId, TargetSetup, target::Health,
};

/// The kind of the document that keeps the health of a target.
const HEALTH: &str = "Health";
/// How often a change is tried where other nodes write at the same time.
const ATTEMPTS: usize = 16;

const QUARANTINED: &str = "mirror.target_quarantined";
const OVER: &str = "mirror.target_quarantined_over";
const RELEASED: &str = "mirror.target_released";

/// Tells of a target that failed nearly everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetQuarantine {
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it is asked next, where somebody waits whom it did not fail.
    pub next: DateTime<Utc>,
    /// How many accounts it failed, as far as is remembered.
    pub failed: usize,
}

/// Says what may be asked of a target in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Pass {
    /// Ends alone.
    Usual,
    /// The next attempt, if it is not taken.
    Attempt,
    /// That attempt was taken for this push.
    Attempting,
}

/// What comes of a look at the health of a target.
enum Change {
    Nothing,
    Quiet,
    Telling(&'static str, Actor),
}

impl Jit {
    /// Tells whether a target is in quarantine, and since when: it failed nearly everybody, so that joins and updates wait.
    ///
    /// # Errors
    /// `mirror.unknown_target`; [`JitError::Backend`].
    pub async fn target_quarantine(&self, target: &TargetId) -> Result<Option<TargetQuarantine>, JitError> {
        let setup = self.mirrored_at(target)?;
        let (_, health) = self.read_health(setup).await?;
        let now = self.parts.clock.work();
        let times = health.since().zip(health.next_attempt(false, now));
        Ok(times.map(|(since, next)| TargetQuarantine { since, next, failed: health.count_failed() }))
    }

    /// Ends the quarantine of a target, on the word of somebody who mended it: what waits is brought with the next round of
    /// work of each process, within a minute. What failed before counts no longer. Tells whether it was in quarantine.
    ///
    /// # Errors
    /// `mirror.unknown_target`; [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// It was ended or not; [`Jit::target_quarantine`] tells.
    pub async fn release_target(&self, target: &TargetId, by: &str) -> Result<bool, JitError> {
        let (setup, now) = (self.mirrored_at(target)?, self.parts.clock.work());
        let by = Actor::Administrator { name: by.to_owned() };
        let change = |health: &mut Health| {
            if !health.end(now) {
                return Change::Nothing;
            }
            *health = Health::default();
            Change::Telling(RELEASED, by.clone())
        };
        Ok(self.change_health(setup, change).await?)
    }

    /// Learns what other processes know of a target, once in a while, and tells them whom it works for where they know of
    /// failures. What cannot be asked holds nothing back.
    pub(in crate::engine) async fn look_at_health(&self, setup: &TargetSetup) {
        let now = self.parts.clock.work();
        if !setup.health.needs_a_look(now) {
            return;
        }
        let looked = match self.read_health(setup).await {
            Ok((_, health)) => {
                let worked = setup.health.take_news(&health, now);
                self.tell_of_successes(setup, &worked).await
            }
            Err(error) => Err(error),
        };
        note_failure_of_store(setup, looked.err());
    }

    /// Tells whether a push that is no end may be made now, and takes the attempt where one is due.
    pub(super) async fn may_push(&self, setup: &TargetSetup, account: AccountId, pass: &mut Pass) -> bool {
        self.look_at_health(setup).await;
        if !setup.health.is_on() || *pass == Pass::Attempting {
            return true;
        }
        if *pass == Pass::Usual {
            return false;
        }
        let now = self.parts.clock.work();
        let took = self.change_health(setup, |health| {
            if health.take_attempt(account, now) { Change::Quiet } else { Change::Nothing }
        });
        // Whoever lost the race does not call, nor does anybody where it cannot be told who won.
        let took = took.await.inspect_err(|error| note_failure_of_store(setup, Some(error))).unwrap_or(false);
        if took {
            *pass = Pass::Attempting;
        }
        took
    }

    /// What whoever waits is told instead of waiting for a target that fails nearly everybody.
    pub(super) fn quarantined(&self, setup: &TargetSetup) -> BackendError {
        let now = self.parts.clock.work();
        let error = BackendError::new(ErrorKind::Target(TargetFault::Quarantined), "mirror.bring");
        let next = setup.health.known().next_attempt(false, now);
        match next
            .map(|next| next.signed_duration_since(now))
            .filter(|wait| *wait > chrono::TimeDelta::zero())
        {
            Some(wait) => error.with_retry(Retry::After(wait)),
            None => error,
        }
    }

    /// Learns from a push that is no end. Only that an account stands there as it does here shows that the target does its
    /// work; a refusal of one account shows nothing.
    pub(super) async fn learn_health(
        &self,
        setup: &TargetSetup,
        account: AccountId,
        effect: &Result<Effect, BackendError>,
        pass: Pass,
    ) {
        let now = self.parts.clock.work();
        let is_attempt = pass == Pass::Attempting;
        let learned = match effect {
            Ok(Effect::Mirrored { .. }) if is_attempt => self.works_again(setup, account, now).await,
            Ok(Effect::Mirrored { .. }) => {
                setup.health.worked_for(account, now);
                Ok(())
            }
            Err(error) if error.scope() == FaultScope::Target => {
                self.failed_for(setup, account, is_attempt, now).await
            }
            Ok(_) | Err(_) => Ok(()),
        };
        note_failure_of_store(setup, learned.err());
    }

    async fn failed_for(
        &self,
        setup: &TargetSetup,
        account: AccountId,
        is_attempt: bool,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        let worked = setup.health.take_all();
        let change = |health: &mut Health| {
            add_successes(health, &worked);
            let is_news = health.failed_for(account, now);
            health.forget_old(now);
            if !health.is_on() && health.is_failing(now) {
                health.begin(now);
                return Change::Telling(QUARANTINED, Actor::Clock);
            }
            match is_attempt && health.tells_again(now) {
                true => Change::Telling(QUARANTINED, Actor::Clock),
                false if is_news => Change::Quiet,
                false => Change::Nothing,
            }
        };
        self.change_health(setup, change).await.map(drop)
    }

    async fn works_again(
        &self,
        setup: &TargetSetup,
        account: AccountId,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        let change = |health: &mut Health| {
            health.worked_for(account, now);
            if health.end(now) { Change::Telling(OVER, Actor::Clock) } else { Change::Nothing }
        };
        self.change_health(setup, change).await.map(drop)
    }

    async fn tell_of_successes(
        &self,
        setup: &TargetSetup,
        worked: &[(AccountId, DateTime<Utc>)],
    ) -> Result<(), BackendError> {
        if worked.is_empty() {
            return Ok(());
        }
        let now = self.parts.clock.work();
        let change = |health: &mut Health| {
            add_successes(health, worked);
            health.forget_old(now);
            Change::Quiet
        };
        self.change_health(setup, change).await.map(drop)
    }

    /// Reads, changes and writes, until nobody else wrote in between. Tells whether something was written.
    async fn change_health(
        &self,
        setup: &TargetSetup,
        change: impl Fn(&mut Health) -> Change,
    ) -> Result<bool, BackendError> {
        for _ in 0..ATTEMPTS {
            let (before, mut health) = self.read_health(setup).await?;
            let commit = match change(&mut health) {
                Change::Nothing => return Ok(false),
                Change::Quiet => Self::house_tenant().map(Commit::new),
                Change::Telling(action, by) => {
                    self.telling(action, Some(&setup.id), by, vec![setup.id.to_string()])
                }
            };
            let Some(commit) = commit else { return Ok(false) };
            match self.make_known((&setup.id, HEALTH), before, &health, commit).await {
                Ok(()) => {
                    setup.health.saw(health, self.parts.clock.work());
                    return Ok(true);
                }
                Err(error) if is_contended(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(BackendError::new(ErrorKind::DocumentChanged, "mirror.change_health"))
    }

    /// What the store says; what cannot be read says nothing.
    async fn read_health(&self, setup: &TargetSetup) -> Result<(Option<Document>, Health), BackendError> {
        let (document, health) = self.known_of::<Health>(&setup.id, HEALTH).await?;
        let rules = setup.mirroring.as_ref().map(|mirroring| mirroring.quarantine).unwrap_or_default();
        let health = health.by(rules);
        setup.health.saw(health.clone(), self.parts.clock.work());
        Ok((document, health))
    }

    fn mirrored_at(&self, target: &TargetId) -> Result<&TargetSetup, JitError> {
        let setup = self.parts.targets.get(target).filter(|setup| setup.mirroring.is_some());
        setup.ok_or(JitError::refused("mirror.unknown_target"))
    }
}

fn add_successes(health: &mut Health, worked: &[(AccountId, DateTime<Utc>)]) {
    for (account, at) in worked {
        health.worked_for(*account, *at);
    }
}

/// What is known of a target is a help: without it each account is brought as if all were well.
fn note_failure_of_store(setup: &TargetSetup, error: Option<impl std::borrow::Borrow<BackendError>>) {
    if let Some(error) = error {
        tracing::warn!(target = %setup.id, code = %error.borrow().code(), "what is known of a target was not kept");
    }
}
