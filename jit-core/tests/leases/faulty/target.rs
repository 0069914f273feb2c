//! The door to the target.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use async_trait::async_trait;
use chrono::TimeDelta;
use jit_core::*;

use super::{
    script::{Lists, Script},
    through,
};

pub(crate) struct FaultyTarget {
    pub(crate) inner: Arc<MemoryTarget>,
    pub(crate) script: Arc<Script>,
    pub(crate) settles_after: TimeDelta,
}

const UNREACHABLE: ErrorKind = ErrorKind::Target(TargetFault::Unreachable);

#[async_trait]
impl Target for FaultyTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { settles_after: self.settles_after, ..self.inner.capabilities() }
    }

    async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
        self.inner.home(remote).await
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        {
            let mut inner = self.script.inner.lock().unwrap();
            inner.effects += 1;
            let step = inner.step;
            if let Some(fault) = inner.delay.take() {
                inner.faults.insert(step, fault);
            }
            if let Some(meddle) = inner.meddling.take() {
                meddle(&self.inner);
            }
        }
        // What ours takes later counts for more than what another server took before.
        let only_takes = match &desired.state {
            DesiredState::Holding { give, .. } => give.is_empty(),
            state => matches!(state, DesiredState::Disabled | DesiredState::Absent { .. }),
        };
        if let Some(at) = self.script.lands_at(Some(self.settles_after).filter(|_| !only_takes)) {
            self.script.inner.lock().unwrap().late.push((at, desired.clone()));
        }
        self.script.answered(&desired.remote)?;
        self.script.turn().await;
        if let Some(fault) = self.script.inner.lock().unwrap().refuses_effects {
            return Err(BackendError::new(ErrorKind::Target(fault), "injected").having_done_nothing());
        }
        if self.script.inner.lock().unwrap().fails_removals
            && matches!(desired.state, DesiredState::Absent { .. })
        {
            return Err(BackendError::new(UNREACHABLE, "injected"));
        }
        if self.script.inner.lock().unwrap().denies_accounts
            && matches!(desired.state, DesiredState::Absent { .. })
        {
            return Ok(Effect::Absent { was_there: false });
        }
        let stalled = self.script.inner.lock().unwrap().stalled_after_effect.take();
        let answer = through(&self.script, UNREACHABLE, || self.inner.ensure(desired)).await;
        self.script.clock.advance(stalled.unwrap_or_default());
        let is_named = self.script.inner.lock().unwrap().names_removed;
        answer.map(|effect| match effect {
            Effect::Absent { .. } if is_named => {
                Effect::Named { by: ["ops".to_owned()].into(), why: Code::new("ldap.schema_violation") }
            }
            effect => effect,
        })
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.script.answered(remote)?;
        through(&self.script, UNREACHABLE, || self.inner.observe(remote)).await
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        self.script.looks.fetch_add(1, Ordering::SeqCst);
        self.script.answered(remote)?;
        through(&self.script, UNREACHABLE, || self.inner.differs(remote, wanted)).await
    }

    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        self.script.asked_for_holdings.fetch_add(1, Ordering::SeqCst);
        let hidden = self.script.inner.lock().unwrap().hides;
        if asked.iter().any(|asked| Some(asked.name.as_str()) == hidden) {
            return Err(BackendError::new(ErrorKind::Target(TargetFault::Forbidden), "injected"));
        }
        if self.script.refuses() {
            self.script.answered(remote)?;
        }
        let told = through(&self.script, UNREACHABLE, || self.inner.holdings(remote, asked)).await?;
        let by_name = |all: BTreeSet<RemoteEntitlement>| {
            all.iter().map(|one| RemoteEntitlement::named(&one.name)).collect()
        };
        Ok(match told {
            Holdings::Found { native, held, lacks } if self.script.inner.lock().unwrap().tells_no_ids => {
                Holdings::Found { native, held: by_name(held), lacks: by_name(lacks) }
            }
            told => told,
        })
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        self.script.answered(remote)?;
        let stalled = self.script.inner.lock().unwrap().stalled.take();
        self.script.clock.advance(stalled.unwrap_or_default());
        through(&self.script, UNREACHABLE, || self.inner.show(remote)).await
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        let lists = self.script.inner.lock().unwrap().listing.take();
        if lists == Some(Lists::Nothing) {
            return Ok(Listing::Complete(Vec::new()));
        }
        let listing = self.inner.list(cursor).await?;
        if let Some(meddle) = self.script.inner.lock().unwrap().meddling_after_listing.take() {
            meddle(&self.inner);
        }
        Ok(match listing {
            Listing::Complete(page) if lists.is_some() => Listing::Partial(page, Code::new("target.limit")),
            listing => listing,
        })
    }
}
