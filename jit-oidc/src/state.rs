//! Sign-ins that were begun and are not finished: kept on the server and taken once, or sealed in a cookie.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use jit_core::{ConnectionId, Entropy, OneTime, OneTimeKey, TenantId};
use serde::{Deserialize, Serialize};

use crate::base64url::{decode, encode};
use crate::checks::Check;
use crate::error::LoginError;
use crate::rejection::Rejection;

const PURPOSE: &str = "oidc.state";
/// Browsers keep cookies of up to 4 KiB.
const MAX_COOKIE: usize = 4096;

/// What must be remembered between the two halves of a sign-in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) state: String,
    pub(crate) connection: String,
    pub(crate) issuer: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    pub(crate) max_age: Option<u32>,
    /// Seconds since 1970.
    pub(crate) begun: i64,
    pub(crate) return_to: Option<String>,
    /// Seconds since 1970.
    pub(crate) until: i64,
}

/// Where pending sign-ins are kept.
#[derive(Clone)]
pub struct StateKeeper(Kept);

#[derive(Clone)]
enum Kept {
    OneTime { store: Arc<dyn OneTime>, tenant: TenantId },
    Sealed(Arc<LessSafeKey>),
}

impl StateKeeper {
    /// Keeps them in a one-time store: each can be finished once. The cookie holds a random value, and only the browser
    /// that has it can take the sign-in.
    #[must_use]
    pub fn one_time(store: Arc<dyn OneTime>, tenant: TenantId) -> Self {
        Self(Kept::OneTime { store, tenant })
    }

    /// Seals them with AES-256-GCM in the cookie itself, so that nothing is stored. That a callback works only once
    /// then rests on the provider, which redeems each code once.
    ///
    /// # Errors
    /// `oidc.client_unusable` never for 32 bytes; the type of the key rules out everything else.
    pub fn sealed(key: &[u8; 32]) -> Result<Self, LoginError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| LoginError::Client)?;
        Ok(Self(Kept::Sealed(Arc::new(LessSafeKey::new(key)))))
    }

    /// Names the check that taking a sign-in proves.
    pub(crate) const fn check(&self) -> Check {
        match self.0 {
            Kept::OneTime { .. } => Check::State,
            Kept::Sealed(_) => Check::SealedState,
        }
    }

    /// Keeps a sign-in and returns the value of the cookie.
    pub(crate) async fn put(
        &self,
        pending: &Pending,
        entropy: &dyn Entropy,
        now: DateTime<Utc>,
    ) -> Result<String, LoginError> {
        let text = serde_json::to_vec(pending).map_err(|_| LoginError::Client)?;
        match &self.0 {
            Kept::OneTime { store, tenant } => {
                let cookie = random(entropy)?;
                let until = DateTime::from_timestamp(pending.until, 0).ok_or(LoginError::Client)?;
                let key = key(tenant, &pending.connection, &pending.state, &cookie);
                store.put(&key, &text, until, now).await?;
                Ok(cookie)
            }
            Kept::Sealed(key) => {
                let sealed = seal(key, &pending.connection, text, entropy)?;
                if sealed.len() > MAX_COOKIE { Err(LoginError::Client) } else { Ok(sealed) }
            }
        }
    }

    /// Takes the sign-in that belongs to a state and a browser.
    pub(crate) async fn take(
        &self,
        connection: &ConnectionId,
        state: &str,
        cookie: &str,
        now: DateTime<Utc>,
    ) -> Result<Pending, LoginError> {
        let text = match &self.0 {
            Kept::OneTime { store, tenant } => {
                let key = key(tenant, connection.as_str(), state, cookie);
                store.take(&key, now).await?.ok_or(Rejection::StateUnknown)?
            }
            Kept::Sealed(key) => open(key, connection.as_str(), cookie)?,
        };
        let pending: Pending = serde_json::from_slice(&text).map_err(|_| Rejection::StateMalformed)?;
        check(&pending, connection, state, now)?;
        Ok(pending)
    }
}

fn check(
    pending: &Pending,
    connection: &ConnectionId,
    state: &str,
    now: DateTime<Utc>,
) -> Result<(), Rejection> {
    if pending.connection != connection.as_str() {
        return Err(Rejection::StateOtherConnection);
    }
    verify_slices_are_equal(pending.state.as_bytes(), state.as_bytes())
        .map_err(|_| Rejection::StateNotThisBrowser)?;
    if now.timestamp() >= pending.until { Err(Rejection::StateExpired) } else { Ok(()) }
}

/// The cookie is part of the key, so that whoever has only the state can neither take nor spoil the sign-in.
fn key(tenant: &TenantId, connection: &str, state: &str, cookie: &str) -> OneTimeKey {
    OneTimeKey::new(tenant.clone(), PURPOSE, &[connection.as_bytes(), state.as_bytes(), cookie.as_bytes()])
}

fn seal(
    key: &LessSafeKey,
    connection: &str,
    mut text: Vec<u8>,
    entropy: &dyn Entropy,
) -> Result<String, LoginError> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce)?;
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(connection), &mut text)
        .map_err(|_| LoginError::Client)?;
    Ok(encode(&[nonce.as_slice(), &text].concat()))
}

fn open(key: &LessSafeKey, connection: &str, cookie: &str) -> Result<Vec<u8>, Rejection> {
    if cookie.len() > MAX_COOKIE {
        return Err(Rejection::StateUnknown);
    }
    let sealed = decode(cookie.as_bytes()).map_err(|_| Rejection::StateUnknown)?;
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Rejection::StateUnknown)?;
    let mut text = sealed.to_vec();
    let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad(connection), &mut text);
    opened.map(|text| text.to_vec()).map_err(|_| Rejection::StateUnknown)
}

/// Binds the sealed text to its purpose and connection.
fn aad(connection: &str) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE.as_bytes(), b"\0", connection.as_bytes()].concat())
}

/// Draws 32 bytes.
pub(crate) fn random(entropy: &dyn Entropy) -> Result<String, LoginError> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes)?;
    Ok(encode(&bytes))
}

/// RFC 7636 §4.2.
pub(crate) fn challenge(verifier: &str) -> String {
    encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

/// A short name for a state that can stand in the name of a cookie.
pub(crate) fn short_name(state: &str) -> String {
    let hash = digest(&SHA256, state.as_bytes());
    encode(hash.as_ref().get(..9).unwrap_or_default())
}

impl fmt::Debug for StateKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Kept::OneTime { .. } => "OneTime",
            Kept::Sealed(_) => "Sealed",
        };
        f.debug_tuple("StateKeeper").field(&kind).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jit_core::SystemEntropy;

    fn connection(name: &str) -> ConnectionId {
        ConnectionId::new(name).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn pending() -> Pending {
        Pending {
            state: "state".into(),
            connection: "acme".into(),
            issuer: "https://op.example.com".into(),
            nonce: "nonce".into(),
            verifier: "verifier".into(),
            max_age: Some(60),
            begun: 0,
            return_to: None,
            until: 1_000,
        }
    }

    async fn refused(
        keeper: &StateKeeper,
        name: &str,
        state: &str,
        cookie: &str,
        now: i64,
    ) -> Option<Rejection> {
        keeper.take(&connection(name), state, cookie, at(now)).await.err().and_then(|error| error.rejection())
    }

    #[tokio::test]
    async fn a_sealed_sign_in_opens_only_as_it_was_closed() {
        let keeper = StateKeeper::sealed(&[7; 32]).unwrap();
        let cookie = keeper.put(&pending(), &SystemEntropy, at(0)).await.unwrap();
        assert!(!cookie.contains("verifier"));
        let opened = keeper.take(&connection("acme"), "state", &cookie, at(999)).await.unwrap();
        assert_eq!(opened.verifier, "verifier");
        assert_eq!(refused(&keeper, "acme", "state", &cookie, 1_000).await, Some(Rejection::StateExpired));
        assert_eq!(refused(&keeper, "acme", "other", &cookie, 1).await, Some(Rejection::StateNotThisBrowser));
        assert_eq!(refused(&keeper, "other", "state", &cookie, 1).await, Some(Rejection::StateUnknown));
        let other = StateKeeper::sealed(&[8; 32]).unwrap();
        assert_eq!(refused(&other, "acme", "state", &cookie, 1).await, Some(Rejection::StateUnknown));
        for spoiled in ["", "AAAA", cookie.split_at(1).1, &format!("{cookie}AA"), &"A".repeat(5000)] {
            assert_eq!(refused(&keeper, "acme", "state", spoiled, 1).await, Some(Rejection::StateUnknown));
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_specification() {
        // RFC 7636 appendix B
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
