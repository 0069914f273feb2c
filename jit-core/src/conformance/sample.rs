//! Accounts, tasks and events to check with.

use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};

use super::Failure;
use crate::{
    Account, AccountEmail, AccountId, AccountState, AccountWrite, Actor, AttributeName, AttributeValue,
    AuditEvent, AuditOutcome, AuditQuery, Code, Commit, ConnectionId, CounterChange, CounterName, Cursor,
    DocumentId, EmailAddress, EmailTrust, EndReason, EventId, ExternalKey, Filter, Grant, Issuer, Lane,
    Lease, LinkProof, LinkedIdentity, MarkerKey, Mint, Phase, Provenance, Query, RemoteRef, RuleName, Source,
    Store, Subject, TargetId, Task, TaskId, TaskKind, TenantId, UserName,
};

pub(super) type Made<T> = Result<T, Failure>;

/// The instant this many seconds after the sample time begins.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default() + TimeDelta::seconds(seconds)
}

pub(super) fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// Makes what belongs to one tenant. Worlds of different names mint different ids.
pub(super) struct World {
    pub(super) tenant: TenantId,
    mint: Mint,
}

impl World {
    pub(super) fn new(tenant: &str) -> Made<Self> {
        let mut seed = [0; 16];
        // The upper half of the random bits tells worlds apart, the lower one counts up.
        for (to, from) in seed.iter_mut().skip(4).zip(tenant.bytes()) {
            *to = from;
        }
        Ok(Self { tenant: TenantId::new(tenant)?, mint: Mint::new(at(0), seed) })
    }

    pub(super) fn account(&mut self) -> Account {
        Account::begin(self.mint.account(), self.tenant.clone(), AccountState::Active, at(0))
    }

    pub(super) fn document_id(&mut self) -> DocumentId {
        self.mint.document()
    }

    pub(super) fn key(&self, subject: &str) -> Made<ExternalKey> {
        Ok(ExternalKey {
            tenant: self.tenant.clone(),
            connection: ConnectionId::new("main")?,
            issuer: Issuer::new("https://idp.example")?,
            subject: Subject::new(subject)?,
        })
    }

    /// An account that keeps a lease which may be in its target.
    pub(super) fn lease(&mut self) -> Made<Account> {
        let (mut account, holder) = (self.account(), self.mint.account());
        let marker = MarkerKey::new("sample", &[5; 32])?.mark(&self.tenant, account.id);
        let name = "jit-sample".to_owned();
        account.ends_at = Some(at(60));
        let remote = RemoteRef { name, place: None, marker, native: None, home: None };
        let lease =
            Lease::intended(TargetId::new("directory")?, holder, RuleName::new("admin")?, remote, at(60));
        account.lease = Some(Box::new(Lease { phase: Phase::Active { since: at(0) }, ..lease }));
        Ok(account)
    }

    /// An account that this subject may sign in to.
    pub(super) fn person(&mut self, subject: &str) -> Made<Account> {
        let key = self.key(subject)?;
        Ok(self.account().linked(key))
    }

    pub(super) fn grant(&mut self, entitlement: &str) -> Made<Grant> {
        let provenance = Provenance::of(Source::Connection(ConnectionId::new("main")?));
        Ok(Grant::new(self.mint.grant(), entitlement.parse()?, provenance, at(0)))
    }

    pub(super) fn task(&mut self, lane: &str, due: DateTime<Utc>) -> Made<Task> {
        Ok(Task {
            id: self.mint.task(),
            tenant: self.tenant.clone(),
            lane: Lane::new(lane)?,
            account: self.mint.account(),
            kind: TaskKind::ReviewEnd,
            due,
        })
    }

    pub(super) fn event(&mut self, account: Option<AccountId>) -> AuditEvent {
        AuditEvent {
            id: self.mint.event(),
            at: at(0),
            tenant: self.tenant.clone(),
            actor: Actor::Clock,
            action: Code::new("account.updated"),
            account,
            outcome: AuditOutcome::Done,
            rule: None,
            changes: Vec::new(),
        }
    }

    pub(super) fn commit(&self) -> Commit {
        Commit::new(self.tenant.clone())
    }

    pub(super) fn creation(&self, account: &Account) -> Commit {
        Commit { account: Some(AccountWrite::create(account.clone())), ..self.commit() }
    }

    pub(super) fn revision(&self, before: &Account, after: &Account) -> Commit {
        Commit { account: Some(AccountWrite::update(before, after.clone())), ..self.commit() }
    }

    pub(super) fn count(&self, name: &CounterName, by: i64, bounds: (Option<i64>, Option<i64>)) -> Commit {
        let change = CounterChange { name: name.clone(), by, at_least: bounds.0, at_most: bounds.1 };
        Commit { counters: vec![change], ..self.commit() }
    }

    pub(super) fn query(&self, filter: Filter, after: Option<Cursor>, limit: usize) -> Query {
        Query { tenant: self.tenant.clone(), filter, after, limit: count(limit) }
    }

    pub(super) fn trail(&self) -> AuditQuery {
        AuditQuery {
            tenant: self.tenant.clone(),
            account: None,
            after: None,
            latest_first: false,
            limit: count(100),
        }
    }

    /// Writes a new account and returns it as it must be stored.
    pub(super) async fn create(&self, store: &dyn Store, account: Account) -> Made<Account> {
        store.commit(&self.creation(&account)).await?;
        Ok(Account { version: 1, ..account })
    }

    /// Writes a change and returns the account as it must be stored.
    pub(super) async fn update(&self, store: &dyn Store, before: &Account, after: Account) -> Made<Account> {
        store.commit(&self.revision(before, &after)).await?;
        Ok(Account { version: before.version + 1, ..after })
    }

    /// Reads where a counter stands, by asking which value it may stay at.
    pub(super) async fn counter_is(&self, store: &dyn Store, name: &CounterName, value: i64) -> bool {
        store.commit(&self.count(name, 0, (Some(value), Some(value)))).await.is_ok()
    }

    /// The ids of the events that are recorded.
    pub(super) async fn recorded(&self, store: &dyn Store) -> Made<Vec<EventId>> {
        Ok(store.events(&self.trail()).await?.items.into_iter().map(|event| event.id).collect())
    }
}

/// Puts tasks into the queue.
pub(super) async fn put_tasks(store: &dyn Store, world: &World, tasks: &[&Task]) -> Made<()> {
    let tasks = tasks.iter().copied().cloned().collect();
    Ok(store.commit(&Commit { tasks, ..world.commit() }).await?)
}

/// Withdraws a task.
pub(super) async fn withdraw(store: &dyn Store, world: &World, id: TaskId) -> Made<()> {
    Ok(store.commit(&Commit { withdrawn: vec![id], ..world.commit() }).await?)
}

/// Dresses an account up.
pub(super) trait Dressed: Sized {
    /// Links an identity.
    fn linked(self, key: ExternalKey) -> Self;
    /// Gives a user name.
    fn called(self, name: &str) -> Made<Self>;
    /// Gives an e-mail address.
    fn mailed(self, address: &str) -> Made<Self>;
    /// Adds a searchable attribute value.
    fn tagged(self, name: &str, value: &str) -> Made<Self>;
    /// Adds a grant.
    fn holding(self, grant: Grant) -> Self;
    /// Ends it.
    fn ended(self) -> Self;
    /// Ends the lease that it keeps.
    fn gone(self, why: EndReason, seconds: i64) -> Self;
}

impl Dressed for Account {
    fn linked(mut self, key: ExternalKey) -> Self {
        self.identities.push(LinkedIdentity { key, linked_at: at(0), proof: LinkProof::FirstSignIn });
        self
    }

    fn called(mut self, name: &str) -> Made<Self> {
        self.user_name = Some(UserName::new(name)?);
        Ok(self)
    }

    fn mailed(mut self, address: &str) -> Made<Self> {
        let address = EmailAddress::new(address)?;
        let provenance = Provenance::of(Source::Person);
        self.email = Some(AccountEmail { address, trust: EmailTrust::Asserted, provenance });
        Ok(self)
    }

    fn tagged(mut self, name: &str, value: &str) -> Made<Self> {
        let value = AttributeValue {
            text: value.to_owned(),
            provenance: Provenance::of(Source::Administrator),
            searchable: true,
        };
        self.attributes.entry(AttributeName::new(name)?).or_default().push(value);
        Ok(self)
    }

    fn holding(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    fn ended(mut self) -> Self {
        self.state = AccountState::Ended { reason: Code::new("account.deleted"), since: at(1) };
        self
    }

    fn gone(mut self, why: EndReason, seconds: i64) -> Self {
        self.state = AccountState::Ended { reason: Code::new("lease.over"), since: at(seconds) };
        self.updated_at = at(seconds);
        if let Some(lease) = &mut self.lease {
            lease.phase = Phase::Gone { since: at(seconds), why };
        }
        self
    }
}
