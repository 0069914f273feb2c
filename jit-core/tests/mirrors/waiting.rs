//! Sign-ins that wait until the person stands there, and those that do not.

use jit_core::*;

use super::{
    house::{House, members},
    support::tenant,
};

fn waiting() -> Mirroring {
    members().waited_for_by(ConnectionId::new("main").unwrap())
}

#[tokio::test]
async fn whoever_waits_is_there_when_they_are_in() {
    let house = House::new(waiting());
    let id = house.enter(&["member"]).await;
    assert_eq!(house.there().len(), 1);
    assert_eq!(house.mirror(id).await.unwrap().task, None);
    assert_eq!(house.work().await.unwrap(), WorkReport::default());
}

#[tokio::test]
async fn another_connection_does_not_wait() {
    let house = House::new(waiting());
    house.inner.enter(1, "anna", House::said(&["member"])).await;
    assert_eq!(house.there().len(), 0);
    house.work().await.unwrap();
    assert_eq!(house.there().len(), 1);
}

#[tokio::test]
async fn an_application_that_is_down_keeps_them_out_until_it_is_back() {
    let house = House::new(waiting());
    house.script.answer(Some(TargetFault::Unreachable));
    let event = || house.inner.event(0, "anna", House::said(&["member"]));
    let error = house.inner.jit.handle(event()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), (Code::new("target.unreachable"), ErrorClass::Transient));
    assert_eq!(house.inner.all().await.len(), 1, "they are known here");
    house.script.answer(None);
    assert!(matches!(house.inner.jit.handle(event()).await.unwrap(), Outcome::SignedIn(_)));
    assert_eq!(house.there().len(), 1);
}

#[tokio::test]
async fn whoever_gave_up_waiting_is_brought_by_a_worker() {
    let house = House::new(waiting());
    house.script.answer(Some(TargetFault::Unreachable));
    let event = house.inner.event(0, "anna", House::said(&["member"]));
    house.inner.jit.handle(event).await.unwrap_err();
    house.script.answer(None);
    assert_eq!(house.work().await.unwrap(), WorkReport::default(), "they may still be at it");
    house.pass_minutes(2).await;
    assert_eq!(house.there().len(), 1);
}

#[tokio::test]
async fn somebody_whose_name_is_taken_there_is_not_let_in() {
    let house = House::new(waiting());
    house.chat.plant("anna");
    let event = house.inner.event(0, "anna", House::said(&["member"]));
    assert_eq!(house.inner.jit.handle(event).await.unwrap_err().code(), Code::new("mirror.not_there"));
    let tenant = tenant();
    assert!(house.inner.store.named(&tenant, "anna").await.unwrap().is_some());
}
