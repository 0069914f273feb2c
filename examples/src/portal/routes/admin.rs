use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jit_core::{
    Account, AccountId, AccountState, AdminAct, AdminRequest, AuditQuery, Filter, Query as Accounts, Store,
    StoreId, TenantId, WaitingLeave,
};

use crate::portal::failure::Failure;
use crate::portal::house::{House, Visit};
use crate::portal::view::AdminView;
use crate::portal::{pages, present};
use crate::web::{Form, Parameters, html, is_same, see_other};

const ACCOUNTS: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");
const EVENTS: NonZeroUsize = NonZeroUsize::new(10).expect("not zero");

/// Shows who waits for approval, whose leave waits, and every account.
pub(super) async fn show(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    let tenant = &visit.session.tenant;
    let mut view = AdminView::default();
    for shelf in &house.shelves {
        let leaving = house.jit.parked_leaves(shelf.name.as_ref(), tenant, None, None, ACCOUNTS).await?;
        let row = |account: &Account| present::leaver_row(account, shelf.name.as_ref(), house.now());
        view.leaving.extend(leaving.items.iter().map(row));
        view.more_leaving |= leaving.next.is_some();
        let query = Accounts { tenant: tenant.clone(), filter: Filter::All, after: None, limit: ACCOUNTS };
        for account in shelf.store.list(&query).await?.items {
            if matches!(account.state, AccountState::Pending { .. }) {
                let rule = held_by(shelf.store.as_ref(), tenant, &account).await?;
                view.waiting.push(present::approval_row(&account, shelf.name.as_ref(), rule));
            }
            view.accounts.push(present::account_row(&account, shelf.name.as_ref(), house.now()));
        }
    }
    Ok(html(StatusCode::OK, pages::admin(&house.frame(Some(&visit)), &view)))
}

/// Does what an administrator decided about an account of their own tenant.
pub(super) async fn decide(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let Some(visit) = administrator(&house, &headers).await? else { return Ok(see_other("/")) };
    if !is_same(sent.value("csrf").unwrap_or_default(), &visit.session.csrf) {
        return Err(Failure::Forged);
    }
    let request = request(&visit, &sent).ok_or(Failure::NotFound)?;
    match house.jit.administer(&request).await? {
        Ok(_) => Ok(see_other("/admin")),
        Err(denial) => {
            let reason = match denial.code.as_str() {
                "record.leave_changed" => {
                    "This leave does not wait any longer as the page showed it. Nothing was done: look at the page anew."
                }
                _ => "The account is not in a state in which this can be done, or does not exist.",
            };
            Err(Failure::Refused { code: denial.code, reason: reason.into(), anew: None })
        }
    }
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
