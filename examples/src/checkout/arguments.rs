//! The command line.

mod mirror;
mod person;
mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::TimeDelta;
use jit_core::{AccountId, ConnectionId, Entitlement, RuleName, Span, TargetId, UserName};

pub(super) use mirror::MirrorOrder;
use person::person;
pub(super) use usage::USAGE;

/// Says what is wrong with a command line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UsageError {
    #[error("name a command")]
    NoCommand,
    #[error("unknown command `{0}`")]
    UnknownCommand(String),
    #[error("unknown option `{0}`")]
    UnknownOption(String),
    #[error("option `{0}` does not belong to this command")]
    Misplaced(&'static str),
    #[error("option `{0}` needs a value")]
    MissingValue(&'static str),
    #[error("option `{0}` takes no value")]
    UnexpectedValue(&'static str),
    #[error("option `{0}` is given twice")]
    Repeated(&'static str),
    #[error("option `{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` is missing")]
    MissingWord(&'static str),
    #[error("one word too many")]
    TooMany,
    #[error("`{0}`: {1}")]
    Invalid(&'static str, String),
}

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
const OPTIONS: [(&str, bool); 21] = [
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
    ("--help", false),
    ("--version", false),
];

/// The longest name of whoever acts.
const NAME_BYTES: usize = 128;
/// How many returned accounts are ended, and leaves decided, without a person who looks at each, unless said otherwise.
const AT_MOST: usize = 10;

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
    let mut given = Given::read(arguments)?;
    if given.flag("--help")? {
        return Ok(Command::Help);
    }
    if given.flag("--version")? {
        return Ok(Command::Version);
    }
    let (config, json) = (given.need("--config"), given.flag("--json")?);
    let by = given.one("--by")?;
    if by.as_ref().is_some_and(|by| by.is_empty() || by.len() > NAME_BYTES || by.contains(char::is_control)) {
        let message = format!("must be a name of up to {NAME_BYTES} bytes");
        return Err(UsageError::Invalid("--by", message));
    }
    let order = order(&mut given)?;
    given.rest()?;
    Ok(Command::Run { config: config?.into(), json, by, order })
}

fn order(given: &mut Given) -> Result<Order, UsageError> {
    let command = given.words.next().ok_or(UsageError::NoCommand)?;
    Ok(match command.as_str() {
        "out" => Order::Out(Box::new(Out {
            holder: UserName::new(&given.need("--for")?).map_err(|error| invalid("--for", &error))?,
            target: given.parsed("--target")?.ok_or(UsageError::Missing("--target"))?,
            role: given.parsed("--role")?.ok_or(UsageError::Missing("--role"))?,
            span: given.span()?,
            key: given.one("--key")?,
            reason: given.one("--reason")?,
            account: given.one("--account")?,
            secret_file: given.one("--secret-file")?.map(PathBuf::from),
        })),
        "in" => {
            let lease = given.lease()?;
            if given.flag("--gone-for-good")? {
                Order::DeclareGone { lease, reason: given.need("--reason")? }
            } else {
                Order::In { lease }
            }
        }
        "extend" => Order::Extend { lease: given.lease()?, span: given.span()? },
        "list" => Order::List { holder: given.holder()?, target: given.parsed("--target")? },
        "sweep" => Order::Sweep,
        "reconcile" => {
            let (apply, at_most) = (given.flag("--apply")?, given.parsed("--at-most")?);
            if at_most.is_some() && !apply {
                return Err(UsageError::Missing("--apply"));
            }
            let at_most = apply.then_some(at_most.unwrap_or(AT_MOST));
            Order::Reconcile { target: given.parsed("--target")?, at_most }
        }
        "alarms" => Order::Alarms { span: given.since()? },
        "exposure" => Order::Exposure,
        "confirm-time" => Order::ConfirmTime,
        "person" => return person(given),
        "mirror" => Order::Mirror(MirrorOrder::read(given)?),
        _ => return Err(UsageError::UnknownCommand(command)),
    })
}

fn invalid(name: &'static str, error: &dyn std::fmt::Display) -> UsageError {
    UsageError::Invalid(name, error.to_string())
}

/// The words and options of a command line.
struct Given {
    words: std::vec::IntoIter<String>,
    options: BTreeMap<&'static str, Vec<String>>,
}

impl Given {
    fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, UsageError> {
        let (mut words, mut options) = (Vec::new(), BTreeMap::<_, Vec<String>>::new());
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            if !argument.starts_with('-') {
                words.push(argument);
                continue;
            }
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let name = if name == "-h" { "--help" } else { name };
            let known = OPTIONS.iter().find(|(known, _)| *known == name);
            let Some(&(name, has_value)) = known else {
                return Err(UsageError::UnknownOption(name.to_owned()));
            };
            let value = match (has_value, attached) {
                (true, attached) => attached.or_else(|| rest.next()).ok_or(UsageError::MissingValue(name))?,
                (false, None) => String::new(),
                (false, Some(_)) => return Err(UsageError::UnexpectedValue(name)),
            };
            options.entry(name).or_default().push(value);
        }
        Ok(Self { words: words.into_iter(), options })
    }

    fn one(&mut self, name: &'static str) -> Result<Option<String>, UsageError> {
        let mut values = self.options.remove(name).unwrap_or_default().into_iter();
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(UsageError::Repeated(name)),
            (value, None) => Ok(value),
        }
    }

    fn flag(&mut self, name: &'static str) -> Result<bool, UsageError> {
        Ok(self.one(name)?.is_some())
    }

    fn need(&mut self, name: &'static str) -> Result<String, UsageError> {
        self.one(name)?.ok_or(UsageError::Missing(name))
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, UsageError> {
        let value = self.one(name)?.map(|text| text.parse());
        value.transpose().map_err(|error: T::Err| invalid(name, &error))
    }

    fn span(&mut self) -> Result<TimeDelta, UsageError> {
        let span: Span = self.parsed("--ttl")?.ok_or(UsageError::Missing("--ttl"))?;
        Ok(span.delta())
    }

    fn since(&mut self) -> Result<TimeDelta, UsageError> {
        let span: Option<Span> = self.parsed("--since")?;
        Ok(span.map_or(TimeDelta::days(7), Span::delta))
    }

    fn holder(&mut self) -> Result<Option<UserName>, UsageError> {
        let name = self.one("--for")?.map(|text| UserName::new(&text));
        name.transpose().map_err(|error| invalid("--for", &error))
    }

    fn name(&mut self) -> Result<UserName, UsageError> {
        let text = self.words.next().ok_or(UsageError::MissingWord("NAME"))?;
        UserName::new(&text).map_err(|error| invalid("NAME", &error))
    }

    fn roles(&mut self) -> Result<Vec<Entitlement>, UsageError> {
        let named = self.options.remove("--role").unwrap_or_default();
        let roles = named.iter().map(|text| text.parse().map_err(|error| invalid("--role", &error)));
        roles.collect()
    }

    fn seen(&mut self) -> Result<Vec<String>, UsageError> {
        let named = self.options.remove("--seen").unwrap_or_default();
        let is_digest = |text: &String| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if named.iter().all(is_digest) {
            Ok(named.iter().map(|text| text.to_ascii_lowercase()).collect())
        } else {
            Err(UsageError::Invalid("--seen", "must be what `person leaving` shows under SEEN".to_owned()))
        }
    }

    fn lease(&mut self) -> Result<AccountId, UsageError> {
        let text = self.words.next().ok_or(UsageError::MissingWord("LEASE"))?;
        text.parse().map_err(|_| UsageError::Invalid("LEASE", "is no id of a lease".to_owned()))
    }

    fn rest(&mut self) -> Result<(), UsageError> {
        if self.words.next().is_some() {
            return Err(UsageError::TooMany);
        }
        let left = self.options.keys().next();
        left.map_or(Ok(()), |name| Err(UsageError::Misplaced(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: &str = "01932c1e-0000-7000-8000-000000000001";

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(str::to_owned))
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
        let span = parsed(&format!("--config c extend {LEASE} --ttl soon"));
        assert!(matches!(span, Err(UsageError::Invalid("--ttl", _))));
    }
}
