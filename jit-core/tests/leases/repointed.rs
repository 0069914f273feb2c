//! The settings of a target point the name of an entitlement at another one while it is lent: what was lent is taken where it
//! was lent, and what people have by themselves stays.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

/// The person is in `staff` for good.
async fn house() -> House {
    let house = House::new().await;
    house.directory.plant(PERSON);
    house.directory.join(PERSON, "staff");
    house
}

fn holds(house: &House) -> Vec<String> {
    house.directory.accounts()[PERSON].entitlements.clone()
}

async fn extend(house: &House, lease: AccountId) -> Result<Extended, JitError> {
    house.jit.extend(None, &tenant(), lease, TimeDelta::hours(1), house.by()).await
}

#[tokio::test]
async fn what_was_lent_is_taken_where_it_was_lent_and_somebody_is_told() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    house.directory.point("ops", Some("staff"));
    assert_eq!(house.check_in(lent.lease).await.phase.word(), "gone");
    assert_eq!(holds(&house), ["staff"], "what they had before is theirs");
    assert_eq!(house.alarms().await, ["lease.repointed"]);
    let trail = house.trail().await;
    let told = trail.iter().find(|event| event.action.as_str() == "lease.repointed").unwrap();
    assert_eq!(told.account, Some(lent.lease));
    let said = "ops at directory stands for another one by now; what was lent was ops";
    assert_eq!(told.changes, [said]);
    house.pass_minutes(60).await;
    assert_eq!(house.alarms().await, [""; 0], "it is told once");
}

#[tokio::test]
async fn what_was_lent_is_taken_though_its_name_is_gone() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    house.directory.point("ops", None);
    house.clock.advance(TimeDelta::minutes(1));
    let compared = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert!(compared.unheld.is_empty() && compared.partial.is_none(), "{compared:?}");
    assert_eq!(house.check_in(lent.lease).await.phase.word(), "gone");
    assert_eq!(holds(&house), ["staff"]);
    assert_eq!(house.alarms().await, [""; 0], "nothing else has the name");
}

#[tokio::test]
async fn leases_of_one_name_that_stood_for_two_do_not_end_each_other() {
    for first_ends_first in [true, false] {
        let house = house().await;
        let first = house.lift("lift", 30).await.unwrap();
        house.directory.point("ops", Some("crew"));
        let second = house.lift("lift", 30).await.unwrap();
        assert_eq!(holds(&house), ["staff", "ops", "crew"]);
        let (one, other) = if first_ends_first { (first, second) } else { (second, first) };
        assert_eq!(house.check_in(one.lease).await.phase.word(), "gone");
        assert_eq!(holds(&house), ["staff", if first_ends_first { "crew" } else { "ops" }]);
        assert_eq!(house.check_in(other.lease).await.phase.word(), "gone");
        assert_eq!(holds(&house), ["staff"]);
    }
}

#[tokio::test]
async fn what_two_names_stand_for_stays_until_the_last_lease_ends() {
    let house = house().await;
    house.directory.point("dba", Some("ops"));
    let first = house.lift("lift", 30).await.unwrap();
    let both = house.lift("lift-both", 60).await.unwrap();
    assert_eq!(holds(&house), ["staff", "ops"]);
    house.check_in(first.lease).await;
    assert_eq!(holds(&house), ["staff", "ops"]);
    house.check_in(both.lease).await;
    assert_eq!(holds(&house), ["staff"]);
}

#[tokio::test]
async fn what_was_there_before_stays_though_its_name_stood_for_something_else_when_it_was_first_lent() {
    let house = house().await;
    let first = house.lift("lift", 30).await.unwrap();
    house.directory.point("ops", Some("staff"));
    let second = house.lift("lift", 60).await.unwrap();
    house.check_in(second.lease).await;
    house.check_in(first.lease).await;
    assert_eq!(holds(&house), ["staff"]);
}

#[tokio::test]
async fn what_was_made_anew_under_the_name_is_another_and_whoever_is_in_it_stays() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    house.directory.remake("ops");
    house.directory.join(PERSON, "ops");
    house.check_in(lent.lease).await;
    house.pass_minutes(5).await;
    assert_eq!(house.lease(lent.lease).await.phase.word(), "gone");
    assert_eq!(holds(&house), ["staff", "ops"], "somebody else gave it");
}

#[tokio::test]
async fn a_lease_is_extended_by_what_it_was_lent_or_not_at_all() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    house.directory.point("ops", Some("crew"));
    assert_eq!(code_of(extend(&house, lent.lease).await), "target.entitlement");
    assert_eq!(holds(&house), ["staff", "ops"], "nothing else is given, and it goes on to its end");
    house.directory.point("ops", Some("ops"));
    house.pass_minutes(3).await;
    extend(&house, lent.lease).await.unwrap();
    house.pass_minutes(60).await;
    assert_eq!(holds(&house), ["staff"]);
}

/// Writes what is lent as earlier builds wrote it: by name alone.
async fn forget_ids(house: &House, lease: AccountId) {
    let name_alone = |edge: &mut Edge| edge.entitlement = RemoteEntitlement::named(&edge.entitlement.name);
    rewrite(house, lease, |edges| edges.iter_mut().for_each(name_alone)).await;
}

async fn rewrite(house: &House, lease: AccountId, how: impl Fn(&mut Vec<Edge>)) {
    let keeper = house.lease(lease).await.elevates.unwrap();
    let before = house.store.get(&tenant(), keeper).await.unwrap().unwrap();
    let mut after = before.clone();
    after.elevation.iter_mut().for_each(|lent| how(&mut lent.edges));
    let write = Some(AccountWrite::update(&before, after));
    house.store.commit(&Commit { account: write, ..Commit::new(tenant()) }).await.unwrap();
}

#[tokio::test]
async fn what_an_earlier_build_lent_by_name_is_taken_where_the_name_points() {
    let house = house().await;
    let first = house.lift("lift", 30).await.unwrap();
    forget_ids(&house, first.lease).await;
    let second = house.lift("lift", 30).await.unwrap();
    // what it stood for is known from then on
    house.directory.point("ops", Some("staff"));
    house.check_in(first.lease).await;
    assert_eq!(holds(&house), ["staff", "ops"], "they share it");
    house.check_in(second.lease).await;
    assert_eq!(holds(&house), ["staff"]);
    let lent = house.lift("lift", 30).await.unwrap();
    forget_ids(&house, lent.lease).await;
    assert_eq!(house.check_in(lent.lease).await.phase.word(), "gone");
    assert_eq!(holds(&house), ["staff"]);
}

#[tokio::test]
async fn what_an_earlier_build_lent_by_name_is_shared_with_a_lease_by_another_name_of_it() {
    for is_extended in [false, true] {
        let house = house().await;
        house.directory.point("dba", Some("ops"));
        let first = house.lift("lift", 30).await.unwrap();
        forget_ids(&house, first.lease).await;
        let second = house.lift("lift-other", 60).await.unwrap();
        if is_extended {
            extend(&house, first.lease).await.unwrap();
        }
        assert_eq!(house.check_in(first.lease).await.phase.word(), "gone");
        assert_eq!(holds(&house), ["staff", "ops"], "the second needs it");
        assert_eq!(house.check_in(second.lease).await.phase.word(), "gone");
        assert_eq!(holds(&house), ["staff"]);
    }
}

/// An earlier build took the loan of the first lease, which it had written by name, for what the person had before.
#[tokio::test]
async fn what_an_earlier_build_wrote_twice_is_one_and_ends_with_the_last_lease() {
    for first_ends_first in [true, false] {
        let house = house().await;
        house.directory.point("dba", Some("ops"));
        let first = house.lift("lift", 30).await.unwrap();
        let second = house.lift("lift-other", 60).await.unwrap();
        rewrite(&house, first.lease, |edges| {
            let both = edges.pop().unwrap();
            let of = |lease| [(lease, both.leases[&lease])].into();
            let entitlement = RemoteEntitlement::named("ops");
            let by_id = Edge { pre_existing: true, asked: 0, leases: of(second.lease), ..both.clone() };
            edges.extend([Edge { entitlement, leases: of(first.lease), ..both.clone() }, by_id]);
        })
        .await;
        let (one, other) = if first_ends_first { (first, second) } else { (second, first) };
        assert_eq!(house.check_in(one.lease).await.phase.word(), "gone");
        assert_eq!(holds(&house), ["staff", "ops"]);
        assert_eq!(house.check_in(other.lease).await.phase.word(), "gone");
        assert_eq!(holds(&house), ["staff"]);
    }
}

#[tokio::test]
async fn a_name_that_nobody_knows_any_longer_keeps_nobody_from_a_lease() {
    let house = house().await;
    let first = house.lift("lift", 30).await.unwrap();
    forget_ids(&house, first.lease).await;
    house.directory.point("ops", None);
    let second = house.lift("lift-other", 60).await.unwrap();
    house.check_in(second.lease).await;
    house.directory.point("ops", Some("ops"));
    house.pass_minutes(40).await;
    assert_eq!(holds(&house), ["staff"]);
}

#[tokio::test]
async fn what_nobody_may_look_at_any_longer_keeps_no_other_lease_from_beginning_or_ending() {
    let house = house().await;
    house.lift("lift", 60).await.unwrap();
    let other = house.lift("lift-other", 30).await.unwrap();
    let name_alone = |edge: &mut Edge| {
        if edge.entitlement.name == "ops" {
            edge.entitlement = RemoteEntitlement::named("ops");
        }
    };
    rewrite(&house, other.lease, |edges| edges.iter_mut().for_each(name_alone)).await;
    house.script.hide("ops");
    extend(&house, other.lease).await.unwrap();
    assert_eq!(house.check_in(other.lease).await.phase.word(), "gone");
    assert_eq!(holds(&house), ["staff", "ops"]);
}

#[tokio::test]
async fn what_somebody_gave_between_our_look_and_our_call_is_theirs_though_a_role_calls_it_by_two_names() {
    let house = house().await;
    house.directory.point("dba", Some("ops"));
    house.script.meddle(|directory| directory.join(PERSON, "ops"));
    let lent = house.lift("lift-both", 30).await.unwrap();
    house.check_in(lent.lease).await;
    assert_eq!(holds(&house), ["staff", "ops"]);
}

/// Each look is a trip: what others were lent there must not add to what one lease costs.
#[tokio::test]
async fn a_target_that_tells_no_ids_is_asked_no_more_for_each_lease_that_is_there() {
    let house = house().await;
    house.script.tell_no_ids();
    let mut looks = Vec::new();
    for role in ["lift", "lift-other", "lift-both", "lift"] {
        let before = house.script.asked_for_holdings.load(Ordering::SeqCst);
        house.lift(role, 30).await.unwrap();
        looks.push(house.script.asked_for_holdings.load(Ordering::SeqCst) - before);
    }
    // The first look of all shows what the lease begins with.
    assert!(looks.iter().all(|count| (1..=2).contains(count)), "{looks:?}");
}
