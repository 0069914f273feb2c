//! The guard against stopping too many at once: a mistake here must not empty a target.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};

use super::super::counters::begin_counter;
use crate::{
    Actor, AuditEvent, AuditOutcome, BackendError, Code, Commit, CounterChange, CounterName, Filter, Jit,
    JitError, LookupKey, MirrorState, Query, StopLimit, Store, StoreId, TargetId, TargetSetup, TenantId,
    Wanted,
};

/// The accounts read at once while counting.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);

impl Jit {
    /// Lets more accounts be stopped in a target within the span that runs now and the next one, after somebody has looked at
    /// why so many are to be. Those that wait are stopped when their tasks come again.
    ///
    /// # Errors
    /// `mirror.unknown_target`, `engine.unknown_store`; [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// They were allowed or not; looking at the audit trail tells.
    pub async fn allow_stops(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        target: &TargetId,
        count: u32,
        by: &str,
    ) -> Result<(), JitError> {
        let (store, setup) = (self.store_named(store)?, self.mirror_setup(tenant, target)?);
        let Some(limit) = setup.mirrored_for(tenant).and_then(|mirroring| mirroring.stops) else {
            return Ok(());
        };
        let now = self.parts.clock.now();
        let name = CounterName::stops_allowed(&setup.id, span_of(limit, now));
        let mut mint = self.mint(now);
        let mut commit = Commit::new(tenant.clone());
        commit.counters.push(CounterChange { name, by: i64::from(count), at_least: None, at_most: None });
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: tenant.clone(),
            actor: Actor::Administrator { name: by.to_owned() },
            action: Code::new("mirror.stops_allowed"),
            account: None,
            outcome: AuditOutcome::Done,
            rule: None,
            changes: vec![format!("{count} at {target}")],
        });
        Ok(store.commit(&commit).await?)
    }

    /// The changes that count one more stop, one of which must be made: out of what the span has, or of what somebody allowed
    /// in it or in the one before. `None` where nothing bounds them.
    pub(super) async fn count_stop(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        setup: &TargetSetup,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<CounterChange>>, BackendError> {
        let Some(limit) = setup.mirrored_for(tenant).and_then(|mirroring| mirroring.stops) else {
            return Ok(vec![None]);
        };
        let (name, span) = (self.begin_span(store, tenant, setup, limit, now).await?, span_of(limit, now));
        // What was allowed before passes first: whoever waits is looked at in the next span, if this one is almost over.
        let allowed = [span.saturating_sub(1), span].map(|span| CounterName::stops_allowed(&setup.id, span));
        let names = [name].into_iter().chain(allowed);
        Ok(names.map(|name| Some(CounterChange { name, by: -1, at_least: Some(0), at_most: None })).collect())
    }

    /// Begins a span with what may be stopped in it, once for all nodes.
    async fn begin_span(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        setup: &TargetSetup,
        limit: StopLimit,
        now: DateTime<Utc>,
    ) -> Result<CounterName, BackendError> {
        let name = CounterName::stops(&setup.id, span_of(limit, now));
        begin_counter(store, tenant, &name, || async {
            Ok(i64::from(limit.of(count_mirrored(store, tenant, &setup.id).await?)))
        })
        .await?;
        Ok(name)
    }
}

/// Whether what is to come takes nobody out, or is counted already. A removal counts by itself: whoever is out of use comes
/// back as they were, and whoever is removed does not.
pub(super) fn is_counted(state: &MirrorState, next: &Wanted) -> bool {
    let is_out = state.is_out_of_use() && *next != Wanted::Gone;
    !next.stops() || is_out || *state == MirrorState::Stopping
}

/// The number of the span that an instant lies in.
fn span_of(limit: StopLimit, now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(limit.within.num_seconds().max(1))
}

async fn count_mirrored(
    store: &dyn Store,
    tenant: &TenantId,
    target: &TargetId,
) -> Result<usize, BackendError> {
    let filter = Filter::Bearing(LookupKey::mirrored_at(target));
    let mut query = Query { tenant: tenant.clone(), filter, after: None, limit: PAGE };
    let mut count = 0;
    loop {
        let page = store.list(&query).await?;
        count += page.items.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(count),
        }
    }
}
