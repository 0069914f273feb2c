//! The command line.

mod mirror;
mod person;
mod taken;
mod usage;

use std::ffi::OsString;
use std::path::PathBuf;

use chrono::TimeDelta;
use jit_core::{AccountId, ConnectionId, Entitlement, RuleName, TargetId, UserName};

use crate::command_line::{Given, Known, UsageError};

pub(super) use mirror::MirrorOrder;
use person::person;
use taken::{holder, lease, since, span};
pub(super) use usage::USAGE;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Version,
    Run { config: PathBuf, json: bool, by: Option<String>, order: Order },
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    Out(Box<Out>),
    In { lease: AccountId },
    DeclareGone { lease: AccountId, reason: String },
    Extend { lease: AccountId, span: TimeDelta },
    List { holder: Option<UserName>, target: Option<TargetId> },
    Sweep,
    Reconcile { target: Option<TargetId>, at_most: Option<usize> },
    Alarms { span: TimeDelta },
    Exposure,
    ConfirmTime,
    AddPerson { name: UserName, roles: Vec<Entitlement> },
    EndPerson { name: UserName },
    ReleasePerson { whom: UserName },
    Leavers { connection: Option<ConnectionId> },
    DecideLeave { whom: Leavers, decision: LeaveDecision },
    Mirror(MirrorOrder),
}

impl Order {
    /// Whether it begins a store where there is none.
    pub(super) const fn makes_a_store(&self) -> bool {
        matches!(self, Self::AddPerson { .. })
    }
}

/// Whose leaves are decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leavers {
    One {
        whom: UserName,
        /// These alone, as `person leaving` named them, and none if one of them changed; else whatever waits.
        seen: Vec<String>,
    },
    /// All that wait of a connection, unless they are more.
    All { connection: ConnectionId, at_most: usize },
}

/// What becomes of a leave that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaveDecision {
    Confirm,
    Dismiss,
}

/// What is to be lent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Out {
    pub(super) holder: UserName,
    pub(super) target: TargetId,
    pub(super) role: RuleName,
    pub(super) span: TimeDelta,
    pub(super) key: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) account: Option<String>,
}

/// Each option, and whether it has a value.
const OPTIONS: [Known; 20] = [
    ("--config", true),
    ("--json", false),
    ("--by", true),
    ("--for", true),
    ("--target", true),
    ("--role", true),
    ("--ttl", true),
    ("--key", true),
    ("--reason", true),
    ("--secret-file", true),
    ("--account", true),
    ("--apply", false),
    ("--all", false),
    ("--connection", true),
    ("--at-most", true),
    ("--count", true),
    ("--since", true),
    ("--seen", true),
    ("--gone-for-good", false),
    ("--version", false),
];

/// The longest name of whoever acts.
const NAME_BYTES: usize = 128;
/// How many returned accounts are ended, and leaves decided, without a person who looks at each, unless said otherwise.
const AT_MOST: usize = 10;

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item: Into<OsString>>) -> Result<Command, UsageError> {
    let mut given = Given::read(arguments, &OPTIONS)?;
    if given.help {
        return Ok(Command::Help);
    }
    if given.flag("--version")? {
        return Ok(Command::Version);
    }
    let (config, json) = (given.path("--config"), given.flag("--json")?);
    let by = given.one("--by")?;
    if by.as_ref().is_some_and(|by| by.is_empty() || by.len() > NAME_BYTES || by.contains(char::is_control)) {
        let message = format!("must be a name of up to {NAME_BYTES} bytes");
        return Err(UsageError::Invalid("--by", message));
    }
    let order = order(&mut given)?;
    given.rest()?;
    Ok(Command::Run { config: config?.ok_or(UsageError::Missing("--config"))?, json, by, order })
}

fn order(given: &mut Given) -> Result<Order, UsageError> {
    let command = given.word()?.ok_or(UsageError::NoCommand)?;
    Ok(match command.as_str() {
        "out" => Order::Out(Box::new(Out {
            holder: UserName::new(&given.need("--for")?)
                .map_err(|error| UsageError::invalid("--for", &error))?,
            target: given.parsed("--target")?.ok_or(UsageError::Missing("--target"))?,
            role: given.parsed("--role")?.ok_or(UsageError::Missing("--role"))?,
            span: span(given)?,
            key: given.one("--key")?,
            reason: given.one("--reason")?,
            account: given.one("--account")?,
            secret_file: given.path("--secret-file")?,
        })),
        "in" => {
            let lease = lease(given)?;
            if given.flag("--gone-for-good")? {
                Order::DeclareGone { lease, reason: given.need("--reason")? }
            } else {
                Order::In { lease }
            }
        }
        "extend" => Order::Extend { lease: lease(given)?, span: span(given)? },
        "list" => Order::List { holder: holder(given)?, target: given.parsed("--target")? },
        "sweep" => Order::Sweep,
        "reconcile" => {
            let (apply, at_most) = (given.flag("--apply")?, given.number("--at-most")?);
            if at_most.is_some() && !apply {
                return Err(UsageError::Missing("--apply"));
            }
            let at_most = apply.then_some(at_most.unwrap_or(AT_MOST));
            Order::Reconcile { target: given.parsed("--target")?, at_most }
        }
        "alarms" => Order::Alarms { span: since(given)? },
        "exposure" => Order::Exposure,
        "confirm-time" => Order::ConfirmTime,
        "person" => return person(given),
        "mirror" => Order::Mirror(MirrorOrder::read(given)?),
        _ => return Err(UsageError::UnknownCommand(command)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: &str = "01932c1e-0000-7000-8000-000000000001";

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn order_of(line: &str) -> Order {
        match parsed(&format!("--config c.toml {line}")) {
            Ok(Command::Run { order, .. }) => order,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_stand_before_or_behind_the_command() {
        let before = parsed("--config c.toml --json sweep").unwrap();
        assert_eq!(before, parsed("sweep --json --config=c.toml").unwrap());
        let sweep = Command::Run { config: "c.toml".into(), json: true, by: None, order: Order::Sweep };
        assert_eq!(before, sweep);
        assert_eq!(parsed("out --help"), Ok(Command::Help));
        assert_eq!(parsed("--version"), Ok(Command::Version));
    }

    #[test]
    fn a_check_out_is_read_whole() {
        let Order::Out(out) =
            order_of("out --for ada --target ad --role ops --ttl 1h30m --key k --reason why")
        else {
            panic!("a check-out")
        };
        assert_eq!((out.holder.as_str(), out.target.as_str(), out.role.as_str()), ("ada", "ad", "ops"));
        assert_eq!((out.span, out.key.as_deref()), (TimeDelta::minutes(90), Some("k")));
    }

    #[test]
    fn reconciling_reports_unless_it_is_told_to_act() {
        let report = Order::Reconcile { target: None, at_most: None };
        assert_eq!(order_of("reconcile"), report);
        let act = |most| Order::Reconcile { target: None, at_most: Some(most) };
        assert_eq!(order_of("reconcile --apply"), act(10));
        assert_eq!(order_of("reconcile --apply --at-most 3"), act(3));
        assert_eq!(parsed("--config c reconcile --at-most 3"), Err(UsageError::Missing("--apply")));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_refused_and_a_path_is_kept_as_it_is() {
        use std::os::unix::ffi::OsStringExt as _;
        let with = |option: &str, value: &[u8]| {
            let line = "out --for ada --target ad --role ops --ttl 1h";
            let mut words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            words.extend(["--config".into(), OsString::from_vec(b"c\xe9".to_vec())]);
            words.extend([option.into(), OsString::from_vec(value.to_vec())]);
            parse(words)
        };
        for option in ["--key", "--reason", "--by", "--account", "--target"] {
            let refused = with(option, b"k\xff");
            assert!(matches!(refused, Err(UsageError::NotUtf8 | UsageError::Repeated(_))), "{refused:?}");
        }
        let path = || PathBuf::from(OsString::from_vec(b"s\xe9".to_vec()));
        let Ok(Command::Run { config, order: Order::Out(out), .. }) = with("--secret-file", b"s\xe9") else {
            panic!("a check-out")
        };
        assert_eq!(config, PathBuf::from(OsString::from_vec(b"c\xe9".to_vec())));
        assert_eq!(out.secret_file, Some(path()));
    }

    #[test]
    fn a_wrong_command_line_says_what_is_wrong() {
        for (line, error) in [
            ("", UsageError::NoCommand),
            ("--config c", UsageError::NoCommand),
            ("sweep", UsageError::Missing("--config")),
            ("--config c dance", UsageError::UnknownCommand("dance".into())),
            ("--config c person", UsageError::MissingWord("add`, `end`, `release` or `leaving")),
            ("--config c person add", UsageError::MissingWord("NAME")),
            ("--config c mirror forecast", UsageError::Missing("--target")),
            ("--config c mirror allow --target chat", UsageError::Missing("--count")),
            ("--config c mirror let-go --target chat", UsageError::Missing("--for")),
            ("--config c mirror break", UsageError::UnknownCommand("mirror break".into())),
            ("--config c in", UsageError::MissingWord("LEASE")),
            ("--config c sweep now", UsageError::TooMany),
            ("--config c list --since 1d", UsageError::Misplaced("--since")),
            ("--config c sweep --ttl 1h", UsageError::Misplaced("--ttl")),
            ("--config c --config d sweep", UsageError::Repeated("--config")),
            ("--config c --json=yes sweep", UsageError::UnexpectedValue("--json")),
            ("--config", UsageError::MissingValue("--config")),
            ("--verbose", UsageError::UnknownOption("--verbose".into())),
            (&format!("--config c extend {LEASE}"), UsageError::Missing("--ttl")),
            (&format!("--config c in {LEASE} --gone-for-good"), UsageError::Missing("--reason")),
            (&format!("--config c in {LEASE} --reason why"), UsageError::Misplaced("--reason")),
        ] {
            assert_eq!(parsed(line), Err(error), "{line}");
        }
        assert!(matches!(parsed("--config c sweep --by="), Err(UsageError::Invalid("--by", _))));
        for line in ["in 7", "extend x --ttl 1h", "person add \u{430}da"] {
            assert!(matches!(parsed(&format!("--config c {line}")), Err(UsageError::Invalid(..))), "{line}");
        }
        let count = parsed("--config c reconcile --apply --at-most -1").unwrap_err().to_string();
        assert_eq!(count, "`--at-most`: must be a whole number, as in 10");
        let span = parsed(&format!("--config c extend {LEASE} --ttl soon"));
        assert!(matches!(span, Err(UsageError::Invalid("--ttl", _))));
    }
}
