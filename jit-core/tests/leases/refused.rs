//! A target that refuses our credentials, and processes that know nothing but what is in the store.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::house::*;

/// A domain that counts failures as Active Directory does, with a password of ours that may be wrong.
struct Domain {
    inner: Arc<MemoryTarget>,
    clock: Arc<ManualClock>,
    password: Mutex<&'static str>,
    failures: Mutex<Failures>,
    /// Whether it answers nobody.
    is_down: AtomicBool,
    /// Whether it goes on answering whoever it let in, whatever password counts by now.
    keeps_connections: AtomicBool,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Failures {
    counted: u32,
    last: Option<DateTime<Utc>>,
    pub(super) attempts: u32,
    pub(super) is_locked: bool,
}

/// Asks the domain as one process does, with the password of its configuration.
struct Door {
    domain: Arc<Domain>,
    password: &'static str,
    /// What it says to whoever it accepts; of one that rests nobody is asked.
    fault: Option<TargetFault>,
    is_let_in: AtomicBool,
}

impl Door {
    fn bind(&self) -> Result<&MemoryTarget, BackendError> {
        if self.fault == Some(TargetFault::Resting) {
            return Err(BackendError::new(ErrorKind::Target(TargetFault::Resting), "bind"));
        }
        if self.domain.is_down.load(Ordering::SeqCst) {
            return Err(BackendError::new(ErrorKind::Target(TargetFault::Unreachable), "connect"));
        }
        if self.domain.keeps_connections.load(Ordering::SeqCst) && self.is_let_in.load(Ordering::SeqCst) {
            return Ok(&self.domain.inner);
        }
        let mut failures = self.domain.failures.lock().unwrap();
        failures.attempts += 1;
        if self.password == *self.domain.password.lock().unwrap() && !failures.is_locked {
            failures.counted = 0;
            self.is_let_in.store(true, Ordering::SeqCst);
            let fault = self.fault.map(|fault| BackendError::new(ErrorKind::Target(fault), "ask"));
            return fault.map_or(Ok(&self.domain.inner), Err);
        }
        let now = self.domain.clock.now();
        let is_forgotten = failures.last.is_none_or(|last| now - last >= TimeDelta::minutes(30));
        failures.counted = if is_forgotten { 1 } else { failures.counted + 1 };
        failures.last = Some(now);
        failures.is_locked |= failures.counted >= 3;
        Err(BackendError::new(ErrorKind::Target(TargetFault::Credentials), "bind"))
    }
}

#[async_trait]
impl Target for Door {
    fn capabilities(&self) -> Capabilities {
        self.domain.inner.capabilities()
    }
    async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
        self.bind()?.home(remote).await
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        self.bind()?.ensure(desired).await
    }
    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.bind()?.observe(remote).await
    }
    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        self.bind()?.holdings(remote, asked).await
    }
    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        self.bind()?.show(remote).await
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        self.bind()?.differs(remote, wanted).await
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        self.bind()?.list(cursor).await
    }
}

pub(super) struct World {
    pub(super) house: House,
    domain: Arc<Domain>,
    starts: AtomicU64,
}

impl World {
    pub(super) async fn new() -> Self {
        let house = House::new().await;
        let domain = Domain {
            inner: Arc::clone(&house.directory),
            clock: Arc::clone(&house.clock),
            password: Mutex::new("right"),
            failures: Mutex::default(),
            is_down: AtomicBool::default(),
            keeps_connections: AtomicBool::default(),
        };
        Self { house, domain: Arc::new(domain), starts: AtomicU64::new(100) }
    }

    /// Starts a process with the password of its configuration.
    pub(super) fn process(&self, password: &'static str) -> Jit {
        self.process_at(password, &[(target(), None)])
    }

    /// The same with these targets, all of which lie in the domain, and what each says to whoever it accepts.
    fn process_at(&self, password: &'static str, targets: &[(TargetId, Option<TargetFault>)]) -> Jit {
        self.process_as("jit", password, targets)
    }

    pub(super) fn process_as(
        &self,
        account: &str,
        password: &'static str,
        targets: &[(TargetId, Option<TargetFault>)],
    ) -> Jit {
        self.process_on(Arc::clone(&self.house.store) as _, account, password, targets)
    }

    /// The same, which reaches the store in its own way.
    pub(super) fn process_on(
        &self,
        store: Arc<dyn Store>,
        account: &str,
        password: &'static str,
        targets: &[(TargetId, Option<TargetFault>)],
    ) -> Jit {
        let builder = Jit::builder(store)
            .clock(Arc::clone(&self.house.clock) as _)
            .notices(Arc::clone(&self.house.told) as _)
            .entropy(Arc::new(SeededEntropy::new(self.starts.fetch_add(1, Ordering::Relaxed))));
        let with = |builder: JitBuilder, (id, fault): &(TargetId, Option<TargetFault>)| {
            let (domain, is_let_in) = (Arc::clone(&self.domain), AtomicBool::default());
            let door = Door { domain, password, fault: *fault, is_let_in };
            let role = TargetRole::new(TimeDelta::hours(8), vec![Entitlement::role("operator").unwrap()]);
            let markers = MarkerKey::new("test", &[5; 32]).unwrap();
            let setup = TargetSetup::new(id.clone(), Arc::new(door), markers).for_tenants([tenant()]);
            let setup = setup.role(rule("admin"), role.in_place("people"));
            builder.target(setup.proving_with("domain", &[account.as_bytes(), password.as_bytes()]))
        };
        targets.iter().fold(builder, with).build().unwrap()
    }

    pub(super) async fn out(&self, jit: &Jit) -> Result<CheckedOut, JitError> {
        self.out_at(jit, &target()).await
    }

    pub(super) async fn out_at(&self, jit: &Jit, target: &TargetId) -> Result<CheckedOut, JitError> {
        jit.check_out(&CheckOut { target: target.clone(), ..self.house.request(30, None) }).await
    }

    pub(super) async fn sweep(&self, jit: &Jit) {
        self.sweep_at(jit, &[target()]).await;
    }

    pub(super) async fn sweep_at(&self, jit: &Jit, targets: &[TargetId]) {
        let worker = WorkerId::new(format!("w{}", self.starts.load(Ordering::Relaxed))).unwrap();
        let limit = NonZeroUsize::new(100).unwrap();
        jit.work(&worker, limit).await.unwrap();
        for target in targets {
            jit.work_target(&worker, target, limit).await.unwrap();
        }
    }

    pub(super) fn failures(&self) -> Failures {
        *self.domain.failures.lock().unwrap()
    }

    /// What was recorded of no tenant: about which targets.
    async fn recorded(&self) -> Vec<Vec<String>> {
        let (tenant, limit) = (Jit::house_tenant().unwrap(), NonZeroUsize::new(100).unwrap());
        let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit };
        let events = self.house.store.events(&query).await.unwrap().items;
        events.into_iter().map(|event| event.changes).collect()
    }

    /// Changes what the domain accepts.
    pub(super) fn set_password(&self, password: &'static str) {
        *self.domain.password.lock().unwrap() = password;
    }

    /// Lets the domain answer nobody, or everybody again.
    pub(super) fn shut_down(&self, is_down: bool) {
        self.domain.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Lets whoever was let in stay so, whatever password counts by now.
    pub(super) fn keep_connections(&self) {
        self.domain.keeps_connections.store(true, Ordering::SeqCst);
    }

    /// Claims the attempt that is due, as a process does before it asks.
    async fn take_attempt(&self) -> Claimed {
        self.hold("circuit:", TimeDelta::minutes(35)).await
    }

    /// Claims what is first in the lane whose name begins so, as another process does.
    pub(super) async fn hold(&self, lane_begins: &str, hold: TimeDelta) -> Claimed {
        let store = &self.house.store;
        let mut lane = store.next_lane(None).await.unwrap();
        while !lane.as_ref().unwrap().as_str().starts_with(lane_begins) {
            lane = store.next_lane(lane).await.unwrap();
        }
        let (another, now) = (WorkerId::new("another").unwrap(), self.house.now());
        let mut claimed =
            store.claim(&another, &lane.unwrap(), &Tenants::All, now, hold, NonZeroUsize::MIN).await.unwrap();
        claimed.pop().unwrap()
    }

    /// The accounts beside the holder's: each keeps a lease.
    async fn leases(&self) -> usize {
        let filter = Filter::All;
        let query = Query { tenant: tenant(), filter, after: None, limit: NonZeroUsize::new(100).unwrap() };
        self.house.store.list(&query).await.unwrap().items.len() - 1
    }
}

#[tokio::test]
async fn processes_that_live_for_one_call_lock_nobody_out_and_write_nothing() {
    let world = World::new().await;
    let mut heard = Vec::new();
    for minute in 0..720 {
        if minute % 7 == 0 {
            let refused = world.out(&world.process("wrong")).await;
            assert_eq!(code_of(refused), "target.credentials");
        }
        world.sweep(&world.process("wrong")).await;
        heard.extend(world.house.told.alarms());
        world.house.clock.advance(TimeDelta::minutes(1));
    }
    assert!(!world.failures().is_locked);
    assert_eq!(world.leases().await, 0, "refused before anything was written");
    assert_eq!(heard, ["target.credentials_refused"]);
    let attempts = world.failures().attempts;
    assert!((15..=22).contains(&attempts), "some twenty in twelve hours: {attempts}");

    world.out(&world.process("right")).await.expect("another password is tried at once");
}

#[tokio::test]
async fn of_all_who_come_at_once_one_tries_and_all_hear_that_we_are_accepted_again() {
    let world = World::new().await;
    world.out(&world.process("wrong")).await.unwrap_err();
    let waiting = world.process("wrong");
    world.out(&waiting).await.unwrap_err();
    assert_eq!(world.failures().attempts, 1);
    world.house.clock.advance(TimeDelta::minutes(5));
    let processes: Vec<_> = (0..10).map(|_| world.process("wrong")).collect();
    for jit in &processes {
        assert_eq!(code_of(world.out(jit).await), "target.credentials");
    }
    assert_eq!(world.failures().attempts, 2);

    *world.domain.password.lock().unwrap() = "wrong";
    world.house.clock.advance(TimeDelta::minutes(34));
    world.out(&waiting).await.unwrap_err();
    world.house.clock.advance(TimeDelta::minutes(1));
    world.out(&world.process("wrong")).await.unwrap();
    world.out(&waiting).await.expect("by what another process found out");
    world.sweep(&waiting).await;
    assert_eq!(world.house.told.alarms(), ["target.credentials_refused", "target.credentials_accepted"]);
}

#[tokio::test]
async fn whoever_dies_over_an_attempt_leaves_the_next_to_others() {
    let world = World::new().await;
    world.out(&world.process("wrong")).await.unwrap_err();
    world.house.clock.advance(TimeDelta::minutes(5));
    // What is left of a process that died: the claim that it made before it asked.
    world.take_attempt().await;
    world.out(&world.process("wrong")).await.unwrap_err();
    assert_eq!(world.failures().attempts, 1, "somebody else is at it");
    world.house.clock.advance(TimeDelta::minutes(35));
    world.out(&world.process("wrong")).await.unwrap_err();
    assert_eq!(world.failures().attempts, 2);
}

#[tokio::test]
async fn who_waits_for_the_attempt_of_another_hears_within_a_minute_that_it_went_well() {
    let world = World::new().await;
    let waiting = world.process("wrong");
    world.out(&waiting).await.unwrap_err();
    world.house.clock.advance(TimeDelta::minutes(5));
    let attempt = world.take_attempt().await;
    world.out(&waiting).await.unwrap_err();
    *world.domain.password.lock().unwrap() = "wrong";
    let mut accepted = Commit::new(attempt.task.tenant.clone());
    accepted.withdrawn.push(attempt.task.id);
    world.house.store.commit(&accepted).await.unwrap();
    world.house.clock.advance(TimeDelta::minutes(1));
    world.out(&waiting).await.unwrap();
}

/// A sign-in of this process was refused with the same account, so that its connections ask nobody for a while.
#[tokio::test]
async fn what_asked_nobody_is_no_refusal_and_others_try_soon() {
    let world = World::new().await;
    let resting = || world.process_at("wrong", &[(target(), Some(TargetFault::Resting))]);
    let first = resting();
    for _ in 0..3 {
        assert_eq!(code_of(world.out(&first).await), "target.credentials");
        assert_eq!(code_of(world.out(&world.process("wrong")).await), "target.credentials");
        world.house.clock.advance(TimeDelta::minutes(5));
        world.out(&resting()).await.unwrap_err();
    }
    assert_eq!(
        (world.failures().attempts, world.leases().await),
        (0, 0),
        "nobody was asked, nothing written"
    );
    world.house.clock.advance(TimeDelta::minutes(5));
    world.out(&world.process("wrong")).await.unwrap_err();
    assert_eq!(world.failures().attempts, 1);

    *world.domain.password.lock().unwrap() = "wrong";
    world.house.clock.advance(TimeDelta::minutes(34));
    world.out(&world.process("wrong")).await.expect_err("it was refused indeed: 35 minutes");
    world.house.clock.advance(TimeDelta::minutes(1));
    world.out(&first).await.expect_err("its connections rest still");
    world.house.clock.advance(TimeDelta::minutes(5));
    world.out(&world.process("wrong")).await.expect("another process asks 5 minutes later");
    world.sweep(&first).await;
    assert_eq!(world.house.told.alarms(), ["target.credentials_refused", "target.credentials_accepted"]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_nobody_out() {
    let world = World::new().await;
    world.house.clock.advance(TimeDelta::days(300));
    world.out(&world.process("wrong")).await.unwrap_err();
    world.house.clock.jump(TimeDelta::days(-300));
    *world.domain.password.lock().unwrap() = "wrong";
    world.out(&world.process("wrong")).await.unwrap();
}

const THREE: [&str; 3] = ["one", "three", "two"];

/// Three targets of a domain where we have one account.
pub(super) fn three() -> [TargetId; 3] {
    THREE.map(|name| TargetId::new(name).unwrap())
}

#[tokio::test]
async fn targets_where_we_are_one_account_are_one_to_a_domain_that_counts_its_failures() {
    for lives_for_one_call in [true, false] {
        let world = World::new().await;
        let process = || world.process_at("wrong", &three().map(|id| (id, None)));
        let (first, mut heard) = (process(), Vec::new());
        for minute in 0..720 {
            let fresh = lives_for_one_call.then(process);
            let jit = fresh.as_ref().unwrap_or(&first);
            for id in three().iter().filter(|_| minute % 7 == 0) {
                assert_eq!(code_of(world.out_at(jit, id).await), "target.credentials");
            }
            world.sweep_at(jit, &three()).await;
            heard.extend(world.house.told.alarms());
            world.house.clock.advance(TimeDelta::minutes(1));
        }
        assert!(!world.failures().is_locked);
        let attempts = world.failures().attempts;
        assert!((15..=22).contains(&attempts), "as many as of one target: {attempts}");

        *world.domain.password.lock().unwrap() = "wrong";
        world.house.clock.advance(TimeDelta::minutes(35));
        for id in &three() {
            world.out_at(&first, id).await.expect("one attempt counts for all");
        }
        world.sweep_at(&first, &three()).await;
        heard.extend(world.house.told.alarms());
        assert_eq!(heard, ["target.credentials_refused", "target.credentials_accepted"]);
        assert!(world.recorded().await.iter().all(|changes| changes == &THREE), "the trail names them all");
    }
}

#[tokio::test]
async fn what_tells_that_it_is_over_names_the_target_of_what_told_that_it_began() {
    let world = World::new().await;
    let [one, three, two] = three();
    let all = world.process_at("wrong", &[(two.clone(), None), (one.clone(), None)]);
    world.out_at(&all, &two).await.unwrap_err();
    *world.domain.password.lock().unwrap() = "wrong";
    world.house.clock.advance(TimeDelta::minutes(5));
    // a program with other targets of the domain
    let other = world.process_at("wrong", &[(three.clone(), None), (two.clone(), None)]);
    world.out_at(&other, &three).await.unwrap();
    world.sweep_at(&other, &[three, two]).await;
    let told = world.house.told.alarms_at();
    let named = |about: &str| (about.to_owned(), Some(one.clone()));
    assert_eq!(told, [named("target.credentials_refused"), named("target.credentials_accepted")]);
}

#[tokio::test]
async fn what_else_is_wrong_with_one_target_of_a_domain_stops_no_other() {
    let world = World::new().await;
    let [gone, busy, sound] = three();
    let faults = [(gone, Some(TargetFault::Place)), (busy, Some(TargetFault::Limit)), (sound, None)];
    let jit = world.process_at("right", &faults);
    for _ in 0..3 {
        for (id, fault) in &faults {
            let lent = world.out_at(&jit, id).await;
            assert_eq!(lent.is_err(), fault.is_some(), "{id}: {lent:?}");
        }
        world.sweep_at(&jit, &three()).await;
        world.house.clock.advance(TimeDelta::minutes(1));
    }
}
