//! Accounts that are lent: their life beside the bare operations of the directory, many that end in one second, and what a
//! house full of live ones costs when nothing is due.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for people who measure: whatever goes wrong ends the measurement"
)]

mod house;
mod idle;
mod life;
mod raw;
mod slapd;
mod storm;

use std::path::PathBuf;

use jit_benches::{cost::Figures, report::Goal, report::line};

use crate::slapd::{Answers, Slapd};

/// What the command line asks for.
pub(crate) struct Wanted {
    pub(crate) folder: PathBuf,
    pub(crate) is_quick: bool,
    /// The part to measure; all of them where none is named.
    part: Option<String>,
}

impl Wanted {
    fn read() -> Self {
        let mut arguments = std::env::args().skip(1);
        let usage = || panic!("leases DIRECTORY [--quick] [life | storm | idle]");
        let folder = arguments.next().map_or_else(usage, PathBuf::from);
        let (flags, parts): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument == "--quick");
        Self { folder, is_quick: !flags.is_empty(), part: parts.into_iter().next() }
    }

    fn wants(&self, part: &str) -> bool {
        self.part.as_deref().is_none_or(|wanted| wanted == part)
    }
}

#[tokio::main]
async fn main() {
    let wanted = Wanted::read();
    std::fs::create_dir_all(&wanted.folder).unwrap();
    if wanted.wants("life")
        && let Some(slapd) = Slapd::start(&wanted.folder, Answers::Unsynced)
    {
        life::measure(&wanted, &slapd, "unsynced").await;
    }
    if (wanted.wants("life") || wanted.wants("storm"))
        && let Some(slapd) = Slapd::start(&wanted.folder, Answers::Synced)
    {
        if wanted.wants("life") {
            life::measure(&wanted, &slapd, "synced").await;
        }
        if wanted.wants("storm") {
            storm::measure(&wanted, &slapd).await;
        }
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
