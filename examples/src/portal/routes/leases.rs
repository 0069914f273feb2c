use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::ReconcileMode;

use super::admin::administrator;
use crate::portal::failure::Failure;
use crate::portal::house::{House, Shelf, Visit};
use crate::portal::view::{LeaseRow, LeasesView};
use crate::portal::{pages, present};
use crate::targets::Opened;
use crate::web::{Form, html, is_same, see_other};

const LEASES: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");

/// Shows every lease of the tenant.
pub(super) async fn show(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    let view = LeasesView { leases: every(&house, &visit).await?, ..LeasesView::default() };
    Ok(html(StatusCode::OK, pages::leases(&house.frame(Some(&visit)), &view)))
}

/// Compares the targets with what is written down, and reports.
pub(super) async fn compare(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    if !is_same(sent.value("csrf").unwrap_or_default(), &visit.session.csrf) {
        return Err(Failure::Forged);
    }
    let mut view = LeasesView { leases: every(&house, &visit).await?, ..LeasesView::default() };
    for target in &house.targets {
        for shelf in &house.shelves {
            let (store, tenant) = (shelf.name.as_ref(), &visit.session.tenant);
            let mut found = house.jit.reconcile(store, tenant, &target.id, ReconcileMode::Report).await;
            // What no lease of this store knows may be known to another one.
            if let (Ok(found), true) = (&mut found, house.shelves.len() > 1) {
                found.suspects.clear();
            }
            view.compared.push(present::compare_row(target, &found));
        }
    }
    Ok(html(StatusCode::OK, pages::leases(&house.frame(Some(&visit)), &view)))
}

async fn every(house: &House, visit: &Visit) -> Result<Vec<LeaseRow>, Failure> {
    let mut rows = Vec::new();
    for shelf in &house.shelves {
        for target in &house.targets {
            rows.extend(at_target(house, visit, shelf, target).await?);
        }
    }
    rows.sort_by(|a: &LeaseRow, b| a.until_exact.cmp(&b.until_exact));
    Ok(rows)
}

async fn at_target(
    house: &House,
    visit: &Visit,
    shelf: &Shelf,
    target: &Opened,
) -> Result<Vec<LeaseRow>, Failure> {
    let tenant = &visit.session.tenant;
    let page = house.jit.leases(shelf.name.as_ref(), tenant, &target.id, None, LEASES).await?;
    let mut rows = Vec::new();
    for account in &page.items {
        let Some(lease) = account.lease.as_ref() else { continue };
        let holder = shelf.store.get(tenant, lease.holder).await?;
        let holder = holder.map_or_else(|| lease.holder.to_string(), |holder| present::display_name(&holder));
        rows.extend(present::lease_row(account, holder, shelf.name.as_ref(), house.now()));
    }
    Ok(rows)
}
