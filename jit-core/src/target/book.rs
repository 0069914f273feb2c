//! What all processes know of a system that refuses our credentials, kept in the main store.
//!
//! It is one task in a lane of its own: while it is there the circuit is open, its due instant is when the next attempt may
//! be made, and whoever claims it makes that attempt. The lane is named after the credentials, so that others are tried at
//! once.

use std::sync::Arc;
use std::{collections::BTreeSet, fmt, num::NonZeroUsize};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::circuit::{BEYOND, LONGEST_PAUSE};
use crate::{
    AccountId, Actor, AuditEvent, AuditOutcome, BackendError, Claimed, Code, Commit, Entropy, ErrorKind,
    Lane, Mint, Settlement, Store, Taken, TargetId, Task, TaskId, TaskKind, TenantId, WorkerId,
    clock::GuardedClock,
};

/// Names our credentials and the system that they are for: a digest that only the holder of the deployment's key can make.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Proof(pub(crate) [u8; 16]);

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
    worker: WorkerId,
}

impl Book {
    /// `None` where a name is none, which the digest rules out.
    pub(crate) fn of(proof: Proof, targets: BTreeSet<TargetId>, shelf: Shelf) -> Option<Self> {
        let task = uuid::Builder::from_custom_bytes(proof.0).into_uuid();
        Some(Self {
            shelf,
            targets,
            lane: Lane::new(format!("circuit:{}", task.simple())).ok()?,
            task: TaskId::from_uuid(task),
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
        // What lies further ahead than any pause was written before the clock was set back; claims live by the caller's time.
        let is_beyond = |due: &DateTime<Utc>| due.signed_duration_since(now) > BEYOND;
        let from = due.filter(is_beyond).unwrap_or(now);
        let (store, one) = (&self.shelf.store, NonZeroUsize::MIN);
        Ok(store.claim(&self.worker, &self.lane, from, LONGEST_PAUSE, one).await?.pop())
    }

    /// Writes down that our credentials were refused, and raises the alarm: the first who finds out does, for all.
    pub(crate) async fn refused_first(&self, until: DateTime<Utc>) -> Result<(), BackendError> {
        let mut commit = self.telling(REFUSED, self.targets.first())?;
        commit.tasks.push(self.alarm(self.task, (REFUSED, self.targets.first()), self.lane.clone(), until));
        match self.shelf.store.commit(&commit).await {
            Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Task) => Ok(()),
            other => other,
        }
    }

    /// Puts the next attempt off.
    pub(crate) async fn put_off(&self, claimed: &Claimed, until: DateTime<Utc>) -> Result<(), BackendError> {
        match self.shelf.store.settle(claimed, Settlement::Again(until)).await {
            // It took so long that somebody else made the next one, or it is over.
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(()),
            other => other,
        }
    }

    /// Writes down that our credentials are accepted again, and tells so: of the target that was named when they were
    /// refused, which a process with other targets told.
    pub(crate) async fn accepted(&self, claimed: Option<&Claimed>) -> Result<(), BackendError> {
        let named = claimed.and_then(|claimed| match &claimed.task.kind {
            TaskKind::Alarm { target, .. } => target.as_ref(),
            _ => None,
        });
        let mut commit = self.telling(ACCEPTED, named.or(self.targets.first()))?;
        commit.withdrawn.push(self.task);
        self.shelf.store.commit(&commit).await
    }

    /// One alarm, however many targets lie there: it names one, and the trail all.
    fn alarm(
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
        tracing::warn!(action, targets = ?self.targets, "alarm");
        let mut seed = [0; 16];
        self.shelf.entropy.fill(&mut seed)?;
        let reading = self.shelf.clock.read();
        let mut mint = Mint::new(reading.now, seed);
        let mut commit = Commit::new(self.shelf.tenant.clone());
        if let Some(lane) = &self.shelf.notices {
            commit.tasks.push(self.alarm(mint.task(), (action, target), lane.clone(), reading.work));
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

const REFUSED: &str = "target.credentials_refused";
const ACCEPTED: &str = "target.credentials_accepted";

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(…)")
    }
}
