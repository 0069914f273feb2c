//! What a mapper makes of the claims.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Candidates, WishedValues};
use crate::{AttributeName, EmailClaim, Entitlement, RuleName, Step};

/// Describes the account that the claims ask for. `Debug` prints names, never values.
#[derive(Clone, Default, PartialEq)]
pub struct Profile {
    /// The wished user name.
    pub user_name: Option<UserNameWish>,
    /// The e-mail address with what the source said about it.
    pub email: Option<EmailClaim>,
    /// The rule and claim that gave the address.
    pub email_origin: Option<(RuleName, Arc<str>)>,
    /// The wished attributes.
    pub attributes: Vec<AttributeWish>,
    /// The wished roles and groups.
    pub entitlements: Vec<EntitlementWish>,
    /// What the mapping left out, and why.
    pub notes: Vec<Step>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("user_name", &self.user_name.is_some())
            .field("email", &self.email)
            .field("attributes", &self.attributes.iter().map(|wish| wish.name.as_str()).collect::<Vec<_>>())
            .field(
                "entitlements",
                &self.entitlements.iter().map(|wish| &wish.entitlement).collect::<Vec<_>>(),
            )
            .field("email_origin", &self.email_origin)
            .field("notes", &self.notes)
            .finish()
    }
}

/// Wishes for a user name. It is given once, when the account has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserNameWish {
    /// The names to try, best first.
    pub candidates: Candidates,
    /// What to do when all of them are taken.
    pub on_taken: OnNameTaken,
    /// The rule that made the wish.
    pub rule: RuleName,
}

/// Says what happens when every candidate for a user name is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum OnNameTaken {
    /// The sign-in is denied.
    #[default]
    Fail,
    /// The person is asked to choose one.
    Ask,
}

/// Wishes for an attribute.
#[derive(Clone, PartialEq)]
pub struct AttributeWish {
    /// The attribute.
    pub name: AttributeName,
    /// The wished value.
    pub value: Wished,
    /// When the wish counts.
    pub import: ImportRule,
    /// What happens to values of other sources.
    pub conflict: ConflictRule,
    /// Whether accounts can be found by the value.
    pub searchable: bool,
    /// The rule that made the wish.
    pub rule: RuleName,
    /// The claim that the rule read.
    pub claim: Option<Arc<str>>,
}

impl fmt::Debug for AttributeWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttributeWish({} by {})", self.name, self.rule)
    }
}

/// Tells what a source wants an attribute to be.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "unknown is not empty: the planner decides each")]
pub enum Wished {
    /// The claim is absent or cut, or has a form or size that the rule cannot take: nothing may be concluded.
    Unknown,
    /// The claim is empty: what this source gave goes.
    Empty,
    /// The claim has these values.
    Values(WishedValues),
}

impl fmt::Debug for Wished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "Unknown",
            Self::Empty => "Empty",
            Self::Values(_) => "Values(…)",
        })
    }
}

/// Says when a mapped attribute is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum ImportRule {
    /// Never.
    Ignore,
    /// When the account comes into being; later changes by the person stay.
    Suggest,
    /// At every sign-in.
    #[default]
    Force,
    /// At every sign-in, and without it there is none.
    Require,
}

/// Says what happens when the account holds a value that another source gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum ConflictRule {
    /// The sign-in is denied.
    Fail,
    /// Both values stay.
    #[default]
    Add,
    /// Ours takes its place.
    Replace,
    /// Theirs stays; ours is set only where there is none.
    Set,
}

/// Wishes for a role or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementWish {
    /// What is wished for.
    pub entitlement: Entitlement,
    /// The rule that made the wish.
    pub rule: RuleName,
    /// The claim that the rule read; `None` for a constant.
    pub claim: Option<Arc<str>>,
}
