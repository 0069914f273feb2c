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
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| panic!("leases DIRECTORY [--quick]"), PathBuf::from);
    let wanted = Wanted { folder, is_quick: arguments.next().is_some() };
    std::fs::create_dir_all(&wanted.folder).unwrap();
    if let Some(slapd) = Slapd::start(&wanted.folder, Answers::Synced) {
        life::measure(&wanted, &slapd, "synced").await;
        storm::measure(&wanted, &slapd).await;
    }
    if let Some(slapd) = Slapd::start(&wanted.folder, Answers::Unsynced) {
        life::measure(&wanted, &slapd, "unsynced").await;
    }
    idle::measure(&wanted).await;
}

/// A line of times by the clock: ours by the other's.
pub(crate) fn time(what: &str, ours: &Figures, beside: (&Figures, &str), goal: Goal) {
    let (other, name) = beside;
    line(what, ours, format!("{other} {name}"), ours.to(other), goal);
}
