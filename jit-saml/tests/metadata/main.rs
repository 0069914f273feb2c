//! Metadata of identity providers, as an application meets it, and the metadata that we write.

#[path = "../support/keys.rs"]
mod keys;

mod aggregate;
mod document;
mod reading;
mod refresh;
mod sp;
mod trust;
