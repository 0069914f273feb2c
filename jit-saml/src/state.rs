//! Sign-ins that were begun and are not finished, and assertions that were used: both in a one-time store.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, ConnectionId, Entropy, ErrorKind, OneTime, OneTimeKey, Taken, TenantId};
use serde::{Deserialize, Serialize};

use crate::error::LoginError;
use crate::rejection::Rejection;

/// The purpose under which sign-ins are kept.
const STATE: &str = "saml.state";
/// The purpose under which used assertions are remembered.
const USED: &str = "saml.assertion";

/// How much longer a used assertion is remembered than its connection would accept it: another connection of the tenant, or
/// tomorrow's settings of this one, may let clocks differ by more, up to these ten minutes.
const LONGEST_SKEW: TimeDelta = TimeDelta::minutes(10);

/// What must be remembered between the two halves of a sign-in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The opaque handle that travels as `RelayState`.
    pub(crate) handle: String,
    pub(crate) connection: String,
    /// The provider that was asked: no other may answer.
    pub(crate) idp: String,
    pub(crate) request_id: String,
    pub(crate) contexts: Vec<String>,
    pub(crate) force_authn: bool,
    pub(crate) return_to: Option<String>,
    /// Seconds since 1970.
    pub(crate) begun: i64,
    pub(crate) until: i64,
}

/// Keeps sign-ins and used assertions of one tenant.
#[derive(Clone)]
pub struct StateKeeper {
    store: Arc<dyn OneTime>,
    tenant: TenantId,
}

impl StateKeeper {
    /// Keeps them in a one-time store: each sign-in can be finished once, by the browser that has its cookie.
    #[must_use]
    pub fn one_time(store: Arc<dyn OneTime>, tenant: TenantId) -> Self {
        Self { store, tenant }
    }

    /// Keeps a sign-in and returns the value of the cookie.
    pub(crate) async fn put(
        &self,
        pending: &Pending,
        entropy: &dyn Entropy,
        now: DateTime<Utc>,
    ) -> Result<String, LoginError> {
        let text = serde_json::to_vec(pending).map_err(|_| LoginError::Client)?;
        let cookie = random(entropy)?;
        let until = DateTime::from_timestamp(pending.until, 0).ok_or(LoginError::Client)?;
        let key = self.key(&pending.connection, &pending.handle, &cookie);
        self.store.put(&key, &text, until, now).await?;
        Ok(cookie)
    }

    /// Takes the sign-in that belongs to a handle and a browser.
    pub(crate) async fn take(
        &self,
        connection: &ConnectionId,
        handle: &str,
        cookie: &str,
        now: DateTime<Utc>,
    ) -> Result<Pending, LoginError> {
        let key = self.key(connection.as_str(), handle, cookie);
        let text = self.store.take(&key, now).await?.ok_or(Rejection::StateUnknown)?;
        let pending: Pending = serde_json::from_slice(&text).map_err(|_| Rejection::StateMalformed)?;
        if pending.connection != connection.as_str() || pending.handle != handle {
            return Err(Rejection::StateOtherConnection.into());
        }
        if now.timestamp() >= pending.until {
            return Err(Rejection::StateExpired.into());
        }
        Ok(pending)
    }

    /// Remembers that an assertion was used, and refuses one that was (SAML Profiles §4.1.4.5). Two issuers may choose the
    /// same id.
    pub(crate) async fn use_up(
        &self,
        issuer: &str,
        assertion_id: &str,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), LoginError> {
        let key = OneTimeKey::new(self.tenant.clone(), USED, &[issuer.as_bytes(), assertion_id.as_bytes()]);
        let until = until.checked_add_signed(LONGEST_SKEW).unwrap_or(until);
        self.store.put(&key, &[], until, now).await.map_err(replayed)
    }

    /// The cookie is part of the key, so that whoever has only the handle can neither take nor spoil the sign-in.
    fn key(&self, connection: &str, handle: &str, cookie: &str) -> OneTimeKey {
        let parts = [connection.as_bytes(), handle.as_bytes(), cookie.as_bytes()];
        OneTimeKey::new(self.tenant.clone(), STATE, &parts)
    }
}

fn replayed(error: BackendError) -> LoginError {
    match error.kind() {
        ErrorKind::AlreadyExists(Taken::OneTime) => Rejection::Replayed.into(),
        _ => error.into(),
    }
}

/// Draws 32 bytes: 43 characters, which fit into `RelayState`.
pub(crate) fn random(entropy: &dyn Entropy) -> Result<String, BackendError> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl fmt::Debug for StateKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateKeeper").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jit_core::{MemoryStore, SystemEntropy};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn keeper() -> StateKeeper {
        StateKeeper::one_time(Arc::new(MemoryStore::new()), TenantId::new("acme").unwrap())
    }

    #[tokio::test]
    async fn an_assertion_is_used_once_until_nobody_would_accept_it() {
        let keeper = keeper();
        let until = at(0) + TimeDelta::minutes(5);
        keeper.use_up("https://idp", "_1", until, at(0)).await.unwrap();
        let again = keeper.use_up("https://idp", "_1", until, at(299)).await.unwrap_err();
        assert_eq!(again.rejection(), Some(Rejection::Replayed));
        keeper.use_up("https://other", "_1", until, at(1)).await.unwrap();
        // a connection whose clocks may differ by more would still accept it
        let later = keeper.use_up("https://idp", "_1", at(900), at(899)).await.unwrap_err();
        assert_eq!(later.rejection(), Some(Rejection::Replayed));
        keeper.use_up("https://idp", "_1", at(1800), at(900)).await.unwrap();
    }

    #[tokio::test]
    async fn a_sign_in_is_taken_once_and_only_with_its_cookie() {
        let keeper = keeper();
        let pending = Pending {
            handle: "handle".into(),
            connection: "acme".into(),
            idp: "https://idp".into(),
            request_id: "_1".into(),
            contexts: Vec::new(),
            force_authn: false,
            return_to: None,
            begun: 0,
            until: 600,
        };
        let cookie = keeper.put(&pending, &SystemEntropy, at(0)).await.unwrap();
        let connection = |name| ConnectionId::new(name).unwrap();
        let refused = |error: Result<Pending, LoginError>| error.err().and_then(|error| error.rejection());
        let unknown = Some(Rejection::StateUnknown);
        assert_eq!(refused(keeper.take(&connection("acme"), "handle", "other", at(1)).await), unknown);
        assert_eq!(refused(keeper.take(&connection("other"), "handle", &cookie, at(1)).await), unknown);
        assert_eq!(
            keeper.take(&connection("acme"), "handle", &cookie, at(1)).await.ok().unwrap().request_id,
            "_1"
        );
        assert_eq!(refused(keeper.take(&connection("acme"), "handle", &cookie, at(1)).await), unknown);
    }
}
