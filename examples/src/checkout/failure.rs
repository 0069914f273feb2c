//! Why there is no better answer.

use std::fmt;
use std::io;
use std::path::PathBuf;

use jit_core::config::Problems;
use jit_core::{BackendError, Code, Denial, ErrorClass, JitError};

use super::{BAD_USAGE, FAILED, REFUSED};
use crate::command_line::UsageError;
use crate::say::chain;

/// Says why a command did not do what was asked.
#[derive(Debug)]
pub(super) enum Failure {
    Usage(UsageError),
    /// The configuration cannot be read.
    Unreadable(String, io::Error),
    Settings(Problems),
    /// The file of the store is not there, and the command makes none.
    NoStore(PathBuf),
    /// The rules say no; nothing was done.
    Refused(Code),
    /// A store or a target failed: its code, and the causes in words.
    Failed(String, String),
    /// A file for a secret that cannot be made.
    SecretFile(io::Error),
    /// The answer cannot be written; whether a lease was ended because of it.
    Output(io::Error, Withdrawn),
    Interrupted,
}

/// Says what became of a lease whose secret nobody got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withdrawn {
    /// There was none.
    NoLease,
    /// It ends.
    Ended,
    /// That could not be written down: it ends by itself.
    EndsByItself,
}

impl Failure {
    pub(super) fn refused(code: &'static str) -> Self {
        Self::Refused(Code::new(code))
    }

    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Unreadable(..)
            | Self::Settings(_)
            | Self::NoStore(_)
            | Self::SecretFile(_) => BAD_USAGE,
            Self::Refused(_) => REFUSED,
            Self::Failed(..) | Self::Output(..) | Self::Interrupted => FAILED,
        }
    }

    /// The code, for programs.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Usage(_) => "checkout.usage",
            Self::Unreadable(..) => "config.file_unreadable",
            Self::Settings(_) => "checkout.settings_invalid",
            Self::NoStore(_) => "checkout.no_store",
            Self::Refused(code) => code.as_str(),
            Self::Failed(code, _) => code,
            Self::SecretFile(_) => "checkout.secret_file",
            Self::Output(..) => "checkout.output",
            Self::Interrupted => "checkout.interrupted",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        match self {
            Self::Usage(error) => {
                write!(
                    f,
                    "checkout: {error} ({code})\nusage: checkout --config FILE [--json] COMMAND, see `checkout --help`"
                )
            }
            Self::Unreadable(name, error) => write!(f, "checkout: `{name}` cannot be read: {error} ({code})"),
            Self::Settings(problems) => write!(f, "{problems}"),
            Self::NoStore(path) => write!(
                f,
                "checkout: the store `{}` is not there: a wrong path, or a volume that is not mounted? `person add` and a portal \
                 make one ({code})",
                path.display()
            ),
            Self::Refused(code) => write!(f, "checkout: {} ({code})", meaning(code)),
            Self::Failed(code, causes) => write!(f, "checkout: {causes} ({code})"),
            Self::SecretFile(error) => {
                write!(f, "checkout: the file for the secret cannot be made: {error} ({code})")
            }
            Self::Output(error, withdrawn) => {
                write!(f, "checkout: the answer cannot be written: {error}")?;
                f.write_str(match withdrawn {
                    Withdrawn::NoLease => "",
                    Withdrawn::Ended => "; what was lent ends now",
                    Withdrawn::EndsByItself => "; what was lent ends when its time is over",
                })?;
                write!(f, " ({code})")
            }
            Self::Interrupted => {
                write!(f, "checkout: interrupted; what was begun is ended by `sweep` ({code})")
            }
        }
    }
}

/// What a refusal means to whoever asked.
fn meaning(code: &Code) -> &'static str {
    match code.as_str() {
        "account.ended" => "the account of this name was ended, and the name stays with it",
        "account.unknown" | "lease.unknown_holder" => "nobody has this user name",
        "account.wrong_state" => "the account is not in a state for this",
        "lease.account_is_lent" => "that account was itself made for a time",
        "lease.cannot_elevate" => "the target lends nothing to accounts that existed before",
        "lease.other_kind" => "the role makes accounts, and elevates none",
        "lease.unknown_account" => "the target has no such account",
        "lease.unnamed" => "nobody who is believed names the account to elevate",
        "lease.holder_inactive" => "the holder's account is not in use",
        "lease.interrupted" => "it began to end while it was being made; nothing was handed out",
        "lease.invalid" => {
            "the key is empty, the key or the reason is too long, or the reason holds control characters other than \
             line ends and tabs"
        }
        "lease.long_gone" => {
            "the lease of this key ended so long ago that nothing is kept of it: take another key"
        }
        "lease.name_taken" => "every name that was tried is somebody else's at the target",
        "lease.not_entitled" => "the holder holds nothing that admits to the role",
        "lease.not_longer" => "the lease would not end later than it does",
        "lease.other_request" => "the key belongs to another request",
        "lease.over" => "the lease has begun to end or is gone",
        "lease.quarantined" => {
            "what is at the target is not what was made: remove it there or give it its mark back, and check in again"
        }
        "lease.target_configured" => {
            "the target is in the configuration: strike it there, if it is gone for good indeed"
        }
        "lease.shut_by_others" => "somebody put the account out of use at the target: it is not opened again",
        "lease.too_long" => "the time is longer than the role allows in all",
        "lease.too_many" => "the holder has as many leases at once as they may have",
        "lease.unknown" => "there is no such lease",
        "lease.unknown_role" => "the target has no such role",
        "lease.unknown_target" => "the configuration has no such target",
        "mirror.not_refused" => "the target did not refuse this account",
        "mirror.unknown_target" => "nothing is mirrored to a target of this name",
        "name.taken" => "somebody else has this user name",
        "target.markers_unknown" => {
            "many accounts at the target do not bear the markers of their leases: was `marker` changed without \
             `former_markers`, or can it not be read any longer?"
        }
        "checkout.not_waiting" => "no leave of theirs waits",
        "checkout.too_many_waiting" => {
            "more leaves wait than may be decided at once: look at them, and say `--at-most`"
        }
        "record.leave_changed" => "no leave of theirs waits any longer as you saw it: look at it anew",
        _ => "it was refused",
    }
}

impl From<JitError> for Failure {
    fn from(error: JitError) -> Self {
        match (error.class(), error) {
            (ErrorClass::Rejected | ErrorClass::Denied, error) => Self::Refused(error.code()),
            (_, JitError::Backend(error)) => error.into(),
            (_, error) => Self::Failed(error.code().to_string(), again(&error)),
        }
    }
}

fn again(error: &JitError) -> String {
    match error.code().as_str() {
        "lease.in_progress" => "the same request is under way: ask again in two minutes".to_owned(),
        "clock.ahead" => {
            "the clock is ahead of the time that it can be: set it right, or say `confirm-time` if it is"
                .to_owned()
        }
        "engine.contended" => "others kept changing it: ask again".to_owned(),
        _ => chain(error),
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Failed(error.code().to_string(), chain(&error))
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::Refused(denial.code)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error, Withdrawn::NoLease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_a_lease_that_is_documented_has_words() {
        let codes = include_str!("../../../docs/codes.md");
        let section = codes.split("\n## ").find(|section| section.starts_with("Leases and targets")).unwrap();
        let documented = section.lines().filter_map(|line| line.strip_prefix("| `lease.")?.split('`').next());
        let documented: Vec<_> = documented
            .map(|name| Code::from(format!("lease.{name}")))
            // One is answered as a failure that passes; the other is told of, and answers no request.
            .filter(|code| !["lease.in_progress", "lease.not_ours"].contains(&code.as_str()))
            .collect();
        assert!(documented.len() > 20, "{documented:?}");
        let without: Vec<_> = documented.iter().filter(|code| meaning(code) == "it was refused").collect();
        assert!(without.is_empty(), "{without:?}");
    }

    #[test]
    fn every_failure_names_its_code_and_says_what_it_means() {
        let broken = || io::Error::other("broken");
        let all = [
            Failure::Usage(UsageError::NoCommand),
            Failure::Unreadable("c.toml".to_owned(), broken()),
            Failure::NoStore("store.db".into()),
            Failure::refused("lease.target_configured"),
            Failure::SecretFile(broken()),
            Failure::Output(broken(), Withdrawn::Ended),
            Failure::Interrupted,
        ];
        for failure in all {
            let text = failure.to_string();
            assert!(text.contains(&format!("({})", failure.code())), "{text}");
            assert!(!text.contains("it was refused"), "{text}");
        }
    }
}
