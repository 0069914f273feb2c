//! Signing a person in: authorization code with PKCE, from the redirect to the verified claims.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jit_core::{Clock, ConnectionId, Entropy};
use serde_json::{Map, Value};
use url::Url;

use crate::callback::{Answer, Callback};
use crate::checks::Check;
use crate::client::Occasion;
use crate::config::OidcConfig;
use crate::cookie::StateCookie;
use crate::error::LoginError;
use crate::http::Http;
use crate::id_token::IdToken;
use crate::jwks_cache::Channel;
use crate::provider::{Demands, Provider, Published};
use crate::rejection::Rejection;
use crate::secret::Secret;
use crate::settings::{ResponseMode, UserInfoUse};
use crate::signature::Engine;
use crate::state::{Pending, StateKeeper, challenge, random};
use crate::token_request::{Grant, TokenResponse, redeem};
use crate::userinfo;

/// The longest return address that is carried along.
const MAX_RETURN_TO: usize = 1024;

/// Everything outside that a sign-in needs.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "each part is required; a new one must be visited by every caller"
)]
pub struct Environment {
    /// The door to the network.
    pub http: Arc<dyn Http>,
    /// What checks signatures.
    pub engine: Engine,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where nonces, states and verifiers are drawn from.
    pub entropy: Arc<dyn Entropy>,
    /// Where sign-ins are kept between their two halves.
    pub keeper: StateKeeper,
}

/// Signs people in over one connection.
pub struct Login {
    connection: ConnectionId,
    config: Arc<OidcConfig>,
    environment: Environment,
    provider: Provider,
}

/// What this one sign-in asks for, beyond the settings of the connection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Begin {
    /// Who is probably signing in.
    pub login_hint: Option<String>,
    /// What the provider must ask the person, instead of what the connection says.
    pub prompt: Option<String>,
    /// How many seconds ago the person may have authenticated; the connection's bound holds as well. With 0 they must
    /// authenticate for this sign-in: a session that is open at the provider is not enough, and neither is a provider that
    /// does not say when.
    pub max_age: Option<u32>,
    /// Where the application wants to go on afterwards, up to 1,024 bytes; carried along and handed back, never
    /// interpreted here.
    pub return_to: Option<String>,
}

impl Begin {
    /// Begins a sign-in of somebody who is probably this one.
    #[must_use]
    pub fn for_person(login_hint: impl Into<String>) -> Self {
        Self { login_hint: Some(login_hint.into()), ..Self::default() }
    }
}

/// Where to send the browser, with which cookie.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Redirect {
    /// The address at the provider.
    pub url: Url,
    /// The cookie that binds the sign-in to this browser.
    pub cookie: StateCookie,
}

/// A finished sign-in: who it was, verified, and what was said of them.
#[must_use]
pub struct Authentication {
    pub(crate) id_token: IdToken,
    pub(crate) userinfo: Option<Map<String, Value>>,
    access_token: Secret,
    return_to: Option<String>,
}

impl Login {
    /// Prepares a connection. Nothing is fetched before the first sign-in.
    #[must_use]
    pub fn new(connection: ConnectionId, config: OidcConfig, environment: Environment) -> Self {
        let config = Arc::new(config);
        let provider = Provider::new(
            Arc::clone(&config),
            Arc::clone(&environment.http),
            Arc::clone(&environment.clock),
            environment.engine.clone(),
        );
        Self { connection, config, environment, provider }
    }

    /// Returns the provider of the connection.
    #[must_use]
    pub const fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Returns the settings of the connection.
    #[must_use]
    pub fn config(&self) -> &OidcConfig {
        &self.config
    }

    /// Begins a sign-in (OpenID Connect Core §3.1.2.1, RFC 7636 §4.3).
    ///
    /// # Errors
    /// `oidc.discovery_…` and `oidc.http_…` when the provider's metadata is not at hand, `store.…` when the sign-in
    /// cannot be kept.
    ///
    /// # Cancel safety
    /// A sign-in that nobody can finish may have been kept; it ends by itself.
    pub async fn begin(&self, begin: Begin) -> Result<Redirect, LoginError> {
        let published = self.provider.published().await?;
        let entropy = self.environment.entropy.as_ref();
        let now = self.now();
        let max_age = [self.config.max_age, begin.max_age].into_iter().flatten().min();
        if begin.return_to.as_ref().is_some_and(|address| address.len() > MAX_RETURN_TO) {
            return Err(LoginError::Client);
        }
        let pending = Pending {
            state: random(entropy)?,
            connection: self.connection.to_string(),
            issuer: published.value.metadata.issuer.clone(),
            nonce: random(entropy)?,
            verifier: random(entropy)?,
            max_age,
            begun: now.timestamp(),
            return_to: begin.return_to.clone(),
            until: (now + self.config.patience).timestamp(),
        };
        let value = self.environment.keeper.put(&pending, entropy, now).await?;
        let url = self.authorization_url(&published.value, &pending, &begin);
        Ok(Redirect { url, cookie: StateCookie::new(&pending.state, value, &self.config) })
    }

    /// Finishes a sign-in: checks the callback, redeems the code, verifies the ID token, and asks userinfo only after
    /// that. `cookies` is the whole `Cookie` header of the request.
    ///
    /// # Errors
    /// `oidc.…` for the rule that was broken, `oidc.http_…` when the provider cannot be asked, `store.…` when the
    /// sign-in cannot be taken.
    ///
    /// # Cancel safety
    /// The sign-in may have been taken and the code redeemed; the person then begins anew.
    pub async fn finish(
        &self,
        callback: &Callback,
        cookies: Option<&str>,
    ) -> Result<Authentication, LoginError> {
        let published = self.provider.published().await?;
        let published = &published.value;
        let pending = self.take(callback, cookies).await?;
        let sends_issuer = self.check_issuer(callback, &pending, published)?;
        let code = match &callback.answer {
            Answer::Code(code) => code,
            Answer::Error(rejection) => return Err((*rejection).into()),
            Answer::Nothing => return Err(Rejection::CallbackCodeMissing.into()),
        };
        let tokens = self.redeem(published, code, &pending).await?;
        let mut id_token = self.verify(&tokens, code, &pending).await?;
        self.record(&mut id_token, sends_issuer);
        // only now: an access token beside a refused ID token is not used
        let userinfo = self.userinfo(published, &tokens.access_token, &id_token).await?;
        Ok(Authentication {
            id_token,
            userinfo,
            access_token: tokens.access_token,
            return_to: pending.return_to,
        })
    }

    /// Finds the cookie of the sign-in that a callback answers, where the browser has it. A sign-in has one answer, whatever it
    /// says, so [`StateCookie::clear_header`] goes out with the page that follows. Leave the cookie only where the store could
    /// not be asked for the sign-in: then the callback may come again. Once it was taken, it has to be begun anew.
    #[must_use]
    pub fn cookie_of(&self, callback: &Callback, cookies: Option<&str>) -> Option<StateCookie> {
        StateCookie::found(cookies?, callback.state()?, &self.config)
    }

    fn authorization_url(&self, published: &Published, pending: &Pending, begin: &Begin) -> Url {
        let mut url = published.metadata.authorization_endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", self.config.redirect_uri.as_str())
            .append_pair("scope", &self.config.scope)
            .append_pair("state", &pending.state)
            .append_pair("nonce", &pending.nonce)
            .append_pair("code_challenge", &challenge(&pending.verifier))
            .append_pair("code_challenge_method", "S256");
        if self.config.response_mode == Some(ResponseMode::FormPost) {
            query.append_pair("response_mode", "form_post");
        }
        let prompt = begin.prompt.as_ref().or(self.config.prompt.as_ref());
        for (name, value) in [("prompt", prompt), ("login_hint", begin.login_hint.as_ref())] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        if let Some(max_age) = pending.max_age {
            query.append_pair("max_age", &max_age.to_string());
        }
        if !self.config.acr_values.is_empty() {
            query.append_pair("acr_values", &self.config.acr_values.join(" "));
        }
        drop(query);
        url
    }

    async fn take(&self, callback: &Callback, cookies: Option<&str>) -> Result<Pending, LoginError> {
        let state = callback.state().filter(|state| !state.is_empty()).ok_or(Rejection::StateMissing)?;
        let cookie = StateCookie::find(cookies.unwrap_or_default(), state, &self.config);
        let cookie = cookie.ok_or(Rejection::StateNotThisBrowser)?;
        self.environment.keeper.take(&self.connection, state, cookie, self.now()).await
    }

    /// RFC 9207 §2.4, and the issuer that the sign-in was begun with: both keep an answer of one provider from being
    /// redeemed at another.
    fn check_issuer(
        &self,
        callback: &Callback,
        pending: &Pending,
        published: &Published,
    ) -> Result<bool, Rejection> {
        if pending.issuer != published.metadata.issuer {
            return Err(Rejection::StateOtherConnection);
        }
        match &callback.iss {
            Some(iss) if self.config.policy.issuer.admits(iss) => Ok(true),
            Some(_) => Err(Rejection::CallbackIssuerMismatch),
            None if published.metadata.sends_issuer => Err(Rejection::CallbackIssuerMissing),
            None => Ok(false),
        }
    }

    async fn redeem(
        &self,
        published: &Published,
        code: &str,
        pending: &Pending,
    ) -> Result<TokenResponse, LoginError> {
        let token_endpoint = published.metadata.token_endpoint.as_str();
        let occasion = Occasion {
            client_id: &self.config.client_id,
            issuer: &published.metadata.issuer,
            token_endpoint,
            now: self.now(),
            jti: random(self.environment.entropy.as_ref())?,
        };
        let proof = self.config.client.prove(&occasion).ok_or(LoginError::Client)?;
        let redirect_uri = self.config.redirect_uri.as_str();
        let grant = Grant { code, redirect_uri, verifier: &pending.verifier };
        redeem(self.environment.http.as_ref(), token_endpoint, &grant, proof).await
    }

    async fn verify(
        &self,
        tokens: &TokenResponse,
        code: &str,
        pending: &Pending,
    ) -> Result<IdToken, LoginError> {
        let demands = Demands {
            nonce: Some(&pending.nonce),
            access_token: Some(tokens.access_token.expose()),
            code: Some(code),
            max_age: pending.max_age,
            begun: DateTime::from_timestamp(pending.begun, 0),
        };
        Ok(self.provider.verify(tokens.id_token.as_bytes(), &demands, Channel::Trusted).await??)
    }

    fn record(&self, id_token: &mut IdToken, sends_issuer: bool) {
        id_token.record(self.environment.keeper.check());
        id_token.record(Check::Pkce);
        if sends_issuer {
            id_token.record(Check::ResponseIssuer);
        }
    }

    async fn userinfo(
        &self,
        published: &Published,
        access_token: &Secret,
        id_token: &IdToken,
    ) -> Result<Option<Map<String, Value>>, LoginError> {
        if self.config.userinfo == UserInfoUse::Never {
            return Ok(None);
        }
        let http = self.environment.http.as_ref();
        userinfo::fetch(&self.provider, http, published, access_token, id_token.subject()).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.environment.clock.now()
    }
}

impl Authentication {
    /// Returns the verified ID token.
    pub const fn id_token(&self) -> &IdToken {
        &self.id_token
    }

    /// Returns the userinfo claims, which are about the same subject.
    #[must_use]
    pub const fn userinfo(&self) -> Option<&Map<String, Value>> {
        self.userinfo.as_ref()
    }

    /// Returns the access token, for what the application wants to ask the provider.
    #[must_use]
    pub const fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// Returns what the application wanted to remember.
    #[must_use]
    pub fn return_to(&self) -> Option<&str> {
        self.return_to.as_deref()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("keeper", &self.keeper).finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication").field("id_token", &self.id_token).finish_non_exhaustive()
    }
}
