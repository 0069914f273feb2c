//! What an application says about mirroring: whose accounts, what of them, and what becomes of those that end.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};

use chrono::TimeDelta;

use super::QuarantineRules;
use crate::{Account, AttributeName, ConnectionId, Entitlement};

/// Says whose accounts are mirrored to a target, and what of them. Nothing is handed out that is not named here, and never a
/// password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirroring {
    pub(crate) of: Option<BTreeSet<Entitlement>>,
    pub(crate) named_by_email: bool,
    pub(crate) email: bool,
    pub(crate) display_name: Option<AttributeName>,
    pub(crate) attributes: BTreeMap<AttributeName, String>,
    pub(crate) entitlements: BTreeMap<Entitlement, String>,
    pub(crate) removes: bool,
    pub(crate) waits: BTreeSet<ConnectionId>,
    pub(crate) stops: Option<StopLimit>,
    pub(crate) drift: Option<DriftLook>,
    pub(crate) quarantine: QuarantineRules,
}

/// Bounds how many accounts are stopped in a target within a span, so that a mistake here does not empty it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the application builds it")]
pub struct StopLimit {
    /// So many may be stopped in any case.
    pub at_least: u32,
    /// Beyond that, so many of each hundred that are mirrored.
    pub percent: u8,
    /// Never more than this.
    pub at_most: NonZeroU32,
    /// Within this span. Spans follow each other on the clock: around the end of one, the bound of both may be used up.
    pub within: TimeDelta,
}

impl Default for StopLimit {
    /// Five in any case, or a tenth, and never more than 25 a day.
    fn default() -> Self {
        let at_most = NonZeroU32::MIN.saturating_add(24);
        Self { at_least: 5, percent: 10, at_most, within: TimeDelta::days(1) }
    }
}

impl StopLimit {
    /// How many of so many accounts may be stopped within a span.
    pub(crate) fn of(self, mirrored: usize) -> u32 {
        let share = mirrored.saturating_mul(usize::from(self.percent)) / 100;
        u32::try_from(share).unwrap_or(u32::MAX).max(self.at_least).min(self.at_most.get())
    }
}

/// Says how often a target is looked at for what others changed there, and what becomes of that. It is told of in any case
/// (`mirror.drifted`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftLook {
    pub(crate) every: TimeDelta,
    pub(crate) overwrites: Option<NonZeroU32>,
}

impl DriftLook {
    /// The least and the most time between the beginnings of two rounds.
    pub const SHORTEST: TimeDelta = TimeDelta::hours(1);
    /// See [`Self::SHORTEST`].
    pub const LONGEST: TimeDelta = TimeDelta::days(366);

    /// Looks at each account once in this time; in no less than an hour, and no more than 366 days. What others changed is
    /// told of and stays.
    #[must_use]
    pub fn each(span: TimeDelta) -> Self {
        Self { every: span.clamp(Self::SHORTEST, Self::LONGEST), overwrites: None }
    }

    /// Brings what others changed again as it is here: of no more than so many accounts in a round, so that a restored backup
    /// over there, or a mistake here, changes few. Access that nobody is to have is taken beyond that.
    #[must_use]
    pub fn overwriting(mut self, at_most: NonZeroU32) -> Self {
        self.overwrites = Some(at_most);
        self
    }
}

impl Mirroring {
    /// Mirrors whoever holds one of these.
    #[must_use]
    pub fn of_holders(entitlements: impl IntoIterator<Item = Entitlement>) -> Self {
        Self::of(Some(entitlements.into_iter().collect()))
    }

    /// Mirrors everybody in the tenants of the target.
    #[must_use]
    pub fn of_everybody() -> Self {
        Self::of(None)
    }

    fn of(of: Option<BTreeSet<Entitlement>>) -> Self {
        Self {
            of,
            named_by_email: false,
            email: false,
            display_name: None,
            attributes: BTreeMap::new(),
            entitlements: BTreeMap::new(),
            removes: false,
            waits: BTreeSet::new(),
            stops: Some(StopLimit::default()),
            drift: None,
            quarantine: QuarantineRules::default(),
        }
    }

    /// Names people there by their e-mail address instead of their user name.
    #[must_use]
    pub fn named_by_email(mut self) -> Self {
        self.named_by_email = true;
        self
    }

    /// Hands out the address.
    #[must_use]
    pub fn with_email(mut self) -> Self {
        self.email = true;
        self
    }

    /// Hands out this attribute as the name that people are shown.
    #[must_use]
    pub fn with_display_name(mut self, attribute: AttributeName) -> Self {
        self.display_name = Some(attribute);
        self
    }

    /// Hands out an attribute under the name that the target knows it by.
    #[must_use]
    pub fn with_attribute(mut self, attribute: AttributeName, there: impl Into<String>) -> Self {
        self.attributes.insert(attribute, there.into());
        self
    }

    /// Hands out an entitlement as one of the target's own, such as a group.
    #[must_use]
    pub fn with_entitlement(mut self, entitlement: Entitlement, there: impl Into<String>) -> Self {
        self.entitlements.insert(entitlement, there.into());
        self
    }

    /// Removes the accounts there that end here, or are no longer among those that are mirrored. Without it they are put
    /// out of use.
    #[must_use]
    pub fn removing(mut self) -> Self {
        self.removes = true;
        self
    }

    /// Lets sign-ins over a connection wait until the account stands there as it does here. Others do not wait, and records
    /// never do: an engine that knows the connection refuses one that provisions, and one that does not exist
    /// ([`BuildError`](crate::BuildError)).
    #[must_use]
    pub fn waited_for_by(mut self, connection: ConnectionId) -> Self {
        self.waits.insert(connection);
        self
    }

    /// Bounds how many are stopped at once; it is [`StopLimit::default`] unless said.
    #[must_use]
    pub fn stopping_no_more_than(mut self, limit: StopLimit) -> Self {
        self.stops = Some(limit);
        self
    }

    /// Lets any number be stopped at once: a mistake here empties the target.
    #[must_use]
    pub fn stopping_any_number(mut self) -> Self {
        self.stops = None;
        self
    }

    /// Looks for what others changed there; nobody does unless that is said.
    #[must_use]
    pub fn looking_for_drift(mut self, look: DriftLook) -> Self {
        self.drift = Some(look);
        self
    }

    /// Replaces the rules by which the target is left alone while it fails nearly everybody. Each of them is brought into its
    /// bounds.
    #[must_use]
    pub fn left_alone_by(mut self, rules: QuarantineRules) -> Self {
        self.quarantine = rules.bounded();
        self
    }

    pub(crate) fn name(&self, account: &Account) -> Option<String> {
        if self.named_by_email {
            account.email.as_ref().map(|email| email.address.as_str().to_owned())
        } else {
            account.user_name.as_ref().map(|name| name.as_str().to_owned())
        }
    }
}
