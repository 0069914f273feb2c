//! Signing a person in: from the request to the verified response (SAML Profiles §4.1).

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jit_core::{Clock, ConnectionId, Entropy};

use crate::binding::{Binding, Outbound, ResponseForm};
use crate::checks::Check;
use crate::config::SamlConfig;
use crate::cookie::StateCookie;
use crate::crypto::CryptoProvider;
use crate::error::LoginError;
use crate::idp::{IdpSource, TrustedIdp};
use crate::rejection::Rejection;
use crate::request::{AuthnRequest, new_id};
use crate::response::{Expectations, Solicitation, VerifiedResponse, verify_response};
use crate::state::{Pending, StateKeeper, random};

/// The longest return address that is carried along.
const MAX_RETURN_TO: usize = 1024;

/// Everything outside that a sign-in needs.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "each part is required; a new one must be visited by every caller"
)]
pub struct Environment {
    /// Where providers are looked up: [`SamlConfig::source`] where there is one.
    pub idps: Arc<dyn IdpSource>,
    /// What carries out cryptography.
    pub crypto: Arc<dyn CryptoProvider>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids and handles are drawn from.
    pub entropy: Arc<dyn Entropy>,
    /// Where sign-ins are kept between their two halves, and used assertions remembered.
    pub keeper: StateKeeper,
}

/// Signs people in over one connection.
pub struct Login {
    connection: ConnectionId,
    config: Arc<SamlConfig>,
    environment: Environment,
}

/// What this one sign-in asks for, beyond the settings of the connection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Begin {
    /// The provider that is asked; that of the settings where none is named.
    pub idp: Option<String>,
    /// How the request gets there; as the provider prefers where nothing is said.
    pub binding: Option<Binding>,
    /// The ways to sign in that are demanded, in the place of those of the connection.
    pub authn_contexts: Option<Vec<String>>,
    /// Whether the person must sign in again, although the connection does not demand it.
    pub force_authn: bool,
    /// Whether the provider must not show anything.
    pub is_passive: bool,
    /// Where the application wants to go on afterwards, up to 1,024 bytes; kept here and handed back, never sent and never
    /// interpreted.
    pub return_to: Option<String>,
}

impl Begin {
    /// Begins a sign-in at one of several providers.
    #[must_use]
    pub fn at(idp: impl Into<String>) -> Self {
        Self { idp: Some(idp.into()), ..Self::default() }
    }
}

/// Where to send the browser, with which cookie.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Departure {
    /// The redirect or the page.
    pub outbound: Outbound,
    /// The cookie that binds the sign-in to this browser.
    pub cookie: StateCookie,
}

/// What this one response must be, whoever the provider turns out to be.
#[derive(Clone, Copy)]
struct Demanded<'a> {
    solicitation: Solicitation<'a>,
    contexts: &'a [String],
    authenticated_after: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

/// A sign-in that was begun here and whose answer has come. Only [`Login::resume`] makes it, and once; what the answer says is
/// not known yet.
#[must_use = "the answer is verified by `Login::answer`"]
pub struct Resumed(Pending);

/// A finished sign-in. It proves nothing to the engine: only a trigger attests.
#[must_use = "a finished sign-in has no effect until its identity is attested"]
pub struct Authentication {
    pub(crate) response: VerifiedResponse,
    pub(crate) idp: Arc<TrustedIdp>,
    return_to: Option<String>,
}

impl Login {
    /// Prepares a connection.
    #[must_use]
    pub fn new(connection: ConnectionId, config: SamlConfig, environment: Environment) -> Self {
        Self { connection, config: Arc::new(config), environment }
    }

    /// Returns the settings of the connection.
    #[must_use]
    pub fn config(&self) -> &SamlConfig {
        &self.config
    }

    /// Begins a sign-in (SAML Profiles §4.1.3.3). What travels as `RelayState` is a handle that says nothing (SAML Bindings
    /// §3.5.3); what it stands for is kept here.
    ///
    /// # Errors
    /// `saml.idp_unknown`, `saml.idp_expired`, `saml.client_unusable` when the provider cannot be asked in that way, and
    /// `store.…` when it cannot be looked up or the sign-in cannot be kept.
    ///
    /// # Cancel safety
    /// A sign-in that nobody can finish may have been kept; it ends by itself.
    pub async fn begin(&self, begin: Begin) -> Result<Departure, LoginError> {
        if begin.return_to.as_ref().is_some_and(|address| address.len() > MAX_RETURN_TO) {
            return Err(LoginError::Client);
        }
        let now = self.now();
        let entity_id = begin.idp.as_deref().or(self.config.idp.as_ref().map(|idp| idp.entity_id()));
        let idp = self.idp(entity_id.ok_or(LoginError::Client)?).await?;
        if !idp.holds_at(now) {
            return Err(Rejection::IdpExpired.into());
        }
        let entropy = self.environment.entropy.as_ref();
        let pending = Pending {
            handle: random(entropy)?,
            connection: self.connection.to_string(),
            idp: idp.entity_id().to_owned(),
            request_id: new_id(entropy)?,
            contexts: begin.authn_contexts.clone().unwrap_or_else(|| self.config.authn_contexts.clone()),
            force_authn: self.config.force_authn || begin.force_authn,
            return_to: begin.return_to.clone(),
            begun: now.timestamp(),
            until: now.checked_add_signed(self.config.patience).ok_or(LoginError::Client)?.timestamp(),
        };
        let outbound = self.request(&pending, &idp, &begin, now).ok_or(LoginError::Client)?;
        let value = self.environment.keeper.put(&pending, entropy, now).await?;
        let cookie = StateCookie::new(&pending.handle, value, self.config.patience, self.is_secure());
        Ok(Departure { outbound, cookie })
    }

    fn request(
        &self,
        pending: &Pending,
        idp: &TrustedIdp,
        begin: &Begin,
        now: DateTime<Utc>,
    ) -> Option<Outbound> {
        let config = &self.config;
        if idp.wants_signed_requests() && config.signing_key.is_none() {
            return None;
        }
        let endpoint = idp.sign_on_by(begin.binding)?;
        let mut request = AuthnRequest::new(
            &pending.request_id,
            now,
            &endpoint.location,
            &config.entity_id,
            &config.acs_url,
        );
        request.contexts = &pending.contexts;
        request.force_authn = pending.force_authn;
        request.is_passive = begin.is_passive;
        request.name_id_format = config.name_id_format.as_deref();
        request.allow_create = config.allow_create;
        request.send(endpoint, &pending.handle, config.signing_key.as_ref(), config.certificate.as_deref())
    }

    /// Finishes a sign-in that was begun here: takes it, so that its request is answered once; verifies the response; and
    /// remembers the assertion, so that nobody uses it again. `cookies` is the whole `Cookie` header of the request.
    ///
    /// An application that offers a refused person to begin anew where they wanted to go calls [`Self::resume`] and
    /// [`Self::answer`] instead, which are this in two steps.
    ///
    /// # Errors
    /// `saml.…` for the rule that was broken, `store.…` when the sign-in cannot be taken or the assertion not be
    /// remembered.
    ///
    /// # Cancel safety
    /// The sign-in may have been taken and the assertion used up; the person then begins anew.
    pub async fn finish(
        &self,
        form: &ResponseForm,
        cookies: Option<&str>,
    ) -> Result<Authentication, LoginError> {
        let resumed = self.resume(form, cookies).await?;
        self.answer(resumed, form).await
    }

    /// Takes the sign-in that a form answers, by its `RelayState` and the cookie of the browser.
    ///
    /// # Errors
    /// `saml.relay_state_missing`, `saml.state_…`, `store.…` when the sign-in cannot be taken.
    ///
    /// # Cancel safety
    /// The sign-in may have been taken; the person then begins anew.
    pub async fn resume(&self, form: &ResponseForm, cookies: Option<&str>) -> Result<Resumed, LoginError> {
        let handle = form.relay_state().ok_or(Rejection::RelayStateMissing)?;
        let cookie = StateCookie::find(cookies.unwrap_or_default(), handle, self.is_secure());
        let cookie = cookie.ok_or(Rejection::StateNotThisBrowser)?;
        let keeper = &self.environment.keeper;
        keeper.take(&self.connection, handle, cookie, self.now()).await.map(Resumed)
    }

    /// Finds the cookie of the sign-in that a form answers, where the browser has it. A sign-in has one answer, whatever it
    /// says, so [`StateCookie::clear_header`] goes out with the page that follows. Leave the cookie only where the store could
    /// not be asked for the sign-in: then the form may come again. Once it was taken, it has to be begun anew.
    #[must_use]
    pub fn cookie_of(&self, form: &ResponseForm, cookies: Option<&str>) -> Option<StateCookie> {
        StateCookie::found(cookies?, form.relay_state()?, self.config.patience, self.is_secure())
    }

    /// Verifies the response to a sign-in that was taken, and remembers its assertion.
    ///
    /// # Errors
    /// As [`Self::finish`].
    ///
    /// # Cancel safety
    /// The assertion may have been used up.
    pub async fn answer(&self, resumed: Resumed, form: &ResponseForm) -> Result<Authentication, LoginError> {
        let Resumed(pending) = resumed;
        let idp = self.idp(&pending.idp).await?;
        let begun = DateTime::from_timestamp(pending.begun, 0);
        let demanded = Demanded {
            solicitation: Solicitation::Request(&pending.request_id),
            contexts: &pending.contexts,
            authenticated_after: begun.filter(|_| pending.force_authn),
            now: self.now(),
        };
        let (mut response, idp) = self.accept(form, idp, &demanded).await?;
        response.record(Check::State);
        Ok(Authentication { response, idp, return_to: pending.return_to })
    }

    /// Finishes a sign-in that the provider began (SAML Profiles §4.1.5). Nothing binds it to a browser, so whoever has a
    /// response that was not used yet can sign any browser in with it.
    ///
    /// # Errors
    /// `saml.unsolicited_refused` unless the connection accepts such sign-ins, and as [`Self::finish`].
    ///
    /// # Cancel safety
    /// The assertion may have been used up.
    pub async fn finish_unsolicited(&self, form: &ResponseForm) -> Result<Authentication, LoginError> {
        if !self.config.accepts_unsolicited {
            return Err(Rejection::UnsolicitedRefused.into());
        }
        let idp = match &self.config.idp {
            Some(idp) => Arc::clone(idp),
            None => self.idp(&form.unverified_issuer().ok_or(Rejection::IssuerMissing)?).await?,
        };
        let demanded = Demanded {
            solicitation: Solicitation::Unsolicited,
            contexts: &self.config.authn_contexts,
            authenticated_after: None,
            now: self.now(),
        };
        let (response, idp) = self.accept(form, idp, &demanded).await?;
        Ok(Authentication { response, idp, return_to: None })
    }

    /// Verifies the response, and then that its assertion was not used before: whatever is refused uses nothing up. Where
    /// no key fits, the provider may have changed its keys: what is known of it is renewed, and the response read once more.
    async fn accept(
        &self,
        form: &ResponseForm,
        idp: Arc<TrustedIdp>,
        demanded: &Demanded<'_>,
    ) -> Result<(VerifiedResponse, Arc<TrustedIdp>), LoginError> {
        let mut idp = idp;
        let mut verified = verify_response(form.response(), &self.expectations(&idp, demanded));
        if verified.as_ref().is_err_and(|rejection| rejection.may_be_a_new_key())
            && let Ok(Some(renewed)) = self.environment.idps.renewed(&idp).await
            && renewed.entity_id() == idp.entity_id()
        {
            idp = renewed;
            verified = verify_response(form.response(), &self.expectations(&idp, demanded));
        }
        let mut response = verified?;
        let keeper = &self.environment.keeper;
        let until = response.replayable_until();
        keeper.use_up(response.issuer(), response.assertion_id(), until, demanded.now).await?;
        response.record(Check::AssertionId);
        Ok((response, idp))
    }

    fn expectations<'a>(&'a self, idp: &'a TrustedIdp, demanded: &Demanded<'a>) -> Expectations<'a> {
        let config = &self.config;
        let crypto = self.environment.crypto.as_ref();
        let Demanded { solicitation, contexts, authenticated_after, now } = *demanded;
        let mut expected =
            Expectations::new(&config.entity_id, &config.acs_url, idp, solicitation, now, crypto);
        expected.decryption_keys = &config.decryption_keys;
        expected.contexts = contexts;
        expected.authenticated_after = authenticated_after;
        expected.skew = config.skew;
        expected
    }

    async fn idp(&self, entity_id: &str) -> Result<Arc<TrustedIdp>, LoginError> {
        let found = self.environment.idps.idp(entity_id).await?;
        // a source that answers with another provider than it was asked for would mix tenants up
        let found = found.filter(|idp| idp.entity_id() == entity_id);
        Ok(found.ok_or(Rejection::IdpUnknown)?)
    }

    fn is_secure(&self) -> bool {
        self.config.acs_url.starts_with("https:")
    }

    fn now(&self) -> DateTime<Utc> {
        self.environment.clock.now()
    }
}

impl Resumed {
    /// Returns what the application wanted to remember, whatever comes of the answer.
    #[must_use]
    pub fn return_to(&self) -> Option<&str> {
        self.0.return_to.as_deref()
    }
}

impl Authentication {
    /// Returns the verified response.
    pub const fn response(&self) -> &VerifiedResponse {
        &self.response
    }

    /// Returns the provider.
    #[must_use]
    pub fn idp(&self) -> &TrustedIdp {
        &self.idp
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

/// Shows nothing of it: the handle is half of a secret.
impl fmt::Debug for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumed").finish_non_exhaustive()
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication").field("response", &self.response).finish_non_exhaustive()
    }
}
