//! Sign-in with SAML 2.0: what is signed is what is read.
//!
//! | module | does |
//! |---|---|
//! | [`xml`] | the one reader, strict and bounded, and the canonical form |
//! | [`crypto`], [`signature`] | cryptography behind a port; signatures in the one form that SAML needs |
//! | [`response`] | verifies responses; a pure function |
//! | [`assertion`] | names and attributes, read from signed octets only |
//! | [`checks`], [`rejection`], [`codes`] | what was checked, every reason for a refusal, every code |
//! | [`idp`] | identity providers that are trusted, and where they are looked up |
//! | [`metadata`] | what providers publish, verified and kept fresh; what we publish |
//! | [`logout`] | sign-outs that begin here or at a provider |
//! | [`request`], [`binding`] | requests, and how messages travel through the browser |
//! | [`settings`], [`config`] | settings as people write them, and what they become when they are sound |
//! | [`login`], [`state`], [`cookie`] | a sign-in from the request to the verified response |
//! | [`trigger`], [`claims`] | the join to `jit-core` |
//!
//! ```no_run
//! # async fn compose(attestor: jit_core::Attestor, store: std::sync::Arc<jit_core::MemoryStore>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use jit_core::{ConnectionId, Context, SystemClock, SystemEntropy, TenantId, Trigger};
//! use jit_saml::crypto::AwsLc;
//! use jit_saml::settings::IdpSettings;
//! use jit_saml::{Begin, Environment, Login, ResponseForm, SamlEvidence, SamlSettings, SamlTrigger, StateKeeper};
//!
//! let mut settings = SamlSettings::new("https://portal.example.com/saml", "https://portal.example.com/saml/acs");
//! let mut idp = IdpSettings::new("https://idp.example.com");
//! idp.certificates = vec!["-----BEGIN CERTIFICATE-----…".to_owned()];
//! idp.sign_on_url = Some("https://idp.example.com/sso".to_owned());
//! settings.idp = Some(idp);
//! let config = settings.check()?;
//! let environment = Environment {
//!     idps: Arc::new(config.source()),
//!     crypto: Arc::new(AwsLc),
//!     clock: Arc::new(SystemClock),
//!     entropy: Arc::new(SystemEntropy),
//!     keeper: StateKeeper::one_time(store, TenantId::new("acme")?),
//! };
//! let trigger = SamlTrigger::new(Login::new(ConnectionId::new("corp")?, config, environment), attestor);
//!
//! // GET /login: send the browser on with the header of the cookie
//! let departure = trigger.begin(Begin::default()).await?;
//! let (_outbound, _set_cookie) = (departure.outbound, departure.cookie.set_header());
//!
//! // POST /saml/acs: the event goes to the engine
//! let form = ResponseForm::from_body(b"SAMLResponse=...&RelayState=...")?;
//! let cookies = Some("__Host-jit-saml-...=...".to_owned());
//! let _event = trigger.verify(SamlEvidence { form, cookies, context: Context::default() }).await?;
//! # Ok(())
//! # }
//! ```

mod encryption;
mod idp_source;
mod names;
mod subject;
mod time;

pub mod assertion;
pub mod base64_text;
pub mod binding;
pub mod checks;
pub mod claims;
pub mod codes;
pub mod config;
pub mod cookie;
pub mod crypto;
pub mod error;
pub mod idp;
pub mod login;
pub mod logout;
pub mod metadata;
pub mod rejection;
pub mod request;
pub mod response;
pub mod secret;
pub mod settings;
pub mod signature;
pub mod state;
pub mod trigger;
pub mod xml;

pub use binding::{Outbound, ResponseForm};
pub use config::SamlConfig;
pub use error::LoginError;
pub use idp::{IdpSource, TrustedIdp};
pub use login::{Begin, Departure, Environment, Login, Resumed};
pub use rejection::Rejection;
pub use response::{Expectations, Solicitation, VerifiedResponse, verify_response};
pub use settings::SamlSettings;
pub use state::StateKeeper;
pub use trigger::{SamlEvidence, SamlTrigger, UnsolicitedEvidence};
