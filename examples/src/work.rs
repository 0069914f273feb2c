//! What is done beside answering, turn after turn, until it is asked to stop.

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

use jit_core::{JitError, WorkerId};
use tokio::sync::watch;

use crate::web::{RandomError, random_token};

/// How much is done in a turn.
pub(crate) const BATCH: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Names a worker of a program that no other process is called by.
pub(crate) fn worker_id(program: &str) -> Result<WorkerId, RandomError> {
    let token: String = random_token()?.chars().take(16).collect();
    WorkerId::new(format!("{program}-{token}")).map_err(|_| RandomError)
}

/// How turns follow each other.
pub(crate) struct Pace {
    /// The time between two turns where nothing more is waiting.
    pub(crate) pause: Duration,
    /// Says on turns that failed.
    pub(crate) tell: fn(&(dyn Error + 'static)),
    /// Says when to stop. A sender that is gone asks to stop as well.
    pub(crate) asked: watch::Receiver<bool>,
}

impl Pace {
    /// Waits for the next turn: not at all where the one before left something waiting, and longer where it failed. Tells
    /// whether there is a next one.
    pub(crate) async fn goes_on_after(&mut self, turn: Result<bool, JitError>) -> bool {
        let pause = match turn {
            Ok(true) => Duration::ZERO,
            Ok(false) => self.pause,
            Err(error) => {
                (self.tell)(&error);
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::select! {
            _ = self.asked.wait_for(|stop| *stop) => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}
