//! How much of everything is taken from a server, and how long it is waited for.

use std::time::Duration;

/// Bounds of a connection. No answer of a server goes beyond them, whatever it announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The time to reach the server, TLS included.
    pub connect: Duration,
    /// The time of one operation, and between two messages of a search.
    pub operation: Duration,
    /// The time of one search, or of one page of it, altogether.
    pub search: Duration,
    /// The time of one sign-in, or of one call about a temporary account or a membership, altogether, however many operations
    /// it takes. Keep it below the time after which a lease holds a call to be over.
    pub call: Duration,
    /// The time of one listing of temporary accounts altogether, however many pages it has.
    pub listing: Duration,
    /// The longest message, in bytes.
    pub message_bytes: usize,
    /// How many entries one search, or one page of it, may return.
    pub entries: usize,
    /// How many bytes of entries one search, or one page of it, may return.
    pub result_bytes: usize,
    /// How many values of one attribute are put together from ranges. All that is put together for one entry takes no longer
    /// than [`Limits::search`].
    pub values: usize,
    /// How many bytes are put together from ranges for one entry.
    pub value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            operation: Duration::from_secs(6),
            search: Duration::from_secs(60),
            call: Duration::from_secs(60),
            listing: Duration::from_secs(600),
            message_bytes: 2 << 20,
            entries: 10_000,
            result_bytes: 16 << 20,
            values: 500_000,
            value_bytes: 64 << 20,
        }
    }
}
