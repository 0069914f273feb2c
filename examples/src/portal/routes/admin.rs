use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{
    Account, AccountId, AdminAct, AdminRequest, AuditQuery, Cursor, Filter, Query as Accounts, Store,
    StoreId, TenantId, UserName, WaitingLeave,
};

use super::check_form;
use super::place::Place;
use crate::portal::failure::Failure;
use crate::portal::house::{House, Shelf, Visit};
use crate::portal::view::{AccountRow, AdminView};
use crate::portal::{pages, present};
use crate::web::{Form, Parameters, Query, html, see_other};

/// The most accounts on a page, and the most of those who wait.
const ACCOUNTS: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");
/// How often a store is read for a page at most: what is lent stands between the accounts of people, and is not shown.
const READS: usize = 8;
const EVENTS: NonZeroUsize = NonZeroUsize::new(10).expect("not zero");

/// Shows who waits for approval, whose leave waits, and accounts: a page of all, or whoever is looked for.
pub(super) async fn show(
    State(house): State<Arc<House>>,
    Query(sent): Query,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    let place = Place::read(&sent).ok_or(Failure::NotFound)?;
    let tenant = &visit.session.tenant;
    let mut view = AdminView {
        place: place.query(),
        sought: place.sought().to_owned(),
        is_later: !place.is_first(),
        ..AdminView::default()
    };
    if place.is_first() {
        add_waiting(&house, tenant, &mut view).await?;
    }
    match &place {
        Place::Named(name) => view.accounts = named(&house, tenant, name).await?,
        Place::Behind { store, after } => {
            let (accounts, next) = page(&house, tenant, store.as_ref(), *after).await?;
            view.accounts = accounts;
            view.next = next.map(|next| next.query());
        }
    }
    Ok(html(StatusCode::OK, pages::admin(&house.frame(Some(&visit)), &view)))
}

/// Adds who waits for an administrator, as far as a page goes.
async fn add_waiting(house: &House, tenant: &TenantId, view: &mut AdminView) -> Result<(), Failure> {
    for shelf in &house.shelves {
        let store = shelf.name.as_ref();
        let leaving = house.jit.parked_leaves(store, tenant, None, None, ACCOUNTS).await?;
        let row = |account: &Account| present::leaver_row(account, store, house.now());
        view.leaving.extend(leaving.items.iter().map(row));
        view.more_leaving |= leaving.next.is_some();
        let waiting = shelf.store.list(&query(tenant, Filter::State("pending"), None, ACCOUNTS)).await?;
        for account in &waiting.items {
            let rule = held_by(shelf.store.as_ref(), tenant, account).await?;
            view.waiting.push(present::approval_row(account, store, rule));
        }
        view.more_waiting |= waiting.next.is_some();
    }
    Ok(())
}

/// Lists accounts of people and workloads from a place on, one store behind the other, and tells where the list goes on.
async fn page(
    house: &House,
    tenant: &TenantId,
    store: Option<&StoreId>,
    after: Option<AccountId>,
) -> Result<(Vec<AccountRow>, Option<Place>), Failure> {
    let begin = house.shelves.iter().position(|shelf| shelf.name.as_ref() == store);
    let (begin, mut after) = (begin.ok_or(Failure::NotFound)?, after);
    let (mut rows, mut reads) = (Vec::new(), 0);
    for shelf in house.shelves.iter().skip(begin) {
        loop {
            let room = NonZeroUsize::new(ACCOUNTS.get().saturating_sub(rows.len()));
            let Some(limit) = room.filter(|_| reads < READS) else {
                return Ok((rows, Some(Place::Behind { store: shelf.name.clone(), after })));
            };
            reads += 1;
            let cursor = after.map(|id| Cursor::after(id.as_uuid()));
            let found = shelf.store.list(&query(tenant, Filter::All, cursor, limit)).await?;
            let people = found.items.iter().filter(|account| !account.is_remote());
            rows.extend(people.map(|account| row(house, shelf, account)));
            after = found.next.map(|next| AccountId::from_uuid(next.id()));
            if after.is_none() {
                break;
            }
        }
    }
    Ok((rows, None))
}

/// Finds whoever has a user name or an id, in each store.
async fn named(house: &House, tenant: &TenantId, text: &str) -> Result<Vec<AccountRow>, Failure> {
    let mut rows = Vec::new();
    for shelf in &house.shelves {
        let mut found = None;
        if let Ok(name) = UserName::new(text) {
            found = shelf.store.named(tenant, name.key()).await?;
        }
        if let (None, Ok(id)) = (&found, text.parse()) {
            found = shelf.store.get(tenant, id).await?;
        }
        rows.extend(found.iter().map(|account| row(house, shelf, account)));
    }
    Ok(rows)
}

fn row(house: &House, shelf: &Shelf, account: &Account) -> AccountRow {
    present::account_row(account, shelf.name.as_ref(), house.now())
}

fn query(tenant: &TenantId, filter: Filter, after: Option<Cursor>, limit: NonZeroUsize) -> Accounts {
    Accounts { tenant: tenant.clone(), filter, after, limit }
}

/// Does what an administrator decided about an account of their own tenant, and leads back to where they were.
pub(super) async fn decide(
    State(house): State<Arc<House>>,
    Query(shown): Query,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    let place = Place::read(&shown).ok_or(Failure::NotFound)?;
    check_form(&sent, &visit.session.csrf)?;
    let request = request(&visit, &sent).filter(|request| house.store(request.store.as_ref()).is_some());
    let request = request.ok_or_else(Failure::unreadable_act)?;
    match house.jit.administer(&request).await? {
        Ok(_) => Ok(see_other(&format!("/admin{}", place.query()))),
        Err(denial) => Err(Failure::denied_act(denial.code, &request.act, &whom(&house, &request).await?)),
    }
}

/// Whom an act is about, as the pages call them.
async fn whom(house: &House, request: &AdminRequest) -> Result<String, Failure> {
    let Some(store) = house.store(request.store.as_ref()) else { return Ok(request.account.to_string()) };
    let account = store.get(&request.tenant, request.account).await?;
    Ok(account.map_or_else(|| request.account.to_string(), |account| present::display_name(&account)))
}

pub(super) async fn administrator(house: &House, headers: &HeaderMap) -> Result<Option<Visit>, Failure> {
    match house.visit(headers).await? {
        Some(visit) if !visit.is_admin => Err(Failure::Forbidden),
        visit => Ok(visit),
    }
}

fn request(visit: &Visit, sent: &Parameters) -> Option<AdminRequest> {
    let act = match sent.value("act")? {
        "approve" => AdminAct::Approve,
        "refuse" => AdminAct::Refuse,
        "suspend" => AdminAct::Suspend,
        "reactivate" => AdminAct::Reactivate,
        "release" => AdminAct::Release,
        "confirm_leave" => AdminAct::ConfirmLeave(seen(sent)?),
        "dismiss_leave" => AdminAct::DismissLeave(seen(sent)?),
        _ => return None,
    };
    let account: AccountId = sent.value("account")?.parse().ok()?;
    let store = match sent.value("store") {
        Some(name) => Some(StoreId::new(name).ok()?),
        None => None,
    };
    let by =
        visit.account.user_name.as_ref().map_or_else(|| visit.account.id.to_string(), ToString::to_string);
    Some(AdminRequest { tenant: visit.session.tenant.clone(), store, account, act, by })
}

/// Reads which leaves the page had shown.
fn seen(sent: &Parameters) -> Option<Vec<WaitingLeave>> {
    serde_json::from_str(sent.value("seen")?).ok()
}

/// Finds the rule that asked for approval: it stands in the audit trail.
async fn held_by(store: &dyn Store, tenant: &TenantId, account: &Account) -> Result<String, Failure> {
    let query = AuditQuery {
        tenant: tenant.clone(),
        account: Some(account.id),
        after: None,
        latest_first: true,
        limit: EVENTS,
    };
    let events = store.events(&query).await?.items;
    let rule = events.into_iter().find_map(|event| event.rule);
    Ok(rule.map(|rule| rule.to_string()).unwrap_or_default())
}
