//! The settings of a target point the name of an entitlement at another one while it is lent: what was lent is taken where it
//! was lent, and what people have by themselves stays.

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
    let keeper = house.lease(lease).await.elevates.unwrap();
    let before = house.store.get(&tenant(), keeper).await.unwrap().unwrap();
    let mut after = before.clone();
    let edges = after.elevation.iter_mut().flat_map(|lent| &mut lent.edges);
    edges.for_each(|edge| edge.entitlement = RemoteEntitlement::named(&edge.entitlement.name));
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
