//! What others change in a target: looked for some accounts at a time, told of once, and overwritten where that is said.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;

use super::house::{House, chat, members};

const DRIFTED: &str = "mirror.drifted";

fn daily() -> DriftLook {
    DriftLook::each(TimeDelta::days(1))
}

fn overwriting(most: u32) -> Mirroring {
    members().looking_for_drift(daily().overwriting(NonZeroU32::new(most).unwrap()))
}

fn reporting() -> Mirroring {
    members().looking_for_drift(daily())
}

/// So many people stand there, and the first round of looks is over.
async fn with_people(count: usize, mirroring: Mirroring) -> (House, Vec<AccountId>) {
    let house = House::new(mirroring);
    let mut people = Vec::new();
    for n in 0..count {
        let name = format!("p{n}");
        let said = json!({"preferred_username": name, "groups": ["member", "editor"], "department": "old"});
        people.push(house.inner.enter(0, &name, said).await.account.id);
    }
    house.pass_minutes(20).await;
    assert_eq!(house.chat.accounts().len(), count);
    assert_eq!(house.alarms().await, [""; 0], "nothing differs");
    (house, people)
}

/// What the trail says of the accounts that differed.
async fn found(house: &House) -> Vec<Vec<String>> {
    let trail = house.inner.trail().await.into_iter();
    let found = trail.filter(|event| event.action.as_str() == DRIFTED && event.account.is_some());
    found.map(|event| event.changes).collect()
}

/// How often the target was asked how an account differs.
fn looks_at(house: &House) -> usize {
    house.script.looks.load(std::sync::atomic::Ordering::SeqCst)
}

async fn pass_a_day(house: &House) {
    house.inner.clock.advance(TimeDelta::days(1) - TimeDelta::minutes(10));
    house.pass_minutes(20).await;
}

#[tokio::test]
async fn what_others_changed_is_told_of_once_and_left_as_it_is() {
    let (house, _) = with_people(4, reporting()).await;
    house.chat.shut("p0");
    house.chat.leave("p1", "Editors");
    house.chat.write("p2", "unit", &["new"]);
    let gone = house.chat.take_out("p3").unwrap();
    let before = house.chat.accounts();
    house.pass_minutes(30).await;
    assert_eq!(house.alarms().await, [""; 0], "not before it is time to look");
    for _ in 0..3 {
        pass_a_day(&house).await;
    }
    assert_eq!(house.alarms().await, [DRIFTED], "one alarm for all, and once");
    assert_eq!(
        found(&house).await,
        [
            vec!["at chat", "differs in active"],
            vec!["at chat", "lacks Editors"],
            vec!["at chat", "differs in unit"],
            vec!["at chat", "is missing"],
        ]
    );
    assert_eq!(house.chat.accounts(), before, "nothing is touched");
    house.chat.put_back("p3", gone);
    pass_a_day(&house).await;
    house.chat.take_out("p3");
    pass_a_day(&house).await;
    assert_eq!(house.alarms().await, [DRIFTED], "what was well in between is told of anew");
}

#[tokio::test]
async fn what_others_changed_is_overwritten_where_that_is_said() {
    let (house, people) = with_people(5, overwriting(10)).await;
    let before = house.there();
    house.inner.administer(people[4], AdminAct::Suspend).await.unwrap();
    house.pass_minutes(2).await;
    house.chat.shut("p0");
    house.chat.leave("p1", "Editors");
    house.chat.write("p2", "unit", &["new"]);
    house.chat.take_out("p3");
    house.chat.open("p4");
    pass_a_day(&house).await;
    let mut wanted = before.clone();
    wanted[4].1 = false;
    assert_eq!(house.there(), wanted);
    assert_eq!(house.chat.accounts()["p2"].mirrored.as_ref().unwrap().attributes["unit"], ["old"]);
    assert_eq!(house.alarms().await, [DRIFTED]);
    let told = found(&house).await;
    assert_eq!(
        (told.len(), told[4].clone()),
        (5, vec!["at chat".into(), "is in use".into(), "overwritten".into()])
    );
    for _ in 0..2 {
        pass_a_day(&house).await;
    }
    assert_eq!(house.alarms().await, [""; 0]);
}

#[tokio::test]
async fn no_more_is_overwritten_in_a_round_than_is_said_but_for_access() {
    let (house, people) = with_people(12, overwriting(3)).await;
    house.inner.administer(people[11], AdminAct::Suspend).await.unwrap();
    house.pass_minutes(2).await;
    for n in 0..11 {
        house.chat.take_out(&format!("p{n}"));
    }
    house.chat.open("p11");
    pass_a_day(&house).await;
    let there = house.there();
    assert_eq!(there.len(), 4, "three, and the one that was there: {there:?}");
    assert!(
        there.iter().all(|(name, enabled, _)| *enabled == (name != "p11")),
        "access is taken all the same"
    );
    assert_eq!(house.alarms().await, [DRIFTED]);
    let event = house.inner.house_trail().await.into_iter().find(|event| event.action.as_str() == DRIFTED);
    let counts = "12 of 12 differ, 4 overwritten, 0 as before, 0 unseen";
    assert_eq!(event.unwrap().changes, ["at chat", counts]);
}

#[tokio::test]
async fn what_there_was_no_room_for_is_overwritten_in_the_next_rounds_and_not_told_anew() {
    let (house, _) = with_people(7, overwriting(3)).await;
    for n in 0..7 {
        house.chat.take_out(&format!("p{n}"));
    }
    for there in [3, 6, 7, 7] {
        pass_a_day(&house).await;
        assert_eq!(house.there().len(), there);
    }
    assert_eq!(house.alarms().await, [DRIFTED], "of the first round");
}

#[tokio::test]
async fn what_an_application_keeps_in_its_own_way_is_overwritten_once() {
    let (house, _) = with_people(1, overwriting(10)).await;
    for _ in 0..4 {
        house.chat.write("p0", "unit", &["OLD"]);
        let before = house.script.counts().2;
        pass_a_day(&house).await;
        let calls = house.script.counts().2 - before;
        house.chat.write("p0", "unit", &["OLD"]);
        assert!(calls <= 1, "{calls}");
    }
    assert_eq!(house.alarms().await, [DRIFTED]);
    assert_eq!(found(&house).await.len(), 1);
}

#[tokio::test]
async fn some_are_looked_at_in_a_turn_by_one_node_at_a_time_and_a_restart_goes_on() {
    let (house, _) = with_people(120, reporting()).await;
    house.inner.clock.advance(TimeDelta::days(1));
    let other = house.beside_with(reporting());
    let mut looks = Vec::new();
    for _ in 0..8 {
        let before = looks_at(&house);
        house.script.interleave(true);
        let (one, two) = tokio::join!(house.work(), other.work());
        house.script.interleave(false);
        assert!(one.is_ok() && two.is_ok());
        looks.push(looks_at(&house) - before);
        // This process ends, and another begins.
        let restarted = house.beside_with(reporting());
        let before = looks_at(&house);
        restarted.work().await.unwrap();
        looks.push(looks_at(&house) - before);
    }
    assert_eq!(looks.iter().sum::<usize>(), 120, "each once: {looks:?}");
    assert!(looks.iter().all(|count| *count <= 50), "{looks:?}");
    house.pass_minutes(60).await;
    assert_eq!(looks_at(&house), 240, "and not again before it is time");
}

#[tokio::test]
async fn a_round_tells_how_far_it_is_and_what_the_last_one_found() {
    let (house, _) = with_people(60, reporting()).await;
    let rounds = async || house.inner.jit.drift_rounds(None, &chat()).await.unwrap();
    let first = rounds().await.last.unwrap();
    let began = house.inner.clock.now() - TimeDelta::minutes(20);
    assert!(first.began >= began && first.ended.unwrap() >= first.began);
    house.chat.take_out("p3");
    house.inner.clock.advance(TimeDelta::days(1));
    let now = house.inner.clock.now();
    house.work().await.unwrap();
    let under_way = rounds().await;
    let round = under_way.now.unwrap();
    assert_eq!((round.began, round.ended, round.looked, round.differing), (now, None, 25, 1));
    assert_eq!((under_way.last, under_way.next), (Some(first), Some(now)));
    for _ in 0..4 {
        house.work().await.unwrap();
    }
    let over = rounds().await;
    assert_eq!((over.now, over.next), (None, Some(now + TimeDelta::days(1))));
    let last = over.last.unwrap();
    assert_eq!((last.began, last.ended, last.looked, last.differing), (now, Some(now), 60, 1));
    let unasked = House::new(members());
    assert_eq!(unasked.inner.jit.drift_rounds(None, &chat()).await.unwrap(), DriftRounds::default());
    let unknown = TargetId::new("elsewhere").unwrap();
    let refused = house.inner.jit.drift_rounds(None, &unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::new("mirror.unknown_target"));
}

#[tokio::test]
async fn a_target_that_cannot_be_asked_shows_no_drift_and_is_asked_seldom() {
    let (house, people) = with_people(30, overwriting(100)).await;
    let before = house.there();
    house.script.answer(Some(TargetFault::Unreachable));
    house.inner.clock.advance(TimeDelta::days(1));
    let looks = looks_at(&house);
    house.pass_minutes(30).await;
    assert!(looks_at(&house) - looks <= 10, "{}", looks_at(&house) - looks);
    house.script.answer_for(Some(vec![people[3]]), Some(TargetFault::Forbidden));
    house.chat.shut("p7");
    house.pass_minutes(60).await;
    assert_eq!(house.there(), before, "one that fails keeps nobody from the others");
    assert_eq!(house.alarms().await, [DRIFTED]);
}

#[tokio::test]
async fn nobody_looks_while_the_target_is_left_alone_or_unasked() {
    let (house, people) = with_people(30, reporting()).await;
    // That it worked for them no longer counts.
    house.pass_minutes(20).await;
    let failing = people[..12].to_vec();
    house.script.answer_for(Some(failing), Some(TargetFault::Forbidden));
    for n in 0..12 {
        let name = format!("p{n}");
        let said = json!({"preferred_username": name, "groups": ["member", "editor"], "department": "new"});
        house.inner.enter(0, &name, said).await;
    }
    house.pass_minutes(4).await;
    assert!(house.inner.jit.target_quarantine(&chat()).await.unwrap().is_some());
    let looks = looks_at(&house);
    house.inner.clock.advance(TimeDelta::days(1));
    house.work().await.unwrap();
    assert_eq!(looks_at(&house), looks);

    let unasked = House::new(members());
    unasked.enter(&["member"]).await;
    pass_a_day(&unasked).await;
    assert_eq!(looks_at(&unasked), 0, "nobody looks unless that is said");
}

#[tokio::test]
async fn nobody_looks_while_the_clock_is_in_doubt() {
    let house = House::guarded(reporting());
    house.enter(&["member"]).await;
    house.pass_minutes(20).await;
    let looks = looks_at(&house);
    house.inner.clock.jump(TimeDelta::days(2));
    for _ in 0..3 {
        house.work().await.unwrap();
    }
    assert_eq!(looks_at(&house), looks, "by a clock that jumped");
    house.inner.clock.jump(-TimeDelta::days(2));
    house.work().await.unwrap();
    assert_eq!(looks_at(&house), looks, "nor when it is set right, before it is time");
    pass_a_day(&house).await;
    assert_eq!(looks_at(&house), looks + 1);
}

#[test]
fn nobody_looks_more_often_than_each_hour() {
    assert_eq!(DriftLook::each(TimeDelta::minutes(1)), DriftLook::each(TimeDelta::hours(1)));
    assert_eq!(DriftLook::each(TimeDelta::MAX), DriftLook::each(TimeDelta::days(366)));
}
