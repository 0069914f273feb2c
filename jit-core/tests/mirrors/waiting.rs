//! Sign-ins that wait until the person stands there, those that do not, and records, which never do.

use std::sync::Arc;

use jit_core::*;
use serde_json::Value;

use super::{
    house::{House, chat, members},
    support::{self, Wire, claims, issuer, tenant, wire},
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

/// An earlier call may still take effect, so that the target is asked again later: that is a worker's.
#[tokio::test]
async fn whoever_is_refused_is_asked_for_once_though_an_earlier_call_has_no_answer() {
    let house = House::new(waiting());
    let event = || house.inner.event(0, "anna", House::said(&["member"]));
    house.script.answer(Some(TargetFault::Unreachable));
    let unreachable = house.inner.jit.handle(event()).await.unwrap_err();
    assert_eq!(unreachable.code(), Code::new("target.unreachable"));
    house.script.answer(None);
    house.chat.plant("anna");
    for times in 1..3 {
        let calls = house.script.counts().2;
        let refused = house.inner.jit.handle(event()).await.unwrap_err();
        assert_eq!(refused.code(), Code::new("mirror.not_there"));
        assert_eq!(house.script.counts().2 - calls, 1);
        let told = house.actions().await;
        assert_eq!(told.iter().filter(|action| *action == "mirror.refused").count(), times, "{told:?}");
    }
    let calls = house.script.counts().2;
    house.pass_minutes(5).await;
    assert_eq!(house.script.counts().2 - calls, 1, "once no earlier call can do anything");
    assert_eq!(house.inner.jit.handle(event()).await.unwrap_err().code(), Code::new("mirror.not_there"));
}

/// What a source says of Anna.
fn told(attestor: &Attestor, said: Value) -> Event {
    let made = || Check::Made("bearer token".into());
    let statement = RecordStatement {
        issuer: issuer(attestor.connection().as_str()),
        subject: Subject::new("anna").unwrap(),
        claims: claims(said),
        extent: Extent::Whole,
        presence: Presence::ACTIVE,
        version: None,
        request: None,
        expected: Expected::Anything,
        checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
    };
    Event::record(attestor.attest_record(statement).unwrap())
}

/// The same id is that of a sign-in in another tenant, which waits.
#[tokio::test]
async fn a_record_is_done_while_the_application_is_down_and_a_worker_brings_it() {
    let mut elsewhere = wire("main");
    elsewhere.settings.tenant = TenantId::new("other").unwrap();
    let source = wire("main").provisions(Provisioning::default());
    let house = House::new_with(waiting(), vec![source, elsewhere]);
    house.script.answer(Some(TargetFault::Unreachable));
    let event = told(&house.inner.attestors[0], House::said(&["member"]));
    let outcome = house.inner.jit.handle(event).await.unwrap();
    assert!(matches!(outcome, Outcome::Provisioned(_)), "{outcome:?}");
    assert_eq!(house.there().len(), 0);
    house.script.answer(None);
    house.work().await.unwrap();
    assert_eq!(house.there().len(), 1, "nobody waits, so that a worker brings it at once");
}

fn built(wires: Vec<Wire>, tenants: &[&str]) -> Result<Jit, BuildError> {
    let tenants = tenants.iter().map(|tenant| TenantId::new(*tenant).unwrap());
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let target = TargetSetup::new(chat(), Arc::new(MemoryTarget::new()), markers).for_tenants(tenants);
    let mut builder = Jit::builder(Arc::new(MemoryStore::new())).target(target.mirroring(waiting()));
    for wire in wires {
        let (mut connection, _) =
            Connection::define(wire.settings, Arc::new(wire.mapper), Arc::new(wire.policy));
        if let Some(provisioning) = wire.provisioning {
            connection = connection.provisions(provisioning);
        }
        builder = builder.connection(connection);
    }
    builder.build()
}

#[test]
fn whoever_waits_is_a_connection_that_people_sign_in_over() {
    assert!(built(vec![wire("main"), wire("other")], &["acme"]).is_ok());
    let misspelt = built(vec![wire("mian")], &["acme"]).map(drop).unwrap_err();
    assert!(
        matches!(&misspelt, BuildError::UnknownWaiter(target, id) if *target == chat() && id.as_str() == "main")
    );
    let source = wire("main").provisions(Provisioning::default());
    let provisions = built(vec![source, wire("other")], &["acme"]).map(drop).unwrap_err();
    assert!(
        matches!(&provisions, BuildError::WaiterProvisions(target, id) if *target == chat() && id.as_str() == "main")
    );
    let mut elsewhere = wire("main");
    elsewhere.settings.tenant = TenantId::new("other").unwrap();
    let foreign = built(vec![wire("okta"), elsewhere], &["acme"]).map(drop).unwrap_err();
    assert!(matches!(foreign, BuildError::UnknownWaiter(..)), "the connection of another tenant");
}

#[test]
fn an_engine_without_the_connections_of_a_tenant_cannot_know_who_waits() {
    assert!(built(vec![], &["acme"]).is_ok(), "a worker, or a command line");
    assert!(built(vec![wire("okta")], &["acme", "other"]).is_ok(), "it may be the other tenant's");
    assert!(built(vec![wire("okta")], &[]).is_ok(), "the target is open to nobody");
    let source = || wire("hr").provisions(Provisioning::default());
    assert!(built(vec![source()], &["acme"]).is_ok(), "people sign in over another process");
    assert!(built(vec![source(), wire("okta")], &["acme"]).is_err(), "they sign in here, and not over that");
}

#[tokio::test]
async fn whoever_another_process_brought_is_there_when_they_are_in() {
    for is_up in [true, false] {
        let house = House::new(waiting());
        let id = house.enter(&[]).await;
        let other = support::house_on(Arc::clone(&house.inner.store), vec![wire("main")], |builder| {
            let clock = Arc::clone(&house.inner.clock) as Arc<dyn Clock>;
            builder.clock(clock).entropy(Arc::new(SeededEntropy::new(9)))
        });
        other.enter(0, "anna", House::said(&["member"])).await;
        assert!(house.mirror(id).await.is_none(), "no round found out yet");
        house.script.answer(Some(TargetFault::Unreachable).filter(|_| !is_up));
        let event = house.inner.event(0, "anna", House::said(&["member"]));
        let entered = house.inner.jit.handle(event).await;
        assert_eq!(entered.is_ok(), is_up, "{entered:?}");
        assert_eq!(house.there().len(), usize::from(is_up));
    }
}

#[tokio::test]
async fn whoever_is_not_to_be_there_waits_for_nobody() {
    let house = House::new(waiting());
    let id = house.enter(&[]).await;
    house.script.answer(Some(TargetFault::Unreachable));
    house.enter(&[]).await;
    assert!(house.mirror(id).await.is_none());
}
