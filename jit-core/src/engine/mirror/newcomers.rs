//! Finding whom others brought: accounts that are to be mirrored, and were made or changed by an engine that does not know the
//! target.
//!
//! Each change of an account has an event in the trail, in the same commit. So the trail is followed from where it was read
//! last: what that costs is what happened since, and not how many accounts there are. Whoever is mirrored already needs no
//! look: every engine marks them.

use std::{
    collections::BTreeSet,
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
    About, AccountId, AccountWrite, BackendError, Commit, Cursor, DocumentKey, ErrorKind, Jit, Store,
    TargetId, TargetSetup, TenantId,
};

/// How many events are read at once, and how often in one turn.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(249);
const PAGES: usize = 4;
/// The longest turn.
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

impl Jit {
    /// Marks whom others brought since the last look, in some of the tenants of a target.
    pub(in crate::engine) async fn look_for_newcomers(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
    ) -> Result<(), BackendError> {
        if setup.mirroring.is_none() || self.parts.clock.read().doubt.is_some() {
            return Ok(());
        }
        let mut first = None;
        for tenant in self.tenants_in_turn(setup) {
            if let Err(error) = self.follow(store, setup, tenant).await {
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// All of them, or those that come after the last ones where there are very many.
    fn tenants_in_turn<'a>(&self, setup: &'a TargetSetup) -> Vec<&'a TenantId> {
        if setup.tenants.len() <= TENANTS {
            return setup.tenants.iter().collect();
        }
        let mut followed = self.followed();
        let last = followed.get(&setup.id);
        let later = setup.tenants.iter().filter(|tenant| last.is_none_or(|last| *tenant > last));
        let turn: Vec<_> = later.chain(setup.tenants.iter()).take(TENANTS).collect();
        followed.extend(turn.last().map(|last| (setup.id.clone(), (*last).clone())));
        turn
    }

    fn followed(&self) -> MutexGuard<'_, std::collections::HashMap<TargetId, TenantId>> {
        self.parts.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        tenant: &TenantId,
    ) -> Result<(), BackendError> {
        let Some(key) = key_of(&setup.id, tenant) else { return Ok(()) };
        let (now, kept) = (self.parts.clock.now(), store.document(&key).await?);
        let known = kept.as_ref().and_then(|document| serde_json::from_str::<Followed>(&document.body).ok());
        let late = first_of(now - LATEST);
        // Whoever was there before is brought by `mirror_anew`.
        let from = known.unwrap_or(Followed { head: late, tail: late });
        let at_once = Stretch { until: Uuid::max(), settled: first_of(now - SETTLES), now: first_of(now) };
        let once_more = Stretch { until: late, settled: late, now: late };
        let head = self.mark_those(store, setup, (tenant, from.head), &at_once).await;
        let tail = self.mark_those(store, setup, (tenant, from.tail), &once_more).await;
        let read = |stretch: &Result<_, _>, from| stretch.as_ref().map_or(from, |read| *read);
        let read = Followed { head: read(&head, from.head), tail: read(&tail, from.tail) };
        if known != Some(read) {
            self.keep_followed(store, key, kept.as_ref(), read).await?;
        }
        head.and(tail).map(drop)
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

    /// Marks whom the next events are about, and tells up to where the trail counts as read.
    async fn mark_those(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        (tenant, mut read): (&TenantId, Uuid),
        stretch: &Stretch,
    ) -> Result<Uuid, BackendError> {
        let began = self.parts.clock.now();
        for _ in 0..PAGES {
            let page = store.about(tenant, Some(Cursor::after(read)), PAGE).await?;
            let is_near = |about: &&About| about.event.as_uuid() < stretch.until;
            let mut near = page.items.iter().filter(is_near);
            let accounts: BTreeSet<_> = near.clone().filter_map(|about| about.account).collect();
            for id in accounts {
                self.mark_newcomer(store, setup, tenant, id).await?;
            }
            let bound = if page.next.is_some() { stretch.now } else { stretch.settled };
            let reached = near.next_back().map(|about| about.event.as_uuid().min(bound));
            let Some(reached) = reached.filter(|reached| *reached > read) else { break };
            read = reached;
            if page.next.is_none() || self.parts.clock.now().signed_duration_since(began) >= TURN_TIME {
                break;
            }
        }
        Ok(read)
    }

    /// Marks an account that is to be in the target, and of which nothing is known there.
    async fn mark_newcomer(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<(), BackendError> {
        let Some(mirroring) = setup.mirrored_for(tenant) else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let before = match store.get(tenant, id).await {
                Ok(Some(account)) if account.mirror(&setup.id).is_none() => account,
                Ok(_) => return Ok(()),
                // It keeps nobody from the others, and is told of where it is asked for.
                Err(error) if *error.kind() == ErrorKind::Corrupt => {
                    tracing::warn!(account = %id, code = %error.code(), "could not tell whether it is mirrored");
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let (now, work) = (self.parts.clock.now(), self.parts.clock.work());
            let next = mark::next(&before, mirroring, setup, work.min(now), now);
            let Some(next) = next else { return Ok(()) };
            let (mut after, mut commit) = (before.clone(), Commit::new(tenant.clone()));
            mark::mark(&mut commit, &mut after, setup, next, &mut self.mint(now));
            after.updated_at = now;
            commit.account = Some(AccountWrite::update(&before, after));
            match store.commit(&commit).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                done => return done,
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
