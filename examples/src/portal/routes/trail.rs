//! The audit trail, as the pages show it.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{Account, AccountId, Actor, AuditEvent, AuditQuery, Store, TenantId};

use crate::portal::failure::Failure;
use crate::portal::house::House;
use crate::portal::present::Reader;
use crate::portal::view::{AuditRow, AuditView};
use crate::portal::{pages, present};
use crate::record::Record;
use crate::web::{html, see_other};

const EVENTS: NonZeroUsize = NonZeroUsize::new(200).expect("not zero");
/// Of how many of their leases somebody is told all, the latest first; of older ones they read what they asked for.
const LEASES: usize = 50;

/// Shows the audit trail: to administrators that of the tenant, to everybody else that of their own account and of what was
/// lent to them.
pub(super) async fn show(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = house.visit(&headers).await? else { return Ok(see_other("/")) };
    let mut view = AuditView { is_own: !visit.is_admin, ..AuditView::default() };
    for shelf in &house.shelves {
        let trail = Trail::new(shelf.store.as_ref(), &visit.session.tenant);
        if visit.is_admin {
            view.rows.extend(trail.rows(None).await?);
        } else if shelf.name == visit.session.store {
            view.rows.extend(trail.rows(Some(visit.account.id)).await?);
        }
    }
    view.rows.sort_by(|a, b| b.at_exact.cmp(&a.at_exact));
    Ok(html(StatusCode::OK, pages::audit(&house.frame(Some(&visit)), &view)))
}

/// The trail of one tenant in one store, and the names of those who stand in it.
struct Trail<'a> {
    store: &'a dyn Store,
    tenant: &'a TenantId,
    names: HashMap<AccountId, String>,
}

impl<'a> Trail<'a> {
    fn new(store: &'a dyn Store, tenant: &'a TenantId) -> Self {
        Self { store, tenant, names: HashMap::new() }
    }

    /// What it says of everybody, or of one person and what was lent to them.
    async fn rows(mut self, person: Option<AccountId>) -> Result<Vec<AuditRow>, Failure> {
        let mut events = self.events(person).await?;
        if person.is_some() {
            self.add_leases(&mut events).await?;
        }
        let reader = if person.is_some() { Reader::Person } else { Reader::Administrator };
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            let account = match event.account {
                None => String::new(),
                Some(id) => self.name(id).await?,
            };
            let by = match &event.actor {
                Actor::Account { id } if person == Some(*id) => Some("you".to_owned()),
                Actor::Account { id } => Some(self.name(*id).await?),
                _ => None,
            };
            rows.push(present::audit_row(&event, reader, account, by));
        }
        Ok(rows)
    }

    /// Puts what became of each lease in the place of the line that names it.
    async fn add_leases(&self, events: &mut Vec<AuditEvent>) -> Result<(), Failure> {
        let named: Vec<_> = events.iter().filter_map(present::lease_asked_for).take(LEASES).collect();
        let mut told = BTreeSet::new();
        for lease in named {
            let mut of_lease = self.events(Some(lease)).await?;
            of_lease.retain(present::tells_holder);
            if !of_lease.is_empty() {
                told.insert(lease);
                events.append(&mut of_lease);
            }
        }
        events.retain(|event| present::lease_asked_for(event).is_none_or(|lease| !told.contains(&lease)));
        events.sort_by_key(|event| std::cmp::Reverse(event.id));
        events.truncate(EVENTS.get());
        Ok(())
    }

    /// The latest events, the newest first.
    async fn events(&self, account: Option<AccountId>) -> Result<Vec<AuditEvent>, Failure> {
        let tenant = self.tenant.clone();
        let query = AuditQuery { tenant, account, after: None, latest_first: true, limit: EVENTS };
        Ok(self.store.events(&query).await?.items)
    }

    async fn name(&mut self, id: AccountId) -> Result<String, Failure> {
        if let Some(name) = self.names.get(&id) {
            return Ok(name.clone());
        }
        // a record that cannot be read has its id, and takes no page away
        let account = Record::read(self.store, self.tenant, id).await?.account();
        let user_name = |account: &Account| account.user_name.as_ref().map(ToString::to_string);
        let name = account.and_then(|account| user_name(&account).or_else(|| present::lent_name(&account)));
        let name = name.unwrap_or_else(|| id.to_string());
        self.names.insert(id, name.clone());
        Ok(name)
    }
}
