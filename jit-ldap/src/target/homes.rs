//! Which directory each server was, as was seen a moment ago: else each account would cost a trip more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::server::ServerId;

/// How long it counts: a server may be made anew under its name. It is written down with what is made; whether something is
/// gone is never told by it.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// Remembers the identifier of each server's base.
#[derive(Debug, Default)]
pub(super) struct Homes(Mutex<HashMap<ServerId, (String, Instant)>>);

impl Homes {
    /// Returns the identifier, where it was read a moment ago.
    pub(super) fn of(&self, server: &ServerId) -> Option<String> {
        let homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (home, at) = homes.get(server)?;
        (at.elapsed() < COUNTS_FOR).then(|| home.clone())
    }

    /// Remembers what was read.
    pub(super) fn learn(&self, server: ServerId, home: &str) {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        homes.insert(server, (home.to_owned(), Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_read_counts_for_a_while_and_for_one_server() {
        let (homes, one, other) = (Homes::default(), ServerId::new("one"), ServerId::new("other"));
        homes.learn(one.clone(), "a");
        assert_eq!(homes.of(&one).as_deref(), Some("a"));
        assert_eq!(homes.of(&other), None);
        tokio::time::advance(COUNTS_FOR).await;
        assert_eq!(homes.of(&one), None);
    }
}
