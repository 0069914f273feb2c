//! What rules ask about, read once for each decision and only when a rule asks.

use std::{fmt::Write as _, net::IpAddr};

use chrono::TimeDelta;
use serde_json::Value;

use super::{found::Found, weigh::Verdict};
use crate::{Account, Claim, ClaimPath, ClaimValues, Present, Request, literals::Literals};

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

impl Source {
    /// Tells whether a beginning of this length counts: a claim's value must go on after it.
    pub(super) fn lets_begin(&self, length: usize, text: &str) -> bool {
        match self {
            Self::Claim(_) => length < text.len(),
            Self::Wished | Self::Held => true,
        }
    }
}

/// Keeps a source with the texts that rules look for in it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) source: Source,
    /// Whole texts.
    pub(super) literals: Literals<u8>,
    /// Beginnings of texts.
    pub(super) begins: Literals<u8>,
    /// The lengths that beginnings have.
    pub(super) lengths: Box<[usize]>,
}

impl Reading {
    /// Marks what the source says; tells whether all of it could be read.
    fn mark(&self, spoke: Spoke<'_>, request: &Request<'_>, found: &mut Found) -> Readable {
        if self.lengths.is_empty() {
            let mut mark = |text: &str| {
                if let Some(number) = self.literals.number(text) {
                    found.add(number);
                }
                false
            };
            let Spoke::Values(values) = spoke else { return each_text(spoke, request, mark) };
            let mut readable = Readable::Wholly;
            for value in values.iter() {
                // Nearly all values are strings, and nearly all of those are not looked for.
                if let Value::String(text) = value {
                    mark(text);
                } else if read(value, &mut mark).is_none() {
                    readable = Readable::InPart;
                }
            }
            return readable;
        }
        each_text(spoke, request, |text| {
            if let Some(number) = self.literals.number(text) {
                found.add(number);
            }
            for &length in &self.lengths {
                let begin = text.get(..length).filter(|_| self.source.lets_begin(length, text));
                if let Some(number) = begin.and_then(|begin| self.begins.number(begin)) {
                    found.add(number);
                }
            }
            false
        })
    }
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

/// Reads sources for one decision. Allocates nothing.
pub(super) struct Facts<'r> {
    pub(super) request: &'r Request<'r>,
    readings: &'r [Reading],
    /// What each source says of a text that was not found, once it was heard.
    otherwise: [Option<Verdict>; KEPT],
    pub(super) found: Found,
    /// How long ago the person authenticated, once a rule asked.
    age: Option<TimeDelta>,
    /// The client's address, IPv4 inside IPv6 read as IPv4.
    pub(super) client: Option<IpAddr>,
}

impl<'r> Facts<'r> {
    pub(super) fn new(request: &'r Request<'r>, readings: &'r [Reading]) -> Self {
        Self {
            request,
            readings,
            otherwise: [None; KEPT],
            found: Found::default(),
            age: None,
            client: request.context.client.map(|client| client.to_canonical()),
        }
    }

    /// Minutes of the week, from Monday in UTC.
    pub(super) fn minute(&self) -> i32 {
        minute_of_week(self.request.now.timestamp())
    }

    /// How long ago the person authenticated, as far as the source said.
    pub(super) fn age(&mut self) -> Option<TimeDelta> {
        if self.age.is_none() {
            let at = self.request.identity.assurance().authenticated_at?;
            self.age = Some(self.request.now.signed_duration_since(at));
        }
        self.age
    }

    /// What the source says of a text that was not found; those that were found are marked.
    #[inline]
    pub(super) fn hear(&mut self, source: usize) -> Verdict {
        match self.otherwise.get(source) {
            Some(Some(otherwise)) => *otherwise,
            _ => self.hear_first(source),
        }
    }

    #[inline(never)]
    fn hear_first(&mut self, source: usize) -> Verdict {
        let Some(reading) = self.readings.get(source) else { return Verdict::Open };
        let spoke = self.listen(source);
        let readable = reading.mark(spoke, self.request, &mut self.found);
        // Wishes that come from a cut claim are cut as well.
        let cut = matches!(reading.source, Source::Wished) && self.request.identity.claims().has_truncated();
        let otherwise = match spoke {
            Spoke::Silent => Verdict::Silent,
            Spoke::Open => Verdict::Open,
            _ if cut || readable == Readable::InPart => Verdict::Open,
            Spoke::Empty | Spoke::Values(_) | Spoke::Wishes | Spoke::Account(_) => Verdict::Fails,
        };
        if let Some(kept) = self.otherwise.get_mut(source) {
            *kept = Some(otherwise);
        }
        otherwise
    }

    /// How the source spoke.
    pub(super) fn listen(&self, source: usize) -> Spoke<'r> {
        match self.readings.get(source).map(|reading| &reading.source) {
            None => Spoke::Open,
            Some(Source::Claim(path)) => match self.request.identity.claims().at(path) {
                Claim::Absent => Spoke::Silent,
                Claim::Truncated => Spoke::Open,
                Claim::Empty => Spoke::Empty,
                Claim::Values(values) => Spoke::Values(values),
            },
            Some(Source::Wished) => Spoke::Wishes,
            Some(Source::Held) => match self.request.present {
                Present::Nobody => Spoke::Empty,
                Present::Ambiguous => Spoke::Open,
                Present::Linked(account) | Present::Candidate { account, .. } => Spoke::Account(account),
            },
        }
    }

    /// Tells whether a text is there.
    pub(super) fn has(&self, source: usize, wanted: &str) -> bool {
        self.any(source, |_, text| text == wanted)
    }

    /// Tells whether a text begins like this.
    pub(super) fn begins(&self, source: usize, begin: &str) -> bool {
        self.any(source, |source, text| text.starts_with(begin) && source.lets_begin(begin.len(), text))
    }

    fn any(&self, source: usize, test: impl Fn(&Source, &str) -> bool) -> bool {
        self.readings.get(source).is_some_and(|reading| {
            let reader = |text: &str| test(&reading.source, text);
            each_text(self.listen(source), self.request, reader) == Readable::Stopped
        })
    }

    /// The name of the claim that a source reads.
    pub(super) fn claim(&self, source: usize) -> Option<&'r ClaimPath> {
        match &self.readings.get(source)?.source {
            Source::Claim(path) => Some(path),
            Source::Wished | Source::Held => None,
        }
    }
}

pub(super) const DAY: i32 = 24 * 60;
pub(super) const WEEK: i32 = 7 * DAY;

fn minute_of_week(seconds: i64) -> i32 {
    // The first day of the epoch was a Thursday.
    let minutes = seconds.div_euclid(60).saturating_add(3 * i64::from(DAY));
    i32::try_from(minutes.rem_euclid(i64::from(WEEK))).unwrap_or(0)
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
