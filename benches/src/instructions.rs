//! Counting instructions: what a loop takes with many turns, less what it takes with few.

use std::process::Command;

/// Tells whether instructions can be counted here.
#[must_use]
pub fn can_count() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs this program with `arguments` and a number of turns behind them, twice under callgrind, and tells the
/// instructions of one turn: start-up cancels out.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "billions fit")]
pub fn of_a_turn(arguments: &[&str], few: u64, many: u64) -> f64 {
    let difference = collected(arguments, many).saturating_sub(collected(arguments, few));
    difference as f64 / many.saturating_sub(few) as f64
}

fn collected(arguments: &[&str], turns: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .arg(turns.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse().ok());
    collected.filter(|_| output.status.success()).unwrap_or_else(|| panic!("callgrind failed: {text}"))
}
