use std::ffi::OsString;

use chrono::{DateTime, Utc};
use jit_core::Clock;

use crate::command_line::{Given, Known, UsageError};

/// Says what is asked for of evidence of any kind.
pub(in crate::inspect) struct ForBoth {
    config: Option<String>,
    connection: Option<String>,
    now: Option<DateTime<Utc>>,
    pub(in crate::inspect) explain: bool,
    pub(in crate::inspect) store: Option<String>,
    pub(in crate::inspect) files: Vec<String>,
}

/// The options for both, and whether each has a value.
const OPTIONS: [Known; 5] =
    [("--config", true), ("--connection", true), ("--now", true), ("--explain", false), ("--store", true)];

impl ForBoth {
    /// Reads a command line that has these options, and those of one kind of evidence.
    pub(super) fn read(
        arguments: impl IntoIterator<Item = OsString>,
        own: &[Known],
    ) -> Result<Given, UsageError> {
        Given::read(arguments, &[&OPTIONS, own].concat())
    }

    /// Takes what was given for both.
    pub(super) fn take(given: &mut Given) -> Result<Self, UsageError> {
        Ok(Self {
            config: given.one("--config")?,
            connection: given.one("--connection")?,
            now: time(given)?,
            explain: given.flag("--explain")?,
            store: given.one("--store")?,
            files: given.words()?,
        })
    }

    /// The configuration and the connection in it that the expectations come from; else they are on the command line.
    pub(in crate::inspect) fn configured(&self) -> Option<(&str, &str)> {
        self.config.as_deref().zip(self.connection.as_deref())
    }

    /// The time of the inspection.
    pub(in crate::inspect) fn now(&self, clock: &dyn Clock) -> DateTime<Utc> {
        self.now.unwrap_or_else(|| clock.now())
    }

    /// Whether a configuration is named.
    pub(super) fn has_config(&self) -> bool {
        self.config.is_some()
    }

    /// Asks that a connection of the configuration is named.
    pub(super) fn check_configured(&self) -> Result<(), UsageError> {
        if self.connection.is_none() { Err(UsageError::Missing("--connection")) } else { Ok(()) }
    }

    /// Asks for nothing that only a configuration tells.
    pub(super) fn check_described(&self) -> Result<(), UsageError> {
        let needs_config = self.connection.is_some() || self.explain;
        if needs_config { Err(UsageError::Missing("--config")) } else { Ok(()) }
    }

    /// Asks that there is something to inspect, and a store only for what is explained.
    pub(super) fn check_rest(&self) -> Result<(), UsageError> {
        if self.store.is_some() && !self.explain {
            return Err(UsageError::Missing("--explain"));
        }
        if self.files.is_empty() { Err(no_files()) } else { Ok(()) }
    }
}

pub(super) fn no_files() -> UsageError {
    UsageError::Unclear("name at least one file".to_owned())
}

fn time(given: &mut Given) -> Result<Option<DateTime<Utc>>, UsageError> {
    let Some(text) = given.one("--now")? else { return Ok(None) };
    let from_epoch = text.parse::<i64>().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let at = from_epoch.or_else(|| DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc()));
    let wrong = || UsageError::invalid("--now", &"neither seconds since 1970 nor a time of RFC 3339");
    at.ok_or_else(wrong).map(Some)
}
