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

impl Change {
    /// Names the change as `Display` does, in a text that is made at once: every change goes into the record.
    pub(crate) fn phrase(&self) -> String {
        self.parts().concat()
    }

    /// What is done, to what, and what comes after that.
    fn parts(&self) -> [&str; 3] {
        match self {
            Self::Create { state } => ["create ", state.word(), ""],
            Self::SetState(state) => ["set state ", state.word(), ""],
            Self::Link { key, .. } => ["link identity of ", key.connection.as_str(), ""],
            Self::Unlink(key) => ["unlink identity of ", key.connection.as_str(), ""],
            Self::SetUserName(_) => ["set user name", "", ""],
            Self::SetEmail(email) => ["set e-mail (", email.trust.as_str(), ")"],
            Self::SetAttribute { name, values } if values.is_empty() => {
                ["remove attribute ", name.as_str(), ""]
            }
            Self::SetAttribute { name, .. } => ["set attribute ", name.as_str(), ""],
            Self::Give(grant) => ["give ", grant.entitlement.as_str(), ""],
            Self::MoveEnd { entitlement, .. } => ["move end of ", entitlement.as_str(), ""],
            Self::Withdraw { entitlement, .. } => ["withdraw ", entitlement.as_str(), ""],
            Self::ClearEmail => ["remove e-mail", "", ""],
            Self::ClearUserName => ["remove user name", "", ""],
            Self::SetEnd { .. } => ["set end of account", "", ""],
            Self::SetBegin(_) => ["set beginning of account", "", ""],
            Self::SetRecord(record) => ["note record of ", record.key.connection.as_str(), ""],
            Self::SetIdleLimit(_) => ["set inactivity limit", "", ""],
            Self::Consent(terms) => ["record consent to ", terms, ""],
            Self::ForgetConsents => ["forget earlier consents", "", ""],
            Self::EndCredentials => ["end earlier credentials", "", ""],
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().into_iter().try_for_each(|part| f.write_str(part))
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
