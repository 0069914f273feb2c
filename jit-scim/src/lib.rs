//! SCIM 2.0 (RFC 7643, RFC 7644) as pure functions: what comes in is checked against its schema once, and everything
//! after that works on values that fit.
//!
//! | module | does |
//! |---|---|
//! | [`schema`] | schemas and resource types as data: those of RFC 7643 and those of files |
//! | [`resource`] | resources, typed views on users and groups, what of them is part of an answer, versions |
//! | [`filter`] | filters, bound to the schema, evaluated as they stand |
//! | [`path`], [`patch`] | changes, applied whole or not at all; changes of members as large as the change |
//! | [`sort`] | the order of a list |
//! | [`protocol`] | queries and their pages, bulk requests, discovery |
//! | [`tolerance`] | the quirks of providers that are borne, by name |
//! | [`json`], [`limits`], [`effort`] | bodies, how much of everything is taken, and how much work it may be |
//! | [`server`] | the service: requests in, answers out, every change through the pipeline of the core |
//! | [`reason`], [`error`], [`codes`] | every reason for a refusal, with its code, status and detail type |
//! | `client` (feature `client`) | the other direction: a target that pushes accounts on to systems that speak SCIM |
//!
//! ```
//! use jit_scim::{Filter, Json, Limits, Resource, Schemas, Tolerance};
//!
//! # fn main() -> Result<(), jit_scim::ScimError> {
//! let schemas = Schemas::standard();
//! let users = schemas.endpoint("/Users").expect("it is a standard one");
//! let body = br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Alice",
//!     "emails":[{"value":"alice@example.com","type":"work"}]}"#;
//! let alice = Resource::create(users, &Json::parse(body, &Limits::default())?, Tolerance::strict())?;
//!
//! let filter = Filter::parse(users, r#"userName eq "alice" and emails[type eq "work" and value ew "@example.com"]"#)?;
//! assert!(filter.matches(&alice));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "client")]
pub mod client;
pub mod codes;
pub mod effort;
pub mod error;
pub mod filter;
pub mod json;
pub mod limits;
pub mod patch;
pub mod path;
pub mod protocol;
pub mod reason;
pub mod resource;
pub mod schema;
pub mod server;
pub mod sort;
mod text;
pub mod tolerance;

pub use effort::Effort;
pub use error::{Place, ScimError};
pub use filter::Filter;
pub use json::Json;
pub use limits::Limits;
pub use patch::{ElementChange, Patch};
pub use path::Path;
pub use reason::{Reason, ScimType};
pub use resource::{Meta, Projection, Resource, UniqueKey, Value, Version, VersionMatch};
pub use schema::{ResourceType, Schemas};
pub use sort::Sort;
pub use tolerance::Tolerance;
