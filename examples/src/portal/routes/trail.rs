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

    /// Adds what became of each lease, in the place of the line that names it where it was handed out. Of what never was, that
    /// line alone says who asked, and when.
    async fn add_leases(&self, events: &mut Vec<AuditEvent>) -> Result<(), Failure> {
        let named: Vec<_> = events.iter().filter_map(present::lease_asked_for).take(LEASES).collect();
        let mut told = BTreeSet::new();
        for lease in named {
            let mut of_lease = self.events(Some(lease)).await?;
            of_lease.retain(present::tells_holder);
            if of_lease.iter().any(present::tells_hand_out) {
                told.insert(lease);
            }
            events.append(&mut of_lease);
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use jit_core::{AuditOutcome, Code, Commit, MemoryStore, Mint, UserStore as _};

    use super::*;

    /// What a holder reads of a lease that they asked for, of which these steps are on record, the newest first.
    async fn told(steps: &[(&'static str, &'static str)]) -> Vec<String> {
        let (store, tenant) = (MemoryStore::new(), TenantId::new("acme").unwrap());
        let mut mint = Mint::new(DateTime::UNIX_EPOCH, [1; 16]);
        let (holder, lease) = (mint.account(), mint.account());
        let mut commit = Commit::new(tenant.clone());
        let mut add = |account, action, changes| {
            commit.events.push(AuditEvent {
                id: mint.event(),
                at: DateTime::UNIX_EPOCH,
                tenant: tenant.clone(),
                actor: Actor::Clock,
                action: Code::new(action),
                account: Some(account),
                outcome: AuditOutcome::Done,
                rule: None,
                changes,
            });
        };
        add(holder, "access.asked_for", vec!["at workshop".to_owned(), format!("lease {lease}")]);
        for (action, why) in steps {
            add(lease, action, vec!["ending jit-7 at workshop".to_owned(), (*why).to_owned()]);
        }
        store.commit(&commit).await.unwrap();
        let rows = Trail::new(&store, &tenant).rows(Some(holder)).await.unwrap();
        rows.into_iter().map(|row| row.words.split('`').next().unwrap_or_default().to_owned()).collect()
    }

    #[tokio::test]
    async fn of_what_was_never_handed_out_its_holder_reads_that_it_was_asked_for() {
        let why = "because interrupted";
        let [began, gone] = [
            "Began to end, for whoever asked for it got no answer: ",
            "Nothing is left of what was asked for: ",
        ];
        let ends = [("lease.ending", why), ("lease.removed", why)];
        assert_eq!(told(&ends).await, [gone, began, "Asked for "]);
        let lent = [&[("lease.active", "")][..], &ends].concat();
        assert_eq!(told(&lent).await, [gone, began, "Checked out "]);
    }
}
