//! Who asks: bearer tokens (RFC 6750), each good for one connection of one tenant.

mod access;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use jit_core::{Clock, ConnectionId, DocumentId, TenantId};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::message::ScimContext;
use crate::error::ScimError;
use crate::reason::Reason;

pub use access::{Access, AccessTokens, VerifiesAccess};

/// The longest token, in bytes.
const TOKEN_BYTES: usize = 8 * 1024;

/// Finds out who asks.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Checks a bearer token, without the word `Bearer`.
    ///
    /// # Errors
    /// `scim.unauthenticated` where the token is not good; `scim.unavailable` where that cannot be told now.
    async fn authenticate(&self, token: &str) -> Result<ScimContext, ScimError>;
}

/// One token as a file holds it: its digest, and what it is good for. `Debug` does not show the digest.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct Token {
    /// SHA-256 of the token, in hexadecimal: see [`Tokens::digest`].
    pub sha256: String,
    /// The tenant.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// What people call it.
    pub name: String,
    /// From when on it is no longer good: while one takes the place of another, both are.
    #[serde(default)]
    pub until: Option<chrono::DateTime<chrono::Utc>>,
    /// Whether it only reads.
    #[serde(default)]
    pub reads_only: bool,
    /// The user that `/Me` stands for.
    #[serde(default)]
    pub me: Option<DocumentId>,
}

/// Knows tokens by their digests, so that whoever reads the configuration cannot use them.
pub struct Tokens {
    known: RwLock<Known>,
    clock: Arc<dyn Clock>,
}

type Known = Vec<([u8; 32], Token)>;

/// Says why tokens cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The digest of the token with this name is not 64 hexadecimal digits.
    Digest(String),
    /// The token with this name is there twice: it would be good for one of the connections only.
    Twice(String),
}

impl Tokens {
    /// Knows these tokens.
    ///
    /// # Errors
    /// [`TokenError`] where a digest is none or is there twice.
    pub fn new(tokens: impl IntoIterator<Item = Token>, clock: Arc<dyn Clock>) -> Result<Self, TokenError> {
        Ok(Self { known: RwLock::new(known(tokens)?), clock })
    }

    /// Knows these tokens from now on, and no others. Requests that were let in go on.
    ///
    /// # Errors
    /// [`TokenError`] where a digest is none or is there twice; then everything stays as it was.
    pub fn replace(&self, tokens: impl IntoIterator<Item = Token>) -> Result<(), TokenError> {
        let known = known(tokens)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// Lists the tokens that are known.
    #[must_use]
    pub fn list(&self) -> Vec<Token> {
        self.known().iter().map(|(_, token)| token.clone()).collect()
    }

    /// Returns what a file holds of a token. Make tokens of at least 128 random bits: they are not stretched.
    #[must_use]
    pub fn digest(token: &str) -> String {
        Sha256::digest(token.as_bytes()).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, token: &str) -> Option<ScimContext> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self.known();
        let mut found = None;
        // every token is compared, and each as a whole, so that time tells nothing
        for (known, token) in known.iter() {
            let differs = known.iter().zip(&digest).fold(0, |sum, (a, b)| sum | (a ^ b));
            if differs == 0 {
                found = Some(token);
            }
        }
        let now = self.clock.now();
        let token = found.filter(|token| token.until.is_none_or(|until| now < until))?;
        let context = ScimContext::new(token.tenant.clone(), token.connection.clone(), &token.name);
        let context = if token.reads_only { context.reading_only() } else { context };
        Some(match token.me {
            Some(me) => context.is(me),
            None => context,
        })
    }
}

fn known(tokens: impl IntoIterator<Item = Token>) -> Result<Known, TokenError> {
    let (mut known, mut met) = (Known::new(), BTreeSet::new());
    for token in tokens {
        let digest = read_digest(&token.sha256).ok_or_else(|| TokenError::Digest(token.name.clone()))?;
        if !met.insert(digest) {
            return Err(TokenError::Twice(token.name));
        }
        known.push((digest, token));
    }
    Ok(known)
}

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, token: &str) -> Result<ScimContext, ScimError> {
        let context = if token.len() > TOKEN_BYTES { None } else { self.find(token) };
        context.ok_or(Reason::Unauthenticated.into())
    }
}

/// Takes the token out of the header `Authorization`; the scheme has no case (RFC 9110 §11.1).
#[cfg(any(feature = "tower", test))]
pub(in crate::server) fn bearer(header: &str) -> Result<&str, Reason> {
    let (scheme, token) = header.trim_ascii().split_at_checked("bearer".len()).ok_or(Reason::TokenMissing)?;
    if !scheme.eq_ignore_ascii_case("bearer") || !token.starts_with([' ', '\t']) {
        return Err(Reason::TokenMissing);
    }
    let token = token.trim_ascii();
    // To look at every byte is quicker than to stop at the first that does not belong there.
    let is_graphic = token.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic());
    if is_graphic { Ok(token) } else { Err(Reason::Unauthenticated) }
}

fn read_digest(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).filter_map(|pair| Some(pair.first()? * 16 + pair.get(1)?)).collect();
    bytes.try_into().ok()
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(name) => write!(f, "the digest of token `{name}` is not 64 hexadecimal digits"),
            Self::Twice(name) => write!(f, "token `{name}` is there twice"),
        }
    }
}

impl std::error::Error for TokenError {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("tenant", &self.tenant)
            .field("connection", &self.connection)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("known", &self.known().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_taken_out_of_its_header() {
        assert_eq!(bearer("Bearer abc"), Ok("abc"));
        assert_eq!(bearer("bearer  abc "), Ok("abc"));
        assert_eq!(bearer("Bearer\tabc"), Ok("abc"));
        for none in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc"] {
            assert_eq!(bearer(none), Err(Reason::TokenMissing), "{none}");
        }
        assert_eq!(bearer("Bearer a b"), Err(Reason::Unauthenticated));
    }

    #[test]
    fn digests_are_read() {
        assert!(read_digest(&Tokens::digest("x")).is_some());
        for bad in ["", "ab", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            assert_eq!(read_digest(bad), None, "{bad}");
        }
    }
}
