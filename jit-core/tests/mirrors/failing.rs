//! A target that fails whomever it is asked for: asked seldom, told of once, and never given up.

use jit_core::*;
use serde_json::json;

use super::house::{House, members};

/// So many people of our own are there, in use.
async fn with_people(count: usize) -> (House, Vec<AccountId>) {
    let house = House::new(members());
    let mut people = Vec::new();
    for n in 0..count {
        let said = json!({"preferred_username": format!("p{n}"), "groups": ["member"]});
        people.push(house.inner.enter(0, &format!("p{n}"), said).await.account.id);
    }
    house.work().await.unwrap();
    house.alarms().await;
    (house, people)
}

async fn change_all(house: &House, count: usize, unit: &str) {
    for n in 0..count {
        let said = json!({"preferred_username": format!("p{n}"), "groups": ["member"], "department": unit});
        house.inner.enter(0, &format!("p{n}"), said).await;
    }
}

fn units(house: &House) -> Vec<Option<String>> {
    let accounts = house.chat.accounts().into_values();
    let mirrored = accounts.map(|account| account.mirrored.unwrap());
    mirrored.map(|one| one.attributes.get("unit").and_then(|unit| unit.first().cloned())).collect()
}

fn calls(house: &House) -> usize {
    house.script.counts().2
}

#[tokio::test]
async fn it_is_told_of_once_and_asked_once_in_a_while() {
    for fault in [TargetFault::Forbidden, TargetFault::Unreachable, TargetFault::Protocol] {
        let (house, _) = with_people(40).await;
        house.script.answer(Some(fault));
        change_all(&house, 40, "new").await;
        let before = calls(&house);
        house.pass_minutes(6 * 60).await;
        let asked = calls(&house) - before;
        assert!(
            (60..=100).contains(&asked),
            "{fault:?}: each five minutes in the end, and not for each: {asked}"
        );
        assert_eq!(house.alarms().await, ["target.failing"], "and nobody hears of each account");

        house.script.answer(None);
        house.pass_minutes(21).await;
        assert_eq!(units(&house), vec![Some("new".to_owned()); 40], "all are brought");
        assert_eq!(house.alarms().await, ["target.works_again"]);
    }
}

#[tokio::test]
async fn who_is_to_lose_access_is_tried_first_and_told_of() {
    let (house, people) = with_people(40).await;
    house.script.answer(Some(TargetFault::Unreachable));
    change_all(&house, 30, "new").await;
    house.pass_minutes(60).await;
    house.inner.administer(people[35], AdminAct::Suspend).await.unwrap();
    house.pass_minutes(60).await;
    assert_eq!(house.alarms().await, ["target.failing", "mirror.overdue"]);
    house.script.answer(None);
    house.pass_minutes(6).await;
    assert!(!house.chat.accounts()["p35"].enabled, "once it works, at the next attempt or the one after it");
    house.pass_minutes(20).await;
    assert_eq!(units(&house).iter().flatten().count(), 30);
    assert_eq!(house.alarms().await, ["target.works_again", "mirror.overdue_over"]);
}

#[tokio::test]
async fn what_one_person_is_refused_is_no_failure_of_the_target() {
    for fault in [TargetFault::Name, TargetFault::Entitlement, TargetFault::Limit] {
        let (house, _) = with_people(20).await;
        house.script.answer(Some(fault));
        change_all(&house, 20, "new").await;
        house.pass_minutes(40).await;
        let alarms = house.alarms().await;
        assert!(alarms.iter().all(|about| about == "mirror.overdue") && alarms.len() == 20, "{alarms:?}");
    }
    let (house, _) = with_people(40).await;
    house.script.answer(Some(TargetFault::Forbidden));
    change_all(&house, 9, "new").await;
    house.pass_minutes(40).await;
    let alarms = house.alarms().await;
    assert!(alarms.iter().all(|about| about == "mirror.overdue") && alarms.len() == 9, "a few: {alarms:?}");
}
