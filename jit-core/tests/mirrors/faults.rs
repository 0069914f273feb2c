//! Whatever befalls any step, in the end the application holds what it is to hold, and nothing else.

use jit_core::*;

use super::{
    faulty::Fault,
    house::{House, members, until_killed},
};

const FAULTS: [Fault; 6] =
    [Fault::KillBefore, Fault::KillAfter, Fault::FailBefore, Fault::FailAfter, Fault::Late(90), Fault::Twice];

/// Somebody comes and changes; with `ends` they also go. A fault befalls the n-th step. Tells whether there was such a step.
async fn lives_through(fault: Fault, step: usize, again: Option<usize>, ends: bool) -> bool {
    let house = House::new(members().removing());
    house.chat.plant("bob");
    let strangers = house.chat.accounts();
    let id = house.enter(&["member", "editor"]).await;
    house.script.at(step, fault);
    if let Some(again) = again {
        house.script.at(step + again, fault);
    }
    let _ = until_killed(house.work()).await;
    let _ =
        until_killed(house.inner.jit.handle(house.inner.event(0, "anna", House::said(&["member"])))).await;
    let _ = until_killed(house.work()).await;
    if ends {
        let request = AdminRequest {
            tenant: super::support::tenant(),
            store: None,
            account: id,
            act: AdminAct::End,
            by: "root".into(),
        };
        let _ = until_killed(house.inner.jit.administer(&request)).await;
        let _ = until_killed(house.work()).await;
        let hit = house.script.counts().1 > 0;
        house.script.clear();
        house.inner.jit.administer(&request).await.unwrap().map(drop).unwrap_or_default();
        house.pass_minutes(30).await;
        assert_eq!(
            house.chat.accounts(),
            strangers,
            "{fault:?} at {step}: an orphan, or a stranger was touched"
        );
        let left = house.mirror(id).await;
        assert!(left.is_none(), "{fault:?} at {step}: {left:?}");
        return hit;
    }
    let hit = house.script.counts().1 > 0;
    house.script.clear();
    house.enter(&["member"]).await;
    house.pass_minutes(30).await;
    let mut there = house.chat.accounts();
    let anna = there.remove("anna").unwrap_or_else(|| panic!("{fault:?} at {step}: nobody is there"));
    assert!(anna.enabled && anna.entitlements.is_empty(), "{fault:?} at {step}: {anna:?}");
    assert_eq!(there, strangers, "{fault:?} at {step}: a twin, or a stranger was touched");
    let mirror = house.mirror(id).await.unwrap();
    assert_eq!((mirror.state, mirror.task), (MirrorState::Present, None), "{fault:?} at {step}");
    assert_eq!(
        house.work().await.unwrap(),
        WorkReport::default(),
        "{fault:?} at {step}: the recovery goes on"
    );
    hit
}

#[tokio::test]
async fn one_fault_at_any_step_changes_nothing_in_the_end() {
    for ends in [false, true] {
        for fault in FAULTS {
            let mut step = 0;
            while lives_through(fault, step, None, ends).await {
                step += 1;
            }
            assert!(step > 12, "{fault:?} met {step} steps only");
        }
    }
}

#[tokio::test]
async fn a_second_fault_changes_nothing_either() {
    for ends in [false, true] {
        for fault in FAULTS {
            for again in [1, 2, 3, 5] {
                let mut step = 0;
                while lives_through(fault, step, Some(again), ends).await {
                    step += 1;
                }
            }
        }
    }
}
