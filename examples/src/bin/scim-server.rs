//! Lets a directory or HR system drive accounts over SCIM 2.0.

use std::process::ExitCode;

use jit_examples::scim_server;

/// A directory's first run makes thousands of requests at once, each of many small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    scim_server::run(std::env::args_os().skip(1))
}
