//! Accounts that do not bear the markers of their leases, one after another: the setting of the markers is another one.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

/// How many are quarantined at once unless said otherwise.
const MOST: usize = 10;

/// Lets every account bear what another setting would find, and tells what each bore.
fn lose_markers(house: &House) -> BTreeMap<String, Option<Marker>> {
    let accounts = house.directory.accounts();
    for name in accounts.keys() {
        house.directory.mark(name, None);
    }
    accounts.into_iter().map(|(name, account)| (name, account.marker)).collect()
}

fn find_markers(house: &House, markers: BTreeMap<String, Option<Marker>>) {
    for (name, marker) in markers {
        house.directory.mark(&name, marker);
    }
}

/// How many of these leases stand in each phase.
async fn phases(house: &House, leases: &[AccountId]) -> BTreeMap<&'static str, usize> {
    let mut phases = BTreeMap::new();
    for id in leases {
        *phases.entry(house.lease(*id).await.phase.word()).or_default() += 1;
    }
    phases
}

async fn many_out(house: &House, count: usize) -> Vec<AccountId> {
    let mut leases = Vec::new();
    for _ in 0..count {
        leases.push(house.out(30).await.lease);
    }
    leases
}

/// Lets time pass in rounds of five minutes, and counts the alarms.
async fn alarms_within(house: &House, minutes: i64) -> BTreeMap<String, usize> {
    let mut heard = BTreeMap::new();
    for _ in 0..minutes / 5 {
        house.clock.advance(TimeDelta::minutes(5));
        for about in house.alarms().await {
            *heard.entry(about).or_default() += 1;
        }
    }
    heard
}

#[tokio::test]
async fn one_mistake_quarantines_a_few_and_is_told_once_and_all_end_when_it_is_mended() {
    let house = House::new().await;
    let leases = many_out(&house, 30).await;
    house.alarms().await;
    let markers = lose_markers(&house);
    let heard = alarms_within(&house, 24 * 60).await;
    assert_eq!(phases(&house, &leases).await, BTreeMap::from([("ending", 20), ("quarantined", MOST)]));
    assert_eq!(heard["target.markers_unknown"], 1, "{heard:?}");
    // At once, after 1, 4 and 16 hours; those that wait after 15 minutes, 1, 4 and 16 hours.
    assert_eq!((heard["lease.quarantined"], heard["lease.overdue"]), (MOST * 4, 20 * 4), "{heard:?}");
    assert_eq!(house.directory.accounts().len(), 30, "none is touched");
    let house_tenant = Jit::house_tenant().unwrap();
    let limit = std::num::NonZeroUsize::new(100).unwrap();
    let query = AuditQuery { tenant: house_tenant, account: None, after: None, latest_first: true, limit };
    let events = house.store.events(&query).await.unwrap().items;
    let told = events.iter().find(|event| event.action.as_str() == "target.markers_unknown").unwrap();
    assert!(told.changes.iter().any(|said| said.contains("`former_markers`")), "{:?}", told.changes);

    find_markers(&house, markers);
    let heard = alarms_within(&house, 20).await;
    assert_eq!(phases(&house, &leases).await.get("ending"), None, "who waited ends at the next attempt");
    assert_eq!(heard.get("target.markers_known"), None, "{heard:?}");
    let heard = alarms_within(&house, 60).await;
    assert_eq!(phases(&house, &leases).await, BTreeMap::from([("gone", 30)]));
    assert_eq!(heard["target.markers_known"], 1, "{heard:?}");
    assert!(house.directory.accounts().is_empty());
    assert!(alarms_within(&house, 8 * 24 * 60).await.is_empty());
}

#[tokio::test]
async fn the_bound_holds_over_weeks_and_over_restarts() {
    let mut house = House::new().await;
    let mut leases = Vec::new();
    let mut heard = BTreeMap::<String, usize>::new();
    for _ in 0..40 {
        leases.push(house.out(30).await.lease);
        lose_markers(&house);
        for (about, count) in alarms_within(&house, 24 * 60).await {
            *heard.entry(about).or_default() += count;
        }
        house.restart();
    }
    assert_eq!(phases(&house, &leases).await, BTreeMap::from([("ending", 30), ("quarantined", MOST)]));
    assert_eq!(heard["target.markers_unknown"], 1, "{heard:?}");
    assert_eq!(house.directory.accounts().len(), 40);
}

#[tokio::test]
async fn what_a_person_settles_makes_room_for_the_next() {
    let house = House::new().await;
    let leases = many_out(&house, MOST + 2).await;
    lose_markers(&house);
    alarms_within(&house, 60).await;
    assert_eq!(phases(&house, &leases).await["ending"], 2);
    let mut settled = 0;
    for id in &leases {
        let lease = house.lease(*id).await;
        if settled < 2 && matches!(lease.phase, Phase::Quarantined { .. }) {
            house.directory.take_out(&lease.remote.name);
            house.check_in(*id).await;
            settled += 1;
        }
    }
    let heard = alarms_within(&house, 30).await;
    assert_eq!(phases(&house, &leases).await, BTreeMap::from([("gone", 2), ("quarantined", MOST)]));
    assert_eq!(heard.get("target.markers_unknown"), None, "{heard:?}");
}

#[tokio::test]
async fn a_place_whose_holder_was_settled_without_us_is_found_when_it_is_needed() {
    let mut house = House::new().await;
    let leases = many_out(&house, MOST + 1).await;
    lose_markers(&house);
    alarms_within(&house, 60).await;
    assert_eq!(phases(&house, &leases).await["quarantined"], MOST);
    // Without the target it is declared gone, and nobody gives back its place.
    house.restart_with_target(false);
    for id in &leases {
        if matches!(house.lease(*id).await.phase, Phase::Quarantined { .. }) {
            house.jit.declare_gone(None, &tenant(), *id, house.by(), "it was rebuilt").await.unwrap();
        }
    }
    house.restart_with_target(true);
    alarms_within(&house, 30).await;
    assert_eq!(phases(&house, &leases).await, BTreeMap::from([("gone", MOST), ("quarantined", 1)]));
}

#[tokio::test]
async fn nothing_is_extended_or_made_anew_while_markers_are_not_found() {
    let house = House::new().await;
    many_out(&house, MOST).await;
    lose_markers(&house);
    alarms_within(&house, 35).await;
    let out = house.jit.check_out(&house.request(300, Some("once"))).await.unwrap();
    let before = (house.lease(out.lease).await, house.exposure(out.lease).await);
    let is_as_before = async |why| {
        let lease = Lease { task: before.0.task, ..house.lease(out.lease).await };
        assert_eq!((lease, house.exposure(out.lease).await), before, "{why}");
    };
    let marker = house.directory.accounts()[&out.name].marker.clone();
    house.directory.mark(&out.name, None);
    let minutes = TimeDelta::minutes(400);
    for _ in 0..2 {
        let extended = house.jit.extend(None, &tenant(), out.lease, minutes, house.by()).await;
        assert_eq!(code_of(extended), "target.markers_unknown");
        is_as_before("extended").await;
    }
    house.pass_minutes(5).await;
    let again = house.jit.check_out(&house.request(300, Some("once"))).await;
    assert_eq!(code_of(again), "target.markers_unknown");
    is_as_before("asked for anew").await;
    // Its marker is gone by the time that its secret is set anew, and that an end is taken back.
    house.directory.mark(&out.name, marker.clone());
    house.script.meddle(|directory| directory.accounts().keys().for_each(|name| directory.mark(name, None)));
    let again = house.jit.check_out(&house.request(300, Some("once"))).await;
    assert_eq!(code_of(again), "target.markers_unknown");
    is_as_before("set anew").await;
    house.directory.mark(&out.name, marker);
    house.directory.move_end(&out.name, Some(out.until + TimeDelta::hours(1)));
    house.script.meddle(|directory| directory.accounts().keys().for_each(|name| directory.mark(name, None)));
    let found = house.jit.reconcile(None, &tenant(), &target(), applying(100)).await.unwrap();
    let one = found.differing.iter().find(|one| one.lease == out.lease).unwrap();
    assert_eq!(one.failed, Some(Code::new("target.markers_unknown")));
    is_as_before("taken back").await;
    let lease = house.lease(out.lease).await;
    assert!(matches!(lease.phase, Phase::Active { .. }), "{:?}", lease.phase);
    assert_eq!(lease.until, out.until);
    assert!(house.directory.accounts().contains_key(&out.name));
}

/// The step of a check-out that asks the target: the holder is read, the lease written down, the holder read again.
const MAKING: usize = 3;

/// Lets the process die while the account is made, whose id nobody learns, and the setting of the markers change.
async fn made_without_an_answer(house: &mut House, key: Option<&str>) -> AccountId {
    // The trail tells apart what was done at one instant by chance.
    house.clock.advance(TimeDelta::seconds(1));
    house.script.at(MAKING, Fault::KillAfter);
    assert!(run(house.jit.check_out(&house.request(30, key))).is_none());
    house.restart();
    let lease = house.last_lease().await;
    assert_eq!(house.lease(lease).await.remote.native, None);
    lease
}

async fn reported(house: &House) -> Reconciliation {
    house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap()
}

#[tokio::test]
async fn what_a_call_without_an_answer_made_is_not_called_gone_because_its_marker_is_not_found() {
    let mut house = House::new().await;
    let id = made_without_an_answer(&mut house, None).await;
    let markers = lose_markers(&house);
    let heard = alarms_within(&house, 10).await;
    assert_eq!(house.lease(id).await.phase.word(), "quarantined");
    assert_eq!(heard["lease.quarantined"], 1, "{heard:?}");
    house.clock.advance(TimeDelta::minutes(1));
    assert_eq!(reported(&house).await.changed, [id]);
    assert_eq!(house.directory.accounts().len(), 1, "it is not touched");

    find_markers(&house, markers);
    let heard = alarms_within(&house, 2 * 60).await;
    assert_eq!(house.lease(id).await.phase.word(), "gone");
    assert!(house.directory.accounts().is_empty() && heard["lease.overdue_over"] == 1, "{heard:?}");
    assert!(alarms_within(&house, 8 * 24 * 60).await.is_empty());
}

#[tokio::test]
async fn of_many_calls_without_an_answer_few_are_quarantined_and_the_others_wait() {
    let mut house = House::new().await;
    let mut leases = Vec::new();
    for number in 0..MOST + 2 {
        leases.push(made_without_an_answer(&mut house, Some(&number.to_string())).await);
    }
    let markers = lose_markers(&house);
    let heard = alarms_within(&house, 60).await;
    assert_eq!(phases(&house, &leases).await, BTreeMap::from([("ending", 2), ("quarantined", MOST)]));
    assert_eq!(heard["target.markers_unknown"], 1, "{heard:?}");
    assert_eq!(house.directory.accounts().len(), MOST + 2);
    find_markers(&house, markers);
    alarms_within(&house, 2 * 60).await;
    assert_eq!(phases(&house, &leases).await, BTreeMap::from([("gone", MOST + 2)]));
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn what_a_late_call_made_after_its_lease_had_ended_is_not_called_gone_either() {
    for (is_removed, settles) in [(false, 0), (true, 0), (false, 5), (true, 5)] {
        let house = House::settling(TimeDelta::minutes(settles)).await;
        house.script.at(MAKING, Fault::Late(60));
        assert!(house.jit.check_out(&house.request(30, None)).await.is_err());
        let lease = house.first_lease().await;
        assert_eq!(lease.phase.word(), if settles == 0 { "gone" } else { "gone_unconfirmed" });
        let id = house.trail().await.iter().find_map(|event| event.account).unwrap();
        house.clock.advance(TimeDelta::minutes(1));
        house.script.land(&house.directory).await;
        let markers = lose_markers(&house);
        assert_eq!(markers.len(), 1);
        alarms_within(&house, 10).await;
        assert_eq!(house.lease(id).await.phase.word(), "quarantined");
        if is_removed {
            house.directory.take_out(&lease.remote.name);
        } else {
            find_markers(&house, markers);
        }
        alarms_within(&house, 2 * 60).await;
        assert_eq!(house.lease(id).await.phase.word(), "gone");
        assert!(house.directory.accounts().is_empty());
        assert!(alarms_within(&house, 8 * 24 * 60).await.is_empty());
    }
}

#[tokio::test]
async fn a_call_that_is_repeated_makes_no_second_account_beside_one_whose_marker_is_not_found() {
    let mut house = House::new().await;
    let id = made_without_an_answer(&mut house, Some("once")).await;
    let markers = lose_markers(&house);
    house.clock.advance(TimeDelta::minutes(2));
    let again = house.jit.check_out(&house.request(30, Some("once"))).await;
    assert_eq!(code_of(again), "lease.name_taken");
    assert_eq!(house.directory.accounts().len(), 1);
    assert_eq!(house.lease(id).await.phase.word(), "quarantined");
    find_markers(&house, markers);
    alarms_within(&house, 2 * 60).await;
    assert_eq!(house.lease(id).await.phase.word(), "gone");
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn whoever_dies_while_it_is_quarantined_leaves_what_the_next_one_finishes_and_the_one_after_finds_done()
{
    let mut hit = 0;
    for step in 0..20 {
        for fault in [Fault::KillBefore, Fault::KillAfter] {
            let mut house = House::new().await;
            let id = made_without_an_answer(&mut house, None).await;
            let markers = lose_markers(&house);
            house.clock.advance(TimeDelta::minutes(3));
            house.script.at(step, fault);
            hit += usize::from(run(house.work()).is_none());
            house.script.clear();
            house.restart();
            alarms_within(&house, 30).await;
            assert_eq!(house.lease(id).await.phase.word(), "quarantined", "{fault:?} at {step}");
            let trail = house.trail().await;
            house.restart();
            alarms_within(&house, 20).await;
            assert_eq!(house.trail().await, trail, "{fault:?} at {step}");
            let said = trail.iter().filter(|event| event.action.as_str() == "lease.quarantined").count();
            assert_eq!((said, house.directory.accounts().len()), (1, 1), "{fault:?} at {step}");
            find_markers(&house, markers);
            alarms_within(&house, 2 * 60).await;
            assert_eq!(house.lease(id).await.phase.word(), "gone", "{fault:?} at {step}");
            assert!(house.directory.accounts().is_empty());
        }
    }
    assert!(hit > 8, "{hit}");
}

#[tokio::test]
async fn what_is_shown_again_under_its_id_is_not_called_gone_because_its_marker_is_not_found() {
    let house = House::settling(TimeDelta::minutes(5)).await;
    let out = house.out(30).await;
    let account = house.directory.accounts().remove(&out.name).unwrap();
    assert_eq!(house.check_in(out.lease).await.phase.word(), "gone_unconfirmed");
    house.directory.put_back(&out.name, account);
    house.directory.mark(&out.name, None);
    alarms_within(&house, 10).await;
    assert_eq!(house.lease(out.lease).await.phase.word(), "quarantined");
    house.directory.take_out(&out.name);
    alarms_within(&house, 2 * 60).await;
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
}
