//! The commands about people.

use super::taken::{name, roles, seen};
use super::{AT_MOST, LeaveDecision, Leavers, Order};
use crate::command_line::{Given, UsageError};

/// Reads what is to be done about whom.
pub(super) fn person(given: &mut Given) -> Result<Order, UsageError> {
    let command = given.word()?.ok_or(UsageError::MissingWord("add`, `end`, `release` or `leaving"))?;
    match command.as_str() {
        "add" => Ok(Order::AddPerson { name: name(given)?, roles: roles(given)? }),
        "end" => Ok(Order::EndPerson { name: name(given)? }),
        "release" => Ok(Order::ReleasePerson { whom: name(given)? }),
        "leaving" => Ok(Order::Leavers { connection: given.parsed("--connection")? }),
        "confirm-leave" => decide(given, LeaveDecision::Confirm),
        "dismiss-leave" => decide(given, LeaveDecision::Dismiss),
        _ => Err(UsageError::UnknownCommand(format!("person {command}"))),
    }
}

fn decide(given: &mut Given, decision: LeaveDecision) -> Result<Order, UsageError> {
    let whom = if given.flag("--all")? {
        Leavers::All {
            connection: given.parsed("--connection")?.ok_or(UsageError::Missing("--connection"))?,
            at_most: given.number("--at-most")?.unwrap_or(AT_MOST),
        }
    } else {
        Leavers::One { whom: name(given)?, seen: seen(given)? }
    };
    Ok(Order::DecideLeave { whom, decision })
}

#[cfg(test)]
mod tests {
    use jit_core::UserName;

    use super::super::{Command, parse};
    use super::*;

    fn order_of(line: &str) -> Result<Order, UsageError> {
        match parse(format!("--config c.toml person {line}").split_whitespace()) {
            Ok(Command::Run { order, .. }) => Ok(order),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        }
    }

    #[test]
    fn one_leave_is_decided_or_those_of_one_connection() {
        let of = |whom, decision| Ok(Order::DecideLeave { whom, decision });
        let all = |at_most| Leavers::All { connection: "hr".parse().unwrap(), at_most };
        let ada = |seen: &[&str]| Leavers::One {
            whom: UserName::new("ada").unwrap(),
            seen: seen.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(order_of("confirm-leave ada"), of(ada(&[]), LeaveDecision::Confirm));
        let seen = ["0123456789abcdef", "0123456789abcde0"];
        assert_eq!(
            order_of("dismiss-leave ada --seen 0123456789ABCDEF --seen=0123456789abcde0"),
            of(ada(&seen), LeaveDecision::Dismiss)
        );
        let invalid = order_of("confirm-leave ada --seen yesterday");
        assert!(matches!(invalid, Err(UsageError::Invalid("--seen", _))), "{invalid:?}");
        assert_eq!(order_of("dismiss-leave --all --connection hr"), of(all(10), LeaveDecision::Dismiss));
        let many = order_of("confirm-leave --all --connection hr --at-most 475");
        assert_eq!(many, of(all(475), LeaveDecision::Confirm));
        assert_eq!(order_of("leaving"), Ok(Order::Leavers { connection: None }));
        for (line, error) in [
            ("confirm-leave", UsageError::MissingWord("NAME")),
            ("confirm-leave --all", UsageError::Missing("--connection")),
            ("confirm-leave ada --at-most 3", UsageError::Misplaced("--at-most")),
            ("confirm-leave ada --all --connection hr", UsageError::TooMany),
            ("confirm-leave --all --connection hr --seen 0123456789abcdef", UsageError::Misplaced("--seen")),
        ] {
            assert_eq!(order_of(line), Err(error), "{line}");
        }
    }
}
