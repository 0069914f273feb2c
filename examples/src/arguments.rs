//! Command lines as text.

use std::ffi::OsString;
use std::io::{self, Write as _};

/// The command line is wrong.
const BAD_USAGE: u8 = 2;

/// Reads the arguments of this program, its name left out. What is not UTF-8 is refused: changed to fit, it would name
/// something else.
///
/// # Errors
/// The code with which to exit, once standard error was told.
pub fn of_program(name: &str) -> Result<Vec<String>, u8> {
    let read: Result<_, OsString> = std::env::args_os().skip(1).map(OsString::into_string).collect();
    read.map_err(|_| {
        // There is nowhere left to complain about a closed standard error.
        let _ = io::stderr().write_all(format!("{name}: an argument is not UTF-8\n").as_bytes());
        BAD_USAGE
    })
}
