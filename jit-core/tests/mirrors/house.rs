//! A house whose people are mirrored to one application, through doors where every step can fail.

use std::{
    collections::BTreeSet,
    future::Future,
    num::NonZeroUsize,
    pin::pin,
    sync::{Arc, Mutex},
    task,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use jit_core::*;
use serde_json::{Value, json};

use super::{
    faulty::{FaultyStore, FaultyTarget, Script},
    support::{self, Wire, role, wire},
};

pub(crate) fn chat() -> TargetId {
    TargetId::new("chat").unwrap()
}

/// Members are mirrored with address and department; editors are a group there.
pub(crate) fn members() -> Mirroring {
    Mirroring::of_holders([role("member")])
        .stopping_any_number()
        .with_email()
        .with_attribute(AttributeName::new("department").unwrap(), "unit")
        .with_entitlement(role("editor"), "Editors")
}

fn doors() -> Vec<Wire> {
    vec![wire("main"), wire("other")]
}

pub(crate) struct House {
    pub(crate) inner: support::House,
    pub(crate) chat: Arc<MemoryTarget>,
    pub(crate) script: Arc<Script>,
    pub(crate) told: Arc<Told>,
}

#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

#[async_trait]
impl Notices for Told {
    async fn deliver(&self, task: &Task) -> Result<(), BackendError> {
        if let TaskKind::Alarm { about, .. } = &task.kind {
            self.0.lock().unwrap().push(about.to_string());
        }
        Ok(())
    }
}

impl House {
    pub(crate) fn new(mirroring: Mirroring) -> Self {
        Self::new_with(mirroring, doors())
    }

    /// One that trusts no jump of its clock.
    pub(crate) fn guarded(mirroring: Mirroring) -> Self {
        Self::with((mirroring, true), doors())
    }

    pub(crate) fn new_with(mirroring: Mirroring, wires: Vec<Wire>) -> Self {
        Self::with((mirroring, false), wires)
    }

    fn with(mirroring: (Mirroring, bool), wires: Vec<Wire>) -> Self {
        let clock = Arc::new(ManualClock::at(support::instant("2026-11-21T09:00:00Z")));
        let (chat, script) = (Arc::new(MemoryTarget::new()), Arc::new(Script::new(Arc::clone(&clock))));
        let inner = Arc::new(MemoryStore::new());
        let store = Arc::new(FaultyStore { inner, script: Arc::clone(&script) });
        Self::on(store, clock, (chat, script), mirroring, wires)
    }

    /// One on a store that is given.
    pub(crate) fn on_store(store: Arc<dyn Store>, mirroring: Mirroring) -> Self {
        let clock = Arc::new(ManualClock::at(support::instant("2026-11-21T09:00:00Z")));
        let doors_of_chat = (Arc::new(MemoryTarget::new()), Arc::new(Script::new(Arc::clone(&clock))));
        Self::on(store, clock, doors_of_chat, (mirroring, false), doors())
    }

    /// Another node on the same store, for the same application.
    pub(crate) fn beside(&self) -> Self {
        self.beside_with(members())
    }

    pub(crate) fn beside_with(&self, mirroring: Mirroring) -> Self {
        let (store, clock) = (Arc::clone(&self.inner.store), Arc::clone(&self.inner.clock));
        Self::on(
            store,
            clock,
            (Arc::clone(&self.chat), Arc::clone(&self.script)),
            (mirroring, false),
            doors(),
        )
    }

    fn on(
        store: Arc<dyn Store>,
        clock: Arc<ManualClock>,
        (chat, script): (Arc<MemoryTarget>, Arc<Script>),
        (mirroring, is_guarded): (Mirroring, bool),
        wires: Vec<Wire>,
    ) -> Self {
        let (inner, script_too) = (Arc::clone(&chat), Arc::clone(&script));
        let port = FaultyTarget { inner, script: script_too, settles_after: TimeDelta::zero() };
        let markers = MarkerKey::new("test", &[5; 32]).unwrap();
        let tenants: BTreeSet<_> = wires.iter().map(|wire| wire.settings.tenant.clone()).collect();
        let setup = TargetSetup::new(self::chat(), Arc::new(port), markers).for_tenants(tenants);
        let told = Arc::new(Told::default());
        let mut inner = support::house_on(store, wires, |builder| {
            let pulse = is_guarded.then(|| TimeGuard::new(Arc::clone(&clock) as _));
            let builder = builder.clock(Arc::clone(&clock) as Arc<dyn Clock>);
            let builder = pulse.into_iter().fold(builder, JitBuilder::time_guard);
            builder.target(setup.mirroring(mirroring)).notices(Arc::clone(&told) as _)
        });
        inner.clock = clock;
        Self { inner, chat, script, told }
    }

    pub(crate) fn said(groups: &[&str]) -> Value {
        json!({
            "preferred_username": "anna", "email": "anna@acme.example", "email_verified": true,
            "department": "Research", "groups": groups,
        })
    }

    pub(crate) async fn enter(&self, groups: &[&str]) -> AccountId {
        self.inner.enter(0, "anna", Self::said(groups)).await.account.id
    }

    pub(crate) async fn work(&self) -> Result<WorkReport, JitError> {
        self.work_some(100).await
    }

    pub(crate) async fn work_some(&self, limit: usize) -> Result<WorkReport, JitError> {
        let worker = WorkerId::new("w1").unwrap();
        self.inner.jit.work_target(&worker, &chat(), NonZeroUsize::new(limit).unwrap()).await
    }

    pub(crate) async fn pass_minutes(&self, minutes: i64) {
        for _ in 0..minutes {
            self.inner.clock.advance(TimeDelta::minutes(1));
            self.script.land(&self.chat).await;
            let _ = self.inner.jit.work(&WorkerId::new("w1").unwrap(), NonZeroUsize::new(100).unwrap()).await;
            let _ = self.work().await;
        }
    }

    /// Everything there by its name: whether it is in use, and what it holds.
    pub(crate) fn there(&self) -> Vec<(String, bool, Vec<String>)> {
        let accounts = self.chat.accounts();
        accounts.into_iter().map(|(name, account)| (name, account.enabled, account.entitlements)).collect()
    }

    pub(crate) async fn alarms(&self) -> Vec<String> {
        self.inner.work().await;
        std::mem::take(&mut *self.told.0.lock().unwrap())
    }

    pub(crate) async fn mirror(&self, id: AccountId) -> Option<Mirror> {
        self.inner.get(id).await.mirror(&chat()).cloned()
    }

    pub(crate) async fn actions(&self) -> Vec<String> {
        let events = self.inner.trail().await.into_iter();
        events.map(|event| event.action.to_string()).filter(|action| action.starts_with("mirror.")).collect()
    }
}

/// Runs until it is done, or dies where the script kills it.
pub(crate) async fn until_killed<T>(call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut context = task::Context::from_waker(task::Waker::noop());
    match call.as_mut().poll(&mut context) {
        task::Poll::Ready(done) => Some(done),
        task::Poll::Pending => None,
    }
}
