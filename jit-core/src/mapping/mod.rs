//! From claims to a profile: what an account should look like, before anyone decided whether it may exist.

mod attribute;
mod candidates;
mod compiled;
mod dn;
mod entitlement;
pub(crate) mod expression;
mod lint;
mod mail;
mod names;
mod origin;
mod preset;
mod profile;
mod rules;
mod template;
mod values;
mod verification;

pub use candidates::Candidates;
pub use compiled::Mapping;
pub use preset::Preset;
pub use profile::{
    AttributeWish, ConflictRule, EntitlementWish, ImportRule, OnNameTaken, Profile, UserNameWish, Wished,
};
pub use rules::{
    AttributeRule, CaseRule, EmailRule, EntitlementRule, InvalidRule, Join, MappingRules, NameForm, OnTaken,
    Texts, UserNameRule, Verification,
};

pub use values::WishedValues;

pub(crate) use rules::present;

use compiled::Notes;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::{AttributeName, ClaimPath, Code, RuleName, VerifiedIdentity};

/// Makes a profile of the claims of a verified identity. Pure: the same identity gives the same profile.
///
/// No mapper can change the key of an identity: a profile has no place for one.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait AttributeMapper: Send + Sync {
    /// Maps the claims.
    ///
    /// # Errors
    /// [`MapError`] when a required claim is missing or a claim has a form that the rules refuse.
    fn map(&self, identity: &VerifiedIdentity) -> Result<Profile, MapError>;
}

/// Says why claims could not be mapped. Names rules and claims, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// A rule requires a claim that is absent, empty or cut, or an address that its source refutes.
    #[error("rule `{rule}` requires claim `{claim}`, which is {state}")]
    Required {
        /// The rule.
        rule: RuleName,
        /// The claim.
        claim: ClaimPath,
        /// Its state as a word.
        state: &'static str,
    },
    /// A claim holds something that its rule cannot take, such as a list where one value is needed.
    #[error("rule `{rule}`: {problem}")]
    Malformed {
        /// The rule.
        rule: RuleName,
        /// What is wrong, without the value.
        problem: &'static str,
    },
    /// Too many values or too long a result.
    #[error("rule `{rule}` exceeds the limit on {what}")]
    Limit {
        /// The rule.
        rule: RuleName,
        /// Of what.
        what: &'static str,
    },
    /// An expression failed or ran over its budget.
    #[error("rule `{rule}`: the expression {problem}")]
    Expression {
        /// The rule.
        rule: RuleName,
        /// What happened, without values.
        problem: &'static str,
    },
    /// An attribute holds a value of another source and its rule says to fail then.
    #[error("attribute `{attribute}` holds a value of another source")]
    Conflict {
        /// The attribute.
        attribute: AttributeName,
    },
}

impl MapError {
    /// What is wrong, without the name of the rule.
    pub(crate) fn problem(&self) -> Cow<'static, str> {
        match self {
            Self::Required { state, .. } => format!("a required claim is {state}").into(),
            Self::Malformed { problem, .. } => (*problem).into(),
            Self::Limit { what, .. } => format!("exceeds the limit on {what}").into(),
            Self::Expression { problem, .. } => format!("the expression {problem}").into(),
            Self::Conflict { .. } => "another source gave a value".into(),
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::new(match self {
            Self::Required { .. } => "map.required",
            Self::Malformed { .. } => "map.malformed",
            Self::Limit { .. } => "map.limit",
            Self::Expression { .. } => "map.expression",
            Self::Conflict { .. } => "map.conflict",
        })
    }
}
