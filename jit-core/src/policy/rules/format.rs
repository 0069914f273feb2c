//! The format of policy rules, as TOML and JSON write it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    list::several,
    text::{AskText, Instant, Network, Offset, Span, TimeOfDay},
};
use crate::{
    ClaimPath, ConnectionId, DomainPattern, EmailTrust, Entitlement, EntitlementPattern, RuleName, TenantId,
};

/// Lists the rules of a policy. The first rule that applies decides; where none does, the answer is no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct PolicyRules {
    /// The rules, in order.
    #[serde(default, rename = "rule")]
    pub rules: Vec<PolicyRule>,
    /// Entitlements that no rule may give on the word of an unverified address; checked when loaded.
    #[serde(default = "commonly_protected")]
    pub protected: Vec<EntitlementPattern>,
}

impl Default for PolicyRules {
    fn default() -> Self {
        Self { rules: Vec::new(), protected: commonly_protected() }
    }
}

fn commonly_protected() -> Vec<EntitlementPattern> {
    ["role:admin*", "role:owner*", "role:root*", "role:super*", "group:admin*"]
        .iter()
        .filter_map(|pattern| pattern.parse().ok())
        .collect()
}

/// Decides when all its conditions hold. Has exactly one answer: `permit`, `hold` or `deny`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct PolicyRule {
    /// The name, unique in the policy: explanations and the audit trail show it.
    pub name: RuleName,
    /// When the rule applies; without conditions always.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub when: Conditions,
    /// Says yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<PermitAnswer>,
    /// Says yes once something is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAnswer>,
    /// Says no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<DenyAnswer>,
}

/// Lists conditions, all of which must hold. A list may be written as its only item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct Conditions {
    /// The sign-in came over one of these connections.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub connection: Option<Vec<ConnectionId>>,
    /// The connection belongs to one of these tenants.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Vec<TenantId>>,
    /// The account that the sign-in meets is one of these.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub account: Option<Vec<AccountIs>>,
    /// The domain of the e-mail address falls under one of these; the address counts from `email_trust` on, which is
    /// `authoritative` where it is not stated (any grade counts in a rule that denies).
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub email_domain: Option<Vec<DomainPattern>>,
    /// The e-mail address has this grade or a better one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_trust: Option<EmailTrust>,
    /// Tests the claim `groups`, or the one that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<ClaimTest>,
    /// Tests claims.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub claim: Option<Vec<ClaimTest>>,
    /// The mapping wishes for an entitlement under one of these.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub wished: Option<Vec<EntitlementPattern>>,
    /// The account that was found holds an entitlement under one of these.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub holds: Option<Vec<EntitlementPattern>>,
    /// The account that was found, if any, holds no entitlement under any of these.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub not_holds: Option<Vec<EntitlementPattern>>,
    /// The client's address lies in one of these networks.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub network: Option<Vec<Network>>,
    /// The time of the week lies in one of these windows.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<Hours>>,
    /// It is this instant or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Instant>,
    /// It is earlier than this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Instant>,
    /// The authentication context is one of these.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub acr: Option<Vec<String>>,
    /// The authentication methods include these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amr: Option<AuthenticationMethods>,
    /// The person authenticated no longer ago than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_auth_age: Option<Span>,
    /// It is certain that these do not all hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Conditions>>,
    /// The expression (CEL) is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

impl Conditions {
    /// Tells whether there is no condition at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Says which account a sign-in meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "read from configuration")]
pub enum AccountIs {
    /// None: a permitted sign-in creates one.
    None,
    /// One that the identity is linked to.
    Linked,
    /// One that a link rule found, proved or not.
    Candidate,
    /// One that a link rule found, with a proof that it belongs to the same person.
    ProvedCandidate,
    /// Several that a link rule found.
    Ambiguous,
    /// One, linked or found, that was made ahead and not used yet.
    Invited,
}

/// Tests the values of a claim, compared byte for byte. All tests that are present must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct ClaimTest {
    /// The claim, by name or by JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<ClaimPath>,
    /// One of the values is one of these.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<String>>,
    /// Each of these is among the values.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub contains: Option<Vec<String>>,
    /// One of the values begins with one of these and goes on; each ends at a boundary, such as `/staff/` or `team-`.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Vec<String>>,
    /// The claim is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<ClaimIs>,
}

/// Names a state of a claim. There is no word for an absent one: of silence nothing may be concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "read from configuration")]
pub enum ClaimIs {
    /// The source sent values, completely.
    Present,
    /// The source said that there is nothing.
    Empty,
    /// The source said that there is more than it sent.
    Truncated,
}

/// Tests the methods of an authentication (`amr`, RFC 8176). Both tests that are present must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct AuthenticationMethods {
    /// One of these was used.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<String>>,
    /// Each of these was used.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<String>>,
}

/// Bounds a window of the week. A window from late to early goes over midnight and belongs to the day it begins on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct Hours {
    /// The days on which it begins; every day where they are not stated.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<Day>>,
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends; the instant itself is outside.
    pub to: TimeOfDay,
    /// The offset of the clock on the wall from UTC; it does not follow summer time.
    pub offset: Offset,
}

impl Default for Hours {
    fn default() -> Self {
        Self { days: None, from: TimeOfDay::START, to: TimeOfDay::END, offset: Offset::default() }
    }
}

/// Names a day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a week has seven days")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Permits, within limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct PermitAnswer {
    /// Roles and groups that the policy itself gives.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub entitlements: Option<Vec<Entitlement>>,
    /// Narrows what the connection may grant.
    #[serde(deserialize_with = "several", skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Vec<EntitlementPattern>>,
    /// When the grants of the connection end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_end: Option<GrantEndRule>,
    /// When the account ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_end: Option<AccountEndRule>,
    /// How long the account may go unused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_limit: Option<Span>,
    /// How long a session may last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_limit: Option<Span>,
}

/// Says when grants end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "read from configuration")]
pub enum GrantEndRule {
    /// At this instant.
    At(Instant),
    /// This long after the last sign-in that confirmed them.
    Lease(Span),
}

/// Says when an account ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "read from configuration")]
pub enum AccountEndRule {
    /// At this instant.
    At(Instant),
    /// This long after it came into being.
    AfterCreation(Span),
    /// When a claim says; without a readable claim the sign-in is denied.
    Claim(ClaimEnd),
}

/// Names the claim that says when an account ends: an instant (RFC 3339), or a date, whose day still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct ClaimEnd {
    /// The claim.
    pub name: ClaimPath,
    /// The offset from UTC at which a day ends; for claims that are dates.
    pub offset: Offset,
}

impl<'de> Deserialize<'de> for ClaimEnd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            name: ClaimPath,
            #[serde(default)]
            offset: Offset,
        }
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ClaimEnd;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a claim, or a table with `name` and `offset`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ClaimEnd, E> {
                let name = text.parse().map_err(E::custom)?;
                Ok(ClaimEnd { name, offset: Offset::default() })
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ClaimEnd, A::Error> {
                let Table { name, offset } = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ClaimEnd { name, offset })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Permits once something is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct HoldAnswer {
    /// What is asked.
    pub asks: Vec<AskText>,
    /// What is permitted then.
    #[serde(default)]
    pub permit: PermitAnswer,
}

/// Denies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct DenyAnswer {
    /// The stable code; `policy.denied` where it is not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A sentence for the person.
    pub message: String,
}
