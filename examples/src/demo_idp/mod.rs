//! A small OpenID Provider with a handful of made-up people, for demos and tests on loopback.
//!
//! It does what a relying party may expect of an honest provider: the authorization code flow with PKCE, exact
//! redirect addresses, codes that work once and briefly, `nonce`, `iss` in the answer. It asks nobody for a
//! password, so it must never be reachable from another machine.

mod authorize;
mod client;
mod keys;
pub(crate) mod pages;
mod people;
mod provider;
mod token;
mod userinfo;

pub use client::Client;
pub use keys::Algorithm;
pub use people::{ACME, FOUNDRY, GUILD, Person, Realm};
pub(crate) use provider::is_loopback;
pub use provider::{DemoProvider, StartError};
