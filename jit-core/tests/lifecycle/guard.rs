//! What guards against a source that errs: leaves that wait, beginnings that are moved, the last administrator.

use std::sync::Arc;

use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

fn protected(provisioning: Provisioning) -> House {
    let protection = Protection::new().never_without(role("admin"));
    let scim = wire("scim").ceiling(&["role:*", "role:admin"]).provisions(provisioning);
    house_on(Arc::new(MemoryStore::new()), vec![scim], |builder| builder.protection(protection))
}

#[tokio::test]
async fn a_confirmed_leave_of_the_last_administrator_is_a_leave() {
    let house = protected(none_leave());
    let joined = house.taken(said("e1", json!({"groups": ["admin"]}))).await.account;
    assert_eq!(held_roles(&joined), ["role:admin"]);
    assert_eq!(house.taken(said("e1", json!({})).leaves()).await.effect, RecordEffect::Parked);
    let confirmed = house.confirm_leaves(joined.id).await;
    assert!(matches!(confirmed.state, AccountState::Disabled { .. }) && confirmed.grants.is_empty());
}

#[tokio::test]
async fn a_leave_that_waits_is_taken_back_for_somebody_suspended_as_well() {
    let house = house_of_scim(none_leave());
    let id = house.taken(said("e1", json!({}))).await.account.id;
    house.taken(said("e1", json!({})).leaves()).await;
    house.administer(id, AdminAct::Suspend).await.unwrap();
    assert_eq!(waiting(&house, "scim").await, 1);
    house.taken(said("e1", json!({}))).await;
    assert_eq!(waiting(&house, "scim").await, 0);
    assert!(matches!(house.get(id).await.state, AccountState::Suspended { .. }));
}

#[tokio::test]
async fn confirming_leaves_of_two_sources_takes_away_what_both_gave() {
    let house = house_of_two_sources(none_leave());
    let id = house.enter(2, "e1", json!({})).await.account.id;
    for (connection, group) in [("scim", "reader"), ("hr", "editor")] {
        house.taken(said_over(connection, "e1", json!({"groups": [group]}))).await;
        house.taken(said_over(connection, "e1", json!({})).leaves()).await;
    }
    assert_eq!(held_roles(&house.get(id).await), ["role:editor", "role:reader"]);
    let confirmed = house.confirm_leaves(id).await;
    assert!(matches!(confirmed.state, AccountState::Disabled { .. }) && confirmed.grants.is_empty());
}

/// Somebody whose leave waits over `scim`, and whose removal waits over `hr`.
async fn waiting_over_two() -> (House, AccountId) {
    let house = house_of_two_sources(Provisioning { reactivates: true, ..none_leave() });
    let id = house.enter(2, "e1", json!({})).await.account.id;
    for (connection, group) in [("scim", "reader"), ("hr", "editor")] {
        house.taken(said_over(connection, "e1", json!({"groups": [group]}))).await;
    }
    house.taken(said_over("scim", "e1", json!({})).leaves()).await;
    house.taken(said_over("hr", "e1", json!({})).gone()).await;
    (house, id)
}

async fn leaves_over(house: &House, id: AccountId, connection: &str) -> Vec<WaitingLeave> {
    // As the form of a page carries them.
    let form = serde_json::to_string(&house.get(id).await.waiting_leaves()).unwrap();
    let waiting: Vec<WaitingLeave> = serde_json::from_str(&form).unwrap();
    waiting.into_iter().filter(|leave| leave.key.connection.as_str() == connection).collect()
}

#[tokio::test]
async fn nobody_goes_for_what_another_connection_said() {
    let (house, id) = waiting_over_two().await;
    let of_scim = leaves_over(&house, id, "scim").await;
    let left = house.administer(id, AdminAct::ConfirmLeave(of_scim.clone())).await.unwrap();
    assert!(matches!(left.state, AccountState::Disabled { .. }), "no tombstone: {:?}", left.state);
    assert_eq!(held_roles(&left), ["role:editor"], "hr has given it, and its word waits");
    assert_eq!((waiting(&house, "scim").await, waiting(&house, "hr").await), (0, 1));
    let twice = house.administer(id, AdminAct::ConfirmLeave(of_scim)).await.unwrap_err();
    assert_eq!(twice.code.as_str(), "record.leave_changed");
    let removed =
        house.administer(id, AdminAct::ConfirmLeave(leaves_over(&house, id, "hr").await)).await.unwrap();
    assert!(matches!(removed.state, AccountState::Ended { .. }));
}

#[tokio::test]
async fn a_dismissal_lets_wait_what_another_connection_said() {
    let (house, id) = waiting_over_two().await;
    let of_hr = leaves_over(&house, id, "hr").await;
    let stays = house.administer(id, AdminAct::DismissLeave(of_hr)).await.unwrap();
    assert_eq!(stays.state, AccountState::Active);
    assert_eq!((waiting(&house, "scim").await, waiting(&house, "hr").await), (1, 0));
}

#[tokio::test]
async fn a_leave_that_became_a_removal_or_was_taken_back_is_not_decided_unseen() {
    let house = house_of_scim(none_leave());
    let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
    house.taken(said("e1", json!({})).leaves()).await;
    let seen = house.get(id).await.waiting_leaves();
    assert_eq!(seen.len(), 1);
    let refused = async |act: AdminAct| house.administer(id, act).await.unwrap_err().code;
    let both = async |seen: &[WaitingLeave]| {
        for act in [AdminAct::ConfirmLeave(seen.to_vec()), AdminAct::DismissLeave(seen.to_vec())] {
            assert_eq!(refused(act).await.as_str(), "record.leave_changed");
        }
    };
    // The source removes whom it had let go.
    house.taken(said("e1", json!({})).gone()).await;
    both(&seen).await;
    assert_eq!((waiting(&house, "scim").await, house.get(id).await.state), (1, AccountState::Active));
    // It takes that back, and lets them go anew: it is another leave.
    house.taken(said("e1", json!({"groups": ["editor"]}))).await;
    both(&seen).await;
    house.clock.advance(chrono::TimeDelta::minutes(1));
    house.taken(said("e1", json!({})).leaves()).await;
    both(&seen).await;
    both(&[]).await;
    let account = house.get(id).await;
    assert_eq!((waiting(&house, "scim").await, held_roles(&account)), (1, vec!["role:editor".into()]));
    assert_eq!(house.dismiss_leaves(id).await.state, AccountState::Active);
}

#[tokio::test]
async fn a_leave_waits_no_longer_once_its_identity_is_cut_off() {
    let house = house_of_scim(none_leave());
    let joined = house.taken(said("e1", json!({}))).await.account;
    house.taken(said("e1", json!({})).leaves()).await;
    assert_eq!(waiting(&house, "scim").await, 1);
    house.administer(joined.id, AdminAct::Unlink(joined.identities[0].key.clone())).await.unwrap();
    assert_eq!(waiting(&house, "scim").await, 0);
}

#[tokio::test]
async fn a_source_does_not_move_the_beginning_of_an_account_in_use() {
    let house = house_of_one_source(Provisioning { reactivates: true, ..Provisioning::default() });
    house.enter(1, "e1", json!({})).await;
    house.taken(said("e1", json!({}))).await;
    let later = || said("e1", json!({"department": "sales"})).from(instant("2099-01-01T00:00:00Z"));
    let moved = house.taken(later()).await;
    assert_eq!(
        (moved.account.begins_at, texts(&moved.account, "department")),
        (None, vec!["sales".to_owned()])
    );
    assert_eq!(moved.plan.refusals[0].code.as_str(), "record.has_begun");
    house.enter(1, "e1", json!({})).await;
    // Who has left may be hired again ahead of time.
    house.taken(said("e1", json!({})).leaves()).await;
    let again = house.taken(later()).await;
    assert_eq!(again.account.begins_at, Some(instant("2099-01-01T00:00:00Z")));
}

#[tokio::test]
async fn somebody_who_has_not_begun_is_no_last_administrator() {
    let house = protected(Provisioning::default());
    let present = house.taken(said("e1", json!({"groups": ["admin"]}))).await.account;
    let begin = instant("2027-01-01T00:00:00Z");
    house.taken(said("e2", json!({"groups": ["admin"]})).from(begin)).await;
    let suspended = house.administer(present.id, AdminAct::Suspend).await;
    assert_eq!(suspended.unwrap_err().code.as_str(), "access.last_holder");
}

#[tokio::test]
async fn what_is_said_no_longer_of_somebody_whose_leave_waits_goes() {
    let house = house_of_scim(none_leave());
    let both = json!({"groups": ["editor", "reader"]});
    let id = house.taken(said("e1", both.clone())).await.account.id;
    // What is not said takes nothing away, and what is said no longer goes, be it said with the leave or told anew.
    house.taken(said("e1", json!({})).leaves()).await;
    assert_eq!(held_roles(&house.get(id).await), ["role:editor", "role:reader"]);
    let fewer = house.taken(said("e1", json!({"groups": ["reader"]})).leaves()).await;
    assert_eq!(
        (fewer.effect, held_roles(&fewer.account)),
        (RecordEffect::Parked, vec!["role:reader".into()])
    );
    let told = house.taken(said("e1", json!({"groups": []})).presence(Presence::Unsaid)).await;
    assert_eq!((told.effect, held_roles(&told.account).len()), (RecordEffect::Moved, 0));
    let again = house.taken(said("e1", both).presence(Presence::Unsaid)).await;
    assert_eq!((again.effect, held_roles(&again.account).len()), (RecordEffect::Unchanged, 0));
    assert_eq!((waiting(&house, "scim").await, again.account.state), (1, AccountState::Active));
    assert_eq!(house.refused(said("e2", json!({})).presence(Presence::Unsaid)).await, "record.unknown");
}

#[tokio::test]
async fn what_is_told_of_somebody_whose_leave_was_dismissed_is_no_leave() {
    let house = house_of_scim(none_leave());
    let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
    house.taken(said("e1", json!({})).leaves()).await;
    house.dismiss_leaves(id).await;
    let told = house.taken(said("e1", json!({"groups": ["reader"]})).presence(Presence::Unsaid)).await;
    assert_eq!((told.effect, told.account.state.clone()), (RecordEffect::Moved, AccountState::Active));
    assert_eq!(held_roles(&told.account), ["role:reader"]);
    // An account that is over hears nothing, and a task that tells of it is done.
    house.administer(id, AdminAct::End).await.unwrap();
    let over = house.taken(said("e1", json!({"groups": []})).presence(Presence::Unsaid)).await;
    assert_eq!(over.effect, RecordEffect::Unchanged);
}
