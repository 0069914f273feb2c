//! Groups that fail or take too long, and a target that does: who is told of it, and who is kept where.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{FaultScope, Mirrored};
use jit_scim::client::TargetProfile;
use serde_json::json;

use crate::groups::{holding, with_groups};
use crate::life::GROUP;
use crate::sim::{Fault, Quirks};
use crate::world::{Remembered, World, names, person, wanted};

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

/// Lets each look-up of a group by its name take as long as is waited for an answer, but for one name.
fn hang_by_name(world: &World, but: &'static str) {
    let clock = Arc::clone(&world.sim.clock);
    world.sim.script(move |_, asked| {
        let hangs = asked.path.starts_with("Groups?") && !asked.path.contains(but);
        hangs.then(|| {
            clock.advance(TimeDelta::seconds(21));
            Fault::LostBefore
        })
    });
}

#[tokio::test]
async fn groups_that_cannot_be_looked_up_keep_nobody_in_those_that_they_leave() {
    let all = ["A", "B", "C", "D", "Payroll"];
    let unknown = ["A", "B", "C", "D"];
    for (entitlements, held) in [(&unknown[..], &["Payroll"][..]), (&[], &all)] {
        let (world, stranger) = with_groups(TargetProfile::generic(), Quirks::default(), &all);
        let known = holding(&world, &["Payroll"]).await;
        hang_by_name(&world, "none");
        let moved = Mirrored { entitlements: names(entitlements), held: names(held), ..known.wanted.clone() };
        let refused = world.mirror(&known.remote, &moved).await.unwrap_err();
        assert_eq!(world.sim.members("Payroll"), [stranger], "{held:?}: with the first attempt");
        assert_eq!(refused.scope(), FaultScope::Target, "{held:?}: {refused}");
    }
}

/// Groups that hang, whichever way they are left.
#[tokio::test]
async fn a_group_that_is_left_by_its_name_does_not_wait_for_good_for_those_that_are_left_by_their_ids() {
    let hanging = ["A", "B", "C", "D"];
    let (world, stranger) =
        with_groups(TargetProfile::generic(), Quirks::default(), &["A", "B", "C", "D", "Payroll"]);
    let mut known = holding(&world, &["A", "B", "C", "D", "Payroll"]).await;
    known.wanted.ids.retain(|name, _| hanging.contains(&name.as_str()));
    let ids: Vec<_> = known.wanted.ids.values().map(|id| format!("Groups/{id}")).collect();
    let clock = Arc::clone(&world.sim.clock);
    world.sim.script(move |_, asked| {
        ids.contains(&asked.path).then(|| {
            clock.advance(TimeDelta::seconds(21));
            Fault::LostBefore
        })
    });
    let moved = Mirrored { entitlements: names(&[]), ..known.wanted.clone() };
    for _ in 0..8 {
        world.mirror(&known.remote, &moved).await.unwrap_err();
    }
    assert_eq!(world.sim.members("Payroll"), [stranger]);
}

/// Somebody is in a group that another one bears the name of by now, and may be in that one yet or not.
async fn renamed_since() -> (World, Remembered, String) {
    let (world, stranger) =
        with_groups(TargetProfile::generic(), Quirks::default(), &["Crew", "X", "Y", "Z"]);
    let mut known = holding(&world, &["Crew"]).await;
    world.sim.rename_group(&known.wanted.ids["Crew"], "Old crew");
    world.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Crew" }));
    world.sim.clock.advance(TimeDelta::minutes(6));
    hang_by_name(&world, "Crew");
    (known.wanted.held, known.wanted.doubtful) = (names(&[]), names(&["Crew"]));
    known.wanted.entitlements = names(&["Crew", "X", "Y", "Z"]);
    (world, known, stranger)
}

#[tokio::test]
async fn groups_that_cannot_be_looked_up_keep_nobody_in_one_that_bears_another_name() {
    let (world, known, stranger) = renamed_since().await;
    for _ in 0..8 {
        world.mirror(&known.remote, &known.wanted).await.unwrap_err();
    }
    assert_eq!(world.sim.members("Old crew"), [stranger]);
    assert_eq!(world.sim.members("Crew").len(), 1);
}

#[tokio::test]
async fn what_bears_another_name_and_is_kept_under_it_is_not_left_for_want_of_time() {
    let (world, mut known, _) = renamed_since().await;
    let kept = "Old crew".to_owned();
    known.wanted.ids.insert(kept.clone(), known.wanted.ids["Crew"].clone());
    known.wanted.held.insert(kept.clone());
    known.wanted.entitlements.insert(kept);
    world.mirror(&known.remote, &known.wanted).await.unwrap_err();
    assert_eq!((world.sim.members("Crew").len(), world.sim.members("Old crew").len()), (1, 2));
}

#[tokio::test]
async fn what_is_kept_and_cannot_be_looked_up_keeps_nobody_in_one_that_bears_another_name() {
    let (world, mut known, stranger) = renamed_since().await;
    known.wanted.held = names(&["X", "Y", "Z"]);
    world.mirror(&known.remote, &known.wanted).await.unwrap();
    assert_eq!(world.sim.members("Old crew"), [stranger]);
}
