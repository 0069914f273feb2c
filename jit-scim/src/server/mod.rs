//! The server: SCIM requests in, answers out, and every change through the one pipeline of the core.
//!
//! ```text
//! request ─ Authenticator ─▶ ScimContext ─ ScimService::handle ─┬─ users:  record ─ mapping ─ policy ─ plan ─┐
//!                                                               └─ groups: members ─ records of who moved ───┴─▶ commit
//! ```
//!
//! What a source said is kept word for word as a document, in the same commit as what it meant for the account. The service
//! answers from documents, so that a source sees what it said and never the accounts of others.
//!
//! ```
//! # use std::sync::Arc;
//! # use jit_core::{
//! #     Connection, ConnectionSettings, DomainSet, Issuer, IssuerSet, Jit, MappingRules, MemoryStore, PolicyRules,
//! #     Provisioning, RulePolicy, Store,
//! # };
//! use jit_scim::server::{ScimConnection, ScimContext, ScimRequest, ScimService};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let settings = ConnectionSettings {
//! #     tenant: "acme".parse()?,
//! #     id: "scim".parse()?,
//! #     issuers: IssuerSet::one(Issuer::new("urn:acme:scim")?),
//! #     domains: DomainSet::default(),
//! #     ceiling: vec![],
//! #     link: vec![],
//! #     store: None,
//! # };
//! # let mapping = toml::from_str::<MappingRules>("user_name = { template = [\"{userName}\"] }")?.compile()?;
//! # let policy = RulePolicy::new(&toml::from_str::<PolicyRules>("rule = [{ name = \"all\", permit = {} }]")?)?;
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
//! let (connection, attestor) = Connection::define(settings, Arc::new(mapping), Arc::new(policy));
//! let connection = connection.provisions(Provisioning::default());
//! let jit = Arc::new(Jit::builder(Arc::clone(&store)).connection(connection).build()?);
//!
//! let served = ScimConnection::new(attestor, "https://example.com/scim/v2");
//! let service = ScimService::builder(jit, store).connection(served).build()?;
//!
//! // whoever has checked a token says for whom
//! let context = ScimContext::new("acme".parse()?, "scim".parse()?, "token of 2026");
//! let body = br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"alice"}"#;
//! let request = ScimRequest { method: "POST", path: "/Users", body, ..ScimRequest::default() };
//! assert_eq!(service.handle(&context, request).await.status(), 201);
//! # Ok(())
//! # }
//! ```

mod auth;
mod body;
mod bulk;
mod candidates;
mod change;
mod claims;
mod conditions;
mod discovery;
mod edit;
mod fault;
mod find;
#[cfg(feature = "tower")]
mod http;
mod index;
mod members;
mod message;
mod record;
mod render;
mod rolls;
mod root;
mod route;
mod run;
mod served;
mod service;
mod settings;
mod teller;
mod write;

pub use auth::{Access, AccessTokens, Authenticator, Token, TokenError, Tokens, VerifiesAccess};
#[cfg(feature = "tower")]
pub use http::ScimHttp;
pub use index::IndexedAnew;
pub use message::{ScimContext, ScimRequest, ScimResponse};
pub use service::{ScimService, ScimServiceBuilder, ServiceError};
pub use settings::{PasswordVersion, Passwords, Reach, ScimConnection};
