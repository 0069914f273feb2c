//! What goes wrong around leases: records, notices, configurations, callers in crowds.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_lease_waiting_and_is_told() {
    let house = House::new().await;
    let (spoilt, other) = (house.out(30).await, house.out(30).await);
    house.alarms().await;
    house.script.spoil(Some(spoilt.lease));
    house.clock.advance(TimeDelta::minutes(30));
    assert_eq!(house.alarms().await, ["lease.unreadable"]);
    let left = house.directory.accounts();
    assert!(left.contains_key(&spoilt.name) && !left.contains_key(&other.name));
    house.pass_minutes(60).await;
    assert!(house.alarms().await.is_empty(), "told once");
    house.script.spoil(None);
    house.pass_minutes(20).await;
    assert!(house.directory.accounts().is_empty(), "mended, it ends as the others");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_saves_no_other_lease_of_a_leaver() {
    let house = House::new().await;
    let mut out = Vec::new();
    for _ in 0..5 {
        out.push(house.out(400).await);
    }
    house.alarms().await;
    let spoilt = &out[2];
    house.script.spoil(Some(spoilt.lease));
    let (act, by) = (AdminAct::End, "root".into());
    let request = AdminRequest { tenant: tenant(), store: None, account: house.holder, act, by };
    house.jit.administer(&request).await.unwrap().unwrap();
    let mut alarms = house.alarms().await;
    house.pass_minutes(1).await;
    let left: Vec<_> = house.directory.accounts().into_keys().collect();
    assert_eq!(left, std::slice::from_ref(&spoilt.name), "the others are gone at once");
    alarms.extend(house.alarms().await);
    assert!(alarms.contains(&"lease.unreadable".to_owned()), "{alarms:?}");
    // Mended, it ends as the others: nobody forgot it.
    house.script.spoil(None);
    for _ in 0..3 {
        house.pass_minutes(20).await;
        house.alarms().await;
    }
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named_beside_the_others() {
    let house = House::new().await;
    let (spoilt, other) = (house.out(30).await, house.out(30).await);
    house.script.spoil(Some(spoilt.lease));
    let limit = std::num::NonZeroUsize::MIN;
    for is_of_holder in [false, true] {
        let (mut found, mut unreadable, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = if is_of_holder {
                house.jit.leases_of(None, &tenant(), house.holder, after, limit).await.unwrap()
            } else {
                house.jit.leases(None, &tenant(), &target(), after, limit).await.unwrap()
            };
            found.extend(page.items.into_iter().map(|account| account.id));
            unreadable.extend(page.unreadable);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((found, unreadable), (vec![other.lease], vec![spoilt.lease]), "{is_of_holder}");
    }
    let nobody = house.jit.leases_of(None, &tenant(), spoilt.lease, None, limit).await.unwrap();
    assert!(nobody.items.is_empty() && nobody.unreadable.is_empty(), "nothing is lent to a lease");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_ends_no_comparison_and_makes_nobody_a_suspect() {
    let house = House::new().await;
    let (spoilt, removed, longer) = (house.out(30).await, house.out(30).await, house.out(30).await);
    house.clock.advance(TimeDelta::minutes(1));
    house.directory.take_out(&removed.name).unwrap();
    house.directory.move_end(&longer.name, None);
    house.script.spoil(Some(spoilt.lease));
    let apply = applying(10);
    let report = house.jit.reconcile(None, &tenant(), &target(), apply).await.unwrap();
    assert_eq!(
        (&report.missing, &report.unreadable),
        (&vec![removed.lease], &BTreeSet::from([spoilt.lease]))
    );
    assert!(report.suspects.is_empty() && report.differing[0].brought_back, "{report:?}");
    assert_eq!(report.partial.unwrap().as_str(), "lease.unreadable");
}

#[tokio::test]
async fn a_start_reads_no_lease_however_many_there_are() {
    let mut steps = Vec::new();
    for leases in [1, 40] {
        let mut house = House::new().await;
        for _ in 0..leases {
            house.out(30).await;
        }
        let before = house.script.counts().0;
        house.restart();
        assert_eq!(house.script.counts().0, before, "nothing is asked of store or target");
        house.out(30).await;
        steps.push(house.script.counts().0 - before);
    }
    assert_eq!(steps[0], steps[1], "the first request asks for what it is about");
}

#[tokio::test]
async fn leases_come_and_go_while_nobody_can_be_told() {
    let house = House::new().await;
    house.told.deafen(true);
    house.out(30).await;
    house.script.answer(Some(TargetFault::Unreachable));
    house.pass_minutes(60).await;
    assert!(house.alarms().await.is_empty());
    house.script.answer(None);
    house.pass_minutes(20).await;
    assert!(house.directory.accounts().is_empty());
    house.told.deafen(false);
    house.clock.advance(TimeDelta::minutes(15));
    assert_eq!(house.alarms().await, ["lease.overdue", "lease.overdue_over"], "nothing was lost");
}

#[tokio::test]
async fn a_role_that_was_struck_from_the_configuration_ends_as_it_was_made() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.restart_without_roles();
    assert_eq!(code_of(house.jit.check_out(&house.request(5, None)).await), "lease.unknown_role");
    house.pass_minutes(31).await;
    assert!(house.directory.accounts().is_empty());
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { why: EndReason::Expired, .. }));
}

#[tokio::test]
async fn a_directory_that_was_put_in_the_place_of_the_old_one_keeps_its_accounts() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.directory = Arc::new(MemoryTarget::new());
    house.directory.plant(&out.name);
    house.restart();
    house.pass_minutes(31).await;
    assert!(house.directory.accounts().contains_key(&out.name), "it bears the name and is not ours");
}

#[tokio::test]
async fn another_directory_under_the_name_proves_nothing_of_what_was_lent_in_the_old_one() {
    let mut house = House::new().await;
    house.directory.plant(PERSON);
    // The end comes by our hand alone.
    house.directory.end_by_itself(false);
    house.directory.call_home("old");
    let (out, used) = (house.out(30).await, house.out(120).await);
    let lent = house.lift("lift", 30).await.unwrap();
    let old = Arc::clone(&house.directory);
    house.directory = Arc::new(MemoryTarget::new());
    house.directory.call_home("new");
    house.restart();
    let longer = house.jit.extend(None, &tenant(), used.lease, TimeDelta::hours(4), house.by()).await;
    assert_eq!(code_of(longer), "target.elsewhere");
    house.pass_minutes(31).await;
    for lease in [out.lease, lent.lease] {
        assert_eq!(house.lease(lease).await.phase.word(), "ending");
    }
    assert_eq!(house.lease(used.lease).await.phase.word(), "active", "nobody lost it");
    house.pass_minutes(20).await;
    assert!(house.alarms().await.contains(&"lease.overdue".to_owned()));

    house.directory = old;
    house.restart();
    house.pass_minutes(16).await;
    for lease in [out.lease, lent.lease] {
        assert_eq!(house.lease(lease).await.phase.word(), "gone");
    }
    assert!(!house.directory.accounts().contains_key(&out.name) && !house.person_holds("ops"));
}

#[tokio::test]
async fn what_was_lent_before_it_was_written_down_where_ends_as_ever() {
    let house = House::new().await;
    let out = house.out(30).await;
    assert_eq!(house.lease(out.lease).await.remote.home, None);
    house.directory.call_home("known by now");
    house.directory.take_out(&out.name);
    house.pass_minutes(31).await;
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_calls_with_one_key_make_one_account() {
    let house = Arc::new(House::new().await);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let house = Arc::clone(&house);
        calls.spawn(async move { house.jit.check_out(&house.request(30, Some("storm"))).await });
    }
    let mut names = BTreeSet::new();
    for answer in calls.join_all().await {
        match answer {
            Ok(out) => drop(names.insert(out.name)),
            Err(error) => assert_eq!(error.code().as_str(), "lease.in_progress"),
        }
    }
    assert_eq!(names, house.directory.accounts().into_keys().collect(), "the one that is there");
    assert_eq!(names.len(), 1);
}

#[tokio::test]
async fn a_name_is_not_given_again() {
    let house = House::new().await;
    let mut names = BTreeSet::new();
    for _ in 0..50 {
        let out = house.out(30).await;
        house.jit.check_in(None, &tenant(), out.lease, house.by()).await.unwrap();
        assert!(names.insert(out.name));
    }
}

#[tokio::test]
async fn a_store_that_came_back_from_yesterday_undoes_what_it_knows_and_reports_the_rest() {
    let mut house = House::new().await;
    // The backup: a store that has heard of neither the end of one nor the beginning of the other.
    let yesterday = House::new().await;
    let known = yesterday.out(30).await;
    yesterday.jit.check_in(None, &tenant(), known.lease, yesterday.by()).await.unwrap();
    // Ids are the same in each house: the first is the one that the backup knows.
    let first = house.out(30).await;
    house.jit.check_in(None, &tenant(), first.lease, house.by()).await.unwrap();
    let unknown = house.out(30).await;
    house.store = Arc::clone(&yesterday.store);
    house.holder = yesterday.holder;
    house.restart();
    house.pass_minutes(60).await;
    assert!(house.directory.accounts().contains_key(&unknown.name), "nobody knows it, so nobody touches it");
    let report = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert_eq!(report.suspects.iter().map(|remote| &remote.name).collect::<Vec<_>>(), [&unknown.name]);
}
