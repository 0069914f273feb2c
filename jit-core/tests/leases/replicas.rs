//! A target of several servers, which learn late of what one of them was told.

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

const SETTLES: i64 = 15;

fn house() -> House {
    let house = run(House::settling(TimeDelta::minutes(SETTLES))).unwrap();
    house.directory.plant(PERSON);
    house
}

async fn is_over(house: &House) -> bool {
    let id = house.trail().await.iter().find_map(|event| event.account).unwrap();
    let lease = house.lease(id).await;
    matches!(lease.phase, Phase::Gone { .. }) && !lease.is_live()
}

#[tokio::test]
async fn what_another_server_made_before_the_process_died_is_removed_when_ours_learns_of_it() {
    for in_flight in [0, 119] {
        let mut house = house();
        house.script.lose_effect_elsewhere(in_flight);
        assert!(run(house.jit.check_out(&house.request(240, None))).is_none(), "it died");
        house.restart();
        // ours is asked for the first time when no call can be on its way any longer, and knows of nothing
        house.pass_minutes(3).await;
        assert_eq!(house.directory.accounts().len(), 1, "only the person");
        assert!(!is_over(&house).await, "that ours has not heard of it proves nothing yet");
        house.pass_minutes(SETTLES + 12).await;
        assert_eq!(house.directory.accounts().len(), 1, "what came with the replication is gone");
        house.pass_minutes(SETTLES + 12).await;
        assert!(is_over(&house).await);
    }
}

#[tokio::test]
async fn what_another_server_gave_to_a_person_before_the_process_died_is_taken_when_ours_learns_of_it() {
    for in_flight in [0, 119] {
        let mut house = house();
        house.script.lose_effect_elsewhere(in_flight);
        assert!(run(house.lift("lift", 240)).is_none(), "it died");
        house.restart();
        house.pass_minutes(3 + SETTLES + 12).await;
        assert!(!house.person_holds("ops"));
        house.pass_minutes(SETTLES + 12).await;
        assert!(is_over(&house).await);
    }
}

#[tokio::test]
async fn what_nobody_knows_the_outcome_of_is_not_made_again_before_every_server_shows_it() {
    let mut house = house();
    house.script.lose_effect_elsewhere(0);
    assert!(run(house.jit.check_out(&house.request(240, Some("once")))).is_none(), "it died");
    house.restart();
    house.clock.advance(TimeDelta::minutes(3));
    let again = house.jit.check_out(&house.request(240, Some("once"))).await;
    assert_eq!(code_of(again), "lease.in_progress", "a second one would bear the same name");
    assert_eq!(house.directory.accounts().len(), 1);
}

#[tokio::test]
async fn what_another_server_may_have_taken_is_not_lent_before_every_server_shows_it() {
    let mut house = house();
    let lent = house.lift("lift", 240).await.unwrap();
    house.script.lose_effect_elsewhere(0);
    assert!(run(house.check_in(lent.lease)).is_none(), "it died");
    house.restart();
    house.clock.advance(TimeDelta::minutes(3));
    // ours still shows it, and would lose it
    assert_eq!(code_of(house.lift("lift", 30).await), "lease.in_progress");
    house.clock.advance(TimeDelta::minutes(SETTLES));
    house.lift("lift", 30).await.unwrap();
    assert!(house.person_holds("ops"));
}
