//! Another implementation, run once for many documents: requests go in and canonical forms come out, one a line.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Asks an oracle of `tests/peers` about every line at once, and returns its answers in order.
pub(crate) fn answers(folder: &str, requests: &[String]) -> Vec<String> {
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(folder).join("canonicalize");
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let answers = thread::scope(|scope| {
        scope.spawn(move || {
            let mut stdin = BufWriter::new(stdin);
            // an oracle that ends early has answered too few lines, which the caller sees
            let _ = requests.iter().try_for_each(|line| writeln!(stdin, "{line}"));
        });
        stdout.lines().map(Result::unwrap).collect()
    });
    assert!(child.wait().unwrap().success(), "{folder} failed: run ./test --setup");
    answers
}
