//! Extending: written down, told to the target, written down again.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    check_out::{Errand, answer_by, present, unless_moved},
    kept,
    record::moved_on,
};
use crate::{
    Account, AccountId, Actor, BackendError, Effect, Exposure, Jit, JitError, Lease, Standing, StoreId,
    TargetSetup, TenantId, UnattendedEnd, lease::Awaited,
};

/// Says why a lease was not extended, and whether it is known that nothing was done.
pub(super) struct NotExtended {
    error: JitError,
    is_as_before: bool,
}

impl NotExtended {
    /// The target was asked for nothing, or has done nothing of it.
    pub(super) fn unasked(error: JitError) -> Self {
        Self { error, is_as_before: true }
    }

    /// The target was asked, and what it did is not known or not written down.
    pub(super) fn asked(error: JitError) -> Self {
        Self { error, is_as_before: false }
    }
}

impl From<JitError> for NotExtended {
    fn from(error: JitError) -> Self {
        let is_as_before = has_done_nothing(&error);
        Self { error, is_as_before }
    }
}

impl From<BackendError> for NotExtended {
    fn from(error: BackendError) -> Self {
        JitError::from(error).into()
    }
}

/// Tells whether a target did not do what it was asked for, and nothing else.
pub(super) fn has_done_nothing(error: &JitError) -> bool {
    matches!(error, JitError::Backend(error) if error.has_done_nothing())
}

/// Tells what a lease was extended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extended {
    /// From when on it is over by now.
    pub until: DateTime<Utc>,
    /// Who ends it if nobody of ours ever runs again. That may be another than before: the settings of the target count as they
    /// are when it is extended, as far as the target can change what is there.
    pub unattended: UnattendedEnd,
    /// From when on it cannot be used then, at the latest; `None` is never.
    pub worst_case: Option<DateTime<Utc>>,
    /// Whether sessions that are open at its end go on.
    pub sessions_survive: bool,
}

impl Jit {
    /// Moves the end of a lease, up to the longest time of its role (as it was and as it is by now) and never beyond the end
    /// of its holder. `by` is whoever asks, for the audit trail; the application has checked that they may. Whoever it is, the
    /// holder must still be one whom the role admits, and the role must still give what the lease holds.
    ///
    /// The target is told first: should the second half fail, the lease ends when it would have ended. Where the target does not
    /// extend it, and says that nothing was done, the lease is as it was, and can be extended at once.
    ///
    /// # Errors
    /// `lease.unknown`, `lease.over`, `lease.unknown_target`, `lease.holder_inactive`, `lease.not_entitled` when the role
    /// no longer admits the holder or gives less, `lease.too_long` when it cannot be extended any further, `lease.not_longer` when it
    /// would not end later than it does, `lease.in_progress` while another call about it has no answer yet,
    /// `clock.ahead` while the clock is ahead of the plausible time, `lease.shut_by_others` where somebody put the account out of use, `lease.quarantined`; `target.…` and `store.…` as [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// The target may have been told; the lease then ends when it would have ended.
    pub async fn extend(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        id: AccountId,
        span: TimeDelta,
        by: Actor,
    ) -> Result<Extended, JitError> {
        let store = self.store_named(store)?;
        self.check_time().await?;
        let now = self.parts.clock.now();
        let (account, lease) = kept(store, tenant, id).await?;
        let setup = self.setup_for(tenant, &lease.target)?;
        let holder = store.get(tenant, lease.holder).await?;
        let latest = latest_end(setup, holder, (&account, &lease), now)?;
        let before = lease.awaited();
        let until = longer_end(lease, latest, span, now)?;
        let errand = Errand { store, setup, by: &by };
        let (account, asking) = self.ask_to_extend(errand, &account, until).await?;
        let Exposure { ended_by, worst_case } =
            self.ask_for_end(errand, &account, (asking, before), until).await?;
        let sessions_survive = setup.target.capabilities().sessions_survive;
        Ok(Extended { until, unattended: ended_by, worst_case, sessions_survive })
    }

    /// Asks the target for another end. Where it did nothing, all is as it was before it was asked.
    async fn ask_for_end(
        &self,
        errand: Errand<'_>,
        account: &Account,
        (asking, before): (Lease, Awaited),
        until: DateTime<Utc>,
    ) -> Result<Exposure, JitError> {
        let done = if asking.elevates.is_some() {
            self.extend_elevation(errand, account, &asking, until).await
        } else {
            self.extend_account(errand, account, (&asking, before), until).await
        };
        match done {
            Ok(exposure) => Ok(exposure),
            Err(NotExtended { error, is_as_before }) => {
                if is_as_before {
                    self.keep_end(errand, account, asking.unchanged(before)).await;
                }
                Err(error)
            }
        }
    }

    /// Writes down that the target is about to be asked, so that no other call about the lease is under way meanwhile. Nothing
    /// is written where the target is not to be asked, or does not accept us.
    async fn ask_to_extend(
        &self,
        errand: Errand<'_>,
        account: &Account,
        until: DateTime<Utc>,
    ) -> Result<(Account, Lease), JitError> {
        let now = self.parts.clock.now();
        let lease = account.lease.as_deref().cloned().ok_or(JitError::refused("lease.unknown"))?;
        if lease.unanswered.is_some_and(|answer_by| now < answer_by) {
            return Err(JitError::refused("lease.in_progress"));
        }
        self.check_circuit(errand.setup).await?;
        self.check_accepted(errand.setup, &lease.remote).await?;
        let asking = lease.asking(answer_by(errand.setup, now), until).map_err(moved_on)?;
        let noted = self.note(errand.store, account, asking, "lease.extending", errand.by.clone()).await;
        let account = noted.map_err(|error| unless_moved(error, "lease.in_progress"))?;
        let asking = account.lease.as_deref().cloned().ok_or(JitError::refused("lease.unknown"))?;
        Ok((account, asking))
    }

    /// Writes down that the target did not extend it and left all as it was. Where that cannot be written, the lease waits for
    /// an answer until none can come any longer.
    async fn keep_end(&self, errand: Errand<'_>, account: &Account, lease: Lease) {
        let noted = self.note(errand.store, account, lease, "lease.not_extended", errand.by.clone()).await;
        if let Err(error) = noted {
            tracing::warn!(account = %account.id, code = %error.code(), "a refused extension is not written down");
        }
    }

    async fn extend_account(
        &self,
        errand: Errand<'_>,
        account: &Account,
        (asking, before): (&Lease, Awaited),
        until: DateTime<Utc>,
    ) -> Result<Exposure, NotExtended> {
        let Errand { store, setup, by } = errand;
        let as_before = || asking.clone().unchanged(before);
        let asked = Lease { until, ..asking.clone() };
        let (native, end) = match setup.target.ensure(&present(&asked, None)).await? {
            Effect::Present { native, end } => (native, end),
            Effect::NotOurs => {
                // Where so many are quarantined that this one waits, the target did nothing all the same.
                self.quarantine(store, account, as_before()).await.map_err(NotExtended::unasked)?;
                return Err(JitError::refused("lease.quarantined").into());
            }
            Effect::Disabled => {
                let shut = asking.clone().answered();
                self.note(store, account, shut, "lease.shut_by_others", by.clone()).await?;
                return Err(JitError::refused("lease.shut_by_others").into());
            }
            Effect::Absent { .. } => {
                let error = self.lost(errand, account, &as_before()).await;
                // It goes on where another server may have it.
                let goes_on = matches!(error, JitError::Backend(_));
                return Err(NotExtended { error, is_as_before: goes_on });
            }
            _ => return Err(JitError::refused("lease.over").into()),
        };
        let now = self.parts.clock.now();
        let done =
            asking.clone().extended(until, now).and_then(|lease| lease.present(native, Some(end), now));
        let noted = self.note(store, account, done.map_err(moved_on)?, "lease.extended", by.clone()).await;
        noted.map_err(|error| unless_moved(error, "lease.over"))?;
        Ok(Exposure::at(end, until))
    }
}

/// How far a lease can be extended by now, where its holder may still have it.
fn latest_end(
    setup: &TargetSetup,
    holder: Option<Account>,
    (account, lease): (&Account, &Lease),
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, JitError> {
    let holder = holder.filter(|holder| holder.standing(now) == Standing::Active);
    let holder = holder.ok_or(JitError::refused("lease.holder_inactive"))?;
    // A role that is struck admits nobody, and one that gives less by now prolongs nothing of what it gave.
    let role = setup.roles.get(&lease.role).filter(|role| role.admits(&holder, now) && role.gives(lease));
    let role = role.ok_or(JitError::refused("lease.not_entitled"))?;
    let ends = [holder.ends_at, account.created_at.checked_add_signed(role.longest)];
    Ok(ends.into_iter().flatten().fold(lease.latest, DateTime::min))
}

/// The end that is later than that of before.
fn longer_end(
    lease: Lease,
    latest: DateTime<Utc>,
    span: TimeDelta,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, JitError> {
    let before = lease.until;
    let wanted = now.checked_add_signed(span).map_or(before, |end| end.min(latest));
    let extended = lease.extended(wanted, now).map_err(moved_on)?;
    if extended.until > before {
        return Ok(extended.until);
    }
    let is_shorter = now.checked_add_signed(span).is_some_and(|end| end < before);
    let is_at_most = latest <= before && !is_shorter;
    Err(JitError::refused(if is_at_most { "lease.too_long" } else { "lease.not_longer" }))
}
