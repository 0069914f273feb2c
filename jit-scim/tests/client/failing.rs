//! Groups that fail or take too long, and a target that does: who is told of it, and who is kept where.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{FaultScope, Mirrored};
use jit_scim::client::TargetProfile;

use crate::groups::{holding, with_groups};
use crate::sim::{Fault, Quirks};
use crate::world::{names, person, wanted};

/// A group of all people is too large for some applications: each change of it takes longer than anybody waits.
#[tokio::test]
async fn a_group_that_fails_keeps_nobody_in_the_next_and_is_not_the_fault_of_the_target() {
    for fault in
        [Fault::LostBefore, Fault::Answer(504, Vec::new(), "{}"), Fault::Answer(200, Vec::new(), "[")]
    {
        let (world, stranger) =
            with_groups(TargetProfile::generic(), Quirks::default(), &["All staff", "Crew", "Payroll"]);
        let known = holding(&world, &["All staff", "Payroll"]).await;
        let large = world.sim.all("Groups").into_iter().find(|group| group["displayName"] == "All staff");
        let large = format!("Groups/{}", large.unwrap()["id"].as_str().unwrap());
        world.sim.script(move |_, asked| asked.path.starts_with(&large).then(|| fault.clone()));
        let mut moved = known.wanted.clone();
        moved.entitlements = names(&["Crew"]);
        let refused = world.mirror(&known.remote, &moved).await.unwrap_err();
        assert_eq!(refused.scope(), FaultScope::Account, "{refused}: the target is well");
        assert_eq!(world.sim.members("Payroll"), [stranger], "{refused}");
        assert_eq!(world.sim.members("Crew").len(), 2, "{refused}");
        world.sim.behave();
        world.mirrored(&known.remote, &moved).await;
        assert_eq!(world.sim.members("All staff").len(), 1, "left with the next attempt");
    }
}

/// Where those that hang take all the time of a call, the next attempt does not begin with them.
#[tokio::test]
async fn groups_that_take_all_the_time_of_a_call_keep_nobody_in_those_behind_them_for_good() {
    let (world, stranger) =
        with_groups(TargetProfile::generic(), Quirks::default(), &["A", "B", "C", "D", "Payroll"]);
    let known = holding(&world, &["A", "B", "C", "D", "Payroll"]).await;
    let payroll = world.sim.all("Groups").into_iter().find(|group| group["displayName"] == "Payroll");
    let payroll = format!("Groups/{}", payroll.unwrap()["id"].as_str().unwrap());
    let clock = Arc::clone(&world.sim.clock);
    world.sim.script(move |_, asked| {
        let hangs = asked.path.starts_with("Groups/") && !asked.path.starts_with(&payroll);
        hangs.then(|| {
            clock.advance(TimeDelta::seconds(20));
            Fault::LostBefore
        })
    });
    let moved = Mirrored { entitlements: names(&[]), ..known.wanted.clone() };
    for _ in 0..8 {
        world.mirror(&known.remote, &moved).await.unwrap_err();
    }
    assert_eq!(world.sim.members("Payroll"), [stranger]);
}

/// Where no group can be looked up, it is no group that is at fault, whatever else the call fails with.
#[tokio::test]
async fn a_target_that_looks_up_no_group_is_at_fault_itself() {
    let all = ["A", "B", "C", "D", "E"];
    for (fault, seconds) in
        [(Fault::Answer(500, Vec::new(), "{}"), 0), (Fault::LostBefore, 1), (Fault::LostBefore, 20)]
    {
        let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &all);
        let known = holding(&world, &[]).await;
        let clock = Arc::clone(&world.sim.clock);
        world.sim.script(move |_, asked| {
            asked.path.starts_with("Groups").then(|| {
                clock.advance(TimeDelta::seconds(seconds));
                fault.clone()
            })
        });
        let moved = Mirrored { entitlements: names(&all), ..known.wanted.clone() };
        let refused = world.mirror(&known.remote, &moved).await.unwrap_err();
        assert_eq!(refused.scope(), FaultScope::Target, "{refused}, after {seconds} seconds each");
    }
}

#[tokio::test]
async fn a_group_that_fails_hides_no_failure_of_the_target_before_it() {
    let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew", "Payroll"]);
    let known = holding(&world, &[]).await;
    // the id of Payroll, which is joined last, is known from then on
    let bob = person("bob@example.com");
    world.mirrored(&bob, &Mirrored { entitlements: names(&["Payroll"]), ..wanted(&bob) }).await;
    let fault = Fault::Answer(500, Vec::new(), "{}");
    world.sim.script(move |_, asked| asked.path.starts_with("Groups").then(|| fault.clone()));
    let moved = Mirrored { entitlements: names(&["Crew", "Payroll"]), ..known.wanted.clone() };
    let refused = world.mirror(&known.remote, &moved).await.unwrap_err();
    assert_eq!(world.sim.lines().last().unwrap(), "PATCH Groups/id");
    assert_eq!(refused.scope(), FaultScope::Target);
}
