//! What the engine and the store refuse, as SCIM says it.

use jit_core::{BackendError, Code, ErrorKind, JitError, Taken};

use super::served::{EXTERNAL_ID, SUBJECT};
use crate::error::ScimError;
use crate::reason::Reason;

/// Tells whether something else was written meanwhile, so that another attempt on what is there now may do.
pub(super) fn is_stale(error: &JitError) -> bool {
    matches!(error, JitError::Backend(error) if *error.kind() == ErrorKind::DocumentChanged)
}

/// Tells whether the account that a record is about, or whose name or address it says, is over.
pub(super) fn is_of_tombstone(error: &ScimError) -> bool {
    error.cause().is_some_and(|cause| cause.as_str() == "account.ended")
}

/// Says why the engine could not do it.
pub(super) fn of_engine(error: &JitError) -> ScimError {
    match error {
        JitError::Backend(error) => of_store(error),
        error if error.code().as_str() == "engine.contended" => caused(Reason::Contended, error.code()),
        error => broken(error.code()),
    }
}

/// Says why the store could not do it.
pub(super) fn of_store(error: &BackendError) -> ScimError {
    match error.kind() {
        ErrorKind::AlreadyExists(Taken::DocumentName(index)) => name_taken(index.as_str()),
        ErrorKind::AlreadyExists(_) | ErrorKind::LimitReached(_) => caused(Reason::Taken, error.code()),
        ErrorKind::NoSuchMember => ScimError::at_attribute(Reason::MemberUnknown, "members"),
        ErrorKind::DocumentChanged | ErrorKind::Conflict => caused(Reason::Contended, error.code()),
        ErrorKind::Unavailable => caused(Reason::Unavailable, error.code()),
        _ => broken(error.code()),
    }
}

/// Says that another resource has the name of this index.
pub(super) fn name_taken(index: &str) -> ScimError {
    ScimError::at_attribute(Reason::Taken, if index == SUBJECT { EXTERNAL_ID } else { index })
}

/// Says why a record was refused: what another has is 409, what no account can be made of 400, and the rest 403.
pub(super) fn of_denial(code: &Code) -> ScimError {
    let reason = match code.as_str() {
        "record.unknown" => Reason::NotFound,
        "record.changed" => Reason::VersionStale,
        "record.exists" | "name.taken" | "account.ended" => Reason::Taken,
        text if text.starts_with("link.") => Reason::Taken,
        text if text.starts_with("map.") || text.starts_with("name.") => Reason::RecordInvalid,
        _ => Reason::RecordRefused,
    };
    let attribute = match code.as_str() {
        text if text.starts_with("name.") => "userName",
        "link.email_taken" | "link.email_unverified" => "emails",
        "record.exists" => EXTERNAL_ID,
        _ => "",
    };
    ScimError::at_attribute(reason, attribute).caused_by(code.clone())
}

fn caused(reason: Reason, cause: Code) -> ScimError {
    ScimError::from(reason).caused_by(cause)
}

fn broken(cause: Code) -> ScimError {
    tracing::error!(code = %cause, "a SCIM request cannot be answered");
    caused(Reason::Broken, cause)
}
