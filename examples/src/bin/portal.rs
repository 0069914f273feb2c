//! Signs people in and shows the account that came into being, and why.

use std::process::ExitCode;

use jit_examples::portal;

fn main() -> ExitCode {
    portal::run(std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()))
}
