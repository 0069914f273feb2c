//! Lends accounts in directories for a time, and ends them.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use jit_core::{SystemClock, TimeGuard};
use jit_examples::checkout;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    let (clock, guard) = (Arc::new(SystemClock), Some(TimeGuard::default()));
    let code = checkout::run(arguments, clock, guard, &mut io::stdout().lock(), &mut io::stderr().lock());
    ExitCode::from(code)
}
