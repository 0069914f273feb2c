use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jit_core::{
    Account, AccountId, BackendError, CheckOut, Filter, LookupKey, Query as Accounts, RuleName, Span, Store,
    StoreId, TargetId, TenantId,
};

use crate::portal::failure::Failure;
use crate::portal::house::{House, Visit};
use crate::portal::view::{AccessView, OfferRow};
use crate::portal::{pages, present};
use crate::targets::{Opened, RoleOffer};
use crate::web::{Form, Parameters, html, is_same, random_token, see_other};

const LEASES: NonZeroUsize = NonZeroUsize::new(200).expect("not zero");
/// How many times as many are shown: somebody may hold as many as the configuration lets them.
const PAGES: usize = 5;
const COUNTDOWN: &str = include_str!("../countdown.js");

/// Shows what the visitor may check out, and what is lent to them.
pub(super) async fn show(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = house.visit(&headers).await? else { return Ok(see_other("/")) };
    let name = present::display_name(&visit.account);
    let (leases, has_more) = held(&house, &visit).await?;
    let row = |account: &Account| present::lease_row(account, name.clone(), None, house.now());
    let view = AccessView {
        offers: offers(&house, &visit),
        leases: leases.iter().filter_map(row).collect(),
        has_more,
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

/// The accounts that keep what is lent to the visitor, the latest first, and whether there are more.
async fn held(house: &House, visit: &Visit) -> Result<(Vec<Account>, bool), Failure> {
    let Some(store) = house.store(visit.session.store.as_ref()) else { return Ok((Vec::new(), false)) };
    Ok(held_by(store, &visit.session.tenant, visit.account.id).await?)
}

async fn held_by(
    store: &dyn Store,
    tenant: &TenantId,
    holder: AccountId,
) -> Result<(Vec<Account>, bool), BackendError> {
    let filter = Filter::Bearing(LookupKey::leased_for(holder));
    let mut query = Accounts { tenant: tenant.clone(), filter, after: None, limit: LEASES };
    let mut found = Vec::new();
    for _ in 0..PAGES {
        let page = store.list(&query).await?;
        let is_live = |account: &Account| account.lease.as_ref().is_some_and(|lease| lease.is_live());
        found.extend(page.items.into_iter().filter(is_live));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    found.sort_by_key(|account| std::cmp::Reverse(account.created_at));
    Ok((found, query.after.is_some()))
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use jit_core::*;

    use super::*;

    #[tokio::test]
    async fn whoever_holds_many_leases_is_shown_all_of_them() {
        let (store, tenant) = (Arc::new(MemoryStore::new()), TenantId::new("acme").unwrap());
        let now = SystemClock.now();
        let mut mint = Mint::new(now, [9; 16]);
        let mut account = Account::begin(mint.account(), tenant.clone(), AccountState::Active, now);
        let (operator, by) = (Entitlement::role("operator").unwrap(), Provenance::of(Source::Administrator));
        account.grants.push(Grant::new(mint.grant(), operator.clone(), by, now));
        let holder = account.id;
        let commit = Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant.clone()) };
        store.commit(&commit).await.unwrap();
        let (target, name) = (TargetId::new("directory").unwrap(), RuleName::new("admin").unwrap());
        let role = TargetRole::new(chrono::TimeDelta::hours(1), vec![operator]).per_holder(NonZeroU32::MAX);
        let markers = MarkerKey::new("test", &[5; 32]).unwrap();
        let setup = TargetSetup::new(target.clone(), Arc::new(MemoryTarget::new()), markers);
        let setup = setup.for_tenants([tenant.clone()]).role(name.clone(), role);
        let builder = Jit::builder(store.clone()).leases_per_holder(NonZeroU32::MAX).target(setup);
        let jit = builder.build().unwrap();
        let request = CheckOut {
            tenant: tenant.clone(),
            store: None,
            holder,
            by: Actor::Account { id: holder },
            target,
            role: name,
            span: chrono::TimeDelta::minutes(30),
            key: None,
            purpose: None,
        };
        for _ in 0..250 {
            jit.check_out(&request).await.unwrap();
        }
        let (shown, has_more) = held_by(&*store, &tenant, holder).await.unwrap();
        assert_eq!((shown.len(), has_more), (250, false));
    }
}
