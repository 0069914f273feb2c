//! What is left if nobody of ours ever runs again: what the target said of what is there, and not what it could do by now.

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{UnattendedEnd::*, *};

use super::{faulty::Fault, house::*};

impl House {
    /// Who ends a lease if nobody of ours ever runs again, and when.
    pub(crate) async fn exposure(&self, lease: AccountId) -> (UnattendedEnd, Option<DateTime<Utc>>) {
        let account = self.store.get(&tenant(), lease).await.unwrap().unwrap();
        let exposure = self.jit.exposure(None, &account).await.unwrap().unwrap();
        (exposure.ended_by, exposure.worst_case)
    }

    async fn extend(&self, lease: AccountId, minutes: i64) -> Extended {
        let span = TimeDelta::minutes(minutes);
        self.jit.extend(None, &tenant(), lease, span, self.by()).await.unwrap()
    }

    /// Writes a record as versions before wrote it, which did not keep who ends what.
    async fn forget_who_ends(&self, id: AccountId) {
        let before = self.store.get(&tenant(), id).await.unwrap().unwrap();
        let mut after = before.clone();
        after.lease.iter_mut().for_each(|lease| lease.unattended = None);
        let edges = after.elevation.iter_mut().flat_map(|lent| lent.edges.iter_mut());
        edges.for_each(|edge| (edge.drops, edge.drops_at) = (false, None));
        let write = Some(AccountWrite::update(&before, after));
        self.store.commit(&Commit { account: write, ..Commit::new(tenant()) }).await.unwrap();
    }
}

async fn house() -> House {
    let house = House::new().await;
    house.directory.plant(PERSON);
    house
}

#[tokio::test]
async fn a_target_that_ends_accounts_from_now_on_is_not_counted_on_for_those_of_before() {
    let house = House::new().await;
    house.directory.end_by_itself(false);
    let before = house.out(30).await;
    assert_eq!((before.unattended, before.worst_case), (LibraryOnly, None));
    house.directory.end_by_itself(true);
    assert_eq!(house.exposure(before.lease).await, (LibraryOnly, None), "it was never told of an end");
    let after = house.out(30).await;
    assert_eq!((after.unattended, after.worst_case), (ServerRefusesLogin, Some(after.until)));
    assert_eq!(house.exposure(after.lease).await, (ServerRefusesLogin, Some(after.until)));
    let longer = house.extend(before.lease, 60).await;
    assert_eq!((longer.unattended, longer.worst_case), (ServerRefusesLogin, Some(longer.until)));
    assert_eq!(
        house.exposure(before.lease).await,
        (ServerRefusesLogin, Some(longer.until)),
        "now it was told"
    );
}

#[tokio::test]
async fn what_was_told_its_end_keeps_it_when_the_settings_no_longer_say_so() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.directory.end_by_itself(false);
    assert_eq!(house.exposure(out.lease).await, (ServerRefusesLogin, Some(out.until)));
    house.restart_with_target(false);
    assert_eq!(
        house.exposure(out.lease).await,
        (ServerRefusesLogin, Some(out.until)),
        "nobody asks it any more"
    );
    house.restart_with_target(true);
    let longer = house.extend(out.lease, 60).await;
    assert_eq!((longer.unattended, longer.worst_case), (LibraryOnly, None));
    assert_eq!(house.exposure(out.lease).await, (LibraryOnly, None));
}

#[tokio::test]
async fn what_nobody_heard_the_answer_of_is_not_counted_on() {
    let house = House::new().await;
    house.script.delay_effect(30);
    let _ = house.jit.check_out(&house.request(30, Some("k"))).await;
    let account = house.trail().await.iter().find_map(|event| event.account).unwrap();
    assert_eq!(house.exposure(account).await, (LibraryOnly, None));
}

/// The call that sets a new secret may make the account anew, by other settings.
#[tokio::test]
async fn a_secret_that_is_set_anew_without_an_answer_leaves_nobody_to_count_on() {
    let house = House::new().await;
    let out = house.jit.check_out(&house.request(30, Some("k"))).await.unwrap();
    house.clock.advance(TimeDelta::minutes(3));
    house.directory.end_by_itself(false);
    // The look, the commit that says that it is asked again, the holder, and then the call.
    let (steps, ..) = house.script.counts();
    let mut lost = false;
    for ahead in 0..12 {
        house.script.at(ahead, Fault::KillAfter);
        drop(run(house.jit.check_out(&house.request(30, Some("k")))));
        house.script.clear();
        let lease = house.lease(out.lease).await;
        if lease.renewing {
            lost = true;
            assert_eq!(house.exposure(out.lease).await, (LibraryOnly, None), "step {}", steps + ahead);
        }
        house.clock.advance(TimeDelta::minutes(3));
    }
    assert!(lost, "some of them were killed in between");
}

#[tokio::test]
async fn an_extension_without_an_answer_may_have_come_to_the_end_that_it_asked_for() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.script.delay_effect(30);
    let asked = house.now() + TimeDelta::hours(1);
    assert!(house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(1), house.by()).await.is_err());
    assert_eq!(house.exposure(out.lease).await, (ServerRefusesLogin, Some(asked)));
}

#[tokio::test]
async fn an_extension_that_was_refused_leaves_everything_as_it_was() {
    let house = house().await;
    let account = house.jit.check_out(&house.request(30, Some("k"))).await.unwrap().lease;
    let lent = house.lift("lift", 30).await.unwrap().lease;
    let longer =
        async |lease| house.jit.extend(None, &tenant(), lease, TimeDelta::hours(1), house.by()).await;
    for lease in [account, lent] {
        let (before, told) = (house.lease(lease).await, house.exposure(lease).await);
        for fault in [TargetFault::Forbidden, TargetFault::Unreachable, TargetFault::Untrusted] {
            house.script.refuse(Some(fault));
            assert_eq!(
                code_of(longer(lease).await),
                BackendError::new(ErrorKind::Target(fault), "t").code().to_string()
            );
            house.script.refuse(None);
            let after = house.lease(lease).await;
            assert_eq!((after.until, after.unanswered), (before.until, before.unanswered), "{fault:?}");
            assert_eq!(house.exposure(lease).await, told, "{fault:?}");
        }
        assert_eq!(longer(lease).await.unwrap().until, house.now() + TimeDelta::hours(1), "at once");
    }
    house.jit.check_out(&house.request(30, Some("k"))).await.unwrap();
}

#[tokio::test]
async fn what_a_refused_extension_did_not_do_says_nothing_of_one_that_was_not_answered() {
    let house = House::new().await;
    let out = house.out(30).await;
    let longer = async || house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(1), house.by()).await;
    house.script.delay_effect(30);
    let asked = house.now() + TimeDelta::hours(1);
    assert!(longer().await.is_err());
    house.clock.advance(TimeDelta::minutes(3));
    house.script.refuse(Some(TargetFault::Forbidden));
    assert!(longer().await.is_err());
    assert_eq!(house.exposure(out.lease).await, (ServerRefusesLogin, Some(asked)), "the first may have come");
}

#[tokio::test]
async fn what_a_refused_renewal_did_not_do_says_nothing_of_an_extension_that_was_not_answered() {
    let house = House::new().await;
    let again = async || house.jit.check_out(&house.request(30, Some("k"))).await;
    let out = again().await.unwrap();
    house.script.delay_effect(30);
    let span = TimeDelta::hours(1);
    assert!(house.jit.extend(None, &tenant(), out.lease, span, house.by()).await.is_err());
    let lost = (house.lease(out.lease).await.unanswered, house.exposure(out.lease).await);
    assert_eq!(lost.1, (ServerRefusesLogin, Some(house.now() + span)));
    house.clock.advance(TimeDelta::minutes(3));
    house.script.refuse_effects(Some(TargetFault::Secret));
    assert_eq!(code_of(again().await), "target.secret");
    let after = (house.lease(out.lease).await.unanswered, house.exposure(out.lease).await);
    assert_eq!(after, lost, "the extension may have come");
    house.script.refuse_effects(None);
    let renewed = again().await.unwrap();
    assert_eq!(house.exposure(out.lease).await, (ServerRefusesLogin, Some(renewed.until)), "now it was told");
}

#[tokio::test]
async fn an_extension_that_was_refused_alone_leaves_what_is_lent_as_it_was() {
    let house = house().await;
    let lent = house.lift("lift", 30).await.unwrap();
    let keeper = house.lease(lent.lease).await.elevates.unwrap();
    let what_is_lent =
        async || house.store.get(&tenant(), keeper).await.unwrap().unwrap().elevation.unwrap().edges;
    let before = (what_is_lent().await, house.exposure(lent.lease).await);
    house.script.refuse_effects(Some(TargetFault::Forbidden));
    let span = TimeDelta::hours(1);
    let longer = async || house.jit.extend(None, &tenant(), lent.lease, span, house.by()).await;
    assert_eq!(code_of(longer().await), "target.forbidden");
    assert_eq!((what_is_lent().await, house.exposure(lent.lease).await), before);
    house.script.refuse_effects(None);
    // Nobody else's call brings what was refused to the target.
    let second = house.lift("lift", 10).await.unwrap();
    assert_eq!(house.exposure(second.lease).await, (ServerDropsMembership, Some(lent.until)));
    assert_eq!(house.directory.accounts()[PERSON].drops_at["ops"], lent.until);
    assert_eq!(longer().await.unwrap().until, house.now() + span, "at once");
}

#[tokio::test]
async fn an_extension_that_took_effect_is_never_said_not_to_have() {
    let mut lost = 0;
    for ahead in 0..20 {
        let house = house().await;
        let lent = house.lift("lift", 30).await.unwrap();
        house.script.at(ahead, Fault::FailBefore);
        let span = TimeDelta::hours(1);
        let longer = house.jit.extend(None, &tenant(), lent.lease, span, house.by()).await;
        house.script.clear();
        let is_prolonged = house.directory.accounts()[PERSON].drops_at["ops"] > lent.until;
        let says = house.trail().await.iter().any(|event| event.action.as_str() == "lease.not_extended");
        assert!(!(is_prolonged && says), "step {ahead}");
        let exposure = house.exposure(lent.lease).await;
        assert!(!is_prolonged || exposure.1 > Some(lent.until), "step {ahead}: {exposure:?}");
        lost += usize::from(is_prolonged && longer.is_err());
    }
    assert!(lost > 0, "some failed after the target was asked");
}

#[tokio::test]
async fn what_was_put_into_a_group_for_good_is_not_promised_to_be_taken() {
    let house = house().await;
    house.directory.end_by_itself(false);
    let before = house.lift_with("lift", 30, Some("k")).await.unwrap();
    assert_eq!((before.unattended, before.worst_case), (LibraryOnly, None));
    house.directory.end_by_itself(true);
    assert_eq!(house.exposure(before.lease).await, (LibraryOnly, None));
    let again = house.lift_with("lift", 30, Some("k")).await.unwrap();
    assert_eq!((again.lease, again.unattended), (before.lease, LibraryOnly));
    let second = house.lift("lift", 30).await.unwrap();
    assert_eq!((second.unattended, second.worst_case), (LibraryOnly, None), "it is in the group for good");
    let longer = house.extend(before.lease, 60).await;
    assert_eq!((longer.unattended, longer.worst_case), (LibraryOnly, None));
    house.check_in(before.lease).await;
    house.check_in(second.lease).await;
    let after = house.lift("lift", 30).await.unwrap();
    assert_eq!((after.unattended, after.worst_case), (ServerDropsMembership, Some(after.until)));
}

#[tokio::test]
async fn what_stays_for_good_is_not_promised_to_be_taken_with_a_second_lease() {
    let house = house().await;
    house.lift("lift", 30).await.unwrap();
    // As a call by settings that end nothing gave it: for good.
    house.directory.leave(PERSON, "ops");
    house.directory.join(PERSON, "ops");
    let second = house.lift("lift", 30).await.unwrap();
    assert_eq!((second.unattended, second.worst_case), (LibraryOnly, None));
}

#[tokio::test]
async fn what_leases_share_is_taken_when_the_last_of_them_was_to_end() {
    let house = house().await;
    let first = house.lift("lift", 10).await.unwrap();
    assert_eq!(house.exposure(first.lease).await, (ServerDropsMembership, Some(first.until)));
    let second = house.lift("lift", 30).await.unwrap();
    assert_eq!(house.exposure(first.lease).await, (ServerDropsMembership, Some(second.until)));
    house.check_in(second.lease).await;
    let drops_at = house.directory.accounts()[PERSON].drops_at["ops"];
    assert_eq!(
        house.exposure(first.lease).await,
        (ServerDropsMembership, Some(drops_at)),
        "the end stays there"
    );
    let both = house.lift("lift-both", 20).await.unwrap();
    assert_eq!((both.unattended, both.worst_case), (ServerDropsMembership, Some(second.until)));
}

#[tokio::test]
async fn one_of_several_that_stays_for_good_counts_for_all() {
    let house = house().await;
    house.directory.end_by_itself(false);
    house.lift("lift", 30).await.unwrap();
    house.directory.end_by_itself(true);
    let both = house.lift("lift-both", 30).await.unwrap();
    assert_eq!((both.unattended, both.worst_case), (LibraryOnly, None));
}

#[tokio::test]
async fn what_the_person_held_before_nobody_takes() {
    let house = house().await;
    house.directory.join(PERSON, "ops");
    let lent = house.lift("lift", 30).await.unwrap();
    assert_eq!((lent.unattended, lent.worst_case), (LibraryOnly, None), "nothing is lent");
    let both = house.lift("lift-both", 30).await.unwrap();
    assert_eq!(
        (both.unattended, both.worst_case),
        (ServerDropsMembership, Some(both.until)),
        "one of two is"
    );
}

#[tokio::test]
async fn records_from_before_promise_nothing_until_the_target_is_asked_again() {
    let house = house().await;
    let (out, lent) = (house.out(30).await, house.lift("lift", 30).await.unwrap());
    let keeper = house.lease(lent.lease).await.elevates.unwrap();
    for id in [out.lease, keeper] {
        house.forget_who_ends(id).await;
    }
    for lease in [out.lease, lent.lease] {
        assert_eq!(house.exposure(lease).await, (LibraryOnly, None));
    }
    let longer = house.extend(out.lease, 60).await;
    assert_eq!((longer.unattended, longer.worst_case), (ServerRefusesLogin, Some(longer.until)));
    let longer = house.extend(lent.lease, 60).await;
    assert_eq!((longer.unattended, longer.worst_case), (ServerDropsMembership, Some(longer.until)));
}

#[tokio::test]
async fn what_returned_may_be_as_it_was_before_it_had_an_end() {
    let house = House::new().await;
    house.directory.end_by_itself(false);
    let out = house.out(30).await;
    let backup = house.directory.accounts().remove(&out.name).unwrap();
    house.directory.end_by_itself(true);
    house.extend(out.lease, 60).await;
    house.check_in(out.lease).await;
    house.directory.put_back(&out.name, backup);
    house.script.answer(Some(TargetFault::Unreachable));
    house.script.answer(None);
    house.jit.reconcile(None, &tenant(), &target(), applying(5)).await.unwrap();
    assert_eq!(house.lease(out.lease).await.phase.word(), "ending");
    assert_eq!(house.exposure(out.lease).await, (LibraryOnly, None));
}
