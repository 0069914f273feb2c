//! A house with one holder and one target in memory, through doors where every step can fail.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::faulty::{FaultyStore, FaultyTarget, Script};

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn target() -> TargetId {
    TargetId::new("directory").unwrap()
}

pub(crate) fn rule(name: &str) -> RuleName {
    RuleName::new(name).unwrap()
}

/// Who has an account in the directory that nobody of ours made.
pub(crate) const PERSON: &str = "bob";

fn operator() -> Entitlement {
    Entitlement::role("operator").unwrap()
}

/// What the settings of the target say of the tenant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Openness {
    Open,
    Closed,
    Unnamed,
}

/// Everything that outlives a crash of the application.
pub(crate) struct House {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) directory: Arc<MemoryTarget>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) script: Arc<Script>,
    pub(crate) holder: AccountId,
    pub(crate) settles_after: TimeDelta,
    pub(crate) told: Arc<Told>,
    /// What runs now.
    pub(crate) jit: Jit,
    has_roles: bool,
    openness: Openness,
    has_target: bool,
    starts: u64,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::settling(TimeDelta::zero()).await
    }

    pub(crate) async fn settling(settles_after: TimeDelta) -> Self {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let (store, directory) = (Arc::new(MemoryStore::new()), Arc::new(MemoryTarget::new()));
        let script = Arc::new(Script::new(Arc::clone(&clock)));
        let mut mint = Mint::new(now, [9; 16]);
        let mut account = Account::begin(mint.account(), tenant(), AccountState::Active, now);
        let by = Provenance::of(Source::Administrator);
        account.grants.push(Grant::new(mint.grant(), operator(), by, now));
        let holder = account.id;
        let commit = Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant()) };
        store.commit(&commit).await.unwrap();
        let told = Arc::new(Told::default());
        let doors = (&store, &script);
        let setup = setup(&directory, &script, settles_after, roles(), Openness::Open);
        let jit = engine(doors, &clock, &told, Some(setup), 0);
        let (has_roles, openness, has_target, starts) = (true, Openness::Open, true, 0);
        Self {
            store,
            directory,
            clock,
            script,
            holder,
            settles_after,
            told,
            jit,
            has_roles,
            openness,
            has_target,
            starts,
        }
    }

    /// Starts the application anew on what is left.
    pub(crate) fn restart(&mut self) {
        self.starts += 1;
        let Self { store, directory, clock, script, told, .. } = self;
        let roles = if self.has_roles { roles() } else { Vec::new() };
        let doors = (&*store, &*script);
        let setup = setup(directory, script, self.settles_after, roles, self.openness);
        self.jit = engine(doors, clock, told, Some(setup).filter(|_| self.has_target), self.starts);
    }

    /// The same, after the target was closed to the tenant.
    pub(crate) fn restart_closed(&mut self) {
        self.openness = Openness::Closed;
        self.restart();
    }

    /// The same, after the tenant was struck from the settings of the target.
    pub(crate) fn restart_without_tenant(&mut self) {
        self.openness = Openness::Unnamed;
        self.restart();
    }

    /// The same, after the target was struck from the configuration, or put back.
    pub(crate) fn restart_with_target(&mut self, has_target: bool) {
        self.has_target = has_target;
        self.restart();
    }

    /// The same, after every role was struck from the configuration.
    pub(crate) fn restart_without_roles(&mut self) {
        self.has_roles = false;
        self.restart();
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn request(&self, minutes: i64, key: Option<&str>) -> CheckOut {
        CheckOut {
            tenant: tenant(),
            store: None,
            holder: self.holder,
            by: self.by(),
            target: target(),
            role: rule("admin"),
            span: TimeDelta::minutes(minutes),
            key: key.map(str::to_owned),
            purpose: Some("patch day".into()),
        }
    }

    pub(crate) async fn out(&self, minutes: i64) -> CheckedOut {
        self.jit.check_out(&self.request(minutes, None)).await.unwrap()
    }

    /// Lends the entitlements of a role to the account of a person.
    pub(crate) async fn lift(&self, role: &str, minutes: i64) -> Result<Elevated, JitError> {
        self.lift_with(role, minutes, None).await
    }

    pub(crate) async fn lift_with(
        &self,
        role: &str,
        minutes: i64,
        key: Option<&str>,
    ) -> Result<Elevated, JitError> {
        let request = CheckOut { role: rule(role), ..self.request(minutes, key) };
        self.jit.elevate(&request, Some(PERSON)).await
    }

    pub(crate) async fn check_in(&self, lease: AccountId) -> Lease {
        self.jit.check_in(None, &tenant(), lease, self.by()).await.unwrap()
    }

    /// Tells whether the account of the person holds something in the directory.
    pub(crate) fn person_holds(&self, entitlement: &str) -> bool {
        self.directory.accounts()[PERSON].holds(entitlement, self.now())
    }

    pub(crate) async fn lease(&self, id: AccountId) -> Lease {
        *self.store.get(&tenant(), id).await.unwrap().unwrap().lease.unwrap()
    }

    /// The lease that was recorded first.
    pub(crate) async fn first_lease(&self) -> Lease {
        self.lease(self.trail().await.iter().find_map(|event| event.account).unwrap()).await
    }

    /// The id of the lease that was written down last.
    pub(crate) async fn last_lease(&self) -> AccountId {
        let is_first_step = |event: &&AuditEvent| event.action.as_str() == "lease.intended";
        self.trail().await.iter().rfind(is_first_step).and_then(|event| event.account).unwrap()
    }

    /// What was recorded, earliest first.
    pub(crate) async fn trail(&self) -> Vec<AuditEvent> {
        let limit = std::num::NonZeroUsize::new(1000).unwrap();
        let query = AuditQuery { tenant: tenant(), account: None, after: None, latest_first: false, limit };
        self.store.events(&query).await.unwrap().items
    }

    pub(crate) fn by(&self) -> Actor {
        Actor::Account { id: self.holder }
    }

    pub(crate) async fn work(&self) -> Result<WorkReport, JitError> {
        let worker = WorkerId::new(format!("w{}", self.starts)).unwrap();
        self.jit.work_target(&worker, &target(), std::num::NonZeroUsize::new(100).unwrap()).await
    }

    /// Does all work, and tells which alarms it raised.
    pub(crate) async fn alarms(&self) -> Vec<String> {
        let worker = WorkerId::new(format!("w{}", self.starts)).unwrap();
        let _ = self.work().await;
        self.jit.work(&worker, std::num::NonZeroUsize::new(100).unwrap()).await.unwrap();
        self.told.alarms()
    }

    pub(crate) async fn pass_minutes(&self, minutes: i64) {
        let mut left = minutes;
        while left > 0 {
            // Minute by minute while calls may be on their way, then in strides no longer than the longest pause.
            let stride = if minutes - left < 4 { 1 } else { left.min(12) };
            left -= stride;
            self.clock.advance(TimeDelta::minutes(stride));
            self.script.land(&self.directory).await;
            self.script.land_commits(&self.store).await;
            let _ = self.work().await;
        }
    }
}

fn setup(
    directory: &Arc<MemoryTarget>,
    script: &Arc<Script>,
    settles_after: TimeDelta,
    roles: Vec<(RuleName, TargetRole)>,
    openness: Openness,
) -> TargetSetup {
    let target_port =
        FaultyTarget { inner: Arc::clone(directory), script: Arc::clone(script), settles_after };
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup = TargetSetup::new(target(), Arc::new(target_port), markers);
    let setup = match openness {
        Openness::Open => setup.for_tenants([tenant()]),
        Openness::Closed => setup.formerly_for_tenants([tenant()]),
        Openness::Unnamed => setup,
    };
    roles.into_iter().fold(setup, |setup, (name, role)| setup.role(name, role))
}

fn engine(
    (store, script): (&Arc<MemoryStore>, &Arc<Script>),
    clock: &Arc<ManualClock>,
    told: &Arc<Told>,
    setup: Option<TargetSetup>,
    start: u64,
) -> Jit {
    let builder =
        Jit::builder(Arc::new(FaultyStore { inner: Arc::clone(store), script: Arc::clone(script) }))
            .clock(Arc::clone(clock) as _)
            .time_guard(TimeGuard::new(Arc::clone(clock) as _))
            .notices(Arc::clone(told) as _)
            .entropy(Arc::new(SeededEntropy::new(start + 1)));
    setup.into_iter().fold(builder, JitBuilder::target).build().unwrap()
}

fn roles() -> Vec<(RuleName, TargetRole)> {
    let role = || TargetRole::new(TimeDelta::hours(8), vec![operator()]).with(vec!["ops".into()]);
    let both = role().with(vec!["ops".into(), "dba".into()]);
    let other = role().with(vec!["dba".into()]);
    vec![
        (rule("admin"), role().privileged().in_place("people")),
        (rule("reader"), role()),
        (rule("lift"), role().privileged().elevating(Whose::Named)),
        (rule("lift-both"), both.elevating(Whose::Named)),
        (rule("lift-other"), other.elevating(Whose::Named)),
        (rule("lift-own"), role().elevating(own_account())),
    ]
}

/// The account in the directory that an attribute of the holder names.
fn own_account() -> Whose {
    let given_by = vec![ConnectionId::new("hr").unwrap()];
    Whose::Attribute { name: AttributeName::new("login").unwrap(), given_by }
}

/// Keeps what the application was told.
#[derive(Default)]
pub(crate) struct Told {
    tasks: Mutex<Vec<Task>>,
    is_deaf: AtomicBool,
}

impl Told {
    /// The alarms since the last look.
    pub(crate) fn alarms(&self) -> Vec<String> {
        self.alarms_at().into_iter().map(|(about, _)| about).collect()
    }

    /// The same, and which target each is about.
    pub(crate) fn alarms_at(&self) -> Vec<(String, Option<TargetId>)> {
        let told = std::mem::take(&mut *self.tasks.lock().unwrap());
        let about = |task: Task| match task.kind {
            TaskKind::Alarm { about, target } => Some((about.to_string(), target)),
            _ => None,
        };
        told.into_iter().filter_map(about).collect()
    }

    /// Lets nothing be delivered.
    pub(crate) fn deafen(&self, is_deaf: bool) {
        self.is_deaf.store(is_deaf, Ordering::SeqCst);
    }
}

#[async_trait]
impl Notices for Told {
    async fn deliver(&self, task: &Task) -> Result<(), BackendError> {
        if self.is_deaf.load(Ordering::SeqCst) {
            return Err(BackendError::new(ErrorKind::Unavailable, "deaf"));
        }
        self.tasks.lock().unwrap().push(task.clone());
        Ok(())
    }
}

pub(crate) fn code_of<T: std::fmt::Debug>(result: Result<T, JitError>) -> String {
    result.unwrap_err().code().to_string()
}

/// Runs until it is done or the process is killed: what is in memory never waits for anything else.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(done) => Some(done),
        task::Poll::Pending => None,
    }
}

/// A comparison that acts, on the word of somebody.
pub(crate) fn applying(at_most: usize) -> ReconcileMode {
    ReconcileMode::Apply { at_most, by: Actor::Administrator { name: "ops".to_owned() } }
}
