//! The client that the adapters of just-in-time provisioning leave this machine with.
//!
//! The address of a provider or of an application is configured by people, and further addresses come from what is found there;
//! none of them may turn this machine against its own network. So there is one client, [`GuardedHttp`], with every guard on:
//! https only, public addresses only, no redirects, no proxies from the environment, nothing unpacked, nothing sent twice, a
//! limit on time and one on the size of each answer.
//!
//! `jit-oidc`, `jit-saml` and `jit-scim` take it where their feature `http-reqwest` is on, and any other client behind a trait
//! of theirs.
//!
//! ```
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), jit_http::HttpFailure> {
//! let http = jit_http::GuardedHttp::builder().total_timeout(Duration::from_secs(20)).build()?;
//! # drop(http);
//! # Ok(())
//! # }
//! ```

mod addresses;
mod client;
mod failure;

pub use client::{DangerousOptions, GuardedHttp, GuardedHttpBuilder};
pub use failure::{HttpFailure, HttpFailureKind};
