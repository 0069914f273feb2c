//! Stored rows as the types of the core.
#![cfg(any(feature = "sqlite", feature = "postgres"))]

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    Account, AccountId, AuditEvent, BackendError, Claimed, Collection, Cursor, Document, DocumentId,
    DocumentText, ErrorKind, Lane, LookupKey, Matches, Member, ONE_TIME_BYTES, PAGE_ITEMS, Page, Task,
    TaskId, TaskKind, WorkerId,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    draft::{LookupDraft, micros},
    names::Names,
};

/// Says where a document stops being readable; never what it says there.
#[derive(Debug)]
pub(crate) struct Unreadable {
    line: usize,
    column: usize,
    category: serde_json::error::Category,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, column, category } = self;
        write!(f, "a document is not readable at line {line} column {column} ({category:?})")
    }
}

impl std::error::Error for Unreadable {}

impl Unreadable {
    pub(crate) const KIND: ErrorKind = ErrorKind::Corrupt;
}

fn read<'a, T: Deserialize<'a>>(document: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(document).map_err(|error| Unreadable {
        line: error.line(),
        column: error.column(),
        category: error.classify(),
    })
}

/// Reads an account; the column is ahead of the document where the account was used since the last commit.
pub(crate) fn account(document: &str, last_seen: Option<i64>) -> Result<Account, Unreadable> {
    let mut account: Account = read(document)?;
    if let Some(seen) = last_seen.filter(|seen| account.last_seen.map(micros) != Some(*seen)) {
        account.last_seen = DateTime::from_timestamp_micros(seen);
    }
    Ok(account)
}

/// The key by which a record is found since when it is over for good. `None` where it is not, and where it cannot be read: it
/// keeps no other from its key.
pub(crate) fn key_of_what_is_over(document: &str) -> Option<LookupDraft> {
    let account: Account = read(document).ok()?;
    Some(LookupDraft::of(&LookupKey::over_since(account.over_since()?)))
}

/// Reads a task; the column is ahead of the document where the task was put off.
fn task(document: &str, due: i64) -> Result<Task, Unreadable> {
    let mut task: Task = read(document)?;
    if micros(task.due) != due {
        task.due = instant(due);
    }
    Ok(task)
}

/// The columns of a task by which it is known where its document cannot be read.
pub(crate) struct TaskColumns<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) id: Uuid,
    pub(crate) lane: &'a Lane,
    pub(crate) account: Uuid,
    pub(crate) due: i64,
}

/// Reads a task; one that cannot be read is known by its columns.
pub(crate) fn task_or_unreadable(document: &str, columns: &TaskColumns<'_>) -> Result<Task, Unreadable> {
    let TaskColumns { tenant, id, lane, account, due } = columns;
    task(document, *due).or_else(|_| {
        let (id, account) = (TaskId::from_uuid(*id), AccountId::from_uuid(*account));
        let (tenant, lane, due) = (name(tenant)?, (*lane).clone(), instant(*due));
        Ok(Task { id, tenant, lane, account, kind: TaskKind::Unreadable, due })
    })
}

pub(crate) fn event(document: &str) -> Result<AuditEvent, Unreadable> {
    read(document)
}

/// The columns of a document, without those of its collection.
pub(crate) struct Columns<'a> {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) changed_at: i64,
    pub(crate) account: Option<Uuid>,
    pub(crate) names: &'a str,
    pub(crate) body: &'a str,
}

/// Reads a document of a collection.
pub(crate) fn document(of: &Collection, columns: &Columns<'_>) -> Result<Document, Unreadable> {
    let Names(names) = read(columns.names)?;
    Ok(Document {
        key: of.key(DocumentId::from_uuid(columns.id)),
        version: u64::try_from(columns.version).unwrap_or(0),
        created_at: instant(columns.created_at),
        changed_at: instant(columns.changed_at),
        account: columns.account.map(AccountId::from_uuid),
        body: columns.body.into(),
        names,
    })
}

/// The columns of what a document says.
pub(crate) struct TextColumns<'a> {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) changed_at: i64,
    pub(crate) body: &'a str,
}

/// Reads what a document says.
pub(crate) fn document_text(columns: &TextColumns<'_>) -> DocumentText {
    DocumentText {
        id: DocumentId::from_uuid(columns.id),
        version: u64::try_from(columns.version).unwrap_or(0),
        created_at: instant(columns.created_at),
        changed_at: instant(columns.changed_at),
        body: columns.body.into(),
    }
}

/// A name of ours in a column of its own.
pub(crate) fn name<T: std::str::FromStr>(text: &str) -> Result<T, Unreadable> {
    let category = serde_json::error::Category::Data;
    text.parse().map_err(|_| Unreadable { line: 0, column: 0, category })
}

pub(crate) fn member(id: Uuid, kind: &str, body: &str) -> Result<Member, Unreadable> {
    Ok(Member { id: DocumentId::from_uuid(id), kind: name(kind)?, body: body.into() })
}

/// The instant of a column; columns are written by [`micros`] only, so that every value is an instant.
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

pub(crate) fn matches(mut found: Vec<Account>) -> Matches {
    match (found.pop(), found.pop()) {
        (None, _) => Matches::None,
        (Some(account), None) => Matches::One(Box::new(account)),
        (Some(_), Some(_)) => Matches::Several,
    }
}

/// The number of rows that one call touches at most.
pub(crate) fn at_most(limit: std::num::NonZeroUsize) -> usize {
    limit.get().min(PAGE_ITEMS)
}

/// A number of rows to pass over.
pub(crate) fn skipped(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The number of rows to ask for: one more than the page holds tells whether another follows.
pub(crate) fn one_more(limit: std::num::NonZeroUsize) -> i64 {
    i64::try_from(at_most(limit)).unwrap_or(0).saturating_add(1)
}

/// Cuts a page out of rows that were asked for by [`one_more`].
pub(crate) fn page<T>(mut items: Vec<T>, limit: std::num::NonZeroUsize, id: fn(&T) -> Uuid) -> Page<T> {
    let more = items.len() > at_most(limit);
    items.truncate(at_most(limit));
    let next = items.last().filter(|_| more).map(|last| Cursor::after(id(last)));
    Page { items, next }
}

/// The same for ids themselves.
pub(crate) fn page_of_ids(ids: Vec<Uuid>, limit: std::num::NonZeroUsize) -> Page<AccountId> {
    let Page { items, next } = page(ids, limit, |id| *id);
    Page { items: items.into_iter().map(AccountId::from_uuid).collect(), next }
}

/// When a claim that begins at `now` is over.
pub(crate) fn end_of_hold(
    now: DateTime<Utc>,
    hold: TimeDelta,
    operation: &'static str,
) -> Result<DateTime<Utc>, BackendError> {
    if hold <= TimeDelta::zero() {
        return Err(BackendError::new(ErrorKind::Invalid, operation).caused_by("the hold is not positive"));
    }
    Ok(now.checked_add_signed(hold).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// What is known of what was claimed. The claim of the rest, of which not even that can be told whose it is, runs out: it keeps
/// nothing else from being done, and is an error where it comes alone.
pub(crate) fn readable<T, E>(claimed: impl Iterator<Item = Result<T, E>>) -> Result<Vec<T>, E> {
    let (mut read, mut first) = (Vec::new(), None);
    for one in claimed {
        match one {
            Ok(one) => read.push(one),
            Err(error) => drop(first.get_or_insert(error)),
        }
    }
    match first {
        Some(error) if read.is_empty() => Err(error),
        _ => Ok(read),
    }
}

/// Every claim raises the epoch, so that the epoch counts the claims.
pub(crate) fn claimed(task: Task, worker: &WorkerId, epoch: i64, until: DateTime<Utc>) -> Claimed {
    let epoch = u64::try_from(epoch).unwrap_or(0);
    let attempts = u32::try_from(epoch.saturating_sub(1)).unwrap_or(u32::MAX);
    Claimed { task, worker: worker.clone(), epoch, attempts, until }
}

pub(crate) fn check_one_time(value: &[u8]) -> Result<(), BackendError> {
    if value.len() > ONE_TIME_BYTES {
        return Err(BackendError::new(ErrorKind::Invalid, "one_time.put").caused_by("the value is too long"));
    }
    Ok(())
}
