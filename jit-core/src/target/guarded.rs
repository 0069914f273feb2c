//! A target behind its circuits.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use async_trait::async_trait;

use super::{
    Capabilities, Circuit, Desired, Effect, Holdings, ListCursor, Listed, Listing, Observed, RemoteRef,
    Target,
    against::{CIRCUIT, Says},
};
use crate::{BackendError, ErrorKind, TargetFault, clock::GuardedClock};

/// Asks a target through its circuits.
pub(crate) struct Guarded {
    pub(crate) inner: Arc<dyn Target>,
    /// Against the refusal of our credentials.
    pub(crate) circuit: Arc<Circuit>,
    /// Against its failure.
    pub(crate) failing: Arc<Circuit>,
    pub(crate) clock: Arc<GuardedClock>,
}

impl Guarded {
    /// Waits for the calls ahead until one was answered. Where one was not, neither would this one be, and whoever waits
    /// would wait for the time limit of each.
    async fn turn(&self) -> Result<Option<tokio::sync::MutexGuard<'_, ()>>, BackendError> {
        let before = {
            let state = self.circuit.state();
            if state.was_answered {
                return Ok(None);
            }
            state.unanswered
        };
        let turn = self.circuit.first.lock().await;
        let state = self.circuit.state();
        if state.was_answered || state.unanswered == before {
            return Ok(Some(turn));
        }
        Err(BackendError::new(ErrorKind::Target(TargetFault::Unreachable), CIRCUIT))
    }

    /// Asks about an account, where the call is about one.
    async fn ask<T>(
        &self,
        remote: Option<&RemoteRef>,
        call: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let turn = self.turn().await?;
        let account = remote.map(account);
        let (circuits, now) = ([&self.failing, &self.circuit], self.clock.now());
        let pass = circuits[0].enter(account, now).await?;
        let passes = match circuits[1].enter(account, now).await {
            Ok(other) => [pass, other],
            Err(error) => {
                circuits[0].learn(pass, account, Says::Nothing, now).await;
                return Err(error);
            }
        };
        let answer = call.await;
        let (kind, now) = (answer.as_ref().err().map(BackendError::kind), self.clock.now());
        for (circuit, pass) in circuits.into_iter().zip(passes) {
            circuit.learn(pass, account, circuit.against.hears(kind), now).await;
        }
        drop(turn);
        answer
    }
}

/// Tells accounts of one target apart, in this process.
fn account(remote: &RemoteRef) -> u64 {
    let mut hasher = DefaultHasher::new();
    remote.name.hash(&mut hasher);
    hasher.finish()
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Target for Guarded {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        self.ask(Some(&desired.remote), self.inner.ensure(desired)).await
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.ask(Some(remote), self.inner.observe(remote)).await
    }

    async fn holdings(&self, remote: &RemoteRef, asked: &BTreeSet<String>) -> Result<Holdings, BackendError> {
        self.ask(Some(remote), self.inner.holdings(remote, asked)).await
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        self.ask(Some(remote), self.inner.show(remote)).await
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        self.ask(None, self.inner.list(cursor)).await
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{super::Against, *};

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::default() + TimeDelta::minutes(minute)
    }

    #[tokio::test]
    async fn an_outage_is_no_answer_and_who_waited_for_it_waits_no_longer() {
        let clock = Arc::new(crate::ManualClock::at(at(0)));
        let guarded = Guarded {
            inner: Arc::new(crate::MemoryTarget::new()),
            circuit: Arc::default(),
            failing: Arc::new(Circuit::kept_in(Against::Failure, None)),
            clock: Arc::new(GuardedClock::new(clock, None)),
        };
        let unreachable =
            || Err::<(), _>(BackendError::new(ErrorKind::Target(TargetFault::Unreachable), "test"));
        let (fail, failed) = tokio::sync::oneshot::channel::<()>();
        let first = guarded.ask(None, async {
            let _ = failed.await;
            unreachable()
        });
        let second = guarded.ask(None, async { Ok(()) });
        let (first, second, ()) = tokio::join!(first, second, async { fail.send(()).unwrap() });
        assert!(first.is_err());
        assert_eq!(*second.unwrap_err().kind(), ErrorKind::Target(TargetFault::Unreachable));
        assert!(!guarded.circuit.state().was_answered, "nobody knows yet whether it accepts us");
        assert!(guarded.ask(None, async { Ok(()) }).await.is_ok());
        assert!(guarded.circuit.state().was_answered);
    }
}
