//! Following the trail: clocks that are ahead or set back, many at once, and stores that fail or take their time.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;

use super::{
    house::{House, members},
    newcomers::{beside, join},
    support,
    watched::Watched,
};

async fn join_all(other: &support::House, names: &str, count: usize) {
    for n in 0..count {
        join(other, &format!("{names}{n:04}"), &["member"]).await;
    }
}

async fn work_twice(house: &House) {
    for _ in 0..2 {
        house.work_some(5_000).await.unwrap();
    }
}

fn is_there(house: &House, name: &str) -> bool {
    house.chat.accounts().contains_key(name)
}

#[tokio::test]
async fn who_joins_after_a_clock_was_set_back_is_found() {
    for hours in [1, 6] {
        let house = House::new(members());
        let other = beside(&house, TimeDelta::zero());
        house.work().await.unwrap();
        let both = |by| [&house.inner.clock, &other.clock].map(|clock| clock.advance(by));
        both(TimeDelta::hours(hours));
        join(&other, "early", &["member"]).await;
        house.pass_minutes(20).await;
        other.clock.advance(TimeDelta::minutes(20));
        join(&other, "before", &["member"]).await;
        house.work().await.unwrap();
        both(-TimeDelta::hours(hours));
        join(&other, "soon", &["member"]).await;
        house.work().await.unwrap();
        assert!(is_there(&house, "before") && is_there(&house, "soon"));
        house.pass_minutes(90).await;
        other.clock.advance(TimeDelta::minutes(90));
        join(&other, "later", &["member"]).await;
        house.work().await.unwrap();
        assert!(is_there(&house, "later"), "{hours} hours");
    }
}

#[tokio::test]
async fn who_joins_before_a_person_confirmed_the_clock_is_found_as_well() {
    let house = House::guarded(members());
    let other = beside(&house, TimeDelta::zero());
    house.pass_minutes(30).await;
    other.clock.advance(TimeDelta::minutes(30));
    join(&other, "before", &["member"]).await;
    house.work().await.unwrap();
    let _ = [&house.inner.clock, &other.clock].map(|clock| clock.jump(-TimeDelta::hours(6)));
    for n in 0..5 {
        let _ = house.work().await;
        join(&other, &format!("doubt{n}"), &["member"]).await;
        house.pass_minutes(60).await;
        other.clock.advance(TimeDelta::minutes(60));
    }
    assert!(house.inner.jit.time_doubt().is_some());
    assert!(!is_there(&house, "doubt0"), "nothing is followed while the clock is in doubt");
    house.inner.jit.confirm_time("anna").await.unwrap();
    join(&other, "after", &["member"]).await;
    work_twice(&house).await;
    assert!((0..5).all(|n| is_there(&house, &format!("doubt{n}"))) && is_there(&house, "after"));
}

#[tokio::test]
async fn more_than_a_page_by_a_clock_that_is_ahead_is_found_and_not_read_again() {
    let watched = Watched::new();
    let house = House::on_store(Arc::clone(&watched) as Arc<dyn Store>, members());
    house.work().await.unwrap();
    let ahead = beside(&house, TimeDelta::minutes(4));
    for n in 0..10 {
        join_all(&ahead, &format!("p{n}-"), 100).await;
        ahead.clock.advance(TimeDelta::seconds(2));
    }
    join(&beside(&house, TimeDelta::zero()), "now", &["member"]).await;
    for _ in 0..3 {
        house.work_some(5_000).await.unwrap();
        house.inner.clock.advance(TimeDelta::seconds(6));
    }
    assert_eq!(house.chat.accounts().len(), 1_001);
    house.work().await.unwrap();
    house.inner.clock.advance(TimeDelta::seconds(6));
    watched.reads();
    house.work().await.unwrap();
    assert!(watched.reads() < 400, "but for the last ones, which may not all be there yet");
    join(&ahead, "more", &["member"]).await;
    house.work().await.unwrap();
    assert!(is_there(&house, "more"));
}

#[tokio::test]
async fn what_was_under_way_while_very_many_came_is_found_in_the_next_round() {
    let house = House::new(members());
    house.work().await.unwrap();
    let (now, late) = (beside(&house, TimeDelta::zero()), beside(&house, TimeDelta::seconds(-3)));
    join_all(&now, "p", 1_000).await;
    work_twice(&house).await;
    // its event was made three seconds ago, and is written only now
    join(&late, "late", &["member"]).await;
    house.work_some(5_000).await.unwrap();
    assert!(is_there(&house, "late"));
}

#[tokio::test]
async fn a_store_that_fails_in_the_middle_of_a_page_goes_on_from_there() {
    let watched = Watched::new();
    let house = House::on_store(Arc::clone(&watched) as Arc<dyn Store>, members());
    house.work().await.unwrap();
    join_all(&beside(&house, TimeDelta::zero()), "p", 20).await;
    house.inner.clock.advance(TimeDelta::minutes(1));
    *watched.reads_left.lock().unwrap() = Some(5);
    house.work().await.unwrap_err();
    *watched.reads_left.lock().unwrap() = None;
    watched.reads();
    watched.calls.lock().unwrap().clear();
    house.work().await.unwrap();
    let calls = watched.calls.lock().unwrap().clone();
    let turn = calls.iter().skip_while(|call| **call != "about").take_while(|call| **call != "place");
    let looked = turn.filter(|call| **call == "get").count();
    assert_eq!(looked, 15, "whom it had marked is not looked at again");
    house.pass_minutes(20).await;
    assert_eq!(house.chat.accounts().len(), 20);
}
