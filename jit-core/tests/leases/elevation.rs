//! What is lent to an account that existed before: given for a time, shared between leases, and taken, unless it was there.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

async fn house() -> House {
    let house = House::new().await;
    house.directory.plant(PERSON);
    house
}

async fn administer(house: &House, account: AccountId, act: AdminAct) -> Result<Account, Denial> {
    let request = AdminRequest { tenant: tenant(), store: None, account, act, by: "root".into() };
    house.jit.administer(&request).await.unwrap()
}

fn hr() -> Source {
    Source::Connection(ConnectionId::new("hr").unwrap())
}

/// Gives the holder these values of the attribute that names their account.
async fn say_login(house: &House, values: &[(&str, Source)]) {
    let before = house.store.get(&tenant(), house.holder).await.unwrap().unwrap();
    let mut after = before.clone();
    let value = |(text, source): &(&str, Source)| AttributeValue {
        text: (*text).to_owned(),
        provenance: Provenance::of(source.clone()),
        searchable: false,
    };
    after.attributes.insert(AttributeName::new("login").unwrap(), values.iter().map(value).collect());
    let write = AccountWrite::update(&before, after);
    house.store.commit(&Commit { account: Some(write), ..Commit::new(tenant()) }).await.unwrap();
}

#[tokio::test]
async fn a_person_holds_what_is_lent_until_its_end_and_keeps_what_they_had() {
    let house = house().await;
    house.directory.join(PERSON, "staff");
    let lent = house.lift("lift", 30).await.unwrap();
    assert_eq!((lent.name.as_str(), lent.until), (PERSON, house.now() + TimeDelta::minutes(30)));
    assert_eq!(lent.unattended, UnattendedEnd::ServerDropsMembership);
    assert!(house.person_holds("ops"));
    let drops_at = house.directory.accounts()[PERSON].drops_at["ops"];
    assert_eq!(drops_at, lent.until, "the target is told the end");
    house.pass_minutes(30).await;
    assert!(!house.person_holds("ops") && house.person_holds("staff"));
    assert_eq!(house.lease(lent.lease).await.phase.word(), "gone");
}

#[tokio::test]
async fn what_two_leases_share_stays_until_the_second_ends() {
    let house = house().await;
    let first = house.lift("lift", 10).await.unwrap();
    let second = house.lift("lift-both", 30).await.unwrap();
    house.pass_minutes(10).await;
    assert!(house.person_holds("ops") && house.person_holds("dba"));
    assert_eq!(house.lease(first.lease).await.phase.word(), "gone");
    house.check_in(second.lease).await;
    assert!(!house.person_holds("ops") && !house.person_holds("dba"));
}

#[tokio::test]
async fn one_that_begins_where_another_ends_leaves_no_gap() {
    // Whether the worker comes first or the second request does.
    for worker_first in [false, true] {
        let house = house().await;
        house.lift("lift", 10).await.unwrap();
        house.clock.advance(TimeDelta::minutes(10));
        if worker_first {
            house.work().await.unwrap();
        }
        let second = house.lift("lift", 10).await.unwrap();
        assert!(house.person_holds("ops"));
        house.pass_minutes(9).await;
        assert!(house.person_holds("ops"), "the end of the first is not the end of the second");
        house.check_in(second.lease).await;
        assert!(!house.person_holds("ops"));
    }
}

#[tokio::test]
async fn what_was_there_before_is_never_taken_until_it_is_given_back_and_lent_anew() {
    let house = house().await;
    house.directory.join(PERSON, "ops");
    let lent = house.lift("lift", 30).await.unwrap();
    assert_eq!(house.script.counts().2, 0, "there was nothing to ask for");
    house.check_in(lent.lease).await;
    assert!(house.person_holds("ops"));
    let again = house.lift("lift", 30).await.unwrap();
    house.directory.leave(PERSON, "ops");
    let second = house.lift("lift", 30).await.unwrap();
    assert!(house.person_holds("ops"), "now it is ours");
    house.check_in(again.lease).await;
    assert!(house.person_holds("ops"));
    house.check_in(second.lease).await;
    assert!(!house.person_holds("ops"));
}

#[tokio::test]
async fn who_gave_it_between_our_look_and_our_call_keeps_it() {
    let house = house().await;
    house.script.meddle(|directory| directory.join(PERSON, "ops"));
    let lent = house.lift("lift", 30).await.unwrap();
    house.check_in(lent.lease).await;
    assert!(house.person_holds("ops"));
}

#[tokio::test]
async fn while_it_may_still_be_taken_nobody_else_is_given_it() {
    let house = house().await;
    let first = house.lift("lift", 30).await.unwrap();
    house.script.delay_effect(100);
    house.check_in(first.lease).await;
    assert!(house.person_holds("ops"));
    let refused = house.lift("lift", 30).await;
    assert_eq!(code_of(refused), "lease.in_progress");
    house.pass_minutes(2).await;
    assert!(!house.person_holds("ops"));
    house.lift("lift", 30).await.unwrap();
    house.pass_minutes(5).await;
    assert!(house.person_holds("ops"));
}

#[tokio::test]
async fn what_another_server_took_a_moment_ago_is_not_there_to_be_lent() {
    let house = House::settling(TimeDelta::minutes(5)).await;
    house.directory.plant(PERSON);
    let first = house.lift("lift", 30).await.unwrap();
    house.check_in(first.lease).await;
    // the server that is asked now has not heard of it
    house.directory.join(PERSON, "ops");
    assert_eq!(code_of(house.lift("lift", 30).await), "lease.in_progress");
    house.directory.leave(PERSON, "ops");
    let second = house.lift("lift", 30).await.unwrap();
    house.pass_minutes(20).await;
    assert!(house.person_holds("ops"), "what is lent stays until its end");
    assert!(matches!(house.lease(second.lease).await.phase, Phase::Active { .. }));
    house.jit.extend(None, &tenant(), second.lease, TimeDelta::hours(1), house.by()).await.unwrap();
}

#[tokio::test]
async fn an_extension_moves_the_end_and_its_late_answer_leaves_nothing() {
    let house = house().await;
    let lent = house.lift("lift", 10).await.unwrap();
    let longer =
        house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(1), house.by()).await.unwrap();
    let until = longer.until;
    assert_eq!(until, house.now() + TimeDelta::hours(1));
    assert_eq!(house.directory.accounts()[PERSON].drops_at["ops"], until);
    house.pass_minutes(50).await;
    assert!(house.person_holds("ops"));
    house.script.delay_effect(110);
    let late = house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(2), house.by()).await;
    assert_eq!(code_of(late), "target.unreachable");
    let at_once = house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(2), house.by()).await;
    assert_eq!(code_of(at_once), "lease.in_progress");
    house.check_in(lent.lease).await;
    assert!(!house.person_holds("ops"));
    house.pass_minutes(3).await;
    assert!(!house.person_holds("ops"), "what came late was taken");
    assert_eq!(house.lease(lent.lease).await.unanswered, None);
}

#[tokio::test]
async fn asking_twice_with_a_key_lends_once() {
    let house = house().await;
    let first = house.lift_with("lift", 30, Some("deploy")).await.unwrap();
    house.clock.advance(TimeDelta::minutes(1));
    assert_eq!(house.lift_with("lift", 30, Some("deploy")).await.unwrap(), first);
    assert_eq!(house.script.counts().2, 1, "one call gave it");
    let other = CheckOut { role: rule("lift-both"), ..house.request(30, Some("deploy")) };
    assert_eq!(code_of(house.jit.elevate(&other, Some(PERSON)).await), "lease.other_request");
    house.directory.plant("carol");
    let other = CheckOut { role: rule("lift"), ..house.request(30, Some("deploy")) };
    assert_eq!(code_of(house.jit.elevate(&other, Some("carol")).await), "lease.other_request");
    assert_eq!(code_of(house.jit.check_out(&house.request(30, Some("deploy"))).await), "lease.other_request");
    house.check_in(first.lease).await;
    assert_eq!(code_of(house.lift_with("lift", 30, Some("deploy")).await), "lease.over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_calls_with_one_key_are_one_lease() {
    let house = Arc::new(house().await);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let house = Arc::clone(&house);
        calls.spawn(async move { house.lift_with("lift", 30, Some("storm")).await });
    }
    let mut lent = BTreeSet::new();
    for answer in calls.join_all().await {
        match answer {
            Ok(answer) => drop(lent.insert(answer.lease)),
            Err(error) => assert_eq!(error.code().as_str(), "lease.in_progress"),
        }
    }
    assert_eq!(lent.len(), 1);
    house.check_in(*lent.first().unwrap()).await;
    assert!(!house.person_holds("ops"));
}

#[tokio::test]
async fn whose_account_it_is_only_they_say_who_are_believed() {
    let house = house().await;
    let own = CheckOut { role: rule("lift-own"), ..house.request(30, None) };
    let ask = async |named| code_of(house.jit.elevate(&own, named).await);
    assert_eq!(ask(None).await, "lease.unnamed");
    say_login(&house, &[(PERSON, Source::Person)]).await;
    assert_eq!(ask(None).await, "lease.unnamed");
    say_login(&house, &[(PERSON, hr()), ("carol", Source::Administrator)]).await;
    assert_eq!(ask(None).await, "lease.unnamed", "two are no answer");
    say_login(&house, &[(PERSON, hr()), ("carol", Source::Person)]).await;
    assert_eq!(ask(Some("carol")).await, "lease.unnamed", "the role does not leave it to the application");
    assert_eq!(house.script.counts().2, 0);
    house.jit.elevate(&own, None).await.unwrap();
    assert!(house.person_holds("ops"));
}

#[tokio::test]
async fn what_cannot_be_elevated_is_refused_and_nothing_is_written() {
    let house = house().await;
    let made = house.out(30).await;
    let commits = house.script.counts().3;
    let lift = CheckOut { role: rule("lift"), ..house.request(30, None) };
    for (role, named, code) in [
        ("lift", Some("nobody"), "lease.unknown_account"),
        ("lift", Some(made.name.as_str()), "lease.account_is_lent"),
        ("lift", None, "lease.unnamed"),
        ("lift", Some(""), "lease.unnamed"),
        ("lift", Some("x".repeat(257).as_str()), "lease.invalid"),
        ("admin", Some(PERSON), "lease.other_kind"),
    ] {
        let request = CheckOut { role: rule(role), ..lift.clone() };
        assert_eq!(code_of(house.jit.elevate(&request, named).await), code);
    }
    assert_eq!(code_of(house.jit.check_out(&lift).await), "lease.other_kind");
    assert_eq!(house.script.counts().3, commits);
}

#[tokio::test]
async fn an_account_that_is_gone_or_another_of_its_name_is_not_touched() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    house.directory.take_out(PERSON);
    house.directory.plant(PERSON);
    house.directory.join(PERSON, "ops");
    assert_eq!(house.check_in(lent.lease).await.phase.word(), "gone");
    assert!(house.person_holds("ops"), "it belongs to another account");
    let lent = house.lift("lift", 30).await.unwrap();
    let extended = {
        house.directory.take_out(PERSON);
        house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(1), house.by()).await
    };
    assert_eq!(code_of(extended), "lease.unknown_account");
    house.pass_minutes(40).await;
    assert!(!house.lease(lent.lease).await.is_live());
}

#[tokio::test]
async fn whoever_leaves_loses_what_was_lent() {
    let house = house().await;
    let lent = house.lift("lift", 60).await.unwrap();
    administer(&house, house.holder, AdminAct::Suspend).await.unwrap();
    let worker = WorkerId::new("w").unwrap();
    house.jit.work(&worker, std::num::NonZeroUsize::new(10).unwrap()).await.unwrap();
    house.pass_minutes(1).await;
    assert!(!house.person_holds("ops"));
    assert_eq!(house.lease(lent.lease).await.phase.word(), "gone");
    assert_eq!(code_of(house.lift("lift", 5).await), "lease.holder_inactive");
}

#[tokio::test]
async fn a_role_that_is_no_longer_configured_is_taken_as_it_was_given() {
    let mut house = house().await;
    house.lift("lift-both", 10).await.unwrap();
    house.restart_without_roles();
    house.pass_minutes(10).await;
    assert!(!house.person_holds("ops") && !house.person_holds("dba"));
}

#[tokio::test]
async fn what_keeps_it_takes_no_seat_and_no_administrator_changes_it() {
    let house = house().await;
    let lent = house.lift("lift", 10).await.unwrap();
    let keeper = house.lease(lent.lease).await.elevates.unwrap();
    let denied = administer(&house, keeper, AdminAct::Reactivate).await.unwrap_err();
    assert_eq!(denied.code.as_str(), "account.is_leased");
    let kept = house.store.get(&tenant(), keeper).await.unwrap().unwrap();
    assert!(kept.is_remote() && kept.identities.is_empty() && kept.state != AccountState::Active);
}

#[tokio::test]
async fn a_call_that_comes_late_does_not_shorten_what_another_lease_needs() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    let remote = house.lease(lent.lease).await.remote;
    let late = |minutes: i64| {
        let give = [(RemoteEntitlement::named("ops"), house.now() + TimeDelta::minutes(minutes))].into();
        Desired { remote: remote.clone(), state: DesiredState::Holding { give, take: BTreeSet::new() } }
    };
    house.directory.ensure(&late(10)).await.unwrap();
    assert_eq!(house.directory.accounts()[PERSON].drops_at["ops"], lent.until);
    house.directory.join(PERSON, "ops");
    house.directory.ensure(&late(10)).await.unwrap();
    assert!(house.directory.accounts()[PERSON].drops_at.is_empty(), "given for good stays given for good");
}

#[tokio::test]
async fn who_writes_a_mark_of_ours_into_their_own_entry_keeps_nothing() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    let forged = MarkerKey::new("forged", &[1; 32]).unwrap().mark(&tenant(), house.holder);
    house.directory.mark(PERSON, Some(forged));
    house.clock.advance(TimeDelta::minutes(1));
    let compared = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert!(compared.unheld.is_empty(), "it is seen whatever they wrote");
    assert_eq!(code_of(house.lift("lift", 30).await), "lease.account_is_lent");
    let longer = house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(1), house.by()).await;
    assert_eq!(code_of(longer), "lease.account_is_lent");
    house.pass_minutes(40).await;
    assert!(!house.directory.accounts()[PERSON].entitlements.contains(&"ops".to_owned()));
    assert_eq!(house.lease(lent.lease).await.phase.word(), "gone");
}
