use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jit_core::{
    Account, AccountId, CheckOut, Filter, LookupKey, Query as Accounts, RuleName, Span, StoreId, TargetId,
};

use crate::portal::failure::Failure;
use crate::portal::house::{House, Visit};
use crate::portal::view::{AccessView, OfferRow};
use crate::portal::{pages, present};
use crate::targets::{Opened, RoleOffer};
use crate::web::{Form, Parameters, html, is_same, random_token, see_other};

const LEASES: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");
const COUNTDOWN: &str = include_str!("../countdown.js");

/// Shows what the visitor may check out, and what is lent to them.
pub(super) async fn show(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = house.visit(&headers).await? else { return Ok(see_other("/")) };
    let name = present::display_name(&visit.account);
    let leases = held(&house, &visit).await?;
    let row = |account: &Account| {
        let is_over = account.lease.as_ref().is_some_and(|lease| !lease.is_live());
        if is_over { None } else { present::lease_row(account, name.clone(), None, house.now()) }
    };
    let view = AccessView {
        offers: offers(&house, &visit),
        leases: leases.iter().filter_map(row).collect(),
        key: random_token()?,
    };
    Ok(html(StatusCode::OK, pages::access(&house.frame(Some(&visit)), &view)))
}

/// Lends an account, and shows its secret; or lends what a role holds to an account of the visitor. It is the answer itself:
/// a page that is loaded anew asks for the same lease again, and gets a new secret.
pub(super) async fn out(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = whoever_means_it(&house, &headers, &sent).await? else { return Ok(see_other("/")) };
    let request = request(&visit, &sent).ok_or(Failure::NotFound)?;
    let target = request.target.to_string();
    let view = if let Some(role) = house.role(&request).filter(|role| role.elevates.is_some()) {
        let lent = house.jit.elevate(&request, None).await?;
        present::elevated_view(target, role, &lent, house.now())
    } else {
        let lent = house.jit.check_out(&request).await?;
        present::granted_view(target, &lent, house.now())
    };
    Ok(html(StatusCode::OK, pages::granted(&house.frame(Some(&visit)), &view)))
}

/// Ends a lease of the visitor.
pub(super) async fn check_in(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = whoever_means_it(&house, &headers, &sent).await? else { return Ok(see_other("/")) };
    let lease = own_lease(&house, &visit, &sent).await?;
    let (store, tenant) = (visit.session.store.as_ref(), &visit.session.tenant);
    house.jit.check_in(store, tenant, lease.id, visit.actor()).await?;
    Ok(see_other("/access"))
}

/// Lets a lease of the visitor end later.
pub(super) async fn extend(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = whoever_means_it(&house, &headers, &sent).await? else { return Ok(see_other("/")) };
    let span: Span = sent.value("span").and_then(|text| text.parse().ok()).ok_or(Failure::NotFound)?;
    let lease = own_lease(&house, &visit, &sent).await?;
    let (store, tenant) = (visit.session.store.as_ref(), &visit.session.tenant);
    house.jit.extend(store, tenant, lease.id, span.delta(), visit.actor()).await?;
    Ok(see_other("/access"))
}

/// Answers with the script that counts down.
pub(super) async fn countdown() -> Response {
    let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, COUNTDOWN).into_response()
}

async fn whoever_means_it(
    house: &House,
    headers: &HeaderMap,
    sent: &Parameters,
) -> Result<Option<Visit>, Failure> {
    let Some(visit) = house.visit(headers).await? else { return Ok(None) };
    if !is_same(sent.value("csrf").unwrap_or_default(), &visit.session.csrf) {
        return Err(Failure::Forged);
    }
    Ok(Some(visit))
}

fn offers(house: &House, visit: &Visit) -> Vec<OfferRow> {
    let now = house.now();
    let all = house.targets.iter().flat_map(|target| target.roles.iter().map(move |role| (target, role)));
    let admitted = all.filter(|(_, role)| role.holders.iter().any(|held| visit.account.holds(held, now)));
    let offer = |(target, role): (&Opened, &RoleOffer)| {
        // What somebody types is no proof of whose account it is: an attribute has to name it.
        let account = match &role.elevates {
            Some(whose) => Some(whose.name(&visit.account, None)?),
            None => None,
        };
        Some(present::offer_row(target, role, account, house.demo))
    };
    admitted.filter_map(offer).collect()
}

fn request(visit: &Visit, sent: &Parameters) -> Option<CheckOut> {
    let span: Span = sent.value("span")?.parse().ok()?;
    Some(CheckOut {
        tenant: visit.session.tenant.clone(),
        store: visit.session.store.clone(),
        holder: visit.account.id,
        by: visit.actor(),
        target: TargetId::new(sent.value("target")?).ok()?,
        role: RuleName::new(sent.value("role")?).ok()?,
        span: span.delta(),
        key: sent.value("key").map(str::to_owned),
        purpose: sent.value("reason").map(str::to_owned),
    })
}

/// The accounts that keep the leases of the visitor, the latest first.
async fn held(house: &House, visit: &Visit) -> Result<Vec<Account>, Failure> {
    let Some(store) = house.store(visit.session.store.as_ref()) else { return Ok(Vec::new()) };
    let filter = Filter::Bearing(LookupKey::leased_for(visit.account.id));
    let query = Accounts { tenant: visit.session.tenant.clone(), filter, after: None, limit: LEASES };
    let mut found = store.list(&query).await?.items;
    found.sort_by_key(|account| std::cmp::Reverse(account.created_at));
    Ok(found)
}

/// The account that keeps the lease of a form. Those of others are not there, for administrators either: they have a page
/// of their own.
async fn own_lease(house: &House, visit: &Visit, sent: &Parameters) -> Result<Account, Failure> {
    let account = lease_of(house, visit, visit.session.store.as_ref(), sent).await?;
    let is_own = account.lease.as_ref().is_some_and(|lease| lease.holder == visit.account.id);
    if is_own { Ok(account) } else { Err(Failure::NotFound) }
}

/// The account that keeps the lease of a form, whoever holds it.
pub(super) async fn lease_of(
    house: &House,
    visit: &Visit,
    store: Option<&StoreId>,
    sent: &Parameters,
) -> Result<Account, Failure> {
    let id: Option<AccountId> = sent.value("lease").and_then(|text| text.parse().ok());
    let (Some(id), Some(store)) = (id, house.store(store)) else { return Err(Failure::NotFound) };
    let account = store.get(&visit.session.tenant, id).await?;
    account.filter(|account| account.lease.is_some()).ok_or(Failure::NotFound)
}
