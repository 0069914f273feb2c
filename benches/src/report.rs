//! One line for each figure, beside its limit or peer.

use std::fmt::Display;

/// Says what a ratio shall be.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a figure has an upper bound, a lower bound or none")]
pub enum Goal {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Shown for comparison only.
    Shown,
}

/// Prints a line of the table: what, our figure, the figure beside it, their ratio.
#[expect(clippy::print_stdout, reason = "this is what the programs are for")]
pub fn line(what: &str, ours: impl Display, beside: impl Display, ratio: f64, goal: Goal) {
    let (words, met) = match goal {
        Goal::AtMost(most) => (format!("<= {most}"), if ratio <= most { "yes" } else { "NO" }),
        Goal::AtLeast(least) => (format!(">= {least}"), if ratio >= least { "yes" } else { "NO" }),
        Goal::Shown => (String::new(), ""),
    };
    let (ours, beside) = (ours.to_string(), beside.to_string());
    println!("| {what:<62} | {ours:<26} | {beside:<38} | {ratio:>6.3} | {words:<7} | {met:<3} |");
}

/// Prints a remark between the lines.
#[expect(clippy::print_stdout, reason = "this is what the programs are for")]
pub fn remark(text: &str) {
    println!("# {text}");
}
