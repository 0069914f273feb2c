//! Leases that have been gone for long are forgotten, and what turns up of them later is known all the same.

use std::num::NonZeroUsize;

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

const RETENTION: TimeDelta = TimeDelta::days(90);

impl House {
    /// Does what is due for accounts, as any worker does; in strides, so that no jump of the clock is suspected.
    async fn pass_days(&self, days: i64) {
        for _ in 0..days {
            self.clock.advance(TimeDelta::days(1));
            self.tidy().await;
        }
    }

    async fn tidy(&self) -> WorkReport {
        self.jit.work(&WorkerId::new("tidy").unwrap(), NonZeroUsize::new(100).unwrap()).await.unwrap()
    }

    async fn reconcile(&self, mode: ReconcileMode) -> Reconciliation {
        self.jit.reconcile(None, &tenant(), &target(), mode).await.unwrap()
    }

    async fn is_known(&self, id: AccountId) -> bool {
        self.store.get(&tenant(), id).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_lease_that_is_gone_is_forgotten_after_its_retention_and_its_trail_stays() {
    let house = House::new().await;
    let (one, live) = (house.out(30).await, house.out(480).await);
    house.check_in(one.lease).await;
    house.clock.advance(RETENTION - TimeDelta::seconds(1));
    house.tidy().await;
    assert!(house.is_known(one.lease).await, "a second before");
    house.clock.advance(TimeDelta::seconds(1));
    house.tidy().await;
    assert!(!house.is_known(one.lease).await);
    assert!(house.is_known(live.lease).await, "whoever worked or not: what is not gone stays");
    let about = house.trail().await.into_iter().filter(|event| event.account == Some(one.lease)).count();
    assert_eq!(about, 4, "intended, active, ending, removed");
    let again = house.jit.check_in(None, &tenant(), one.lease, house.by()).await;
    assert_eq!(code_of(again), "lease.unknown");
    let before = house.store.get(&tenant(), live.lease).await.unwrap();
    assert_eq!(house.tidy().await.done, 0, "and nothing is left to do");
    assert_eq!(house.store.get(&tenant(), live.lease).await.unwrap(), before);
}

#[tokio::test]
async fn the_retention_begins_when_nothing_can_arrive_any_longer() {
    let house = House::settling(TimeDelta::minutes(10)).await;
    let out = house.out(30).await;
    house.check_in(out.lease).await;
    house.clock.advance(TimeDelta::days(60));
    house.work().await.unwrap();
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { .. }));
    house.pass_days(89).await;
    assert!(house.is_known(out.lease).await, "confirmed after sixty days");
    house.pass_days(1).await;
    assert!(!house.is_known(out.lease).await);
}

#[tokio::test]
async fn what_returned_before_its_time_was_over_is_not_forgotten_until_it_is_gone_again() {
    let house = House::new().await;
    let out = house.out(30).await;
    let backup = house.directory.take_out(&out.name).unwrap();
    house.check_in(out.lease).await;
    house.pass_days(80).await;
    house.directory.put_back(&out.name, backup);
    assert_eq!(house.reconcile(ReconcileMode::EndReturned { at_most: 1 }).await.ended, 1);
    house.pass_days(20).await;
    assert!(house.lease(out.lease).await.is_live(), "its target was not worked on: it is ending");
    house.work().await.unwrap();
    house.pass_days(89).await;
    assert!(house.is_known(out.lease).await);
    house.pass_days(1).await;
    assert!(!house.is_known(out.lease).await);
}

#[tokio::test]
async fn what_turns_up_of_a_forgotten_lease_is_reported_and_ended_when_asked() {
    let house = House::new().await;
    let out = house.out(30).await;
    let backup = house.directory.take_out(&out.name).unwrap();
    house.check_in(out.lease).await;
    house.pass_days(91).await;
    assert!(!house.is_known(out.lease).await);
    house.directory.put_back(&out.name, backup);
    house.directory.plant("alice");
    let report = house.reconcile(ReconcileMode::Report).await;
    assert_eq!(report.returned.iter().map(|remote| &remote.name).collect::<Vec<_>>(), [&out.name]);
    assert!(report.suspects.is_empty());
    assert!(!house.is_known(out.lease).await, "a report changes nothing");
    assert_eq!(house.reconcile(ReconcileMode::EndReturned { at_most: 1 }).await.ended, 1);
    house.work().await.unwrap();
    assert_eq!(house.directory.accounts().into_keys().collect::<Vec<_>>(), ["alice"]);
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { why: EndReason::Reappeared, .. }));
    house.pass_days(90).await;
    assert!(!house.is_known(out.lease).await, "and forgotten again");
}

#[tokio::test]
async fn a_key_is_good_for_a_new_lease_once_the_old_one_is_forgotten() {
    let house = House::new().await;
    let out = house.jit.check_out(&house.request(30, Some("k"))).await.unwrap();
    house.check_in(out.lease).await;
    house.pass_days(89).await;
    assert_eq!(code_of(house.jit.check_out(&house.request(30, Some("k"))).await), "lease.over");
    house.pass_days(1).await;
    let again = house.jit.check_out(&house.request(30, Some("k"))).await.unwrap();
    assert_eq!(again.lease, out.lease);
    house.check_in(again.lease).await;
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn what_was_lent_to_a_person_is_forgotten_as_well_and_what_they_had_stays() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let lent = house.lift("lift", 30).await.unwrap();
    house.check_in(lent.lease).await;
    house.pass_days(90).await;
    assert!(!house.is_known(lent.lease).await);
    assert!(!house.person_holds("ops"));
    let again = house.lift("lift", 30).await.unwrap();
    assert!(house.person_holds("ops"));
    house.check_in(again.lease).await;
    assert!(!house.person_holds("ops"));
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_forgets_nothing() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.check_in(out.lease).await;
    house.tidy().await;
    house.clock.jump(TimeDelta::days(365));
    house.tidy().await;
    assert!(house.is_known(out.lease).await);
}
