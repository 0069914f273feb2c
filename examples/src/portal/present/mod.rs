//! From accounts, decisions and audit events to what the pages show.

#[expect(dead_code, reason = "the routes that use it come with the engine")]
pub(crate) mod account;
#[expect(dead_code, reason = "the routes that use it come with the engine")]
pub(crate) mod audit;
#[expect(dead_code, reason = "the routes that use it come with the engine")]
pub(crate) mod decision;
pub(crate) mod span;
