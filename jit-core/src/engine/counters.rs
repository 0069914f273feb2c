//! Counters that begin before or after the accounts they count.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Jit;
use crate::{BackendError, Commit, CounterChange, CounterName, ErrorKind, Filter, Query, Store, TenantId};

/// Remembers which tenants of which stores are known to be counted.
#[derive(Default)]
pub(super) struct Counted {
    known: Mutex<HashSet<(usize, TenantId)>>,
}

impl Counted {
    fn knows(&self, key: &(usize, TenantId)) -> bool {
        self.lock().contains(key)
    }

    fn note(&self, key: (usize, TenantId)) {
        self.lock().insert(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<(usize, TenantId)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The accounts read at once while counting.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);

impl Jit {
    /// Commits. Before the first counter of a tenant moves, whoever is there already is counted, once for all nodes.
    pub(super) async fn commit(&self, store: &dyn Store, commit: &Commit) -> Result<(), BackendError> {
        if !commit.counters.is_empty() {
            let key = (std::ptr::from_ref(store).cast::<()>().addr(), commit.tenant.clone());
            if !self.parts.counted.knows(&key) {
                // It takes much room, and happens once.
                Box::pin(self.count_all(store, &commit.tenant)).await?;
                self.parts.counted.note(key);
            }
        }
        store.commit(commit).await
    }

    async fn count_all(&self, store: &dyn Store, tenant: &TenantId) -> Result<(), BackendError> {
        for name in self.parts.protection.counter_names() {
            begin_counter(store, tenant, &name, || self.count(store, tenant, &name)).await?;
        }
        Ok(())
    }

    async fn count(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        name: &CounterName,
    ) -> Result<i64, BackendError> {
        let protection = &self.parts.protection;
        let filter = protection
            .last_held(name)
            .map_or(Filter::All, |entitlement| Filter::Holding(entitlement.clone()));
        let mut query = Query { tenant: tenant.clone(), filter, after: None, limit: PAGE };
        let mut sum = 0;
        loop {
            let page = store.list(&query).await?;
            sum += page.items.iter().map(|account| protection.count_of(name, account)).sum::<i64>();
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(sum),
            }
        }
    }
}

/// Begins a counter with what is counted now, once for all nodes: a mark, which is a counter of its own, moves in the same
/// commit. Where another node was faster, its count stands.
pub(super) async fn begin_counter<C>(
    store: &dyn Store,
    tenant: &TenantId,
    name: &CounterName,
    count: impl FnOnce() -> C + Send,
) -> Result<(), BackendError>
where
    C: Future<Output = Result<i64, BackendError>> + Send,
{
    let mark = CounterName::counted(name);
    let has_begun = CounterChange { name: mark.clone(), by: 0, at_least: Some(1), at_most: None };
    if move_counters(store, tenant, vec![has_begun]).await? {
        return Ok(());
    }
    let counted = CounterChange { name: name.clone(), by: count().await?, at_least: None, at_most: None };
    let marks = CounterChange { name: mark, by: 1, at_least: None, at_most: Some(1) };
    move_counters(store, tenant, vec![counted, marks]).await?;
    Ok(())
}

/// Moves counters alone; `false` where a bound stands in the way.
async fn move_counters(
    store: &dyn Store,
    tenant: &TenantId,
    counters: Vec<CounterChange>,
) -> Result<bool, BackendError> {
    match store.commit(&Commit { counters, ..Commit::new(tenant.clone()) }).await {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::LimitReached(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
