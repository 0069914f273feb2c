//! How far a round of looking for drift has come, and what the last one found.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::drift::{key_of, lane_of};
use crate::{AccountId, Document, Jit, JitError, StoreId, TargetId, TenantId};

/// Tells of the rounds in which the accounts of one store are looked at for what others changed in a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftRounds {
    /// The one that goes on.
    pub now: Option<DriftRound>,
    /// The one that ended last.
    pub last: Option<DriftRound>,
    /// When some more accounts are looked at, or the next round begins; while a process looks, when its claim is over.
    pub next: Option<DateTime<Utc>>,
}

/// Counts what a round of looking for drift found so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DriftRound {
    /// When it began.
    #[serde(with = "crate::instant")]
    pub began: DateTime<Utc>,
    /// When it ended.
    #[serde(default, with = "crate::instant::option")]
    pub ended: Option<DateTime<Utc>>,
    /// How many accounts were compared; those that are on their way there are left out.
    pub looked: u64,
    /// How many of them differ.
    pub differing: u64,
    /// How many differ as they did before, and were told of then.
    pub known: u64,
    /// How many were overwritten.
    pub overwritten: u32,
    /// How many the target could not be asked for.
    pub unseen: u64,
}

/// How far a round has come in one store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// When the round began; `None` between two rounds.
    #[serde(default, with = "crate::instant::option")]
    pub(super) began: Option<DateTime<Utc>>,
    pub(super) tenant: Option<TenantId>,
    /// The account that was looked at last.
    pub(super) after: Option<AccountId>,
    pub(super) looked: u64,
    pub(super) differing: u64,
    /// Those that were told of in an earlier round and are as they were then.
    pub(super) known: u64,
    pub(super) overwritten: u32,
    pub(super) failed: u64,
    /// How often the target could not be asked for the account that comes next.
    #[serde(default)]
    pub(super) attempts: u32,
    /// The round before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<DriftRound>,
}

impl Progress {
    /// What was kept; what cannot be read begins anew.
    pub(super) fn of(document: Option<&Document>) -> Self {
        document.and_then(|document| serde_json::from_str(&document.body).ok()).unwrap_or_default()
    }

    fn round(&self) -> Option<DriftRound> {
        let Self { looked, differing, known, overwritten, failed: unseen, .. } = *self;
        Some(DriftRound { began: self.began?, ended: None, looked, differing, known, overwritten, unseen })
    }

    /// Between two rounds, when this one is over.
    pub(super) fn ended(&self, at: DateTime<Utc>) -> Self {
        let last = self.round().map(|round| DriftRound { ended: Some(at), ..round });
        Self { last, ..Self::default() }
    }
}

impl Jit {
    /// Tells how far it is with looking for what others changed in a target: nothing where nobody looks, or none has begun.
    ///
    /// # Errors
    /// `mirror.unknown_target`, `engine.unknown_store`; [`JitError::Backend`].
    pub async fn drift_rounds(
        &self,
        store: Option<&StoreId>,
        target: &TargetId,
    ) -> Result<DriftRounds, JitError> {
        let setup = self.parts.targets.get(target).filter(|setup| setup.mirroring.is_some());
        let (store, setup) =
            (self.store_named(store)?, setup.ok_or(JitError::refused("mirror.unknown_target"))?);
        let (Some(key), Some(lane)) = (key_of(&setup.id), lane_of(&setup.id)) else {
            return Ok(DriftRounds::default());
        };
        let progress = Progress::of(store.document(&key).await?.as_ref());
        let looks = setup.mirroring.as_ref().is_some_and(|mirroring| mirroring.drift.is_some());
        let next = if looks { store.next_due(&lane).await? } else { None };
        Ok(DriftRounds { now: progress.round(), last: progress.last, next })
    }
}
