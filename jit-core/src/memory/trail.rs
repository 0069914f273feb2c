//! The audit trail of one tenant.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
    ops::Bound,
};

use crate::{About, AccountId, AuditEvent, AuditQuery, Cursor, EventId, PAGE_ITEMS, Page};

#[derive(Default)]
pub(super) struct Trail {
    // In boxes: what comes in the order of its id leaves nodes half empty.
    events: BTreeMap<EventId, Box<AuditEvent>>,
    /// The events of each account, in order: nearly each comes after all others.
    by_account: HashMap<AccountId, Vec<EventId>>,
}

impl Trail {
    pub(super) fn contains(&self, id: EventId) -> bool {
        self.events.contains_key(&id)
    }

    pub(super) fn record(&mut self, event: &AuditEvent) {
        if let Some(account) = event.account {
            let ids = self.by_account.entry(account).or_insert_with(|| Vec::with_capacity(1));
            let place = ids.partition_point(|id| *id < event.id);
            ids.insert(place, event.id);
        }
        self.events.insert(event.id, Box::new(event.clone()));
    }

    pub(super) fn events(&self, query: &AuditQuery) -> Page<AuditEvent> {
        let after = query.after.map(|at| EventId::from_uuid(at.id()));
        let limit = query.limit.get().min(PAGE_ITEMS);
        match query.account {
            None => {
                let after = after.map_or(Bound::Unbounded, Bound::Excluded);
                let bounds =
                    if query.latest_first { (Bound::Unbounded, after) } else { (after, Bound::Unbounded) };
                let events = self.events.range(bounds).map(|(_, event)| event.as_ref());
                if query.latest_first { page_of(events.rev(), limit) } else { page_of(events, limit) }
            }
            Some(account) => {
                let ids = self.by_account.get(&account).map_or(&[][..], Vec::as_slice);
                let event = |id: &EventId| self.events.get(id).map(AsRef::as_ref);
                if query.latest_first {
                    let end = after.map_or(ids.len(), |after| ids.partition_point(|id| *id < after));
                    page_of(ids.get(..end).unwrap_or_default().iter().rev().filter_map(event), limit)
                } else {
                    let begin = after.map_or(0, |after| ids.partition_point(|id| *id <= after));
                    page_of(ids.get(begin..).unwrap_or_default().iter().filter_map(event), limit)
                }
            }
        }
    }

    pub(super) fn about(&self, after: Option<Cursor>, limit: NonZeroUsize) -> Page<About> {
        let after = after.map_or(Bound::Unbounded, |at| Bound::Excluded(EventId::from_uuid(at.id())));
        let events = self.events.range((after, Bound::Unbounded));
        let about = events.map(|(id, event)| About { event: *id, account: event.account });
        page(about, limit.get().min(PAGE_ITEMS), |about| about.event)
    }
}

fn page_of<'a>(events: impl Iterator<Item = &'a AuditEvent>, limit: usize) -> Page<AuditEvent> {
    // What is beyond the page is not copied.
    let Page { items, next } = page(events, limit, |event| event.id);
    Page { items: items.into_iter().cloned().collect(), next }
}

fn page<T>(mut all: impl Iterator<Item = T>, limit: usize, id: fn(&T) -> EventId) -> Page<T> {
    let items: Vec<T> = all.by_ref().take(limit).collect();
    let more = all.next().is_some();
    let next = items.last().filter(|_| more).map(|last| Cursor::after(id(last).as_uuid()));
    Page { items, next }
}
