//! A memory store with one fault: tasks, one-time values and the trail.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    About, Account, AccountId, AuditEvent, AuditLog, AuditQuery, BackendError, Claimed, Commit, Cursor,
    DocumentId, DocumentKey, ErrorKind, ExternalKey, Lane, LookupKey, Member, MemoryStore, ONE_TIME_BYTES,
    OneTime, OneTimeKey, Over, PAGE_ITEMS, Page, Settlement, Taken, TaskId, TaskQueue, TenantId, Tenants,
    WorkerId,
};

use crate::table::Fault;

/// Wraps a memory store and gives one answer wrong.
pub(crate) struct Faulty {
    pub(crate) inner: MemoryStore,
    pub(crate) fault: Fault,
    pub(crate) memo: Mutex<Memo>,
    looking: AtomicUsize,
    pub(crate) busy: AtomicUsize,
}

/// What the faults remember.
#[derive(Default)]
pub(crate) struct Memo {
    pub(crate) tenants: BTreeSet<TenantId>,
    pub(crate) created: BTreeMap<(TenantId, AccountId), Account>,
    pub(crate) accepted: Vec<Commit>,
    pub(crate) identities: BTreeMap<ExternalKey, AccountId>,
    pub(crate) names: BTreeMap<(TenantId, String), AccountId>,
    pub(crate) lookups: BTreeMap<(TenantId, LookupKey), AccountId>,
    pub(crate) seen: BTreeMap<AccountId, Option<DateTime<Utc>>>,
    pub(crate) events: Vec<AuditEvent>,
    pub(crate) over: Vec<(TenantId, Over)>,
    pub(crate) members: BTreeMap<(DocumentKey, DocumentId), Member>,
    claims: BTreeMap<TaskId, Claimed>,
    values: BTreeMap<OneTimeKey, (Vec<u8>, DateTime<Utc>)>,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            inner: MemoryStore::new(),
            fault,
            memo: Mutex::default(),
            looking: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
        }
    }

    pub(crate) fn memo(&self) -> MutexGuard<'_, Memo> {
        self.memo.lock().unwrap()
    }

    /// Every tenant that something was written for.
    pub(crate) fn tenants(&self) -> BTreeSet<TenantId> {
        self.memo().tenants.clone()
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Stands between looking and writing until somebody else has looked as well, or nobody comes.
    pub(crate) async fn meet(&self) {
        self.looking.fetch_add(1, Ordering::SeqCst);
        for _ in 0..20_000 {
            if self.looking.load(Ordering::SeqCst) >= 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Whoever looks from now on waits for others again.
    pub(crate) fn part(&self) {
        self.looking.store(0, Ordering::SeqCst);
    }

    /// The instant as the backend understands it.
    fn clock(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let own = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        if self.has(Fault::ReadsOwnClock) { now.max(own) } else { now }
    }

    fn lane(&self, lane: &Lane) -> Lane {
        if self.has(Fault::FoldsLanes) {
            Lane::new(lane.as_str().to_lowercase()).unwrap()
        } else {
            lane.clone()
        }
    }

    fn key(&self, key: &OneTimeKey) -> OneTimeKey {
        if self.has(Fault::ValuesForgetTenant) {
            OneTimeKey::new(TenantId::new("all").unwrap(), "", &[key.digest()])
        } else {
            key.clone()
        }
    }

    /// Changes what a claim returns.
    fn twist(&self, mut claimed: Vec<Claimed>, until: DateTime<Utc>) -> Vec<Claimed> {
        if self.has(Fault::NewestFirst) {
            claimed.reverse();
        }
        for claimed in &mut claimed {
            match self.fault {
                Fault::ForgetsWorker => claimed.worker = "somebody".parse().unwrap(),
                Fault::HandsOutTwice | Fault::HoldsForEver => claimed.until = until,
                Fault::EpochStands => (claimed.epoch, claimed.attempts) = (1, 0),
                _ => {}
            }
        }
        let mut memo = self.memo();
        if self.has(Fault::SharesClaims) && claimed.is_empty() {
            claimed = memo.claims.values().take(1).cloned().collect();
        }
        memo.claims.extend(claimed.iter().map(|claimed| (claimed.task.id, claimed.clone())));
        claimed
    }
}

#[async_trait]
impl TaskQueue for Faulty {
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        let moment = TimeDelta::nanoseconds(1);
        let (at, span) = match self.fault {
            Fault::ClaimsEarly => (now + TimeDelta::hours(1), hold),
            Fault::ClaimsLate => (now - moment, hold),
            Fault::HandsOutTwice => (now, moment),
            Fault::HoldsForEver => (now, TimeDelta::days(36_500)),
            Fault::AcceptsAnyHold => (now, hold.max(moment)),
            _ => (self.clock(now), hold),
        };
        let limit = if self.has(Fault::ClaimsAll) { NonZeroUsize::new(PAGE_ITEMS).unwrap() } else { limit };
        let is_lax = match self.fault {
            Fault::ClaimsOfThoseLeftOut => matches!(tenants, Tenants::AllBut(_)),
            fault => matches!(fault, Fault::ClaimsOfAnyTenant | Fault::ClaimsForOtherTenants),
        };
        let asked = if is_lax { &Tenants::All } else { tenants };
        let mut claimed = self.inner.claim(worker, &self.lane(lane), asked, at, span, limit).await?;
        if self.has(Fault::ClaimsForOtherTenants) {
            claimed.retain(|claimed| tenants.include(&claimed.task.tenant));
        }
        Ok(self.twist(claimed, now + hold))
    }

    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        let outcome = if self.has(Fault::PutOffIsDone) { Settlement::Done } else { outcome };
        let answer = self.inner.settle(claimed, outcome).await;
        if answer.is_ok() {
            return answer;
        }
        let latest = self.memo().claims.get(&claimed.task.id).cloned();
        match (self.fault, latest) {
            (Fault::AcceptsStale | Fault::SettlementForgetsTenant, Some(latest)) => {
                self.inner.settle(&latest, outcome).await
            }
            (Fault::SettlesAgain, _) => Ok(()),
            _ => answer,
        }
    }

    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        let due = self.inner.next_due(&self.lane(lane)).await?;
        let any_claimed = !self.memo().claims.is_empty();
        Ok(due.filter(|_| !(self.has(Fault::ForgetsClaimedDue) && any_claimed)))
    }

    async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError> {
        if self.has(Fault::NamesOneLane) && after.is_some() {
            return Ok(None);
        }
        self.inner.next_lane(after.map(|lane| self.lane(&lane))).await
    }
}

#[async_trait]
impl OneTime for Faulty {
    async fn put(
        &self,
        key: &OneTimeKey,
        value: &[u8],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        let (key, now) = (self.key(key), self.clock(now));
        let held = self.memo().values.get(&key).cloned();
        let free = held.as_ref().is_none_or(|(_, until)| *until <= now);
        let mut value = value.to_vec();
        match self.fault {
            Fault::KeepsText => value = String::from_utf8_lossy(&value).into_owned().into_bytes(),
            Fault::CutsValues => value.truncate(ONE_TIME_BYTES - 1),
            Fault::AcceptsAnySize if value.len() > ONE_TIME_BYTES => return Ok(()),
            Fault::OverIsTaken if held.is_some() => {
                return Err(BackendError::new(ErrorKind::AlreadyExists(Taken::OneTime), "one_time.put"));
            }
            Fault::PutsEarly if free => {
                self.meet().await;
                self.inner.take(&key, now).await?;
            }
            Fault::PutsOver => drop(self.inner.take(&key, now).await?),
            _ => {}
        }
        self.inner.put(&key, &value, until, now).await?;
        self.memo().values.insert(key, (value, until));
        Ok(())
    }

    async fn take(&self, key: &OneTimeKey, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError> {
        let (key, now) = (self.key(key), self.clock(now));
        let held = self.memo().values.get(&key).cloned();
        match (self.fault, held) {
            (Fault::LivesTooLong, _) => self.inner.take(&key, now - TimeDelta::nanoseconds(1)).await,
            (Fault::TakesACopy, Some((value, until))) if now < until => Ok(Some(value)),
            (Fault::TakesEarly, Some((value, until))) if now < until => {
                self.meet().await;
                self.memo().values.remove(&key);
                self.inner.take(&key, now).await?;
                Ok(Some(value))
            }
            _ => {
                self.part();
                self.inner.take(&key, now).await
            }
        }
    }

    async fn purge(&self, now: DateTime<Utc>, limit: NonZeroUsize) -> Result<usize, BackendError> {
        let limit = if self.has(Fault::PurgesAll) { NonZeroUsize::new(PAGE_ITEMS).unwrap() } else { limit };
        self.inner.purge(now, limit).await
    }
}

#[async_trait]
impl AuditLog for Faulty {
    async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
        let mut query = query.clone();
        match self.fault {
            Fault::TrailForwardOnly => query.latest_first = false,
            Fault::TrailOfAll => query.account = None,
            _ => {}
        }
        let mut page = self.inner.events(&query).await?;
        match self.fault {
            Fault::TrailAsWritten => page = Page { items: self.memo().events.clone(), next: None },
            Fault::TrailForgetsTenant => {
                let tenants = self.tenants();
                page.items.clear();
                for tenant in tenants {
                    page.items
                        .extend(self.inner.events(&AuditQuery { tenant, ..query.clone() }).await?.items);
                }
            }
            Fault::TrailGoesOn => page.next = page.items.last().map(|last| Cursor::after(last.id.as_uuid())),
            Fault::LosesChanges => page.items.iter_mut().for_each(|event| event.changes.clear()),
            _ => {}
        }
        Ok(page)
    }

    async fn about(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<About>, BackendError> {
        let mut page = self.inner.about(tenant, after, limit).await?;
        match self.fault {
            Fault::AboutEndsEarly => page.next = None,
            Fault::AboutSomebodyOnly => page.items.retain(|about| about.account.is_some()),
            Fault::AboutForgetsTenant => {
                let others = self.tenants().into_iter().filter(|other| other != tenant);
                for other in others {
                    page.items.extend(self.inner.about(&other, after, limit).await?.items);
                }
            }
            _ => {}
        }
        Ok(page)
    }
}
