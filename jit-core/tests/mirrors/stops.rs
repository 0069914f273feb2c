//! The guard against a mistake that would empty the application.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;

use super::{
    faulty::Fault,
    house::{House, chat, members},
    support::tenant,
};

fn limit(at_least: u32, percent: u8) -> StopLimit {
    StopLimit { at_least, percent, at_most: NonZeroU32::new(50).unwrap(), within: TimeDelta::days(1) }
}

/// Twenty people are there, and all of them end here.
async fn twenty_end(mirroring: Mirroring) -> House {
    let house = House::new(mirroring);
    let mut people = Vec::new();
    for n in 0..20 {
        let said = json!({"preferred_username": format!("p{n}"), "groups": ["member"]});
        people.push(house.inner.enter(0, &format!("p{n}"), said).await.account.id);
    }
    house.work().await.unwrap();
    for id in people {
        house.inner.administer(id, AdminAct::End).await.unwrap();
    }
    house
}

fn in_use(house: &House) -> usize {
    house.there().iter().filter(|(_, active, _)| *active).count()
}

#[tokio::test]
async fn no_more_are_stopped_than_the_number_allows() {
    let house = twenty_end(members().stopping_no_more_than(limit(3, 0))).await;
    house.work().await.unwrap();
    assert_eq!(in_use(&house), 17);
    house.pass_minutes(60).await;
    assert_eq!(in_use(&house), 17, "trying again does not help");
    let alarms = house.alarms().await;
    assert_eq!(alarms.iter().filter(|about| *about == "mirror.parked").count(), 17, "each is told once");
}

#[tokio::test]
async fn no_more_are_stopped_than_the_share_allows() {
    let house = twenty_end(members().stopping_no_more_than(limit(1, 25))).await;
    house.work().await.unwrap();
    assert_eq!(in_use(&house), 15);
}

#[tokio::test]
async fn there_is_a_bound_though_nobody_said_one() {
    let role = Entitlement::role("member").unwrap();
    let house = twenty_end(Mirroring::of_holders([role])).await;
    house.work().await.unwrap();
    assert_eq!(in_use(&house), 15);
    let house = twenty_end(members()).await;
    house.work().await.unwrap();
    assert_eq!(in_use(&house), 0, "it was said that any number may go");
}

#[tokio::test]
async fn an_administrator_lets_them_go() {
    let house = twenty_end(members().removing().stopping_no_more_than(limit(3, 0))).await;
    house.work().await.unwrap();
    house.inner.jit.allow_stops(None, &tenant(), &chat(), 5, "root").await.unwrap();
    house.pass_minutes(16).await;
    assert_eq!(house.there().len(), 12);
    house.inner.jit.allow_stops(None, &tenant(), &chat(), 100, "root").await.unwrap();
    house.pass_minutes(16).await;
    assert_eq!(house.there(), []);
}

#[tokio::test]
async fn what_was_allowed_right_before_the_span_ends_is_not_lost_with_it() {
    let house = twenty_end(members().removing().stopping_no_more_than(limit(3, 0))).await;
    house.work().await.unwrap();
    // from nine in the morning until ten minutes before midnight
    house.inner.clock.advance(TimeDelta::minutes(14 * 60 + 50));
    house.inner.jit.allow_stops(None, &tenant(), &chat(), 17, "root").await.unwrap();
    house.inner.clock.advance(TimeDelta::minutes(10));
    house.pass_minutes(16).await;
    assert_eq!(house.there(), []);
}

#[tokio::test]
async fn what_was_allowed_long_ago_lets_nobody_go() {
    let house = twenty_end(members().removing().stopping_no_more_than(limit(0, 0))).await;
    house.inner.jit.allow_stops(None, &tenant(), &chat(), 17, "root").await.unwrap();
    house.inner.clock.advance(TimeDelta::days(2));
    house.pass_minutes(16).await;
    assert_eq!(house.there().len(), 20, "it was for the span that ran and the next");
}

/// Somebody who is out of use comes back as they were; one who is removed does not.
#[tokio::test]
async fn no_more_of_those_who_are_out_of_use_are_removed_than_the_number_allows() {
    let house = House::new(members().removing().stopping_no_more_than(limit(3, 0)));
    let mut people = Vec::new();
    for n in 0..20 {
        let said = json!({"preferred_username": format!("p{n}"), "groups": ["member"]});
        people.push(house.inner.enter(0, &format!("p{n}"), said).await.account.id);
    }
    house.work().await.unwrap();
    house.inner.jit.allow_stops(None, &tenant(), &chat(), 17, "root").await.unwrap();
    for id in &people {
        house.inner.administer(*id, AdminAct::Suspend).await.unwrap();
    }
    house.work().await.unwrap();
    assert_eq!((in_use(&house), house.there().len()), (0, 20));
    house.inner.clock.advance(TimeDelta::days(2));
    for id in &people {
        house.inner.administer(*id, AdminAct::End).await.unwrap();
    }
    house.work().await.unwrap();
    assert_eq!(house.there().len(), 17);
    let mut waiting = 0;
    for id in &people {
        let mirror = house.mirror(*id).await.filter(Mirror::may_be_there);
        assert!(mirror.as_ref().is_none_or(|mirror| !mirror.may_be_in_use()));
        waiting += usize::from(mirror.is_some());
    }
    assert_eq!(waiting, 17);
    house.inner.jit.allow_stops(None, &tenant(), &chat(), 17, "root").await.unwrap();
    house.pass_minutes(16).await;
    assert_eq!(house.there(), []);
}

#[tokio::test]
async fn whoever_comes_back_meanwhile_is_not_stopped() {
    let house = House::new(members().stopping_no_more_than(limit(0, 0)));
    let id = house.enter(&["member"]).await;
    house.work().await.unwrap();
    house.inner.administer(id, AdminAct::Suspend).await.unwrap();
    house.work().await.unwrap();
    assert!(matches!(house.mirror(id).await.unwrap().state, MirrorState::Parked { .. }));
    house.inner.administer(id, AdminAct::Reactivate).await.unwrap();
    house.pass_minutes(20).await;
    assert_eq!(in_use(&house), 1);
    assert_eq!(house.mirror(id).await.unwrap().state, MirrorState::Present);
}

#[tokio::test]
async fn whoever_may_be_there_by_a_lost_answer_is_not_forgotten_while_they_wait() {
    let house = House::new(members().stopping_no_more_than(limit(0, 0)));
    let id = house.enter(&["member"]).await;
    // four lanes, the account, written ahead; then the call takes effect, and its answer is lost
    house.script.at(6, Fault::FailAfter);
    house.work().await.unwrap();
    assert_eq!((in_use(&house), house.mirror(id).await.unwrap().native), (1, None));
    house.inner.administer(id, AdminAct::End).await.unwrap();
    house.pass_minutes(40).await;
    assert_eq!(in_use(&house), 1, "nobody allowed it");
    house.inner.jit.allow_stops(None, &tenant(), &chat(), 1, "root").await.unwrap();
    house.pass_minutes(20).await;
    assert_eq!(in_use(&house), 0);
}
