//! A service provider, and one browser that signs in there.

use std::sync::Arc;

use crate::support::{ACS, Draft, IDP, SP, now, trusted};
use jit_core::{ConnectionId, ManualClock, MemoryStore, SystemEntropy, TenantId};
use jit_saml::binding::{Outbound, RedirectMessage};
use jit_saml::crypto::AwsLc;
use jit_saml::idp::{FixedIdps, IdpSource};
use jit_saml::login::Authentication;
use jit_saml::xml::{Document, Limits};
use jit_saml::{
    Begin, Departure, Environment, Login, LoginError, ResponseForm, SamlSettings, StateKeeper, TrustedIdp,
    base64_text,
};

/// A service provider with one connection.
pub(crate) struct Site {
    pub(crate) login: Login,
    pub(crate) clock: Arc<ManualClock>,
}

/// A sign-in under way: what the browser and the provider know of it.
pub(crate) struct Begun {
    pub(crate) departure: Departure,
    pub(crate) request: String,
    pub(crate) request_id: String,
    pub(crate) handle: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(vec![trusted()], |_| {})
    }

    pub(crate) fn with(idps: Vec<TrustedIdp>, adjust: impl FnOnce(&mut SamlSettings)) -> Self {
        let idps = Arc::new(idps.into_iter().map(Arc::new).collect::<FixedIdps>());
        Self::over(idps, Arc::new(ManualClock::at(now())), adjust)
    }

    /// A site that looks providers up in a source with a clock of the same time.
    pub(crate) fn asking(source: impl FnOnce(Arc<ManualClock>) -> Arc<dyn IdpSource>) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        Self::over(source(clock.clone()), clock, |_| {})
    }

    fn over(
        idps: Arc<dyn IdpSource>,
        clock: Arc<ManualClock>,
        adjust: impl FnOnce(&mut SamlSettings),
    ) -> Self {
        let mut settings = SamlSettings::new(SP, ACS);
        adjust(&mut settings);
        let tenant = TenantId::new("acme").unwrap();
        let environment = Environment {
            idps,
            crypto: Arc::new(AwsLc),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            keeper: StateKeeper::one_time(Arc::new(MemoryStore::new()), tenant),
        };
        let login = Login::new(ConnectionId::new("corp").unwrap(), settings.check().unwrap(), environment);
        Self { login, clock }
    }

    pub(crate) async fn begin(&self, begin: Begin) -> Begun {
        let departure = self.login.begin(begin).await.unwrap();
        let (request, handle) = match &departure.outbound {
            Outbound::Redirect(address) => {
                let message = RedirectMessage::from_query(address.split_once('?').unwrap().1).unwrap();
                (message.xml().to_vec(), message.relay_state().unwrap().to_owned())
            }
            Outbound::Post(form) => {
                let fields: Vec<_> = form.fields().collect();
                (base64_text::decode(fields[0].1.as_bytes()).unwrap(), fields[1].1.to_owned())
            }
        };
        let request = String::from_utf8(request).unwrap();
        let document = Document::parse(request.as_bytes(), &Limits::default()).unwrap();
        let request_id = document.root().attribute("ID").unwrap().to_owned();
        Begun { departure, request: request.clone(), request_id, handle }
    }

    pub(crate) async fn finish(&self, begun: &Begun, xml: &str) -> Result<Authentication, LoginError> {
        self.login.finish(&begun.form(xml), Some(&begun.cookie())).await
    }
}

impl Begun {
    /// The response of the provider that was asked.
    pub(crate) fn answer(&self) -> Draft {
        let answered = format!("InResponseTo=\"{}\"", self.request_id);
        Draft::new()
            .response("InResponseTo=\"_request1\"", &answered)
            .assertion("InResponseTo=\"_request1\"", &answered)
    }

    pub(crate) fn form(&self, xml: &str) -> ResponseForm {
        ResponseForm::new(&base64_text::encode(xml.as_bytes()), Some(&self.handle)).unwrap()
    }

    pub(crate) fn cookie(&self) -> String {
        format!("other=1; {}={}", self.departure.cookie.name(), self.departure.cookie.value())
    }
}

pub(crate) fn begin() -> Begin {
    Begin::at(IDP)
}

pub(crate) fn code<T>(outcome: Result<T, LoginError>) -> String {
    outcome.err().map_or_else(|| "accepted".to_owned(), |error| error.code().to_string())
}
