//! Metadata of identity providers, as an application meets it, and the metadata that we write.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../support/certificate.rs"]
mod certificate;
#[path = "../support/sp.rs"]
mod described;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../support/public.rs"]
mod public;

mod aggregate;
mod any_text;
mod document;
#[cfg(feature = "http-reqwest")]
mod guarded;
mod reading;
mod refresh;
mod sp;
mod trust;
