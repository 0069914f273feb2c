//! What SQLite answers, as kinds; by its codes, never by its texts.

use jit_core::{BackendError, ErrorKind};
use rusqlite::{Error, ErrorCode, ffi};

use crate::document::Unreadable;

/// Says why an operation was not done.
#[derive(Debug)]
pub(super) enum Refused {
    /// The answer to the call.
    Kind(ErrorKind),
    /// Nothing was asked.
    Unavailable(&'static str),
    /// SQLite failed.
    Sqlite(Error),
    /// A row cannot be read.
    Unreadable(Unreadable),
    /// The operating system failed.
    System(std::io::Error),
    /// The tables belong to another version.
    Tables(crate::migration::Mismatch),
}

impl Refused {
    pub(super) fn during(self, operation: &'static str) -> BackendError {
        match self {
            Self::Kind(kind) => BackendError::new(kind, operation),
            Self::Unavailable(why) => BackendError::new(ErrorKind::Unavailable, operation).caused_by(why),
            Self::Sqlite(error) => BackendError::new(kind_of(&error), operation).caused_by(cause(error)),
            Self::Unreadable(error) => BackendError::new(Unreadable::KIND, operation).caused_by(error),
            Self::System(error) => BackendError::new(ErrorKind::Unavailable, operation).caused_by(error),
            Self::Tables(why) => BackendError::new(ErrorKind::Invalid, operation).caused_by(why.to_string()),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

/// Tells whether a unique index refused a row.
pub(super) fn is_unique_violation(error: &Error) -> bool {
    let codes = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
    error.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code))
}

fn kind_of(error: &Error) -> ErrorKind {
    match error {
        // Another type in a column than the one that we write there.
        Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..) => ErrorKind::Corrupt,
        error => error.sqlite_error_code().map_or(ErrorKind::Invalid, kind_of_code),
    }
}

fn kind_of_code(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::OperationInterrupted
        | ErrorCode::OutOfMemory
        | ErrorCode::ReadOnly
        | ErrorCode::SystemIoFailure
        | ErrorCode::DiskFull
        | ErrorCode::CannotOpen
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::SchemaChanged
        | ErrorCode::PermissionDenied => ErrorKind::Unavailable,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => ErrorKind::Corrupt,
        _ => ErrorKind::Invalid,
    }
}

/// What SQLite says, without the SQL and the values that some variants carry.
fn cause(error: Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        Error::SqliteFailure(code, _) => Box::new(code),
        Error::FromSqlConversionFailure(column, ..) => format!("column {column} has another type").into(),
        error => Box::new(error),
    }
}
