//! Asking a target through its circuit, and one by one until it has answered.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::sync::MutexGuard;

use super::Circuit;
use crate::{
    BackendError, Capabilities, Desired, Drift, Effect, ErrorKind, Holdings, ListCursor, Listed, Listing,
    Mirrored, Observed, RemoteEntitlement, RemoteRef, Target, TargetFault, clock::GuardedClock,
};

/// How long a call may have waited for its turn. Whoever asked wrote down until when it can take effect, by the time of the call
/// alone.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);

/// Asks a target through its circuit.
pub(crate) struct Guarded {
    pub(crate) inner: Arc<dyn Target>,
    pub(crate) circuit: Arc<Circuit>,
    pub(crate) clock: Arc<GuardedClock>,
}

impl Guarded {
    /// Waits for the calls ahead until one was accepted; then nobody waits for another. Where one was not answered, neither
    /// would this one be, and whoever waits would wait for the time limit of each. Whoever waited for too long asks no more,
    /// and comes again.
    async fn turn(&self) -> Result<Option<MutexGuard<'_, ()>>, BackendError> {
        if self.circuit.needs_no_turn(self.clock.now()) {
            return Ok(None);
        }
        let (before, asked_at) = (self.circuit.state().unanswered, self.clock.work());
        let turn = self.circuit.first.lock().await;
        let is_late = self.clock.work().signed_duration_since(asked_at) > LONGEST_WAIT;
        let state = self.circuit.state();
        if !is_late && (state.was_answered || state.unanswered == before) {
            return Ok((!state.is_accepted()).then_some(turn));
        }
        let unasked = BackendError::new(ErrorKind::Target(TargetFault::Unreachable), "circuit.enter");
        Err(unasked.having_done_nothing())
    }

    async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let turn = self.turn().await?;
        self.ask_in(turn, call).await
    }

    async fn ask_in<T>(
        &self,
        turn: Option<MutexGuard<'_, ()>>,
        call: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let pass = self.circuit.enter(self.clock.now()).await?;
        let answer = call.await;
        let fault = match answer.as_ref().err().map(BackendError::kind) {
            Some(ErrorKind::Target(fault)) => Some(*fault),
            // It never came to the target.
            Some(_) => Some(TargetFault::Unreachable),
            None => None,
        };
        self.circuit.learn(pass, fault, self.clock.now()).await;
        drop(turn);
        answer
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Target for Guarded {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
        self.ask(self.inner.home(remote)).await
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        self.ask(self.inner.ensure(desired)).await
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.ask(self.inner.observe(remote)).await
    }

    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        self.ask(self.inner.holdings(remote, asked)).await
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        self.ask(self.inner.show(remote)).await
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        self.ask(self.inner.differs(remote, wanted)).await
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        // A listing takes minutes: nobody waits for it to learn whether we are accepted.
        drop(self.turn().await?);
        self.ask_in(None, self.inner.list(cursor)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use chrono::DateTime;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::{Clock as _, ManualClock};

    fn guarded(clock: &Arc<ManualClock>) -> Guarded {
        let (inner, clock) =
            (Arc::new(crate::MemoryTarget::new()), GuardedClock::new(Arc::clone(clock) as _, None));
        Guarded { inner, circuit: Arc::default(), clock: Arc::new(clock) }
    }

    #[tokio::test]
    async fn whoever_waited_for_too_long_asks_no_more_and_comes_again() {
        for (waited, code) in [(30, None), (31, Some("target.unreachable"))] {
            let clock = Arc::new(ManualClock::at(DateTime::default()));
            let guarded = guarded(&clock);
            let (answer, answered) = tokio::sync::oneshot::channel::<()>();
            let first = guarded.ask(async {
                let _ = answered.await;
                Ok(())
            });
            let asked = AtomicBool::new(false);
            let second = guarded.ask(async {
                asked.store(true, Ordering::SeqCst);
                Ok(())
            });
            let pass = async {
                clock.advance(TimeDelta::seconds(waited));
                answer.send(()).unwrap();
            };
            let (first, second, ()) = tokio::join!(first, second, pass);
            assert!(first.is_ok());
            let failed = second.err().map(|error| error.code().to_string());
            assert_eq!((failed.as_deref(), asked.into_inner()), (code, code.is_none()));
            assert!(guarded.ask(async { Ok(()) }).await.is_ok(), "the next attempt has its turn");
        }
    }

    /// Lists without end.
    struct Endless(crate::MemoryTarget);

    #[async_trait]
    impl Target for Endless {
        fn capabilities(&self) -> Capabilities {
            self.0.capabilities()
        }

        async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
            self.0.home(remote).await
        }

        async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
            self.0.ensure(desired).await
        }

        async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
            self.0.observe(remote).await
        }

        async fn holdings(
            &self,
            remote: &RemoteRef,
            asked: &BTreeSet<RemoteEntitlement>,
        ) -> Result<Holdings, BackendError> {
            self.0.holdings(remote, asked).await
        }

        async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
            self.0.show(remote).await
        }

        async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
            self.0.differs(remote, wanted).await
        }

        async fn list(&self, _: Option<ListCursor>) -> Result<Listing, BackendError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_listing() {
        let clock = Arc::new(ManualClock::at(DateTime::default()));
        let inner = Arc::new(Endless(crate::MemoryTarget::new()));
        let guarded = Guarded { inner, ..guarded(&clock) };
        let mut listing = guarded.list(None);
        assert!((&mut listing).now_or_never().is_none());
        let remote = RemoteRef {
            name: "jit-1".into(),
            place: None,
            marker: crate::Marker::found("jit1:x"),
            native: None,
            home: None,
        };
        let seen = guarded.observe(&remote).now_or_never();
        assert_eq!(seen.unwrap().unwrap(), Observed::Missing);
    }

    #[tokio::test]
    async fn an_outage_is_no_answer_and_who_waited_for_it_waits_no_longer() {
        let guarded = guarded(&Arc::new(ManualClock::at(DateTime::default())));
        let unreachable =
            || Err::<(), _>(BackendError::new(ErrorKind::Target(TargetFault::Unreachable), "test"));
        let (fail, failed) = tokio::sync::oneshot::channel::<()>();
        let first = guarded.ask(async {
            let _ = failed.await;
            unreachable()
        });
        let second = guarded.ask(async { Ok(()) });
        let (first, second, ()) = tokio::join!(first, second, async { fail.send(()).unwrap() });
        assert!(first.is_err());
        assert_eq!(*second.unwrap_err().kind(), ErrorKind::Target(TargetFault::Unreachable));
        assert!(!guarded.circuit.state().was_answered, "nobody knows yet whether it accepts us");
        assert!(guarded.ask(async { Ok(()) }).await.is_ok());
        assert!(guarded.circuit.state().was_answered);
    }

    #[tokio::test]
    async fn whoever_waited_for_the_first_answer_is_asked_beside_the_others() {
        let guarded = guarded(&Arc::new(ManualClock::at(DateTime::default())));
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let call = || {
            guarded.ask(async {
                most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        };
        let (answer, answered) = tokio::sync::oneshot::channel::<()>();
        let first = guarded.ask(async {
            let _ = answered.await;
            Ok(())
        });
        let (first, one, other, ()) = tokio::join!(first, call(), call(), async { answer.send(()).unwrap() });
        assert!(first.is_ok() && one.is_ok() && other.is_ok());
        assert_eq!(most.into_inner(), 2);
    }

    #[tokio::test]
    async fn whoever_asks_while_an_attempt_is_under_way_hears_what_becomes_of_it() {
        let clock = Arc::new(ManualClock::at(DateTime::default()));
        let guarded = guarded(&clock);
        let refused = || Err::<(), _>(BackendError::new(ErrorKind::Target(TargetFault::Credentials), "test"));
        for is_accepted in [false, true] {
            let _ = guarded.ask(async { refused() }).await;
            clock.advance(TimeDelta::minutes(36));
            assert_eq!(guarded.circuit.open_until(clock.now()), None);
            let (answer, answered) = tokio::sync::oneshot::channel::<()>();
            let attempt = guarded.ask(async {
                let _ = answered.await;
                if is_accepted { Ok(()) } else { refused() }
            });
            let asked = AtomicBool::new(false);
            let other = async {
                assert_eq!(guarded.circuit.open_until(clock.now()), None, "nobody is sent away meanwhile");
                let call = async {
                    asked.store(true, Ordering::SeqCst);
                    Ok(())
                };
                guarded.ask(call).await.map_err(|error| error.code().to_string())
            };
            let (_, other, ()) = tokio::join!(attempt, other, async { answer.send(()).unwrap() });
            let expected = if is_accepted { Ok(()) } else { Err("target.credentials".to_owned()) };
            assert_eq!((other, asked.into_inner()), (expected, is_accepted));
        }
    }
}
