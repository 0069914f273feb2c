//! Sign-outs, as a provider and an attacker meet them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "../support/encrypting.rs"]
mod encrypting;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../support/public.rs"]
mod public;

mod attacks;
mod begun_here;
mod demanded;
mod sources;
mod world;
