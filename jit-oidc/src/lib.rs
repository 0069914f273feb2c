//! Sign-in with OpenID Connect: evidence in, a verified identity out.
//!
//! | module | does |
//! |---|---|
//! | [`id_token`] | verifies ID tokens; a pure function |
//! | [`keys`], [`algorithm`], [`signature`] | key sets, algorithms, and the engine that checks signatures |
//! | [`expectations`], [`checks`] | what is demanded of a token, and what was checked |
//! | [`rejection`] | every reason for a refusal, with its stable code |

pub mod algorithm;
mod base64url;
pub mod checks;
pub mod discovery;
pub mod expectations;
pub mod http;
pub mod id_token;
mod jose;
mod json;
pub mod jwks_cache;
pub mod keys;
mod numeric_date;
pub mod rejection;
mod shelf;
pub mod signature;
