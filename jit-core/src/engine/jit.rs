//! The engine.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Connection, Event, Explanation, JitBuilder, JitError, Notices, Outcome, SignIn, Trigger,
    counters::Counted, evaluate::Attempt, flight::Flights, kin::Kin, seen::SeenBuffer,
};
use crate::{
    Account, AccountId, Answers, BackendError, ConnectionId, Entropy, Mint, Protection, Standing, Store,
    StoreId, TargetId, TargetSetup, TenantId, VerifiedIdentity, clock::GuardedClock,
};

/// Runs events through mapping, policy and plan, and commits what comes of them.
///
/// Share it behind an `Arc`; several engines on one store, in one process or many, do not disturb each other.
pub struct Jit {
    pub(super) parts: Parts,
    minted: AtomicU64,
}

pub(super) struct Parts {
    pub(super) store: Arc<dyn Store>,
    pub(super) stores: HashMap<StoreId, Arc<dyn Store>>,
    pub(super) connections: HashMap<(TenantId, ConnectionId), Connection>,
    pub(super) clock: Arc<GuardedClock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) protection: Protection,
    pub(super) notices: Option<Arc<dyn Notices>>,
    /// Whether somebody takes more than alarms: here or in another process.
    pub(super) makes_notices: bool,
    /// Whether they do here.
    pub(super) takes_notices: bool,
    pub(super) targets: HashMap<TargetId, TargetSetup>,
    /// Whose leases and accounts are looked after here; nobody's in particular where there is none.
    pub(super) tenants: BTreeSet<TenantId>,
    /// How many leases one holder may have at once.
    pub(super) leases_per_holder: NonZeroU32,
    /// How long the records of ended leases are kept; for ever unless said.
    pub(super) keep_ended_for: Option<TimeDelta>,
    pub(super) explaining: bool,
    pub(super) hold_for: TimeDelta,
    pub(super) seen: SeenBuffer,
    pub(super) flights: Flights,
    pub(super) kin: HashMap<(TenantId, ConnectionId), Vec<Kin>>,
    pub(super) counted: Counted,
    pub(super) seed: u128,
    /// When the lanes of targets that this engine does not have were looked for.
    pub(super) looked: Mutex<Option<DateTime<Utc>>>,
    /// The tenant whose trail in a store was followed last for a target.
    pub(super) followed: Mutex<HashMap<(Option<StoreId>, TargetId), TenantId>>,
}

impl Parts {
    pub(super) fn looked_for_missing(&self) -> MutexGuard<'_, Option<DateTime<Utc>>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jit {
    /// Begins to compose an engine on a store.
    #[must_use]
    pub fn builder(store: Arc<dyn Store>) -> JitBuilder {
        JitBuilder::new(store)
    }

    pub(super) fn assemble(parts: Parts) -> Self {
        Self { parts, minted: AtomicU64::new(0) }
    }

    /// Verifies evidence and handles what it proves.
    ///
    /// # Errors
    /// [`JitError::Verify`] when the trigger refuses the evidence; else as [`Jit::handle`].
    ///
    /// # Cancel safety
    /// The evidence is spent; the commit is made whole or not at all.
    pub async fn run<T: Trigger>(&self, trigger: &T, evidence: T::Evidence) -> Result<Outcome, JitError> {
        let event = trigger.verify(evidence).await?;
        self.handle(event).await
    }

    /// Handles an event: decides, plans and commits.
    ///
    /// # Errors
    /// `engine.foreign_identity` when the identity was not made by the attestor of a connection of this engine;
    /// `engine.not_provisioning` when a record comes over a connection that may not provision; `engine.contended` when the account changed under every attempt; [`JitError::Backend`] when a backend failed.
    ///
    /// # Cancel safety
    /// The commit is made whole or not at all.
    pub async fn handle(&self, event: Event) -> Result<Outcome, JitError> {
        match event {
            Event::SignIn(sign_in) => {
                let connection = self.connection_of(&sign_in)?;
                self.sign_in(connection, sign_in, Answers::default(), None).await
            }
            // In a place of its own, so that sign-ins need no room for it.
            Event::Record(mut record) => Box::pin(self.provision(&mut record)).await,
        }
    }

    /// Tells what handling an event would come to. Reads, and writes nothing.
    ///
    /// # Errors
    /// As [`Jit::handle`].
    pub async fn explain(&self, event: Event) -> Result<Explanation, JitError> {
        match event {
            Event::SignIn(sign_in) => {
                let connection = self.connection_of(&sign_in)?;
                let mut attempt = Attempt::explaining(self.parts.clock.now());
                let present = self.store_of(connection).find(sign_in.identity.key()).await?;
                let evaluated = self
                    .evaluate(connection, &sign_in, present.map(Arc::new), &Answers::default(), &mut attempt)
                    .await?;
                Ok(evaluated.explain())
            }
            Event::Record(record) => self.explain_record(&record).await,
        }
    }

    /// Tells whether a session of an account is still good: the account may be used and its epoch has not moved on.
    /// Counts as a use of the account.
    ///
    /// # Errors
    /// [`JitError::Backend`].
    pub async fn session_account(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        account: AccountId,
        epoch: u64,
    ) -> Result<Option<Account>, JitError> {
        let account = self.store_named(store)?.get(tenant, account).await?;
        let now = self.parts.clock.now();
        let is_good = |account: &Account| {
            account.credential_epoch == epoch && account.standing(now) == Standing::Active
        };
        let account = account.filter(is_good);
        if account.as_ref().is_some_and(|account| self.parts.seen.note(store, account, now)) {
            // A lost instant is made good by the next use; this one must not fail for it.
            let _ = self.flush_seen().await;
        }
        Ok(account)
    }

    /// Writes the last-seen instants that were collected.
    ///
    /// # Errors
    /// [`BackendError`] of the first store that fails; what it did not take is kept for the next time.
    ///
    /// # Cancel safety
    /// Some instants may have been written, others may be lost; the next sign-in brings newer ones.
    pub async fn flush_seen(&self) -> Result<(), BackendError> {
        let mut first = None;
        for (store, seen) in self.parts.seen.take_all() {
            let target = store.as_ref().and_then(|id| self.parts.stores.get(id)).unwrap_or(&self.parts.store);
            if let Err(error) = target.touch(&seen).await {
                self.parts.seen.put_back(store.as_ref(), seen);
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// The connection, if the identity bears its seal: an attestor of another engine or connection does not count.
    fn connection_of(&self, sign_in: &SignIn) -> Result<&Connection, JitError> {
        self.connection_of_identity(&sign_in.identity)
    }

    pub(super) fn connection_of_identity(
        &self,
        identity: &VerifiedIdentity,
    ) -> Result<&Connection, JitError> {
        let key = identity.key();
        let connection = self.connection(&key.tenant, &key.connection);
        connection
            .filter(|connection| identity.bears(&connection.seal))
            .ok_or(JitError::refused("engine.foreign_identity"))
    }

    /// A connection of this engine.
    #[must_use]
    pub fn connection(&self, tenant: &TenantId, id: &ConnectionId) -> Option<&Connection> {
        self.parts.connections.get(&(tenant.clone(), id.clone()))
    }

    pub(super) fn store_of(&self, connection: &Connection) -> &dyn Store {
        let named = connection.settings.store.as_ref().and_then(|id| self.parts.stores.get(id));
        named.unwrap_or(&self.parts.store).as_ref()
    }

    pub(super) fn store_named(&self, id: Option<&StoreId>) -> Result<&dyn Store, JitError> {
        match id {
            None => Ok(self.parts.store.as_ref()),
            Some(id) => {
                self.parts.stores.get(id).map(AsRef::as_ref).ok_or(JitError::refused("engine.unknown_store"))
            }
        }
    }

    /// Mints ids for one call: a stretch of the random sequence that this engine drew at its start.
    pub(super) fn mint(&self, now: DateTime<Utc>) -> Mint {
        const STRETCH: u128 = 1 << 20;
        let turn = u128::from(self.minted.fetch_add(1, Ordering::Relaxed));
        Mint::new(now, self.parts.seed.wrapping_add(turn.wrapping_mul(STRETCH)).to_le_bytes())
    }
}

impl fmt::Debug for Jit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jit").field("connections", &self.parts.connections.len()).finish_non_exhaustive()
    }
}
