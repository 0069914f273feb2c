//! Looking for what others changed in a target since it was brought there: some accounts at a time, one node at a time.
//!
//! In each store one task says when the next accounts are looked at, and whoever claims it looks; a document beside it says
//! how far the round has come. Both survive every crash: at worst some accounts are looked at twice.

use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::super::known::{is_contended, key_in_house, named_by, progress_write};
use super::{desired, mark, mark::Next, rounds::Progress};
use crate::{
    Account, AccountId, AccountWrite, Actor, AuditEvent, AuditOutcome, BackendError, Claimed, Code, Commit,
    Cursor, DesiredState, DocumentKey, Drift, DriftLook, ErrorKind, FaultScope, Jit, Lane, LookupKey, Mirror,
    MirrorState, Mirrored, RemoteRef, Settlement, Store, Taken, TargetId, TargetSetup, Task, TaskId,
    TaskKind, TenantId, Tenants, Wanted, WorkReport, WorkerId, engine::work::HOLD, wanted,
};

/// How many accounts are looked at in one turn, and for how long at most: well within the hold of the claim.
const TURN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(24);
const TURN_TIME: TimeDelta = TimeDelta::seconds(3);
/// How long a target that cannot be asked is left alone, and how often before the account is passed over that it was asked for.
const PAUSE: TimeDelta = TimeDelta::minutes(5);
const PATIENCE: u32 = 3;

const KIND: &str = "Drift";
const DRIFTED: &str = "mirror.drifted";
/// Stands behind the digest of what was overwritten, and is found again all the same.
const BROUGHT: &str = "+";

/// When a round goes on.
enum GoesOn {
    At(DateTime<Utc>),
    /// It is over.
    Over,
}

/// What a look at one account came to.
enum Looked {
    /// It is on its way there, or not to be there: nothing can be said of it.
    Passed,
    AsItShould,
    /// It differs as it did before.
    Known {
        overwritten: bool,
    },
    Differs {
        overwritten: bool,
    },
}

impl Jit {
    /// Looks at some accounts of a store, if it is time to, and nobody else does. Not while the target fails nearly everybody,
    /// nor while our credentials are refused or the clock is in doubt.
    pub(in crate::engine) async fn look_for_drift(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        setup: &TargetSetup,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let Some(look) = setup.mirroring.as_ref().and_then(|mirroring| mirroring.drift) else {
            return Ok(());
        };
        let reading = self.parts.clock.read();
        let is_shut = setup.health.is_on() || setup.circuit.open_until(reading.now).is_some();
        let Some(lane) = lane_of(&setup.id).filter(|_| !is_shut && reading.doubt.is_none()) else {
            return Ok(());
        };
        let Some(due) = store.next_due(&lane).await? else {
            return self.begin_to_look(store, setup, lane, reading.work).await;
        };
        // What lies further ahead than a whole round was written before the clock was set back.
        let is_beyond = due.signed_duration_since(reading.work) > look.every;
        let from = if is_beyond { due } else { reading.work };
        if due > from {
            return Ok(());
        }
        let claimed = store.claim(worker, &lane, &Tenants::All, from, HOLD, NonZeroUsize::MIN).await?;
        let Some(claimed) = self.readable(claimed, Some(&setup.id), report).await.pop() else {
            return Ok(());
        };
        self.take_turn(store, setup, look, &claimed).await
    }

    async fn begin_to_look(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        lane: Lane,
        due: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        let (Some(tenant), Some(id)) = (Self::house_tenant(), id_of(&setup.id)) else { return Ok(()) };
        let mut commit = Commit::new(tenant.clone());
        let kind = TaskKind::LookForDrift { target: setup.id.clone() };
        let account = AccountId::from_uuid(Uuid::nil());
        commit.tasks.push(Task { id: TaskId::from_uuid(id), tenant, lane, account, kind, due });
        match store.commit(&commit).await {
            Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Task) => Ok(()),
            done => done,
        }
    }

    async fn take_turn(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        look: DriftLook,
        claimed: &Claimed,
    ) -> Result<(), BackendError> {
        let Some(key) = key_of(&setup.id) else { return Ok(()) };
        let before = store.document(&key).await?;
        let mut progress = Progress::of(before.as_ref());
        let began = *progress.began.get_or_insert_with(|| self.parts.clock.work());
        let goes_on = self.look_at_some(store, setup, look, &mut progress).await?;
        let now = self.parts.clock.work();
        let (due, after, commit) = match goes_on {
            GoesOn::At(due) => (due, progress, Self::house_tenant().map(Commit::new)),
            GoesOn::Over => {
                let next = began.checked_add_signed(look.every).unwrap_or(now).max(now + PAUSE);
                (next, progress.ended(now), self.tell_of_drift(setup, &progress))
            }
        };
        let (Some(mut commit), Ok(body)) = (commit, serde_json::to_string(&after)) else { return Ok(()) };
        commit.documents.push(progress_write(key, before.as_ref(), body, self.parts.clock.now()));
        match store.commit(&commit).await {
            Ok(()) => settle(store, claimed, due).await,
            // The claim ran out, and somebody else goes on.
            Err(error) if is_contended(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looks at the accounts that come next. What cannot be asked is no drift.
    async fn look_at_some(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        look: DriftLook,
        progress: &mut Progress,
    ) -> Result<GoesOn, BackendError> {
        let began = self.parts.clock.now();
        let first = progress.tenant.clone().or_else(|| setup.tenants.first().cloned());
        let Some(tenant) = first.and_then(|first| setup.tenants.range(first..).next().cloned()) else {
            return Ok(GoesOn::Over);
        };
        if progress.tenant.as_ref() != Some(&tenant) {
            (progress.tenant, progress.after) = (Some(tenant.clone()), None);
        }
        let after = progress.after.map(|id| Cursor::after(id.as_uuid()));
        let page = store.bearers(&tenant, &LookupKey::mirrored_at(&setup.id), after, TURN).await?;
        for id in page.items {
            let now = self.parts.clock.now();
            let is_late = now.signed_duration_since(began) >= TURN_TIME;
            if is_late || setup.pace.as_ref().is_some_and(|pace| pace.take(1, now) == 0) {
                return Ok(GoesOn::At(self.parts.clock.work()));
            }
            match self.look_at(store, setup, look, progress, (&tenant, id)).await {
                Ok(looked) => progress.count(&looked),
                Err(error) if is_of_target(&error) && progress.attempts + 1 < PATIENCE => {
                    tracing::warn!(target = %setup.id, code = %error.code(), "could not look for drift");
                    progress.attempts += 1;
                    return Ok(GoesOn::At(self.parts.clock.work() + PAUSE));
                }
                Err(error) => {
                    tracing::warn!(account = %id, code = %error.code(), "could not look for drift");
                    progress.failed += 1;
                }
            }
            (progress.after, progress.attempts) = (Some(id), 0);
        }
        if page.next.is_none() {
            let Some(next) = setup.tenants.range(tenant.clone()..).nth(1) else { return Ok(GoesOn::Over) };
            (progress.tenant, progress.after) = (Some(next.clone()), None);
        }
        Ok(GoesOn::At(self.parts.clock.work()))
    }

    /// Looks at one account, and writes down what is new about how it differs.
    async fn look_at(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        look: DriftLook,
        progress: &Progress,
        (tenant, id): (&TenantId, AccountId),
    ) -> Result<Looked, BackendError> {
        let now = self.parts.clock.work();
        let Some(account) = store.get(tenant, id).await? else { return Ok(Looked::Passed) };
        let Some((mirror, remote, mirrored)) = settled(setup, &account, now) else {
            return Ok(Looked::Passed);
        };
        let drift = setup.target.differs(&remote, &mirrored).await?;
        let digest = drift.digest();
        if digest.is_none() && mirror.drift.is_none() {
            return Ok(Looked::AsItShould);
        }
        let has_room = look.overwrites.is_some_and(|most| progress.overwritten < most.get());
        let overwrites = look.overwrites.is_some() && (has_room || drift.gives_access()) && digest.is_some();
        let (told, brought) = mirror.drift.as_deref().map_or((None, false), |kept| {
            let told = kept.strip_suffix(BROUGHT);
            (Some(told.unwrap_or(kept)), told.is_some())
        });
        // Some applications keep values in their own way: what was told of once, and brought, is left so. Access is not.
        let is_known = digest.as_deref() == told && !drift.gives_access();
        if is_known && (brought || !overwrites) {
            return Ok(Looked::Known { overwritten: false });
        }
        match store.commit(&self.noting_drift(setup, &account, (&drift, digest), overwrites)).await {
            Ok(()) if drift == Drift::Nothing => Ok(Looked::AsItShould),
            Ok(()) if is_known => Ok(Looked::Known { overwritten: overwrites }),
            Ok(()) => Ok(Looked::Differs { overwritten: overwrites }),
            // It changed meanwhile, and is brought.
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(Looked::Passed),
            Err(error) => Err(error),
        }
    }

    fn noting_drift(
        &self,
        setup: &TargetSetup,
        before: &Account,
        (drift, digest): (&Drift, Option<String>),
        overwrites: bool,
    ) -> Commit {
        let (now, mut after) = (self.parts.clock.now(), before.clone());
        let (mut mint, mut commit) = (self.mint(now), Commit::new(before.tenant.clone()));
        for mirror in after.mirrors.iter_mut().filter(|mirror| mirror.target == setup.id) {
            mirror.drift =
                digest.as_deref().map(|digest| [digest, if overwrites { BROUGHT } else { "" }].concat());
            if overwrites {
                mirror.confirmed = None;
            }
        }
        if overwrites {
            let next = Next { due: self.parts.clock.work(), is_change: true, takes: drift.gives_access() };
            mark::mark(&mut commit, &mut after, setup, next, &mut mint);
        }
        if digest.is_some() {
            let what = [format!("at {}", setup.id)].into_iter().chain(drift.words());
            let overwritten = overwrites.then(|| "overwritten".to_owned());
            commit.events.push(AuditEvent {
                id: mint.event(),
                at: now,
                tenant: before.tenant.clone(),
                actor: Actor::Clock,
                action: Code::new(DRIFTED),
                account: Some(before.id),
                outcome: AuditOutcome::Done,
                rule: None,
                changes: what.chain(overwritten).collect(),
            });
        }
        after.updated_at = now;
        commit.account = Some(AccountWrite::update(before, after));
        commit
    }

    /// One alarm for all that a round found.
    fn tell_of_drift(&self, setup: &TargetSetup, found: &Progress) -> Option<Commit> {
        let Progress { looked, differing, known, overwritten, failed, .. } = found;
        tracing::info!(target = %setup.id, looked, differing, known, overwritten, failed, "looked for drift");
        if *differing == 0 {
            return Self::house_tenant().map(Commit::new);
        }
        let counts = format!(
            "{differing} of {looked} differ, {overwritten} overwritten, {known} as before, {failed} unseen"
        );
        self.telling(DRIFTED, Some(&setup.id), Actor::Clock, vec![format!("at {}", setup.id), counts])
    }
}

impl Progress {
    fn count(&mut self, looked: &Looked) {
        self.looked += u64::from(!matches!(looked, Looked::Passed));
        match looked {
            Looked::Passed | Looked::AsItShould => {}
            Looked::Known { overwritten } => {
                self.known += 1;
                self.overwritten = self.overwritten.saturating_add(u32::from(*overwritten));
            }
            Looked::Differs { overwritten } => {
                self.differing += 1;
                self.overwritten = self.overwritten.saturating_add(u32::from(*overwritten));
            }
        }
    }
}

/// What an account was brought as, if nothing of it is on its way.
fn settled<'a>(
    setup: &TargetSetup,
    account: &'a Account,
    now: DateTime<Utc>,
) -> Option<(&'a Mirror, RemoteRef, Box<Mirrored>)> {
    let mirror = account.mirror(&setup.id)?;
    let next = wanted(account, setup.mirrored_for(&account.tenant)?, Some(mirror), now);
    let stands = matches!(mirror.state, MirrorState::Present | MirrorState::Inactive)
        && mirror.native.is_some()
        && mirror.unanswered.is_none()
        && !matches!(next, Wanted::Nothing | Wanted::Gone)
        && mirror.asked.as_deref() == Some(next.digest().as_str());
    let asked = desired(setup, account, mirror, &next).filter(|_| stands)?;
    match asked.state {
        DesiredState::Mirrored(mirrored) => Some((mirror, asked.remote, mirrored)),
        _ => None,
    }
}

async fn settle(store: &dyn Store, claimed: &Claimed, due: DateTime<Utc>) -> Result<(), BackendError> {
    match store.settle(claimed, Settlement::Again(due)).await {
        Err(error) if *error.kind() == ErrorKind::Conflict => Ok(()),
        done => done,
    }
}

fn is_of_target(error: &BackendError) -> bool {
    matches!(error.kind(), ErrorKind::Target(_)) && error.scope() != FaultScope::Account
}

pub(super) fn lane_of(target: &TargetId) -> Option<Lane> {
    Lane::new(format!("drift:{target}")).ok()
}

/// Names the task and the document of a target; every node names the same.
fn id_of(target: &TargetId) -> Option<Uuid> {
    named_by(format!("drift:{target}").as_bytes())
}

pub(super) fn key_of(target: &TargetId) -> Option<DocumentKey> {
    key_in_house(KIND, id_of(target)?)
}
