//! Finding whom others brought: accounts that are to be mirrored, and were made or changed by an engine that does not know the
//! target.
//!
//! Each change of an account has an event in the trail, in the same commit. So the trail is followed from where it was read
//! last: what that costs is what happened since, and not how many accounts there are. Whoever is mirrored already needs no
//! look: every engine marks them.

use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::{MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    drift::{is_contended, progress_write},
    key_in_house, mark, named_by,
};
use crate::{
    AccountId, AccountWrite, BackendError, Commit, Cursor, DocumentKey, ErrorKind, Jit, Store, StoreId,
    TargetId, TargetSetup, TenantId,
};

/// How many events are read at once, and how often in one turn.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(249);
const PAGES: usize = 4;
/// The longest turn in all stores; each has its share, so that a slow one takes no time from the others.
const TURN_TIME: TimeDelta = TimeDelta::seconds(3);
/// The most tenants whose trails are followed in one turn.
const TENANTS: usize = 25;
/// How long an event may be on its way into the trail after its id was minted: until then what comes before it is read again.
const SETTLES: TimeDelta = TimeDelta::seconds(5);
/// How late it may come at all, by the clocks of all nodes: what was read is read once more after that.
const LATEST: TimeDelta = TimeDelta::minutes(10);
/// How often an account is marked anew that changes meanwhile.
const ATTEMPTS: usize = 16;

/// How far the trail of one tenant was followed for one target.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Followed {
    /// Up to here by those who want to know at once.
    head: Uuid,
    /// Up to here once more, when all had come.
    tail: Uuid,
}

/// What is read of a trail in one turn, and how far that counts as read.
struct Stretch {
    /// Nothing beyond is looked at.
    until: Uuid,
    /// Nothing beyond counts as read, unless more follows.
    settled: Uuid,
    /// Nothing beyond counts as read.
    now: Uuid,
}

/// A turn in one store.
struct Turn<'a> {
    store: &'a dyn Store,
    setup: &'a TargetSetup,
    /// Until when another account is looked at.
    until: DateTime<Utc>,
    /// Whether somebody was marked.
    found: bool,
}

impl Jit {
    /// Marks whom others brought since the last look, in some of the tenants of a target, and tells whether there was anybody.
    /// The first error ends the turn: where a store hangs, each further question would cost its time limit anew.
    pub(in crate::engine) async fn look_for_newcomers(
        &self,
        (id, store): (Option<&StoreId>, &dyn Store),
        setup: &TargetSetup,
    ) -> (bool, Result<(), BackendError>) {
        if setup.mirroring.is_none() || self.parts.clock.read().doubt.is_some() {
            return (false, Ok(()));
        }
        let stores = i32::try_from(self.parts.stores.len()).unwrap_or(i32::MAX).saturating_add(1);
        let mut turn =
            Turn { store, setup, until: self.parts.clock.now() + TURN_TIME / stores, found: false };
        let key = (id.cloned(), setup.id.clone());
        for tenant in self.tenants_in_turn(&key, setup) {
            let followed = self.follow(&mut turn, tenant).await;
            // Whatever came of it, the others are next.
            self.followed().insert(key.clone(), tenant.clone());
            if followed.is_err() || self.is_turn_over(&turn) {
                return (turn.found, followed);
            }
        }
        (turn.found, Ok(()))
    }

    /// Those that come after the one that was followed last, and then the others; some of them where there are very many.
    fn tenants_in_turn<'a>(
        &self,
        key: &(Option<StoreId>, TargetId),
        setup: &'a TargetSetup,
    ) -> Vec<&'a TenantId> {
        let last = self.followed().get(key).cloned();
        let is_later = |tenant: &&TenantId| last.as_ref().is_none_or(|last| *tenant > last);
        let later = setup.tenants.iter().filter(is_later);
        let earlier = setup.tenants.iter().filter(|tenant| !is_later(tenant));
        later.chain(earlier).take(TENANTS).collect()
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<(Option<StoreId>, TargetId), TenantId>> {
        self.parts.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_turn_over(&self, turn: &Turn<'_>) -> bool {
        turn.until <= self.parts.clock.now()
    }

    async fn follow(&self, turn: &mut Turn<'_>, tenant: &TenantId) -> Result<(), BackendError> {
        let Some(key) = key_of(&turn.setup.id, tenant) else { return Ok(()) };
        let store = turn.store;
        let (now, kept) = (self.parts.clock.now(), store.document(&key).await?);
        let known = kept.as_ref().and_then(|document| serde_json::from_str::<Followed>(&document.body).ok());
        let late = first_of(now - LATEST);
        // Whoever was there before is brought by `mirror_anew`.
        let from = known.unwrap_or(Followed { head: late, tail: late });
        let mut read = from;
        let at_once = Stretch { until: Uuid::max(), settled: first_of(now - SETTLES), now: first_of(now) };
        let once_more = Stretch { until: late, settled: late, now: late };
        let mut done = self.mark_those(turn, (tenant, &mut read.head), &at_once).await;
        if done.is_ok() {
            done = self.mark_those(turn, (tenant, &mut read.tail), &once_more).await;
        }
        // After an error the store is asked once more only where something would be read again.
        if read != from || done.is_ok() && known.is_none() {
            let is_kept = self.keep_followed(store, key, kept.as_ref(), read).await;
            done = done.and(is_kept);
        }
        done
    }

    async fn keep_followed(
        &self,
        store: &dyn Store,
        key: DocumentKey,
        kept: Option<&crate::Document>,
        read: Followed,
    ) -> Result<(), BackendError> {
        let (Some(house), Ok(body)) = (Self::house_tenant(), serde_json::to_string(&read)) else {
            return Ok(());
        };
        let mut commit = Commit::new(house);
        commit.documents.push(progress_write(key, kept, body, self.parts.clock.now()));
        match store.commit(&commit).await {
            // Another process follows as well; what is read twice does no harm.
            Err(error) if is_contended(&error) => Ok(()),
            done => done,
        }
    }

    /// Marks whom the next events are about, and moves on up to where the trail counts as read. However little time there is,
    /// somebody is looked at.
    async fn mark_those(
        &self,
        turn: &mut Turn<'_>,
        (tenant, read): (&TenantId, &mut Uuid),
        stretch: &Stretch,
    ) -> Result<(), BackendError> {
        for _ in 0..PAGES {
            let (from, mut looked) = (*read, BTreeSet::new());
            let page = turn.store.about(tenant, Some(Cursor::after(from)), PAGE).await?;
            let bound = if page.next.is_some() { stretch.now } else { stretch.settled };
            for about in page.items.iter().filter(|about| about.event.as_uuid() < stretch.until) {
                if let Some(id) = about.account.filter(|id| looked.insert(*id)) {
                    if looked.len() > 1 && self.is_turn_over(turn) {
                        return Ok(());
                    }
                    let is_new = self.mark_newcomer(turn.store, turn.setup, tenant, id).await?;
                    turn.found |= is_new;
                }
                *read = about.event.as_uuid().min(bound).max(*read);
            }
            if *read == from || page.next.is_none() || self.is_turn_over(turn) {
                break;
            }
        }
        Ok(())
    }

    /// Marks an account that is to be in the target, and of which nothing is known there. Tells whether it did.
    async fn mark_newcomer(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<bool, BackendError> {
        let Some(mirroring) = setup.mirrored_for(tenant) else { return Ok(false) };
        for _ in 0..ATTEMPTS {
            let before = match store.get(tenant, id).await {
                Ok(Some(account)) if account.mirror(&setup.id).is_none() => account,
                Ok(_) => return Ok(false),
                // It keeps nobody from the others, and is told of where it is asked for.
                Err(error) if *error.kind() == ErrorKind::Corrupt => {
                    tracing::warn!(account = %id, code = %error.code(), "could not tell whether it is mirrored");
                    return Ok(false);
                }
                Err(error) => return Err(error),
            };
            let (now, work) = (self.parts.clock.now(), self.parts.clock.work());
            let next = mark::next(&before, mirroring, setup, work.min(now), now);
            let Some(next) = next else { return Ok(false) };
            let (mut after, mut commit) = (before.clone(), Commit::new(tenant.clone()));
            mark::mark(&mut commit, &mut after, setup, next, &mut self.mint(now));
            after.updated_at = now;
            commit.account = Some(AccountWrite::update(&before, after));
            match store.commit(&commit).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                done => return done.map(|()| true),
            }
        }
        Err(BackendError::new(ErrorKind::Conflict, "mirror.newcomers"))
    }
}

fn key_of(target: &TargetId, tenant: &TenantId) -> Option<DocumentKey> {
    // No name holds the end of a line.
    key_in_house("Newcomers", named_by(format!("newcomers\n{target}\n{tenant}").as_bytes())?)
}

/// Comes before every id that is minted at this instant (RFC 9562 section 5.7).
fn first_of(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(u128::from(millis) << 80)
}
