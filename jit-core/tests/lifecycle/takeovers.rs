//! What a hostile directory tries.

use jit_core::*;
use serde_json::{Value, json};

use crate::{facts::*, support::*};

const VICTIM: &str = "alice@example.com";

fn verified(address: &str) -> Value {
    json!({"email": address, "email_verified": true})
}

#[tokio::test]
async fn a_directory_takes_over_no_account_by_its_address() {
    let hostile = wire("scim")
        .links_by_email()
        .provisions(Provisioning { reactivates: true, ..Provisioning::default() });
    let house = house(vec![hostile, wire("corp").speaks_for("example.com")]);
    let alice = house.enter(1, "alice-1", verified(VICTIM)).await.account;
    for verified in [json!(true), json!(false), json!(null), json!("true")] {
        let claims = json!({"email": VICTIM, "email_verified": verified, "groups": ["admin"]});
        let code = house.refused(said("m1", claims.clone())).await;
        assert!(matches!(code.as_str(), "link.not_authoritative" | "link.email_unverified"), "{code}");
        let code = house.refused(said("m1", claims.clone()).leaves()).await;
        assert!(matches!(code.as_str(), "link.not_authoritative" | "link.email_unverified"), "{code}");
        assert!(!house.refused(said("m1", claims).gone()).await.is_empty());
    }
    assert_eq!(house.get(alice.id).await, *alice, "nothing about her changed");
    assert_eq!(house.all().await.len(), 1);
}

#[tokio::test]
async fn a_directory_cannot_name_the_people_of_a_connection_that_is_not_declared_its_own() {
    let hostile = wire("scim").provisions(Provisioning::default());
    let house = house(vec![hostile, wire("corp")]);
    let alice = house.enter(1, "alice-1", json!({})).await.account;
    let twin = house.taken(said("alice-1", json!({"groups": ["admin"]}))).await.account;
    assert_ne!(twin.id, alice.id, "equal subjects of two sources are two people");
    house.taken(said("alice-1", json!({})).gone()).await;
    assert_eq!(house.enter(1, "alice-1", json!({})).await.account.id, alice.id);
}

#[tokio::test]
async fn a_directory_does_not_reach_another_tenant() {
    let mut theirs = scim(Provisioning::default());
    theirs.settings.tenant = TenantId::new("mallory").unwrap();
    let mut door = wire("okta");
    door.settings.tenant = TenantId::new("mallory").unwrap();
    let house = house(vec![theirs, door, wire("okta").speaks_for("example.com")]);
    let alice = house.enter(2, "e1", verified(VICTIM)).await.account;
    let joined = house.taken(said("e1", json!({"groups": ["admin"]}))).await.account;
    assert_eq!(joined.tenant.as_str(), "mallory");
    house.taken(said("e1", json!({})).gone()).await;
    assert_eq!(house.get(alice.id).await, *alice);
    house.enter(2, "e1", verified(VICTIM)).await;
}

#[tokio::test]
async fn a_directory_revives_no_tombstone_and_grants_nothing_above_its_ceiling() {
    let provisioning = Provisioning { reactivates: true, renames: true, ..Provisioning::default() };
    let scim = scim(provisioning).ceiling(&["role:reader"]);
    let house = house(vec![scim, wire("okta")]);
    let id = house.taken(said("e1", json!({"groups": ["reader"]}))).await.account.id;
    house.administer(id, AdminAct::End).await.unwrap();
    let open = Presence::Active { from: Bound::Open, until: Bound::Open };
    for version in [None, Some(u64::MAX)] {
        let claims = json!({"groups": ["reader", "admin"], "preferred_username": "root"});
        let record = said("e1", claims).presence(open);
        let record = if let Some(version) = version { record.version(version) } else { record };
        assert_eq!(house.refused(record).await, "account.ended");
    }
    let over = house.get(id).await;
    assert!(matches!(over.state, AccountState::Ended { .. }) && over.grants.is_empty());
    let other = house.taken(said("e2", json!({"groups": ["reader", "admin"]}))).await.account;
    assert_eq!(held_roles(&other), ["role:reader"]);
}

#[tokio::test]
async fn a_record_of_another_engine_or_of_a_connection_that_may_not_provision_is_refused() {
    let one = house_of_scim(Provisioning::default());
    let other = house_of_scim(Provisioning::default());
    let foreign = Event::record(said("e1", json!({})).by(&other.attestors[0]));
    assert_eq!(one.jit.handle(foreign).await.unwrap_err().code().as_str(), "engine.foreign_identity");
    let plain = house(vec![wire("corp")]);
    let record = Event::record(said_over("corp", "e1", json!({})).by(&plain.attestors[0]));
    assert_eq!(plain.jit.handle(record).await.unwrap_err().code().as_str(), "engine.not_provisioning");
    assert!(plain.all().await.is_empty());
}

#[tokio::test]
async fn a_user_name_in_the_form_of_a_foreign_address_is_refused() {
    let house = house_of_scim(Provisioning { renames: true, ..Provisioning::default() });
    house.taken(said("e1", json!({"preferred_username": "mallory"}))).await;
    let rename = said("e1", json!({"preferred_username": VICTIM}));
    assert_eq!(house.refused(rename).await, "name.not_own_address");
    let joiner = said("e2", json!({"preferred_username": VICTIM}));
    assert_eq!(house.refused(joiner).await, "name.not_own_address");
}
