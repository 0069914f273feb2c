//! First sign-ins, as a commit and as the bare rows that it stands for.

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    Account, AccountEmail, AccountState, AccountWrite, Actor, AttributeName, AttributeValue, AuditEvent,
    AuditOutcome, Code, Commit, ConnectionId, EmailAddress, EmailTrust, Entitlement, ExternalKey, Grant,
    Issuer, Lane, LinkProof, LinkedIdentity, Mint, Provenance, RuleName, Source, Subject, Task, TaskKind,
    TenantId, UserName,
};
use sha2::{Digest as _, Sha256};

#[derive(Clone)]
pub(crate) struct Rows {
    pub(crate) commit: Commit,
    pub(crate) key: ExternalKey,
    pub(crate) account: uuid::Uuid,
    pub(crate) name: String,
    pub(crate) document: String,
    pub(crate) digest: Vec<u8>,
    pub(crate) roles: Vec<String>,
    pub(crate) event: uuid::Uuid,
    pub(crate) event_document: String,
    pub(crate) task: uuid::Uuid,
    pub(crate) due: i64,
    pub(crate) task_document: String,
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap()
}

/// One identity, an address, a name, five attributes, two roles, one event, one task.
pub(crate) fn rows(number: u64) -> Rows {
    let at = now() + TimeDelta::milliseconds(i64::try_from(number / 8).unwrap());
    let mut mint = Mint::new(at, Sha256::digest(number.to_be_bytes())[..16].try_into().unwrap());
    let tenant = TenantId::new("acme").unwrap();
    let connection = ConnectionId::new("corp").unwrap();
    let given = Provenance {
        source: Source::Connection(connection.clone()),
        rule: Some(RuleName::new("staff").unwrap()),
        claim: Some("groups".into()),
    };
    let key = ExternalKey {
        tenant: tenant.clone(),
        connection: connection.clone(),
        issuer: Issuer::new("https://login.example.com/acme/v2.0").unwrap(),
        subject: Subject::new(format!("248289761001-{number:012}")).unwrap(),
    };
    let mut account = Account::begin(mint.account(), tenant.clone(), AccountState::Active, at);
    let name = format!("person{number}");
    account.user_name = Some(UserName::new(&name).unwrap());
    let address = EmailAddress::new(&format!("{name}@example.com")).unwrap();
    account.email =
        Some(AccountEmail { address, trust: EmailTrust::Authoritative, provenance: given.clone() });
    for attribute in ["given_name", "family_name", "department", "phone", "locale"] {
        let value = AttributeValue {
            text: format!("{attribute} of {number}"),
            provenance: given.clone(),
            searchable: false,
        };
        account.attributes.insert(AttributeName::new(attribute).unwrap(), vec![value]);
    }
    account.identities.push(LinkedIdentity {
        key: key.clone(),
        linked_at: at,
        proof: LinkProof::FirstSignIn,
    });
    for role in ["editor", "viewer"] {
        account.grants.push(Grant {
            id: mint.grant(),
            entitlement: Entitlement::role(role).unwrap(),
            provenance: given.clone(),
            given_at: at,
            ends_at: None,
            end_task: None,
        });
    }
    let event = event(&mut mint, &account, connection);
    let task = Task {
        id: mint.task(),
        tenant: tenant.clone(),
        lane: Lane::new("accounts").unwrap(),
        account: account.id,
        kind: TaskKind::ReviewEnd,
        due: at + TimeDelta::days(90),
    };
    bare(key, name, &account, &event, &task)
}

fn event(mint: &mut Mint, account: &Account, connection: ConnectionId) -> AuditEvent {
    AuditEvent {
        id: mint.event(),
        at: account.created_at,
        tenant: account.tenant.clone(),
        actor: Actor::Connection { id: connection },
        action: Code::new("account.created"),
        account: Some(account.id),
        outcome: AuditOutcome::Done,
        rule: Some(RuleName::new("staff").unwrap()),
        changes: vec!["create account".into(), "grant role:editor".into(), "grant role:viewer".into()],
    }
}

fn bare(key: ExternalKey, name: String, account: &Account, event: &AuditEvent, task: &Task) -> Rows {
    let mut commit = Commit::new(key.tenant.clone());
    commit.events.push(event.clone());
    commit.tasks.push(task.clone());
    commit.account = Some(AccountWrite::create(account.clone()));
    Rows {
        account: account.id.as_uuid(),
        digest: Sha256::digest(account.lookup_keys().first().unwrap().value.as_bytes()).to_vec(),
        document: serde_json::to_string(account).unwrap(),
        roles: account.grants.iter().map(|grant| grant.entitlement.to_string()).collect(),
        event: event.id.as_uuid(),
        event_document: serde_json::to_string(event).unwrap(),
        task: task.id.as_uuid(),
        due: task.due.timestamp_micros(),
        task_document: serde_json::to_string(task).unwrap(),
        commit,
        key,
        name,
    }
}
