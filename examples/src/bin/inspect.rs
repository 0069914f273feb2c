//! Inspects evidence from files: would this connection accept it, and what would come of it?

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use jit_core::SystemClock;
use jit_examples::inspect;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    let mut out = BufWriter::new(io::stdout().lock());
    let code = inspect::run(arguments, &SystemClock, &mut out, &mut io::stderr().lock());
    match out.flush() {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(inspect::BAD_USAGE),
    }
}
