//! The part of the command line that is about mirrors.

use jit_core::{TargetId, UserName};

use super::taken::holder;
use crate::command_line::{Given, UsageError};

/// What is to be done about the accounts that are mirrored to a target.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::checkout) enum MirrorOrder {
    Parked { target: Option<TargetId> },
    Drift { target: Option<TargetId> },
    Forecast { target: TargetId },
    Allow { target: TargetId, count: u32 },
    Anew { target: TargetId },
    LetGo { target: TargetId, whom: UserName },
}

impl MirrorOrder {
    pub(super) fn read(given: &mut Given) -> Result<Self, UsageError> {
        let words = "parked`, `drift`, `forecast`, `allow`, `anew` or `let-go";
        let command = given.word()?.ok_or(UsageError::MissingWord(words))?;
        let target = given.parsed::<TargetId>("--target")?;
        let needed = || target.clone().ok_or(UsageError::Missing("--target"));
        Ok(match command.as_str() {
            "parked" => Self::Parked { target },
            "drift" => Self::Drift { target },
            "forecast" => Self::Forecast { target: needed()? },
            "allow" => {
                let count = given.number("--count")?.ok_or(UsageError::Missing("--count"))?;
                Self::Allow { target: needed()?, count }
            }
            "anew" => Self::Anew { target: needed()? },
            "let-go" => {
                let whom = holder(given)?.ok_or(UsageError::Missing("--for"))?;
                Self::LetGo { target: needed()?, whom }
            }
            _ => return Err(UsageError::UnknownCommand(format!("mirror {command}"))),
        })
    }
}
