//! Accounts that are lent: their life beside the bare operations of the directory, many that end in one second, and what a
//! house full of live ones costs when nothing is due.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for people who measure: whatever goes wrong ends the measurement"
)]

mod far;
mod fill;
mod house;
mod idle;
mod life;
mod raw;
mod slapd;
mod storm;

use std::path::PathBuf;

use jit_benches::{cost::Figures, report::Goal, report::line};

/// What the command line asks for.
pub(crate) struct Wanted {
    pub(crate) folder: PathBuf,
    pub(crate) is_quick: bool,
    /// The part to measure; all of them where none is named.
    part: Option<String>,
}

impl Wanted {
    fn wants(&self, part: &str) -> bool {
        self.part.as_deref().is_none_or(|wanted| wanted == part)
    }
}

#[tokio::main]
async fn main() {
    let (flags, words): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument == "--quick");
    let mut words = words.into_iter();
    let usage = || panic!("leases DIRECTORY [--quick] [life | storm | idle | start NAME]");
    let folder = words.next().map_or_else(usage, PathBuf::from);
    let wanted = Wanted { folder, is_quick: !flags.is_empty(), part: words.next() };
    std::fs::create_dir_all(&wanted.folder).unwrap();
    if let Some(name) = words.next() {
        return idle::start(&wanted.folder, &name).await;
    }
    if wanted.wants("life") {
        life::measure(&wanted).await;
    }
    if wanted.wants("storm") {
        storm::measure(&wanted).await;
    }
    if wanted.wants("idle") {
        idle::measure(&wanted).await;
    }
}

/// A line of times by the clock: ours by the other's.
pub(crate) fn time(what: &str, ours: &Figures, beside: (&Figures, &str), goal: Goal) {
    let (other, name) = beside;
    line(what, ours, format!("{other} {name}"), ours.to(other), goal);
}
