//! The audit trail of one tenant.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::{AccountId, AuditEvent, AuditQuery, Cursor, EventId, PAGE_ITEMS, Page};

#[derive(Default)]
pub(super) struct Trail {
    events: BTreeMap<EventId, AuditEvent>,
    by_account: BTreeMap<AccountId, BTreeSet<EventId>>,
}

impl Trail {
    pub(super) fn contains(&self, id: EventId) -> bool {
        self.events.contains_key(&id)
    }

    pub(super) fn record(&mut self, event: &AuditEvent) {
        if let Some(account) = event.account {
            self.by_account.entry(account).or_default().insert(event.id);
        }
        self.events.insert(event.id, event.clone());
    }

    pub(super) fn events(&self, query: &AuditQuery) -> Page<AuditEvent> {
        let after = query.after.map_or(Bound::Unbounded, |at| Bound::Excluded(EventId::from_uuid(at.id())));
        let bounds = if query.latest_first { (Bound::Unbounded, after) } else { (after, Bound::Unbounded) };
        let limit = query.limit.get().min(PAGE_ITEMS);
        match query.account {
            None => {
                let events = self.events.range(bounds).map(|(_, event)| event);
                if query.latest_first { page(events.rev(), limit) } else { page(events, limit) }
            }
            Some(account) => {
                let ids = self.by_account.get(&account).map(|ids| ids.range(bounds));
                let events = ids.into_iter().flatten().filter_map(|id| self.events.get(id));
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
