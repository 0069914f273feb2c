//! Answers of the store that are lost: whoever was told nothing must not believe the wrong thing.

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

/// The step of a check-out that writes down that the account is in use: the holder is read, the lease written down, the
/// holder read again, the target asked.
const ACTIVE: usize = 4;

#[tokio::test]
async fn a_check_out_whose_last_commit_lost_its_answer_hands_out_what_stands() {
    let house = House::new().await;
    house.script.at(ACTIVE, Fault::FailAfter);
    let out = house.jit.check_out(&house.request(30, Some("k"))).await.unwrap();
    let remote = house.directory.accounts().remove(&out.name).unwrap();
    assert!(remote.admits(out.secret.reveal(), house.now()));
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Active { .. }));
    house.pass_minutes(31).await;
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn a_check_out_whose_last_commit_did_nothing_is_ended_on_record_before_its_account_goes() {
    let house = House::new().await;
    house.script.at(ACTIVE, Fault::FailBefore);
    let refused = house.jit.check_out(&house.request(30, None)).await;
    assert_eq!(code_of(refused), "store.unavailable");
    assert!(house.directory.accounts().is_empty());
    let trail = house.trail().await;
    let actions: Vec<_> = trail.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["lease.intended", "access.asked_for", "lease.ending", "lease.removed"]);
    let why: Vec<_> = trail.iter().filter_map(EndReason::told_by).collect();
    assert_eq!(why, [EndReason::Interrupted; 2], "nothing was handed out, so nothing was checked in");
}

#[tokio::test]
async fn a_check_out_whose_last_commit_lands_late_brings_nothing_back() {
    let house = House::new().await;
    house.script.at(ACTIVE, Fault::Late(30));
    assert!(house.jit.check_out(&house.request(30, None)).await.is_err());
    house.pass_minutes(5).await;
    assert!(house.directory.accounts().is_empty());
    let trail = house.trail().await;
    assert!(trail.iter().all(|event| event.action.as_str() != "lease.active"), "{trail:?}");
}

/// The commit stands, and then nothing answers for a while: neither can it be looked up, nor an end be written down.
#[tokio::test]
async fn a_store_that_falls_silent_after_a_commit_that_stands_burns_no_key() {
    let house = House::new().await;
    house.script.at(ACTIVE, Fault::FailAfter);
    house.script.silence_store(ACTIVE + 1);
    let request = house.request(30, Some("k"));
    assert_eq!(code_of(house.jit.check_out(&request).await), "store.unavailable");
    house.script.clear();
    let again = house.jit.check_out(&request).await.unwrap();
    let remote = house.directory.accounts().remove(&again.name).unwrap();
    assert!(remote.admits(again.secret.reveal(), house.now()));
    let trail = house.trail().await;
    assert!(trail.iter().all(|event| event.action.as_str() != "lease.ending"), "{trail:?}");
}

#[tokio::test]
async fn a_store_that_falls_silent_after_a_commit_that_failed_leaves_the_end_to_the_task() {
    let house = House::new().await;
    house.script.silence_store(ACTIVE);
    assert!(house.jit.check_out(&house.request(30, None)).await.is_err());
    house.script.clear();
    house.pass_minutes(5).await;
    assert!(house.directory.accounts().is_empty());
    assert_eq!(house.first_lease().await.phase.word(), "gone");
}

#[tokio::test]
async fn a_caller_who_comes_too_late_removes_what_nobody_looks_for_any_longer() {
    let house = House::new().await;
    house.script.stall_after_effect(TimeDelta::minutes(3));
    house.script.silence_store(ACTIVE);
    assert!(house.jit.check_out(&house.request(30, None)).await.is_err());
    let left = house.directory.accounts();
    assert!(left.is_empty(), "its task may have looked for the last time: {left:?}");
}
