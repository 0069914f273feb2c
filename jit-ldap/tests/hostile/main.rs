//! Servers that lie, stall, flood and break the protocol. None of them crashes, exhausts or fools the client.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod answers;
mod ber;
mod bytes;
mod collections;
mod import;
mod long;
mod memberships;
mod memory;
mod plain;
mod server;
mod start_tls;
mod targets;
mod together;
mod unfound;
