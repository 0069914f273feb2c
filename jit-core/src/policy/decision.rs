//! The answers of a policy.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{Code, Entitlement, EntitlementPattern, RuleName};

/// Answers a request.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller that needs `_ =>` would permit there")]
pub enum Decision {
    /// Yes, within these limits.
    Permit(Permit),
    /// Yes, once these asks are answered.
    Hold(Hold),
    /// No, for this reason.
    Deny(Denial),
}

/// Permits, within limits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Permit {
    /// The rule that permitted.
    pub rule: Option<RuleName>,
    /// Roles and groups that the policy itself gives.
    pub entitlements: Vec<Entitlement>,
    /// Narrows the connection's ceiling further; `None` leaves it as it is.
    pub ceiling: Option<Vec<EntitlementPattern>>,
    /// When the given grants end.
    pub grant_end: Option<GrantEnd>,
    /// When the account ends.
    pub account_end: Option<AccountEnd>,
    /// How long the account may go unused.
    pub idle_limit: Option<TimeDelta>,
    /// How long a session may last from this sign-in on.
    pub session_limit: Option<TimeDelta>,
    /// Rules that were passed over since what they go by was missing or cut: what they gave earlier stays.
    pub undecided: Vec<RuleName>,
}

/// Says when grants of a connection end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum GrantEnd {
    /// At this instant.
    At(DateTime<Utc>),
    /// This long after the last sign-in that confirmed them; renewed when less than half of it is left.
    Lease(TimeDelta),
}

/// Says when an account ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum AccountEnd {
    /// At this instant.
    At(DateTime<Utc>),
    /// This long after it came into being.
    AfterCreation(TimeDelta),
}

/// Permits once something is answered. What the account shows already (a consent, a name, a link) is not asked again.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// What is asked.
    pub asks: BTreeSet<Ask>,
    /// What is permitted then.
    pub permit: Permit,
}

/// Asks for something before an account comes into being or is linked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the application has a page for each of them")]
pub enum Ask {
    /// Consent to the named terms.
    Consent(String),
    /// A user name of the person's choice.
    UserName,
    /// A local password, which the application keeps and never hands to this library.
    Password,
    /// A proof that the person owns the account that was found.
    LinkProof,
    /// An administrator's approval; the account waits in state `pending`.
    Approval,
}

impl Ask {
    /// The ask as a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Consent(_) => "consent",
            Self::UserName => "user_name",
            Self::Password => "password",
            Self::LinkProof => "link_proof",
            Self::Approval => "approval",
        }
    }
}

/// Denies, with a reason that stays the same between versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The stable code.
    pub code: Code,
    /// The rule that denied, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// A sentence for the person, as the operator wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Denial {
    /// Denies with a code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, rule: None, message: None }
    }

    /// Names the rule that denied.
    #[must_use]
    pub fn by(mut self, rule: RuleName) -> Self {
        self.rule = Some(rule);
        self
    }
}
