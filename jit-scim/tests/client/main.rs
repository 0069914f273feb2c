//! The client against scripted targets, and its transport against hostile servers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod transport;
