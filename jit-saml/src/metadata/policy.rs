//! What makes metadata trustworthy.

use chrono::TimeDelta;

use crate::binding::Reach;
use crate::signature::{SignatureRules, VerificationKey};
use crate::xml::Limits;

/// How far ahead `validUntil` may lie by default: the usual two weeks of federations, with room for late publication.
const LONGEST_VALIDITY: TimeDelta = TimeDelta::days(30);

const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(3);

/// Says which metadata is believed. A key belongs to the one source whose policy names it (IIP-MD03).
#[derive(Debug, Clone)]
pub struct MetadataPolicy {
    pub(super) trust: Trust,
    pub(super) end: End,
    pub(super) reach: Reach,
    pub(super) rules: SignatureRules,
    pub(super) limits: Limits,
    pub(super) skew: TimeDelta,
}

#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// A signature of the root by one of these keys, which came by another way than the document.
    Signed(Vec<VerificationKey>),
    /// Whoever configured the connection put the text there.
    Pinned,
    /// Nothing but the connection that it came over.
    Unsigned,
}

/// Whether the root must say when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Within(TimeDelta),
    /// At any time, or never.
    Open,
}

impl MetadataPolicy {
    /// Believes what one of these keys has signed and what ends within 30 days (SDP-MD02, SDP-MD03). Keys in the document
    /// itself are never asked.
    #[must_use]
    pub fn signed_by(keys: Vec<VerificationKey>) -> Self {
        Self::new(Trust::Signed(keys), End::Within(LONGEST_VALIDITY))
    }

    /// Believes a text that an administrator put into the configuration, as it stands: its own signature says nothing that
    /// the administrator did not say, and it stays until it is replaced. Its `validUntil` is kept to where it has one. Never
    /// use it for what came over the network.
    #[must_use]
    pub fn pinned() -> Self {
        Self::new(Trust::Pinned, End::Open)
    }

    /// Sets how far ahead `validUntil` may lie.
    #[must_use]
    pub fn valid_at_most(mut self, longest: TimeDelta) -> Self {
        self.end = End::Within(longest);
        self
    }

    /// Sets how far clocks may differ where an end is concerned; three minutes by default (IIP-G01).
    #[must_use]
    pub const fn skew(mut self, skew: TimeDelta) -> Self {
        self.skew = skew;
        self
    }

    /// Replaces the bounds of the document. The usual ones fit a document of one organisation; [`aggregate_limits`] fit the
    /// metadata of a federation.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Opens the switches that take protection away.
    #[must_use]
    pub fn dangerous(self) -> DangerousMetadataPolicy {
        DangerousMetadataPolicy(self)
    }

    /// A scope says which people a provider may speak for, so somebody other than the provider itself must have vouched for it
    /// (SDP-SP17).
    pub(super) const fn vouches_for_scopes(&self) -> bool {
        !matches!(self.trust, Trust::Unsigned)
    }

    /// Tells whether the text was put there by an administrator, without a bound on how long it holds.
    pub(super) const fn stays(&self) -> bool {
        matches!((&self.trust, self.end), (Trust::Pinned, End::Open))
    }

    fn new(trust: Trust, end: End) -> Self {
        let limits =
            Limits { bytes: 4 << 20, elements: 80_000, nodes: 240_000, signatures: 64, ..Limits::default() };
        Self { trust, end, reach: Reach::Https, rules: SignatureRules::default(), limits, skew: CLOCK_SKEW }
    }
}

/// The switches that take protection away from metadata.
#[derive(Debug, Clone)]
pub struct DangerousMetadataPolicy(MetadataPolicy);

impl DangerousMetadataPolicy {
    /// Believes unsigned metadata: everything then rests on the TLS connection that it came over.
    #[must_use]
    pub fn accept_unsigned(mut self) -> MetadataPolicy {
        self.0.trust = Trust::Unsigned;
        self.0
    }

    /// Believes metadata that does not say when it ends, or says a far day: a key that the provider has withdrawn can then be
    /// used by whoever shows the old document.
    #[must_use]
    pub fn accept_endless(mut self) -> MetadataPolicy {
        self.0.end = End::Open;
        self.0
    }

    /// Accepts endpoints by plain http on this machine: for trying things out.
    #[must_use]
    pub fn accept_loopback(mut self) -> MetadataPolicy {
        self.0.reach = Reach::DangerousLoopbackHttp;
        self.0
    }

    /// Replaces the rules for the signature of the document.
    #[must_use]
    pub fn accept_signatures(mut self, rules: SignatureRules) -> MetadataPolicy {
        self.0.rules = rules;
        self.0
    }
}

/// Bounds for the metadata of a large federation: 512 MiB and 100,000 entities. While such a document is read it takes
/// about five times its size in memory; afterwards only its identity providers are kept.
#[must_use]
pub fn aggregate_limits() -> Limits {
    Limits {
        bytes: 512 << 20,
        signatures: 200_000,
        elements: 50_000_000,
        nodes: 150_000_000,
        namespaces: 1024,
        ..Limits::default()
    }
}
