//! Removals for good: how many at once, and what becomes of those that wait.

use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

/// Nobody is removed before an administrator confirmed it.
fn none_removed() -> Provisioning {
    let limit = LeaverLimit { most: 9, within: "1h".parse().unwrap(), removals: Some(0) };
    Provisioning { leavers: Some(limit), reactivates: true, ..Provisioning::default() }
}

#[tokio::test]
async fn too_many_who_left_before_are_not_removed_for_good_at_once() {
    use RecordEffect::{Ended, Parked, Returned};

    let limit = LeaverLimit { most: 3, within: "1h".parse().unwrap(), removals: None };
    let provisioning = Provisioning { leavers: Some(limit), reactivates: true, ..Provisioning::default() };
    let house = house_of_scim(provisioning);
    let people: Vec<_> = (0..6).map(|n| format!("e{n}")).collect();
    for (n, person) in people.iter().enumerate() {
        house.taken(said(person, json!({}))).await;
        house.taken(said(person, json!({})).leaves()).await;
        if n == 2 {
            house.clock.advance(chrono::TimeDelta::hours(1));
        }
    }
    assert_eq!(waiting(&house, "scim").await, 0);
    let mut effects = Vec::new();
    for person in &people {
        effects.push(house.taken(said(person, json!({})).gone()).await.effect);
    }
    assert_eq!(effects, [Ended, Ended, Ended, Parked, Parked, Parked], "they count by themselves");
    let id = async |person: &str| house.hear_of(person).await;
    // Who left before has left, whatever becomes of the removal: their source brings them back, and nobody else does.
    assert_eq!(house.taken(said("e3", json!({}))).await.effect, Returned);
    house.dismiss_leaves(id("e4").await).await;
    assert!(matches!(house.get(id("e4").await).await.state, AccountState::Disabled { .. }));
    assert_eq!(house.taken(said("e4", json!({}))).await.effect, Returned);
    let gone = house.confirm_leaves(id("e5").await).await;
    assert!(matches!(gone.state, AccountState::Ended { .. }));
    assert_eq!(waiting(&house, "scim").await, 0);
}

#[tokio::test]
async fn a_removal_that_waits_is_taken_back_by_its_source_where_that_may_not_bring_people_back() {
    for reactivates in [false, true] {
        let house = house_of_scim(Provisioning { reactivates, ..none_removed() });
        let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
        if reactivates {
            house.administer(id, AdminAct::Disable).await.unwrap();
        } else {
            house.taken(said("e1", json!({})).leaves()).await;
        }
        assert_eq!(house.taken(said("e1", json!({})).gone()).await.effect, RecordEffect::Parked);
        assert_eq!(waiting(&house, "scim").await, 1);
        let seen = house.get(id).await.waiting_leaves();
        let back = house.taken(said("e1", json!({"groups": ["editor", "reader"]}))).await;
        assert_eq!((back.effect, waiting(&house, "scim").await), (RecordEffect::Moved, 0));
        assert_eq!(back.plan.refusals[0].wish, "activate", "they stay stopped, and the source is told so");
        assert!(!held_roles(&back.account).contains(&"role:reader".to_owned()), "nothing is given");
        let confirmed = house.administer(id, AdminAct::ConfirmLeave(seen)).await;
        assert_eq!(confirmed.unwrap_err().code.as_str(), "record.leave_changed");
        let state = house.get(id).await.state;
        assert!(
            matches!(state, AccountState::Disabled { .. }),
            "nobody is buried whose source has them: {state:?}"
        );
    }
}

/// One of two sources lets a person go, and the other removes them, which an administrator dismisses.
async fn comes_back_after_a_dismissed_removal(remover_has_named_them: bool) {
    let house = house_of_two_sources(none_removed());
    let id = house.taken(said_over("scim", "e1", json!({}))).await.account.id;
    house.enter(2, "e1", json!({})).await;
    if remover_has_named_them {
        house.taken(said_over("hr", "e1", json!({}))).await;
    }
    house.taken(said_over("scim", "e1", json!({})).leaves()).await;
    let removed = house.taken(said_over("hr", "e1", json!({})).gone()).await;
    assert_eq!((removed.effect, removed.account.id), (RecordEffect::Parked, id));
    house.dismiss_leaves(id).await;
    let back = house.taken(said_over("scim", "e1", json!({}))).await;
    assert_eq!((back.effect, back.account.state), (RecordEffect::Returned, AccountState::Active));
}

#[tokio::test]
async fn a_dismissed_removal_keeps_nobody_out_whom_its_source_had_not_let_go() {
    comes_back_after_a_dismissed_removal(true).await;
}

#[tokio::test]
async fn a_dismissed_removal_keeps_nobody_out_of_whom_its_source_had_said_nothing() {
    comes_back_after_a_dismissed_removal(false).await;
}

#[tokio::test]
async fn a_dismissed_removal_brings_nobody_back_whom_its_source_had_let_go() {
    let house = house_of_two_sources(none_removed());
    let id = house.taken(said_over("scim", "e1", json!({}))).await.account.id;
    house.enter(2, "e1", json!({})).await;
    let end = house.clock.now() + chrono::TimeDelta::days(1);
    house.taken(said_over("hr", "e1", json!({})).until(end)).await;
    house.clock.advance(chrono::TimeDelta::days(2));
    house.work().await;
    let over = || Code::new("account.expired");
    let is_over = |account: &Account| matches!(&account.state, AccountState::Disabled { reason, .. } if *reason == over());
    assert!(is_over(&house.get(id).await));
    house.taken(said_over("scim", "e1", json!({})).leaves()).await;
    assert_eq!(house.taken(said_over("scim", "e1", json!({})).gone()).await.effect, RecordEffect::Parked);
    house.dismiss_leaves(id).await;
    let longer = house.clock.now() + chrono::TimeDelta::days(9);
    let extended = house.taken(said_over("hr", "e1", json!({})).until(longer)).await;
    assert!(is_over(&extended.account), "one source let them go: {:?}", extended.account.state);
}

impl House {
    /// The account of a person.
    async fn hear_of(&self, subject: &str) -> AccountId {
        let is_theirs =
            |account: &Account| account.identities.iter().any(|own| own.key.subject.as_str() == subject);
        self.all().await.into_iter().find(is_theirs).unwrap().id
    }
}
