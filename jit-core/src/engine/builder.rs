//! Composing an engine.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;

use super::{
    Connection, Jit, Notices, compose::ALARMS, counters::Counted, flight::Flights, jit::Parts, kin::kin,
    lease::SHORTEST, mirror::check_waiters, seen::SeenBuffer,
};
use crate::{
    BackendError, Clock, ConnectionId, Entropy, Lane, Protection, Store, StoreId, SystemClock, SystemEntropy,
    TargetId, TargetSetup, TenantId, TimeGuard,
    clock::GuardedClock,
    target::{Book, Circuit, Guarded, Proof, Shelf},
};

/// How many leases one holder may have at once.
const LEASES_PER_HOLDER: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);

/// Collects the parts of an engine: the store is required, everything else has a default.
pub struct JitBuilder {
    store: Arc<dyn Store>,
    stores: HashMap<StoreId, Arc<dyn Store>>,
    connections: Vec<Connection>,
    clock: Option<Arc<dyn Clock>>,
    time_guard: Option<TimeGuard>,
    entropy: Arc<dyn Entropy>,
    protection: Protection,
    notices: Option<Arc<dyn Notices>>,
    makes_notices: bool,
    takes_notices: bool,
    targets: HashMap<TargetId, TargetSetup>,
    tenants: BTreeSet<TenantId>,
    leases_per_holder: NonZeroU32,
    keep_ended_for: Option<TimeDelta>,
    explaining: bool,
    hold_for: TimeDelta,
    seen_every: TimeDelta,
}

/// Says why an engine could not be composed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two connections of a tenant have one id.
    #[error("tenant `{0}` has two connections `{1}`")]
    DuplicateConnection(TenantId, ConnectionId),
    /// A connection names a store that was not given.
    #[error("connection `{0}` names store `{1}`, which was not given")]
    UnknownStore(ConnectionId, StoreId),
    /// A connection that provisions, or one of the same source, speaks for several issuers, or for none that is named.
    #[error(
        "connection `{0}` must have exactly one issuer: it provisions people, or shares them with one that does"
    )]
    SeveralIssuers(ConnectionId),
    /// A connection that provisions names one of the same source that is not there.
    #[error("connection `{0}` provisions people of connection `{1}`, which its tenant does not have")]
    UnknownKin(ConnectionId, ConnectionId),
    /// Two connections of one source keep their accounts in different stores.
    #[error("connection `{0}` provisions people of connection `{1}`, whose accounts are in another store")]
    KinElsewhere(ConnectionId, ConnectionId),
    /// A connection decides alone and names no claim that lists memberships: what sign-ins gave could never be taken away.
    #[error("connection `{0}` decides alone and needs `memberships`: what sign-ins gave is measured by it")]
    NoMemberships(ConnectionId),
    /// A target is waited for by a connection that none of its tenants has: nobody would wait.
    #[error("target `{0}` is waited for by connection `{1}`, which none of its tenants has")]
    UnknownWaiter(TargetId, ConnectionId),
    /// A target is waited for by a connection that provisions: its records are done when they are written down here.
    #[error("target `{0}` is waited for by connection `{1}`, which provisions: only sign-ins wait")]
    WaiterProvisions(TargetId, ConnectionId),
    /// Records of leases that are over are to be removed too early.
    #[error("records of ended leases must be kept for at least 30 days")]
    KeptTooBriefly,
    /// The system has no randomness to give.
    #[error("no randomness")]
    Entropy(#[source] BackendError),
}

impl JitBuilder {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            stores: HashMap::new(),
            connections: Vec::new(),
            clock: None,
            time_guard: None,
            entropy: Arc::new(SystemEntropy),
            protection: Protection::new(),
            notices: None,
            makes_notices: false,
            takes_notices: false,
            targets: HashMap::new(),
            tenants: BTreeSet::new(),
            leases_per_holder: LEASES_PER_HOLDER,
            keep_ended_for: None,
            explaining: false,
            hold_for: TimeDelta::minutes(30),
            seen_every: TimeDelta::hours(1),
        }
    }

    /// Adds a connection.
    #[must_use]
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connections.push(connection);
        self
    }

    /// Adds a user store that connections may name.
    #[must_use]
    pub fn store(mut self, id: StoreId, store: Arc<dyn Store>) -> Self {
        self.stores.insert(id, store);
        self
    }

    /// Replaces the clock. The guard against its jumps is then off, unless [`Self::time_guard`] is called as well: only
    /// the caller knows which pulse goes with it.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Replaces the guard against jumps of the clock. The system's clock is guarded in any case.
    #[must_use]
    pub fn time_guard(mut self, guard: TimeGuard) -> Self {
        self.time_guard = Some(guard);
        self
    }

    /// Replaces the source of randomness.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Says what no connection may break.
    #[must_use]
    pub fn protection(mut self, protection: Protection) -> Self {
        self.protection = protection;
        self
    }

    /// Delivers notices: sessions to be ended, owners to be told. Without it no such tasks are made, and sessions end
    /// by comparing the account's credential epoch.
    #[must_use]
    pub fn notices(mut self, notices: Arc<dyn Notices>) -> Self {
        self.notices = Some(notices);
        self.makes_notices = true;
        self.takes_notices = true;
        self
    }

    /// Makes notices for a process on the same stores that takes them (it was built with [`notices`](Self::notices)): it
    /// hears of what ends here. Where no process takes them, they stay in the store.
    #[must_use]
    pub fn leaves_notices(mut self) -> Self {
        self.makes_notices = true;
        self
    }

    /// Delivers alarms alone. Notices are for whoever keeps the sessions, and are left to that process; this one makes none
    /// unless it [leaves](Self::leaves_notices) them.
    #[must_use]
    pub fn alarms(mut self, notices: Arc<dyn Notices>) -> Self {
        self.notices = Some(notices);
        self.takes_notices = false;
        self
    }

    /// Adds a target, in the place of one with the same id.
    #[must_use]
    pub fn target(mut self, setup: TargetSetup) -> Self {
        self.targets.insert(setup.id.clone(), setup);
        self
    }

    /// Says whose leases and accounts this engine looks after, beside the tenants of its connections and its targets: nobody is
    /// told of targets that only others have. Where it knows of no tenant, it is told of all.
    #[must_use]
    pub fn for_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants.extend(tenants);
        self
    }

    /// Bounds how many leases one holder may have at once, at all targets together (of each user store): 200 unless said
    /// otherwise. [`TargetRole::per_holder`](crate::TargetRole::per_holder) bounds those of one role.
    #[must_use]
    pub fn leases_per_holder(mut self, most: NonZeroU32) -> Self {
        self.leases_per_holder = most;
        self
    }

    /// Lets [`Jit::work`] remove the records of leases that have been over for good for so long, 30 days at least: for the tenants
    /// that targets of this engine are open to, in each store. Unless it is called, every record stays.
    ///
    /// What stays in any case: the trail; that the id, and with it the key of the request, was used (`lease.long_gone`); and
    /// whole records of what a person declared gone, of what came back after it had been gone, of what may still be in a target
    /// or is quarantined, and of what somebody has still to be told. Nothing is removed while the clock is in doubt. Where
    /// processes on one store say different times, the shortest one counts.
    #[must_use]
    pub fn keep_ended_for(mut self, span: TimeDelta) -> Self {
        self.keep_ended_for = Some(span);
        self
    }

    /// Records with every outcome how each rule came out.
    #[must_use]
    pub fn explaining(mut self) -> Self {
        self.explaining = true;
        self
    }

    /// Sets how long a held sign-in may wait for its answer; 30 minutes unless said otherwise.
    #[must_use]
    pub fn hold_for(mut self, span: TimeDelta) -> Self {
        self.hold_for = span;
        self
    }

    /// Sets how exactly last use is known; one hour unless said otherwise.
    #[must_use]
    pub fn seen_every(mut self, span: TimeDelta) -> Self {
        self.seen_every = span;
        self
    }

    /// Composes the engine.
    ///
    /// # Errors
    /// [`BuildError`] when connections contradict each other, records would be kept too briefly, or there is no randomness.
    pub fn build(mut self) -> Result<Jit, BuildError> {
        if self.keep_ended_for.is_some_and(|span| span < SHORTEST) {
            return Err(BuildError::KeptTooBriefly);
        }
        let connections = by_name(std::mem::take(&mut self.connections), &self.stores)?;
        let kin = kin(&connections)?;
        check_waiters(self.targets.values(), &connections)?;
        let clock = Arc::new(match (self.clock.take(), self.time_guard.take()) {
            (Some(clock), guard) => GuardedClock::new(clock, guard),
            (None, guard) => GuardedClock::new(Arc::new(SystemClock), Some(guard.unwrap_or_default())),
        });
        self.guard_targets(&clock);
        let of_connections = connections.keys().map(|(tenant, _)| tenant.clone());
        self.tenants.extend(of_connections.chain(self.targets.values().flat_map(TargetSetup::tended)));
        let mut seed = [0; 16];
        self.entropy.fill(&mut seed).map_err(BuildError::Entropy)?;
        Ok(Jit::assemble(Parts {
            store: self.store,
            stores: self.stores,
            connections,
            clock,
            entropy: self.entropy,
            protection: self.protection,
            notices: self.notices,
            makes_notices: self.makes_notices,
            takes_notices: self.takes_notices,
            targets: self.targets,
            tenants: self.tenants,
            leases_per_holder: self.leases_per_holder,
            keep_ended_for: self.keep_ended_for,
            explaining: self.explaining,
            hold_for: self.hold_for,
            seen: SeenBuffer::new(self.seen_every),
            flights: Flights::default(),
            kin,
            counted: Counted::default(),
            seed: u128::from_le_bytes(seed),
            looked: Mutex::default(),
            followed: Mutex::default(),
        }))
    }

    /// Puts a circuit before each target, of which the main store keeps what all processes must know.
    fn guard_targets(&mut self, clock: &Arc<GuardedClock>) {
        let place = Jit::house_tenant().map(|tenant| Shelf {
            store: Arc::clone(&self.store),
            entropy: Arc::clone(&self.entropy),
            clock: Arc::clone(clock),
            tenant,
            notices: self.notices.as_ref().and_then(|_| Lane::new(ALARMS).ok()),
        });
        let shared = shared_circuits(&self.targets, place.as_ref());
        for setup in self.targets.values_mut() {
            guard(setup, &shared, clock);
        }
    }
}

/// Lists connections by tenant and id.
fn by_name(
    connections: Vec<Connection>,
    stores: &HashMap<StoreId, Arc<dyn Store>>,
) -> Result<HashMap<(TenantId, ConnectionId), Connection>, BuildError> {
    let mut named = HashMap::new();
    for connection in connections {
        let settings = Arc::clone(&connection.settings);
        if let Some(store) = settings.store.as_ref().filter(|store| !stores.contains_key(store)) {
            return Err(BuildError::UnknownStore(settings.id.clone(), store.clone()));
        }
        let key = (settings.tenant.clone(), settings.id.clone());
        if named.insert(key, connection).is_some() {
            return Err(BuildError::DuplicateConnection(settings.tenant.clone(), settings.id.clone()));
        }
    }
    Ok(named)
}

/// Makes one circuit for each system that we prove ourselves to by the same credentials, whichever targets lie there: it
/// counts their failures together. The main store knows what each of them learns.
fn shared_circuits(
    targets: &HashMap<TargetId, TargetSetup>,
    place: Option<&Shelf>,
) -> HashMap<Proof, Arc<Circuit>> {
    let mut named: HashMap<Proof, BTreeSet<TargetId>> = HashMap::new();
    for setup in targets.values() {
        if let Some(proof) = setup.proof {
            named.entry(proof).or_default().insert(setup.id.clone());
        }
    }
    let circuit = |(proof, targets)| {
        let book = place.and_then(|place| Book::of(proof, targets, place.clone()));
        (proof, Arc::new(Circuit::kept_in(book)))
    };
    named.into_iter().map(circuit).collect()
}

/// Puts the circuit before a target: one that it shares, where it is said by what we prove ourselves.
fn guard(setup: &mut TargetSetup, shared: &HashMap<Proof, Arc<Circuit>>, clock: &Arc<GuardedClock>) {
    if let Some(circuit) = setup.proof.and_then(|proof| shared.get(&proof)) {
        setup.circuit = Arc::clone(circuit);
    }
    let (inner, circuit) = (Arc::clone(&setup.target), Arc::clone(&setup.circuit));
    setup.target = Arc::new(Guarded { inner, circuit, clock: Arc::clone(clock) });
}

impl fmt::Debug for JitBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JitBuilder").field("connections", &self.connections).finish_non_exhaustive()
    }
}
