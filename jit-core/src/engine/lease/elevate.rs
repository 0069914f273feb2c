//! Lending entitlements to an account that existed before: looked up, written down, given, written down again.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    ATTEMPTS, CheckOut,
    admit::Admitted,
    check_out::{Errand, LONG_GONE, unless_moved},
    extend::NotExtended,
    keeper::Act,
    limit::or_too_many,
    record::moved_on,
};
use crate::{
    Account, AccountId, BackendError, Desired, DesiredState, Effect, Elevation, EndReason, ErrorKind,
    Exposure, Holdings, Jit, JitError, Lease, Phase, RemoteEntitlement, RemoteRef, Taken, TargetSetup,
    UnattendedEnd,
    lease::{Answer, Shown, account_for_remote},
};

const NAME_BYTES: usize = 256;

/// Tells what was lent to an account that existed before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elevated {
    /// The account that keeps the lease; its id names the lease.
    pub lease: AccountId,
    /// The name that the remote account was found by.
    pub name: String,
    /// From when on it is over.
    pub until: DateTime<Utc>,
    /// Who ends it if nobody of ours ever runs again. Nobody does where the account held all of it before.
    pub unattended: UnattendedEnd,
    /// When all of it is taken then, at the latest; `None` is never. Later than `until` where another lease needs the same.
    pub worst_case: Option<DateTime<Utc>>,
    /// Whether sessions that are open at its end go on with what was lent.
    pub sessions_survive: bool,
}

impl Jit {
    /// Lends the entitlements of a role to an account that existed before, for a time. `named` is the account, where the
    /// role leaves that to the application.
    ///
    /// Leases that overlap or follow each other do not cut each other, and what the account held before it keeps. With a
    /// key, a call that is repeated answers with the same lease.
    ///
    /// # Errors
    /// As [`Jit::check_out`], and `lease.other_kind` (the role makes accounts), `lease.cannot_elevate` (the target lends
    /// nothing to them), `lease.unnamed` (nobody who is believed names the account), `lease.unknown_account`,
    /// `lease.account_is_lent` (it was itself made for a time); `lease.in_progress` also while a call that takes one of
    /// the entitlements has no answer yet, and where one server of the target shows what another took a moment ago. After any of them nothing of the lease is left in the target, or a task is
    /// there that takes it.
    ///
    /// # Cancel safety
    /// What was begun is taken by the task of the lease; with a key the call can be repeated.
    pub async fn elevate(&self, request: &CheckOut, named: Option<&str>) -> Result<Elevated, JitError> {
        let mut asked = self.admitted(request).await?;
        loop {
            match self.elevate_as(&asked, request, named).await {
                Err(error) if self.begins_again(&mut asked, request, &error).await? => {}
                done => return done,
            }
        }
    }

    async fn elevate_as(
        &self,
        asked: &Admitted<'_>,
        request: &CheckOut,
        named: Option<&str>,
    ) -> Result<Elevated, JitError> {
        let whose = asked.role.elevates.as_ref().ok_or(JitError::refused("lease.other_kind"))?;
        let name = whose.name(&asked.holder, named).filter(|name| !name.is_empty());
        let name = name.ok_or(JitError::refused("lease.unnamed"))?;
        if name.len() > NAME_BYTES {
            return Err(JitError::refused("lease.invalid"));
        }
        if asked.setup.target.capabilities().elevation.is_none() {
            return Err(JitError::refused("lease.cannot_elevate"));
        }
        if request.key.is_some()
            && let Some(kept) = asked.store.get(&request.tenant, asked.id).await?
        {
            return self.elevate_again(asked, request, &kept, &name).await;
        }
        let marker = asked.setup.markers.mark(&request.tenant, asked.id);
        let mut remote = RemoteRef { name: name.clone(), place: None, marker, native: None, home: None };
        let wanted = RemoteEntitlement::all_named(&asked.role.entitlements);
        let (native, shown) = holdings(asked.setup, &remote, &wanted).await?;
        let keeper = account_for_remote(&request.tenant, &request.target, &native);
        let lent = asked.store.get(&request.tenant, keeper).await?.and_then(|kept| kept.elevation);
        let now = self.parts.clock.work();
        if lent.is_some_and(|lent| !lent.is_free(&shown, now) || lent.is_going(&shown, now)) {
            return Err(JitError::refused("lease.in_progress"));
        }
        remote.native = Some(native);
        remote.home = asked.setup.target.home(&remote).await?;
        let lease = Lease { elevates: Some(keeper), ..asked.lease(request, remote) };
        let errand = Errand { store: asked.store, setup: asked.setup, by: &request.by };
        let by = request.by.clone();
        match self.intend(asked.store, &request.tenant, asked.id, lease, by, asked.now).await {
            Ok(account) => self.raise(errand, &account, Some(&shown)).await,
            // Another call with the key was quicker.
            Err(error) if self.is_known(asked.store, request, asked.id, &error).await? => {
                let kept = asked.store.get(&request.tenant, asked.id).await?;
                let kept = kept.ok_or(JitError::refused(LONG_GONE))?;
                self.elevate_again(asked, request, &kept, &name).await
            }
            Err(error) => Err(or_too_many(error)),
        }
    }

    /// Answers a request that was made before; one that never came to its end is taken up.
    async fn elevate_again(
        &self,
        asked: &Admitted<'_>,
        request: &CheckOut,
        kept: &Account,
        name: &str,
    ) -> Result<Elevated, JitError> {
        let lease = kept.lease.as_deref().filter(|lease| lease.is_of(request) && lease.remote.name == name);
        let lease = lease.ok_or(JitError::refused("lease.other_request"))?;
        if matches!(lease.phase, Phase::Active { .. }) && asked.now < lease.until {
            let errand = Errand { store: asked.store, setup: asked.setup, by: &request.by };
            return Ok(self.elevated(errand, kept, lease).await);
        }
        let account = self.resume(asked.store, asked.setup, request, asked.id).await?;
        let errand = Errand { store: asked.store, setup: asked.setup, by: &request.by };
        self.raise(errand, &account, None).await
    }

    /// Gives what was written down.
    async fn raise(
        &self,
        errand: Errand<'_>,
        account: &Account,
        seen: Option<&Shown>,
    ) -> Result<Elevated, JitError> {
        let Errand { store, by, .. } = errand;
        let lease = account.lease.as_deref().cloned().ok_or(JitError::refused("lease.unknown"))?;
        self.check_holder_again(errand, account, &lease).await?;
        let lending = Lending { errand, account, lease: &lease, until: lease.until, seen };
        let mut giving = Giving::default();
        let done = self.give(&lending, &mut giving).await;
        let now = self.parts.clock.now();
        let done = done.and_then(|()| {
            if now < lease.until { Ok(()) } else { Err(JitError::refused("lease.interrupted")) }
        });
        match done {
            Ok(()) => {}
            // Whoever asks again with the key goes on from here; else the task of the lease ends it.
            Err(JitError::Refused(code)) if code.as_str() == "lease.in_progress" => {
                return Err(JitError::Refused(code));
            }
            Err(error) => {
                self.give_up_giving(&lending, &giving, &error).await;
                return Err(error);
            }
        }
        let native = lease.remote.native.clone().unwrap_or_default();
        let active = lease.clone().present(native, None, now).map_err(moved_on)?;
        match self.note(store, account, active, "lease.active", by.clone()).await {
            Ok(_) => Ok(self.elevated(errand, account, &lease).await),
            Err(error) if *error.kind() == ErrorKind::Conflict => {
                self.take_back(store, account, &lease, &giving.given).await;
                Err(JitError::refused("lease.interrupted"))
            }
            // It may be active, and then whoever asks again is told so; else its task ends it.
            Err(error) => Err(error.into()),
        }
    }

    /// Ends what could not be given. What the target was not asked for, or did nothing for, is not ours to take: whoever holds
    /// it by now was given it by somebody else.
    async fn give_up_giving(&self, lending: &Lending<'_>, giving: &Giving, error: &JitError) {
        let Lending { errand, account, lease, seen, .. } = *lending;
        if !giving.is_asked {
            self.leave_as_before(lending, giving, "lease.not_given").await;
        }
        // Where the target says that it did nothing, nothing is awaited; unless of an earlier attempt.
        let is_first = seen.is_some();
        let did_nothing = super::extend::has_done_nothing(error);
        let ended = lease.clone();
        let ended = if is_first && did_nothing { ended.not_renewed() } else { ended };
        if !self.give_up(errand, account, ended, EndReason::Refused).await {
            self.take_back(errand.store, account, lease, &giving.given).await;
        }
    }

    /// Writes down that the lease needs its entitlements until then, and asks the target for what the account lacks.
    async fn give(&self, lending: &Lending<'_>, giving: &mut Giving) -> Result<(), JitError> {
        let Lending { errand: Errand { store, setup, by }, account, lease, .. } = *lending;
        let Giving { given, is_asked, may_join, joined } = giving;
        let begun = self.join(lending, joined).await.inspect_err(|_| {
            // A commit without an answer may come to be later, and with it the end that it writes down.
            *may_join = joined.is_some();
        })?;
        let give = begun.to_give(account.id);
        if give.is_empty() {
            return Ok(());
        }
        self.check_in_time(lease)?;
        given.extend(give.keys().cloned());
        *is_asked = true;
        let state = DesiredState::Holding { give, take: BTreeSet::new() };
        let asked = setup.target.ensure(&Desired { remote: lease.remote.clone(), state }).await;
        if asked.as_ref().is_err_and(BackendError::has_done_nothing) {
            given.clear();
            *is_asked = false;
        }
        let ends = match asked? {
            Effect::Holding { given: changed, ends, .. } => {
                *given = changed;
                ends
            }
            Effect::Absent { .. } => return Err(JitError::refused("lease.unknown_account")),
            Effect::NotOurs | Effect::Stranger => return Err(JitError::refused("lease.account_is_lent")),
            Effect::Stuck(code) | Effect::Named { why: code, .. } => return Err(JitError::Refused(code)),
            Effect::Present { .. } | Effect::Disabled | Effect::Mirrored { .. } => {
                return Err(JitError::refused("target.protocol"));
            }
        };
        let answer = Answer { begun: &begun, given, ends: &ends };
        let by_others = answer.names_others(account.id);
        let action = if by_others { "lease.given_by_others" } else { "lease.given" };
        let found = self.change(store, account, lease, Act::by(action, by), |lent, _| {
            let next = lent.clone().answered(account.id, &answer);
            (next != *lent).then_some((next, ()))
        });
        found.await.map(drop)
    }

    /// Adds the lease to those that need its entitlements. What the account holds is looked at after what is lent was
    /// read, so that nothing of ours is taken for what was there before.
    async fn join(&self, lending: &Lending<'_>, joined: &mut Option<Joined>) -> Result<Elevation, JitError> {
        let Lending { errand: Errand { store, setup, by }, account, lease, until, seen } = *lending;
        let act = Act::by("lease.joined", by);
        let (Some(keeper), Some(native)) = (lease.elevates, &lease.remote.native) else {
            return Err(JitError::refused("lease.unknown"));
        };
        for _ in 0..ATTEMPTS {
            let before = store.get(&account.tenant, keeper).await?;
            let lent = before.as_ref().and_then(|kept| kept.elevation.as_deref().cloned());
            let fresh = || Elevation::begin(setup.id.clone(), lease.remote.name.clone(), native.clone());
            let lent = lent.unwrap_or_else(fresh);
            // What was under way before the look may land after it.
            let looked_at = self.parts.clock.work();
            let wanted = lent.wanted(account.id, &lease.entitlements);
            let shown = match seen.filter(|_| before.is_none()) {
                Some(seen) => seen.clone(),
                None => holdings(setup, &lease.remote, &wanted).await?.1,
            };
            let (lent, shown) = self.identified(setup, account.id, lease, lent, shown).await?;
            if !lent.is_free(&shown, looked_at) || lent.is_going(&shown, self.parts.clock.work()) {
                return Err(JitError::refused("lease.in_progress"));
            }
            let by_itself =
                setup.target.capabilities().elevation == Some(UnattendedEnd::ServerDropsMembership);
            let begun = lent.clone().joined(account.id, until, &shown).asking(account.id, by_itself);
            self.check_in_time(lease)?;
            // Also where nobody hears that it was written.
            *joined = Some(Joined { before: lent, begun: begun.clone() });
            match self.note_lent(store, before.as_ref(), account, lease, begun.clone(), act).await {
                Ok(()) => return self.check_unmoved(store, account).await.map(|()| begun),
                Err(error) if has_moved(error.kind()) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Stops whoever was held up until others may count on no call being under way.
    fn check_in_time(&self, lease: &Lease) -> Result<(), JitError> {
        let now = self.parts.clock.now();
        let is_late = lease.unanswered.is_none_or(|answer_by| answer_by <= now);
        if is_late { Err(JitError::refused("lease.interrupted")) } else { Ok(()) }
    }

    /// Moves the end of what is lent to an account that existed before. Until the target has answered, the lease ends when
    /// it would have ended.
    pub(super) async fn extend_elevation(
        &self,
        errand: Errand<'_>,
        account: &Account,
        asking: &Lease,
        until: DateTime<Utc>,
    ) -> Result<Exposure, NotExtended> {
        let mut giving = Giving::default();
        let lending = Lending { errand, account, lease: asking, until, seen: None };
        let done = match self.give(&lending, &mut giving).await {
            Ok(()) => self.note_extended(&lending).await.map_err(NotExtended::asked),
            Err(error) if giving.is_asked || giving.may_join => Err(NotExtended::asked(error)),
            Err(error) if self.leave_as_before(&lending, &giving, "lease.not_extended").await => {
                Err(NotExtended::unasked(error))
            }
            Err(error) => Err(NotExtended::asked(error)),
        };
        if done.is_err() {
            self.take_back(errand.store, account, asking, &giving.given).await;
        }
        done
    }

    /// Writes down that the lease needs what it needed before it joined, and tells whether that is so. Where that cannot be
    /// written, it counts as asked for: what is there is taken at the end, and whoever asks for the same may bring the later end
    /// to the target.
    async fn leave_as_before(&self, lending: &Lending<'_>, giving: &Giving, action: &'static str) -> bool {
        let Lending { errand: Errand { store, by, .. }, account, lease, .. } = *lending;
        let Some(Joined { before, begun }) = &giving.joined else { return true };
        // Another call may need the same for the lease by now.
        let act = Act::by(action, by).unless_moved();
        let left = self.change(store, account, lease, act, |lent, _| {
            let next = lent.clone().not_joined(account.id, before, begun);
            (next != *lent).then_some((next, ()))
        });
        let left = left.await;
        if let Err(error) = &left {
            tracing::warn!(account = %account.id, code = %error.code(), "a refused call counts as possible");
        }
        left.is_ok()
    }

    async fn note_extended(&self, lending: &Lending<'_>) -> Result<Exposure, JitError> {
        let Lending { errand: Errand { store, by, .. }, account, lease, until, .. } = *lending;
        let now = self.parts.clock.now();
        let native = lease.remote.native.clone().unwrap_or_default();
        let done = lease.clone().extended(until, now).and_then(|lease| lease.present(native, None, now));
        let done = done.map_err(moved_on)?;
        let noted = self.note(store, account, done.clone(), "lease.extended", by.clone()).await;
        noted.map_err(|error| unless_moved(error, "lease.over"))?;
        Ok(self.exposure_now(store, account, &done).await)
    }

    async fn elevated(&self, errand: Errand<'_>, account: &Account, lease: &Lease) -> Elevated {
        let exposure = self.exposure_now(errand.store, account, lease).await;
        Elevated {
            lease: account.id,
            name: lease.remote.name.clone(),
            until: lease.until,
            unattended: exposure.ended_by,
            worst_case: exposure.worst_case,
            sessions_survive: errand.setup.target.capabilities().sessions_survive,
        }
    }
}

/// What is being lent, to which lease and until when. `seen` is what the account held right before the lease was written
/// down.
#[derive(Clone, Copy)]
struct Lending<'a> {
    errand: Errand<'a>,
    account: &'a Account,
    lease: &'a Lease,
    until: DateTime<Utc>,
    seen: Option<&'a Shown>,
}

/// What a call that gives came to so far.
#[derive(Default)]
struct Giving {
    /// How the lease joined, if it may have.
    joined: Option<Joined>,
    /// Whether the target was asked, and did not say that it did nothing.
    is_asked: bool,
    /// Whether it is not known if the lease joined: it may yet.
    may_join: bool,
    /// What was given by this call, or may have been.
    given: BTreeSet<RemoteEntitlement>,
}

/// What is lent to the account before and after a lease joined.
struct Joined {
    before: Elevation,
    begun: Elevation,
}

/// Looks at the account: its native id, and what of the wanted it holds and lacks.
pub(super) async fn holdings(
    setup: &TargetSetup,
    remote: &RemoteRef,
    wanted: &BTreeSet<RemoteEntitlement>,
) -> Result<(String, Shown), JitError> {
    match setup.target.holdings(remote, wanted).await? {
        Holdings::Found { native, held, lacks } => Ok((native, Shown { held, lacks })),
        Holdings::Missing => Err(JitError::refused("lease.unknown_account")),
        Holdings::Made => Err(JitError::refused("lease.account_is_lent")),
    }
}

fn has_moved(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Conflict | ErrorKind::AlreadyExists(Taken::Account))
}
