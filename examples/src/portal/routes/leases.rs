use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{
    AccountId, Code, JitError, Lease, ReconcileMode, Reconciliation, StoreId, TargetId, TenantId,
};

use super::access::{lease_of, span_of};
use super::admin::administrator;
use super::check_form;
use crate::portal::comparisons::Finds;
use crate::portal::failure::{Asked, Deed, Failure};
use crate::portal::house::{House, Shelf, Visit};
use crate::portal::view::{LeaseRow, LeasesView};
use crate::portal::{pages, present};
use crate::record::Record;
use crate::web::{Form, Parameters, html, see_other};

const LEASES: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");
/// The most pages of leases that are read for one target and user store.
const PAGES: usize = 4;

/// Shows every lease of the tenant.
pub(super) async fn show(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    let view = every(&house, &visit).await?;
    Ok(html(StatusCode::OK, pages::leases(&house.frame(Some(&visit)), &view)))
}

/// Compares the targets with what is written down; the page of leases shows what is found.
pub(super) async fn compare(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    check_form(&sent, &visit.session.csrf)?;
    let (tenant, all) = (visit.session.tenant.clone(), Arc::clone(&house));
    let compare = async move |finds| compare_targets(&all, &tenant, finds).await;
    house.comparisons.run(&visit.session.tenant, compare).await;
    Ok(see_other("/leases"))
}

async fn compare_targets(house: &House, tenant: &TenantId, mut finds: Finds) {
    for target in house.targets_of(tenant) {
        let mut compared = Vec::new();
        for shelf in &house.shelves {
            let store = shelf.name.as_ref();
            compared.push(house.jit.reconcile(store, tenant, &target.id, ReconcileMode::Report).await);
        }
        keep_what_no_store_knows(&mut compared);
        finds.add(compared.iter().map(|found| present::compare_row(target, found)).collect());
    }
    finds.done();
}

/// Ends a lease of the tenant, in whichever user store it is kept.
pub(super) async fn end(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    let asked = Asked::to(Deed::EndOfOthers);
    let (store, id, lease) = chosen(&house, &visit, &sent, &asked).await?;
    let ended = house.jit.check_in(store.as_ref(), &visit.session.tenant, id, visit.actor()).await;
    ended.map_err(|error| asked.end(&lease).failed(error))?;
    Ok(see_other("/leases"))
}

/// Lets a lease of the tenant end later, in whichever user store it is kept.
pub(super) async fn extend(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    let asked = Asked::to(Deed::ExtendOfOthers);
    let (store, id, lease) = chosen(&house, &visit, &sent, &asked).await?;
    let span = span_of(&sent, &asked)?;
    let extended = house.jit.extend(store.as_ref(), &visit.session.tenant, id, span, visit.actor()).await;
    extended.map_err(|error| asked.longer(&lease, span).failed(error))?;
    Ok(see_other("/leases"))
}

/// The lease of a form that an administrator means, and the user store that keeps it.
async fn chosen(
    house: &House,
    visit: &Visit,
    sent: &Parameters,
    asked: &Asked,
) -> Result<(Option<StoreId>, AccountId, Lease), Failure> {
    check_form(sent, &visit.session.csrf)?;
    let store = sent.value("store").map(StoreId::new).transpose();
    let store = store.map_err(|_| asked.refused(Code::new("portal.form")))?;
    let (id, lease) = lease_of(house, visit, store.as_ref(), sent, asked).await?;
    Ok((store, id, lease))
}

/// What no lease of one store knows may be known to another one: suspects are those that every store calls so, and are
/// shown once. Where a store cannot be asked nobody can tell, and its own line says that it was not asked.
fn keep_what_no_store_knows(compared: &mut [Result<Reconciliation, JitError>]) {
    let Some((first, others)) = compared.split_first_mut() else { return };
    for other in others {
        let theirs = other.as_mut().map(|found| std::mem::take(&mut found.suspects)).unwrap_or_default();
        if let Ok(first) = first {
            first.suspects.retain(|suspect| theirs.contains(suspect));
        }
    }
}

async fn every(house: &House, visit: &Visit) -> Result<LeasesView, Failure> {
    let mut view = LeasesView::default();
    if let Some(last) = house.comparisons.last(&visit.session.tenant) {
        view.comparison = present::comparison(&last);
        view.is_comparing = last.ended.is_none();
        view.compared = last.found;
    }
    // Nobody ends what is lent at a target that is not configured, or not for this tenant: all the more must it be seen.
    let missing = house.jit.missing_targets_of(&visit.session.tenant).await.map_err(JitError::from)?;
    let configured = house.targets.iter().map(|target| &target.id).filter(|target| !missing.contains(target));
    let configured = configured.map(|target| (target, true));
    let targets: Vec<_> = configured.chain(missing.iter().map(|target| (target, false))).collect();
    for shelf in &house.shelves {
        for (target, is_served) in &targets {
            let (rows, has_more) = at_target(house, visit, shelf, target, &mut view.unreadable).await?;
            view.leases.extend(rows.into_iter().map(|row| LeaseRow { is_served: *is_served, ..row }));
            view.has_more |= has_more;
        }
    }
    view.leases.sort_by(|a, b| a.until_exact.cmp(&b.until_exact));
    Ok(view)
}

/// The leases at a target that a user store keeps, and whether there are more than these.
async fn at_target(
    house: &House,
    visit: &Visit,
    shelf: &Shelf,
    target: &TargetId,
    unreadable: &mut Vec<String>,
) -> Result<(Vec<LeaseRow>, bool), Failure> {
    let (store, tenant) = (shelf.name.as_ref(), &visit.session.tenant);
    let (mut rows, mut after) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = house.jit.leases(store, tenant, target, after, LEASES).await?;
        for account in &page.items {
            let Some(lease) = account.lease.as_ref() else { continue };
            let holder = Record::read(shelf.store.as_ref(), tenant, lease.holder).await?;
            let holder = present::holder(lease.holder, &holder);
            rows.extend(present::lease_row(account, holder, store, house.now()));
        }
        unreadable.extend(page.unreadable.iter().map(ToString::to_string));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok((rows, after.is_some()))
}

#[cfg(test)]
mod tests {
    use jit_core::{Marker, RemoteRef};

    use super::*;

    fn suspecting(names: &[&str]) -> Reconciliation {
        let mut found = Reconciliation::default();
        found.suspects.extend(names.iter().map(|name| RemoteRef {
            name: (*name).to_owned(),
            place: None,
            marker: Marker::found(*name),
            native: None,
            home: None,
        }));
        found
    }

    fn suspects(of: &Result<Reconciliation, JitError>) -> Vec<&str> {
        of.iter().flat_map(|found| &found.suspects).map(|remote| remote.name.as_str()).collect()
    }

    #[test]
    fn a_suspect_is_what_no_store_knows_and_is_shown_once() {
        let mut compared = [
            Ok(suspecting(&["lost", "partner's"])),
            Ok(suspecting(&["lost", "main's"])),
            Ok(suspecting(&["lost"])),
        ];
        keep_what_no_store_knows(&mut compared);
        assert_eq!(compared.each_ref().map(suspects), [vec!["lost"], vec![], vec![]]);

        let mut alone = [Ok(suspecting(&["lost"]))];
        keep_what_no_store_knows(&mut alone);
        assert_eq!(suspects(&alone[0]), ["lost"]);
    }

    #[test]
    fn nobody_can_tell_a_suspect_while_a_store_cannot_be_asked() {
        let unasked = || Err(JitError::Refused(jit_core::Code::new("engine.unknown_store")));
        let mut compared = [Ok(suspecting(&["perhaps the other's"])), unasked()];
        keep_what_no_store_knows(&mut compared);
        assert!(suspects(&compared[0]).is_empty());
    }
}
