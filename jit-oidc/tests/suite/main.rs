//! What callers of the crate rely on, tested through its public interface.
#![expect(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod accepted;
mod attacks_on_claims;
mod attacks_on_header;
mod attacks_on_keys;
mod attacks_on_signature;
mod jwks_cache;
mod login;
mod mutations;
mod server;
mod settings;
mod signer;
mod world;
