//! Makes each call on both and compares the answers.

use std::{collections::BTreeSet, fmt::Debug};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::calls::{Call, Looks, Parts, What, Who};
use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, same},
    sample::{Dressed, Made, at, count},
};
use crate::{
    Account, AccountId, AccountState, AccountWrite, Actor, AuditEvent, AuditOutcome, AuditQuery,
    BackendError, Claimed, Code, Commit, ConnectionId, CounterChange, CounterName, EventId, ExternalKey,
    Filter, Grant, GrantId, Issuer, Lane, LookupKey, Matches, MemoryStore, OneTimeKey, Page, Provenance,
    Query, Seen, Settlement, Source, Store, Subject, Task, TaskId, TaskKind, TaskQueue as _, TenantId,
    Tenants, UserStore as _,
};

pub(super) struct Player<'a> {
    nodes: &'a Nodes,
    pub(super) model: &'a MemoryStore,
    /// Tells the names of this sequence from those of others.
    number: u64,
    now: DateTime<Utc>,
    claims: Vec<Claimed>,
}

pub(super) async fn play(
    nodes: &Nodes,
    model: &MemoryStore,
    number: u64,
    calls: &[Call],
) -> Result<(), Failure> {
    let mut player = Player { nodes, model, number, now: at(0), claims: Vec::new() };
    for call in calls {
        player.now += TimeDelta::seconds(call.later);
        player.make(call).await?;
    }
    player.look_around().await
}

impl Player<'_> {
    async fn make(&mut self, call: &Call) -> Result<(), Failure> {
        let store = self.nodes.of(call.node);
        let store = store.as_ref();
        match &call.what {
            What::Create { who, looks, parts } => {
                let account = AccountWrite::create(self.account(*who, looks)?);
                self.commit_parts(store, who.0, Some(account), parts).await
            }
            What::Update { who, stale, looks, parts } => self.update(store, *who, *stale, looks, parts).await,
            What::Commit { tenant, parts } => self.commit_parts(store, *tenant, None, parts).await,
            What::Touch { seen } => {
                let seen: Vec<Seen> =
                    seen.iter().map(|(who, seconds)| self.seen(*who, *seconds)).collect::<Made<_>>()?;
                agree("touch", store.touch(&seen).await, self.model.touch(&seen).await)
            }
            What::Read { who } => {
                let (tenant, id) = (self.tenant(who.0)?, self.id(*who));
                agree("get", store.get(&tenant, id).await, self.model.get(&tenant, id).await)
            }
            What::Find { tenant, subject } => {
                let key = self.key(*tenant, *subject)?;
                agree("find", store.find(&key).await, self.model.find(&key).await)
            }
            What::Named { tenant, name } => {
                let (tenant, key) = (self.tenant(*tenant)?, format!("name{name}"));
                agree("named", store.named(&tenant, &key).await, self.model.named(&tenant, &key).await)
            }
            What::Matching { tenant, value } => self.matching(store, *tenant, *value).await,
            What::List { tenant, filter, limit } => self.list(store, *tenant, *filter, *limit).await,
            What::Events { tenant, account, latest_first, limit } => {
                self.events(store, *tenant, *account, *latest_first, *limit).await
            }
            what => self.make_other(store, what).await,
        }
    }

    async fn make_other(&mut self, store: &dyn Store, what: &What) -> Result<(), Failure> {
        match *what {
            What::Claim { lane, tenants, hold, limit } => {
                let (lane, hold, worker) = (self.lane(lane)?, TimeDelta::seconds(hold), "worker".parse()?);
                // None, each of two, both of them, and all but for these; or whoever there is.
                let named = (0..2).filter(|tenant| tenants & (1 << tenant) != 0);
                let named = named.map(|tenant| self.tenant(tenant)).collect::<Made<BTreeSet<_>>>()?;
                let tenants = &match tenants {
                    0..4 => Tenants::These(named),
                    4..8 => Tenants::AllBut(named),
                    _ => Tenants::All,
                };
                let got = store.claim(&worker, &lane, tenants, self.now, hold, count(limit)).await;
                let want = self.model.claim(&worker, &lane, tenants, self.now, hold, count(limit)).await;
                self.claims.extend(want.iter().flatten().cloned());
                agree("claim", got, want)
            }
            What::Settle { claim, again } => {
                let Some(claimed) = claim.checked_rem(self.claims.len()).and_then(|at| self.claims.get(at))
                else {
                    return Ok(());
                };
                let put_off = |seconds| Settlement::Again(self.now + TimeDelta::seconds(seconds));
                let outcome = again.map_or(Settlement::Done, put_off);
                agree(
                    "settle",
                    store.settle(claimed, outcome).await,
                    self.model.settle(claimed, outcome).await,
                )
            }
            What::NextDue { lane } => {
                let lane = self.lane(lane)?;
                agree("next_due", store.next_due(&lane).await, self.model.next_due(&lane).await)
            }
            _ => self.make_one_time(store, what).await,
        }
    }

    async fn make_one_time(&self, store: &dyn Store, what: &What) -> Result<(), Failure> {
        use crate::OneTime as _;
        match *what {
            What::Put { tenant, key, size, lives } => {
                let (key, value) = (self.one_time(tenant, key)?, vec![0xc3; size]);
                let until = self.now + TimeDelta::seconds(lives);
                let got = store.put(&key, &value, until, self.now).await;
                agree("put", got, self.model.put(&key, &value, until, self.now).await)
            }
            What::Take { tenant, key } => {
                let key = self.one_time(tenant, key)?;
                agree("take", store.take(&key, self.now).await, self.model.take(&key, self.now).await)
            }
            What::Purge { limit } => {
                // How many are left over from before is each backend's own matter.
                let purged = store.purge(self.now, count(limit)).await?;
                self.model.purge(self.now, count(limit)).await?;
                ensure(purged <= limit, "a purge removed more than asked")
            }
            _ => Ok(()),
        }
    }

    /// Compares everything that can be seen at the end of a sequence.
    async fn look_around(&self) -> Result<(), Failure> {
        let store = self.nodes.two();
        for tenant in 0..2 {
            for filter in 0..5 {
                self.list(store, tenant, filter, 100).await?;
            }
            for subject in 0..4 {
                let key = self.key(tenant, subject)?;
                agree("find", store.find(&key).await, self.model.find(&key).await)?;
            }
            for value in 0..6 {
                self.matching(store, tenant, value).await?;
            }
            for latest_first in [false, true] {
                self.events(store, tenant, None, latest_first, 100).await?;
            }
            self.look_at_documents(store, tenant).await?;
            self.counters(store, tenant).await?;
        }
        for lane in [self.lane(0)?, self.lane(1)?] {
            agree("next_due", store.next_due(&lane).await, self.model.next_due(&lane).await)?;
        }
        Ok(())
    }

    async fn counters(&self, store: &dyn Store, tenant: u8) -> Result<(), Failure> {
        for (name, value) in [0, 1].into_iter().flat_map(|name| (-30..=30).map(move |value| (name, value))) {
            let bounds = (Some(value), Some(value));
            let change = CounterChange { name: counter(name)?, by: 0, at_least: bounds.0, at_most: bounds.1 };
            let commit = Commit { counters: vec![change], ..Commit::new(self.tenant(tenant)?) };
            if self.model.refusals(&commit).is_empty() {
                return self.commit(store, commit).await;
            }
        }
        Ok(())
    }

    async fn update(
        &self,
        store: &dyn Store,
        who: Who,
        stale: bool,
        looks: &Looks,
        parts: &Parts,
    ) -> Result<(), Failure> {
        let stored = self.model.get(&self.tenant(who.0)?, self.id(who)).await?;
        let known = stored.is_some();
        let mut before = stored.map_or_else(|| self.account(who, looks), Ok)?;
        if stale && known {
            before.version = before.version.saturating_sub(1).max(1);
        }
        let write = AccountWrite::update(&before, self.account(who, looks)?);
        self.commit_parts(store, who.0, Some(write), parts).await
    }

    async fn commit_parts(
        &self,
        store: &dyn Store,
        tenant: u8,
        account: Option<AccountWrite>,
        parts: &Parts,
    ) -> Result<(), Failure> {
        let documents = self.document_writes(tenant, &parts.documents).await?;
        self.commit(store, Commit { documents, ..self.with_parts(tenant, account, parts)? }).await
    }

    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<(), Failure> {
        let reasons = self.model.refusals(&commit);
        match store.commit(&commit).await {
            Ok(()) if reasons.is_empty() => Ok(self.model.commit(&commit).await?),
            Ok(()) => Err(Failure::new(format!("commit: accepted, though {reasons:?}"))),
            Err(error) if reasons.contains(error.kind()) => Ok(()),
            Err(error) if reasons.is_empty() => Err(error.into()),
            Err(error) => Err(Failure::new(format!("commit: {:?} is none of {reasons:?}", error.kind()))),
        }
    }

    async fn matching(&self, store: &dyn Store, tenant: u8, value: u8) -> Result<(), Failure> {
        let tenant = self.tenant(tenant)?;
        let key = match value {
            0..3 => LookupKey { kind: "email".into(), value: format!("mail{value}@example.com") },
            _ => LookupKey { kind: "attribute:badge".into(), value: format!("Badge {}", value - 3) },
        };
        let (got, want) = (store.matching(&tenant, &key).await, self.model.matching(&tenant, &key).await);
        let opened = |answer: Result<Matches, BackendError>| {
            answer.map(|matches| match matches {
                Matches::None => (0, None),
                Matches::One(account) => (1, Some(*account)),
                Matches::Several => (2, None),
            })
        };
        agree("matching", opened(got), opened(want))
    }

    async fn list(&self, store: &dyn Store, tenant: u8, filter: u8, limit: usize) -> Result<(), Failure> {
        let filter = match filter {
            0 => Filter::All,
            1 => Filter::State("active"),
            2 => Filter::State("invited"),
            3 => Filter::Bearing(LookupKey { kind: "email".into(), value: "mail1@example.com".into() }),
            4 => Filter::Bearing(LookupKey { kind: "attribute:badge".into(), value: "Badge 0".into() }),
            held => Filter::Holding(format!("role:r{}", held - 5).parse()?),
        };
        let mut query = Query { tenant: self.tenant(tenant)?, filter, after: None, limit: count(limit) };
        for _ in 0..10 {
            let (got, want) = (store.list(&query).await?, self.model.list(&query).await?);
            agree_on_page("list", &got, &want)?;
            query.after = want.next;
            if query.after.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn events(
        &self,
        store: &dyn Store,
        tenant: u8,
        account: Option<u8>,
        latest_first: bool,
        limit: usize,
    ) -> Result<(), Failure> {
        use crate::AuditLog as _;
        let account = account.map(|number| self.id((tenant, number)));
        let tenant = self.tenant(tenant)?;
        let mut query = AuditQuery { tenant, account, after: None, latest_first, limit: count(limit) };
        for _ in 0..20 {
            let (got, want) = (store.events(&query).await?, self.model.events(&query).await?);
            same(&got, &want, "events")?;
            query.after = want.next;
            if query.after.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// What the numbers in a call stand for.
impl Player<'_> {
    pub(super) fn uuid(&self, kind: u8, tenant: u8, number: u8) -> Uuid {
        let low = u128::from(kind) << 16 | u128::from(tenant) << 8 | u128::from(number);
        Uuid::from_u128(u128::from(self.number) << 64 | low)
    }

    fn id(&self, who: Who) -> AccountId {
        AccountId::from_uuid(self.uuid(1, who.0, who.1))
    }

    pub(super) fn tenant(&self, tenant: u8) -> Made<TenantId> {
        Ok(TenantId::new(format!("t{}-{tenant}", self.number))?)
    }

    fn lane(&self, lane: u8) -> Made<Lane> {
        Ok(Lane::new(format!("lane{}-{lane}", self.number))?)
    }

    fn key(&self, tenant: u8, subject: u8) -> Made<ExternalKey> {
        // Two that differ in case, and two that differ in a blank at the end.
        let subject = ["anna", "Anna", "bert", "bert "].get(usize::from(subject)).copied().unwrap_or("carl");
        Ok(ExternalKey {
            tenant: self.tenant(tenant)?,
            connection: ConnectionId::new("main")?,
            issuer: Issuer::new("https://idp.example")?,
            subject: Subject::new(subject)?,
        })
    }

    fn one_time(&self, tenant: u8, key: u8) -> Made<OneTimeKey> {
        Ok(OneTimeKey::new(self.tenant(tenant)?, "model", &[&[key]]))
    }

    fn seen(&self, who: Who, seconds: i64) -> Made<Seen> {
        Ok(Seen { tenant: self.tenant(who.0)?, account: self.id(who), at: at(seconds) })
    }

    fn account(&self, who: Who, looks: &Looks) -> Made<Account> {
        let state = if looks.state == 0 { AccountState::Invited } else { AccountState::Active };
        let mut account = Account::begin(self.id(who), self.tenant(who.0)?, state, at(0));
        for subject in (0..4).filter(|subject| looks.subjects & (1 << subject) != 0) {
            account = account.linked(self.key(who.0, subject)?);
        }
        if let Some(name) = looks.name {
            account = account.called(&format!("Name{name}"))?;
        }
        if let Some(email) = looks.email {
            account = account.mailed(&format!("Mail{email}@example.com"))?;
        }
        for badge in &looks.badges {
            account = account.tagged("badge", &format!("Badge {badge}"))?;
        }
        for (held, nth) in looks.grants.iter().zip(0..) {
            let (id, entitlement) =
                (GrantId::from_uuid(self.uuid(4, who.0, nth)), format!("role:r{held}").parse()?);
            account.grants.push(Grant::new(id, entitlement, Provenance::of(Source::Administrator), at(0)));
        }
        account.last_seen = looks.last_seen.map(at);
        Ok(account)
    }

    fn with_parts(&self, tenant: u8, account: Option<AccountWrite>, parts: &Parts) -> Made<Commit> {
        let own = self.tenant(tenant)?;
        let other = self.tenant(1 - tenant)?;
        let of = |part: u8| if parts.foreign == part { other.clone() } else { own.clone() };
        let mut commit = Commit { account, ..Commit::new(of(3)) };
        for (id, lane, due) in &parts.tasks {
            commit.tasks.push(Task {
                id: TaskId::from_uuid(self.uuid(2, tenant, *id)),
                tenant: of(1),
                lane: self.lane(*lane)?,
                account: self.id((tenant, 0)),
                kind: TaskKind::ReviewEnd,
                due: at(*due),
            });
        }
        let withdrawn = parts.withdrawn.iter().map(|id| TaskId::from_uuid(self.uuid(2, tenant, *id)));
        commit.withdrawn.extend(withdrawn);
        for (id, account) in &parts.events {
            commit.events.push(AuditEvent {
                id: EventId::from_uuid(self.uuid(3, tenant, *id)),
                at: self.now,
                tenant: of(2),
                actor: Actor::Clock,
                action: Code::new("model.played"),
                account: account.map(|number| self.id((tenant, number))),
                outcome: AuditOutcome::Done,
                rule: None,
                changes: Vec::new(),
            });
        }
        for (name, by, at_least, at_most) in &parts.counters {
            let (at_least, at_most) = (*at_least, *at_most);
            commit.counters.push(CounterChange { name: counter(*name)?, by: *by, at_least, at_most });
        }
        Ok(commit)
    }
}

fn counter(name: u8) -> Made<CounterName> {
    Ok(if name == 0 { CounterName::seats() } else { CounterName::holders(&"role:r0".parse()?) })
}

/// Asks whether two answers are the same: the same value, or refused for the same reason.
#[track_caller]
pub(super) fn agree<T: PartialEq + Debug>(
    call: &str,
    got: Result<T, BackendError>,
    want: Result<T, BackendError>,
) -> Result<(), Failure> {
    let kind = |error: BackendError| error.kind().clone();
    let (got, want) = (got.map_err(kind), want.map_err(kind));
    same(&got, &want, call)
}

#[track_caller]
fn agree_on_page(call: &str, got: &Page<Account>, want: &Page<Account>) -> Result<(), Failure> {
    same(&got.next, &want.next, call)?;
    same(&got.items, &want.items, call)
}
