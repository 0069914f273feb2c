//! Looking after a lease: doing what is due, step by step, each written down before the next.

use std::collections::BTreeSet;

use super::{
    super::JitError,
    places::{Place, Turn},
    record::{Next, QUARANTINED, STILL_NAMED},
};
use crate::{
    Account, Actor, Code, Desired, DesiredState, Duty, Effect, EndReason, Jit, Lease, Observed, Phase,
    RemoteRef, Store, TargetSetup,
};

/// The most steps in a row: from being over, through removal and confirmation, to a tombstone.
const STEPS: usize = 8;

/// Tells how far a lease came before something failed.
pub(super) struct Failed {
    pub(super) account: Account,
    pub(super) error: JitError,
}

type Stepped = Result<Account, JitError>;

impl Jit {
    /// Does what is due about a lease until nothing is.
    ///
    /// # Cancel safety
    /// Each step is written down whole or not at all.
    pub(super) async fn tend(
        &self,
        store: &dyn Store,
        mut account: Account,
        turn: Turn<'_>,
    ) -> Result<Account, Failed> {
        for _ in 0..STEPS {
            let now = self.parts.clock.work();
            let Some(lease) = account.lease.as_deref().cloned() else { return Ok(account) };
            let stepped = match lease.duty(now) {
                Duty::Rest | Duty::Wait(_) => return Ok(account),
                Duty::End(why) => match lease.ending(why, now) {
                    Ok(ending) => {
                        let act = ("lease.ending", Actor::Clock);
                        let noted = self.note_before(store, &account, ending, act, turn.next()).await;
                        noted.map_err(JitError::from)
                    }
                    Err(_) => return Ok(account),
                },
                duty => self.at_target(store, &account, lease, (duty, turn)).await,
            };
            match stepped {
                Ok(after) => account = after,
                Err(error) => return Err(Failed { account, error }),
            }
        }
        Ok(account)
    }

    async fn tended(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
        action: &'static str,
    ) -> Stepped {
        Ok(self.note_before(store, account, lease, (action, Actor::Clock), Next::AtOnce).await?)
    }

    /// Does what needs the target, and a place there. What is not the usual removal is boxed, as in a round of work.
    async fn at_target(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
        (duty, turn): (Duty, Turn<'_>),
    ) -> Stepped {
        let place = turn.place().await;
        match (duty, lease.elevates) {
            (Duty::Remove, None) => self.remove(store, account, lease, place).await,
            (Duty::Remove, Some(_)) => Box::pin(self.release(store, account, lease)).await,
            (Duty::Remind, _) => Box::pin(self.remind(store, account, lease)).await,
            (_, None) => Box::pin(self.look(store, account, lease)).await,
            (_, Some(_)) => Box::pin(self.look_at_shares(store, account, lease)).await,
        }
    }

    /// Removes it. What cannot be removed is put out of use first, and removed when that becomes possible.
    async fn remove(&self, store: &dyn Store, account: &Account, lease: Lease, place: Place<'_>) -> Stepped {
        let setup = self.setup_tending(&account.tenant, &lease.target)?;
        let now = || self.parts.clock.work();
        let failure = match setup.target.ensure(&lease.ended()).await {
            Ok(Effect::NotOurs) => return Box::pin(self.quarantine(store, account, lease)).await,
            // Nothing proves that it is not what a call without an answer made: our marker may stand elsewhere.
            Ok(Effect::Stranger) if lease.may_have_been_made() => {
                return Box::pin(self.quarantine(store, account, lease)).await;
            }
            Ok(Effect::Absent { was_there: false }) if lease.remote.native.is_some() => {
                return Box::pin(self.look_behind(store, account, lease, place)).await;
            }
            // The target said that the name was taken: ours was never there.
            Ok(Effect::Absent { .. } | Effect::Stranger) => {
                let settles_after = setup.target.capabilities().settles_after;
                let gone = lease.removed(settles_after, now()).map_err(super::record::moved_on)?;
                place.leave_together().await;
                return self.tended(store, account, gone, "lease.removed").await;
            }
            Ok(Effect::Named { by, why }) => {
                return Box::pin(self.still_named(store, account, lease, (by, why))).await;
            }
            Ok(Effect::Stuck(code)) => JitError::Refused(code),
            Ok(
                Effect::Present { .. } | Effect::Disabled | Effect::Holding { .. } | Effect::Mirrored { .. },
            ) => JitError::refused("target.protocol"),
            Err(error) => error.into(),
        };
        if matches!(lease.phase, Phase::Ending { shut: false, .. }) {
            Box::pin(self.shut(store, setup, account, lease)).await?;
        }
        Err(failure)
    }

    /// Ends what somebody else removed. What a backup brought back has another id, and all else: the name, our marker and the
    /// secret that was lent.
    async fn look_behind(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
        place: Place<'_>,
    ) -> Stepped {
        let setup = self.setup_tending(&account.tenant, &lease.target)?;
        let by_name = RemoteRef { native: None, ..lease.remote.clone() };
        let seen = setup.target.observe(&by_name).await?;
        if matches!(&seen, Observed::Ours { native, .. } if lease.remote.native.as_ref() == Some(native)) {
            // It says both, that it is there and that it is not: whoever is asked again later may know.
            return Err(JitError::refused("target.protocol"));
        }
        let now = self.parts.clock.work();
        let gone =
            lease.removed(setup.target.capabilities().settles_after, now).map_err(super::record::moved_on)?;
        if let Observed::Ours { native, .. } = seen {
            let back = gone.reappeared(native, now).map_err(super::record::moved_on)?;
            return self.tended(store, account, back, "lease.reappeared").await;
        }
        place.leave_together().await;
        self.tended(store, account, gone, "lease.removed").await
    }

    /// Writes down, once, that the account is gone and what names it still, and tells somebody. It is no end: what names it is
    /// asked again.
    async fn still_named(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
        (by, why): (BTreeSet<String>, Code),
    ) -> Stepped {
        if !lease.is_only_named() {
            let named = lease.outlived(self.parts.clock.work()).map_err(super::record::moved_on)?;
            let details = by.into_iter().map(|name| format!("named by {name}")).chain([why.to_string()]);
            let act = (STILL_NAMED, &Actor::Clock);
            self.note_with(store, account, named, act, details.collect()).await?;
        }
        Err(JitError::Refused(why))
    }

    async fn shut(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: Lease,
    ) -> Result<(), JitError> {
        let desired = Desired { remote: lease.remote.clone(), state: DesiredState::Disabled };
        if let Ok(Effect::Disabled) = setup.target.ensure(&desired).await {
            let shut = lease.shut(self.parts.clock.work()).map_err(super::record::moved_on)?;
            self.note(store, account, shut, "lease.shut", Actor::Clock).await?;
        }
        Ok(())
    }

    /// Looks whether a person removed what is quarantined, or gave it its mark back: then it ends. Else somebody is told
    /// again.
    async fn remind(&self, store: &dyn Store, account: &Account, lease: Lease) -> Stepped {
        let setup = self.setup_tending(&account.tenant, &lease.target)?;
        // What existed before bears no mark by which to tell.
        let is_settled = lease.elevates.is_none() && self.is_settled(setup, account, &lease).await?;
        let now = self.parts.clock.work();
        let (next, action) = if is_settled {
            (lease.settled(EndReason::Settled, now), "lease.ending")
        } else {
            (lease.reminded(now), QUARANTINED)
        };
        self.tended(store, account, next.map_err(super::record::moved_on)?, action).await
    }

    /// Looks once more at what is gone.
    async fn look(&self, store: &dyn Store, account: &Account, lease: Lease) -> Stepped {
        let setup = self.setup_tending(&account.tenant, &lease.target)?;
        let is_sweep = matches!(lease.phase, Phase::Gone { .. });
        // What a late call made bears the name and another id.
        let mut remote = lease.remote.clone();
        if is_sweep {
            remote.native = None;
        }
        // The id is that of what was made; the name may be that of what a call without an answer made.
        let may_be_ours = remote.native.is_some() || lease.may_have_been_made();
        let now = self.parts.clock.work();
        let (next, action) = match setup.target.observe(&remote).await? {
            Observed::Foreign if may_be_ours => return self.quarantine(store, account, lease).await,
            Observed::Ours { native, .. } => (lease.reappeared(native, now), "lease.reappeared"),
            Observed::Missing | Observed::Foreign if is_sweep => (lease.swept(now), "lease.swept"),
            Observed::Missing | Observed::Foreign => (lease.confirmed(now), "lease.gone"),
        };
        self.tended(store, account, next.map_err(super::record::moved_on)?, action).await
    }
}
