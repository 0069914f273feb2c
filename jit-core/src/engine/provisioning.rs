//! What a connection is trusted with that provisions: that makes, changes and ends accounts without a sign-in.

use serde::{Deserialize, Serialize};

use crate::{ClaimPath, ConnectionId, Span};

/// Lets a connection speak of joiners, movers and leavers, and says how far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct Provisioning {
    /// What is left to sign-ins over the other connections of the same source.
    #[serde(default)]
    pub authority: Authority,
    /// The connections that people of this source sign in over, and how those name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_person: Vec<SamePerson>,
    /// Whether the source brings back whom it let go itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reactivates: bool,
    /// Whether user names follow the source; otherwise they are given once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renames: bool,
    /// Whether what was said is kept, so that changes can come in part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_records: bool,
    /// The claim of a record that lists what the person is a member of: once it is said, what sign-ins gave earlier is
    /// measured by it. Counts only with [`Authority::Whole`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memberships: Option<ClaimPath>,
    /// How many may leave within a span before the others wait for an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leavers: Option<LeaverLimit>,
}

/// Says who decides on the accounts of people that a connection provisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum Authority {
    /// Sign-ins make and update accounts as well, each source its own part.
    #[default]
    Shared,
    /// Sign-ins only let people in: they make no account, and attributes and grants come from this connection. What
    /// sign-ins gave earlier passes to it.
    Whole,
}

/// Says that a connection belongs to the same source, and how it names people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct SamePerson {
    /// The connection that they sign in over.
    pub connection: ConnectionId,
    /// What there equals the external id of a record, byte for byte.
    pub by: NamedBy,
}

/// Says what of a sign-in equals the external id of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::exhaustive_enums, reason = "each way to tell that two are one is a decision of its own")]
pub enum NamedBy {
    /// The subject.
    Subject,
    /// A claim that only the source can set, such as `oid`.
    Claim(ClaimPath),
}

/// Bounds how many people one connection may let go in a span: a directory that was emptied by accident must not lock
/// everybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct LeaverLimit {
    /// The most that leave without asking.
    pub most: u32,
    /// Within this span; spans follow each other from midnight of 1 January 1970 (UTC) on.
    pub within: Span,
    /// The most that are removed for good without asking of those who are out of use already, within the same span; as many as
    /// may leave unless said otherwise. They count by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removals: Option<u32>,
}
