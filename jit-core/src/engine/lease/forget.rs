//! Removing the records of leases that have been over for good for long.
//!
//! A lease is over for good when nothing can come of it any longer that its record is needed for ([`Account::over_since`]). Its
//! id stays taken, so that a request that is repeated with its key after years makes no second account.

use std::{collections::BTreeSet, num::NonZeroUsize};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{
    Jit,
    known::{is_contended, key_in_house, named_by, progress_write},
    outcome::JitError,
    work::{HOLD, WorkReport, after_pause},
};
use crate::{
    Account, AccountId, Actor, AuditEvent, AuditOutcome, BackendError, Claimed, Code, Commit, Document,
    DocumentKey, ErrorKind, Forgotten, Lane, Over, PAGE_ITEMS, Settlement, Store, Taken, Task, TaskId,
    TaskKind, TenantId, Tenants, WorkerId,
};

/// The least time for which records are kept: longer than any call may be on its way, than anybody waits before they repeat a
/// request, and than the absence after which a clock is believed at the start.
pub(in super::super) const SHORTEST: TimeDelta = TimeDelta::days(30);
/// How long it is until a tenant has its next turn, unless more is left.
const EVERY: TimeDelta = TimeDelta::hours(6);
/// The most records that one turn removes.
const MOST: usize = PAGE_ITEMS;
/// How many parts are looked at in a turn, where some of what is over has to stay.
const PARTS: usize = 4;
/// The task of each tenant: every node names the same.
const TURN: Uuid = Uuid::from_u128(0x6a69_7400_0000_8000_8000_0066_6f72_6765);
/// The kind of the document that keeps where the next turn of a tenant begins.
const KIND: &str = "Forgetting";

/// Where a turn goes on, so that what has to stay keeps no other from its turn, however much of it there is: after this one.
/// Behind the last one it begins with the first again.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    #[serde(with = "crate::instant")]
    since: DateTime<Utc>,
    account: AccountId,
}

/// What a turn looked at.
struct Looked {
    forgotten: Vec<Forgotten>,
    /// The last one; `None` where nothing follows it.
    last: Option<Over>,
    count: usize,
}

impl Jit {
    /// Gives each tenant its turn whose turn it is: removes records of leases that have been over for good for longer than they
    /// are kept. Nothing is removed while the clock is in doubt: what it calls old may have ended a minute ago.
    ///
    /// # Cancel safety
    /// The records of a turn are removed together, with what the trail says of it, or none of them.
    pub(in super::super) async fn forget_leases(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let Some(span) = self.parts.keep_ended_for else { return Ok(()) };
        let mut first = None;
        for tenant in self.lending_tenants() {
            // Read for each turn: those before it took their time.
            let reading = self.parts.clock.read();
            let until = reading.now.min(reading.work).checked_sub_signed(span);
            let Some(until) = until.filter(|_| reading.doubt.is_none()) else { break };
            let turn = self.turn_of(store, worker, &tenant, (reading.work, until), report);
            if let Err(error) = turn.await {
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// The tenants that may have leases, as far as this engine knows.
    fn lending_tenants(&self) -> BTreeSet<TenantId> {
        self.parts.targets.values().flat_map(crate::TargetSetup::tended).collect()
    }

    /// Takes the turn of a tenant, if it is due and nobody else does.
    async fn turn_of(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        tenant: &TenantId,
        (now, until): (DateTime<Utc>, DateTime<Utc>),
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let lane = Lane::of_forgetting(tenant);
        if store.next_due(&lane).await?.is_none() {
            make_turn(store, tenant, &lane, now).await?;
        }
        let claimed = store.claim(worker, &lane, &Tenants::All, now, HOLD, NonZeroUsize::MIN).await?;
        for claimed in self.readable(claimed, None, report).await {
            let again = match self.forget_of(store, tenant, until, report).await {
                Ok(is_end) if is_end => now.checked_add_signed(EVERY).unwrap_or(now),
                Ok(_) => now,
                Err(error) => {
                    report.failed += 1;
                    failed_turn(&claimed, &error, now)
                }
            };
            match store.settle(&claimed, Settlement::Again(again)).await {
                // Somebody else has the turn by now.
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                settled => settled?,
            }
        }
        Ok(())
    }

    /// Removes records of a tenant, and tells whether it came to the end of those that are over for long.
    async fn forget_of(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        until: DateTime<Utc>,
        report: &mut WorkReport,
    ) -> Result<bool, JitError> {
        let key = named_by(format!("forgetting\n{tenant}").as_bytes()).and_then(|id| key_in_house(KIND, id));
        let Some(key) = key else { return Ok(true) };
        let kept = store.document(&key).await?;
        let from: Option<Place> = kept.as_ref().and_then(|kept| serde_json::from_str(&kept.body).ok());
        let looked = self.look_through(store, tenant, until, from).await?;
        let (is_end, count) = (looked.last.is_none(), looked.count);
        let forgotten = self.forget(store, tenant, looked.forgotten, until).await?;
        report.forgotten += forgotten;
        let next = match looked.last {
            // Nobody stays before what comes next.
            Some(_) if forgotten == count => from,
            last => last.map(|Over { since, account }| Place { since, account }),
        };
        if next != from {
            self.keep_place(store, key, kept.as_ref(), next).await?;
        }
        Ok(is_end)
    }

    /// Looks at those that come next, and finds which of them may be removed.
    async fn look_through(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        until: DateTime<Utc>,
        from: Option<Place>,
    ) -> Result<Looked, JitError> {
        let last = from.map(|Place { since, account }| Over { since, account });
        let mut looked = Looked { forgotten: Vec::new(), last, count: 0 };
        for _ in 0..PARTS {
            let Some(limit) = NonZeroUsize::new(MOST - looked.forgotten.len()) else { break };
            let part = store.long_over(tenant, until, looked.last, limit).await?;
            for over in &part {
                looked.forgotten.extend(self.may_be_forgotten(store, tenant, over.account, until).await?);
            }
            looked.count += part.len();
            looked.last = part.last().copied().filter(|_| part.len() == limit.get());
            if looked.last.is_none() {
                break;
            }
        }
        Ok(looked)
    }

    /// Removes records, and tells how many.
    async fn forget(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        forgotten: Vec<Forgotten>,
        until: DateTime<Utc>,
    ) -> Result<usize, JitError> {
        let count = forgotten.len();
        if count == 0 {
            return Ok(0);
        }
        let events = vec![self.told(tenant, count, until)];
        let commit = Commit { events, forgotten, ..Commit::new(tenant.clone()) };
        match store.commit(&commit).await {
            Ok(()) => Ok(count),
            // One of them was written since: they are found as they are now when all others had their turn.
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    async fn keep_place(
        &self,
        store: &dyn Store,
        key: DocumentKey,
        kept: Option<&Document>,
        next: Option<Place>,
    ) -> Result<(), JitError> {
        let (Some(house), Ok(body)) = (Self::house_tenant(), serde_json::to_string(&next)) else {
            return Ok(());
        };
        let mut commit = Commit::new(house);
        commit.documents.push(progress_write(key, kept, body, self.parts.clock.now()));
        match store.commit(&commit).await {
            // The claim ran out, and somebody else goes on.
            Err(error) if is_contended(&error) => Ok(()),
            written => Ok(written?),
        }
    }

    /// What is recorded of a turn. The trails of the leases stay.
    fn told(&self, tenant: &TenantId, count: usize, until: DateTime<Utc>) -> AuditEvent {
        let now = self.parts.clock.now();
        let until = until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        AuditEvent {
            id: self.mint(now).event(),
            at: now,
            tenant: tenant.clone(),
            actor: Actor::Clock,
            action: Code::new("lease.forgotten"),
            account: None,
            outcome: AuditOutcome::Done,
            rule: None,
            changes: vec![format!("{count} that were over by {until}")],
        }
    }

    /// Names an account as it is to be removed; `None` where it must stay, or cannot be read, nor what is lent to the account
    /// there: then it keeps no other.
    async fn may_be_forgotten(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: AccountId,
        until: DateTime<Utc>,
    ) -> Result<Option<Forgotten>, JitError> {
        let account = match store.get(tenant, id).await {
            Err(error) if super::bearing::is_corrupt(&error) => return Ok(None),
            read => read?,
        };
        let is_over = |account: &Account| account.over_since().is_some_and(|since| since <= until);
        let Some(account) = account.filter(is_over) else { return Ok(None) };
        let Some(lease) = account.lease.as_deref() else { return Ok(None) };
        match self.is_mentioned(store, &account, lease).await {
            Ok(false) => return Ok(Forgotten::of(&account)),
            Ok(true) => {}
            // What is lent there may speak of it.
            Err(JitError::Backend(error)) if super::bearing::is_corrupt(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        // What is lent to the account there still speaks of it. It is looked at again when it has been kept for as long once
        // more, so that it stands in no other's way.
        let put_off = self.note(store, &account, lease.clone(), "lease.still_counted", Actor::Clock);
        match put_off.await {
            Err(error) if *error.kind() == ErrorKind::Conflict => {}
            noted => drop(noted?),
        }
        Ok(None)
    }
}

/// Makes the one task by which the turns of a tenant are taken.
async fn make_turn(
    store: &dyn Store,
    tenant: &TenantId,
    lane: &Lane,
    due: DateTime<Utc>,
) -> Result<(), BackendError> {
    let mut commit = Commit::new(tenant.clone());
    let (id, account) = (TaskId::from_uuid(TURN), AccountId::from_uuid(Uuid::nil()));
    let (tenant, lane) = (tenant.clone(), lane.clone());
    commit.tasks.push(Task { id, tenant, lane, account, kind: TaskKind::ForgetLeases, due });
    match store.commit(&commit).await {
        // Another node was quicker.
        Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Task) => Ok(()),
        made => made,
    }
}

fn failed_turn(claimed: &Claimed, error: &JitError, now: DateTime<Utc>) -> DateTime<Utc> {
    tracing::warn!(tenant = %claimed.task.tenant, code = %error.code(), "records of ended leases were not removed");
    after_pause(claimed, now)
}
