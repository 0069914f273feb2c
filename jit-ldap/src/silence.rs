//! Servers that kept silent a moment ago: they are asked after all others, so that not every call waits for them in vain.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tokio::time::Instant;

use crate::error::LdapError;
use crate::reason::Reason;

/// How long it counts: whoever is back is not left alone for longer.
const COUNTS_FOR: Duration = Duration::from_secs(30);
/// A server that nobody can reach is as good as silent from when it takes so long to learn that: where a machine is switched
/// off, some seconds.
const SLOW: Duration = Duration::from_secs(1);

/// Remembers for a while that one server kept silent.
#[derive(Clone, Default)]
pub(crate) struct Silence(Arc<Shared>);

#[derive(Default)]
struct Shared {
    known: Mutex<Known>,
    /// Whoever holds it finds out whether it still does.
    trying: AsyncMutex<()>,
}

#[derive(Default)]
struct Known {
    /// When it was found out last that the server keeps silent; nothing, where it answered since.
    since: Option<Instant>,
    /// When it answered again.
    ended: Option<Instant>,
}

/// When a server is asked.
pub(crate) enum Turn<'a> {
    /// As if nothing had been: it is not known to keep silent.
    Usual,
    /// So too, by this caller alone: it kept silent a while ago.
    Trying { _alone: MutexGuard<'a, ()> },
    /// After all others.
    Last,
}

impl Silence {
    /// Tells when the server is asked. Whoever stops asking leaves that to the next one.
    pub(crate) fn turn(&self) -> Turn<'_> {
        if self.since().is_none() {
            return Turn::Usual;
        }
        let Ok(alone) = self.0.trying.try_lock() else { return Turn::Last };
        match self.since() {
            None => Turn::Usual,
            Some(since) if since.elapsed() >= COUNTS_FOR => Turn::Trying { _alone: alone },
            Some(_) => Turn::Last,
        }
    }

    /// Waits while somebody else finds out whether the server answers by now, so that many ask it once.
    pub(crate) async fn turn_to_try(&self) -> MutexGuard<'_, ()> {
        self.0.trying.lock().await
    }

    /// When the server was found to keep silent last; nothing, where it answered since.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.known().since
    }

    /// Tells whether a server that was not asked by a call that began then answers, as far as others found out since; nothing,
    /// where nobody did.
    pub(crate) fn told_since(&self, begun: Instant) -> Option<bool> {
        let known = self.known();
        if known.ended.is_some_and(|ended| ended >= begun) {
            return Some(true);
        }
        // what was not silent was asked
        if known.since.is_none_or(|since| since >= begun) { Some(false) } else { None }
    }

    pub(crate) fn end(&self) {
        let mut known = self.known();
        if known.since.take().is_some() {
            known.ended = Some(Instant::now());
        }
    }

    /// Learns from a failure of a request, or of the way to the server, which took so long.
    pub(crate) fn learn(&self, error: &LdapError, took: Duration) {
        match error.reason() {
            Reason::Timeout => self.begin(),
            Reason::ConnectFailed if took >= SLOW => self.begin(),
            // the server was not asked, or what stands in between ended something
            Reason::PoolExhausted
            | Reason::CircuitOpen
            | Reason::ConnectionLost
            | Reason::ConnectionUnusable => {}
            // whoever refuses does so at once
            _ => self.end(),
        }
    }

    fn begin(&self) {
        *self.known() = Known { since: Some(Instant::now()), ended: None };
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_failure_tells_of_a_server() {
        let learnt = |reason: Reason, took: u64| {
            [false, true].map(|was_silent| {
                let silence = Silence::default();
                if was_silent {
                    silence.begin();
                }
                silence.learn(&reason.into(), Duration::from_millis(took));
                silence.since().is_some()
            })
        };
        let (silent, answers, as_before) = ([true, true], [false, false], [false, true]);
        assert_eq!(learnt(Reason::Timeout, 0), silent);
        assert_eq!(learnt(Reason::ConnectFailed, 3100), silent, "nobody is at this address");
        assert_eq!(learnt(Reason::ConnectFailed, 1), answers, "it refused");
        assert_eq!(learnt(Reason::Busy, 1), answers);
        assert_eq!(learnt(Reason::PoolExhausted, 6000), as_before);
        assert_eq!(learnt(Reason::CircuitOpen, 0), as_before);
        assert_eq!(learnt(Reason::ConnectionLost, 0), as_before);
    }
}
