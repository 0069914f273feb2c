//! One person through sign-ins and records: one account, whichever comes first.

use std::sync::Arc;

use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

#[tokio::test]
async fn the_first_sign_in_after_a_joiner_finds_the_account() {
    let house = house_of_one_source(Provisioning::default());
    let joined = house.taken(said("e1", json!({}))).await.account;
    let entered = house.enter(1, "e1", json!({"email": "alice@example.com", "email_verified": true})).await;
    assert_eq!(entered.account.id, joined.id);
    assert_eq!(entered.account.identities[1].proof, LinkProof::SameSource);
    assert!(house.enter(1, "e1", json!({})).await.plan.is_empty());
    assert_eq!(house.all().await.len(), 1);
    assert_ne!(
        house.enter(1, "e2", json!({})).await.account.id,
        joined.id,
        "another subject is another person"
    );
}

#[tokio::test]
async fn a_joiner_after_the_first_sign_in_adopts_the_account() {
    let house = house_of_one_source(Provisioning::default());
    let entered = house.enter(1, "e1", json!({"groups": ["reader"]})).await.account;
    let adopted = house.taken(said("e1", json!({"groups": ["editor"]})).expecting(Expected::New)).await;
    assert_eq!((adopted.account.id, adopted.effect), (entered.id, RecordEffect::Adopted));
    assert_eq!(held_roles(&adopted.account), ["role:editor", "role:reader"]);
    assert_eq!(adopted.account.credential_epoch, entered.credential_epoch, "sessions go on");
    assert_eq!(house.all().await.len(), 1);
}

#[tokio::test]
async fn an_account_from_before_the_connection_is_adopted_as_well() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let before = house_on(Arc::clone(&store), vec![wire("okta")], |builder| builder);
    let old = before.enter(0, "e1", json!({})).await.account;
    let after = house_on(store, vec![scim(Provisioning::default()), wire("okta")], |builder| builder);
    let adopted = after.taken(said("e1", json!({}))).await;
    assert_eq!((adopted.account.id, adopted.effect), (old.id, RecordEffect::Adopted));
}

fn by_claim() -> Vec<Wire> {
    let same = SamePerson {
        connection: ConnectionId::new("entra").unwrap(),
        by: NamedBy::Claim("oid".parse().unwrap()),
    };
    let provisioning = Provisioning { same_person: vec![same], ..Provisioning::default() };
    vec![wire("scim").provisions(provisioning), wire("entra")]
}

#[tokio::test]
async fn a_claim_can_name_the_person_where_subjects_differ() {
    let house = house(by_claim());
    let first = house.enter(1, "pairwise-1", json!({"oid": "o1"})).await.account;
    assert_eq!(house.taken(said("o1", json!({}))).await.account.id, first.id);
    let joined = house.taken(said("o2", json!({}))).await.account;
    assert_eq!(house.enter(1, "pairwise-2", json!({"oid": "o2"})).await.account.id, joined.id);
    assert_eq!(house.denied(1, "pairwise-9", json!({"oid": "o2"})).await, "link.subject_changed");
    for silent in [json!({}), json!({"oid": ""}), json!({"oid": ["o1", "o2"]}), json!({"oid": null})] {
        let subject = format!("silent {silent}");
        let other = house.enter(1, &subject, silent).await.account;
        assert!(other.id != first.id && other.id != joined.id);
    }
}

#[tokio::test]
async fn whoever_came_before_is_known_to_the_source_from_the_next_sign_in_on() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let before = house_on(Arc::clone(&store), vec![wire("entra")], |builder| builder);
    let old = before.enter(0, "pairwise-1", json!({"oid": "o1"})).await.account;
    let after = house_on(store, by_claim(), |builder| builder);
    let again = after.enter(1, "pairwise-1", json!({"oid": "o1"})).await;
    assert_eq!(again.plan.changes.len(), 1);
    assert!(after.enter(1, "pairwise-1", json!({"oid": "o1"})).await.plan.is_empty());
    assert_eq!(after.taken(said("o1", json!({}))).await.account.id, old.id);
}

#[tokio::test]
async fn sixty_four_at_once_make_one_account() {
    for by_claim_only in [false, true] {
        let house =
            if by_claim_only { house(by_claim()) } else { house_of_one_source(Provisioning::default()) };
        let house = Arc::new(house);
        let tasks: Vec<_> = (0..64)
            .map(|n| {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    if n % 2 == 0 {
                        return house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
                    }
                    let subject = if by_claim_only { "pairwise" } else { "e1" };
                    house.enter(1, subject, json!({"oid": "e1", "groups": ["reader"]})).await.account.id
                })
            })
            .collect();
        let mut ids = Vec::new();
        for task in tasks {
            ids.push(task.await.unwrap());
        }
        let all = house.all().await;
        assert_eq!(all.len(), 1);
        assert!(ids.iter().all(|id| *id == all[0].id));
        assert_eq!(held_roles(&all[0]), ["role:editor", "role:reader"]);
        assert_eq!(all[0].identities.len(), 2);
    }
}

#[tokio::test]
async fn an_identity_that_was_cut_off_is_not_let_back_in_by_the_source() {
    let house = house_of_one_source(Provisioning::default());
    let id = house.taken(said("e1", json!({}))).await.account.id;
    let signed_in = house.enter(1, "e1", json!({})).await.account;
    let key = |connection: &str| {
        let of = |identity: &&LinkedIdentity| identity.key.connection.as_str() == connection;
        signed_in.identities.iter().find(of).unwrap().key.clone()
    };
    house.administer(id, AdminAct::Unlink(key("okta"))).await.unwrap();
    assert_eq!(house.denied(1, "e1", json!({})).await, "link.cut_off");
    house.administer(id, AdminAct::Unlink(key("scim"))).await.unwrap();
    house.taken(said("e9", json!({}))).await;
    assert_eq!(house.all().await.len(), 2);
}

#[test]
fn connections_of_one_source_are_checked_when_the_engine_is_composed() {
    let build = |wires: Vec<Wire>| {
        let mut builder = Jit::builder(Arc::new(MemoryStore::new()));
        for wire in wires {
            let (mut connection, _) =
                Connection::define(wire.settings, Arc::new(wire.mapper), Arc::new(wire.policy));
            if let Some(provisioning) = wire.provisioning {
                connection = connection.provisions(provisioning);
            }
            builder = builder.connection(connection);
        }
        builder.build().map(drop)
    };
    assert!(matches!(build(vec![scim(Provisioning::default())]), Err(BuildError::UnknownKin(..))));
    let mut elsewhere = wire("okta");
    elsewhere.settings.tenant = TenantId::new("other").unwrap();
    assert!(matches!(build(vec![scim(Provisioning::default()), elsewhere]), Err(BuildError::UnknownKin(..))));
    let mut many = wire("okta");
    many.settings.issuers = IssuerSet::Exactly([issuer("okta"), issuer("twin")].into());
    assert!(matches!(build(vec![scim(Provisioning::default()), many]), Err(BuildError::SeveralIssuers(_))));
    assert!(build(vec![scim(Provisioning::default()), wire("okta")]).is_ok());
    let alone = Provisioning { authority: Authority::Whole, ..Provisioning::default() };
    assert!(build(vec![scim(alone), wire("okta")]).is_err(), "what sign-ins gave could never be taken away");
}
