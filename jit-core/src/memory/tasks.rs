//! The tasks of all tenants, in the order in which each lane hands them out.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    ops::Bound,
};

use chrono::{DateTime, Utc};

use crate::{Claimed, Lane, PAGE_ITEMS, Settlement, Task, TaskId, TenantId, Tenants, WorkerId};

/// Where a task stands in its lane: since when it may be claimed, then by id.
type Place = (DateTime<Utc>, TaskId, TenantId);

#[derive(Default)]
pub(super) struct Tasks {
    entries: BTreeMap<(TenantId, TaskId), Entry>,
    lanes: BTreeMap<Lane, BTreeSet<Place>>,
}

struct Entry {
    task: Task,
    /// From when the task may be claimed: when it is due, or when its claim is over.
    open_from: DateTime<Utc>,
    epoch: u64,
    claimed: bool,
}

impl Entry {
    fn place(&self) -> Place {
        (self.open_from, self.task.id, self.task.tenant.clone())
    }
}

impl Tasks {
    pub(super) fn contains(&self, tenant: &TenantId, id: TaskId) -> bool {
        self.entries.contains_key(&(tenant.clone(), id))
    }

    pub(super) fn add(&mut self, task: &Task) {
        self.insert(Entry { task: task.clone(), open_from: task.due, epoch: 0, claimed: false });
    }

    pub(super) fn withdraw(&mut self, tenant: &TenantId, id: TaskId) {
        self.remove(tenant, id);
    }

    pub(super) fn claim(
        &mut self,
        (worker, lane, tenants): (&WorkerId, &Lane, &Tenants),
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: NonZeroUsize,
    ) -> Vec<Claimed> {
        let places = self.lanes.get(lane).into_iter().flatten();
        let open = places.take_while(|(open_from, ..)| *open_from <= now);
        let theirs = open.filter(|(.., tenant)| tenants.include(tenant));
        let due: Vec<Place> = theirs.take(limit.get().min(PAGE_ITEMS)).cloned().collect();
        due.into_iter()
            .filter_map(|(_, id, tenant)| self.remove(&tenant, id))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|mut entry| {
                let attempts = u32::try_from(entry.epoch).unwrap_or(u32::MAX);
                entry.epoch = entry.epoch.saturating_add(1);
                entry.claimed = true;
                entry.open_from = until;
                let (task, epoch) = (entry.task.clone(), entry.epoch);
                self.insert(entry);
                Claimed { task, worker: worker.clone(), epoch, attempts, until }
            })
            .collect()
    }

    /// Ends a claim; `false` where it is stale.
    pub(super) fn settle(&mut self, claimed: &Claimed, outcome: Settlement) -> bool {
        let (tenant, id) = (&claimed.task.tenant, claimed.task.id);
        let entry = self.entries.get(&(tenant.clone(), id));
        if !entry.is_some_and(|entry| entry.claimed && entry.epoch == claimed.epoch) {
            return false;
        }
        if let (Some(mut entry), Settlement::Again(due)) = (self.remove(tenant, id), outcome) {
            entry.task.due = due;
            entry.open_from = due;
            entry.claimed = false;
            self.insert(entry);
        }
        true
    }

    pub(super) fn next_due(&self, lane: &Lane) -> Option<DateTime<Utc>> {
        self.lanes.get(lane)?.first().map(|(open_from, ..)| *open_from)
    }

    pub(super) fn next_lane(&self, after: Option<&Lane>) -> Option<Lane> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.lanes.range::<Lane, _>((from, Bound::Unbounded)).next().map(|(lane, _)| lane.clone())
    }

    fn insert(&mut self, entry: Entry) {
        self.lanes.entry(entry.task.lane.clone()).or_default().insert(entry.place());
        self.entries.insert((entry.task.tenant.clone(), entry.task.id), entry);
    }

    fn remove(&mut self, tenant: &TenantId, id: TaskId) -> Option<Entry> {
        let entry = self.entries.remove(&(tenant.clone(), id))?;
        if let Some(places) = self.lanes.get_mut(&entry.task.lane) {
            places.remove(&entry.place());
            if places.is_empty() {
                self.lanes.remove(&entry.task.lane);
            }
        }
        Some(entry)
    }
}
