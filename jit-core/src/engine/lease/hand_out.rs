//! Handing out what was made: written down first, also where the answer to that is lost.

use futures_util::future::{BoxFuture, FutureExt as _};

use super::{CheckedOut, check_out::Errand, kept, record::moved_on};
use crate::{
    Account, BackendError, EndReason, ErrorKind, Exposure, Jit, JitError, Lease, Phase, Secret, UnattendedEnd,
};

/// What the target made: its id, who ends it if nobody of ours ever runs again, and the secret that it was given.
pub(super) struct Made {
    pub(super) native: String,
    pub(super) end: UnattendedEnd,
    pub(super) secret: Secret,
}

impl Jit {
    /// Writes down that it is there, and only then hands it out.
    pub(super) async fn hand_out(
        &self,
        errand: Errand<'_>,
        account: &Account,
        mut lease: Lease,
        Made { native, end, secret }: Made,
    ) -> Result<CheckedOut, JitError> {
        let now = self.parts.clock.now();
        if lease.until <= now {
            self.unmake(errand, account, lease).await;
            return Err(JitError::refused("lease.interrupted"));
        }
        let active = lease.clone().present(native.clone(), Some(end), now).map_err(moved_on)?;
        let noted = self.note(errand.store, account, active, "lease.active", errand.by.clone()).await;
        lease.remote.native = Some(native);
        if let Err(error) = noted
            && !self.stands(errand, account, &lease, &error).await
        {
            return Err(match error.kind() {
                ErrorKind::Conflict => JitError::refused("lease.interrupted"),
                _ => error.into(),
            });
        }
        let exposure = Exposure::at(end, lease.until);
        Ok(CheckedOut {
            lease: account.id,
            name: lease.remote.name,
            secret,
            until: lease.until,
            unattended: exposure.ended_by,
            worst_case: exposure.worst_case,
            sessions_survive: errand.setup.target.capabilities().sessions_survive,
        })
    }

    /// Tells whether it stands as handed out although the store said otherwise, or nothing. Where not, nobody will ever know
    /// the secret, and what was made goes; its end is written down first, so that a commit that is still on its way can no
    /// longer call it active. Boxed, because every check-out would keep room for it.
    fn stands<'a>(
        &'a self,
        errand: Errand<'a>,
        account: &'a Account,
        made: &'a Lease,
        error: &'a BackendError,
    ) -> BoxFuture<'a, bool> {
        let stands = async move {
            let Errand { store, .. } = errand;
            let is_overtaken = *error.kind() == ErrorKind::Conflict;
            let found = kept(store, &account.tenant, account.id).await;
            if found.is_ok_and(|found| is_handed_out(&found, account, made)) {
                return true;
            }
            if !is_overtaken && self.give_up(errand, account, made.clone(), EndReason::Interrupted).await {
                return false;
            }
            match kept(store, &account.tenant, account.id).await {
                Ok(found) if is_handed_out(&found, account, made) => return true,
                Ok((_, lease)) if lease.is_in_use() => return false,
                // How it stands cannot be found out. Its task has not looked for the last time, so it may stay: it may be
                // active, and then whoever asks again with the key gets a secret for it.
                Err(JitError::Backend(_))
                    if made.unanswered.is_some_and(|answer_by| self.parts.clock.now() < answer_by) =>
                {
                    return false;
                }
                _ => {}
            }
            self.remove_late(errand, account, made).await;
            false
        };
        stands.boxed()
    }
}

/// Tells whether a lease is as this call wrote it: no other call takes this step from there.
fn is_handed_out((now_kept, lease): &(Account, Lease), before: &Account, made: &Lease) -> bool {
    now_kept.version == before.version.saturating_add(1)
        && matches!(lease.phase, Phase::Active { .. })
        && lease.unanswered.is_none()
        && lease.remote.native == made.remote.native
}
