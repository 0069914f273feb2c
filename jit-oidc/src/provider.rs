//! One provider: its metadata and keys, and verification with keys that are fetched when they are needed.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::Clock;

use crate::config::OidcConfig;
use crate::discovery::{MAX_METADATA, ProviderMetadata};
use crate::expectations::{Expectations, TokenPolicy};
use crate::http::{FetchError, Http, get_json};
use crate::id_token::{self, IdToken};
use crate::jose;
use crate::jwks_cache::{Channel, JwksCache, Keys};
use crate::keys::KeySet;
use crate::rejection::Rejection;
use crate::shelf::{Fetched, Shelf, Shelved, life_of};
use crate::signature::Engine;

/// Holds what a connection knows of its provider. Nothing is fetched before it is needed.
pub struct Provider {
    config: Arc<OidcConfig>,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    published: Shelf<Published>,
    jwks: JwksCache,
}

/// The metadata of a provider, with the policy narrowed to the algorithms that it uses.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) metadata: ProviderMetadata,
    policy: TokenPolicy,
}

/// What one sign-in demands of a token.
#[derive(Clone, Copy)]
pub(crate) struct Demands<'a> {
    pub(crate) nonce: Option<&'a str>,
    pub(crate) access_token: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) max_age: Option<u32>,
    pub(crate) begun: Option<DateTime<Utc>>,
}

impl Published {
    pub(crate) const fn policy(&self) -> &TokenPolicy {
        &self.policy
    }
}

impl Provider {
    /// Prepares a provider.
    #[must_use]
    pub fn new(config: Arc<OidcConfig>, http: Arc<dyn Http>, clock: Arc<dyn Clock>, engine: Engine) -> Self {
        let jwks =
            JwksCache::new(Arc::clone(&http), Arc::clone(&clock), engine, config.policy.allowed_algorithms());
        Self { config, http, published: Shelf::new(Arc::clone(&clock)), clock, jwks }
    }

    /// Fetches the metadata, so that a wrong configuration shows before the first person signs in.
    ///
    /// # Errors
    /// `oidc.discovery_…` or `oidc.http_…`.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn metadata(&self) -> Result<ProviderMetadata, FetchError> {
        Ok(self.published().await?.value.metadata.clone())
    }

    /// Verifies an ID token that somebody handed in: what [`id_token::verify`] checks, with keys from the cache and
    /// within the budget of untrusted tokens.
    ///
    /// # Errors
    /// The outer error when metadata or keys are not at hand, the inner one when the token is refused.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn verify_untrusted(
        &self,
        token: &[u8],
        nonce: Option<&str>,
    ) -> Result<Result<IdToken, Rejection>, FetchError> {
        let demands = Demands { nonce, access_token: None, code: None, max_age: None, begun: None };
        self.verify(token, &demands, Channel::Untrusted).await
    }

    pub(crate) async fn published(&self) -> Result<Arc<Shelved<Published>>, FetchError> {
        self.published.get(self.fetch()).await
    }

    pub(crate) async fn verify(
        &self,
        token: &[u8],
        demands: &Demands<'_>,
        channel: Channel,
    ) -> Result<Result<IdToken, Rejection>, FetchError> {
        let published = self.published().await?;
        let expectations = self.expectations(&published.value.policy, demands);
        let check = |keys: &KeySet| id_token::verify(token, keys, &expectations, self.clock.now());
        self.with_keys(token, &published.value, channel, check).await
    }

    /// Runs a check with the keys at hand, and once more with newer ones if those may cure the refusal.
    pub(crate) async fn with_keys<T>(
        &self,
        token: &[u8],
        published: &Published,
        channel: Channel,
        check: impl Fn(&KeySet) -> Result<T, Rejection> + Send,
    ) -> Result<Result<T, Rejection>, FetchError>
    where
        T: Send,
    {
        let jwks_uri = published.metadata.jwks_uri.as_str();
        let keys = self.jwks.keys(jwks_uri).await?;
        let refusal = match check(keys.set()) {
            Ok(verified) => return Ok(Ok(verified)),
            Err(refusal) => refusal,
        };
        let kid = jose::kid_of(token);
        if !may_be_cured(refusal, kid.as_deref(), channel) {
            return Ok(Err(refusal));
        }
        match self.newer(jwks_uri, &keys, channel, kid.as_deref()).await? {
            Some(newer) => Ok(check(newer.set())),
            None => Ok(Err(refusal)),
        }
    }

    async fn newer(
        &self,
        jwks_uri: &str,
        seen: &Keys,
        channel: Channel,
        kid: Option<&str>,
    ) -> Result<Option<Keys>, FetchError> {
        self.jwks.newer(jwks_uri, seen, channel, kid).await
    }

    fn expectations<'a>(&'a self, policy: &'a TokenPolicy, demands: &Demands<'a>) -> Expectations<'a> {
        let mut expectations = Expectations::new(policy).acr(&self.config.required_acr);
        if let Some(nonce) = demands.nonce {
            expectations = expectations.nonce(nonce);
        }
        if let Some(token) = demands.access_token {
            expectations = expectations.access_token(token);
        }
        if let Some(code) = demands.code {
            expectations = expectations.code(code);
        }
        if let Some(seconds) = demands.max_age {
            expectations = expectations.max_age(TimeDelta::seconds(i64::from(seconds)));
        }
        match demands.begun {
            Some(at) => expectations.begun(at),
            None => expectations,
        }
    }

    async fn fetch(&self) -> Result<Fetched<Published>, FetchError> {
        let response = get_json(self.http.as_ref(), "discovery", &self.config.metadata, MAX_METADATA).await?;
        let configured = &self.config.policy;
        let metadata =
            ProviderMetadata::parse(response.body(), configured.issuer_rule(), self.config.endpoints)?;
        let algorithms = configured.allowed_algorithms().narrowed_to(metadata.id_token_algorithms);
        if algorithms.is_empty() {
            return Err(Rejection::DiscoveryAlgorithms.into());
        }
        let policy = configured.clone().algorithms(algorithms);
        Ok(Fetched { value: Published { metadata, policy }, life: life_of(&response) })
    }
}

/// Without a `kid` a new key shows only in a signature that does not match; that is worth a look where nobody can
/// forge tokens.
fn may_be_cured(refusal: Rejection, kid: Option<&str>, channel: Channel) -> bool {
    refusal.may_be_cured_by_new_keys()
        || refusal == Rejection::SignatureInvalid && kid.is_none() && channel == Channel::Trusted
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("config", &self.config).finish_non_exhaustive()
    }
}
