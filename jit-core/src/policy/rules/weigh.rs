//! Weighs conditions. A condition that cannot be told is neither met nor unmet.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    facts::{Facts, Heard, Spoke},
    format::{AccountIs, ClaimIs},
    text::Network,
};
use crate::{ConnectionId, DomainPattern, EmailTrust, Present, Request, Standing, TenantId};

/// Says how conditions came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// They are met.
    Holds,
    /// It cannot be told: a claim is cut, the client's address is unknown, several accounts could be meant.
    Open,
    /// The source said nothing to go by.
    Silent,
    /// They are not met.
    Fails,
}

impl Verdict {
    fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }

    /// Turns the verdict around. Of silence nothing may be concluded, so that its opposite cannot be told.
    fn negated(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
            Self::Silent | Self::Open => Self::Open,
        }
    }
}

/// Keeps one condition, ready to be weighed.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Connection(Box<[ConnectionId]>),
    Tenant(Box<[TenantId]>),
    Account(Box<[AccountIs]>),
    EmailDomain { patterns: Box<[DomainPattern]>, least: EmailTrust },
    EmailTrust(EmailTrust),
    Claim(ClaimValuesTest),
    Entitlement { name: &'static str, negated: bool, test: EntitlementTest },
    Network(Box<[Network]>),
    Hours(Box<[Window]>),
    NotBefore(DateTime<Utc>),
    NotAfter(DateTime<Utc>),
    Acr(Box<[Box<str>]>),
    Amr { any: Option<Box<[Box<str>]>>, all: Box<[Box<str>]> },
    MaxAuthAge(TimeDelta),
    Not(Box<[Test]>),
}

/// A text that a rule looks for, with its number where one pass finds it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) text: Box<str>,
    pub(super) number: Option<u8>,
}

/// Tests the values of a claim.
#[derive(Clone, Debug)]
pub(super) struct ClaimValuesTest {
    pub(super) source: usize,
    pub(super) any: Option<Box<[Wanted]>>,
    pub(super) contains: Box<[Wanted]>,
    pub(super) prefix: Option<Box<[Box<str>]>>,
    pub(super) is: Option<ClaimIs>,
}

/// Tests entitlements that are wished for or held.
#[derive(Clone, Debug)]
pub(super) struct EntitlementTest {
    pub(super) source: usize,
    pub(super) exact: Box<[Wanted]>,
    pub(super) begin: Box<[Box<str>]>,
}

/// Keeps a window of the week in minutes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// One bit for each day, Monday first.
    pub(super) days: u8,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) offset: i64,
}

/// An authentication may lie this far in the future: clocks differ.
const CLOCK_LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// Weighs conditions, all of which must hold, and tells which one came out worst.
pub(super) fn all<'t>(tests: &'t [Test], facts: &mut Facts<'_>) -> (Verdict, Option<&'t Test>) {
    let mut worst = (Verdict::Holds, None);
    for test in tests {
        let verdict = test.weigh(facts);
        if verdict > worst.0 {
            worst = (verdict, Some(test));
            if verdict == Verdict::Fails {
                break;
            }
        }
    }
    worst
}

impl Test {
    /// The name of the condition in the format.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::Tenant(_) => "tenant",
            Self::Account(_) => "account",
            Self::EmailDomain { .. } => "email_domain",
            Self::EmailTrust(_) => "email_trust",
            Self::Claim(_) => "claim",
            Self::Entitlement { name, .. } => name,
            Self::Network(_) => "network",
            Self::Hours(_) => "hours",
            Self::NotBefore(_) => "not_before",
            Self::NotAfter(_) => "not_after",
            Self::Acr(_) => "acr",
            Self::Amr { .. } => "amr",
            Self::MaxAuthAge(_) => "max_auth_age",
            Self::Not(_) => "not",
        }
    }

    fn weigh(&self, facts: &mut Facts<'_>) -> Verdict {
        let request = facts.request;
        let assurance = request.identity.assurance();
        match self {
            Self::Connection(any) => Verdict::of(any.contains(&request.identity.key().connection)),
            Self::Tenant(any) => Verdict::of(any.contains(&request.identity.key().tenant)),
            Self::Account(any) => Verdict::of(any.iter().any(|is| meets(*is, request))),
            Self::EmailDomain { patterns, least } => domain(patterns, *least, request),
            Self::EmailTrust(least) => match request.email {
                None => Verdict::Silent,
                Some(email) => Verdict::of(email.trust >= *least),
            },
            Self::Claim(test) => test.weigh(facts),
            Self::Entitlement { negated, test, .. } => {
                let verdict = test.weigh(facts);
                if *negated { verdict.negated() } else { verdict }
            }
            Self::Network(any) => network(any, request.context.client),
            Self::Hours(any) => Verdict::of(any.iter().any(|window| window.holds(request.now))),
            Self::NotBefore(start) => Verdict::of(request.now >= *start),
            Self::NotAfter(end) => Verdict::of(request.now < *end),
            Self::Acr(any) => match &assurance.context {
                None => Verdict::Silent,
                Some(context) => Verdict::of(any.iter().any(|one| **one == **context)),
            },
            Self::Amr { any, all } => methods(any.as_deref(), all, &assurance.methods),
            Self::MaxAuthAge(most) => match assurance.authenticated_at {
                None => Verdict::Silent,
                Some(at) => Verdict::of(fresh(at, *most, request.now)),
            },
            Self::Not(tests) => all(tests, facts).0.negated(),
        }
    }
}

fn meets(is: AccountIs, request: &Request<'_>) -> bool {
    let present = request.present;
    match is {
        AccountIs::None => matches!(present, Present::Nobody),
        AccountIs::Linked => matches!(present, Present::Linked(_)),
        AccountIs::Candidate => matches!(present, Present::Candidate { .. }),
        AccountIs::ProvedCandidate => matches!(present, Present::Candidate { proof: Some(_), .. }),
        AccountIs::Ambiguous => matches!(present, Present::Ambiguous),
        AccountIs::Invited => {
            present.account().is_some_and(|account| account.standing(request.now) == Standing::Invited)
        }
    }
}

fn domain(patterns: &[DomainPattern], least: EmailTrust, request: &Request<'_>) -> Verdict {
    match request.email {
        None => Verdict::Silent,
        // An address that does not prove enough says nothing for its domain and nothing against it.
        Some(email) if email.trust < least => Verdict::Open,
        Some(email) => {
            let domain = email.address.domain();
            Verdict::of(patterns.iter().any(|pattern| pattern.matches(domain)))
        }
    }
}

fn network(any: &[Network], client: Option<IpAddr>) -> Verdict {
    match client {
        None => Verdict::Open,
        Some(client) => Verdict::of(any.iter().any(|network| network.contains(client))),
    }
}

fn methods(any: Option<&[Box<str>]>, all: &[Box<str>], used: &[String]) -> Verdict {
    if used.is_empty() {
        return Verdict::Silent;
    }
    let was_used = |one: &str| used.iter().any(|method| method == one);
    Verdict::of(
        any.is_none_or(|any| any.iter().any(|one| was_used(one))) && all.iter().all(|one| was_used(one)),
    )
}

fn fresh(at: DateTime<Utc>, most: TimeDelta, now: DateTime<Utc>) -> bool {
    let age = now.signed_duration_since(at);
    age <= most && age >= -CLOCK_LEEWAY
}

impl Window {
    fn holds(self, now: DateTime<Utc>) -> bool {
        const DAY: i64 = 24 * 60;
        let local = now.timestamp().div_euclid(60).saturating_add(self.offset);
        // The first day of the epoch was a Thursday.
        let today = local.div_euclid(DAY).saturating_add(3).rem_euclid(7);
        let minute = local.rem_euclid(DAY);
        let begins_on = |day: i64| self.days & (1 << day.rem_euclid(7)) != 0;
        if self.from < self.to {
            begins_on(today) && (self.from..self.to).contains(&minute)
        } else {
            begins_on(today) && minute >= self.from || begins_on(today - 1) && minute < self.to
        }
    }
}

impl ClaimValuesTest {
    fn weigh(&self, facts: &mut Facts<'_>) -> Verdict {
        let heard = facts.hear(self.source);
        let state = self.is.map_or(Verdict::Holds, |is| state(is, heard.spoke));
        let any = self
            .any
            .as_ref()
            .map_or(Verdict::Holds, |any| told(heard, any.iter().any(|wanted| wanted.is_in(heard, facts))));
        let contains = match self.contains.as_ref() {
            [] => Verdict::Holds,
            all => told(heard, all.iter().all(|wanted| wanted.is_in(heard, facts))),
        };
        let prefix = self.prefix.as_ref().map_or(Verdict::Holds, |prefixes| {
            let goes_on = |text: &str, prefix: &str| text.len() > prefix.len() && text.starts_with(prefix);
            told(heard, facts.any(heard, |text| prefixes.iter().any(|prefix| goes_on(text, prefix))))
        });
        state.max(any).max(contains).max(prefix)
    }
}

impl EntitlementTest {
    fn weigh(&self, facts: &mut Facts<'_>) -> Verdict {
        let heard = facts.hear(self.source);
        let found = self.exact.iter().any(|wanted| wanted.is_in(heard, facts))
            || !self.begin.is_empty()
                && facts.any(heard, |text| self.begin.iter().any(|begin| text.starts_with(&**begin)));
        told(heard, found)
    }
}

impl Wanted {
    fn is_in(&self, heard: Heard<'_>, facts: &Facts<'_>) -> bool {
        match self.number {
            Some(number) => facts.found.has(number),
            None => facts.any(heard, |text| *text == *self.text),
        }
    }
}

/// What a search says: what was found is there, what was not found is missing only where everything could be read.
fn told(heard: Heard<'_>, found: bool) -> Verdict {
    match heard.spoke {
        Spoke::Silent => Verdict::Silent,
        Spoke::Open => Verdict::Open,
        Spoke::Empty | Spoke::Values(_) | Spoke::Wishes | Spoke::Account(_) => match found {
            true => Verdict::Holds,
            false if heard.complete => Verdict::Fails,
            false => Verdict::Open,
        },
    }
}

fn state(is: ClaimIs, spoke: Spoke<'_>) -> Verdict {
    match (spoke, is) {
        (Spoke::Silent, _) => Verdict::Silent,
        (Spoke::Open, ClaimIs::Truncated) => Verdict::Holds,
        (Spoke::Open, _) => Verdict::Open,
        (Spoke::Empty, is) => Verdict::of(is == ClaimIs::Empty),
        (_, is) => Verdict::of(is == ClaimIs::Present),
    }
}
