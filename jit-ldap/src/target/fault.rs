//! What a failure of the directory means to whoever asked for an account.

use jit_core::{BackendError, ErrorKind, FaultScope, TargetFault};

use crate::error::{Fate, LdapError};
use crate::reason::Reason;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Getting a connection.
    Reach,
    /// Looking.
    Look,
    /// Making an account.
    Make,
    /// Changing one.
    Change,
    /// Changing who is in a group.
    Groups,
    /// Removing an account.
    Remove,
}

impl Step {
    const fn operation(self) -> &'static str {
        match self {
            Self::Reach => "directory.reach",
            Self::Look => "directory.look",
            Self::Make => "directory.make",
            Self::Change => "directory.change",
            Self::Groups => "directory.groups",
            Self::Remove => "directory.remove",
        }
    }

    /// Reports a failure of the directory.
    pub(super) fn failed(self, error: impl Into<LdapError>) -> BackendError {
        let error = error.into();
        let failed = self.refused(fault_of(self, &error));
        let failed = if is_of_one(self, &error) { failed.about(FaultScope::Account) } else { failed };
        failed.caused_by(error)
    }

    /// Reports a failure of one request that changes something, whole or not at all: where it was not sent, or a rule of the
    /// server refused it, nothing was done.
    pub(super) fn failed_whole(self, error: LdapError) -> BackendError {
        let is_rule = !matches!(fault_of(self, &error), TargetFault::Unreachable | TargetFault::Protocol);
        let is_known = match error.fate() {
            Fate::NotSent => true,
            Fate::Answered => is_rule,
            Fate::Unknown => false,
        };
        let failed = self.failed(error);
        if is_known { failed.having_done_nothing() } else { failed }
    }

    /// Reports a refusal of ours.
    pub(super) fn refused(self, fault: TargetFault) -> BackendError {
        BackendError::new(ErrorKind::Target(fault), self.operation())
    }
}

/// Whether it is about one entry, which changed or has a rule of its own, so that it says nothing of the directory.
fn is_of_one(step: Step, error: &LdapError) -> bool {
    match error.reason() {
        Reason::AssertionFailed
        | Reason::ValueMissing
        | Reason::HasChildren
        | Reason::ConstraintViolation => true,
        Reason::EntryMissing => matches!(step, Step::Change | Step::Remove),
        _ => false,
    }
}

pub(super) fn fault_of(step: Step, error: &LdapError) -> TargetFault {
    match error.reason() {
        reason if is_outage(reason) => TargetFault::Unreachable,
        Reason::TlsCertificate
        | Reason::StartTlsRefused
        | Reason::StartTlsInjected
        | Reason::PasswordInClear => TargetFault::Untrusted,
        Reason::ServiceRefused | Reason::CredentialsInvalid | Reason::AuthenticationMethod => {
            TargetFault::Credentials
        }
        Reason::CircuitOpen => TargetFault::Resting,
        Reason::ReadOnly => TargetFault::ReadOnly,
        Reason::OtherDirectory => TargetFault::Elsewhere,
        Reason::PoolExhausted
        | Reason::TimeLimit
        | Reason::SizeLimit
        | Reason::AdminLimit
        | Reason::TooManyEntries
        | Reason::RequestTooLarge
        | Reason::ControlUnsupported => TargetFault::Limit,
        Reason::PasswordEmpty | Reason::PasswordMalformed => TargetFault::Secret,
        Reason::EntryMissing | Reason::Referral | Reason::DnRefused | Reason::DnMalformed => missing(step),
        // it changed since it was found: who looks again sees how
        Reason::AssertionFailed | Reason::ValueMissing => TargetFault::Unreachable,
        Reason::EntryExists | Reason::ValueExists => TargetFault::Name,
        Reason::ConstraintViolation | Reason::Unwilling => rule(step, error),
        Reason::SettingsInvalid
        | Reason::AccessDenied
        | Reason::AbsenceUnproved
        | Reason::SchemaViolation
        | Reason::HasChildren => TargetFault::Forbidden,
        _ => TargetFault::Protocol,
    }
}

const fn is_outage(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ConnectFailed
            | Reason::TlsFailed
            | Reason::Timeout
            | Reason::ConnectionLost
            | Reason::Disconnected
            | Reason::ConnectionUnusable
            | Reason::Busy
    )
}

const fn missing(step: Step) -> TargetFault {
    match step {
        Step::Make => TargetFault::Place,
        Step::Groups => TargetFault::Entitlement,
        // it was there a moment ago: who looks again sees why
        Step::Change | Step::Remove => TargetFault::Unreachable,
        Step::Reach | Step::Look => TargetFault::Protocol,
    }
}

/// Tells rules apart by what the server wrote beside the code ([MS-ERREF] §2.2; texts of OpenLDAP): the code is the same
/// for a weak password, a name that is taken and an entry that lies elsewhere.
fn rule(step: Step, error: &LdapError) -> TargetFault {
    if says(error, &["no global superior knowledge"]) {
        return missing(step);
    }
    if is_duplicate(error) {
        return TargetFault::Name;
    }
    let is_about_password = says(error, &["0000052D", "00002035", "0000001F", "assword"]);
    match step {
        Step::Make | Step::Change if is_about_password => TargetFault::Secret,
        _ => TargetFault::Forbidden,
    }
}

/// Tells whether a refusal is about a value that somebody else has.
pub(super) fn is_duplicate(error: &LdapError) -> bool {
    match error.reason() {
        Reason::EntryExists => true,
        Reason::ConstraintViolation => {
            says(error, &["0000202F", "00002071", "000021C7", "000021C8", "non-unique"])
        }
        _ => false,
    }
}

fn says(error: &LdapError, texts: &[&str]) -> bool {
    error.answer().is_some_and(|answer| texts.iter().any(|text| answer.diagnostic().contains(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::{Reader, Writer, tag};
    use crate::outcome::Answer;

    fn refused(code: i32, text: &str) -> LdapError {
        let mut writer = Writer::default();
        writer.integer(tag::ENUMERATED, code);
        writer.octets(b"");
        writer.octets(text.as_bytes());
        LdapError::refused(Answer::read(&mut Reader::new(&writer.into_bytes())).unwrap())
    }

    #[test]
    fn one_code_for_many_rules_is_told_apart_by_what_the_server_wrote() {
        let (make, groups) = (Step::Make, Step::Groups);
        for (step, code, text, fault) in [
            (make, 19, "0000052D: Constraint violation - check_password_restrictions", TargetFault::Secret),
            (make, 19, "Password fails quality checking policy", TargetFault::Secret),
            (make, 53, "0000001F: SvcErr: DSID-031A12D2", TargetFault::Secret),
            (make, 19, "0000202F: samldb: UPN exists already", TargetFault::Name),
            (make, 19, "non-unique attributes found with (|(uid=d))", TargetFault::Name),
            (make, 53, "no global superior knowledge", TargetFault::Place),
            (groups, 53, "no global superior knowledge", TargetFault::Entitlement),
            (make, 53, "", TargetFault::Forbidden),
            (make, 32, "", TargetFault::Place),
            (groups, 32, "", TargetFault::Entitlement),
            (groups, 50, "", TargetFault::Forbidden),
            (Step::Remove, 122, "", TargetFault::Unreachable),
            (Step::Look, 4, "", TargetFault::Limit),
            (Step::Reach, 49, "", TargetFault::Credentials),
            (make, 80, "", TargetFault::Protocol),
        ] {
            assert_eq!(fault_of(step, &refused(code, text)), fault, "{step:?} {code} {text}");
        }
    }

    #[test]
    fn what_the_directory_was_not_asked_is_no_refusal_of_now() {
        let fault = |reason: Reason| fault_of(Step::Reach, &reason.into());
        assert_eq!(fault(Reason::ServiceRefused), TargetFault::Credentials);
        assert_eq!(fault(Reason::CircuitOpen), TargetFault::Resting);
        let failed = Step::Reach.failed(Reason::CircuitOpen);
        assert_eq!(failed.code().as_str(), "target.credentials", "whoever asks is told the same");
    }

    #[test]
    fn what_changed_under_an_assertion_says_nothing_of_the_directory() {
        for (step, code, scope) in [
            (Step::Remove, 122, FaultScope::Account),
            (Step::Change, 32, FaultScope::Account),
            (Step::Make, 19, FaultScope::Account),
            (Step::Make, 32, FaultScope::Target),
            (Step::Make, 50, FaultScope::Target),
            (Step::Look, 4, FaultScope::Neither),
        ] {
            assert_eq!(step.failed(refused(code, "")).scope(), scope, "{step:?} {code}");
        }
    }
}
