//! What rules ask about, read once for each decision and only when a rule asks.

use std::fmt::Write as _;

use serde_json::Value;

use super::literals::{Found, Literals};
use crate::{Account, Claim, ClaimPath, ClaimValues, Present, Request};

/// The most sources whose reading is kept for a decision; further ones are read anew by each rule.
pub(super) const KEPT: usize = 16;

/// Says where texts come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// A claim.
    Claim(ClaimPath),
    /// What the mapping wishes for.
    Wished,
    /// What the account that was found holds.
    Held,
}

/// Keeps a source with the texts that rules look for in it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) source: Source,
    pub(super) literals: Literals,
}

/// Tells how a source spoke.
#[derive(Clone, Copy)]
pub(super) enum Spoke<'r> {
    /// It said nothing.
    Silent,
    /// It said that there is more than it sent, or several accounts could be meant.
    Open,
    /// It said that there is nothing.
    Empty,
    /// It said this.
    Values(ClaimValues<'r>),
    /// The mapping wishes for something.
    Wishes,
    /// An account was found.
    Account(&'r Account),
}

/// Keeps how a source spoke, and whether everything it said could be read.
#[derive(Clone, Copy)]
pub(super) struct Heard<'r> {
    pub(super) spoke: Spoke<'r>,
    pub(super) complete: bool,
}

/// Reads sources for one decision. Allocates nothing.
pub(super) struct Facts<'r> {
    pub(super) request: &'r Request<'r>,
    readings: &'r [Reading],
    heard: [Option<Heard<'r>>; KEPT],
    pub(super) found: Found,
}

impl<'r> Facts<'r> {
    pub(super) fn new(request: &'r Request<'r>, readings: &'r [Reading]) -> Self {
        Self { request, readings, heard: [None; KEPT], found: Found::default() }
    }

    /// How the source spoke; the texts that rules look for in it are marked as found.
    pub(super) fn hear(&mut self, source: usize) -> Heard<'r> {
        if let Some(Some(heard)) = self.heard.get(source) {
            return *heard;
        }
        let Some(reading) = self.readings.get(source) else {
            return Heard { spoke: Spoke::Open, complete: false };
        };
        let spoke = self.listen(&reading.source);
        let found = &mut self.found;
        let literals = &reading.literals;
        let readable = each_text(spoke, self.request, |text| {
            if let Some(number) = literals.number(text) {
                found.add(number);
            }
            false
        });
        // Wishes that come from a cut claim are cut as well.
        let cut = matches!(reading.source, Source::Wished) && self.request.identity.claims().has_truncated();
        let heard = Heard { spoke, complete: readable != Readable::InPart && !cut };
        if let Some(kept) = self.heard.get_mut(source) {
            *kept = Some(heard);
        }
        heard
    }

    fn listen(&self, source: &Source) -> Spoke<'r> {
        match source {
            Source::Claim(path) => match self.request.identity.claims().at(path) {
                Claim::Absent => Spoke::Silent,
                Claim::Truncated => Spoke::Open,
                Claim::Empty => Spoke::Empty,
                Claim::Values(values) => Spoke::Values(values),
            },
            Source::Wished => Spoke::Wishes,
            Source::Held => match self.request.present {
                Present::Nobody => Spoke::Empty,
                Present::Ambiguous => Spoke::Open,
                Present::Linked(account) | Present::Candidate { account, .. } => Spoke::Account(account),
            },
        }
    }

    /// Tells whether one of the texts passes the test.
    pub(super) fn any(&self, heard: Heard<'r>, test: impl FnMut(&str) -> bool) -> bool {
        each_text(heard.spoke, self.request, test) == Readable::Stopped
    }

    /// The name of the claim that a source reads.
    pub(super) fn claim(&self, source: usize) -> Option<&'r ClaimPath> {
        match &self.readings.get(source)?.source {
            Source::Claim(path) => Some(path),
            Source::Wished | Source::Held => None,
        }
    }
}

/// Tells how far texts could be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readable {
    /// The reader had enough.
    Stopped,
    /// All of them.
    Wholly,
    /// Some values were not texts, such as an object in a list.
    InPart,
}

/// Shows each text to `reader` until it says that it has enough.
fn each_text(spoke: Spoke<'_>, request: &Request<'_>, mut reader: impl FnMut(&str) -> bool) -> Readable {
    let mut readable = Readable::Wholly;
    match spoke {
        Spoke::Silent | Spoke::Open | Spoke::Empty => {}
        Spoke::Values(values) => {
            for value in values.iter() {
                match read(value, &mut reader) {
                    Some(true) => return Readable::Stopped,
                    Some(false) => {}
                    None => readable = Readable::InPart,
                }
            }
        }
        Spoke::Wishes => {
            if request.profile.entitlements.iter().any(|wish| reader(wish.entitlement.as_str())) {
                return Readable::Stopped;
            }
        }
        Spoke::Account(account) => {
            let in_force = account.grants.iter().filter(|grant| grant.is_in_force(request.now));
            if in_force.into_iter().any(|grant| reader(grant.entitlement.as_str())) {
                return Readable::Stopped;
            }
        }
    }
    readable
}

/// Reads a value as [`ClaimValues::texts`] does; `None` where it is no text.
fn read(value: &Value, reader: &mut impl FnMut(&str) -> bool) -> Option<bool> {
    match value {
        Value::String(text) => Some(reader(text)),
        Value::Bool(truth) => Some(reader(if *truth { "true" } else { "false" })),
        Value::Number(number) => {
            let mut digits = Digits::default();
            write!(digits, "{number}").ok()?;
            digits.text().map(reader)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Writes a number without allocating.
#[derive(Default)]
struct Digits {
    bytes: [u8; 32],
    length: usize,
}

impl Digits {
    fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(..self.length)?).ok()
    }
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length.saturating_add(text.len());
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
