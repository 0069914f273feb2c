use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    Account, AccountId, CheckOut, Code, Jit, JitError, Lease, RuleName, Span, StoreId, TargetId, TenantId,
};

use super::check_form;
use crate::portal::failure::{Asked, Deed, Failure};
use crate::portal::house::{House, Visit};
use crate::portal::view::{AccessView, GrantedView, OfferRow};
use crate::portal::{pages, present};
use crate::targets::{Opened, RoleOffer, open_to};
use crate::web::{Form, Parameters, html, random_token, see_other};

const LEASES: NonZeroUsize = NonZeroUsize::new(200).expect("not zero");
/// How many times as many are shown: somebody may hold as many as the configuration lets them.
const PAGES: usize = 5;
const UNKNOWN: Code = Code::new("lease.unknown");
const COUNTDOWN: &str = include_str!("../countdown.js");

/// Shows what the visitor may check out, and what is lent to them.
pub(super) async fn show(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = house.visit(&headers).await? else { return Ok(see_other("/")) };
    let name = present::display_name(&visit.account);
    let held = held(&house, &visit).await?;
    let row = |account: &Account| present::lease_row(account, name.clone(), None, house.now());
    let view = AccessView {
        offers: offers(&house.targets, &visit.account, house.now(), house.demo),
        leases: held.accounts.iter().filter_map(row).collect(),
        unreadable: held.unreadable.iter().map(ToString::to_string).collect(),
        has_more: held.has_more,
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
    let request = request(&visit, &sent)?;
    let role = house.role(&request);
    let asked = Asked::check_out(&request, role.map(|role| role.longest));
    let view = lend(&house, &request, role).await.map_err(|error| asked.failed(error))?;
    Ok(html(StatusCode::OK, pages::granted(&house.frame(Some(&visit)), &view)))
}

async fn lend(house: &House, request: &CheckOut, role: Option<&RoleOffer>) -> Result<GrantedView, JitError> {
    let target = request.target.to_string();
    if let Some(role) = role.filter(|role| role.elevates.is_some()) {
        let lent = house.jit.elevate(request, None).await?;
        return Ok(present::elevated_view(target, role, &lent, house.now()));
    }
    let lent = house.jit.check_out(request).await?;
    Ok(present::granted_view(target, &lent, house.now()))
}

/// Ends a lease of the visitor.
pub(super) async fn check_in(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = whoever_means_it(&house, &headers, &sent).await? else { return Ok(see_other("/")) };
    let asked = Asked::to(Deed::CheckIn);
    let (id, lease) = own_lease(&house, &visit, &sent, &asked).await?;
    let (store, tenant) = (visit.session.store.as_ref(), &visit.session.tenant);
    let ended = house.jit.check_in(store, tenant, id, visit.actor()).await;
    ended.map_err(|error| asked.end(&lease).failed(error))?;
    Ok(see_other("/access"))
}

/// Lets a lease of the visitor end later.
pub(super) async fn extend(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = whoever_means_it(&house, &headers, &sent).await? else { return Ok(see_other("/")) };
    let asked = Asked::to(Deed::Extend);
    let (id, lease) = own_lease(&house, &visit, &sent, &asked).await?;
    let span = span_of(&sent, &asked)?;
    let (store, tenant) = (visit.session.store.as_ref(), &visit.session.tenant);
    let extended = house.jit.extend(store, tenant, id, span, visit.actor()).await;
    extended.map_err(|error| asked.longer(&lease, span).failed(error))?;
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
    check_form(sent, &visit.session.csrf)?;
    Ok(Some(visit))
}

/// What somebody may check out, at the targets that are open to their tenant.
fn offers(targets: &[Opened], account: &Account, now: DateTime<Utc>, demo: bool) -> Vec<OfferRow> {
    let all = open_to(targets, &account.tenant);
    let all = all.flat_map(|target| target.roles.iter().map(move |role| (target, role)));
    let admitted = all.filter(|(_, role)| role.holders.iter().any(|held| account.holds(held, now)));
    let offer = |(target, role): (&Opened, &RoleOffer)| {
        // What somebody types is no proof of whose account it is: an attribute has to name it.
        let own = match &role.elevates {
            Some(whose) => Some(whose.name(account, None)?),
            None => None,
        };
        Some(present::offer_row(target, role, own, demo))
    };
    admitted.filter_map(offer).collect()
}

fn request(visit: &Visit, sent: &Parameters) -> Result<CheckOut, Failure> {
    let asked = Asked::to(Deed::CheckOut);
    let target = sent.value("target").and_then(|text| TargetId::new(text).ok());
    let role = sent.value("role").and_then(|text| RuleName::new(text).ok());
    let (Some(target), Some(role)) = (target, role) else {
        return Err(asked.refused(Code::new("portal.form")));
    };
    Ok(CheckOut {
        tenant: visit.session.tenant.clone(),
        store: visit.session.store.clone(),
        holder: visit.account.id,
        by: visit.actor(),
        target,
        role,
        span: span_of(sent, &asked)?,
        key: sent.value("key").map(str::to_owned),
        purpose: sent.value("reason").map(str::to_owned),
    })
}

/// The time that a form asks for.
pub(super) fn span_of(sent: &Parameters, asked: &Asked) -> Result<TimeDelta, Failure> {
    let span = sent.value("span").and_then(|text| text.parse().ok()).map(Span::delta);
    span.ok_or_else(|| asked.refused(Code::new("portal.span")))
}

/// What is lent to somebody.
#[derive(Default)]
struct Held {
    /// The accounts that keep it, the latest first.
    accounts: Vec<Account>,
    /// Those whose records cannot be read.
    unreadable: Vec<AccountId>,
    /// Whether there are more.
    has_more: bool,
}

async fn held(house: &House, visit: &Visit) -> Result<Held, Failure> {
    let store = visit.session.store.as_ref();
    if house.store(store).is_none() {
        return Ok(Held::default());
    }
    Ok(held_by(&house.jit, store, &visit.session.tenant, visit.account.id).await?)
}

async fn held_by(
    jit: &Jit,
    store: Option<&StoreId>,
    tenant: &TenantId,
    holder: AccountId,
) -> Result<Held, JitError> {
    let (mut found, mut after) = (Held::default(), None);
    for _ in 0..PAGES {
        let page = jit.leases_of(store, tenant, holder, after, LEASES).await?;
        let is_live = |account: &Account| account.lease.as_ref().is_some_and(|lease| lease.is_live());
        found.accounts.extend(page.items.into_iter().filter(is_live));
        found.unreadable.extend(page.unreadable);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    found.accounts.sort_by_key(|account| std::cmp::Reverse(account.created_at));
    found.has_more = after.is_some();
    Ok(found)
}

/// The lease of a form, with its id. Those of others are not there, for administrators either: they have a page
/// of their own.
async fn own_lease(
    house: &House,
    visit: &Visit,
    sent: &Parameters,
    asked: &Asked,
) -> Result<(AccountId, Lease), Failure> {
    let found = lease_of(house, visit, visit.session.store.as_ref(), sent, asked).await?;
    if found.1.holder == visit.account.id { Ok(found) } else { Err(asked.refused(UNKNOWN)) }
}

/// The lease of a form, whoever holds it.
pub(super) async fn lease_of(
    house: &House,
    visit: &Visit,
    store: Option<&StoreId>,
    sent: &Parameters,
    asked: &Asked,
) -> Result<(AccountId, Lease), Failure> {
    let id: Option<AccountId> = sent.value("lease").and_then(|text| text.parse().ok());
    let (Some(id), Some(store)) = (id, house.store(store)) else { return Err(asked.refused(UNKNOWN)) };
    let account = store.get(&visit.session.tenant, id).await?;
    let lease = account.and_then(|account| account.lease).ok_or_else(|| asked.refused(UNKNOWN))?;
    Ok((id, *lease))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use jit_core::*;

    use super::*;

    const ROLE: &str = "operator";

    /// Somebody of a tenant who holds the role that admits.
    async fn somebody(store: &MemoryStore, tenant: &str) -> Account {
        let (tenant, now) = (TenantId::new(tenant).unwrap(), SystemClock.now());
        let mut mint = Mint::new(now, [9; 16]);
        let mut account = Account::begin(mint.account(), tenant.clone(), AccountState::Active, now);
        let by = Provenance::of(Source::Administrator);
        account.grants.push(Grant::new(mint.grant(), Entitlement::role(ROLE).unwrap(), by, now));
        let write = Some(AccountWrite::create(account.clone()));
        store.commit(&Commit { account: write, ..Commit::new(tenant) }).await.unwrap();
        account
    }

    /// A target of one tenant, whose one role may be held as often as one likes.
    fn target_of(tenant: &str) -> Opened {
        let (id, name) = (TargetId::new("directory").unwrap(), RuleName::new("admin").unwrap());
        let (holders, longest) = (vec![Entitlement::role(ROLE).unwrap()], chrono::TimeDelta::hours(1));
        let role = TargetRole::new(longest, holders.clone()).per_holder(NonZeroU32::MAX);
        let (tenants, target) = ([TenantId::new(tenant).unwrap()], Arc::new(MemoryTarget::new()));
        let setup = TargetSetup::new(id.clone(), target.clone(), MarkerKey::new("test", &[5; 32]).unwrap());
        let setup = setup.for_tenants(tenants.clone()).role(name.clone(), role);
        let (entitlements, privileged) = (vec!["wheel".to_owned()], false);
        let offer = RoleOffer { name, entitlements, longest, holders, privileged, elevates: None };
        Opened { id, tenants: tenants.into(), target, setup, roles: vec![offer] }
    }

    fn request_of(holder: &Account) -> CheckOut {
        CheckOut {
            tenant: holder.tenant.clone(),
            store: None,
            holder: holder.id,
            by: Actor::Account { id: holder.id },
            target: TargetId::new("directory").unwrap(),
            role: RuleName::new("admin").unwrap(),
            span: chrono::TimeDelta::minutes(30),
            key: None,
            purpose: None,
        }
    }

    #[tokio::test]
    async fn a_target_of_another_tenant_does_not_exist() {
        let (store, now) = (Arc::new(MemoryStore::new()), SystemClock.now());
        let (ours, stranger) = (somebody(&store, "acme").await, somebody(&store, "bcorp").await);
        let targets = [target_of("acme")];
        let shown = offers(&targets, &ours, now, false);
        assert_eq!((shown[0].target.as_str(), shown[0].entitlements.as_str()), ("directory", "wheel"));
        assert!(offers(&targets, &stranger, now, false).is_empty(), "the role has the same name there");

        let jit = Jit::builder(store).target(targets[0].setup.clone()).build().unwrap();
        jit.check_out(&request_of(&ours)).await.unwrap();
        let refused = jit.check_out(&request_of(&stranger)).await.unwrap_err();
        let asked = Asked::check_out(&request_of(&stranger), None);
        assert_eq!(asked.failed(refused).into_response().status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn whoever_holds_many_leases_is_shown_all_of_them() {
        let store = Arc::new(MemoryStore::new());
        let holder = somebody(&store, "acme").await;
        let builder = Jit::builder(store.clone()).leases_per_holder(NonZeroU32::MAX);
        let jit = builder.target(target_of("acme").setup).build().unwrap();
        for _ in 0..250 {
            jit.check_out(&request_of(&holder)).await.unwrap();
        }
        let shown = held_by(&jit, None, &holder.tenant, holder.id).await.unwrap();
        assert_eq!((shown.accounts.len(), shown.has_more), (250, false));
    }
}
