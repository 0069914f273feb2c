//! Movers: what the source says anew replaces what it said, and nothing else.

use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

#[tokio::test]
async fn absent_is_not_said_and_empty_is_empty() {
    let house = house_of_scim(Provisioning::default());
    let first = json!({"department": "research", "employee": "77", "groups": ["editor", "reader"]});
    house.taken(said("e1", first)).await;
    let silent = house.taken(said("e1", json!({"employee": "77"}))).await;
    assert_eq!(silent.effect, RecordEffect::Unchanged);
    assert_eq!(texts(&silent.account, "department"), ["research"]);
    assert_eq!(held_roles(&silent.account), ["role:editor", "role:reader"]);
    let moved = house.taken(said("e1", json!({"department": "", "groups": ["reader"]}))).await;
    assert_eq!(moved.effect, RecordEffect::Moved);
    assert!(texts(&moved.account, "department").is_empty());
    assert_eq!(held_roles(&moved.account), ["role:reader"]);
}

#[tokio::test]
async fn a_source_takes_back_only_what_it_gave() {
    let house = house_of_one_source(Provisioning::default());
    let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
    house.enter(1, "e1", json!({"groups": ["editor", "reader"], "department": "by sign-in"})).await;
    house.administer(id, AdminAct::Give { entitlement: role("auditor"), ends_at: None }).await.unwrap();
    let moved = house.taken(said("e1", json!({"groups": [], "department": ""}))).await;
    assert_eq!(held_roles(&moved.account), ["role:auditor", "role:editor", "role:reader"]);
    assert_eq!(texts(&moved.account, "department"), ["by sign-in"]);
    house.enter(1, "e1", json!({"groups": []})).await;
    assert_eq!(held_roles(&house.get(id).await), ["role:auditor"]);
}

#[tokio::test]
async fn what_is_above_the_ceiling_is_refused_and_the_rest_goes_on() {
    let scim = wire("scim").ceiling(&["role:reader"]).provisions(Provisioning::default());
    let house = house(vec![scim]);
    let joined = house.taken(said("e1", json!({"groups": ["admin", "reader"]}))).await;
    assert_eq!(held_roles(&joined.account), ["role:reader"]);
    assert_eq!(joined.plan.refusals[0].code.as_str(), "access.ceiling");
}

#[tokio::test]
async fn what_is_older_never_overwrites_what_is_newer() {
    let house = house_of_scim(Provisioning::default());
    house.taken(said("e1", json!({"department": "old"})).version(3)).await;
    house.taken(said("e1", json!({"department": "new"})).version(5)).await;
    let late = house.taken(said("e1", json!({"department": "late"})).version(4)).await;
    assert_eq!(late.effect, RecordEffect::Outdated);
    assert_eq!(texts(&late.account, "department"), ["new"]);
    let gone = house.taken(said("e1", json!({})).gone().version(4)).await;
    assert_eq!(gone.effect, RecordEffect::Outdated, "an old leave is no leave");
}

#[tokio::test]
async fn user_names_follow_the_source_where_the_connection_says_so() {
    let name = |account: &Account| account.user_name.as_ref().unwrap().as_str().to_owned();
    for renames in [false, true] {
        let house = house_of_scim(Provisioning { renames, ..Provisioning::default() });
        house.taken(said("e1", json!({"preferred_username": "alice"}))).await;
        house.taken(said("e2", json!({"preferred_username": "bob"}))).await;
        let married = house.taken(said("e1", json!({"preferred_username": "alina"}))).await;
        assert_eq!(name(&married.account), if renames { "alina" } else { "alice" });
        let again = house.taken(said("e1", json!({"preferred_username": "alina"}))).await;
        assert_eq!(again.effect, RecordEffect::Unchanged);
        if renames {
            let clash = said("e1", json!({"preferred_username": "Bob"}));
            assert_eq!(house.refused(clash).await, "name.taken");
        }
    }
}

#[tokio::test]
async fn a_change_in_part_is_read_with_what_was_said_before() {
    let house = house_of_scim(Provisioning { keeps_records: true, ..Provisioning::default() });
    assert_eq!(house.refused(said("e1", json!({"department": "x"})).in_part()).await, "record.in_part");
    house.taken(said("e1", json!({"department": "research", "groups": ["editor"]}))).await;
    let moved = house.taken(said("e1", json!({"groups": []})).in_part()).await;
    assert_eq!(texts(&moved.account, "department"), ["research"]);
    assert!(moved.account.grants.is_empty());
    let key = moved.account.identities[0].key.clone();
    let kept = moved.account.record(&key).unwrap().claims.clone().unwrap();
    assert_eq!(kept.get("department").values().unwrap().text().unwrap(), "research");
    let forgetful = house_of_scim(Provisioning::default());
    forgetful.taken(said("e1", json!({"department": "research"}))).await;
    assert_eq!(forgetful.refused(said("e1", json!({"groups": []})).in_part()).await, "record.in_part");
}

#[tokio::test]
async fn an_account_that_an_administrator_stopped_hears_what_is_said_and_stays_stopped() {
    let house = house_of_scim(Provisioning { reactivates: true, ..Provisioning::default() });
    let id = house.taken(said("e1", json!({"department": "research"}))).await.account.id;
    house.administer(id, AdminAct::Disable).await.unwrap();
    let moved = house.taken(said("e1", json!({"department": "sales", "groups": ["editor"]}))).await;
    assert_eq!(texts(&moved.account, "department"), ["sales"]);
    assert!(matches!(moved.account.state, AccountState::Disabled { .. }));
    assert!(moved.account.grants.is_empty(), "what cannot be used is given nothing");
    assert_eq!(moved.plan.refusals[0].code.as_str(), "account.disabled");
    let again = house.taken(said("e1", json!({"department": "sales", "groups": ["editor"]}))).await;
    assert_eq!(again.effect, RecordEffect::Unchanged);
}
