//! Inspects evidence from files: would this connection accept it, and what would come of it?

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use jit_core::SystemClock;
use jit_examples::{arguments, inspect};

fn main() -> ExitCode {
    let arguments = match arguments::of_program("inspect") {
        Ok(arguments) => arguments,
        Err(code) => return ExitCode::from(code),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let code = inspect::run(arguments, &SystemClock, &mut out, &mut io::stderr().lock());
    match out.flush() {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(inspect::BAD_USAGE),
    }
}
