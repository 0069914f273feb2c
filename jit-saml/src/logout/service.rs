//! Single logout: sign-outs that begin here, and sign-outs that begin at a provider.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, Clock, ConnectionId, Entropy, ErrorKind, OneTime, OneTimeKey, Taken, TenantId};

use super::error::LogoutError;
use super::header::Measure;
use super::message::LogoutMessage;
use super::rejection::LogoutRejection;
use super::request::{self, VerifiedLogout};
use super::response::{self, LogoutStatus};
use super::session::SessionAtIdp;
use super::write::{self, Ended, Envelope};
use crate::binding::{Binding, Direction, Endpoint, MAX_RELAY_STATE, Outbound, PostForm, redirect_url};
use crate::crypto::{CryptoProvider, DecryptionKey};
use crate::encryption::{Attempts, Decryption};
use crate::idp::{IdpSource, TrustedIdp};
use crate::rejection::Rejection;
use crate::request::new_id;
use crate::signature::{SigningKey, sign_enveloped};

/// The purposes under which one-time values are kept.
const BEGUN: &str = "saml-logout-begun";
const SEEN: &str = "saml-logout-seen";
/// How long the person may take at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// How this service takes part in sign-outs.
#[derive(Debug, Clone)]
pub struct LogoutSettings {
    sp_entity_id: String,
    address: String,
    key: SigningKey,
    certificate: Option<Vec<u8>>,
    decryption_keys: Vec<DecryptionKey>,
    skew: TimeDelta,
    accepts_unsigned_responses: bool,
}

/// What sign-outs need from their surroundings.
#[expect(clippy::exhaustive_structs, reason = "whoever composes it names every part")]
pub struct LogoutEnvironment {
    /// Finds the providers.
    pub idps: Arc<dyn IdpSource>,
    /// Keeps what was begun and what was seen.
    pub store: Arc<dyn OneTime>,
    /// The tenant under which that is kept.
    pub tenant: TenantId,
    /// The connection under which that is kept.
    pub connection: ConnectionId,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws identifiers.
    pub entropy: Arc<dyn Entropy>,
    /// Verifies and decrypts.
    pub crypto: Arc<dyn CryptoProvider>,
}

/// Ends sessions together with their providers, in both directions.
pub struct SingleLogout {
    settings: LogoutSettings,
    environment: LogoutEnvironment,
}

/// What a message turned out to be.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "an application must act on each of them")]
pub enum Received {
    /// A provider wants sessions to end: end those that [`VerifiedLogout::ends`], then [`SingleLogout::answer`].
    Request(VerifiedLogout),
    /// A provider answers a sign-out that began here.
    Response(FinishedLogout),
}

/// A sign-out that began here and came back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FinishedLogout {
    /// The provider.
    pub issuer: String,
    /// What it achieved.
    pub status: LogoutStatus,
    /// What was given to [`SingleLogout::begin`], not what the message carries.
    pub relay_state: Option<String>,
}

impl LogoutSettings {
    /// Takes part under a name, with one address for requests and responses by any binding, and a key: every message of a
    /// sign-out is signed (SDP-SP28, SDP-SP33).
    #[must_use]
    pub fn new(sp_entity_id: impl Into<String>, address: impl Into<String>, key: SigningKey) -> Self {
        Self {
            sp_entity_id: sp_entity_id.into(),
            address: address.into(),
            key,
            certificate: None,
            decryption_keys: Vec::new(),
            skew: TimeDelta::minutes(3),
            accepts_unsigned_responses: false,
        }
    }

    /// Adds the certificate (DER) of the key to messages in forms.
    #[must_use]
    pub fn certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificate = Some(der.into());
        self
    }

    /// Sets the keys that decrypt names, each tried in turn (IIP-SP16).
    #[must_use]
    pub fn decryption_keys(mut self, keys: Vec<DecryptionKey>) -> Self {
        self.decryption_keys = keys;
        self
    }

    /// Sets how far clocks may differ; three minutes by default (SDP-G01).
    #[must_use]
    pub const fn skew(mut self, skew: TimeDelta) -> Self {
        self.skew = skew;
        self
    }

    /// Believes unsigned responses, which some providers send: whoever can make the person's browser come here in time, and
    /// knows the identifier of the request, can then claim that the sign-out has succeeded. Requests are always signed.
    #[must_use]
    pub const fn dangerous_accept_unsigned_responses(mut self) -> Self {
        self.accepts_unsigned_responses = true;
        self
    }
}

impl SingleLogout {
    /// Joins settings and surroundings.
    #[must_use]
    pub const fn new(settings: LogoutSettings, environment: LogoutEnvironment) -> Self {
        Self { settings, environment }
    }

    /// Begins a sign-out at the provider, by redirect where it offers that (SDP-SP25).
    ///
    /// End the application's own session first, so that it is over even if the browser never comes back (SDP-SP34), and
    /// send the whole window there, not a frame (SDP-SP27). An application must not begin one because a session idled
    /// (SDP-SP35). `relay_state` is an opaque handle of up to 80 bytes, such as the key of a stored page to return to.
    ///
    /// # Errors
    /// `saml.logout_issuer_unknown`, `saml.idp_expired`, `saml.metadata_unavailable`, `saml.logout_no_endpoint`,
    /// `saml.relay_state_too_long`, `saml.logout_not_sent`, `store.…`.
    ///
    /// # Cancel safety
    /// Nothing is lost but the identifier of the request.
    pub async fn begin(
        &self,
        session: &SessionAtIdp,
        relay_state: Option<&str>,
    ) -> Result<Outbound, LogoutError> {
        if relay_state.is_some_and(|state| state.len() > MAX_RELAY_STATE) {
            return Err(LogoutRejection::from(Rejection::RelayStateTooLong).into());
        }
        let idp = self.idp(&session.issuer).await?;
        let endpoint = endpoint(&idp, None).ok_or(LogoutError::NoEndpoint)?;
        let now = self.environment.clock.now();
        let id = new_id(self.environment.entropy.as_ref())?;
        let (issuer, destination) = (self.settings.sp_entity_id.as_str(), endpoint.location.as_str());
        let xml = write::request(Envelope { id: &id, issuer, destination, now }, session);
        let outbound =
            self.send(endpoint.binding, destination, Direction::Request, &id, &xml, relay_state)?;
        let kept = format!("{}\n{}", idp.entity_id(), relay_state.unwrap_or_default());
        self.environment.store.put(&self.key(BEGUN, &id), kept.as_bytes(), now + PATIENCE, now).await?;
        Ok(outbound)
    }

    /// Takes a message that came to our address:
    ///
    /// 1. the issuer that it names is a trusted provider;
    /// 2. that provider signed it, in the way of the binding;
    /// 3. what the signed octets say, as [`LogoutRejection::ALL`] lists it in order;
    /// 4. a request was not received before; a response answers a request that is pending at the same provider.
    ///
    /// # Errors
    /// `saml.logout_…`, `saml.signature_…`, `saml.xml_…`, `saml.idp_expired`, `saml.metadata_unavailable`, `store.…`.
    ///
    /// # Cancel safety
    /// The message may have been used up; the person begins anew.
    pub async fn receive(&self, message: &LogoutMessage) -> Result<Received, LogoutError> {
        let idp = self.idp(&message.unverified_issuer()?).await?;
        match message.direction() {
            Direction::Request => self.demanded(message, idp).await.map(Received::Request),
            Direction::Response => self.answered(message, idp).await.map(Received::Response),
        }
    }

    /// Answers a provider by the binding that it used, or by the one that it has (SAML Profiles §4.4.3.4).
    ///
    /// # Errors
    /// `saml.logout_no_endpoint`, `saml.logout_not_sent`, `store.unavailable` when there is no randomness.
    #[expect(clippy::needless_pass_by_value, reason = "a demand is answered once")]
    pub fn answer(&self, logout: VerifiedLogout, ended: Ended) -> Result<Outbound, LogoutError> {
        let endpoint = endpoint(&logout.idp, Some(logout.binding)).ok_or(LogoutError::NoEndpoint)?;
        let id = new_id(self.environment.entropy.as_ref())?;
        let (issuer, destination) = (self.settings.sp_entity_id.as_str(), endpoint.answers());
        let envelope = Envelope { id: &id, issuer, destination, now: self.environment.clock.now() };
        let xml = write::response(envelope, logout.request_id(), ended);
        let relay_state = logout.relay_state.as_deref();
        self.send(endpoint.binding, destination, Direction::Response, &id, &xml, relay_state)
    }

    async fn demanded(
        &self,
        message: &LogoutMessage,
        idp: Arc<TrustedIdp>,
    ) -> Result<VerifiedLogout, LogoutError> {
        let environment = &self.environment;
        let now = environment.clock.now();
        let (octets, idp) = self.proven(message, idp, now).await?;
        let attempts = Attempts::default();
        let request = request::read(&octets, self.measure(&idp, now), self.decryption(&idp, &attempts))?;
        let key = self.key(SEEN, &format!("{}\n{}", idp.entity_id(), request.id));
        environment.store.put(&key, &[], request.forgotten, now).await.map_err(replayed)?;
        let relay_state = message.relay_state().map(str::to_owned);
        Ok(VerifiedLogout { idp, request, binding: message.binding(), relay_state })
    }

    async fn answered(
        &self,
        message: &LogoutMessage,
        idp: Arc<TrustedIdp>,
    ) -> Result<FinishedLogout, LogoutError> {
        let environment = &self.environment;
        let now = environment.clock.now();
        let (octets, idp) = if self.settings.accepts_unsigned_responses && !message.is_signed()? {
            (Cow::Borrowed(message.unsigned()?), idp)
        } else {
            self.proven(message, idp, now).await?
        };
        let answer = response::read(&octets, self.measure(&idp, now))?;
        let kept = environment.store.take(&self.key(BEGUN, &answer.in_response_to), now).await?;
        let kept = kept.and_then(|kept| String::from_utf8(kept).ok());
        let kept = kept.ok_or(LogoutRejection::InResponseToUnknown)?;
        let (issuer, relay_state) = kept.split_once('\n').ok_or(LogoutRejection::InResponseToUnknown)?;
        if issuer != idp.entity_id() {
            return Err(LogoutRejection::OtherProvider.into());
        }
        let relay_state = Some(relay_state).filter(|state| !state.is_empty()).map(str::to_owned);
        Ok(FinishedLogout { issuer: issuer.to_owned(), status: answer.status, relay_state })
    }

    fn send(
        &self,
        binding: Binding,
        destination: &str,
        direction: Direction,
        id: &str,
        xml: &str,
        relay_state: Option<&str>,
    ) -> Result<Outbound, LogoutError> {
        let key = &self.settings.key;
        match binding {
            Binding::Redirect => {
                let url = redirect_url(destination, direction, xml, relay_state, Some(key));
                url.map(Outbound::Redirect).ok_or(LogoutError::NotSent)
            }
            Binding::Post => {
                let certificate = self.settings.certificate.as_deref();
                let signed = sign_enveloped(xml, id, key, certificate).map_err(|_| LogoutError::NotSent)?;
                let form = PostForm::new(destination, direction, &signed, relay_state.map(str::to_owned));
                Ok(Outbound::Post(form))
            }
        }
    }

    async fn idp(&self, entity_id: &str) -> Result<Arc<TrustedIdp>, LogoutError> {
        let now = self.environment.clock.now();
        let idp = self.environment.idps.idp(entity_id).await?;
        held(idp.ok_or(LogoutRejection::IssuerUnknown)?, now)
    }

    /// Proves who sent a message. Where no key fits, the provider may have changed its keys: what is known of it is renewed,
    /// and the message looked at once more.
    async fn proven<'m>(
        &self,
        message: &'m LogoutMessage,
        idp: Arc<TrustedIdp>,
        now: DateTime<Utc>,
    ) -> Result<(Cow<'m, [u8]>, Arc<TrustedIdp>), LogoutError> {
        let crypto = self.environment.crypto.as_ref();
        match message.authenticated(&idp, now, crypto) {
            Ok(octets) => Ok((octets, idp)),
            Err(LogoutRejection::Signature(error)) if error.may_be_a_new_key() => {
                let renewed = self.environment.idps.renewed(&idp).await.ok().flatten();
                let renewed = renewed.filter(|renewed| renewed.entity_id() == idp.entity_id());
                let idp = held(renewed.ok_or(LogoutRejection::Signature(error))?, now)?;
                Ok((message.authenticated(&idp, now, crypto)?, idp))
            }
            Err(rejection) => Err(rejection.into()),
        }
    }

    fn measure<'a>(&'a self, idp: &'a TrustedIdp, now: DateTime<Utc>) -> Measure<'a> {
        Measure { idp, address: &self.settings.address, skew: self.settings.skew, now }
    }

    /// The request around an encrypted name is signed, so the switch for CBC applies as it does under a signed response.
    fn decryption<'a>(&'a self, idp: &TrustedIdp, attempts: &'a Attempts) -> Decryption<'a> {
        Decryption {
            keys: &self.settings.decryption_keys,
            cbc: idp.legacy().cbc_under_signed_response,
            recipient: &self.settings.sp_entity_id,
            crypto: self.environment.crypto.as_ref(),
            attempts,
        }
    }

    fn key(&self, purpose: &str, name: &str) -> OneTimeKey {
        let connection = self.environment.connection.as_str().as_bytes();
        OneTimeKey::new(self.environment.tenant.clone(), purpose, &[connection, name.as_bytes()])
    }
}

/// Refuses a provider of whom what is known has run out.
fn held(idp: Arc<TrustedIdp>, now: DateTime<Utc>) -> Result<Arc<TrustedIdp>, LogoutError> {
    if idp.holds_at(now) { Ok(idp) } else { Err(LogoutRejection::from(Rejection::IdpExpired).into()) }
}

/// Chooses an endpoint: of the wanted binding, else by redirect, else any.
fn endpoint(idp: &TrustedIdp, wanted: Option<Binding>) -> Option<&Endpoint> {
    let by = |binding| idp.logout().iter().find(move |endpoint| endpoint.binding == binding);
    wanted.and_then(by).or_else(|| by(Binding::Redirect)).or_else(|| idp.logout().first())
}

fn replayed(error: BackendError) -> LogoutError {
    match error.kind() {
        ErrorKind::AlreadyExists(Taken::OneTime) => LogoutRejection::Replayed.into(),
        _ => error.into(),
    }
}

impl fmt::Debug for SingleLogout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleLogout").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl fmt::Debug for LogoutEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutEnvironment")
            .field("tenant", &self.tenant)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
