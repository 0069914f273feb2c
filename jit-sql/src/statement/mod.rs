//! A commit as one PostgreSQL statement with one parameter, for any driver and inside any transaction.
//!
//! ```text
//! let statement = CommitStatement::new(&commit)?;
//! let row = transaction.query_one(statement.sql(), &[&statement.json()]).await;   // sqlx, diesel, tokio-postgres …
//! match row {
//!     Ok(row) => statement.answer(row.get(0))?,
//!     Err(error) => return Err(statement.refusal(error.sqlstate(), error.constraint())),
//! }
//! ```
//!
//! The parameter is of type `text`. The answer is one row with one column of type `text`.
//!
//! # Why nothing partial can be written
//! 1. Every write but one takes its rows from the CTE `account`, which has a row only where the account row was written
//!    (or where the commit carries no account).
//! 2. The exception is a new account's identities, which are inserted before it, so that of many who sign in first at
//!    once all but one are turned away before they write. If none could be inserted, nothing was written and the answer
//!    says so; if some could and some not, the account is inserted with a version that its table's check refuses.
//! 3. Whatever is found wrong later (a counter beyond its bounds, an identity that belongs to somebody else) inserts its
//!    reason into `jit_refusal`. No row passes the checks of that table. Such a check, as a unique index that refuses,
//!    makes the statement fail, and PostgreSQL undoes all that a failed statement did.
//!
//! # Why bounds hold when commits run at once
//! A counter is moved by `INSERT … ON CONFLICT DO UPDATE`, which locks the row, adds to its latest committed value even
//! where the snapshot is older, and returns the sum; the bounds are checked on that sum. Whoever comes second waits for
//! the first to end. Nothing is decided on a value that was read without the lock, so no recheck is needed at
//! READ COMMITTED; at the stricter levels the second fails with SQLSTATE 40001 and may be repeated.

mod kept;
mod text;

use jit_core::{BackendError, Commit, CounterName, ErrorKind, IndexName, Taken};

pub use text::{CREATE, CREATE_COUNTED, CREATE_KEPT, FORGET, RECORD, RECORD_KEPT, UPDATE, UPDATE_KEPT};

use crate::{
    draft::{COMMIT, Draft},
    kept::KeptDraft,
};

/// Carries the statement of one commit and its parameter. `Debug` prints which statement, not the parameter.
pub struct CommitStatement {
    sql: &'static str,
    json: String,
    counters: Vec<CounterName>,
    indexes: Vec<IndexName>,
    adds_members: bool,
}

impl CommitStatement {
    /// Writes a commit as a statement.
    ///
    /// # Errors
    /// `store.invalid` when [`Commit::check`] refuses, or the commit moves more than 64 counters or adds unique names of more
    /// than 32 indexes.
    pub fn new(commit: &Commit) -> Result<Self, BackendError> {
        Self::of(&Draft::of(commit)?)
    }

    pub(crate) fn of(draft: &Draft) -> Result<Self, BackendError> {
        let json = serde_json::to_string(draft).map_err(|_| {
            BackendError::new(ErrorKind::Invalid, COMMIT).caused_by("a commit cannot be written as JSON")
        })?;
        let creates = draft.account.as_ref().map(|account| account.expected.is_none());
        let sql = match (creates, &draft.kept) {
            _ if !draft.forgotten.is_empty() => FORGET,
            (None, None) => RECORD,
            (None, Some(_)) => RECORD_KEPT,
            (Some(true), None) if draft.withdrawn.is_empty() && draft.counters.is_empty() => CREATE,
            (Some(true), None) => CREATE_COUNTED,
            (Some(true), Some(_)) => CREATE_KEPT,
            (Some(false), None) => UPDATE,
            (Some(false), Some(_)) => UPDATE_KEPT,
        };
        Ok(Self {
            sql,
            json,
            counters: draft.counters.iter().map(|counter| counter.name.clone()).collect(),
            indexes: draft.kept.as_ref().map_or_else(Vec::new, |kept| kept.indexes.clone()),
            adds_members: draft.kept.as_ref().is_some_and(KeptDraft::adds_members),
        })
    }

    /// The statement: [`CREATE`], [`CREATE_COUNTED`], [`UPDATE`], [`RECORD`] or [`FORGET`]; with documents [`CREATE_KEPT`],
    /// [`UPDATE_KEPT`] or [`RECORD_KEPT`].
    #[must_use]
    pub fn sql(&self) -> &'static str {
        self.sql
    }

    /// Its only parameter, of type `text`.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Reads the answer: the only column of the only row. After a refusal nothing was written, and the transaction
    /// goes on.
    ///
    /// # Errors
    /// `store.identity_taken`, `store.conflict`; `store.corrupt` for an answer that the statement does not give.
    pub fn answer(&self, word: &str) -> Result<(), BackendError> {
        let kind = match word {
            "written" => return Ok(()),
            "identity" => ErrorKind::AlreadyExists(Taken::Identity),
            "conflict" => ErrorKind::Conflict,
            _ => ErrorKind::Corrupt,
        };
        Err(BackendError::new(kind, COMMIT))
    }

    /// Reads a failure of the statement from its SQLSTATE and the constraint that it names. The transaction has failed,
    /// as with every error in PostgreSQL.
    #[must_use]
    pub fn refusal(&self, sqlstate: &str, constraint: Option<&str>) -> BackendError {
        BackendError::new(self.kind(sqlstate, constraint), COMMIT)
    }

    pub(crate) fn kind(&self, sqlstate: &str, constraint: Option<&str>) -> ErrorKind {
        match (sqlstate, constraint.unwrap_or_default()) {
            (UNIQUE_VIOLATION, "jit_account_user_name") => ErrorKind::AlreadyExists(Taken::UserName),
            (UNIQUE_VIOLATION, "jit_account_pkey") => ErrorKind::AlreadyExists(Taken::Account),
            (UNIQUE_VIOLATION, "jit_task_pkey") => ErrorKind::AlreadyExists(Taken::Task),
            (UNIQUE_VIOLATION, "jit_audit_pkey") => ErrorKind::Conflict,
            // No check bears this reason; only tables that were made before a release have one.
            (CHECK_VIOLATION, "jit_refused_otherwise" | "jit_refused_forgotten") if self.sql == FORGET => {
                ErrorKind::Conflict
            }
            (UNIQUE_VIOLATION, "jit_identity_pkey")
            | (CHECK_VIOLATION, "jit_account_identity" | "jit_refused_identity") => {
                ErrorKind::AlreadyExists(Taken::Identity)
            }
            (UNIQUE_VIOLATION, "jit_document_pkey") => ErrorKind::AlreadyExists(Taken::Document),
            (FOREIGN_KEY_VIOLATION, "jit_member_document") if self.adds_members => ErrorKind::NoSuchMember,
            // The latter: it became a member while it was removed.
            (CHECK_VIOLATION, "jit_refused_document") | (FOREIGN_KEY_VIOLATION, "jit_member_document") => {
                ErrorKind::DocumentChanged
            }
            (CHECK_VIOLATION, constraint) => match constraint.strip_prefix("jit_refused_name_") {
                Some(place) => self.name(place),
                None => self.counter(constraint),
            },
            (OUT_OF_RANGE, _) => {
                self.counters.first().cloned().map_or(ErrorKind::Invalid, ErrorKind::LimitReached)
            }
            (state, _) => kind_of_state(state),
        }
    }

    fn name(&self, place: &str) -> ErrorKind {
        let index = place.parse::<usize>().ok().and_then(|place| self.indexes.get(place));
        let taken = |index: &IndexName| ErrorKind::AlreadyExists(Taken::DocumentName(index.clone()));
        index.map_or(ErrorKind::Invalid, taken)
    }

    fn counter(&self, constraint: &str) -> ErrorKind {
        let place =
            constraint.strip_prefix("jit_refused_counter_").and_then(|place| place.parse::<usize>().ok());
        let name = place.and_then(|place| self.counters.get(place));
        name.cloned().map_or(ErrorKind::Invalid, ErrorKind::LimitReached)
    }
}

impl std::fmt::Debug for CommitStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let which = match self.sql {
            CREATE | CREATE_COUNTED | CREATE_KEPT => "create",
            UPDATE | UPDATE_KEPT => "update",
            _ => "record",
        };
        write!(f, "CommitStatement({which} …)")
    }
}

const UNIQUE_VIOLATION: &str = "23505";
const FOREIGN_KEY_VIOLATION: &str = "23503";
const CHECK_VIOLATION: &str = "23514";
/// The sum of a counter does not fit a bigint; with several counters the first is named.
const OUT_OF_RANGE: &str = "22003";

/// Classifies an SQLSTATE (PostgreSQL documentation, appendix A) that does not stand for an answer.
pub(crate) fn kind_of_state(state: &str) -> ErrorKind {
    match state {
        // No data is lost by trying again later: shutting down, timed out, locked, read-only while a standby takes over.
        "57P01" | "57P02" | "57P03" | "57P05" | "57014" | "55P03" | "25006" | "40001" | "40P01" | "25P03"
        | "25P04" => ErrorKind::Unavailable,
        "XX001" | "XX002" => ErrorKind::Corrupt,
        _ => match state.get(..2) {
            // Connection, resources, system errors such as a full disk.
            Some("08" | "53" | "58") => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        },
    }
}
