//! What a plan is made of.

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    AccountEmail, AccountId, AccountState, AttributeName, AttributeValue, Code, Entitlement, ExternalKey,
    Grant, GrantId, HeldRecord, LinkProof, RuleName, Source, UserName,
};

/// Lists what is to change on one account. Empty: nothing to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The account.
    pub account: AccountId,
    /// The changes, in order.
    pub changes: Vec<Planned>,
    /// What was wished for and refused without denying the whole.
    pub refusals: Vec<Refusal>,
}

impl Plan {
    /// Begins a plan for an account.
    #[must_use]
    pub fn new(account: AccountId) -> Self {
        Self { account, changes: Vec::new(), refusals: Vec::new() }
    }

    /// Tells whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Tells whether the plan brings the account into being.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.changes.iter().any(|planned| matches!(planned.change, Change::Create { .. }))
    }

    /// Adds a change.
    pub fn push(&mut self, change: Change, reason: Reason) {
        self.changes.push(Planned { change, reason });
    }
}

/// Pairs a change with its reason.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a change without a reason must not compile")]
pub struct Planned {
    /// What changes.
    pub change: Change,
    /// Why.
    pub reason: Reason,
}

/// Says why something changes: a code, and the rule and claim behind it where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The code, such as `sign_in.first`.
    pub code: Code,
    /// The rule.
    pub rule: Option<RuleName>,
    /// The claim.
    pub claim: Option<Arc<str>>,
}

impl Reason {
    /// Gives a code as the reason.
    #[must_use]
    pub const fn code(code: &'static str) -> Self {
        Self { code: Code::new(code), rule: None, claim: None }
    }

    /// Names the rule and claim behind it.
    #[must_use]
    pub fn by(mut self, rule: Option<RuleName>, claim: Option<Arc<str>>) -> Self {
        self.rule = rule;
        self.claim = claim;
        self
    }
}

/// Changes one thing. `Debug` and `Display` name it without personal data.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The account comes into being.
    Create {
        /// In this state.
        state: AccountState,
    },
    /// The state changes.
    SetState(AccountState),
    /// An identity may sign in from now on.
    Link {
        /// The identity.
        key: ExternalKey,
        /// By what proof.
        proof: LinkProof,
    },
    /// An identity may no longer sign in.
    Unlink(ExternalKey),
    /// The user name is given.
    SetUserName(UserName),
    /// The e-mail address or its grade changes.
    SetEmail(AccountEmail),
    /// The e-mail address goes.
    ClearEmail,
    /// The user name goes, and may be given anew.
    ClearUserName,
    /// An attribute has these values from now on; none: it goes.
    SetAttribute {
        /// The attribute.
        name: AttributeName,
        /// All its values.
        values: Vec<AttributeValue>,
    },
    /// An entitlement is given.
    Give(Grant),
    /// A grant ends at another instant than planned.
    MoveEnd {
        /// The grant.
        grant: GrantId,
        /// What it gives.
        entitlement: Entitlement,
        /// Until when.
        ends_at: Option<DateTime<Utc>>,
    },
    /// A grant is taken away.
    Withdraw {
        /// The grant.
        grant: GrantId,
        /// What it gave.
        entitlement: Entitlement,
    },
    /// The account ends at this instant.
    SetEnd {
        /// When; `None`: not by itself.
        at: Option<DateTime<Utc>>,
        /// Who says so.
        by: Source,
    },
    /// The account may go unused for this long.
    SetIdleLimit(Option<TimeDelta>),
    /// The person consented to these terms.
    Consent(String),
    /// Consents given before do not count any longer.
    ForgetConsents,
    /// The account may be used from this instant on; `None`: there is none to wait for.
    SetBegin(Option<DateTime<Utc>>),
    /// A provisioning connection said this of the person.
    SetRecord(Box<HeldRecord>),
    /// Sessions, tokens, local credentials and pending address changes made before are void.
    EndCredentials,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { state } => write!(f, "create {}", state.word()),
            Self::SetState(state) => write!(f, "set state {}", state.word()),
            Self::Link { key, .. } => write!(f, "link identity of {}", key.connection),
            Self::Unlink(key) => write!(f, "unlink identity of {}", key.connection),
            Self::SetUserName(_) => f.write_str("set user name"),
            Self::SetEmail(email) => write!(f, "set e-mail ({})", email.trust.as_str()),
            Self::SetAttribute { name, values } if values.is_empty() => write!(f, "remove attribute {name}"),
            Self::SetAttribute { name, .. } => write!(f, "set attribute {name}"),
            Self::Give(grant) => write!(f, "give {}", grant.entitlement),
            Self::MoveEnd { entitlement, .. } => write!(f, "move end of {entitlement}"),
            Self::Withdraw { entitlement, .. } => write!(f, "withdraw {entitlement}"),
            Self::ClearEmail => f.write_str("remove e-mail"),
            Self::ClearUserName => f.write_str("remove user name"),
            Self::SetEnd { .. } => f.write_str("set end of account"),
            Self::SetBegin(_) => f.write_str("set beginning of account"),
            Self::SetRecord(record) => write!(f, "note record of {}", record.key.connection),
            Self::SetIdleLimit(_) => f.write_str("set inactivity limit"),
            Self::Consent(terms) => write!(f, "record consent to {terms}"),
            Self::ForgetConsents => f.write_str("forget earlier consents"),
            Self::EndCredentials => f.write_str("end earlier credentials"),
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Tells of a wish that was refused while the rest went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was wished for, by name.
    pub wish: String,
    /// Why not.
    pub code: Code,
    /// The rule that wished.
    pub rule: Option<RuleName>,
}
