//! Checking out: written down, made, written down again, handed out.

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt as _};

use super::{CheckOut, CheckedOut, kept, places::Turn, record::moved_on};
use crate::{
    Account, AccountId, Actor, BackendError, Code, Desired, DesiredState, Effect, EndReason, ErrorKind, Jit,
    JitError, Lease, Observed, Phase, RemoteRef, Secret, Standing, Store, Taken, TargetFault, TargetRole,
    TargetSetup,
    lease::{account_for_key, remote_name},
};

/// How many names are tried where strangers bear them.
const NAMES: u32 = 3;
const KEY_BYTES: usize = 256;
const PURPOSE_BYTES: usize = 1024;

impl Jit {
    /// Makes an account in a target, for the holder and for a time, and hands out its secret.
    ///
    /// With a key, a call that is repeated after its answer was lost gives the same account a new secret and ends the old
    /// one; while another call with the key is under way it answers `lease.in_progress`.
    ///
    /// # Errors
    /// `lease.unknown_target`, `lease.unknown_role`, `lease.unknown_holder`, `lease.holder_inactive`,
    /// `lease.not_entitled`, `lease.too_long`, `lease.invalid` (a key that is empty, a key or purpose that is too long, a
    /// purpose with control characters), `lease.in_progress`, `lease.other_request` (the key belongs to another one),
    /// `lease.over`, `lease.shut_by_others` (somebody put the account out of use), `lease.interrupted`, `lease.name_taken`,
    /// `lease.quarantined`, `lease.other_kind` (the role elevates); `target.…` and `store.…` as [`JitError::Backend`]. After any of
    /// them nothing is left in the target, or a task is there that removes it.
    ///
    /// # Cancel safety
    /// What was begun is removed by the task of the lease; with a key the call can be repeated.
    pub async fn check_out(&self, request: &CheckOut) -> Result<CheckedOut, JitError> {
        let asked = self.admitted(request).await?;
        if asked.role.elevates.is_some() {
            return Err(JitError::refused("lease.other_kind"));
        }
        let (store, setup, id) = (asked.store, asked.setup, asked.id);
        // Drawn first: whoever has no secret to hand out makes no account.
        let secret = setup.secrets.draw(self.parts.entropy.as_ref())?;
        let remote = RemoteRef {
            name: remote_name(&setup.prefix, &request.tenant, id, 0),
            place: asked.role.place.clone(),
            marker: setup.markers.mark(&request.tenant, id),
            native: None,
        };
        self.check_accepted(setup, &remote).await?;
        let lease = asked.lease(request, remote);
        let account =
            match self.intend(store, &request.tenant, id, lease, request.by.clone(), asked.now).await {
                Ok(account) => account,
                Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Account) => {
                    self.resume(store, setup, request, id).await?
                }
                Err(error) => return Err(error.into()),
            };
        let lease = account.lease.as_deref().ok_or(JitError::refused("lease.unknown"))?;
        let errand = Errand { store, setup, by: &request.by };
        self.check_holder_again(errand, &account, lease).await?;
        self.make(errand, account, secret).await
    }

    /// Lets a request in that its holder may make.
    pub(super) async fn admitted<'a>(&'a self, request: &'a CheckOut) -> Result<Admitted<'a>, JitError> {
        let now = self.parts.clock.now();
        let setup = self.setup_for(&request.tenant, &request.target)?;
        let role = setup.roles.get(&request.role).ok_or(JitError::refused("lease.unknown_role"))?;
        check_texts(request)?;
        self.check_circuit(setup).await?;
        let store = self.store_named(request.store.as_ref())?;
        let holder = store.get(&request.tenant, request.holder).await?;
        let holder = holder.ok_or(JitError::refused("lease.unknown_holder"))?;
        check_holder(&holder, role, now)?;
        let until = end_of(request, role, &holder, now)?;
        let id = match &request.key {
            Some(key) => account_for_key(&request.tenant, &request.target, holder.id, key),
            None => self.mint(now).account(),
        };
        Ok(Admitted { setup, role, store, holder, id, until, now })
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
        let now = self.parts.clock.now();
        let (account, lease) = kept(store, &request.tenant, id).await?;
        let elevates = setup.roles.get(&request.role).is_some_and(|role| role.elevates.is_some());
        if !lease.is_of(request) || lease.elevates.is_some() != elevates {
            return Err(JitError::refused("lease.other_request"));
        }
        if !matches!(lease.phase, Phase::Intended | Phase::Active { .. }) || lease.until <= now {
            return Err(JitError::refused("lease.over"));
        }
        if lease.unanswered.is_some_and(|answer_by| now < answer_by) {
            return Err(JitError::refused("lease.in_progress"));
        }
        // What existed before bears no mark to look for, and is given again what it lacks.
        if lease.elevates.is_none() && matches!(lease.phase, Phase::Active { .. }) {
            self.check_untouched(Errand { store, setup, by: &request.by }, &account, &lease).await?;
        }
        let lease = lease.asking(answer_by(setup, now)).map_err(moved_on)?;
        match self.note(store, &account, lease, "lease.resumed", request.by.clone()).await {
            Ok(account) => Ok(account),
            Err(error) if *error.kind() == ErrorKind::Conflict => Err(JitError::refused("lease.in_progress")),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks whether somebody put out of use or removed what was proved to be in use: no request brings that back. Where
    /// nobody has the answer of a call of ours, it may have been that call that removed it; none of ours leaves it out of use.
    async fn check_untouched(
        &self,
        errand: Errand<'_>,
        account: &Account,
        lease: &Lease,
    ) -> Result<(), JitError> {
        match errand.setup.target.observe(&lease.remote).await? {
            Observed::Ours { enabled: true, .. } => Ok(()),
            Observed::Ours { enabled: false, .. } => Err(JitError::refused("lease.shut_by_others")),
            Observed::Missing | Observed::Foreign if lease.unanswered.is_some() => Ok(()),
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
                Ok(Effect::Present { native }) => {
                    return self.hand_out(errand, &account, lease, native, secret).await;
                }
                Ok(Effect::Stranger) if lease.remote.native.is_none() && lease.names_taken + 1 < NAMES => {
                    account = self.rename(errand, &account, lease).await?;
                }
                Ok(Effect::Stranger) => {
                    self.unmake(errand, &account, lease).await;
                    return Err(JitError::refused("lease.name_taken"));
                }
                Ok(Effect::NotOurs) => {
                    self.quarantine(errand.store, &account, lease).await?;
                    return Err(JitError::refused("lease.quarantined"));
                }
                Ok(
                    Effect::Disabled
                    | Effect::Absent { .. }
                    | Effect::Stuck(_)
                    | Effect::Holding { .. }
                    | Effect::Mirrored { .. },
                ) => {
                    self.unmake(errand, &account, lease).await;
                    return Err(JitError::refused("lease.interrupted"));
                }
                Err(error) => {
                    self.unmake(errand, &account, lease).await;
                    return Err(error.into());
                }
            }
        }
    }

    async fn rename(&self, errand: Errand<'_>, account: &Account, lease: Lease) -> Result<Account, JitError> {
        let turn = lease.names_taken.saturating_add(1);
        let name = remote_name(&errand.setup.prefix, &account.tenant, account.id, turn);
        let lease = lease.renamed(name).map_err(moved_on)?;
        Ok(self.note(errand.store, account, lease, "lease.renamed", errand.by.clone()).await?)
    }

    /// Writes down that it is there, and only then hands it out.
    async fn hand_out(
        &self,
        errand: Errand<'_>,
        account: &Account,
        lease: Lease,
        native: String,
        secret: Secret,
    ) -> Result<CheckedOut, JitError> {
        let Errand { store, setup, by } = errand;
        let now = self.parts.clock.now();
        if lease.until <= now {
            self.unmake(errand, account, lease).await;
            return Err(JitError::refused("lease.interrupted"));
        }
        let active = lease.clone().present(native.clone(), now).map_err(moved_on)?;
        if let Err(error) = self.note(store, account, active, "lease.active", by.clone()).await {
            // Nobody will ever know this secret. What was made goes at once; if that fails, the task of the lease finds it.
            let mut remote = lease.remote;
            remote.native = Some(native);
            if *error.kind() != ErrorKind::Conflict || !is_in_use(store, account).await {
                let _ = setup.target.ensure(&Desired { remote, state: DesiredState::Absent }).await;
            }
            return Err(match error.kind() {
                ErrorKind::Conflict => JitError::refused("lease.interrupted"),
                _ => error.into(),
            });
        }
        let capabilities = setup.target.capabilities();
        Ok(CheckedOut {
            lease: account.id,
            name: lease.remote.name,
            secret,
            until: lease.until,
            unattended: capabilities.end,
            sessions_survive: capabilities.sessions_survive,
        })
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
            let now = self.parts.clock.now();
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

    /// Gives up what the target was asked for. Where the lease moved on, what this call made too late goes at once.
    async fn unmake(&self, errand: Errand<'_>, account: &Account, lease: Lease) {
        let remote = lease.remote.clone();
        let is_given_up = self.give_up(errand, account, lease, EndReason::Refused).await;
        if !is_given_up && !is_in_use(errand.store, account).await {
            let _ = errand.setup.target.ensure(&Desired { remote, state: DesiredState::Absent }).await;
        }
    }

    pub(super) async fn quarantine(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
    ) -> Result<Account, JitError> {
        let quarantined =
            lease.quarantined(Code::new("lease.not_ours"), self.parts.clock.now()).map_err(moved_on)?;
        Ok(self.note(store, account, quarantined, "lease.quarantined", Actor::Clock).await?)
    }
}

/// Says where something is asked for, and who asks.
#[derive(Clone, Copy)]
pub(super) struct Errand<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) setup: &'a TargetSetup,
    pub(super) by: &'a Actor,
}

/// A request that its holder may make.
pub(super) struct Admitted<'a> {
    pub(super) setup: &'a TargetSetup,
    pub(super) role: &'a TargetRole,
    pub(super) store: &'a dyn Store,
    pub(super) holder: Account,
    pub(super) id: AccountId,
    pub(super) until: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

impl Admitted<'_> {
    /// The lease of a remote account, of which nothing was done yet.
    pub(super) fn lease(&self, request: &CheckOut, remote: RemoteRef) -> Lease {
        Lease {
            target: self.setup.id.clone(),
            holder: request.holder,
            role: request.role.clone(),
            remote,
            elevates: None,
            entitlements: self.role.entitlements.clone(),
            until: self.until,
            latest: self.now.checked_add_signed(self.role.longest).unwrap_or(self.until),
            phase: Phase::Intended,
            unanswered: Some(answer_by(self.setup, self.now)),
            names_taken: 0,
            privileged: self.role.privileged,
            purpose: request.purpose.clone(),
            alarms: 0,
            proof: None,
            task: None,
        }
    }
}

impl Lease {
    /// Tells whether it was made for such a request.
    pub(super) fn is_of(&self, request: &CheckOut) -> bool {
        self.holder == request.holder && self.target == request.target && self.role == request.role
    }
}

fn check_texts(request: &CheckOut) -> Result<(), JitError> {
    // An empty key is a variable that nobody set: it would make one request of all.
    let is_key = |text: &String| (1..=KEY_BYTES).contains(&text.len());
    // Whoever reads the purpose in a terminal must not be told what to do by it.
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let is_purpose = |text: &String| text.len() <= PURPOSE_BYTES && text.chars().all(is_plain);
    let is_sound = request.key.as_ref().is_none_or(is_key) && request.purpose.as_ref().is_none_or(is_purpose);
    if is_sound { Ok(()) } else { Err(JitError::refused("lease.invalid")) }
}

fn check_holder(holder: &Account, role: &TargetRole, now: DateTime<Utc>) -> Result<(), JitError> {
    // What is lent to somebody lends nothing in turn.
    if holder.standing(now) != Standing::Active || holder.is_remote() {
        return Err(JitError::refused("lease.holder_inactive"));
    }
    if role.admits(holder, now) { Ok(()) } else { Err(JitError::refused("lease.not_entitled")) }
}

fn end_of(
    request: &CheckOut,
    role: &TargetRole,
    holder: &Account,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, JitError> {
    let too_long = || JitError::refused("lease.too_long");
    if request.span <= chrono::TimeDelta::zero() || request.span > role.longest {
        return Err(too_long());
    }
    let end = now.checked_add_signed(request.span).ok_or_else(too_long)?;
    Ok(holder.ends_at.map_or(end, |last| last.min(end)))
}

pub(super) fn answer_by(setup: &TargetSetup, now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(setup.in_flight).unwrap_or(now)
}

pub(super) fn present(lease: &Lease, secret: Option<Secret>) -> Desired {
    let state =
        DesiredState::Present { entitlements: lease.entitlements.clone(), secret, ends_at: lease.until };
    Desired { remote: lease.remote.clone(), state }
}

/// Tells whether a lease that somebody else went on with is in use.
async fn is_in_use(store: &dyn Store, account: &Account) -> bool {
    let found = kept(store, &account.tenant, account.id).await;
    found.is_ok_and(|(_, lease)| matches!(lease.phase, Phase::Intended | Phase::Active { .. }))
}

/// Says that somebody else changed the lease meanwhile, where that is why it could not be written.
pub(super) fn unless_moved(error: BackendError, code: &'static str) -> JitError {
    if *error.kind() == ErrorKind::Conflict { JitError::refused(code) } else { error.into() }
}
