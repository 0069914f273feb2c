//! Inspects evidence from files: would this connection accept it, and what would come of it?

mod arguments;
mod configured;
mod explain;
mod explained;
mod files;
mod oidc;
mod refusal;
mod report;
mod saml;

use std::ffi::OsString;
use std::io::{self, Write};

use jit_core::config::Problems;
use jit_core::{Clock, Code};

use crate::command_line::UsageError;
use arguments::Command;

/// Every file was accepted.
pub const ALL_ACCEPTED: u8 = 0;
/// At least one file was not accepted.
pub const SOME_REFUSED: u8 = 1;
/// The command line, or a file that it names, is wrong; or the answer could not be written.
pub const BAD_USAGE: u8 = 2;

/// Runs the command line and tells with which code the process should exit.
///
/// Answers go to `out`, one JSON object a line; complaints about the command line go to `err`.
pub fn run(
    arguments: impl IntoIterator<Item: Into<OsString>>,
    clock: &dyn Clock,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    match answer(arguments, clock, out) {
        Ok(code) => code,
        Err(Failure::Usage(error)) => complain(err, &format!("inspect: {error}\n\n{}", arguments::USAGE)),
        Err(Failure::Settings(problems)) => complain(err, &format!("{problems}\n")),
        Err(Failure::Backend(code)) => {
            complain(err, &format!("inspect: the store cannot be asked ({code})\n"))
        }
        Err(Failure::File(name, error)) => complain(err, &format!("inspect: `{name}`: {error}\n")),
        Err(Failure::Output(error)) => {
            complain(err, &format!("inspect: the answer cannot be written: {error}\n"))
        }
    }
}

/// Why there is no answer.
enum Failure {
    Usage(UsageError),
    Settings(Problems),
    Backend(Code),
    File(String, io::Error),
    Output(io::Error),
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

fn answer(
    arguments: impl IntoIterator<Item: Into<OsString>>,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    match arguments::parse(arguments)? {
        Command::Help => {
            out.write_all(arguments::USAGE.as_bytes()).map_err(Failure::Output)?;
            Ok(ALL_ACCEPTED)
        }
        Command::Oidc(inquiry) => oidc::inspect(&inquiry, clock, out),
        Command::Saml(inquiry) => saml::inspect(&inquiry, clock, out),
    }
}

fn complain(err: &mut dyn Write, text: &str) -> u8 {
    // There is nowhere left to complain about a closed standard error.
    let _ = err.write_all(text.as_bytes());
    BAD_USAGE
}
