//! Runs the programs where nobody listens: a closed pipe is no reason to break down.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::pipe;
use std::process::{Command, Stdio};

const PROGRAMS: [&str; 4] = [
    env!("CARGO_BIN_EXE_portal"),
    env!("CARGO_BIN_EXE_checkout"),
    env!("CARGO_BIN_EXE_inspect"),
    env!("CARGO_BIN_EXE_scim-server"),
];

/// A pipe whose other end is closed.
fn closed() -> Stdio {
    let (_, writer) = pipe().unwrap();
    writer.into()
}

#[test]
fn an_answer_that_nobody_takes_is_a_failure_and_no_breakdown() {
    let token = (env!("CARGO_BIN_EXE_scim-server"), "token");
    for (program, argument) in PROGRAMS.map(|program| (program, "--help")).into_iter().chain([token]) {
        let output = Command::new(program).arg(argument).stdout(closed()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(1..=3)), "{program}: {:?}: {said}", output.status);
        assert!(!said.contains("panicked"), "{program}: {said}");
    }
}

#[test]
fn a_complaint_that_nobody_takes_changes_no_exit_code() {
    for program in PROGRAMS {
        let status = Command::new(program).arg("--nonsense").stderr(closed()).status().unwrap();
        assert_eq!(status.code(), Some(2), "{program}");
    }
}
