//! Groups that are made with their first member, and what a target requires of what is made there.

use jit_scim::client::{TargetProfile, TargetReason};

use crate::groups::holding;
use crate::sim::Quirks;
use crate::world::{alice, wanted, world};

fn requiring() -> Quirks {
    Quirks { requires: true, ..Quirks::default() }
}

#[tokio::test]
async fn github_is_given_a_group_that_bears_an_identifier() {
    let mut identifiers = Vec::new();
    for _ in 0..2 {
        let world = world(TargetProfile::github(), requiring());
        let known = holding(&world, &["Crew"]).await;
        assert_eq!(world.sim.members("Crew"), [known.remote.native.unwrap()]);
        identifiers.push(world.sim.one("Groups")["externalId"].as_str().unwrap().to_owned());
    }
    assert_eq!(identifiers[0], identifiers[1], "each process says the same of one group");
    let world = world(TargetProfile::github(), requiring());
    holding(&world, &["Crew", "Staff"]).await;
    let groups = world.sim.all("Groups");
    assert_ne!(groups[0]["externalId"], groups[1]["externalId"]);
}

#[tokio::test]
async fn who_lacks_what_the_target_requires_is_not_asked_for_and_nobody_stays_in_for_it() {
    let world = world(TargetProfile::github(), requiring());
    let mut nameless = wanted(&alice());
    nameless.display_name = None;
    world.sim.behave();
    assert_eq!(world.refused(&alice(), &nameless).await, TargetReason::RequiredMissing);
    assert!(world.sim.lines().iter().all(|line| line.starts_with("GET")), "{:?}", world.sim.lines());

    let mut known = world.mirrored(&alice(), &wanted(&alice())).await;
    known.wanted.display_name = None;
    known.wanted.email = None;
    known.wanted.active = false;
    world.again(&known).await;
    assert_eq!(world.sim.one("Users")["active"], false, "an end needs nothing");
}
