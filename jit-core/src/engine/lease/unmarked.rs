//! What is found in the place of an account that was made, and how many leases of a target are quarantined for it.
//!
//! What does not bear the marker of its lease is left to a person. Where that is so of one account after another of one
//! target, it is hardly a person who took each marker: the setting of the markers is another one, or they may not be read any
//! longer. So no more than some are quarantined at once, and somebody is told of the cause, once. The others wait: nothing is
//! done to them, they are tried again without end, and end when their markers are found again.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    super::known::is_contended,
    ATTEMPTS,
    record::{QUARANTINED, moved_on},
};
use crate::{
    Account, AccountId, Actor, BackendError, Code, Commit, Jit, JitError, Lease, Observed, Phase, Store,
    TargetSetup, TenantId,
    target::{KeptIn, Unmarked, UnmarkedLease},
};

/// The kind of the document that keeps who has a place.
const UNMARKED: &str = "Unmarked";
const MARKERS_UNKNOWN: &str = "target.markers_unknown";
const MARKERS_KNOWN: &str = "target.markers_known";

impl Jit {
    /// Leaves what is there to a person, unless so much of the target was left to one that the cause is another.
    ///
    /// # Errors
    /// `target.markers_unknown`: then nothing was written down, and it is to be tried again.
    pub(super) async fn quarantine(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
    ) -> Result<Account, JitError> {
        // What existed before bears no marker of ours.
        if lease.elevates.is_none() {
            let setup = self.setup_tending(&account.tenant, &lease.target)?;
            self.take_place(store, setup, account).await?;
        }
        let now = self.parts.clock.work();
        let quarantined = lease.quarantined(Code::new("lease.not_ours"), now).map_err(moved_on)?;
        Ok(self.note(store, account, quarantined, QUARANTINED, Actor::Clock).await?)
    }

    /// Tells whether what is quarantined can end by now, because a person removed what was there, or its marker is found
    /// again: then its place is free. What existed before bears no marker by which to tell: the end itself finds out.
    pub(super) async fn is_settled(
        &self,
        setup: &TargetSetup,
        account: &Account,
        lease: &Lease,
    ) -> Result<bool, BackendError> {
        if setup.target.observe(&lease.remote).await? == Observed::Foreign {
            return Ok(false);
        }
        // Nothing is held up by it: a place that is free by now is found when the next lease needs one.
        if let Err(error) = self.leave_place(setup, &account.tenant, account.id).await {
            tracing::warn!(target = %setup.id, code = %error.code(), "a place among the quarantined is not given back");
        }
        Ok(true)
    }

    /// Takes the place of a lease, before it is quarantined.
    async fn take_place(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
    ) -> Result<(), JitError> {
        let refused = || JitError::refused(MARKERS_UNKNOWN);
        let now = self.parts.clock.work();
        let (tenant, lease, kept) = (account.tenant.clone(), account.id, Some(self.kept_in(store)));
        let place = UnmarkedLease { tenant, lease, at: now, kept };
        if setup.unmarked.is_known_full(now) {
            return Err(refused());
        }
        for _ in 0..ATTEMPTS {
            let (before, mut unmarked) = self.known_of::<Unmarked>(&setup.id, UNMARKED).await?;
            if unmarked.has(&account.tenant, account.id) {
                return Ok(());
            }
            let (has_place, news) = self.place(setup, &mut unmarked, &place, now).await;
            if !has_place && news.is_none() {
                return Err(refused());
            }
            let Some(commit) = self.telling_of_markers(setup, news) else { return Ok(()) };
            match self.make_known((&setup.id, UNMARKED), before, &unmarked, commit).await {
                Ok(()) if has_place => return Ok(()),
                Ok(()) => return Err(refused()),
                Err(error) if is_contended(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Tells whether there is a place for a lease, and what somebody is to be told.
    async fn place(
        &self,
        setup: &TargetSetup,
        unmarked: &mut Unmarked,
        place: &UnmarkedLease,
        now: DateTime<Utc>,
    ) -> (bool, Option<&'static str>) {
        let most = setup.unmarked.most;
        let mut has_place = unmarked.take(place.clone(), most);
        if !has_place {
            for free in self.free_by(unmarked, now).await {
                unmarked.leave(&free.tenant, free.lease);
            }
            has_place = unmarked.take(place.clone(), most);
        }
        if has_place {
            return (true, unmarked.is_news_that_over(most).then_some(MARKERS_KNOWN));
        }
        setup.unmarked.saw_full(now);
        (false, unmarked.is_news_that_full().then_some(MARKERS_UNKNOWN))
    }

    async fn leave_place(
        &self,
        setup: &TargetSetup,
        tenant: &TenantId,
        lease: AccountId,
    ) -> Result<(), BackendError> {
        for _ in 0..ATTEMPTS {
            let (before, mut unmarked) = self.known_of::<Unmarked>(&setup.id, UNMARKED).await?;
            if !unmarked.leave(tenant, lease) {
                return Ok(());
            }
            let news = unmarked.is_news_that_over(setup.unmarked.most).then_some(MARKERS_KNOWN);
            let Some(commit) = self.telling_of_markers(setup, news) else { return Ok(()) };
            match self.make_known((&setup.id, UNMARKED), before, &unmarked, commit).await {
                Err(error) if is_contended(&error) => {}
                written => {
                    setup.unmarked.saw_room();
                    return written;
                }
            }
        }
        Ok(())
    }

    /// Those who have a place and are quarantined no longer. Who cannot be asked for is.
    async fn free_by(&self, unmarked: &Unmarked, now: DateTime<Utc>) -> Vec<UnmarkedLease> {
        let mut free = Vec::new();
        for place in unmarked.written_by(now) {
            if !self.may_be_quarantined(place).await {
                free.push(place.clone());
            }
        }
        free
    }

    /// Whoever does not have the store of a lease cannot tell, and leaves its place to those who do.
    async fn may_be_quarantined(&self, place: &UnmarkedLease) -> bool {
        let (main, others) = (&self.parts.store, &self.parts.stores);
        let stores: Vec<_> = match &place.kept {
            None => others.values().chain([main]).collect(),
            Some(KeptIn::Main) => vec![main],
            Some(KeptIn::Store(id)) => match others.get(id) {
                Some(store) => vec![store],
                None => return true,
            },
        };
        for store in stores {
            match store.get(&place.tenant, place.lease).await {
                Ok(None) => {}
                Ok(Some(account)) => {
                    let is_quarantined = |lease: &Lease| matches!(lease.phase, Phase::Quarantined { .. });
                    return account.lease.as_deref().is_some_and(is_quarantined);
                }
                Err(_) => return true,
            }
        }
        false
    }

    /// The name of a store of this engine.
    fn kept_in(&self, store: &dyn Store) -> KeptIn {
        let is_it = |known: &Arc<dyn Store>| std::ptr::addr_eq(Arc::as_ptr(known), store);
        let named = self.parts.stores.iter().find(|(_, known)| is_it(known));
        named.map_or(KeptIn::Main, |(id, _)| KeptIn::Store(id.clone()))
    }

    /// The commit that tells of it, or one that tells nobody.
    fn telling_of_markers(&self, setup: &TargetSetup, news: Option<&'static str>) -> Option<Commit> {
        let Some(action) = news else { return Self::house_tenant().map(Commit::new) };
        let mut said = vec![setup.id.to_string()];
        if action == MARKERS_UNKNOWN {
            let most = setup.unmarked.most;
            said.push(format!("{most} accounts do not bear the markers of their leases; the next ones wait"));
            said.push("was `marker` changed without `former_markers`, or can it not be read?".to_owned());
        }
        self.telling(action, Some(&setup.id), Actor::Clock, said)
    }
}
