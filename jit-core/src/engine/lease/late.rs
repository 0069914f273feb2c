//! Accounts that a call made after its lease had moved on: removed at once, and else by a lease that has a task again.

use super::{
    ATTEMPTS,
    check_out::{Errand, answer_by},
    is_unknown, kept,
    record::moved_on,
};
use crate::{Account, Actor, Desired, DesiredState, Effect, ErrorKind, Jit, JitError, Lease, Phase};

impl Jit {
    /// Removes what a call made too late. Where the target does not say that it is gone, the lease goes back to its end, from
    /// where the worker tries again; its task may have looked for the last time.
    pub(super) async fn remove_late(&self, errand: Errand<'_>, account: &Account, made: &Lease) {
        let gone = Desired { remote: made.remote.clone(), state: DesiredState::Absent };
        let failed = match errand.setup.target.ensure(&gone).await {
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

    /// Sees to it that what was made has a task that removes it.
    async fn end_late(&self, errand: Errand<'_>, account: &Account, made: &Lease) -> Result<(), JitError> {
        let Errand { store, setup, .. } = errand;
        for _ in 0..ATTEMPTS {
            let now = self.parts.clock.work();
            let (now_kept, lease) = match kept(store, &account.tenant, account.id).await {
                // Whoever stood still for longer than its record was kept.
                Err(error) if is_unknown(&error) => {
                    let heir = made.clone().passed_on(answer_by(setup, now), now);
                    let id = self.mint(now).account();
                    return Ok(self.take_up(store, account, id, heir).await.map(drop)?);
                }
                found => found?,
            };
            match lease.phase {
                Phase::Gone { .. } | Phase::Unconfirmed { .. } => {}
                // It has its task, or a person looks after it.
                Phase::Ending { .. } | Phase::Quarantined { .. } | Phase::Intended | Phase::Active { .. } => {
                    return Ok(());
                }
            }
            let back = lease.made_late(made.remote.native.clone(), now).map_err(moved_on)?;
            match self.note(store, &now_kept, back, "lease.made_late", Actor::Clock).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                noted => return Ok(noted.map(drop)?),
            }
        }
        Err(JitError::refused("engine.contended"))
    }
}
