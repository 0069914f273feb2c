//! A source that decides alone: sign-ins let people in and change nothing about them.

use std::sync::Arc;

use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

fn whole() -> Provisioning {
    Provisioning {
        authority: Authority::Whole,
        memberships: Some("groups".parse().unwrap()),
        ..Provisioning::default()
    }
}

#[tokio::test]
async fn a_sign_in_makes_no_account_and_changes_none() {
    let house = house_of_one_source(whole());
    assert_eq!(house.denied(1, "e1", json!({})).await, "account.not_provisioned");
    house.taken(said("e1", json!({"department": "research", "groups": ["reader"]}))).await;
    let claims = json!({"department": "by sign-in", "groups": ["admin"], "preferred_username": "other"});
    let entered = house.enter(1, "e1", claims.clone()).await;
    assert_eq!(texts(&entered.account, "department"), ["research"]);
    assert_eq!(held_roles(&entered.account), ["role:reader"]);
    assert_eq!(entered.account.user_name, None);
    assert!(house.enter(1, "e1", claims).await.plan.is_empty());
}

#[tokio::test]
async fn a_sign_in_whose_time_is_over_is_refused_and_ends_nothing() {
    let okta = wire("okta").decides(|_| {
        let account_end = Some(AccountEnd::At(instant("2026-11-20T00:00:00Z")));
        Decision::Permit(Permit { account_end, ..Permit::default() })
    });
    let house = house(vec![scim(whole()), okta]);
    let joined = house.taken(said("e1", json!({}))).await.account;
    assert_eq!(house.denied(1, "e1", json!({})).await, "account.expired");
    assert_eq!(house.get(joined.id).await, joined);
}

#[tokio::test]
async fn a_tenant_passes_from_sign_ins_to_the_source_without_a_gap_and_without_leftovers() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let okta = || wire("okta").speaks_for("example.com");
    let before = house_on(Arc::clone(&store), vec![okta()], |builder| builder);
    let claims = json!({
        "email": "alice@example.com", "email_verified": true, "department": "research", "groups": ["editor", "reader"],
    });
    let old = before.enter(0, "e1", claims.clone()).await.account;
    before.administer(old.id, AdminAct::Give { entitlement: role("auditor"), ends_at: None }).await.unwrap();

    let after = house_on(store, vec![scim(whole()), okta()], |builder| builder);
    assert_eq!(
        after.enter(1, "e1", json!({"groups": []})).await.account.id,
        old.id,
        "they come in before they are adopted"
    );
    // The source tells of the person first, and of groups later.
    let adopted = after.taken(said("e1", json!({"department": "sales"}))).await;
    assert_eq!(adopted.account.id, old.id);
    assert_eq!(
        held_roles(&adopted.account),
        ["role:auditor", "role:editor", "role:reader"],
        "nobody loses access meanwhile"
    );
    assert_eq!(texts(&adopted.account, "department"), ["sales"]);
    let settled = after.taken(said("e1", json!({"department": "sales", "groups": ["reader"]}))).await;
    assert_eq!(held_roles(&settled.account), ["role:auditor", "role:reader"], "nothing stays behind");
    assert_eq!(settled.account.email.as_ref().unwrap().address.as_str(), "alice@example.com");
    let again = after.taken(said("e1", json!({"department": "sales", "groups": ["reader"]}))).await;
    assert_eq!(again.effect, RecordEffect::Unchanged);
    assert!(after.enter(1, "e1", claims).await.plan.is_empty());
}

#[tokio::test]
async fn what_sign_ins_gave_passes_on_only_within_the_ceiling_of_the_source() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let before = house_on(Arc::clone(&store), vec![wire("okta")], |builder| builder);
    before.enter(0, "e1", json!({"groups": ["admin", "reader"]})).await;
    let scim = scim(whole()).ceiling(&["role:reader"]);
    let after = house_on(store, vec![scim, wire("okta")], |builder| builder);
    let adopted = after.taken(said("e1", json!({}))).await;
    assert_eq!(held_roles(&adopted.account), ["role:reader"]);
}
