//! What PostgreSQL answers, as kinds; by SQLSTATE and constraint, never by texts.

use std::time::Duration;

use jit_core::{BackendError, ErrorKind};
use tokio_postgres::Error;

use crate::{document::Unreadable, migration::Mismatch, statement::kind_of_state};

/// Says why a statement has no result.
#[derive(Debug)]
pub(super) enum Failed {
    /// The server refused it.
    Refused { state: String, constraint: Option<String> },
    /// The connection or the driver failed.
    Lost(Error),
    /// No answer came in time.
    TimedOut(Duration),
    /// There is no tokio runtime here.
    NoRuntime,
    /// The tables belong to another version.
    Tables(Mismatch),
}

impl Failed {
    /// Tells whether the server undid the statement because another was in its way: the same statement may pass now.
    pub(super) fn is_serialization(&self) -> bool {
        matches!(self, Self::Refused { state, .. } if state == "40001" || state == "40P01")
    }

    /// Tells whether somebody held what it needs for longer than it may wait.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Refused { state, .. } if state == "55P03")
    }

    pub(super) fn during(self, operation: &'static str) -> BackendError {
        match self {
            Self::Refused { state, constraint } => {
                let because = match constraint {
                    Some(constraint) => format!("sqlstate {state}, constraint `{constraint}`"),
                    None => format!("sqlstate {state}"),
                };
                BackendError::new(kind_of_state(&state), operation).caused_by(because)
            }
            Self::Lost(error) => BackendError::new(kind_of(&error), operation).caused_by(error),
            Self::TimedOut(patience) => {
                let because = format!("no answer within {} ms", patience.as_millis());
                BackendError::new(ErrorKind::Unavailable, operation).caused_by(because)
            }
            Self::Tables(why) => BackendError::new(ErrorKind::Invalid, operation).caused_by(why.to_string()),
            Self::NoRuntime => {
                BackendError::new(ErrorKind::Invalid, operation).caused_by("there is no tokio runtime here")
            }
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        // The texts of the server may hold values of the row: they stay there.
        match error.as_db_error() {
            Some(refusal) => Self::Refused {
                state: refusal.code().code().to_owned(),
                constraint: refusal.constraint().map(ToOwned::to_owned),
            },
            None => Self::Lost(error),
        }
    }
}

/// Classifies what is not an answer of the server: the connection is lost, unless a value could not be converted, which
/// no statement of ours brings about.
fn kind_of(_: &Error) -> ErrorKind {
    ErrorKind::Unavailable
}

pub(super) fn unreadable(operation: &'static str) -> impl Fn(Unreadable) -> BackendError {
    move |error| BackendError::new(Unreadable::KIND, operation).caused_by(error)
}

/// A column has another type than the one that the statement asks for.
pub(super) fn malformed(operation: &'static str) -> impl Fn(Error) -> BackendError {
    move |error| BackendError::new(ErrorKind::Corrupt, operation).caused_by(error)
}
