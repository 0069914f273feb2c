//! A record of what was checked, so that "accepted" never hides "not looked at".

use std::fmt;

/// One check that was made and passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Check {
    /// The signature matches a key of the issuer.
    Signature,
    /// `iss` is the trusted issuer.
    Issuer,
    /// `iss` belongs to the tenant in `tid`, which is allowed.
    Tenant,
    /// The authorization response names the issuer (RFC 9207).
    ResponseIssuer,
    /// `aud` names this client and nobody who is not trusted.
    Audience,
    /// `azp` is this client.
    AuthorizedParty,
    /// `exp` lies ahead.
    Expiry,
    /// `iat` lies behind and the lifetime is bounded.
    IssuedAt,
    /// `nbf` lies behind.
    NotBefore,
    /// `auth_time` is as recent as `max_age` demands.
    AuthTime,
    /// `acr` is one of the demanded ones.
    Acr,
    /// `nonce` is the one of this sign-in.
    Nonce,
    /// `at_hash` belongs to the access token.
    AccessTokenHash,
    /// `c_hash` belongs to the authorization code.
    CodeHash,
    /// `state` was pending, belonged to this browser and was used up.
    State,
    /// `state` was sealed for this browser; the provider uses up the code.
    SealedState,
    /// The code was redeemed with its PKCE verifier.
    Pkce,
}

/// The question that a check answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Does it come from the issuer?
    Origin,
    /// Is it meant for us?
    Audience,
    /// Is it recent?
    Freshness,
    /// Is it used for the first time?
    Replay,
}

impl Check {
    const ALL: &'static [Self] = &[
        Self::Signature,
        Self::Issuer,
        Self::Tenant,
        Self::ResponseIssuer,
        Self::Audience,
        Self::AuthorizedParty,
        Self::Expiry,
        Self::IssuedAt,
        Self::NotBefore,
        Self::AuthTime,
        Self::Acr,
        Self::Nonce,
        Self::AccessTokenHash,
        Self::CodeHash,
        Self::State,
        Self::SealedState,
        Self::Pkce,
    ];

    /// Names the check; stable across releases.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Issuer => "iss",
            Self::Tenant => "tid",
            Self::ResponseIssuer => "response_iss",
            Self::Audience => "aud",
            Self::AuthorizedParty => "azp",
            Self::Expiry => "exp",
            Self::IssuedAt => "iat",
            Self::NotBefore => "nbf",
            Self::AuthTime => "auth_time",
            Self::Acr => "acr",
            Self::Nonce => "nonce",
            Self::AccessTokenHash => "at_hash",
            Self::CodeHash => "c_hash",
            Self::State => "state",
            Self::SealedState => "sealed_state",
            Self::Pkce => "pkce",
        }
    }

    /// Tells which question the check answers.
    #[must_use]
    pub const fn question(self) -> Question {
        match self {
            Self::Signature | Self::Issuer | Self::Tenant | Self::ResponseIssuer => Question::Origin,
            Self::Audience | Self::AuthorizedParty | Self::Acr => Question::Audience,
            Self::Expiry | Self::IssuedAt | Self::NotBefore | Self::AuthTime => Question::Freshness,
            Self::Nonce
            | Self::AccessTokenHash
            | Self::CodeHash
            | Self::State
            | Self::SealedState
            | Self::Pkce => Question::Replay,
        }
    }
}

/// The checks that were made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CheckList(u32);

impl CheckList {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn add(&mut self, check: Check) {
        self.0 |= 1 << check as u32;
    }

    /// Tells whether a check was made.
    #[must_use]
    pub const fn made(self, check: Check) -> bool {
        self.0 & (1 << check as u32) != 0
    }

    /// Names the checks that answer one question.
    pub fn codes(self, question: Question) -> impl Iterator<Item = &'static str> {
        self.iter().filter(move |check| check.question() == question).map(Check::code)
    }

    /// Walks through the checks that were made.
    pub fn iter(self) -> impl Iterator<Item = Check> {
        Check::ALL.iter().copied().filter(move |check| self.made(*check))
    }
}

impl fmt::Debug for CheckList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
