//! Doors to the store and the target where a chosen step is killed, fails, loses its answer, comes late or comes twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    num::NonZeroUsize,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the step takes effect.
    KillBefore,
    /// The process dies after it took effect, before it knows.
    KillAfter,
    /// The step fails without effect.
    FailBefore,
    /// The step takes effect, and its answer is lost.
    FailAfter,
    /// The step fails, and takes effect this many seconds later: a call to the target, or a commit.
    Late(i64),
    /// The process dies, and the step takes effect this many seconds later at a server of the target that stands in for ours,
    /// which learns of it as late as it may.
    Elsewhere(i64),
    /// The step happens twice.
    Twice,
}

/// Numbers every step, says what befalls it, and keeps what has not landed yet.
pub(crate) struct Script {
    clock: Arc<ManualClock>,
    inner: Mutex<Inner>,
    /// How often the target was asked how an account differs.
    pub(crate) looks: AtomicUsize,
    /// How often it was asked what an account holds.
    pub(crate) asked_for_holdings: AtomicUsize,
}

/// What a listing shows instead of all there is.
#[derive(Clone, Copy, PartialEq)]
enum Lists {
    /// All, and says that it is a part.
    Part,
    /// None, and says that it is whole.
    Nothing,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct Inner {
    step: usize,
    faults: BTreeMap<usize, Fault>,
    hit: usize,
    late: Vec<(DateTime<Utc>, Desired)>,
    late_commits: Vec<(DateTime<Utc>, Commit)>,
    effects: usize,
    commits: usize,
    listing: Option<Lists>,
    answer: Option<TargetFault>,
    refuses: bool,
    refuses_effects: Option<TargetFault>,
    fails_removals: bool,
    names_removed: bool,
    denies_accounts: bool,
    tells_no_ids: bool,
    hides: Option<&'static str>,
    answers_to: Option<Vec<AccountId>>,
    unreadable: Option<AccountId>,
    delay: Option<Fault>,
    meddling: Option<fn(&MemoryTarget)>,
    meddling_after_listing: Option<fn(&MemoryTarget)>,
    stalled: Option<TimeDelta>,
    stalled_after_effect: Option<TimeDelta>,
    silent_from: Option<usize>,
    contended: usize,
    interleaves: bool,
}

impl Script {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            inner: Mutex::default(),
            looks: AtomicUsize::default(),
            asked_for_holdings: AtomicUsize::default(),
        }
    }

    /// Lets a fault befall the n-th step from now.
    pub(crate) fn at(&self, ahead: usize, fault: Fault) {
        let mut inner = self.inner.lock().unwrap();
        let step = inner.step + ahead;
        inner.faults.insert(step, fault);
    }

    /// Lets the store answer nothing from the n-th step on, until the faults are cleared.
    pub(crate) fn silence_store(&self, ahead: usize) {
        let mut inner = self.inner.lock().unwrap();
        inner.silent_from = Some(inner.step + ahead);
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.faults.clear();
        inner.silent_from = None;
    }

    /// Lets the next call that changes the target fail, and take effect this many seconds later.
    pub(crate) fn delay_effect(&self, seconds: i64) {
        self.inner.lock().unwrap().delay = Some(Fault::Late(seconds));
    }

    /// Lets nobody look at an entitlement.
    pub(crate) fn hide(&self, entitlement: &'static str) {
        self.inner.lock().unwrap().hides = Some(entitlement);
    }

    /// Lets nothing be removed from the target, until it is well again.
    pub(crate) fn fail_removals(&self, fails: bool) {
        self.inner.lock().unwrap().fails_removals = fails;
    }

    /// Lets an entitlement name what is removed from the target, until it is well again.
    pub(crate) fn name_removed(&self, names: bool) {
        self.inner.lock().unwrap().names_removed = names;
    }

    /// Lets the target answer each removal as if nothing were there, and do nothing.
    pub(crate) fn deny_accounts(&self, denies: bool) {
        self.inner.lock().unwrap().denies_accounts = denies;
    }

    /// Lets the target tell of no entitlement what it is called for good.
    pub(crate) fn tell_no_ids(&self) {
        self.inner.lock().unwrap().tells_no_ids = true;
    }

    /// Lets the process die in the next call that changes the target, which another server takes this many seconds later.
    pub(crate) fn lose_effect_elsewhere(&self, seconds: i64) {
        self.inner.lock().unwrap().delay = Some(Fault::Elsewhere(seconds));
    }

    /// Lets every step wait for its turn, and its answer for another.
    pub(crate) fn interleave(&self, interleaves: bool) {
        self.inner.lock().unwrap().interleaves = interleaves;
    }

    async fn turn(&self) {
        let mut waits = self.inner.lock().unwrap().interleaves;
        std::future::poll_fn(|context| {
            if !std::mem::take(&mut waits) {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }

    /// Lets somebody change the target right before the next call that does.
    pub(crate) fn meddle(&self, how: fn(&MemoryTarget)) {
        self.inner.lock().unwrap().meddling = Some(how);
    }

    /// Lets somebody change the target right after the next listing.
    pub(crate) fn meddle_after_listing(&self, how: fn(&MemoryTarget)) {
        self.inner.lock().unwrap().meddling_after_listing = Some(how);
    }

    /// Lets the process stand still for so long before the next account is shown to it.
    pub(crate) fn stall(&self, span: TimeDelta) {
        self.inner.lock().unwrap().stalled = Some(span);
    }

    /// The same after the next call that changes the target.
    pub(crate) fn stall_after_effect(&self, span: TimeDelta) {
        self.inner.lock().unwrap().stalled_after_effect = Some(span);
    }

    /// Lets the next listing not be whole.
    pub(crate) fn list_partially(&self) {
        self.inner.lock().unwrap().listing = Some(Lists::Part);
    }

    /// Lets the next listing be empty, and say that it is whole.
    pub(crate) fn list_nothing(&self) {
        self.inner.lock().unwrap().listing = Some(Lists::Nothing);
    }

    /// Lets the target answer everything so, until it is well again.
    pub(crate) fn answer(&self, fault: Option<TargetFault>) {
        self.answer_for(None, fault);
    }

    /// The same, and says that it has done nothing.
    pub(crate) fn refuse(&self, fault: Option<TargetFault>) {
        self.answer(fault);
        self.inner.lock().unwrap().refuses = fault.is_some();
    }

    /// Lets the target refuse every change, and say that it has done nothing.
    pub(crate) fn refuse_effects(&self, fault: Option<TargetFault>) {
        self.inner.lock().unwrap().refuses_effects = fault;
    }

    /// The same, of these accounts alone.
    pub(crate) fn answer_for(&self, whom: Option<Vec<AccountId>>, fault: Option<TargetFault>) {
        let mut inner = self.inner.lock().unwrap();
        (inner.answers_to, inner.answer, inner.refuses) = (whom, fault, false);
    }

    /// Lets another node be quicker at so many of the next writes about clocks.
    pub(crate) fn contend_clocks(&self, times: usize) {
        self.inner.lock().unwrap().contended = times;
    }

    fn takes_contention(&self) -> bool {
        let mut inner = self.inner.lock().unwrap();
        let is_contended = inner.contended > 0;
        inner.contended = inner.contended.saturating_sub(1);
        is_contended
    }

    /// Lets the record of one lease be unreadable.
    pub(crate) fn spoil(&self, id: Option<AccountId>) {
        self.inner.lock().unwrap().unreadable = id;
    }

    fn answered(&self, remote: &RemoteRef) -> Result<(), BackendError> {
        let inner = self.inner.lock().unwrap();
        let is_of = |id: &AccountId| remote.marker.as_str().contains(&id.to_string());
        let is_meant = inner.answers_to.as_ref().is_none_or(|whom| whom.iter().any(is_of));
        let fault = inner.answer.filter(|_| is_meant);
        let error = |fault| BackendError::new(ErrorKind::Target(fault), "injected");
        match fault {
            Some(fault) if inner.refuses => Err(error(fault).having_done_nothing()),
            Some(fault) => Err(error(fault)),
            None => Ok(()),
        }
    }

    fn refuses(&self) -> bool {
        self.inner.lock().unwrap().refuses
    }

    /// Steps so far, faults that befell one, effects asked of the target, commits.
    pub(crate) fn counts(&self) -> (usize, usize, usize, usize) {
        let inner = self.inner.lock().unwrap();
        (inner.step, inner.hit, inner.effects, inner.commits)
    }

    fn next(&self, broken: &ErrorKind) -> Option<Fault> {
        let mut inner = self.inner.lock().unwrap();
        let step = inner.step;
        inner.step += 1;
        let is_silent =
            *broken == ErrorKind::Unavailable && inner.silent_from.is_some_and(|from| from <= step);
        let fault = inner.faults.remove(&step).or(is_silent.then_some(Fault::FailBefore));
        inner.hit += usize::from(fault.is_some());
        fault
    }

    /// Lets late calls land.
    pub(crate) async fn land(&self, directory: &MemoryTarget) {
        let now = self.clock.now();
        let due: Vec<_> = self.inner.lock().unwrap().late.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, desired) in due {
            // Settings may have changed since.
            let _ = directory.ensure(&desired).await;
        }
    }

    /// Lets late commits land. One that was overtaken does nothing.
    pub(crate) async fn land_commits(&self, store: &MemoryStore) {
        let now = self.clock.now();
        let due: Vec<_> =
            self.inner.lock().unwrap().late_commits.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, commit) in due {
            let _ = store.commit(&commit).await;
        }
    }

    /// When what befalls the next step late takes effect. What another server took shows after so long; the store has none.
    fn lands_at(&self, elsewhere: Option<TimeDelta>) -> Option<DateTime<Utc>> {
        let inner = self.inner.lock().unwrap();
        match inner.faults.get(&inner.step) {
            Some(Fault::Late(seconds)) => Some(self.clock.now() + TimeDelta::seconds(*seconds)),
            Some(Fault::Elsewhere(seconds)) => {
                Some(self.clock.now() + TimeDelta::seconds(*seconds) + elsewhere?)
            }
            _ => None,
        }
    }
}

type Step<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

async fn through<'a, T>(
    script: &Script,
    broken: ErrorKind,
    step: impl Fn() -> Step<'a, T>,
) -> Result<T, BackendError> {
    let fail = || BackendError::new(broken.clone(), "injected");
    script.turn().await;
    match script.next(&broken) {
        None => {
            let answer = step().await;
            script.turn().await;
            answer
        }
        Some(Fault::KillBefore | Fault::Elsewhere(_)) => std::future::pending().await,
        Some(Fault::KillAfter) => {
            let _ = step().await;
            std::future::pending().await
        }
        Some(Fault::FailBefore | Fault::Late(_)) => Err(fail()),
        Some(Fault::FailAfter) => {
            step().await?;
            Err(fail())
        }
        Some(Fault::Twice) => {
            let first = step().await;
            let _ = step().await;
            first
        }
    }
}

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

/// The trusted time is kept once a minute, which would put every count out of step; `time.rs` tests what becomes of it.
fn is_clock(tenant: &TenantId) -> bool {
    Jit::house_tenant().as_ref() == Some(tenant)
}

pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<MemoryStore>,
    pub(crate) script: Arc<Script>,
}

jit_core::pass_on!(DocumentStore, OneTime, AuditLog for FaultyStore => inner);

jit_core::pass_on! { UserStore(find, matching, named, bearers, long_over, touch) for FaultyStore => inner;
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        if self.script.inner.lock().unwrap().unreadable == Some(id) {
            return Err(BackendError::new(ErrorKind::Corrupt, "injected"));
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.get(tenant, id)).await
    }

    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        let page = self.inner.list(query).await?;
        let unreadable = self.script.inner.lock().unwrap().unreadable;
        // As databases do: one row that cannot be read fails the page that it is on.
        if page.items.iter().any(|account| Some(account.id) == unreadable) {
            return Err(BackendError::new(ErrorKind::Corrupt, "injected"));
        }
        Ok(page)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        if is_clock(&commit.tenant) {
            if !commit.documents.is_empty() && self.script.takes_contention() {
                return Err(BackendError::new(ErrorKind::DocumentChanged, "injected"));
            }
            return self.inner.commit(commit).await;
        }
        self.script.inner.lock().unwrap().commits += 1;
        if let Some(at) = self.script.lands_at(None) {
            self.script.inner.lock().unwrap().late_commits.push((at, commit.clone()));
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.commit(commit)).await
    }
}

jit_core::pass_on! { TaskQueue(next_due, next_lane) for FaultyStore => inner;
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        if lane.as_str() == "clock" {
            return self.inner.claim(worker, lane, tenants, now, hold, limit).await;
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.claim(worker, lane, tenants, now, hold, limit))
            .await
    }

    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        if is_clock(&claimed.task.tenant) {
            return self.inner.settle(claimed, outcome).await;
        }
        through(&self.script, ErrorKind::Unavailable, || self.inner.settle(claimed, outcome)).await
    }
}
