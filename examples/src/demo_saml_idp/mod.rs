//! A small SAML identity provider with a handful of made-up people, for demos and tests on loopback.
//!
//! It does what a service provider may expect of an honest provider: requests by redirect, a signed response with a
//! signed assertion by form, metadata, single logout begun on either side. It asks nobody for a password, so it must
//! never be reachable from another machine.

mod certificate;
mod logout;
mod message;
mod metadata;
mod pages;
mod provider;
mod response;
mod sign_in;

pub use certificate::Identity;
pub use provider::{DemoSamlProvider, ServiceProvider};
