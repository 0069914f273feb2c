//! What is demanded of one response.

use chrono::{DateTime, TimeDelta, Utc};

use crate::crypto::{CryptoProvider, DecryptionKey};
use crate::idp::TrustedIdp;
use crate::xml::Limits;

/// The usual difference between clocks that is let through (SDP-G01).
pub const USUAL_SKEW: TimeDelta = TimeDelta::minutes(3);

/// Which request a response must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a response answers somebody or nobody, and each needs its own decision"
)]
pub enum Solicitation<'a> {
    /// The request with this id.
    Request(&'a str),
    /// None: the provider began the sign-in. Whoever stole a response can have any browser post it.
    Unsolicited,
}

/// What is demanded of one response.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Expectations<'a> {
    /// Our name, which every audience restriction must hold.
    pub sp_entity_id: &'a str,
    /// The address that the response came to, exactly as the provider knows it.
    pub acs_url: &'a str,
    /// The provider that was asked.
    pub idp: &'a TrustedIdp,
    /// Which request is answered.
    pub solicitation: Solicitation<'a>,
    /// The keys that encrypted assertions are tried with, in turn.
    pub decryption_keys: &'a [DecryptionKey],
    /// The ways to sign in of which one must have been used; empty lets every way through.
    pub contexts: &'a [String],
    /// The instant after which the person must have signed in.
    pub authenticated_after: Option<DateTime<Utc>>,
    /// How much clocks may differ.
    pub skew: TimeDelta,
    /// How large the document may be.
    pub limits: Limits,
    /// The time.
    pub now: DateTime<Utc>,
    /// What carries out cryptography.
    pub crypto: &'a dyn CryptoProvider,
}

impl<'a> Expectations<'a> {
    /// Demands what every sign-in demands.
    #[must_use]
    pub fn new(
        sp_entity_id: &'a str,
        acs_url: &'a str,
        idp: &'a TrustedIdp,
        solicitation: Solicitation<'a>,
        now: DateTime<Utc>,
        crypto: &'a dyn CryptoProvider,
    ) -> Self {
        Self {
            sp_entity_id,
            acs_url,
            idp,
            solicitation,
            decryption_keys: &[],
            contexts: &[],
            authenticated_after: None,
            skew: USUAL_SKEW,
            limits: Limits::default(),
            now,
            crypto,
        }
    }

    /// Tells whether an instant lies ahead by more than clocks may differ.
    pub(super) fn is_ahead(&self, at: DateTime<Utc>) -> bool {
        at.signed_duration_since(self.now) > self.skew
    }

    /// Tells whether an end has passed by as much as clocks may differ.
    pub(super) fn is_over(&self, end: DateTime<Utc>) -> bool {
        self.now.signed_duration_since(end) >= self.skew
    }
}
