//! Groups that are renamed, made anew, or put whole by several at once.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use jit_scim::client::{GroupChanges, GroupOrigin, TargetProfile};
use serde_json::json;

use crate::groups::{holding, patches, with_groups};
use crate::life::{GROUP, changed};
use crate::sim::Quirks;
use crate::world::{World, names, person, target, wanted};

impl World {
    fn group(&self, name: &str) -> String {
        let all = self.sim.all("Groups");
        let group = all.iter().find(|one| one["displayName"] == name).unwrap();
        group["id"].as_str().unwrap().to_owned()
    }

    /// An administrator over there gives a group another name. By the next request nobody counts on the old one.
    fn rename(&self, old: &str, new: &str) {
        self.sim.rename_group(&self.group(old), new);
        self.sim.clock.advance(TimeDelta::minutes(6));
        self.sim.behave();
    }

    fn plant_group(&self, name: &str) {
        self.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": name }));
    }
}

#[tokio::test]
async fn a_group_is_left_whatever_it_is_called_by_now() {
    for shows_groups in [false, true] {
        for has_namesake in [false, true] {
            let profile = changed(|profile| profile.shows_groups = shows_groups);
            let quirks = Quirks { shows_groups, ..Quirks::default() };
            let (world, stranger) = with_groups(profile, quirks, &["Crew"]);
            let mut known = holding(&world, &["Crew"]).await;
            let id = known.remote.native.clone().unwrap();
            world.rename("Crew", "Old crew");
            if has_namesake {
                world.plant_group("Crew");
                world.join_there(&world.group("Crew"), &id).await;
            }
            known.wanted.entitlements.clear();
            let known = world.again(&known).await;
            assert_eq!(world.sim.members("Old crew"), [stranger], "{shows_groups}, {has_namesake}");
            assert_eq!(world.sim.members("Crew").len(), usize::from(has_namesake), "what others gave stays");
            assert_eq!(known.wanted.ids, BTreeMap::new(), "nothing is kept of what is over");
        }
    }
}

#[tokio::test]
async fn a_ledger_with_names_alone_is_left_by_name_and_learns_the_ids() {
    let (world, stranger) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew", "Staff"]);
    let mut known = holding(&world, &["Crew", "Staff"]).await;
    known.wanted.ids.clear();
    known.wanted.entitlements = names(&["Staff"]);
    let mut known = world.again(&known).await;
    assert_eq!(world.sim.members("Crew"), std::slice::from_ref(&stranger));
    assert_eq!(known.wanted.ids, BTreeMap::from([("Staff".to_owned(), world.group("Staff"))]));
    world.rename("Staff", "Old staff");
    known.wanted.entitlements.clear();
    world.again(&known).await;
    assert_eq!(world.sim.members("Old staff"), [stranger]);
}

#[tokio::test]
async fn who_is_looked_at_anew_goes_over_to_the_group_that_has_the_name() {
    let (world, stranger) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew"]);
    let mut known = holding(&world, &["Crew"]).await;
    let id = known.remote.native.clone().unwrap();
    world.rename("Crew", "Old crew");
    world.plant_group("Crew");
    known.wanted.confirmed = None;
    let known = world.again(&known).await;
    assert_eq!(world.sim.members("Crew"), [id]);
    assert_eq!(world.sim.members("Old crew"), [stranger]);
    assert_eq!(known.wanted.ids["Crew"], world.group("Crew"));
}

#[tokio::test]
async fn who_follows_a_new_name_is_never_out_of_the_group() {
    let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew"]);
    let mut known = holding(&world, &["Crew"]).await;
    let id = known.remote.native.clone().unwrap();
    world.rename("Crew", "Team");
    known.wanted.entitlements = names(&["Team"]);
    let known = world.again(&known).await;
    assert!(world.sim.members("Team").contains(&id));
    assert!(patches(&world).iter().all(|operations| operations[0]["op"] == "add"), "{:?}", patches(&world));
    assert_eq!(known.wanted.ids, BTreeMap::from([("Team".to_owned(), world.group("Team"))]));
}

#[tokio::test]
async fn what_is_in_doubt_is_left_by_id_and_by_name() {
    let (world, stranger) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew"]);
    let mut known = holding(&world, &["Crew"]).await;
    let id = known.remote.native.clone().unwrap();
    world.rename("Crew", "Old crew");
    world.plant_group("Crew");
    // a call without an answer found the new one
    world.join_there(&world.group("Crew"), &id).await;
    known.wanted.doubtful = names(&["Crew"]);
    known.wanted.entitlements.clear();
    world.again(&known).await;
    assert_eq!((world.sim.members("Crew"), world.sim.members("Old crew")), (vec![], vec![stranger]));
}

/// Two nodes, and a group without versions: each puts what it read before the other did.
#[tokio::test]
async fn two_nodes_that_put_a_group_at_once_undo_nothing_of_each_other() {
    let profile = changed(|profile| {
        (profile.group_changes, profile.versions) = (GroupChanges::Put, false);
        profile.groups = GroupOrigin::Found;
    });
    let (world, _) = with_groups(profile.clone(), Quirks::default(), &["Crew"]);
    let other = World { target: target(&world.sim, profile), sim: std::sync::Arc::clone(&world.sim) };
    let mut leaves = holding(&world, &["Crew"]).await;
    leaves.wanted.entitlements.clear();
    // this node knows the group from somebody else, so that both come to it at the same moment
    let mut others = wanted(&person("carol"));
    others.entitlements = names(&["Crew"]);
    other.mirrored(&person("carol"), &others).await;
    let mut joins = other.mirrored(&person("bob"), &wanted(&person("bob"))).await;
    joins.wanted.entitlements = names(&["Crew"]);
    world.sim.behave();
    let (left, joined) = tokio::join!(world.again(&leaves), other.again(&joins));
    let members = world.sim.members("Crew");
    assert!(!members.contains(&left.remote.native.unwrap()), "{:?}", world.sim.lines());
    assert!(members.contains(&joined.remote.native.unwrap()), "{:?}", world.sim.lines());
}
