//! Accounts that a call made after its lease had moved on: removed at once, and else by a lease that has a task again.

use super::{
    ATTEMPTS,
    check_out::{Errand, answer_by},
    is_unknown, kept,
    record::moved_on,
};
use crate::{Account, AccountId, Actor, Effect, ErrorClass, ErrorKind, Jit, JitError, Lease, Phase, Taken};

/// How often a store that fails is asked again.
const FAILURES: usize = 3;

impl Jit {
    /// Removes what a call made too late. Where the target does not say that it is gone, the lease goes back to its end, from
    /// where the worker tries again; its task may have looked for the last time.
    pub(super) async fn remove_late(&self, errand: Errand<'_>, account: &Account, made: &Lease) {
        let failed = match errand.setup.target.ensure(&made.ended()).await {
            // By its name alone: what another one bears is not what was made.
            Ok(Effect::Absent { .. } | Effect::Stranger) => return,
            Ok(_) => JitError::refused("lease.interrupted"),
            Err(error) => error.into(),
        };
        tracing::warn!(account = %account.id, code = %failed.code(), "what was made late is not removed yet");
        if let Err(error) = self.end_late(errand, account, made).await {
            tracing::error!(account = %account.id, code = %error.code(), "what was made late has no task that removes it");
        }
    }

    /// Sees to it that what was made has a task that removes it. Nobody else would: a store that fails is asked again.
    async fn end_late(&self, errand: Errand<'_>, account: &Account, made: &Lease) -> Result<(), JitError> {
        let heir = self.mint(self.parts.clock.now()).account();
        let mut failures = 0;
        for _ in 0..ATTEMPTS {
            match self.end_late_once(errand, account, made, heir).await {
                Err(JitError::Backend(error)) if *error.kind() == ErrorKind::Conflict => {}
                Err(error) if error.class() == ErrorClass::Transient && failures < FAILURES => failures += 1,
                done => return done,
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    async fn end_late_once(
        &self,
        Errand { store, setup, .. }: Errand<'_>,
        account: &Account,
        made: &Lease,
        heir: AccountId,
    ) -> Result<(), JitError> {
        let now = self.parts.clock.work();
        let (now_kept, lease) = match kept(store, &account.tenant, account.id).await {
            // Whoever stood still for longer than its record was kept.
            Err(error) if is_unknown(&error) => {
                let lease = made.clone().passed_on(answer_by(setup, now), now);
                return match self.take_up(store, account, heir, lease).await {
                    // The answer to that was lost.
                    Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Account) => Ok(()),
                    taken_up => Ok(taken_up.map(drop)?),
                };
            }
            found => found?,
        };
        match lease.phase {
            Phase::Gone { .. } | Phase::Unconfirmed { .. } => {
                let back = lease.made_late(made.remote.native.clone(), now).map_err(moved_on)?;
                let noted = self.note(store, &now_kept, back, "lease.made_late", Actor::Clock).await;
                Ok(noted.map(drop)?)
            }
            // It has its task, or a person looks after it.
            Phase::Ending { .. } | Phase::Quarantined { .. } | Phase::Intended | Phase::Active { .. } => {
                Ok(())
            }
        }
    }
}
