use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::Clock;
use jit_saml::binding::DetachedSignature;
use jit_saml::crypto::AwsLc;
use jit_saml::signature::{SignatureRules, SigningKey, VerificationKey, verify_detached};
use url::Url;

use super::certificate::Identity;
use super::sign_in::Pending;
use super::{logout, metadata, sign_in};
use crate::demo_idp::{Person, Realm, StartError, is_loopback};
use crate::web::{CookieName, Expiring, Guard, STYLE_PATH, style};

const MOST_ENTRIES: usize = 4096;
pub(super) const PENDING_LASTS: TimeDelta = TimeDelta::minutes(10);
pub(super) const SESSION_LASTS: TimeDelta = TimeDelta::hours(8);
pub(super) const LOGOUT_LASTS: TimeDelta = TimeDelta::minutes(5);

/// Is the demo identity provider for SAML, ready to be served.
#[derive(Debug, Clone)]
pub struct DemoSamlProvider(Arc<Shared>);

/// Describes the one service provider that the demo provider knows.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "whoever starts the demo provider names every part")]
pub struct ServiceProvider {
    /// Its name.
    pub entity_id: String,
    /// Where responses go.
    pub acs_url: String,
    /// Where sign-outs go.
    pub logout_url: String,
    /// The certificate whose key signs its messages, in DER.
    pub certificate: Vec<u8>,
}

pub(super) struct Shared {
    pub(super) base_url: String,
    pub(super) entity_id: String,
    pub(super) realm: &'static Realm,
    pub(super) service: ServiceProvider,
    service_keys: Vec<VerificationKey>,
    pub(super) key: SigningKey,
    pub(super) certificate: Vec<u8>,
    clock: Arc<dyn Clock>,
    pub(super) cookie: CookieName,
    pub(super) pending: Expiring<Pending>,
    pub(super) sessions: Expiring<Session>,
}

/// Somebody who is signed in here.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) person: &'static Person,
    pub(super) index: String,
}

impl DemoSamlProvider {
    /// Makes the provider with a fresh key. It is reached at `base_url`.
    ///
    /// # Errors
    /// `NotLoopback` for an address that others could reach, `Keys` when no key can be made or the certificate of the
    /// service provider cannot be read.
    pub fn new(
        base_url: &str,
        realm: &'static Realm,
        service: ServiceProvider,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        if !is_loopback(base_url) {
            return Err(StartError::NotLoopback);
        }
        let identity = Identity::generate(realm.name, clock.now()).map_err(|_| StartError::Keys)?;
        let key = VerificationKey::from_certificate(&service.certificate).map_err(|_| StartError::Keys)?;
        Ok(Self(Arc::new(Shared {
            base_url: base_url.to_owned(),
            entity_id: format!("{base_url}/metadata"),
            realm,
            service,
            service_keys: vec![key],
            key: SigningKey::from_pem(&identity.key).map_err(|_| StartError::Keys)?,
            certificate: identity.certificate,
            clock,
            // Cookies of one host are not parted by port: each demo provider has a name of its own.
            cookie: CookieName::new(&format!("{}-session", realm.name.to_lowercase()), base_url),
            pending: Expiring::new(MOST_ENTRIES),
            sessions: Expiring::new(MOST_ENTRIES),
        })))
    }

    /// Gives the routes of the provider, guarded.
    pub fn router(self) -> Router {
        let authority = self.0.base_url.trim_start_matches("http://").to_owned();
        let router = Router::new()
            .route("/", get(logout::home))
            .route("/metadata", get(async |State(shared): State<Arc<Shared>>| metadata::describe(&shared)))
            .route("/sso", get(sign_in::ask))
            .route("/sign-in", post(sign_in::answer))
            .route("/sign-out", post(logout::begin))
            .route("/logout", get(logout::take))
            .route(STYLE_PATH, get(style))
            .with_state(self.0);
        Guard::new(authority).around(router)
    }
}

impl ServiceProvider {
    /// The origin that forms may lead to.
    pub(super) fn origin(&self) -> String {
        Url::parse(&self.acs_url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}

impl Shared {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Tells whether a message is not signed at all, or by the service provider.
    pub(super) fn trusts(&self, signature: Option<&DetachedSignature>) -> bool {
        let Some(DetachedSignature { octets, algorithm, value, .. }) = signature else { return true };
        let rules = SignatureRules::default();
        verify_detached(octets, algorithm, value, &self.service_keys, &rules, self.now(), &AwsLc).is_ok()
    }

    /// Ends one session of a person, or all of them.
    pub(super) fn end(&self, subject: &str, index: Option<&str>) {
        self.sessions.end_where(|session| {
            session.person.subject() == subject && index.is_none_or(|index| index == session.index)
        });
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("entity_id", &self.entity_id).finish_non_exhaustive()
    }
}
