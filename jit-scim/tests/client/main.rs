//! The client against scripted targets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod engine;
mod failing;
mod groups;
mod laws;
mod life;
mod listing;
mod lost;
mod made;
mod odd;
mod profiles;
mod renamed;
mod sim;
mod strangers;
mod throttled;
mod twins;
mod world;
