//! What the tests of both stores share.

#[cfg(feature = "sqlite")]
pub(crate) mod folder;
#[cfg(feature = "real-postgres")]
pub(crate) mod proxy;
#[cfg(feature = "real-postgres")]
pub(crate) mod server;

use std::{num::NonZeroUsize, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    Account, AccountEmail, AccountId, AccountState, AccountWrite, Actor, AuditEvent, AuditLog, AuditOutcome,
    AuditQuery, Code, Commit, ConnectionId, EmailAddress, EmailTrust, Entitlement, ErrorKind, ExternalKey,
    Grant, Issuer, Lane, Lease, LinkProof, LinkedIdentity, Mint, Phase, Provenance, RemoteRef, RuleName,
    Source, Store, Subject, TargetId, Task, TaskKind, TenantId, UserName,
};

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn lane() -> Lane {
    Lane::new("accounts").unwrap()
}

pub(crate) fn key(subject: &str) -> ExternalKey {
    ExternalKey {
        tenant: tenant(),
        connection: ConnectionId::new("corp").unwrap(),
        issuer: Issuer::new("https://login.example.com").unwrap(),
        subject: Subject::new(subject).unwrap(),
    }
}

pub(crate) fn mint(number: u64) -> Mint {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&(number << 8).to_le_bytes());
    Mint::new(now() + TimeDelta::milliseconds(i64::try_from(number).unwrap()), seed)
}

/// An account as a first sign-in makes it: one identity, a name, an address, two roles.
pub(crate) fn account(mint: &mut Mint, subject: &str, name: &str) -> Account {
    let mut account = Account::begin(mint.account(), tenant(), AccountState::Active, now());
    let given = Provenance::of(Source::Connection(ConnectionId::new("corp").unwrap()));
    account.user_name = Some(UserName::new(name).unwrap());
    account.email = Some(AccountEmail {
        address: EmailAddress::new(&format!("{name}@example.com")).unwrap(),
        trust: EmailTrust::Authoritative,
        provenance: given.clone(),
    });
    let linked = LinkedIdentity { key: key(subject), linked_at: now(), proof: LinkProof::FirstSignIn };
    account.identities.push(linked);
    for role in ["editor", "viewer"] {
        account.grants.push(Grant {
            id: mint.grant(),
            entitlement: Entitlement::role(role).unwrap(),
            provenance: given.clone(),
            given_at: now(),
            ends_at: None,
            end_task: None,
        });
    }
    account
}

/// A lease in use, of which nothing is under way.
pub(crate) fn lease(holder: AccountId, remote: RemoteRef) -> Lease {
    let (target, role) = (TargetId::new("directory").unwrap(), RuleName::new("admin").unwrap());
    Lease {
        latest: now() + TimeDelta::hours(8),
        phase: Phase::Active { since: now() },
        ..Lease::intended(target, holder, role, remote, now() + TimeDelta::hours(1))
    }
}

/// A first sign-in as the engine commits it, with an event and a task.
pub(crate) fn first_sign_in(number: u64, subject: &str, name: &str) -> Commit {
    let mut mint = mint(number);
    let account = account(&mut mint, subject, name);
    let mut commit = Commit::new(tenant());
    commit.events.push(event(&mut mint, &account));
    commit.tasks.push(Task {
        id: mint.task(),
        tenant: tenant(),
        lane: lane(),
        account: account.id,
        kind: TaskKind::ReviewEnd,
        due: now() + TimeDelta::days(90),
    });
    commit.account = Some(AccountWrite::create(account));
    commit
}

pub(crate) fn event(mint: &mut Mint, account: &Account) -> AuditEvent {
    AuditEvent {
        id: mint.event(),
        at: now(),
        tenant: tenant(),
        actor: Actor::Connection { id: ConnectionId::new("corp").unwrap() },
        action: Code::new("account.created"),
        account: Some(account.id),
        outcome: AuditOutcome::Done,
        rule: None,
        changes: vec!["grant role:editor".into(), "grant role:viewer".into()],
    }
}

/// The outcome of each commit, all of them under way at once.
pub(crate) async fn all_at_once(
    stores: &[Arc<dyn Store>],
    commits: Vec<Commit>,
) -> Vec<Result<(), ErrorKind>> {
    let gate = Arc::new(tokio::sync::Barrier::new(commits.len()));
    let runs: Vec<_> = commits
        .into_iter()
        .zip(stores.iter().cycle().cloned())
        .map(|(commit, store)| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                gate.wait().await;
                store.commit(&commit).await.map_err(|error| error.kind().clone())
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for run in runs {
        outcomes.push(run.await.unwrap());
    }
    outcomes
}

/// How many events the tenant has.
pub(crate) async fn events(store: &dyn AuditLog) -> usize {
    let limit = NonZeroUsize::new(1_000).unwrap();
    let query = AuditQuery { tenant: tenant(), account: None, after: None, latest_first: false, limit };
    store.events(&query).await.unwrap().items.len()
}
