//! Signs people in and shows the account that came into being, and why.

use std::process::ExitCode;

use jit_examples::{arguments, portal};

fn main() -> ExitCode {
    arguments::of_program("portal").map_or_else(ExitCode::from, portal::run)
}
