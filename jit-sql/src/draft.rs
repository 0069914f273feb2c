//! A commit in the form in which databases take it: flat rows, texts and numbers, documents written out.
//!
//! Made by the caller's task, so that neither the writer thread nor the server spends time on it. Its serde form is the
//! parameter of the PostgreSQL statement.

use chrono::{DateTime, Utc};
use jit_core::{
    AccountId, AccountWrite, AuditEvent, BackendError, Commit, CounterChange, CounterName, ErrorKind,
    ExternalKey, Forgotten, LookupKey, Task, TenantId,
};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{kept::KeptDraft, migration::hexadecimal};

/// The most counters that one commit may move: PostgreSQL names the one that refuses by a constraint of its own.
pub(crate) const COUNTERS: usize = 64;

pub(crate) const COMMIT: &str = "users.commit";

#[derive(Debug, Serialize)]
pub(crate) struct Draft {
    pub(crate) tenant: TenantId,
    #[serde(flatten)]
    pub(crate) account: Option<AccountDraft>,
    #[serde(flatten)]
    pub(crate) kept: Option<KeptDraft>,
    pub(crate) tasks: Vec<TaskDraft>,
    pub(crate) withdrawn: Vec<Uuid>,
    pub(crate) events: Vec<EventDraft>,
    /// In the order of their names, so that commits lock them in one order.
    pub(crate) counters: Vec<CounterDraft>,
    /// Accounts that are removed: only their ids stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) forgotten: Vec<ForgottenDraft>,
}

#[derive(Debug, Serialize)]
pub(crate) struct AccountDraft {
    pub(crate) id: Uuid,
    pub(crate) expected: Option<i64>,
    pub(crate) version: i64,
    pub(crate) state: &'static str,
    /// Whether state and user name stay as they are.
    #[serde(skip)]
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only SQLite is told"))]
    pub(crate) keeps_state_and_name: bool,
    pub(crate) user_name_key: Option<String>,
    pub(crate) ends_at: Option<i64>,
    pub(crate) last_seen: Option<i64>,
    /// The latest use that may be stored.
    pub(crate) unused_since: Option<i64>,
    pub(crate) document: String,
    pub(crate) identities_added: Vec<IdentityDraft>,
    pub(crate) identities_removed: Vec<IdentityDraft>,
    pub(crate) lookups_added: Vec<LookupDraft>,
    pub(crate) lookups_removed: Vec<LookupDraft>,
    pub(crate) entitlements_added: Vec<String>,
    pub(crate) entitlements_removed: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IdentityDraft {
    pub(crate) connection: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

#[derive(Clone, Debug)]
pub(crate) struct LookupDraft {
    pub(crate) kind: String,
    pub(crate) digest: [u8; 32],
}

#[derive(Debug)]
pub(crate) struct TaskDraft {
    pub(crate) id: Uuid,
    pub(crate) lane: String,
    pub(crate) account: Uuid,
    pub(crate) due: i64,
    pub(crate) document: String,
}

#[derive(Debug)]
pub(crate) struct EventDraft {
    pub(crate) id: Uuid,
    pub(crate) account: Option<Uuid>,
    pub(crate) at: i64,
    pub(crate) document: String,
}

#[derive(Debug)]
pub(crate) struct ForgottenDraft {
    pub(crate) id: Uuid,
    pub(crate) expected: i64,
    /// Its only lookup key.
    pub(crate) key: LookupDraft,
}

#[derive(Clone, Debug)]
pub(crate) struct CounterDraft {
    pub(crate) name: CounterName,
    pub(crate) step: i64,
    pub(crate) at_least: Option<i64>,
    pub(crate) at_most: Option<i64>,
}

impl Draft {
    /// Refuses what is wrong in itself and writes the rest out.
    pub(crate) fn of(commit: &Commit) -> Result<Self, BackendError> {
        commit.check()?;
        if commit.counters.len() > COUNTERS {
            return Err(invalid("a commit moves more than 64 counters"));
        }
        Ok(Self {
            tenant: commit.tenant.clone(),
            account: commit.account.as_ref().map(AccountDraft::of).transpose()?,
            kept: KeptDraft::of(commit)?,
            tasks: commit.tasks.iter().map(TaskDraft::of).collect::<Result<_, _>>()?,
            withdrawn: commit.withdrawn.iter().map(|id| id.as_uuid()).collect(),
            events: commit.events.iter().map(EventDraft::of).collect::<Result<_, _>>()?,
            counters: counters(&commit.counters),
            forgotten: forgotten(&commit.forgotten)?,
        })
    }
}

impl AccountDraft {
    fn of(write: &AccountWrite) -> Result<Self, BackendError> {
        let (after, keys) = (write.after(), write.keys());
        Ok(Self {
            id: after.id.as_uuid(),
            expected: write.expected().map(number).transpose()?,
            version: number(after.version)?,
            state: after.state.word(),
            keeps_state_and_name: write.keeps_state_and_name(),
            user_name_key: after.user_name.as_ref().map(|name| name.key().to_owned()),
            ends_at: after.ends_at.map(micros),
            last_seen: after.last_seen.map(micros),
            unused_since: write.unused_since().map(micros),
            document: document(after, 2_048)?,
            identities_added: identities(&keys.identities_added),
            identities_removed: identities(&keys.identities_removed),
            lookups_added: keys.lookups_added.iter().map(LookupDraft::of).collect(),
            lookups_removed: keys.lookups_removed.iter().map(LookupDraft::of).collect(),
            entitlements_added: keys.entitlements_added.iter().map(ToString::to_string).collect(),
            entitlements_removed: keys.entitlements_removed.iter().map(ToString::to_string).collect(),
        })
    }
}

impl LookupDraft {
    pub(crate) fn of(key: &LookupKey) -> Self {
        let digest = match key.over_instant() {
            Some(at) => in_order(at),
            None => Sha256::digest(key.value.as_bytes()).into(),
        };
        Self { kind: key.kind.clone(), digest }
    }
}

/// An instant so that the order of the bytes is that of the instants, as long as a digest. What was before 1970 counts as
/// that.
pub(crate) fn in_order(at: DateTime<Utc>) -> [u8; 32] {
    let micros = u64::try_from(micros(at)).unwrap_or(0).to_be_bytes();
    let mut digest = [0; 32];
    for (to, from) in digest.iter_mut().zip(micros) {
        *to = from;
    }
    digest
}

/// The instant of such bytes.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn instant_in_order(digest: &[u8]) -> Option<DateTime<Utc>> {
    let micros = u64::from_be_bytes(*digest.first_chunk()?);
    DateTime::from_timestamp_micros(i64::try_from(micros).ok()?)
}

impl TaskDraft {
    fn of(task: &Task) -> Result<Self, BackendError> {
        Ok(Self {
            id: task.id.as_uuid(),
            lane: task.lane.to_string(),
            account: task.account.as_uuid(),
            due: micros(task.due),
            document: document(task, 256)?,
        })
    }
}

impl EventDraft {
    fn of(event: &AuditEvent) -> Result<Self, BackendError> {
        Ok(Self {
            id: event.id.as_uuid(),
            account: event.account.map(AccountId::as_uuid),
            at: micros(event.at),
            document: document(event, 512)?,
        })
    }
}

impl CounterDraft {
    /// Tells whether the counter may arrive there.
    #[cfg(feature = "sqlite")]
    pub(crate) fn allows(&self, value: i64) -> bool {
        self.at_least.is_none_or(|least| value >= least) && self.at_most.is_none_or(|most| value <= most)
    }
}

/// In one order in every commit, so that two of them cannot wait for each other.
fn identities(keys: &[ExternalKey]) -> Vec<IdentityDraft> {
    let draft = |key: &ExternalKey| IdentityDraft {
        connection: key.connection.to_string(),
        issuer: key.issuer.to_string(),
        subject: key.subject.to_string(),
    };
    let mut drafts: Vec<_> = keys.iter().map(draft).collect();
    drafts.sort();
    drafts
}

fn counters(changes: &[CounterChange]) -> Vec<CounterDraft> {
    let mut changes: Vec<_> = changes.iter().collect();
    changes.sort_by_key(|change| &change.name);
    let draft = |change: &CounterChange| CounterDraft {
        name: change.name.clone(),
        step: change.by,
        at_least: change.at_least,
        at_most: change.at_most,
    };
    changes.into_iter().map(draft).collect()
}

/// In one order in every commit, as counters.
fn forgotten(accounts: &[Forgotten]) -> Result<Vec<ForgottenDraft>, BackendError> {
    let draft = |account: &Forgotten| {
        let (id, key) = (account.account().as_uuid(), LookupDraft::of(account.key()));
        Ok(ForgottenDraft { id, expected: number(account.version())?, key })
    };
    let mut drafts: Vec<_> = accounts.iter().map(draft).collect::<Result<_, BackendError>>()?;
    drafts.sort_by_key(|draft| draft.id);
    Ok(drafts)
}

/// An instant as whole microseconds, which every instant that chrono can hold fits.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

pub(crate) fn number(version: u64) -> Result<i64, BackendError> {
    i64::try_from(version).map_err(|_| invalid("a version is too large"))
}

fn document(of: &impl Serialize, about: usize) -> Result<String, BackendError> {
    let mut text = Vec::with_capacity(about);
    serde_json::to_writer(&mut text, of).map_err(|_| invalid("a part cannot be written as JSON"))?;
    String::from_utf8(text).map_err(|_| invalid("a part cannot be written as JSON"))
}

pub(crate) fn invalid(why: &'static str) -> BackendError {
    BackendError::new(ErrorKind::Invalid, COMMIT).caused_by(why)
}

// Rows travel as lists: the server takes columns out by place, which costs it less than by name.

impl Serialize for IdentityDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.connection, &self.issuer, &self.subject).serialize(serializer)
    }
}

impl Serialize for LookupDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.kind, hexadecimal(&self.digest)).serialize(serializer)
    }
}

impl Serialize for TaskDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.id, &self.lane, self.account, self.due, &self.document).serialize(serializer)
    }
}

impl Serialize for EventDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.id, self.account, self.at, &self.document).serialize(serializer)
    }
}

impl Serialize for ForgottenDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.id, self.expected, &self.key.kind, hexadecimal(&self.key.digest)).serialize(serializer)
    }
}

impl Serialize for CounterDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.name, self.step, self.at_least, self.at_most).serialize(serializer)
    }
}
