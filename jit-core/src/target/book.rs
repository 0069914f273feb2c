//! What all processes know of a system that refuses our credentials, kept in the main store.
//!
//! It is one task in a lane of its own: while it is there the circuit is open, its due instant is when the next attempt may
//! be made, and whoever claims it makes that attempt. The lane is named after the credentials, so that others are tried at
//! once. The alarm that was raised is another task, in a lane of the system: whoever is accepted there for the same account
//! or the same target closes it, whatever the credentials are by then. One that was raised again because the same credentials
//! were refused again keeps whose they are: others close it when these were not tried for long.

use std::sync::Arc;
use std::{collections::BTreeSet, fmt, num::NonZeroUsize};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::circuit::{BEYOND, LONGEST_PAUSE};
use crate::{
    AccountId, Actor, AuditEvent, AuditOutcome, BackendError, Claimed, Code, Commit, Entropy, ErrorKind,
    Lane, Mint, Settlement, Store, Taken, TargetId, Task, TaskId, TaskKind, TenantId, Tenants, WorkerId,
    clock::GuardedClock,
};

/// Names our credentials and the system that they are for: digests that only the holder of the deployment's key can make.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Proof {
    pub(crate) credentials: [u8; 16],
    /// As whom we prove ourselves there, whatever the secret is.
    pub(crate) account: [u8; 16],
    pub(crate) system: [u8; 16],
}

/// Where a book is kept, and who is told.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) clock: Arc<GuardedClock>,
    /// The tenant under which stands what concerns no tenant.
    pub(crate) tenant: TenantId,
    /// The lane of alarms, where somebody listens.
    pub(crate) notices: Option<Lane>,
}

/// Keeps what is known of our credentials at one system, for all targets that lie there.
pub(crate) struct Book {
    shelf: Shelf,
    targets: BTreeSet<TargetId>,
    lane: Lane,
    task: TaskId,
    /// Where the alarms of the system are, each a task.
    alarms: Lane,
    /// The alarm of our account there.
    alarm: TaskId,
    worker: WorkerId,
}

impl Book {
    /// `None` where a name is none, which the digest rules out.
    pub(crate) fn of(proof: Proof, targets: BTreeSet<TargetId>, shelf: Shelf) -> Option<Self> {
        let named = |digest| uuid::Builder::from_custom_bytes(digest).into_uuid();
        let task = named(proof.credentials);
        Some(Self {
            shelf,
            targets,
            lane: lane_of(task)?,
            task: TaskId::from_uuid(task),
            alarms: Lane::new(format!("refused:{}", named(proof.system).simple())).ok()?,
            alarm: TaskId::from_uuid(named(proof.account)),
            worker: WorkerId::new("circuit").ok()?,
        })
    }

    /// The instant of the next attempt; `None` where our credentials are not known to be refused.
    pub(crate) async fn next_attempt(&self) -> Result<Option<DateTime<Utc>>, BackendError> {
        self.shelf.store.next_due(&self.lane).await
    }

    /// Takes the attempt that is due. Whoever dies over it leaves the next one to others after the longest pause.
    pub(crate) async fn take_attempt(&self, now: DateTime<Utc>) -> Result<Option<Claimed>, BackendError> {
        let due = self.next_attempt().await?;
        let from = due.and_then(|due| beyond(due, now)).unwrap_or(now);
        let (store, one) = (&self.shelf.store, NonZeroUsize::MIN);
        Ok(store.claim(&self.worker, &self.lane, &Tenants::All, from, LONGEST_PAUSE, one).await?.pop())
    }

    /// Writes down that our credentials were refused, and raises the alarm: the first who finds out does, for all.
    pub(crate) async fn refused_first(
        &self,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        let mut commit = Commit::new(self.shelf.tenant.clone());
        commit.tasks.push(self.task_of(self.task, (REFUSED, self.targets.first()), self.lane.clone(), until));
        self.unless_there(&commit).await?;
        self.raise(None, now).await
    }

    /// Puts the next attempt off, and raises the alarm again where it was refused and others were accepted meanwhile.
    pub(crate) async fn put_off(
        &self,
        claimed: &Claimed,
        until: DateTime<Utc>,
        was_refused: bool,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        match self.shelf.store.settle(claimed, Settlement::Again(until)).await {
            // It took so long that somebody else made the next one, or it is over.
            Err(error) if *error.kind() == ErrorKind::Conflict => return Ok(()),
            settled => settled?,
        }
        if !was_refused {
            return Ok(());
        }
        let is_another_time = is_left_alone(claimed.task.due, now);
        self.raise(Some(self.task).filter(|_| !is_another_time), now).await
    }

    /// Writes down that our credentials are accepted, and tells so where an alarm says otherwise: of the target that the
    /// alarm named, which a process with other targets told. Tells whether all was looked at: not what somebody else holds, nor
    /// where these credentials were refused since, unless this was the attempt. We may have been let in over a connection of
    /// before: the next attempt shows it, and until then everybody waits for it. Where nobody makes it for long, the alarm is
    /// over, and the attempt still to be made by whoever comes anew.
    pub(crate) async fn accepted(
        &self,
        attempt: Option<&Claimed>,
        now: DateTime<Utc>,
    ) -> Result<bool, BackendError> {
        let next = self.next_attempt().await?;
        // Somebody else made the next one if it took so long.
        let attempt = attempt.filter(|attempt| next.is_some_and(|next| is_at(next, attempt.until)));
        if attempt.is_none() && next.is_some_and(|next| !is_left_alone(next, now)) {
            return Ok(false);
        }
        let (closed, is_all) = self.take_alarms(now).await?;
        let mut commit = match closed.first() {
            Some(alarm) => self.telling(ACCEPTED, named(&alarm.task).or(self.targets.first()))?,
            None => Commit::new(self.shelf.tenant.clone()),
        };
        commit.withdrawn.extend(closed.iter().map(|alarm| alarm.task.id));
        commit.withdrawn.extend(attempt.map(|attempt| attempt.task.id));
        if !commit.withdrawn.is_empty() {
            self.shelf.store.commit(&commit).await?;
        }
        Ok(is_all)
    }

    /// Raises the alarm, unless it stands: its task is in the commit that tells. It keeps which credentials were refused
    /// again.
    async fn raise(&self, again: Option<TaskId>, now: DateTime<Utc>) -> Result<(), BackendError> {
        let mut commit = self.telling(REFUSED, self.targets.first())?;
        let about = (REFUSED, self.targets.first());
        let mut alarm = self.task_of(self.alarm, about, self.alarms.clone(), now);
        alarm.account =
            again.map_or(alarm.account, |credentials| AccountId::from_uuid(credentials.as_uuid()));
        commit.tasks.push(alarm);
        if self.unless_there(&commit).await? {
            tracing::warn!(action = REFUSED, targets = ?self.targets, "alarm");
        }
        Ok(())
    }

    /// Takes the alarms that our being accepted closes: of our account, and of our targets, which had another one. Not those of
    /// credentials that were refused again and are still tried. Tells with them whether there was none in the hands of somebody
    /// else.
    async fn take_alarms(&self, now: DateTime<Utc>) -> Result<(Vec<Claimed>, bool), BackendError> {
        let (store, worker) = (&self.shelf.store, &self.worker);
        let Some(due) = store.next_due(&self.alarms).await? else { return Ok((Vec::new(), true)) };
        let from = beyond(due, now).unwrap_or(now);
        let standing = store.claim(worker, &self.alarms, &Tenants::All, from, CLOSING, ALARMS).await?;
        let is_all = !standing.is_empty();
        let is_ours = |alarm: &Claimed| {
            alarm.task.id == self.alarm
                || named(&alarm.task).is_some_and(|target| self.targets.contains(target))
        };
        let mut closed = Vec::new();
        for alarm in standing {
            if is_ours(&alarm) && !self.is_still_tried(&alarm, now).await? {
                closed.push(alarm);
                continue;
            }
            match store.settle(&alarm, Settlement::Again(alarm.task.due)).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                settled => settled?,
            }
        }
        Ok((closed, is_all))
    }

    /// Tells whether others than ours were refused again, and may be once more: nobody who is accepted knows of these.
    async fn is_still_tried(&self, alarm: &Claimed, now: DateTime<Utc>) -> Result<bool, BackendError> {
        let credentials = alarm.task.account.as_uuid();
        if credentials.is_nil() || credentials == self.task.as_uuid() {
            return Ok(false);
        }
        let Some(lane) = lane_of(credentials) else { return Ok(false) };
        let next = self.shelf.store.next_due(&lane).await?;
        Ok(next.is_some_and(|next| !is_left_alone(next, now)))
    }

    /// Tells whether it was written: not where its task is there already.
    async fn unless_there(&self, commit: &Commit) -> Result<bool, BackendError> {
        match self.shelf.store.commit(commit).await {
            Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Task) => Ok(false),
            written => written.map(|()| true),
        }
    }

    /// One alarm, however many targets lie there: it names one, and the trail all.
    fn task_of(
        &self,
        id: TaskId,
        (about, target): (&'static str, Option<&TargetId>),
        lane: Lane,
        due: DateTime<Utc>,
    ) -> Task {
        let kind = TaskKind::Alarm { about: Code::new(about), target: target.cloned() };
        let nobody = AccountId::from_uuid(Uuid::nil());
        Task { id, tenant: self.shelf.tenant.clone(), lane, account: nobody, kind, due }
    }

    fn telling(&self, action: &'static str, target: Option<&TargetId>) -> Result<Commit, BackendError> {
        let mut seed = [0; 16];
        self.shelf.entropy.fill(&mut seed)?;
        let reading = self.shelf.clock.read();
        let mut mint = Mint::new(reading.now, seed);
        let mut commit = Commit::new(self.shelf.tenant.clone());
        if let Some(lane) = &self.shelf.notices {
            commit.tasks.push(self.task_of(mint.task(), (action, target), lane.clone(), reading.work));
        }
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: reading.now,
            tenant: self.shelf.tenant.clone(),
            actor: Actor::Clock,
            action: Code::new(action),
            account: None,
            outcome: AuditOutcome::Done,
            rule: None,
            changes: self.targets.iter().map(ToString::to_string).collect(),
        });
        Ok(commit)
    }
}

/// What lies further ahead than any pause was written before the clock was set back; claims live by the caller's time.
fn beyond(due: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (due.signed_duration_since(now) > BEYOND).then_some(due)
}

/// The lane of the attempts with some credentials.
fn lane_of(credentials: Uuid) -> Option<Lane> {
    Lane::new(format!("circuit:{}", credentials.simple())).ok()
}

/// Tells whether an attempt could have been made for so long that nobody seems to make it.
fn is_left_alone(due: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now.signed_duration_since(due) >= LONGEST_PAUSE
}

/// Tells whether two instants are one: a store may keep them less exactly.
fn is_at(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    one.signed_duration_since(other).abs() < TimeDelta::seconds(1)
}

/// The target that an alarm named.
fn named(alarm: &Task) -> Option<&TargetId> {
    match &alarm.kind {
        TaskKind::Alarm { target, .. } => target.as_ref(),
        _ => None,
    }
}

/// How many alarms of one system are looked at: one for each account of ours there.
const ALARMS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);
/// How long closing an alarm may take before somebody else does it.
const CLOSING: TimeDelta = TimeDelta::minutes(1);

const REFUSED: &str = "target.credentials_refused";
const ACCEPTED: &str = "target.credentials_accepted";

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(…)")
    }
}
