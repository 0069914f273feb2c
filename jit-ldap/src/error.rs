//! What can go wrong with a directory.

use std::error::Error;
use std::fmt;

use jit_core::{BackendError, Code, ErrorClass, Retry, VerifyError};

use crate::outcome::Answer;
use crate::reason::Reason;

/// Tells what became of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever undoes or repeats something must know all three")]
pub enum Fate {
    /// Nothing was sent: there is no effect.
    NotSent,
    /// The server said no: there is no effect.
    Answered,
    /// The answer was lost: whether there is an effect can only be looked up.
    Unknown,
}

/// Says why an operation did not come to its end. `Display` and `Debug` show no value of the directory.
pub struct LdapError {
    reason: Reason,
    fate: Fate,
    answer: Option<Box<Answer>>,
    entry: Option<Box<str>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl LdapError {
    /// Reports a failure before anything was sent.
    #[must_use]
    pub(crate) const fn new(reason: Reason) -> Self {
        Self { reason, fate: Fate::NotSent, answer: None, entry: None, source: None }
    }

    /// Reports that the server said no.
    #[must_use]
    pub(crate) fn refused(answer: Answer) -> Self {
        let reason = answer.reason();
        Self { reason, fate: Fate::Answered, answer: Some(Box::new(answer)), entry: None, source: None }
    }

    #[must_use]
    pub(crate) const fn with_fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }

    #[must_use]
    pub(crate) const fn with_reason(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }

    /// Names the entry that was being read.
    #[must_use]
    pub(crate) fn about(mut self, entry: &str) -> Self {
        self.entry = Some(entry.into());
        self
    }

    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::new(self.reason.code())
    }

    /// Tells what became of the request.
    #[must_use]
    pub const fn fate(&self) -> Fate {
        self.fate
    }

    /// Returns what the server answered, where it did.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    /// Returns the name of the one entry that could not be read, such as a group that no message has room for, where it is
    /// known. It belongs in front of administrators.
    #[must_use]
    pub fn entry(&self) -> Option<&str> {
        self.entry.as_deref()
    }

    /// Tells what a caller should do about it. A lost answer is not transient: something may have changed.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match (self.reason.class(), self.fate) {
            (ErrorClass::Transient, Fate::Unknown) => ErrorClass::Permanent,
            (class, _) => class,
        }
    }

    /// Reports the failure of a call that only read: a lost answer had no effect.
    #[must_use]
    pub fn into_read_error(self, operation: &'static str) -> BackendError {
        let retry = self.reason.retry();
        BackendError::new(self.reason.kind(), operation).with_retry(retry).caused_by(self)
    }

    /// Reports the failure of a call that writes: after a lost answer the same call is never safe by itself.
    #[must_use]
    pub fn into_write_error(self, operation: &'static str) -> BackendError {
        let retry = if self.fate == Fate::Unknown { Retry::Never } else { self.reason.retry() };
        BackendError::new(self.reason.kind(), operation).with_retry(retry).caused_by(self)
    }
}

impl From<Reason> for LdapError {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl From<LdapError> for VerifyError {
    fn from(error: LdapError) -> Self {
        let code = error.code();
        // a bind and a search change nothing, so a lost answer is as good as none
        match error.reason.class() {
            ErrorClass::Transient => Self::transient(code, error),
            ErrorClass::Permanent => Self::permanent(code, error),
            ErrorClass::Rejected | ErrorClass::Denied => Self::rejected(code, error),
        }
    }
}

impl fmt::Display for LdapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Debug for LdapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapError")
            .field("code", &self.reason.code())
            .field("fate", &self.fate)
            .field("answer", &self.answer)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Error for LdapError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
