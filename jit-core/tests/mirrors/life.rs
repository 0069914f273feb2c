//! What people see: whoever comes, changes and goes here does so there.

use std::num::NonZeroUsize;

use jit_core::*;
use serde_json::json;

use super::{
    house::{House, chat, members},
    support::tenant,
};

fn anna(active: bool, holds: &[&str]) -> Vec<(String, bool, Vec<String>)> {
    vec![("anna".into(), active, holds.iter().map(|name| (*name).to_owned()).collect())]
}

#[tokio::test]
async fn whoever_comes_is_there_with_what_is_handed_out_and_nothing_else() {
    let house = House::new(members());
    let id = house.enter(&["member", "editor"]).await;
    assert_eq!(house.there(), [], "nobody waits for it");
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(true, &["Editors"]));
    let account = house.chat.accounts()["anna"].clone();
    let mirrored = account.mirrored.unwrap();
    assert_eq!(mirrored.email.as_deref(), Some("anna@acme.example"));
    assert_eq!(mirrored.attributes, [("unit".to_owned(), vec!["Research".to_owned()])].into());
    assert_eq!(mirrored.display_name, None);
    let mirror = house.mirror(id).await.unwrap();
    assert_eq!((mirror.state, mirror.native), (MirrorState::Present, Some(account.native)));
    assert_eq!(mirror.task, None, "there is nothing left to do");
    assert_eq!(house.actions().await, ["mirror.made"]);
}

#[tokio::test]
async fn a_second_sign_in_brings_nothing() {
    let house = House::new(members());
    house.enter(&["member"]).await;
    house.work().await.unwrap();
    let (_, _, effects, _) = house.script.counts();
    house.enter(&["member"]).await;
    assert_eq!(house.work().await.unwrap(), WorkReport::default());
    assert_eq!(house.script.counts().2, effects);
}

#[tokio::test]
async fn whoever_is_not_among_those_that_are_mirrored_is_not_there() {
    let house = House::new(members());
    let id = house.enter(&["guest"]).await;
    assert_eq!(house.work().await.unwrap(), WorkReport::default());
    assert_eq!((house.there(), house.mirror(id).await), (vec![], None));
    house.enter(&["guest", "member"]).await;
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(true, &[]));
}

#[tokio::test]
async fn what_is_lost_here_is_lost_there_and_what_others_gave_stays() {
    let house = House::new(members());
    house.enter(&["member", "editor"]).await;
    house.work().await.unwrap();
    house.chat.join("anna", "Choir");
    house.enter(&["member"]).await;
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(true, &["Choir"]));
    assert_eq!(house.actions().await, ["mirror.made", "mirror.changed"]);
}

#[tokio::test]
async fn whoever_is_suspended_keeps_their_place() {
    let house = House::new(members());
    let id = house.enter(&["member", "editor"]).await;
    house.work().await.unwrap();
    house.inner.administer(id, AdminAct::Suspend).await.unwrap();
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(false, &["Editors"]));
    house.inner.administer(id, AdminAct::Reactivate).await.unwrap();
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(true, &["Editors"]));
}

#[tokio::test]
async fn whoever_ends_is_stopped_or_removed() {
    for (mirroring, left) in [(members(), anna(false, &[])), (members().removing(), vec![])] {
        let house = House::new(mirroring);
        let id = house.enter(&["member", "editor"]).await;
        house.work().await.unwrap();
        house.inner.administer(id, AdminAct::End).await.unwrap();
        house.work().await.unwrap();
        assert_eq!(house.there(), left);
        assert_eq!(house.work().await.unwrap(), WorkReport::default(), "it is over");
    }
}

#[tokio::test]
async fn what_is_taken_goes_before_whoever_comes() {
    let house = House::new(members());
    let id = house.enter(&["member", "editor"]).await;
    let other = json!({"preferred_username": "other", "groups": ["member"]});
    let other = house.inner.enter(0, "other", other).await.account.id;
    house.work().await.unwrap();
    // a change that waits becomes an end
    house.inner.administer(other, AdminAct::Suspend).await.unwrap();
    house.inner.administer(other, AdminAct::Reactivate).await.unwrap();
    for n in 0..20 {
        let said = json!({"preferred_username": format!("p{n}"), "groups": ["member"]});
        house.inner.enter(0, &format!("p{n}"), said).await;
    }
    house.inner.clock.advance(chrono::TimeDelta::minutes(1));
    house.inner.administer(other, AdminAct::Suspend).await.unwrap();
    house.enter(&["member"]).await;
    let limit = NonZeroUsize::new(2).unwrap();
    house.inner.jit.work_target(&WorkerId::new("w1").unwrap(), &chat(), limit).await.unwrap();
    let there = |name: &str| house.there().into_iter().find(|(other, ..)| other == name);
    assert_eq!(there("anna").unwrap().2, Vec::<String>::new(), "nobody has to wait for a queue of others");
    assert!(!there("other").unwrap().1);
    assert_eq!(house.there().len(), 2);
    house.work().await.unwrap();
    assert_eq!(house.there().len(), 22);
    assert!(house.inner.get(id).await.mirror(&chat()).unwrap().task.is_none());
    assert_eq!(house.work().await.unwrap(), WorkReport::default(), "nothing is left behind");
}

#[tokio::test]
async fn an_end_by_time_reaches_the_application_without_a_sign_in() {
    let house = House::new(members());
    let id = house.enter(&["member"]).await;
    house.work().await.unwrap();
    let at = Some(house.inner.clock.now() + chrono::TimeDelta::hours(1));
    house.inner.administer(id, AdminAct::SetEnd(at)).await.unwrap();
    house.pass_minutes(59).await;
    assert_eq!(house.there(), anna(true, &[]));
    house.pass_minutes(2).await;
    assert_eq!(house.there(), anna(false, &[]));
}

#[tokio::test]
async fn a_stranger_with_the_name_is_left_alone() {
    let house = House::new(members().removing());
    house.chat.plant("anna");
    let before = house.chat.accounts();
    let id = house.enter(&["member"]).await;
    house.work().await.unwrap();
    assert_eq!(house.chat.accounts(), before);
    let mirror = house.mirror(id).await.unwrap();
    assert_eq!(mirror.state, MirrorState::Refused { code: Code::new("mirror.stranger") });
    assert_eq!(house.alarms().await, ["mirror.refused"]);
    house.inner.administer(id, AdminAct::End).await.unwrap();
    house.work().await.unwrap();
    assert_eq!(house.chat.accounts(), before, "they do not end with somebody else");
}

#[tokio::test]
async fn one_that_is_gone_there_is_made_anew_when_asked_for() {
    let house = House::new(members());
    let id = house.enter(&["member"]).await;
    house.work().await.unwrap();
    house.chat.take_out("anna");
    let limit = std::num::NonZeroUsize::new(10).unwrap();
    let (marked, next) = house.inner.jit.mirror_anew(None, &tenant(), &chat(), None, limit).await.unwrap();
    assert_eq!((marked, next), (1, None));
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(true, &[]));
    assert_eq!(house.mirror(id).await.unwrap().native.as_deref(), Some("id-2"));
}

#[tokio::test]
async fn what_a_target_refuses_is_let_go_of_by_a_person_and_nothing_else_is() {
    let house = House::new(members());
    let id = house.enter(&["member"]).await;
    house.work().await.unwrap();
    let let_go = async || house.inner.jit.let_go_of_mirrored(None, &tenant(), &chat(), id, "root").await;
    assert_eq!(let_go().await.unwrap_err().code().as_str(), "mirror.not_refused");
    // somebody over there took our mark from it, and later removed it
    house.chat.mark("anna", None);
    let limit = std::num::NonZeroUsize::new(10).unwrap();
    house.inner.jit.mirror_anew(None, &tenant(), &chat(), None, limit).await.unwrap();
    house.work().await.unwrap();
    assert!(matches!(house.mirror(id).await.unwrap().state, MirrorState::Refused { .. }));
    house.chat.take_out("anna");
    let_go().await.unwrap();
    let mirror = house.mirror(id).await.unwrap();
    assert_eq!((mirror.native, mirror.state), (None, MirrorState::Waiting));
    assert_eq!(house.actions().await.last().unwrap(), "mirror.let_go");
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(true, &[]));
}

#[tokio::test]
async fn a_forecast_tells_what_would_come_and_changes_nothing() {
    let house = House::new(members());
    house.enter(&["member"]).await;
    let limit = std::num::NonZeroUsize::new(10).unwrap();
    let page = house.inner.jit.forecast_mirror(None, &tenant(), &chat(), None, limit).await.unwrap();
    assert!(
        matches!(&page.items[..], [forecast] if forecast.differs && matches!(forecast.wanted, Wanted::There(_)))
    );
    assert_eq!(house.there(), []);
    house.work().await.unwrap();
    let page = house.inner.jit.forecast_mirror(None, &tenant(), &chat(), None, limit).await.unwrap();
    assert!(!page.items[0].differs);
}

#[tokio::test]
async fn an_application_that_is_down_hears_of_it_later_and_somebody_is_told() {
    let house = House::new(members());
    house.enter(&["member"]).await;
    house.script.answer(Some(TargetFault::Unreachable));
    house.pass_minutes(20).await;
    assert_eq!(house.there(), []);
    assert_eq!(house.alarms().await, ["mirror.overdue"]);
    house.script.answer(None);
    house.pass_minutes(20).await;
    assert_eq!(house.there(), anna(true, &[]));
    assert_eq!(house.alarms().await, ["mirror.overdue_over"]);
    let actions = house.actions().await;
    let told = actions.iter().filter(|action| action.starts_with("mirror.overdue")).collect::<Vec<_>>();
    assert_eq!(told, ["mirror.overdue", "mirror.overdue_over"], "the trail tells both: {actions:?}");
}

#[tokio::test]
async fn what_is_mirrored_is_no_orphan_of_a_lease() {
    let house = House::new(members());
    house.enter(&["member"]).await;
    house.work().await.unwrap();
    let found = house.inner.jit.reconcile(None, &tenant(), &chat(), ReconcileMode::Report).await.unwrap();
    assert_eq!((found.seen, found.suspects.len()), (1, 0));
}

#[tokio::test]
async fn an_engine_without_the_target_lets_the_one_that_has_it_know() {
    let house = House::new(members());
    let id = house.enter(&["member"]).await;
    house.work().await.unwrap();
    let clock = std::sync::Arc::clone(&house.inner.clock) as std::sync::Arc<dyn Clock>;
    let store = std::sync::Arc::clone(&house.inner.store);
    let other =
        Jit::builder(store).clock(clock).entropy(std::sync::Arc::new(SeededEntropy::new(9))).build().unwrap();
    let (tenant, act) = (tenant(), AdminAct::End);
    let request = AdminRequest { tenant, store: None, account: id, act, by: "root".into() };
    other.administer(&request).await.unwrap().unwrap();
    assert_eq!(other.missing_targets().await.unwrap(), [chat()].into());
    house.work().await.unwrap();
    assert_eq!(house.there(), anna(false, &[]));
}
