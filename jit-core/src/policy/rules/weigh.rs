//! Weighs conditions. A condition that cannot be told is neither met nor unmet.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    facts::{DAY, Facts, Spoke, WEEK},
    format::{AccountIs, ClaimIs},
    found::Found,
};
use crate::{
    ConnectionId, DomainPattern, EmailTrust, Present, Request, Standing, TenantId,
    mapping::expression::Expression,
};

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
    EmailDomain {
        patterns: Box<[DomainPattern]>,
        least: EmailTrust,
    },
    EmailTrust(EmailTrust),
    /// One of the texts is among the values of the claim: what most rules ask, and nothing else.
    ClaimAny {
        source: usize,
        wanted: Found,
    },
    Claim(ClaimValuesTest),
    Entitlement {
        name: &'static str,
        negated: bool,
        test: EntitlementTest,
    },
    Network(Box<[AddressRange]>),
    Hours(Box<[Window]>),
    NotBefore(DateTime<Utc>),
    NotAfter(DateTime<Utc>),
    Acr(Box<[Box<str>]>),
    Amr {
        any: Option<Box<[Box<str>]>>,
        all: Box<[Box<str>]>,
    },
    MaxAuthAge(TimeDelta),
    Not(Box<[Test]>),
    Expression(Arc<Expression>),
}

/// Texts that a rule looks for: those that one pass finds, and those beyond.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) numbered: Found,
    pub(super) beyond: Box<[Box<str>]>,
}

/// Tests the values of a claim.
#[derive(Clone, Debug)]
pub(super) struct ClaimValuesTest {
    pub(super) source: usize,
    pub(super) any: Option<Wanted>,
    pub(super) contains: Option<Wanted>,
    pub(super) prefix: Option<Wanted>,
    pub(super) is: Option<ClaimIs>,
}

/// Tests entitlements that are wished for or held.
#[derive(Clone, Debug)]
pub(super) struct EntitlementTest {
    pub(super) source: usize,
    pub(super) exact: Wanted,
    pub(super) begin: Wanted,
}

/// Keeps texts one of which must be found in a source where a test is not to fail, as long as the source spoke.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) source: usize,
    pub(super) texts: Found,
}

/// Keeps a network as its address and the bits that count.
#[derive(Clone, Copy, Debug)]
pub(super) enum AddressRange {
    V4(u32, u32),
    V6(u128, u128),
}

/// Keeps a window of the week in minutes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// One bit for each day, Monday first.
    pub(super) days: u8,
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) offset: i32,
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

/// Weighs the conditions of a `not`.
#[inline(never)]
fn apart(tests: &[Test], facts: &mut Facts<'_>) -> Verdict {
    all(tests, facts).0
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
            Self::ClaimAny { .. } | Self::Claim(_) => "claim",
            Self::Entitlement { name, .. } => name,
            Self::Network(_) => "network",
            Self::Hours(_) => "hours",
            Self::NotBefore(_) => "not_before",
            Self::NotAfter(_) => "not_after",
            Self::Acr(_) => "acr",
            Self::Amr { .. } => "amr",
            Self::MaxAuthAge(_) => "max_auth_age",
            Self::Not(_) => "not",
            Self::Expression(_) => "expression",
        }
    }

    /// What must be found where the condition is not to fail; `None` where no pass over a source tells.
    pub(super) fn key(&self) -> Option<Key> {
        match self {
            Self::ClaimAny { source, wanted } => Some(Key { source: *source, texts: *wanted }),
            Self::Claim(test) => {
                let mut wanted = [&test.any, &test.contains, &test.prefix].into_iter().flatten();
                let texts = wanted.find_map(Wanted::wholly_numbered)?;
                Some(Key { source: test.source, texts })
            }
            Self::Entitlement { negated: false, test, .. } => {
                let (exact, begin) = (test.exact.wholly_numbered()?, test.begin.wholly_numbered()?);
                Some(Key { source: test.source, texts: exact.with(&begin) })
            }
            _ => None,
        }
    }

    /// The claim that the condition reads.
    pub(super) fn source(&self) -> Option<usize> {
        match self {
            Self::ClaimAny { source, .. } | Self::Claim(ClaimValuesTest { source, .. }) => Some(*source),
            _ => None,
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "thirty calls cost as much as what they do")]
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
            Self::ClaimAny { source, wanted } => {
                let otherwise = facts.hear(*source);
                if facts.found.meets(wanted) { Verdict::Holds } else { otherwise }
            }
            Self::Claim(test) => test.weigh(facts),
            Self::Entitlement { negated, test, .. } => {
                let verdict = test.weigh(facts);
                if *negated { verdict.negated() } else { verdict }
            }
            Self::Network(any) => network(any, facts.client),
            Self::Hours(any) => {
                let minute = facts.minute();
                Verdict::of(any.iter().any(|window| window.holds(minute)))
            }
            Self::NotBefore(start) => Verdict::of(request.now >= *start),
            Self::NotAfter(end) => Verdict::of(request.now < *end),
            Self::Acr(any) => match &assurance.context {
                None => Verdict::Silent,
                Some(context) => Verdict::of(any.iter().any(|one| **one == **context)),
            },
            Self::Amr { any, all } => methods(any.as_deref(), all, &assurance.methods),
            Self::MaxAuthAge(most) => match facts.age() {
                None => Verdict::Silent,
                Some(age) => Verdict::of(age <= *most && age >= -CLOCK_LEEWAY),
            },
            Self::Not(tests) => apart(tests, facts).negated(),
            // What fails, takes too much or reads what is not there cannot be told.
            Self::Expression(expression) => {
                expression.evaluate_bool(request.identity.claims()).map_or(Verdict::Open, Verdict::of)
            }
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

fn network(any: &[AddressRange], client: Option<IpAddr>) -> Verdict {
    match client {
        None => Verdict::Open,
        Some(client) => Verdict::of(any.iter().any(|range| range.holds(client))),
    }
}

impl AddressRange {
    /// Tells whether an address lies in the network.
    #[inline]
    pub(super) fn holds(self, client: IpAddr) -> bool {
        match (self, client) {
            (Self::V4(net, mask), IpAddr::V4(client)) => client.to_bits() & mask == net,
            (Self::V6(net, mask), IpAddr::V6(client)) => client.to_bits() & mask == net,
            (Self::V4(..), IpAddr::V6(_)) | (Self::V6(..), IpAddr::V4(_)) => false,
        }
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

impl Window {
    fn holds(self, minute_of_week: i32) -> bool {
        let local = minute_of_week + self.offset;
        // An offset is shorter than a day, so that one week up or down is enough.
        let local = if local < 0 { local + WEEK } else { local };
        let local = if local >= WEEK { local - WEEK } else { local };
        let (today, minute) = (local / DAY, local % DAY);
        let begins_on = |day: i32| self.days & (1 << day) != 0;
        let yesterday = if today == 0 { 6 } else { today - 1 };
        if self.from < self.to {
            begins_on(today) && (self.from..self.to).contains(&minute)
        } else {
            begins_on(today) && minute >= self.from || begins_on(yesterday) && minute < self.to
        }
    }
}

impl ClaimValuesTest {
    fn weigh(&self, facts: &mut Facts<'_>) -> Verdict {
        let (source, otherwise) = (self.source, facts.hear(self.source));
        let facts = &*facts;
        let told = |found| if found { Verdict::Holds } else { otherwise };
        let whole = |wanted: &str| facts.has(source, wanted);
        let begin = |wanted: &str| facts.begins(source, wanted);
        let any = self.any.as_ref().map_or(Verdict::Holds, |any| told(any.meets(facts, whole)));
        let contains = self.contains.as_ref().map_or(Verdict::Holds, |all| told(all.covered(facts, whole)));
        let prefix = self.prefix.as_ref().map_or(Verdict::Holds, |any| told(any.meets(facts, begin)));
        let state = self.is.map_or(Verdict::Holds, |is| state(is, facts.listen(source)));
        state.max(any).max(contains).max(prefix)
    }
}

impl EntitlementTest {
    fn weigh(&self, facts: &mut Facts<'_>) -> Verdict {
        let otherwise = facts.hear(self.source);
        let found = self.exact.meets(facts, |wanted| facts.has(self.source, wanted))
            || self.begin.meets(facts, |wanted| facts.begins(self.source, wanted));
        if found { Verdict::Holds } else { otherwise }
    }
}

impl Wanted {
    /// The texts, where one pass finds all of them.
    fn wholly_numbered(&self) -> Option<Found> {
        self.beyond.is_empty().then_some(self.numbered)
    }

    /// Tells whether one of the texts is there; `search` looks for those that no pass finds.
    fn meets(&self, facts: &Facts<'_>, search: impl Fn(&str) -> bool) -> bool {
        facts.found.meets(&self.numbered) || self.beyond.iter().any(|wanted| search(wanted))
    }

    /// Tells whether all of the texts are there.
    fn covered(&self, facts: &Facts<'_>, search: impl Fn(&str) -> bool) -> bool {
        facts.found.covers(&self.numbered) && self.beyond.iter().all(|wanted| search(wanted))
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
