//! What the trail says of a lease to those who may only read what is about them.

use std::num::NonZeroUsize;

use chrono::SecondsFormat;
use jit_core::*;

use super::house::*;

/// What the trail of one account says, earliest first.
async fn trail_of(house: &House, account: AccountId) -> Vec<AuditEvent> {
    let limit = NonZeroUsize::new(100).unwrap();
    let query =
        AuditQuery { tenant: tenant(), account: Some(account), after: None, latest_first: false, limit };
    house.store.events(&query).await.unwrap().items
}

#[tokio::test]
async fn the_trail_of_a_holder_names_each_lease_and_whoever_asked_for_it() {
    let house = House::new().await;
    let out = house.out(30).await;
    let clerk = Actor::Administrator { name: "clerk".into() };
    let other =
        house.jit.check_out(&CheckOut { by: clerk.clone(), ..house.request(30, None) }).await.unwrap();
    let told = trail_of(&house, house.holder).await;
    let told: Vec<_> = told.iter().filter(|event| event.action.as_str() == "access.asked_for").collect();
    let named: Vec<_> = told.iter().map(|event| event.changes.as_slice()).collect();
    let of = |lease: AccountId| [format!("at {}", target()), format!("lease {lease}")];
    assert_eq!(named, [of(out.lease), of(other.lease)]);
    assert_eq!([&told[0].actor, &told[1].actor], [&house.by(), &clerk]);
    assert!(told.iter().all(|event| event.rule == Some(rule("admin"))));
}

#[tokio::test]
async fn the_trail_of_a_lease_says_until_when_it_was_lent_and_to_when_its_end_moved() {
    let house = House::new().await;
    let out = house.out(30).await;
    let extended =
        house.jit.extend(None, &tenant(), out.lease, chrono::TimeDelta::hours(1), house.by()).await;
    let (first, then) = (out.until, extended.unwrap().until);
    house.check_in(out.lease).await;
    let said = |action: &str, trail: &[AuditEvent]| {
        let step = trail.iter().find(|event| event.action.as_str() == action).unwrap();
        step.changes.get(1).cloned()
    };
    let trail = trail_of(&house, out.lease).await;
    let until = |end: chrono::DateTime<chrono::Utc>| {
        Some(format!("until {}", end.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
    };
    assert_eq!(said("lease.active", &trail), until(first));
    assert_eq!(said("lease.extended", &trail), until(then));
    assert_eq!(said("lease.ending", &trail).as_deref(), Some("because checked_in"));
}

/// Why the trail of a lease says that its end began, and why that it is gone.
async fn reasons(house: &House, lease: AccountId) -> [Option<EndReason>; 2] {
    let trail = trail_of(house, lease).await;
    ["lease.ending", "lease.removed"].map(|action| {
        let step = trail.iter().find(|event| event.action.as_str() == action);
        EndReason::told_by(step.unwrap_or_else(|| panic!("no {action}: {trail:?}")))
    })
}

#[tokio::test]
async fn the_trail_of_a_lease_says_why_it_ended_whoever_wrote_it_down() {
    let house = House::new().await;
    let (back, lost) = (house.out(30).await, house.out(30).await);
    house.check_in(back.lease).await;
    assert_eq!(reasons(&house, back.lease).await, [Some(EndReason::CheckedIn); 2]);

    // The holder asks for more time, and learns that somebody took it away: that is no check-in.
    house.directory.take_out(&lost.name).unwrap();
    let longer = house.jit.extend(None, &tenant(), lost.lease, chrono::TimeDelta::hours(1), house.by()).await;
    assert_eq!(code_of(longer), "lease.over");
    assert_eq!(reasons(&house, lost.lease).await, [Some(EndReason::Lost); 2]);

    let late = house.out(30).await;
    house.pass_minutes(31).await;
    assert_eq!(reasons(&house, late.lease).await, [Some(EndReason::Expired); 2]);
}

#[tokio::test]
async fn the_trail_tells_an_end_by_suspension_from_one_by_time() {
    let house = House::new().await;
    let out = house.out(30).await;
    let (account, act) = (house.holder, AdminAct::Suspend);
    let request = AdminRequest { tenant: tenant(), store: None, account, act, by: "root".into() };
    house.jit.administer(&request).await.unwrap().unwrap();
    house.jit.work(&WorkerId::new("w").unwrap(), NonZeroUsize::new(10).unwrap()).await.unwrap();
    house.work().await.unwrap();
    assert_eq!(reasons(&house, out.lease).await, [Some(EndReason::HolderEnded); 2]);
}
