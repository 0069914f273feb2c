//! Answers: one JSON object a line for programs, tables for people. `docs/checkout.md` describes every field.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeSet;
use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use jit_core::{
    AccountId, Difference, Differing, Exposure, Lease, LentWrong, RemoteRef, Seeing, TargetId, UnattendedEnd,
};
use serde::Serialize;
use serde_json::json;

use super::failure::Failure;
use super::table::table;
use crate::alarms::Alarm;

/// Writes answers. Several may write to the same stream by turns: each says what it says whole.
pub(super) struct Report<'a> {
    out: &'a RefCell<dyn Write + 'a>,
    json: bool,
    complaints: Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a RefCell<dyn Write + 'a>, json: bool) -> Self {
        Self { out, json, complaints: Vec::new() }
    }

    /// Tells programs of an alarm, in a line of its own; people are told on standard error.
    pub(super) fn alarm(&mut self, alarm: &Alarm) -> io::Result<()> {
        if self.json {
            let account = alarm.account.as_ref().map(|(_, account)| account);
            let tenant = alarm.account.as_ref().map(|(tenant, _)| tenant);
            let (about, target) = (&alarm.about, &alarm.target);
            self.line(&json!({ "alarm": about, "target": target, "account": account, "tenant": tenant }))?;
            self.out()?.flush()?;
        }
        Ok(())
    }

    /// Tells of leases whose records cannot be read: people on standard error, programs in a line of its own as well. Tells
    /// whether there are any.
    pub(super) fn unreadable(&mut self, leases: &[(TargetId, AccountId)]) -> io::Result<bool> {
        for (target, lease) in leases {
            self.complaints.push(format!(
                "checkout: the record of lease {lease} at `{target}` cannot be read (lease.unreadable)"
            ));
            if self.json {
                self.line(&json!({ "error": "lease.unreadable", "lease": lease, "target": target }))?;
            }
        }
        self.out()?.flush()?;
        Ok(!leases.is_empty())
    }

    /// Tells that there are more things than were shown.
    pub(super) fn cut_at(&mut self, shown: usize) -> io::Result<()> {
        self.complaints.push(format!("checkout: there are more than these {shown}: ask for a shorter time"));
        if self.json {
            self.line(&json!({ "cut_at": shown }))?;
        }
        self.out()?.flush()
    }

    /// What is to be written to standard error.
    pub(super) fn complaints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.complaints)
    }

    /// Shows one thing: a line of JSON, or a line of text for each fact.
    pub(super) fn one(&mut self, thing: &impl Serialize, facts: &[(&str, String)]) -> io::Result<()> {
        if self.json {
            self.line(thing)?;
        } else {
            let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
            for (name, value) in facts {
                writeln!(self.out()?, "{name:width$}  {value}")?;
            }
        }
        self.out()?.flush()
    }

    /// Shows several things: a line of JSON for each, or one table.
    pub(super) fn several<T: Serialize, const N: usize>(
        &mut self,
        things: &[T],
        heads: [&str; N],
        row: impl Fn(&T) -> [String; N],
    ) -> io::Result<()> {
        if self.json {
            for thing in things {
                self.line(thing)?;
            }
        } else {
            let rows: Vec<_> = things.iter().map(row).collect();
            self.out()?.write_all(table(heads, &rows).as_bytes())?;
        }
        self.out()?.flush()
    }

    /// Tells programs what people are told on standard error.
    pub(super) fn failure(&mut self, failure: &Failure) -> io::Result<()> {
        if self.json {
            self.line(&json!({ "error": failure.code(), "message": failure.to_string() }))?;
        }
        self.out()?.flush()
    }

    fn line(&mut self, thing: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(thing)?;
        line.push(b'\n');
        self.out()?.write_all(&line)
    }

    fn out(&self) -> io::Result<RefMut<'a, dyn Write + 'a>> {
        self.out.try_borrow_mut().map_err(io::Error::other)
    }
}

/// Shows a lease as it is written down.
#[derive(Debug, Serialize)]
pub(super) struct LeaseLine {
    pub(super) lease: AccountId,
    pub(super) user: String,
    pub(super) target: String,
    pub(super) role: String,
    pub(super) name: String,
    /// Whether the account existed before.
    pub(super) elevated: bool,
    pub(super) phase: &'static str,
    pub(super) until: DateTime<Utc>,
    pub(super) latest: DateTime<Utc>,
    pub(super) privileged: bool,
    pub(super) reason: Option<String>,
    pub(super) proof: Option<ProofLine>,
    pub(super) unanswered_until: Option<DateTime<Utc>>,
    pub(super) ended_by: UnattendedEnd,
    pub(super) worst_case: Option<DateTime<Utc>>,
}

/// Shows what the target last proved.
#[derive(Debug, Serialize)]
pub(super) struct ProofLine {
    pub(super) seen: Seeing,
    pub(super) at: DateTime<Utc>,
    pub(super) age_seconds: i64,
}

impl LeaseLine {
    pub(super) fn of(
        id: AccountId,
        lease: &Lease,
        user: String,
        Exposure { ended_by, worst_case }: Exposure,
        now: DateTime<Utc>,
    ) -> Self {
        let proof = lease.proof.map(|proof| ProofLine {
            seen: proof.seen,
            at: proof.at,
            age_seconds: seconds_between(proof.at, now),
        });
        Self {
            lease: id,
            user,
            target: lease.target.to_string(),
            role: lease.role.to_string(),
            name: lease.remote.name.clone(),
            elevated: lease.elevates.is_some(),
            phase: lease.phase.word(),
            until: lease.until,
            latest: lease.latest,
            privileged: lease.privileged,
            reason: lease.purpose.clone(),
            proof,
            unanswered_until: lease.unanswered,
            ended_by,
            worst_case,
        }
    }

    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        vec![
            ("lease", self.lease.to_string()),
            ("phase", self.phase.to_owned()),
            ("name", self.name.clone()),
            ("last proof", self.proof.as_ref().map_or_else(|| "none yet".to_owned(), ProofLine::words)),
        ]
    }
}

/// Where the clock was set back, what was proved counts as proved now.
fn seconds_between(at: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (now - at).num_seconds().max(0)
}

impl ProofLine {
    pub(super) fn words(&self) -> String {
        let seen = match self.seen {
            Seeing::Present => "present",
            Seeing::Disabled => "disabled",
            Seeing::Absent => "absent",
        };
        format!("{seen}, {} ago", age(TimeDelta::seconds(self.age_seconds)))
    }
}

/// Shows a remote account that a comparison found.
#[derive(Debug, Serialize)]
pub(super) struct RemoteLine {
    name: String,
    place: Option<String>,
    native: Option<String>,
}

impl RemoteLine {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl From<&RemoteRef> for RemoteLine {
    fn from(remote: &RemoteRef) -> Self {
        Self { name: remote.name.clone(), place: remote.place.clone(), native: remote.native.clone() }
    }
}

/// Shows an entitlement that is not as it was written down, and the account that it is about.
#[derive(Debug, Serialize)]
pub(super) struct LentLine {
    name: String,
    native: String,
    entitlement: String,
    leases: Vec<AccountId>,
}

impl From<&LentWrong> for LentLine {
    fn from(wrong: &LentWrong) -> Self {
        Self {
            name: wrong.name.clone(),
            native: wrong.native.clone(),
            entitlement: wrong.entitlement.clone(),
            leases: wrong.leases.clone(),
        }
    }
}

impl std::fmt::Display for LentLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.entitlement)
    }
}

/// Shows an account that somebody else changed.
#[derive(Debug, Serialize)]
pub(super) struct DifferingLine {
    lease: AccountId,
    /// What differs, as words.
    what: Vec<&'static str>,
    /// When the target ends it, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<DateTime<Utc>>,
    /// What it holds and should not.
    more: BTreeSet<String>,
    /// What it should hold and does not.
    less: BTreeSet<String>,
    /// The name by now, where it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The place by now, where it was moved into another one that has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    brought_back: bool,
    /// The code of what kept it from being brought back.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

impl From<&Differing> for DifferingLine {
    fn from(differing: &Differing) -> Self {
        let mut line = Self {
            lease: differing.lease,
            what: differing.found.iter().map(Difference::word).collect(),
            ends: None,
            more: BTreeSet::new(),
            less: BTreeSet::new(),
            name: None,
            place: None,
            brought_back: differing.brought_back,
            failed: differing.failed.as_ref().map(ToString::to_string),
        };
        for found in &differing.found {
            match found {
                Difference::EndsLater(at) | Difference::EndsEarlier(at) => line.ends = Some(*at),
                Difference::HoldsMore(held) => line.more.clone_from(held),
                Difference::HoldsLess(held) => line.less.clone_from(held),
                Difference::Renamed(name) => line.name = Some(name.clone()),
                Difference::Moved(place) => line.place.clone_from(place),
                _ => {}
            }
        }
        line
    }
}

impl std::fmt::Display for DifferingLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.lease, self.what.join(","))?;
        match &self.failed {
            Some(code) => write!(f, ":{code}"),
            None if self.brought_back => f.write_str(":brought_back"),
            None => Ok(()),
        }
    }
}

/// Says who ends it if nobody of ours ever runs again, for people: when that is another instant than its end, that as well.
pub(super) fn without_us(
    end: UnattendedEnd,
    (until, worst_case): (DateTime<Utc>, Option<DateTime<Utc>>),
    sessions_survive: bool,
) -> String {
    let later = worst_case.filter(|worst| *worst != until);
    let when = later.map(|worst| format!(", by {}", instant(worst))).unwrap_or_default();
    let survive = if sessions_survive { "; open sessions go on" } else { "" };
    format!("{}{when}{survive}", ender(end))
}

/// Says who ends it if nobody of ours ever runs again.
pub(super) fn ender(end: UnattendedEnd) -> &'static str {
    match end {
        UnattendedEnd::ServerDeletes => "the server removes it",
        UnattendedEnd::ServerRefusesLogin => "the server refuses its log-in",
        UnattendedEnd::ServerDropsMembership => "the server takes the entitlement",
        UnattendedEnd::LibraryOnly => "nobody",
    }
}

/// An instant for people, to the second.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A span for people, in its two largest units.
pub(super) fn age(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (0, hours, minutes, _) => format!("{hours}h{minutes:02}m"),
        (days, hours, _, _) => format!("{days}d{hours:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_was_proved_in_the_future() {
        let now = DateTime::<Utc>::default();
        assert_eq!(seconds_between(now - TimeDelta::seconds(7), now), 7);
        assert_eq!(seconds_between(now + TimeDelta::seconds(299), now), 0);
    }

    #[test]
    fn an_age_is_told_in_its_two_largest_units() {
        for (seconds, words) in [(-5, "0s"), (59, "59s"), (61, "1m01s"), (3_600, "1h00m"), (90_000, "1d01h")]
        {
            assert_eq!(age(TimeDelta::seconds(seconds)), words);
        }
    }
}
