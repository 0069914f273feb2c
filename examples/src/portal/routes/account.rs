use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{Account, AccountId, Actor, AuditQuery, Store};

use super::{check_form, saml};
use crate::portal::failure::Failure;
use crate::portal::house::{House, Visit};
use crate::portal::view::{AuditRow, MeView};
use crate::portal::{pages, present};
use crate::web::{Form, html, see_other, with_header};

const EVENTS: NonZeroUsize = NonZeroUsize::new(200).expect("not zero");

/// Shows the account, why it is there, and what the sign-in changed.
pub(super) async fn me(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = house.visit(&headers).await? else { return Ok(see_other("/")) };
    let view = MeView {
        account: present::account_view(&visit.account, house.now()),
        decision: visit.session.decision.clone(),
        plan: visit.session.plan.clone(),
        session_ends: present::instant(visit.session.ends_at),
    };
    Ok(html(StatusCode::OK, pages::account(&house.frame(Some(&visit)), &view)))
}

/// Shows the audit trail: to administrators that of the tenant, to everybody else that of their own account.
pub(super) async fn audit(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = house.visit(&headers).await? else { return Ok(see_other("/")) };
    let own = (!visit.is_admin).then_some(visit.account.id);
    let mut rows = Vec::new();
    for shelf in &house.shelves {
        if visit.is_admin || shelf.name == visit.session.store {
            rows.extend(trail(shelf.store.as_ref(), &visit, own).await?);
        }
    }
    rows.sort_by(|a: &AuditRow, b| b.at.cmp(&a.at));
    Ok(html(StatusCode::OK, pages::audit(&house.frame(Some(&visit)), &rows)))
}

async fn trail(
    store: &dyn Store,
    visit: &Visit,
    account: Option<AccountId>,
) -> Result<Vec<AuditRow>, Failure> {
    let tenant = visit.session.tenant.clone();
    let query = AuditQuery { tenant, account, after: None, latest_first: true, limit: EVENTS };
    let mut names = HashMap::new();
    let mut rows = Vec::new();
    for event in store.events(&query).await?.items {
        let name = match event.account {
            None => String::new(),
            Some(id) => name_of(store, visit, id, &mut names).await?,
        };
        let by = match &event.actor {
            Actor::Account { id } => Some(name_of(store, visit, *id, &mut names).await?),
            _ => None,
        };
        rows.push(present::audit_row(&event, name, by));
    }
    Ok(rows)
}

async fn name_of(
    store: &dyn Store,
    visit: &Visit,
    id: AccountId,
    names: &mut HashMap<AccountId, String>,
) -> Result<String, Failure> {
    if let Some(name) = names.get(&id) {
        return Ok(name.clone());
    }
    let account = store.get(&visit.session.tenant, id).await?;
    let user_name = |account: &Account| account.user_name.as_ref().map(ToString::to_string);
    let name = account.and_then(|account| user_name(&account).or_else(|| present::lent_name(&account)));
    let name = name.unwrap_or_else(|| id.to_string());
    names.insert(id, name.clone());
    Ok(name)
}

/// Ends the session.
pub(super) async fn logout(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    // Works without the database: whoever wants to leave, leaves.
    let Some(session) = house.sessions.find(&headers, house.now()) else { return Ok(see_other("/")) };
    check_form(&sent, &session.csrf)?;
    // The session here ends first, so that it is over even if the browser never comes back from the provider.
    let cleared = house.sessions.close(&headers, house.now());
    let answer = saml::sign_out(&house, &session).await.unwrap_or_else(|| see_other("/"));
    Ok(with_header(answer, SET_COOKIE, &cleared))
}
