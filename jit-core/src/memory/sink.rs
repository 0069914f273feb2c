//! A sink that keeps what it was given.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{AuditEvent, AuditSink, BackendError};

/// Keeps exported events in memory, in the order in which they came, repetitions included.
#[derive(Default)]
pub struct MemorySink {
    events: Mutex<Vec<AuditEvent>>,
}

impl MemorySink {
    /// Begins an empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The events that came so far.
    #[must_use]
    pub fn events(&self) -> Vec<AuditEvent> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for MemorySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySink").finish_non_exhaustive()
    }
}

#[async_trait]
impl AuditSink for MemorySink {
    async fn export(&self, events: &[AuditEvent]) -> Result<(), BackendError> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(events);
        Ok(())
    }
}
