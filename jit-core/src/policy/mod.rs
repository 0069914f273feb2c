//! From a profile to a decision: permit, deny or hold.

mod decision;
mod rules;
mod trace;

use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use decision::{AccountEnd, Ask, Decision, Denial, GrantEnd, Hold, Permit};
pub use rules::{
    AccountEndRule, AccountIs, AskText, AuthenticationMethods, ClaimEnd, ClaimIs, ClaimTest, Conditions, Day,
    DenyAnswer, GrantEndRule, HoldAnswer, Hours, Instant, Network, Offset, PermitAnswer, PolicyRule,
    PolicyRules, PolicyTextError, RulePolicy, Span, TimeOfDay,
};
pub use trace::{Finding, Stage, Step, Trace};

use crate::{Account, EmailEvidence, LinkProof, Profile, VerifiedIdentity};

/// Decides on a request. It cannot fail: what cannot decide, denies.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Policy: Send + Sync {
    /// Tells whether equal requests always get equal decisions, as of declared rules. A policy that asks others, counts or
    /// draws lots says no; then it decides each of those who sign in for the first time at once, however alike.
    fn is_pure(&self) -> bool;

    /// Decides, and notes in `trace` which rules were weighed and how each came out.
    ///
    /// # Cancel safety
    /// Has no effect: dropping the future changes nothing.
    async fn decide<'a>(&self, request: &Request<'a>, trace: &mut Trace) -> Decision;
}

/// Carries everything that a decision may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who signs in.
    pub identity: &'a VerifiedIdentity,
    /// What the mapping made of the claims.
    pub profile: &'a Profile,
    /// The e-mail address with its grade over this connection.
    pub email: Option<&'a EmailEvidence>,
    /// The account that is there already.
    pub present: Present<'a>,
    /// From where and how the request came.
    pub context: &'a Context,
    /// The present instant.
    pub now: DateTime<Utc>,
}

/// Tells which account a request meets.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a policy decides for each of them")]
pub enum Present<'a> {
    /// None: a permitted sign-in creates one.
    Nobody,
    /// The identity is linked to this one.
    Linked(&'a Account),
    /// A link rule found this one; a permitted sign-in links to it if `proof` suffices.
    Candidate {
        /// The account that was found.
        account: &'a Account,
        /// What proves that it belongs to the same person; `None` where only the address is alike.
        proof: Option<LinkProof>,
    },
    /// A link rule found several: none of them is taken.
    Ambiguous,
}

impl<'a> Present<'a> {
    /// The account, linked or candidate.
    #[must_use]
    pub fn account(self) -> Option<&'a Account> {
        match self {
            Self::Linked(account) | Self::Candidate { account, .. } => Some(account),
            Self::Nobody | Self::Ambiguous => None,
        }
    }
}

/// Tells from where a request came, as the embedding application saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Context {
    /// The address of the client, behind proxies that the application trusts.
    pub client: Option<IpAddr>,
}
