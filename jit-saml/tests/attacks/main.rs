//! Attacks, family by family: each is refused with its code, or the response says exactly what the provider signed.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says with a panic what went wrong"
)]
#![expect(clippy::too_many_lines, reason = "a table has a line for each case")]

#[path = "../support/mod.rs"]
mod support;

mod algorithms;
mod documents;
mod encryption;
mod forge;
mod metadata;
mod protocol;
mod relay_state;
mod signatures;
mod size;
mod table;
mod text;
mod wire;
mod wrapping;
