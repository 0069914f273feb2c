//! Responses of a small provider against every step of the verification, and sign-ins from end to end.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says with a panic what went wrong")]

#[path = "../support/mod.rs"]
mod support;

mod assertion;
mod context;
mod encryption;
mod envelope;
mod identity;
mod settings;
mod sign_in;
mod signatures;
mod site;
mod sources;
