//! Signs people in and shows the account that came into being, and why.

use std::process::ExitCode;

fn main() -> ExitCode {
    jit_examples::portal::run(std::env::args_os().skip(1))
}
