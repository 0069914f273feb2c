//! What handling an event comes to.

use std::{error::Error, fmt, sync::Arc};

use chrono::{DateTime, Utc};

use super::{ShadowReport, Ticket, VerifyError};
use crate::{
    Account, AccountId, Ask, BackendError, Code, Denial, ErrorClass, Plan, Profile, RecordEffect, Step,
};

/// Answers an event.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever lets people in decides each of them")]
pub enum Outcome {
    /// The person is in.
    SignedIn(Box<SignedIn>),
    /// Something must be answered first.
    Held(Box<Held>),
    /// The person is not let in, or the record is refused.
    Denied(Box<Denied>),
    /// A record was taken: nobody is let in by it.
    Provisioned(Box<Provisioned>),
}

/// Tells what a record of a provisioning connection came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Provisioned {
    /// The account as it is now.
    pub account: Account,
    /// What the record meant for the person.
    pub effect: RecordEffect,
    /// What was changed; empty where the account was as it should be.
    pub plan: Plan,
    /// The decision, rule by rule, where the engine records it.
    pub steps: Vec<Step>,
}

/// Tells who is in and what was done for it.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// The account as it is now; of those who signed in for the first time at once, all hold the same.
    pub account: Arc<Account>,
    /// What was changed; empty where the account was as it should be.
    pub plan: Plan,
    /// How long a session may last.
    pub session: Session,
    /// The decision, rule by rule, where the engine records it.
    pub steps: Vec<Step>,
    /// How the shadow mapping and policy would have differed.
    pub shadow: Option<ShadowReport>,
}

/// Bounds a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The session must end by then.
    pub ends_at: Option<DateTime<Utc>>,
    /// The session is void once the account's credential epoch is another one.
    pub epoch: u64,
}

/// Tells what must be answered first.
#[derive(Debug)]
#[non_exhaustive]
pub struct Held {
    /// The asks that are open.
    pub asks: Vec<Ask>,
    /// Continues the sign-in once they are answered; `None` while an administrator must act.
    pub ticket: Option<Ticket>,
    /// The account that waits for approval.
    pub account: Option<AccountId>,
    /// What was changed.
    pub plan: Option<Plan>,
    /// The decision, rule by rule.
    pub steps: Vec<Step>,
}

/// Tells why the person is not let in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Denied {
    /// The reason.
    pub denial: Denial,
    /// The account that it is about, where there is one.
    pub account: Option<AccountId>,
    /// The decision, rule by rule.
    pub steps: Vec<Step>,
}

/// Tells what handling an event would come to, had it been handled at that instant.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What it would come to.
    pub verdict: Verdict,
    /// What the mapping made of the claims; `None` where it failed.
    pub profile: Option<Profile>,
    /// The account that is there already.
    pub present: Option<Account>,
    /// The decision, rule by rule.
    pub steps: Vec<Step>,
    /// How the shadow mapping and policy would have differed.
    pub shadow: Option<ShadowReport>,
}

/// Says what an event comes to.
#[derive(Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever explains decides each of them")]
pub enum Verdict {
    /// The person would be in, after these changes.
    SignedIn(Plan),
    /// These asks would be open; the plan holds what would be changed before they are answered.
    Held {
        /// The open asks.
        asks: Vec<Ask>,
        /// What would be changed.
        plan: Option<Plan>,
    },
    /// The person would not be let in, or the record would be refused.
    Denied(Denial),
    /// The record would be taken, after these changes, and mean this.
    Provisioned(Plan, RecordEffect),
}

impl Verdict {
    /// The verdict as a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::SignedIn(_) => "signed_in",
            Self::Held { .. } => "held",
            Self::Denied(_) => "denied",
            Self::Provisioned(..) => "provisioned",
        }
    }
}

/// Says why an event could not be handled. A denial is not an error: it is an [`Outcome`].
#[non_exhaustive]
pub enum JitError {
    /// The trigger refused the evidence, or could not verify it now.
    Verify(VerifyError),
    /// A backend failed; nothing was changed, or nothing is known of it (see its class).
    Backend(BackendError),
    /// The engine refused the call; the code says why.
    Refused(Code),
}

/// The codes of refusals after which the same call may succeed.
const PASSING: [&str; 3] = ["clock.ahead", "engine.contended", "lease.in_progress"];

impl JitError {
    /// What a caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Verify(error) => error.class(),
            Self::Backend(error) => error.class(),
            Self::Refused(code) if PASSING.contains(&code.as_str()) => ErrorClass::Transient,
            Self::Refused(_) => ErrorClass::Rejected,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Verify(error) => error.code().clone(),
            Self::Backend(error) => error.code(),
            Self::Refused(code) => code.clone(),
        }
    }

    pub(crate) const fn refused(code: &'static str) -> Self {
        Self::Refused(Code::new(code))
    }
}

impl fmt::Display for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verify(_) => f.write_str("the evidence could not be verified"),
            Self::Backend(_) => f.write_str("a backend failed"),
            Self::Refused(code) => write!(f, "the call was refused ({code})"),
        }
    }
}

impl fmt::Debug for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verify(error) => error.fmt(f),
            Self::Backend(error) => fmt::Debug::fmt(error, f),
            Self::Refused(code) => write!(f, "Refused({code})"),
        }
    }
}

impl Error for JitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Verify(error) => Some(error),
            Self::Backend(error) => Some(error),
            Self::Refused(_) => None,
        }
    }
}

impl From<BackendError> for JitError {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

impl From<VerifyError> for JitError {
    fn from(error: VerifyError) -> Self {
        Self::Verify(error)
    }
}
