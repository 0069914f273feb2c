//! What the engine handles.

use crate::{Context, VerifiedIdentity, VerifiedRecord};

/// Carries what happened, verified.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A person signed in at a source.
    SignIn(Box<SignIn>),
    /// A source says what is with a person: a joiner, mover or leaver, by what is known of them.
    Record(Box<VerifiedRecord>),
}

/// Carries a verified sign-in and where it came from.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "triggers build it")]
pub struct SignIn {
    /// Who.
    pub identity: VerifiedIdentity,
    /// From where.
    pub context: Context,
}

impl SignIn {
    /// Tells whether the same was said of two, from the same place.
    pub(crate) fn is_alike(&self, other: &Self) -> bool {
        self.identity.is_alike(&other.identity) && self.context == other.context
    }
}

impl Event {
    /// Makes the event of a sign-in.
    #[must_use]
    pub fn sign_in(identity: VerifiedIdentity, context: Context) -> Self {
        Self::SignIn(Box::new(SignIn { identity, context }))
    }

    /// Makes the event of a record.
    #[must_use]
    pub fn record(record: VerifiedRecord) -> Self {
        Self::Record(Box::new(record))
    }
}
