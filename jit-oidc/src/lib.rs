//! Sign-in with OpenID Connect: evidence in, a verified identity out.
//!
//! | module | does |
//! |---|---|
//! | [`id_token`] | verifies ID tokens; a pure function |
//! | [`keys`], [`algorithm`], [`signature`] | key sets, algorithms, and the engine that checks signatures |
//! | [`expectations`], [`checks`] | what is demanded of a token, and what was checked |
//! | [`rejection`], [`codes`] | every reason for a refusal, with its stable code |
//! | [`settings`], [`config`], [`providers`], [`client`] | settings, peculiarities of well-known providers, client authentication |
//! | [`login`], [`callback`], [`state`], [`cookie`] | the authorization code flow with PKCE |
//! | [`provider`], [`discovery`], [`jwks_cache`] | metadata and keys, fetched when needed |
//! | [`http`] | the one door to the network, guarded |
//! | [`trigger`] | the join to `jit-core` |
//!
//! ```no_run
//! # #[cfg(all(feature = "http-reqwest", feature = "engine-aws-lc"))]
//! # async fn compose(attestor: jit_core::Attestor, store: std::sync::Arc<jit_core::MemoryStore>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use jit_core::{ConnectionId, Context, SystemClock, SystemEntropy, TenantId, Trigger};
//! use jit_oidc::{Begin, Callback, Engine, Environment, GuardedHttp, Login, OidcSettings, OidcTrigger};
//! use jit_oidc::{SignInEvidence, StateKeeper};
//!
//! let settings = OidcSettings::new("https://op.example.com", "portal", "https://portal.example.com/callback");
//! let environment = Environment {
//!     http: Arc::new(GuardedHttp::new()?),
//!     engine: Engine::aws_lc(),
//!     clock: Arc::new(SystemClock),
//!     entropy: Arc::new(SystemEntropy),
//!     keeper: StateKeeper::one_time(store, TenantId::new("acme")?),
//! };
//! let login = Login::new(ConnectionId::new("corp")?, settings.check()?, environment);
//! let trigger = OidcTrigger::new(login, attestor);
//!
//! // GET /login: send the browser to `url` with the header of the cookie
//! let redirect = trigger.begin(Begin::default()).await?;
//! let (_url, _set_cookie) = (redirect.url, redirect.cookie.set_header());
//!
//! // GET /callback: the event goes to the engine
//! let callback = Callback::from_query("code=…&state=…&iss=…")?;
//! let cookies = Some("__Host-jit-oidc-…=…".to_owned());
//! let _event = trigger.verify(SignInEvidence { callback, cookies, context: Context::default() }).await?;
//! # Ok(())
//! # }
//! ```

mod base64url;
mod claims;
mod jose;
mod json;
mod numeric_date;
mod shelf;
mod token_request;
mod userinfo;

pub mod algorithm;
pub mod callback;
pub mod checks;
pub mod client;
pub mod codes;
pub mod config;
pub mod cookie;
pub mod discovery;
pub mod error;
pub mod expectations;
pub mod http;
pub mod id_token;
pub mod jwks_cache;
pub mod keys;
pub mod login;
pub mod provider;
pub mod providers;
pub mod rejection;
pub mod secret;
pub mod settings;
pub mod signature;
pub mod state;
pub mod trigger;

pub use callback::Callback;
pub use config::OidcConfig;
pub use error::LoginError;
#[cfg(feature = "http-reqwest")]
pub use http::GuardedHttp;
pub use http::Http;
pub use login::{Begin, Environment, Login};
pub use rejection::Rejection;
pub use settings::OidcSettings;
pub use signature::Engine;
pub use state::StateKeeper;
pub use trigger::{OidcTrigger, SignInEvidence};
