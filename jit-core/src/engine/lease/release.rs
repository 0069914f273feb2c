//! Taking what was lent to an account that existed before, as far as no other lease needs it.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{ATTEMPTS, check_out::answer_by, is_unknown, keeper::Act, kept, places::Turn, record::moved_on};
use crate::{
    Account, AccountId, Actor, Desired, DesiredState, Effect, ErrorKind, Holdings, Jit, JitError, Lease,
    Phase, RemoteEntitlement, Store, TargetSetup, clock::Reading, lease::Identified,
};

/// How many other leases of an account are looked at before one of them is believed to need what it says.
const BESIDE: usize = 64;

/// After how long the target is looked at once more, at least, where it had not what it was given: whoever was renamed a
/// moment ago may be found to have it under the new name.
const FOLLOWS_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Says how taking ended.
enum Released {
    /// Nothing of the lease is there any longer, as far as the target knows: so the lease stands then.
    Done(Box<Lease>),
    /// What bears the native id is not what it was.
    NotOurs,
}

/// Says what a call that takes came to.
enum Took {
    /// It was done.
    Done {
        /// Whether all of it was there to be taken, or went with the account.
        all: bool,
        /// Of what the name stands for something else by now.
        repointed: BTreeSet<RemoteEntitlement>,
    },
    /// Nothing: what bears the native id is not what it was.
    NotOurs,
}

impl Took {
    const fn all() -> Self {
        Self::Done { all: true, repointed: BTreeSet::new() }
    }
}

impl Jit {
    /// Takes what no lease needs any longer.
    pub(super) async fn release(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
    ) -> Result<Account, JitError> {
        let setup = self.setup_tending(&account.tenant, &lease.target)?;
        match self.take(store, setup, account, &lease).await? {
            Released::NotOurs => self.quarantine(store, account, lease).await,
            Released::Done(gone) => {
                Ok(self.note(store, account, *gone, "lease.removed", Actor::Clock).await?)
            }
        }
    }

    /// Takes what a call gave to a lease that had ended meanwhile, as far as that is possible now, and sees to it that the
    /// lease has a task that goes on.
    pub(super) async fn take_back(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: &Lease,
        given: &BTreeSet<RemoteEntitlement>,
    ) {
        if let Err(error) = self.give_back(store, account, lease, given).await {
            tracing::error!(account = %account.id, code = %error.code(), "what was given late is not taken yet");
        }
    }

    async fn give_back(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: &Lease,
        given: &BTreeSet<RemoteEntitlement>,
    ) -> Result<(), JitError> {
        for _ in 0..ATTEMPTS {
            // Whoever ended it may have forgotten it since.
            let known = self.change(store, account, lease, Act::due("lease.given_late"), |lent, _| {
                let next = lent.clone().given_late(account.id, given);
                (next != *lent).then_some((next, ()))
            });
            known.await?;
            let (now_kept, now_lease) = match kept(store, &account.tenant, account.id).await {
                // Whoever stood still for longer than its record was kept.
                Err(error) if is_unknown(&error) => {
                    return Box::pin(self.pass_on(store, account, lease, given)).await;
                }
                found => found?,
            };
            let ending = match now_lease.phase {
                Phase::Ending { .. } => now_kept,
                Phase::Gone { .. } | Phase::Unconfirmed { .. } => {
                    if !self.is_mentioned(store, account, lease).await? {
                        return Ok(());
                    }
                    let native = lease.remote.native.clone().unwrap_or_default();
                    let back = now_lease.reappeared(native, self.parts.clock.work()).map_err(moved_on)?;
                    match self.note(store, &now_kept, back, "lease.reappeared", Actor::Clock).await {
                        Err(error) if *error.kind() == ErrorKind::Conflict => continue,
                        noted => noted?,
                    }
                }
                // Another call goes on with it, and its task ends it; or a person looks after it.
                Phase::Intended | Phase::Active { .. } | Phase::Quarantined { .. } => return Ok(()),
            };
            match self.tend(store, ending, Turn::AT_ONCE).await {
                // Somebody else looks after it at the same time: what they saw last may be from before.
                Err(failed) if is_conflict(&failed.error) => {}
                tended => return tended.map(drop).map_err(|failed| failed.error),
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Lets another lease take what was given to one whose record was removed while the call stood still: without a record
    /// nobody would try again, look again or be told.
    async fn pass_on(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: &Lease,
        given: &BTreeSet<RemoteEntitlement>,
    ) -> Result<(), JitError> {
        let setup = self.setup_tending(&account.tenant, &lease.target)?;
        let now = self.parts.clock.work();
        let heir = if given.is_empty() {
            None
        } else {
            let heir = lease.clone().passed_on(answer_by(setup, now), now);
            Some(self.take_up(store, account, self.mint(now).account(), heir).await?)
        };
        let passed = self.change(store, account, lease, Act::due("lease.given_late"), |lent, _| {
            let left = lent.clone().left(account.id);
            let next = heir.iter().fold(left, |lent, heir| lent.given_late(heir.id, given));
            (next != *lent).then_some((next, ()))
        });
        passed.await?;
        match heir {
            Some(heir) => self.give_back(store, &heir, lease, given).await,
            None => Ok(()),
        }
    }

    /// Tells whether what is lent to the account there still speaks of the lease.
    pub(super) async fn is_mentioned(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: &Lease,
    ) -> Result<bool, JitError> {
        let Some(keeper) = lease.elevates else { return Ok(false) };
        let lent = store.get(&account.tenant, keeper).await?.and_then(|kept| kept.elevation);
        Ok(lent.is_some_and(|lent| lent.mentions(account.id)))
    }

    /// The leases that say that they need something of this one and are gone: they joined after they had ended, and
    /// nobody will end them. What cannot be read is believed to need what it says.
    async fn gone_beside(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: &Lease,
    ) -> Result<BTreeSet<AccountId>, JitError> {
        let mut gone = BTreeSet::new();
        let Some(keeper) = lease.elevates else { return Ok(gone) };
        let lent = store.get(&account.tenant, keeper).await?.and_then(|kept| kept.elevation);
        let beside = lent.map(|lent| lent.needed_beside(account.id)).unwrap_or_default();
        for id in beside.into_iter().take(BESIDE) {
            let Ok(other) = store.get(&account.tenant, id).await else { continue };
            if other.and_then(|other| other.lease).is_none_or(|lease| !lease.is_live()) {
                gone.insert(id);
            }
        }
        Ok(gone)
    }

    /// The ids of what is lent without one, where something beside it has one: both may be the same, which others need.
    async fn ids_beside(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: &Lease,
    ) -> Result<Vec<Identified>, JitError> {
        let Some(keeper) = lease.elevates else { return Ok(Vec::new()) };
        let lent = store.get(&account.tenant, keeper).await?.and_then(|kept| kept.elevation);
        match lent.filter(|lent| lent.has_both_kinds()) {
            Some(lent) => self.ids_of(setup, lease, &lent).await,
            None => Ok(Vec::new()),
        }
    }

    /// Writes down that the lease needs nothing any longer, and takes what is left over. Where nothing of it is looked at
    /// any more, it is forgotten.
    async fn take(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: &Lease,
    ) -> Result<Released, JitError> {
        let settles_after = setup.target.capabilities().settles_after;
        // What does not end is not taken.
        let _ends = lease.clone().removed(settles_after, self.parts.clock.work()).map_err(moved_on)?;
        let gone = self.gone_beside(store, account, lease).await?;
        let ids = self.ids_beside(store, setup, account, lease).await?;
        let begun = self.change(store, account, lease, Act::due("lease.releasing"), |lent, number| {
            let begun = self.parts.clock.read();
            let answer_by = answer_by(setup, begun.work);
            let lent_on = lent.clone().knowing(&ids).without(account.id, &gone);
            // What another lease needs does not end because a clock jumped.
            // Another server may take it, and ours show it and lose it until then.
            let shows_at = answer_by.checked_add_signed(settles_after).unwrap_or(answer_by);
            let (next, take) = lent_on.released(account.id, number, shows_at, begun.work);
            (next != *lent).then_some((next, (number, take, Some(begun))))
        });
        let (number, take, begun) = begun.await?.unwrap_or_default();
        // Whoever was held up until others may count on no call being under way does not begin one.
        if !take.is_empty() && begun.is_none_or(|begun| self.is_late(setup, begun)) {
            return Err(JitError::refused("lease.interrupted"));
        }
        let took = if take.is_empty() { Took::all() } else { self.took(setup, lease, take.clone()).await? };
        let Took::Done { all, repointed } = took else { return Ok(Released::NotOurs) };
        let (now, settles) = (self.parts.clock.work(), settles_after > TimeDelta::zero());
        let shown_by = now.checked_add_signed(settles_after).filter(|_| settles);
        // When to look next goes by the plausible time.
        let removed = |settles_after| lease.clone().removed(settles_after, now).map_err(moved_on);
        let gone = if all {
            removed(settles_after)?
        } else {
            // It was not all there to be taken: that proves nothing yet.
            Lease { proof: lease.proof, ..removed(settles_after.max(FOLLOWS_WITHIN))? }
        };
        let looked_at = begun.map_or(now, |begun| begun.work);
        let act = Act::due("lease.taken").telling(&repointed);
        let settled = self.change(store, account, lease, act, |lent, _| {
            let next = lent.clone().taken(number, shown_by);
            let next = if gone.is_live() { next } else { next.left_but(account.id, &take, looked_at) };
            (next != *lent).then_some((next, ()))
        });
        settled.await?;
        if !gone.is_live() {
            self.check_left(store, account, lease).await?;
        }
        Ok(Released::Done(Box::new(gone)))
    }

    /// Stops whoever would forget a lease of which something is to be taken: another lease needed it when that was looked at,
    /// and does not any longer.
    async fn check_left(&self, store: &dyn Store, account: &Account, lease: &Lease) -> Result<(), JitError> {
        let is_left = !self.is_mentioned(store, account, lease).await?;
        if is_left { Ok(()) } else { Err(JitError::refused("lease.interrupted")) }
    }

    /// Tells whether the time to answer has run out by either clock: one that jumped does not hold it up, and a pulse that
    /// slept does not prolong it.
    fn is_late(&self, setup: &TargetSetup, begun: Reading) -> bool {
        let reading = self.parts.clock.read();
        answer_by(setup, begun.work) <= reading.work || answer_by(setup, begun.now) <= reading.now
    }

    async fn took(
        &self,
        setup: &TargetSetup,
        lease: &Lease,
        take: BTreeSet<RemoteEntitlement>,
    ) -> Result<Took, JitError> {
        let state = DesiredState::Holding { give: std::collections::BTreeMap::new(), take: take.clone() };
        match setup.target.ensure(&Desired { remote: lease.remote.clone(), state }).await? {
            // What an account held went with it.
            Effect::Absent { .. } => Ok(Took::all()),
            Effect::Holding { taken, repointed, .. } => {
                Ok(Took::Done { all: take.is_subset(&taken), repointed })
            }
            Effect::NotOurs | Effect::Stranger => Ok(Took::NotOurs),
            Effect::Stuck(code) | Effect::Named { why: code, .. } => Err(JitError::Refused(code)),
            Effect::Present { .. } | Effect::Disabled | Effect::Mirrored { .. } => {
                Err(JitError::refused("target.protocol"))
            }
        }
    }

    /// Looks once more whether a late call, or a server that did not know yet, brought back what was taken.
    pub(super) async fn look_at_shares(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
    ) -> Result<Account, JitError> {
        let setup = self.setup_tending(&account.tenant, &lease.target)?;
        let now = self.parts.clock.work();
        let (looked_for, came_back) = self.what_came_back(store, setup, account, &lease).await?;
        if let Some(native) = came_back {
            let back = lease.reappeared(native, now).map_err(moved_on)?;
            return Ok(self.note(store, account, back, "lease.reappeared", Actor::Clock).await?);
        }
        let left = self.change(store, account, &lease, Act::due("lease.left"), |lent, _| {
            let next = lent.clone().left_but(account.id, &looked_for, now);
            (next != *lent).then_some((next, ()))
        });
        left.await?;
        self.check_left(store, account, &lease).await?;
        let (next, action) = match lease.phase {
            Phase::Gone { .. } => (lease.swept(now), "lease.swept"),
            _ => (lease.confirmed(now), "lease.gone"),
        };
        Ok(self.note(store, account, next.map_err(moved_on)?, action, Actor::Clock).await?)
    }

    /// What of the lease nobody needs, and the native id of the account where some of that is there.
    async fn what_came_back(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: &Lease,
    ) -> Result<(BTreeSet<RemoteEntitlement>, Option<String>), JitError> {
        let nothing = (BTreeSet::new(), None);
        let Some(keeper) = lease.elevates else { return Ok(nothing) };
        let kept = store.get(&account.tenant, keeper).await?;
        let Some(lent) = kept.and_then(|kept| kept.elevation) else { return Ok(nothing) };
        // It joined after it had been ended.
        if lent.is_needed_by(account.id) {
            return Ok((nothing.0, lease.remote.native.clone()));
        }
        let surplus = lent.surplus_of(account.id, self.parts.clock.work());
        if surplus.is_empty() {
            return Ok(nothing);
        }
        let came_back = match setup.target.holdings(&lease.remote, &surplus).await? {
            Holdings::Found { native, held, .. } if !held.is_empty() => Some(native),
            Holdings::Found { .. } | Holdings::Missing | Holdings::Made => None,
        };
        Ok((surplus, came_back))
    }
}

fn is_conflict(error: &JitError) -> bool {
    matches!(error, JitError::Backend(error) if *error.kind() == ErrorKind::Conflict)
}
