//! Finding whom others brought: accounts that are to be mirrored, and were made or changed by an engine that does not know the
//! target.
//!
//! Each change of an account has an event in the trail, in the same commit. So the trail is followed from where it was read
//! last: what that costs is what happened since, and not how many accounts there are. Whoever is mirrored already needs no
//! look: every engine marks them.

mod places;

use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::{MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use self::places::{Followed, Reached, Stretch};
use super::{
    super::known::{is_contended, key_in_house, named_by, progress_write},
    mark,
};
use crate::{
    Account, AccountId, AccountWrite, BackendError, Commit, Cursor, DocumentKey, ErrorKind, Jit, Store,
    StoreId, TargetId, TargetSetup, TenantId, TimeDoubt,
};

/// How many events are read at once, and how often in one turn.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(249);
const PAGES: usize = 4;
/// The longest turn in all stores; each has its share, so that a slow one takes no time from the others.
const TURN_TIME: TimeDelta = TimeDelta::seconds(3);
/// The most tenants whose trails are followed in one turn.
const TENANTS: usize = 25;
/// How often an account is marked anew that changes meanwhile.
const ATTEMPTS: usize = 16;

/// A turn in one store.
struct Turn<'a> {
    store: &'a dyn Store,
    setup: &'a TargetSetup,
    /// Until when another account is looked at.
    until: DateTime<Utc>,
    /// Whether somebody was looked at: however little time there is, one is.
    has_looked: bool,
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
        let reading = self.parts.clock.read();
        if setup.mirroring.is_none() || matches!(reading.doubt, Some(TimeDoubt::Ahead(_))) {
            return (false, Ok(()));
        }
        let stores = i32::try_from(self.parts.stores.len()).unwrap_or(i32::MAX).saturating_add(1);
        let until = self.parts.clock.now() + TURN_TIME / stores;
        let mut turn = Turn { store, setup, until, has_looked: false, found: false };
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
        let last = self.followed().get(key).cloned().or_else(|| begins_after(setup, self.parts.clock.now()));
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

    /// Whether another account may be looked at.
    fn goes_on(&self, turn: &Turn<'_>) -> bool {
        !turn.has_looked || !self.is_turn_over(turn)
    }

    async fn follow(&self, turn: &mut Turn<'_>, tenant: &TenantId) -> Result<(), BackendError> {
        let Some(key) = key_of(&turn.setup.id, tenant) else { return Ok(()) };
        let store = turn.store;
        let (reading, kept) = (self.parts.clock.read(), store.document(&key).await?);
        let known = kept.as_ref().and_then(|document| serde_json::from_str::<Followed>(&document.body).ok());
        let mut read = known.clone().unwrap_or_else(|| Followed::from_now_on(reading.now));
        let mut done = match reading.doubt {
            Some(TimeDoubt::Behind(by)) => {
                read.is_behind(by, reading.now);
                Ok(())
            }
            Some(TimeDoubt::Ahead(_)) => return Ok(()),
            None => self.read_on(turn, tenant, &mut read, reading.now).await,
        };
        // After an error the store is asked once more only where something would be read again.
        if known.as_ref().map_or(done.is_ok(), |known| read != *known) {
            let is_kept = self.keep_followed(store, key, kept.as_ref(), &read).await;
            done = done.and(is_kept);
        }
        done
    }

    async fn read_on(
        &self,
        turn: &mut Turn<'_>,
        tenant: &TenantId,
        read: &mut Followed,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        if read.goes_back(now) {
            tracing::warn!(target = %turn.setup.id, %tenant, "the clock was set back: the trail is read over again");
        }
        let (reached, done) = self.mark_those(turn, tenant, &read.at_once(now)).await;
        read.has_read_at_once(reached, now);
        done?;
        if !self.goes_on(turn) {
            return Ok(());
        }
        let (reached, done) = self.mark_those(turn, tenant, &read.once_more(now)).await;
        read.has_read_once_more(reached);
        done?;
        let Some(stretch) = read.over_again().filter(|_| !self.is_turn_over(turn)) else { return Ok(()) };
        let (reached, done) = self.mark_those(turn, tenant, &stretch).await;
        read.has_read_over_again(reached);
        done
    }

    async fn keep_followed(
        &self,
        store: &dyn Store,
        key: DocumentKey,
        kept: Option<&crate::Document>,
        read: &Followed,
    ) -> Result<(), BackendError> {
        let (Some(house), Ok(body)) = (Self::house_tenant(), serde_json::to_string(read)) else {
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

    /// Marks whom the next events are about, and tells how far it came, also where it failed.
    async fn mark_those(
        &self,
        turn: &mut Turn<'_>,
        tenant: &TenantId,
        stretch: &Stretch,
    ) -> (Reached, Result<(), BackendError>) {
        let mut reached = Reached { at: stretch.from, is_end: false };
        for _ in 0..PAGES {
            if let Err(error) = self.mark_page(turn, tenant, stretch, &mut reached).await {
                return (reached, Err(error));
            }
            if reached.is_end || self.is_turn_over(turn) {
                break;
            }
            reached.at = stretch.after(reached.at);
        }
        (reached, Ok(()))
    }

    async fn mark_page(
        &self,
        turn: &mut Turn<'_>,
        tenant: &TenantId,
        stretch: &Stretch,
        reached: &mut Reached,
    ) -> Result<(), BackendError> {
        let mut looked = BTreeSet::new();
        let page = turn.store.about(tenant, Some(Cursor::after(reached.at)), PAGE).await?;
        for about in &page.items {
            let event = about.event.as_uuid();
            if stretch.until <= event {
                reached.is_end = true;
                return Ok(());
            }
            if let Some(id) = about.account.filter(|id| !stretch.was_seen(event) && looked.insert(*id)) {
                if !self.goes_on(turn) {
                    return Ok(());
                }
                turn.has_looked = true;
                let until = Some(turn.until);
                turn.found |= self.mark_newcomer(turn.store, turn.setup, (tenant, id), until).await?;
            }
            reached.at = event;
        }
        reached.is_end = page.next.is_none();
        Ok(())
    }

    /// Tells whether an account is to be in the target, where nothing is known of it there.
    pub(super) fn is_newcomer(&self, setup: &TargetSetup, account: &Account) -> bool {
        let (now, work) = (self.parts.clock.now(), self.parts.clock.work());
        let mirroring = setup.mirrored_for(&account.tenant);
        mirroring.is_some_and(|mirroring| mark::next(account, mirroring, setup, work.min(now), now).is_some())
    }

    /// Marks an account that is to be in the target, and of which nothing is known there. Tells whether it did. Where it
    /// changes meanwhile it is tried again until then.
    pub(super) async fn mark_newcomer(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        (tenant, id): (&TenantId, AccountId),
        until: Option<DateTime<Utc>>,
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
                Err(error) if *error.kind() == ErrorKind::Conflict => {
                    if until.is_some_and(|until| until <= self.parts.clock.now()) {
                        return Err(error);
                    }
                }
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

/// Where a process begins that has followed nobody yet. By the instant, so that processes that live for one round do not all
/// follow the same ones.
fn begins_after(setup: &TargetSetup, now: DateTime<Utc>) -> Option<TenantId> {
    let count = u128::try_from(setup.tenants.len()).ok().filter(|count| *count > 0)?;
    let place = named_by(now.to_rfc3339().as_bytes())?.as_u128() % count;
    setup.tenants.iter().nth(usize::try_from(place).ok()?).cloned()
}
