//! What proves to a target who asks.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;

use super::reason::TransportError;

/// Hands out the access token of a target: a fixed one, or one that is fetched and renewed.
#[async_trait]
pub trait Credentials: Send + Sync + fmt::Debug {
    /// Returns the token that follows `Bearer` (RFC 6750 §2.1).
    ///
    /// `refused` is the token that the target did not accept a moment ago: with a fresh one the request is made once more,
    /// with the same one it has failed.
    ///
    /// # Errors
    /// [`TransportError`] when no token can be had.
    async fn token(&self, refused: Option<&AccessToken>) -> Result<AccessToken, TransportError>;
}

/// A token. `Debug` shows nothing of it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// Takes a token.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Hands the token out, to where it is used.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// A token that somebody made in the target and gave to us. It can be exchanged while the target is in use.
#[derive(Debug)]
pub struct FixedToken(RwLock<AccessToken>);

impl FixedToken {
    /// Takes the token.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(RwLock::new(AccessToken::new(token)))
    }

    /// Uses another token from now on.
    pub fn replace(&self, token: impl Into<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = AccessToken::new(token);
    }
}

#[async_trait]
impl Credentials for FixedToken {
    async fn token(&self, _: Option<&AccessToken>) -> Result<AccessToken, TransportError> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
