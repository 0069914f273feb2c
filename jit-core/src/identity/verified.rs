//! The witness: a verified identity exists only where a trigger that holds the connection's attestor made it.

use std::{collections::BTreeSet, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Claims;
use crate::{Code, ConnectionId, ExternalKey, Issuer, Subject, TenantId};

/// Marks one connection; two marks are the same only if they are the same object in memory.
#[derive(Debug)]
pub(crate) struct Seal {
    pub(crate) tenant: TenantId,
    pub(crate) connection: ConnectionId,
    pub(crate) issuers: IssuerSet,
}

/// Says which issuers may speak over a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each way to trust an issuer is a decision of its own")]
pub enum IssuerSet {
    /// Exactly these, byte for byte.
    Exactly(BTreeSet<Issuer>),
    /// Each issuer between a prefix and a suffix whose middle is one of these names, such as the tenants of Entra.
    Between {
        /// What stands before the name.
        prefix: String,
        /// What stands after the name.
        suffix: String,
        /// The names that are trusted.
        names: BTreeSet<String>,
    },
    /// Every issuer between a prefix and a suffix: whoever can open a tenant there can sign in.
    DangerouslyAnyBetween {
        /// What stands before the name.
        prefix: String,
        /// What stands after the name.
        suffix: String,
    },
}

impl IssuerSet {
    /// Trusts one issuer.
    #[must_use]
    pub fn one(issuer: Issuer) -> Self {
        Self::Exactly(BTreeSet::from([issuer]))
    }

    /// Tells whether the issuer may speak.
    #[must_use]
    pub fn contains(&self, issuer: &Issuer) -> bool {
        let between = |prefix: &str, suffix: &str| {
            issuer.as_str().strip_prefix(prefix)?.strip_suffix(suffix).map(str::to_owned)
        };
        match self {
            Self::Exactly(issuers) => issuers.contains(issuer),
            Self::Between { prefix, suffix, names } => {
                between(prefix, suffix).is_some_and(|name| names.contains(&name))
            }
            Self::DangerouslyAnyBetween { prefix, suffix } => {
                between(prefix, suffix).is_some_and(|name| !name.is_empty() && !name.contains('/'))
            }
        }
    }
}

/// Makes verified identities for one connection. There is one for each connection, and it cannot be copied.
#[derive(Debug)]
pub struct Attestor {
    seal: Arc<Seal>,
}

/// Says why an attestation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// The issuer is not one that the connection trusts.
    #[error("the issuer may not speak over this connection")]
    ForeignIssuer,
    /// The subject is transient: it names a session, not a person, and cannot be a key.
    #[error("a transient subject cannot be a key")]
    TransientSubject,
}

impl AttestError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::ForeignIssuer => Code::new("identity.foreign_issuer"),
            Self::TransientSubject => Code::new("identity.transient_subject"),
        }
    }
}

impl Attestor {
    pub(crate) fn new(seal: Arc<Seal>) -> Self {
        Self { seal }
    }

    /// The connection that this attestor speaks for.
    #[must_use]
    pub fn connection(&self) -> &ConnectionId {
        &self.seal.connection
    }

    /// The tenant of the connection.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.seal.tenant
    }

    /// Vouches for what a trigger has verified.
    ///
    /// # Errors
    /// `identity.foreign_issuer` when the connection does not trust the issuer; `identity.transient_subject` when the
    /// subject names a session only.
    pub fn attest(&self, attestation: Attestation) -> Result<VerifiedIdentity, AttestError> {
        if !self.seal.issuers.contains(&attestation.issuer) {
            return Err(AttestError::ForeignIssuer);
        }
        if attestation.stability == Stability::Transient {
            return Err(AttestError::TransientSubject);
        }
        let key = ExternalKey {
            tenant: self.seal.tenant.clone(),
            connection: self.seal.connection.clone(),
            issuer: attestation.issuer,
            subject: attestation.subject,
        };
        Ok(VerifiedIdentity {
            seal: Arc::clone(&self.seal),
            key,
            claims: attestation.claims,
            assurance: attestation.assurance,
            session: attestation.session,
            checks: attestation.checks,
        })
    }
}

/// Carries everything that a trigger has verified, for an [`Attestor`] to vouch for. `Debug` prints neither the subject
/// nor claim values.
pub struct Attestation {
    /// Who speaks, exact bytes.
    pub issuer: Issuer,
    /// Of whom, exact bytes.
    pub subject: Subject,
    /// Whether the subject names the person for good.
    pub stability: Stability,
    /// What was said, as it was verified.
    pub claims: Claims,
    /// How the person proved who they are.
    pub assurance: Assurance,
    /// How long the source wants a session to last.
    pub session: SessionHint,
    /// Which checks were made.
    pub checks: Checks,
}

impl fmt::Debug for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attestation")
            .field("issuer", &self.issuer)
            .field("stability", &self.stability)
            .field("claims", &self.claims)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}

/// Tells whether a subject names the same person next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a third kind would need a decision in every trigger")]
pub enum Stability {
    /// The subject is the same at every sign-in and never given to another person.
    Persistent,
    /// The subject is made for one session (SAML transient name identifiers).
    Transient,
}

/// Tells how the person proved who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assurance {
    /// The class of the authentication context (`acr`, `AuthnContextClassRef`).
    pub context: Option<String>,
    /// The methods that were used (`amr`, RFC 8176).
    pub methods: Vec<String>,
    /// When the person last authenticated.
    pub authenticated_at: Option<DateTime<Utc>>,
}

/// Tells how long the source wants a session to last, and how it names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHint {
    /// The session must end by then.
    pub ends_at: Option<DateTime<Utc>>,
    /// The source's name of its session (`sid`, `SessionIndex`).
    pub index: Option<String>,
}

/// Says how one check came out; a check that failed leaves no identity to carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a check was made or cannot apply; there is no third")]
pub enum Check {
    /// The check was made by this means, such as `signature RS256`.
    Made(String),
    /// The check cannot apply to this kind of evidence, for this reason.
    NotApplicable(String),
}

/// Lists the four checks that every trigger answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a trigger that leaves one out must not compile")]
pub struct Checks {
    /// That the evidence comes from the issuer.
    pub origin: Check,
    /// That it was made for us.
    pub audience: Check,
    /// That it is valid now.
    pub freshness: Check,
    /// That it was not used before.
    pub replay: Check,
}

/// Proves that a trigger verified evidence of one connection. The engine consumes it.
///
/// It has no constructor but [`Attestor::attest`], and neither `Clone`, `Default` nor `Deserialize`.
/// `Debug` prints no claim values.
#[must_use = "a verified identity has no effect until the engine handles it"]
pub struct VerifiedIdentity {
    seal: Arc<Seal>,
    key: ExternalKey,
    claims: Claims,
    assurance: Assurance,
    session: SessionHint,
    checks: Checks,
}

impl VerifiedIdentity {
    /// The key: (tenant, connection, issuer, subject).
    #[must_use]
    pub fn key(&self) -> &ExternalKey {
        &self.key
    }

    /// What was said.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// How the person proved who they are.
    #[must_use]
    pub fn assurance(&self) -> &Assurance {
        &self.assurance
    }

    /// How long the source wants a session to last.
    #[must_use]
    pub fn session(&self) -> &SessionHint {
        &self.session
    }

    /// Which checks were made.
    #[must_use]
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// The same identity, saying something else: what was verified now and before, put together.
    pub(super) fn saying(&self, claims: Claims) -> Self {
        Self {
            seal: Arc::clone(&self.seal),
            key: self.key.clone(),
            claims,
            assurance: self.assurance.clone(),
            session: self.session.clone(),
            checks: self.checks.clone(),
        }
    }

    pub(crate) fn bears(&self, seal: &Arc<Seal>) -> bool {
        Arc::ptr_eq(&self.seal, seal)
    }

    /// Tells whether all of this was said of the other as well, and nothing else, over the same connection.
    pub(crate) fn is_alike(&self, other: &Self) -> bool {
        let Self { seal, key, claims, assurance, session, checks } = self;
        other.bears(seal)
            && *key == other.key
            && *claims == other.claims
            && *assurance == other.assurance
            && *session == other.session
            && *checks == other.checks
    }

    /// Takes what a held sign-in needs to go on later.
    pub(crate) fn park(&self) -> Parked {
        Parked {
            key: self.key.clone(),
            claims: self.claims.clone(),
            assurance: self.assurance.clone(),
            session: self.session.clone(),
            checks: self.checks.clone(),
        }
    }
}

impl fmt::Debug for VerifiedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedIdentity")
            .field("key", &self.key)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// Keeps what a verified identity says, in the one-time store while a sign-in is held. It never leaves this crate, so the
/// store of pending sign-ins (trusted like the user store) is the only way back to a witness.
#[derive(Serialize, Deserialize)]
pub(crate) struct Parked {
    pub(crate) key: ExternalKey,
    claims: Claims,
    assurance: Assurance,
    session: SessionHint,
    checks: Checks,
}

impl Parked {
    /// Wakes the identity for the connection it was parked under; `None` when that connection no longer trusts it.
    pub(crate) fn wake(&self, seal: &Arc<Seal>) -> Option<VerifiedIdentity> {
        let same = seal.tenant == self.key.tenant && seal.connection == self.key.connection;
        (same && seal.issuers.contains(&self.key.issuer)).then(|| VerifiedIdentity {
            seal: Arc::clone(seal),
            key: self.key.clone(),
            claims: self.claims.clone(),
            assurance: self.assurance.clone(),
            session: self.session.clone(),
            checks: self.checks.clone(),
        })
    }
}
