//! Checking out: written down, made, written down again, handed out.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{BoxFuture, FutureExt as _};

use super::{
    CheckOut, CheckedOut,
    admit::{Admitted, known_after},
    hand_out::Made,
    is_unknown, kept,
    limit::or_too_many,
    places::Turn,
    record::moved_on,
};
use crate::{
    Account, AccountId, Actor, BackendError, Desired, DesiredState, Effect, EndReason, ErrorKind, Jit,
    JitError, Lease, Observed, Phase, RemoteRef, Secret, Standing, Store, Taken, TargetFault, TargetSetup,
    lease::{Awaited, remote_name},
};

/// The lease of a key ended so long ago that its record was removed.
pub(super) const LONG_GONE: &str = "lease.long_gone";
/// How many names are tried where strangers bear them.
const NAMES: u32 = 3;

impl Jit {
    /// Makes an account in a target, for the holder and for a time, and hands out its secret.
    ///
    /// With a key, a call that is repeated after its answer was lost gives the same account a new secret and ends the old
    /// one; where the target refuses that and says that it did nothing, the account goes on with the old one; while another call with the key is under way it answers `lease.in_progress`.
    ///
    /// Where it was refused and nothing of it is there, a call with its key begins again, up to 15 times.
    ///
    /// # Errors
    /// `lease.unknown_target`, `lease.unknown_role`, `lease.unknown_holder`, `lease.holder_inactive`,
    /// `lease.not_entitled`, `lease.too_long`, `lease.too_many` (the holder has as many leases as they may have),
    /// `lease.invalid` (a key that is empty, a key or purpose that is too long, a
    /// purpose with control characters), `lease.in_progress`, `lease.other_request` (the key belongs to another one),
    /// `lease.over`, `lease.long_gone` (it was over so long ago that only its key is known), `lease.shut_by_others` (somebody put the account out of use), `lease.interrupted`, `lease.name_taken`,
    /// `lease.quarantined`, `lease.other_kind` (the role elevates), `clock.ahead` (the clock is ahead of the plausible
    /// time: whatever began now would outlive its span); `target.…` and `store.…` as [`JitError::Backend`]. After any of
    /// them nothing is left in the target, or a task is there that removes it.
    ///
    /// # Cancel safety
    /// What was begun is removed by the task of the lease; with a key the call can be repeated.
    pub async fn check_out(&self, request: &CheckOut) -> Result<CheckedOut, JitError> {
        let mut asked = self.admitted(request).await?;
        if asked.role.elevates.is_some() {
            return Err(JitError::refused("lease.other_kind"));
        }
        loop {
            match self.check_out_as(&asked, request).await {
                Err(error) if self.begins_again(&mut asked, request, &error).await? => {}
                done => return done,
            }
        }
    }

    async fn check_out_as(&self, asked: &Admitted<'_>, request: &CheckOut) -> Result<CheckedOut, JitError> {
        let (store, setup, id) = (asked.store, asked.setup, asked.id);
        // Drawn first: whoever has no secret to hand out makes no account.
        let secret = setup.secrets.draw(self.parts.entropy.as_ref())?;
        let mut remote = RemoteRef {
            name: remote_name(&setup.prefix, &request.tenant, id, 0),
            place: asked.role.place.clone(),
            marker: setup.markers.mark(&request.tenant, id),
            native: None,
            home: None,
        };
        self.check_accepted(setup, &remote).await?;
        // Written down before anything is made: only there can anybody find out later what became of it.
        remote.home = setup.target.home(&remote).await?;
        let lease = asked.lease(request, remote);
        let (account, before) =
            match self.intend(store, &request.tenant, id, lease, request.by.clone(), asked.now).await {
                Ok(account) => (account, Awaited::default()),
                Err(error) if self.is_known(store, request, id, &error).await? => {
                    self.resume_from(store, setup, request, id).await?
                }
                Err(error) => return Err(or_too_many(error)),
            };
        let lease = account.lease.as_deref().ok_or(JitError::refused("lease.unknown"))?;
        let errand = Errand { store, setup, by: &request.by };
        self.check_holder_again(errand, &account, lease).await?;
        self.make(errand, account, before, secret).await
    }

    /// Tells whether a lease could not be written down because it is there: the request was made before. A store may say
    /// first that the holder has as many as they may have.
    pub(super) async fn is_known(
        &self,
        store: &dyn Store,
        request: &CheckOut,
        id: AccountId,
        refusal: &BackendError,
    ) -> Result<bool, JitError> {
        match refusal.kind() {
            ErrorKind::AlreadyExists(Taken::Account) => Ok(true),
            ErrorKind::LimitReached(_) if request.key.is_some() => {
                let is_there = store.get(&request.tenant, id).await?.is_some();
                Ok(is_there || known_after(store, request, id).await?.is_some())
            }
            _ => Ok(false),
        }
    }

    /// Looks at the holder once more after the lease was written down: whoever left before that, their end did not find it;
    /// whoever leaves after it, theirs does.
    pub(super) async fn check_holder_again(
        &self,
        errand: Errand<'_>,
        account: &Account,
        lease: &Lease,
    ) -> Result<(), JitError> {
        let holder = errand.store.get(&account.tenant, lease.holder).await?;
        if holder.is_some_and(|holder| holder.standing(self.parts.clock.now()) == Standing::Active) {
            return Ok(());
        }
        self.give_up(errand, account, lease.clone(), EndReason::HolderEnded).await;
        Err(JitError::refused("lease.holder_inactive"))
    }

    /// Takes up a request that was made before: writes down that its secret is set anew.
    pub(super) async fn resume(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        request: &CheckOut,
        id: AccountId,
    ) -> Result<Account, JitError> {
        Ok(self.resume_from(store, setup, request, id).await?.0)
    }

    /// The same. Tells as well which calls nobody had the
    /// answer of until then.
    async fn resume_from(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        request: &CheckOut,
        id: AccountId,
    ) -> Result<(Account, Awaited), JitError> {
        let now = self.parts.clock.now();
        // Its id is taken, and nothing else is known of it any longer.
        let known = kept(store, &request.tenant, id).await;
        let (account, lease) =
            known.map_err(|error| if is_unknown(&error) { JitError::refused(LONG_GONE) } else { error })?;
        let elevates = setup.roles.get(&request.role).is_some_and(|role| role.elevates.is_some());
        if !lease.is_of(request) || lease.elevates.is_some() != elevates {
            return Err(JitError::refused("lease.other_request"));
        }
        if !matches!(lease.phase, Phase::Intended | Phase::Active { .. }) || lease.until <= now {
            return Err(JitError::refused("lease.over"));
        }
        if is_on_its_way(setup, &lease, now) {
            return Err(JitError::refused("lease.in_progress"));
        }
        // What existed before bears no mark to look for, and is given again what it lacks.
        if lease.elevates.is_none() && matches!(lease.phase, Phase::Active { .. }) {
            self.check_untouched(Errand { store, setup, by: &request.by }, &account, &lease).await?;
        }
        let before = lease.awaited();
        let until = lease.until;
        let lease = lease.asking(answer_by(setup, now), until).map_err(moved_on)?.renewing();
        match self.note(store, &account, lease, "lease.resumed", request.by.clone()).await {
            Ok(account) => Ok((account, before)),
            Err(error) if *error.kind() == ErrorKind::Conflict => Err(JitError::refused("lease.in_progress")),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks whether somebody put out of use or removed what was proved to be in use: no request brings that back. Where
    /// nobody has the answer of a call that set its secret anew, it may have been that call that removed it; none of ours
    /// leaves it out of use, and none that extends removes anything.
    async fn check_untouched(
        &self,
        errand: Errand<'_>,
        account: &Account,
        lease: &Lease,
    ) -> Result<(), JitError> {
        match errand.setup.target.observe(&lease.remote).await? {
            Observed::Ours { enabled: true, .. } => Ok(()),
            Observed::Ours { enabled: false, .. } => Err(JitError::refused("lease.shut_by_others")),
            Observed::Missing | Observed::Foreign if lease.unanswered.is_some() && lease.renewing => Ok(()),
            Observed::Missing => Err(self.lost(errand, account, lease).await),
            Observed::Foreign => {
                self.quarantine(errand.store, account, lease.clone()).await?;
                Err(JitError::refused("lease.quarantined"))
            }
        }
    }

    /// Ends what was proved to be in use and is not there any longer. A server that does not know of it yet says so as well:
    /// as long as that may be, nothing is ended.
    pub(super) async fn lost(&self, errand: Errand<'_>, account: &Account, lease: &Lease) -> JitError {
        let settled = match lease.phase {
            Phase::Active { since } => {
                since.checked_add_signed(errand.setup.target.capabilities().settles_after)
            }
            _ => None,
        };
        if settled.is_some_and(|settled| self.parts.clock.now() < settled) {
            let kind = ErrorKind::Target(TargetFault::Unreachable);
            return BackendError::new(kind, "observe.settling").into();
        }
        self.give_up(errand, account, lease.clone(), EndReason::Lost).await;
        JitError::refused("lease.over")
    }

    /// Makes what was written down, under another name where a stranger bears the first.
    async fn make(
        &self,
        errand: Errand<'_>,
        mut account: Account,
        before: Awaited,
        secret: Secret,
    ) -> Result<CheckedOut, JitError> {
        loop {
            let lease = account.lease.as_deref().cloned().ok_or(JitError::refused("lease.unknown"))?;
            // A process that stood still for so long must not ask any more: others have looked for the last time.
            if lease.unanswered.is_none_or(|answer_by| answer_by <= self.parts.clock.now()) {
                self.give_up(errand, &account, lease, EndReason::Refused).await;
                return Err(JitError::refused("lease.interrupted"));
            }
            let desired = present(&lease, Some(secret.clone()));
            match errand.setup.target.ensure(&desired).await {
                Ok(Effect::Present { native, end }) => {
                    return self.hand_out(errand, &account, lease, Made { native, end, secret }).await;
                }
                Ok(Effect::Stranger) if !lease.renewing && lease.names_taken + 1 < NAMES => {
                    account = self.rename(errand, &account, lease).await?;
                }
                Ok(otherwise) => {
                    return Err(self.not_made(errand, &account, (lease, before), &otherwise).await);
                }
                // Whoever has the secret of before goes on with it.
                Err(error) if matches!(lease.phase, Phase::Active { .. }) && error.has_done_nothing() => {
                    self.keep_as_it_is(errand, &account, lease.unchanged(before)).await;
                    return Err(error.into());
                }
                Err(error) => {
                    if error.has_done_nothing() {
                        self.forgo(errand, &account, lease).await;
                    } else {
                        self.unmake(errand, &account, lease).await;
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// Learns that the target answered, and it is not there as it was asked for.
    async fn not_made(
        &self,
        errand: Errand<'_>,
        account: &Account,
        (lease, before): (Lease, Awaited),
        answer: &Effect,
    ) -> JitError {
        match answer {
            // A call before this one may have made it, and its answer was lost.
            Effect::Stranger if lease.renewing => {
                self.unmake(errand, account, lease).await;
                JitError::refused("lease.name_taken")
            }
            Effect::Stranger => {
                self.forgo(errand, account, lease).await;
                JitError::refused("lease.name_taken")
            }
            Effect::NotOurs if matches!(lease.phase, Phase::Active { .. }) => {
                let as_before = lease.unchanged(before);
                match self.quarantine(errand.store, account, as_before.clone()).await {
                    Ok(_) => JitError::refused("lease.quarantined"),
                    Err(error) => {
                        self.keep_as_it_is(errand, account, as_before).await;
                        error
                    }
                }
            }
            Effect::NotOurs => {
                let left = self.quarantine(errand.store, account, lease).await;
                left.err().unwrap_or(JitError::refused("lease.quarantined"))
            }
            _ => {
                self.unmake(errand, account, lease).await;
                JitError::refused("lease.interrupted")
            }
        }
    }

    /// Writes down that the target did not set a secret anew and left all as it was. Where that cannot be written, the lease
    /// waits for an answer until none can come any longer.
    async fn keep_as_it_is(&self, errand: Errand<'_>, account: &Account, lease: Lease) {
        let Errand { store, by, .. } = errand;
        let noted = self.note(store, account, lease, "lease.not_renewed", by.clone()).await;
        if let Err(error) = noted {
            tracing::warn!(account = %account.id, code = %error.code(), "a refused renewal is not written down");
        }
    }

    async fn rename(&self, errand: Errand<'_>, account: &Account, lease: Lease) -> Result<Account, JitError> {
        let turn = lease.names_taken.saturating_add(1);
        let name = remote_name(&errand.setup.prefix, &account.tenant, account.id, turn);
        let lease = lease.renamed(name).map_err(moved_on)?;
        Ok(self.note(errand.store, account, lease, "lease.renamed", errand.by.clone()).await?)
    }

    /// Ends what could not be made, as far as that is possible now; the task of the lease does the rest. Tells whether the
    /// lease has one: where its end cannot be written down it moved on, and its task may have looked for the last time.
    /// Boxed, because every check-out would keep room for it.
    pub(super) fn give_up<'a>(
        &'a self,
        errand: Errand<'a>,
        account: &'a Account,
        lease: Lease,
        why: EndReason,
    ) -> BoxFuture<'a, bool> {
        let given_up = async move {
            let Errand { store, by, .. } = errand;
            let now = self.parts.clock.work();
            let action = if why == EndReason::Refused { "lease.refused" } else { "lease.ending" };
            let Ok(ending) = lease.ending(why, now) else { return false };
            let Ok(account) = self.note(store, account, ending, action, by.clone()).await else {
                return false;
            };
            let _ = self.tend(store, account, Turn::AT_ONCE).await;
            true
        };
        given_up.boxed()
    }

    /// Gives up what the target says that it did nothing for. What no other call asked for was never there, also where the
    /// target does not answer by now; where that cannot be written, its task looks.
    async fn forgo(&self, errand: Errand<'_>, account: &Account, lease: Lease) {
        let Ok(gone) = lease.clone().never_made(self.parts.clock.work()) else {
            // What one before this one did is not known.
            return self.unmake(errand, account, lease).await;
        };
        let noted = self.note(errand.store, account, gone, "lease.refused", errand.by.clone()).await;
        if let Err(error) = noted {
            tracing::warn!(account = %account.id, code = %error.code(), "a refused check-out is not written down");
        }
    }

    /// Gives up what the target was asked for. Where the lease moved on, what this call made too late goes at once.
    pub(super) async fn unmake(&self, errand: Errand<'_>, account: &Account, lease: Lease) {
        let made = lease.clone();
        let is_given_up = self.give_up(errand, account, lease, EndReason::Refused).await;
        if !is_given_up && !is_in_use(errand.store, account).await {
            self.remove_late(errand, account, &made).await;
        }
    }
}

/// Says where something is asked for, and who asks.
#[derive(Clone, Copy)]
pub(super) struct Errand<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) setup: &'a TargetSetup,
    pub(super) by: &'a Actor,
}

pub(super) fn answer_by(setup: &TargetSetup, now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(setup.in_flight).unwrap_or(now)
}

/// Tells whether what a call without an answer made may not be seen yet. Nothing is made beside it: both would bear the name.
fn is_on_its_way(setup: &TargetSetup, lease: &Lease, now: DateTime<Utc>) -> bool {
    let Some(answer_by) = lease.unanswered else { return false };
    let is_unseen = lease.remote.native.is_none();
    let shows_after = if is_unseen { setup.target.capabilities().settles_after } else { TimeDelta::zero() };
    answer_by.checked_add_signed(shows_after).is_none_or(|shows_at| now < shows_at)
}

pub(super) fn present(lease: &Lease, secret: Option<Secret>) -> Desired {
    let state =
        DesiredState::Present { entitlements: lease.entitlements.clone(), secret, ends_at: lease.until };
    Desired { remote: lease.remote.clone(), state }
}

/// Tells whether a lease that somebody else went on with is in use.
async fn is_in_use(store: &dyn Store, account: &Account) -> bool {
    kept(store, &account.tenant, account.id).await.is_ok_and(|(_, lease)| lease.is_in_use())
}

/// Says that somebody else changed the lease meanwhile, where that is why it could not be written.
pub(super) fn unless_moved(error: BackendError, code: &'static str) -> JitError {
    if *error.kind() == ErrorKind::Conflict { JitError::refused(code) } else { error.into() }
}
