//! The audit trail of one tenant.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::{AccountId, AuditEvent, AuditQuery, Cursor, EventId, PAGE_ITEMS, Page};

#[derive(Default)]
pub(super) struct Trail {
    // In boxes: what comes in the order of its id leaves nodes half empty.
    events: BTreeMap<EventId, Box<AuditEvent>>,
    by_account: BTreeSet<(AccountId, EventId)>,
}

impl Trail {
    pub(super) fn contains(&self, id: EventId) -> bool {
        self.events.contains_key(&id)
    }

    pub(super) fn record(&mut self, event: &AuditEvent) {
        if let Some(account) = event.account {
            self.by_account.insert((account, event.id));
        }
        self.events.insert(event.id, Box::new(event.clone()));
    }

    pub(super) fn events(&self, query: &AuditQuery) -> Page<AuditEvent> {
        let after = query.after.map_or(Bound::Unbounded, |at| Bound::Excluded(EventId::from_uuid(at.id())));
        let bounds = if query.latest_first { (Bound::Unbounded, after) } else { (after, Bound::Unbounded) };
        let limit = query.limit.get().min(PAGE_ITEMS);
        match query.account {
            None => {
                let events = self.events.range(bounds).map(|(_, event)| event.as_ref());
                if query.latest_first { page(events.rev(), limit) } else { page(events, limit) }
            }
            Some(account) => {
                let least = Bound::Included((account, EventId::from_uuid(uuid::Uuid::nil())));
                let most = Bound::Included((account, EventId::from_uuid(uuid::Uuid::max())));
                let place = |bound: Bound<EventId>, open| match bound {
                    Bound::Unbounded => open,
                    bound => bound.map(|id| (account, id)),
                };
                let pairs = self.by_account.range((place(bounds.0, least), place(bounds.1, most)));
                let events = pairs.filter_map(|(_, id)| self.events.get(id).map(AsRef::as_ref));
                if query.latest_first { page(events.rev(), limit) } else { page(events, limit) }
            }
        }
    }
}

fn page<'a>(mut events: impl Iterator<Item = &'a AuditEvent>, limit: usize) -> Page<AuditEvent> {
    let items: Vec<AuditEvent> = events.by_ref().take(limit).cloned().collect();
    let more = events.next().is_some();
    let next = items.last().filter(|_| more).map(|last| Cursor::after(last.id.as_uuid()));
    Page { items, next }
}
