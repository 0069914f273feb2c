//! A target that is gone for good keeps nobody's places, and what it kept is found if it comes back.

use std::{num::NonZeroU32, sync::Arc};

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

const WHY: &str = "the domain was dissolved";

async fn declare(house: &House, lease: AccountId) -> Result<Lease, JitError> {
    let ops = Actor::Administrator { name: "ops".to_owned() };
    house.jit.declare_gone(None, &tenant(), lease, ops, WHY).await
}

#[tokio::test]
async fn a_persons_word_ends_what_nobody_can_be_asked_about_and_is_told_as_that() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    assert_eq!(code_of(declare(&house, out.lease).await), "lease.target_configured");
    house.restart_with_target(false);
    for reason in ["", " ", "a\u{7}", &"a".repeat(1025)] {
        let declared = house.jit.declare_gone(None, &tenant(), out.lease, house.by(), reason).await;
        assert_eq!(code_of(declared), "lease.invalid");
    }
    assert_eq!(code_of(declare(&house, house.holder).await), "lease.unknown");

    house.clock.advance(TimeDelta::minutes(5));
    let before = house.lease(out.lease).await;
    let gone = declare(&house, out.lease).await.unwrap();
    assert_eq!(gone.phase, Phase::Gone { since: house.now(), why: EndReason::DeclaredGone });
    assert_eq!(
        (gone.proof, gone.task, gone.is_live()),
        (before.proof, None, false),
        "nobody proved anything"
    );
    assert_eq!(declare(&house, out.lease).await.unwrap(), gone, "twice is once");

    let told: Vec<_> =
        house.trail().await.into_iter().filter(|event| event.account == Some(out.lease)).collect();
    let last = told.last().unwrap();
    let declared = told.iter().filter(|event| event.action.as_str() == "lease.declared_gone").count();
    assert_eq!((declared, &last.actor), (1, &Actor::Administrator { name: "ops".to_owned() }));
    assert!(
        last.changes[1].starts_with("last proved in use at ") && last.changes[2] == format!("because {WHY}")
    );
    assert_eq!(house.alarms().await, ["lease.declared_gone"]);
    assert!(house.jit.missing_targets().await.unwrap().is_empty(), "nothing is owed there any longer");
    let left = house.jit.leases(None, &tenant(), &target(), None, std::num::NonZeroUsize::MIN).await.unwrap();
    assert!(left.items.is_empty());
}

#[tokio::test]
async fn whatever_stands_open_can_be_declared_gone() {
    let mut house = House::new().await;
    let (quarantined, ending) = (house.out(30).await, house.out(30).await);
    house.directory.mark(&quarantined.name, None);
    house.check_in(quarantined.lease).await;
    house.script.answer(Some(TargetFault::Unreachable));
    house.check_in(ending.lease).await;
    assert_eq!(house.lease(ending.lease).await.phase.word(), "ending");
    house.restart_with_target(false);
    for lease in [quarantined.lease, ending.lease] {
        assert!(!declare(&house, lease).await.unwrap().is_live());
    }
    let heard = house.alarms().await;
    assert!(!heard.contains(&"lease.overdue_over".to_owned()), "nobody knows that it is over: {heard:?}");
}

/// An engine on what is kept in the house, which has another target, where one lease in all is allowed.
fn elsewhere(house: &House) -> (Jit, TargetId) {
    let other = TargetId::new("other").unwrap();
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let role = TargetRole::new(TimeDelta::hours(8), vec![Entitlement::role("operator").unwrap()]);
    let setup = TargetSetup::new(other.clone(), Arc::new(MemoryTarget::new()), markers)
        .for_tenants([tenant()])
        .role(rule("admin"), role);
    let jit = Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&house.clock) as _);
    (jit.leases_per_holder(NonZeroU32::MIN).target(setup).build().unwrap(), other)
}

#[tokio::test]
async fn what_is_declared_gone_gives_its_place_back() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.restart_with_target(false);
    let (jit, other) = elsewhere(&house);
    let request = CheckOut { target: other, ..house.request(30, None) };
    assert_eq!(code_of(jit.check_out(&request).await), "lease.too_many");
    for _ in 0..2 {
        declare(&house, out.lease).await.unwrap();
    }
    let next = jit.check_out(&request).await.unwrap();
    assert_eq!(code_of(jit.check_out(&request).await), "lease.too_many", "it gave back one place, once");
    jit.check_in(None, &tenant(), next.lease, house.by()).await.unwrap();
}

#[tokio::test]
async fn what_a_target_kept_is_found_and_ended_when_it_comes_back() {
    let mut house = House::new().await;
    house.directory.plant(PERSON);
    let out = house.out(30).await;
    let lifted = house.lift("lift", 60).await.unwrap();
    house.restart_with_target(false);
    for lease in [out.lease, lifted.lease] {
        declare(&house, lease).await.unwrap();
    }
    house.restart_with_target(true);
    house.clock.advance(TimeDelta::minutes(10));
    let report = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert_eq!(report.returned.iter().map(|remote| &remote.name).collect::<Vec<_>>(), [&out.name]);
    assert_eq!(report.leftover.iter().flat_map(|wrong| &wrong.leases).collect::<Vec<_>>(), [&lifted.lease]);
    assert!(
        house.person_holds("ops") && house.directory.accounts().contains_key(&out.name),
        "it reports first"
    );

    let few = house.jit.reconcile(None, &tenant(), &target(), applying(1)).await.unwrap();
    assert_eq!(few.refused.as_ref().map(Code::as_str), Some("reconcile.too_many"));
    assert_eq!((few.returned.len(), few.leftover.len(), few.ended), (1, 1, 0));
    let done = house.jit.reconcile(None, &tenant(), &target(), applying(2)).await.unwrap();
    assert_eq!(done.ended, 2);
    house.pass_minutes(10).await;
    assert!(!house.person_holds("ops") && !house.directory.accounts().contains_key(&out.name));
    for lease in [out.lease, lifted.lease] {
        let why = EndReason::Reappeared;
        assert!(matches!(house.lease(lease).await.phase, Phase::Gone { why: found, .. } if found == why));
    }
    let report = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert!(report.returned.is_empty() && report.leftover.is_empty());
}
