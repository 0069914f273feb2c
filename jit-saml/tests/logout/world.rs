//! A service, two providers, and the messages that they send.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{ConnectionId, ManualClock, MemoryStore, SystemEntropy, TenantId};
use jit_saml::binding::{Binding, Direction, Endpoint, Outbound, redirect_url};
use jit_saml::crypto::{AwsLc, DecryptionKey};
use jit_saml::idp::{FixedIdps, IdpSource, TrustedIdp};
use jit_saml::logout::{
    LogoutEnvironment, LogoutError, LogoutMessage, LogoutSettings, Received, SingleLogout,
};
use jit_saml::signature::{SigningKey, sign_enveloped};
use url::form_urlencoded;

use crate::keys;
use crate::public::public;

pub(crate) const IDP: &str = "https://idp.example.org/metadata";
pub(crate) const OTHER: &str = "https://other.example.org/metadata";
pub(crate) const SP: &str = "https://sp.example.org/saml";
pub(crate) const SLO: &str = "https://sp.example.org/saml/slo";
pub(crate) const NAME: &str = "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\" \
    NameQualifier=\"https://idp.example.org/metadata\">p-17</saml:NameID>";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// RSA keys take long to make: one set serves every world.
static RSA: OnceLock<[Vec<u8>; 3]> = OnceLock::new();

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) key: SigningKey,
    pub(crate) other_key: SigningKey,
    pub(crate) sp_key: SigningKey,
    pub(crate) secret: Vec<u8>,
    pub(crate) slo: SingleLogout,
}

/// A message that tests change where they need to.
pub(crate) struct Message {
    pub(crate) name: &'static str,
    pub(crate) attributes: Vec<(&'static str, String)>,
    pub(crate) issuer: String,
    pub(crate) content: String,
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|settings| settings)
    }

    pub(crate) fn with(settings: impl FnOnce(LogoutSettings) -> LogoutSettings) -> Self {
        Self::made(settings, |idps| Arc::new(idps))
    }

    /// A world in which the service looks its providers up elsewhere.
    pub(crate) fn asking(source: impl FnOnce(FixedIdps) -> Arc<dyn IdpSource>) -> Self {
        Self::made(|settings| settings, source)
    }

    fn made(
        settings: impl FnOnce(LogoutSettings) -> LogoutSettings,
        source: impl FnOnce(FixedIdps) -> Arc<dyn IdpSource>,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        let (other_key, sp_key) = (keys::elliptic(), keys::elliptic());
        let [own, secret, former] = RSA.get_or_init(|| std::array::from_fn(|_| keys::rsa_pkcs8())).clone();
        let key = SigningKey::from_pkcs8(&own).unwrap();
        let both = |address: &str| {
            let endpoint = |binding| Endpoint::new(binding, address).unwrap();
            vec![endpoint(Binding::Redirect), endpoint(Binding::Post)]
        };
        let other_slo = vec![Endpoint::new(Binding::Post, "https://other.example.org/slo").unwrap()];
        let idps = FixedIdps::from_iter(
            [
                TrustedIdp::new(IDP, vec![public(&key)]).with_logout(both("https://idp.example.org/slo")),
                TrustedIdp::new(OTHER, vec![public(&other_key)]).with_logout(other_slo),
                TrustedIdp::new("https://mute.example.org", vec![public(&key)]),
            ]
            .map(Arc::new),
        );
        let environment = LogoutEnvironment {
            idps: source(idps),
            store: Arc::new(MemoryStore::new()),
            tenant: TenantId::new("acme").unwrap(),
            connection: ConnectionId::new("corp").unwrap(),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            crypto: Arc::new(AwsLc),
        };
        let keys =
            vec![DecryptionKey::from_pkcs8(&former).unwrap(), DecryptionKey::from_pkcs8(&secret).unwrap()];
        let base = LogoutSettings::new(SP, SLO, sp_key.clone()).decryption_keys(keys);
        Self { clock, key, other_key, sp_key, secret, slo: SingleLogout::new(settings(base), environment) }
    }

    pub(crate) async fn receive(&self, message: LogoutMessage) -> Result<Received, LogoutError> {
        self.slo.receive(&message).await
    }

    /// Receives a query and tells the code with which it is refused.
    pub(crate) async fn refused_query(&self, query: &str) -> String {
        match LogoutMessage::from_query(query) {
            Err(rejection) => rejection.code().to_owned(),
            Ok(message) => self.refused(message).await,
        }
    }

    pub(crate) async fn refused(&self, message: LogoutMessage) -> String {
        match self.receive(message).await {
            Ok(_) => "accepted".to_owned(),
            Err(error) => error.code().to_string(),
        }
    }
}

impl Message {
    /// A request to end all sessions of a person.
    pub(crate) fn request() -> Self {
        Self::new("LogoutRequest", NAME.to_owned())
    }

    /// A response to a request.
    pub(crate) fn response(in_response_to: &str) -> Self {
        let content = format!("<samlp:Status><samlp:StatusCode Value=\"{SUCCESS}\"/></samlp:Status>");
        Self::new("LogoutResponse", content).set("InResponseTo", in_response_to)
    }

    fn new(name: &'static str, content: String) -> Self {
        let attributes = vec![
            ("ID", "_message".to_owned()),
            ("Version", "2.0".to_owned()),
            ("IssueInstant", written(now())),
            ("Destination", SLO.to_owned()),
        ];
        Self { name, attributes, issuer: format!("<saml:Issuer>{IDP}</saml:Issuer>"), content }
    }

    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.retain(|(present, _)| *present != name);
        self.attributes.push((name, value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.attributes.retain(|(present, _)| *present != name);
        self
    }

    pub(crate) fn issued_by(self, issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), ..self }
    }

    pub(crate) fn holding(mut self, content: impl Into<String>) -> Self {
        self.content = content.into();
        self
    }

    pub(crate) fn xml(&self) -> String {
        let Self { name, attributes, issuer, content } = self;
        let attributes: Vec<_> =
            attributes.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let attributes = attributes.join(" ");
        let namespaces = "xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
            xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
        format!("<samlp:{name} {namespaces} {attributes}>{issuer}{content}</samlp:{name}>")
    }

    pub(crate) fn direction(&self) -> Direction {
        if self.name == "LogoutRequest" { Direction::Request } else { Direction::Response }
    }

    /// The query of a redirect.
    pub(crate) fn query(&self, relay_state: Option<&str>, key: Option<&SigningKey>) -> String {
        let url = redirect_url(SLO, self.direction(), &self.xml(), relay_state, key).unwrap();
        url.split_once('?').unwrap().1.to_owned()
    }

    /// A message by redirect.
    pub(crate) fn redirect(&self, key: &SigningKey) -> LogoutMessage {
        LogoutMessage::from_query(&self.query(None, Some(key))).unwrap()
    }

    /// A message in a form.
    pub(crate) fn post(&self, key: &SigningKey) -> LogoutMessage {
        let xml = sign_enveloped(&self.xml(), "_message", key, None).unwrap();
        posted(self.direction(), &xml, None)
    }
}

pub(crate) fn posted(direction: Direction, xml: &str, relay_state: Option<&str>) -> LogoutMessage {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair(direction.parameter(), &STANDARD.encode(xml));
    if let Some(relay_state) = relay_state {
        form.append_pair("RelayState", relay_state);
    }
    LogoutMessage::from_form(form.finish().as_bytes()).unwrap()
}

/// The query of what we send.
pub(crate) fn sent_query(outbound: &Outbound) -> &str {
    match outbound {
        Outbound::Redirect(url) => url.split_once('?').unwrap().1,
        Outbound::Post(_) => panic!("sent in a form"),
    }
}

pub(crate) fn later(seconds: i64) -> String {
    written(now() + TimeDelta::seconds(seconds))
}
