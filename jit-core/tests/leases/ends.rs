//! Ends: at check-in, on time, when the holder leaves; whatever the target and its administrators do.

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

#[tokio::test]
async fn checking_in_removes_it_and_doing_so_twice_is_no_error() {
    let house = House::new().await;
    let out = house.out(30).await;
    for _ in 0..2 {
        let lease = house.jit.check_in(None, &tenant(), out.lease, house.by()).await.unwrap();
        assert!(matches!(lease.phase, Phase::Gone { why: EndReason::CheckedIn, .. }));
        assert_eq!(lease.proof.unwrap().seen, Seeing::Absent);
    }
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn what_was_lent_is_known_by_its_id_for_good_and_a_person_who_was_lent_something_is_not() {
    let house = House::new().await;
    let lent = LentAccounts::of(tenant(), house.store.clone());
    let out = house.out(30).await;
    let native = house.lease(out.lease).await.remote.native.unwrap();
    assert!(lent.has(&native).await.unwrap());
    assert!(!lent.has("somebody-else").await.unwrap());
    let elsewhere = LentAccounts::of(TenantId::new("other").unwrap(), house.store.clone());
    assert!(!elsewhere.has(&native).await.unwrap());
    assert!(elsewhere.and_of(tenant(), house.store.clone()).has(&native).await.unwrap());
    house.pass_minutes(31).await;
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { .. }));
    assert!(lent.has(&native).await.unwrap(), "whoever brings it back makes no person of it");
    house.directory.plant(PERSON);
    let lifted = CheckOut { role: rule("lift"), ..house.request(30, None) };
    let lifted = house.jit.elevate(&lifted, Some(PERSON)).await.unwrap();
    let person = house.lease(lifted.lease).await.remote.native.unwrap();
    assert!(!lent.has(&person).await.unwrap());
}

#[tokio::test]
async fn it_ends_on_time_to_the_second() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.clock.advance(TimeDelta::minutes(30) - TimeDelta::seconds(1));
    house.work().await.unwrap();
    assert_eq!(house.directory.accounts().len(), 1);
    house.clock.advance(TimeDelta::seconds(1));
    assert_eq!(house.work().await.unwrap().done, 1);
    assert!(house.directory.accounts().is_empty());
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { why: EndReason::Expired, .. }));
}

#[tokio::test]
async fn a_target_that_is_down_for_a_week_delays_the_end_and_nothing_more() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.clock.advance(TimeDelta::minutes(30));
    for _ in 0..700 {
        // Claim, read, write that it ends, then the target twice: removal, and putting it out of use.
        house.script.at(3, Fault::FailBefore);
        house.script.at(4, Fault::FailBefore);
        let _ = house.work().await;
        house.script.clear();
        house.clock.advance(TimeDelta::minutes(15));
    }
    let lease = house.lease(out.lease).await;
    assert!(lease.is_live());
    house.pass_minutes(15).await;
    assert!(house.directory.accounts().is_empty(), "gone one longest pause after the target is back");
}

#[tokio::test]
async fn what_an_administrator_removed_is_gone_and_what_they_renamed_is_found() {
    let house = House::new().await;
    let (one, two) = (house.out(30).await, house.out(30).await);
    house.directory.take_out(&one.name).unwrap();
    house.directory.rename(&two.name, "renamed");
    house.directory.plant(&two.name);
    house.pass_minutes(31).await;
    let left = house.directory.accounts();
    assert_eq!(left.into_keys().collect::<Vec<_>>(), [two.name], "the stranger alone");
}

#[tokio::test]
async fn what_no_longer_bears_our_mark_is_left_to_a_person() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.directory.mark(&out.name, None);
    house.pass_minutes(31).await;
    assert_eq!(house.directory.accounts().len(), 1);
    let lease = house.lease(out.lease).await;
    assert!(matches!(&lease.phase, Phase::Quarantined { found, .. } if found.as_str() == "lease.not_ours"));
    let again = house.jit.check_in(None, &tenant(), out.lease, house.by()).await;
    assert_eq!(code_of(again), "lease.quarantined");
}

#[tokio::test]
async fn what_a_person_looked_after_ends_at_the_next_check_in() {
    let house = House::new().await;
    let (marked, removed) = (house.out(30).await, house.out(30).await);
    let mark = house.directory.accounts()[&marked.name].marker.clone();
    for out in [&marked, &removed] {
        house.directory.mark(&out.name, None);
        let lease = house.check_in(out.lease).await;
        assert!(matches!(lease.phase, Phase::Quarantined { .. }), "{:?}", lease.phase);
    }
    house.directory.mark(&marked.name, mark);
    house.directory.take_out(&removed.name);
    for out in [&marked, &removed] {
        let lease = house.check_in(out.lease).await;
        assert!(matches!(lease.phase, Phase::Gone { why: EndReason::CheckedIn, .. }), "{:?}", lease.phase);
    }
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn what_a_person_looked_after_while_the_target_was_down_ends_when_it_is_back() {
    let house = House::new().await;
    let out = house.out(30).await;
    let mark = house.directory.accounts()[&out.name].marker.clone();
    house.directory.mark(&out.name, None);
    house.check_in(out.lease).await;
    house.directory.mark(&out.name, mark);
    // Read twice, looked, written down, then the target twice: removal, and putting it out of use.
    house.script.at(4, Fault::FailBefore);
    house.script.at(5, Fault::FailBefore);
    let lease = house.check_in(out.lease).await;
    assert!(matches!(lease.phase, Phase::Ending { .. }), "{:?}", lease.phase);
    assert!(house.directory.accounts().contains_key(&out.name));
    house.script.clear();
    house.pass_minutes(15).await;
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn when_the_holder_leaves_everything_lent_to_them_ends() {
    let house = House::new().await;
    let (one, two) = (house.out(30).await, house.out(60).await);
    let act = AdminAct::Suspend;
    let request =
        AdminRequest { tenant: tenant(), store: None, account: house.holder, act, by: "root".into() };
    house.jit.administer(&request).await.unwrap().unwrap();
    let worker = WorkerId::new("w").unwrap();
    house.jit.work(&worker, std::num::NonZeroUsize::new(10).unwrap()).await.unwrap();
    house.work().await.unwrap();
    assert!(house.directory.accounts().is_empty());
    for out in [one, two] {
        let phase = house.lease(out.lease).await.phase;
        assert!(matches!(phase, Phase::Gone { why: EndReason::HolderEnded, .. }), "{phase:?}");
    }
}

#[tokio::test]
async fn no_administrators_act_reaches_a_lease_around_its_end() {
    let house = House::new().await;
    let out = house.out(30).await;
    let act = AdminAct::Reactivate;
    let request = AdminRequest { tenant: tenant(), store: None, account: out.lease, act, by: "root".into() };
    let denial = house.jit.administer(&request).await.unwrap().unwrap_err();
    assert_eq!(denial.code.as_str(), "account.is_leased");
}

#[tokio::test]
async fn privileged_leases_end_first() {
    let house = House::new().await;
    let reader = CheckOut { role: rule("reader"), ..house.request(30, None) };
    let reader = house.jit.check_out(&reader).await.unwrap();
    let admin = house.out(30).await;
    house.clock.advance(TimeDelta::minutes(30));
    let worker = WorkerId::new("w").unwrap();
    house.jit.work_target(&worker, &target(), std::num::NonZeroUsize::MIN).await.unwrap();
    let left = house.directory.accounts();
    assert!(left.contains_key(&reader.name) && !left.contains_key(&admin.name));
}

/// By its id it is not there, and by its name it is, under that id: whoever says both has proved nothing.
#[tokio::test]
async fn a_target_that_contradicts_itself_proves_no_end() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.script.deny_accounts(true);
    assert_eq!(house.check_in(out.lease).await.phase.word(), "ending");
    for _ in 0..3 {
        house.clock.advance(TimeDelta::hours(1));
        assert_eq!(house.work().await.unwrap().failed, 1, "it comes again");
    }
    let trail = house.trail().await;
    let told = |action: &str| trail.iter().any(|event| event.action.as_str() == action);
    assert!(!told("lease.removed") && !told("lease.reappeared") && !told("lease.gone"));
    assert_eq!(house.lease(out.lease).await.came_back, None);
    house.script.deny_accounts(false);
    house.clock.advance(TimeDelta::hours(1));
    assert_eq!(house.work().await.unwrap().failed, 0);
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
    assert!(house.directory.accounts().is_empty());
}
