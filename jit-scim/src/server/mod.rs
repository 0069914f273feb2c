//! The server: SCIM requests in, answers out, and every change through the one pipeline of the core.
//!
//! ```text
//! request ─ Authenticator ─▶ ScimContext ─ ScimService::handle ─┬─ users:  record ─ mapping ─ policy ─ plan ─┐
//!                                                               └─ groups: members ─ records of who moved ───┴─▶ commit
//! ```
//!
//! What a source said is kept word for word as a document, in the same commit as what it meant for the account. The service
//! answers from documents, so that a source sees what it said and never the accounts of others.

mod auth;
mod body;
mod bulk;
mod change;
mod claims;
mod discovery;
mod fault;
mod find;
#[cfg(feature = "tower")]
mod http;
mod members;
mod message;
mod record;
mod render;
mod root;
mod route;
mod run;
mod served;
mod service;
mod settings;
mod teller;

pub use auth::{Access, AccessTokens, Authenticator, Token, TokenError, Tokens, VerifiesAccess};
#[cfg(feature = "tower")]
pub use http::ScimHttp;
pub use message::{ScimContext, ScimRequest, ScimResponse};
pub use service::{ScimService, ScimServiceBuilder, ServiceError};
pub use settings::{Passwords, Reach, ScimConnection};
