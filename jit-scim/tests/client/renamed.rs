//! Groups that are renamed, made anew, or put whole by several at once.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use jit_scim::client::{GroupChanges, GroupOrigin, MemberRate, TargetProfile, TargetReason};
use serde_json::json;

use crate::groups::{holding, patches, with_groups};
use crate::life::{GROUP, changed};
use crate::sim::Quirks;
use crate::world::{World, alice, names, person, target, wanted};

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
async fn of_two_nodes_that_put_a_group_at_once_both_changes_stand() {
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

fn put_without_versions() -> TargetProfile {
    changed(|profile| (profile.group_changes, profile.versions) = (GroupChanges::Put, false))
}

fn puts(world: &World) -> usize {
    world.sim.lines().iter().filter(|line| *line == "PUT Groups/id").count()
}

#[tokio::test]
async fn a_group_that_is_shown_as_it_was_for_a_while_is_put_once() {
    for (lags, is_done) in [(2, true), (60, false)] {
        let (world, _) = with_groups(put_without_versions(), Quirks { lags, ..Quirks::default() }, &["Crew"]);
        let mut all = wanted(&alice());
        all.entitlements = names(&["Crew"]);
        let outcome = world.mirror(&alice(), &all).await;
        assert_eq!((outcome.is_ok(), puts(&world)), (is_done, 1), "{lags} seconds: {outcome:?}");
        assert_eq!(world.sim.waited(), [1000, 2000], "it is given some time");
        world.sim.clock.advance(TimeDelta::minutes(1));
        world.mirrored(&alice(), &all).await;
        assert_eq!(puts(&world), 1, "the next attempt sees that it stands");
    }
}

/// Other nodes undo each of the first three changes.
fn undo_three_times(world: &World) {
    let (sim, group, mut reads) = (std::sync::Arc::clone(&world.sim), world.group("Crew"), 0);
    world.sim.script(move |_, asked| {
        if asked.path == format!("Groups/{group}") && asked.method == http::Method::GET {
            reads += 1;
            if (2..=4).contains(&reads) {
                sim.overwrite_group(&group, &format!("u-9{reads}"));
            }
        }
        None
    });
}

#[tokio::test]
async fn the_last_change_of_a_whole_group_is_read_back_as_well() {
    let (world, _) = with_groups(put_without_versions(), Quirks::default(), &["Crew"]);
    undo_three_times(&world);
    let known = holding(&world, &["Crew"]).await;
    assert_eq!(puts(&world), 4);
    assert!(world.sim.members("Crew").contains(&known.remote.native.unwrap()));
}

#[tokio::test]
async fn each_time_that_a_whole_group_is_put_counts_as_a_change() {
    let rate = MemberRate { members: 1, seconds: 3600, burst: 2 };
    let mut profile = put_without_versions();
    profile.member_changes = Some(rate);
    let (world, _) = with_groups(profile, Quirks::default(), &["Crew"]);
    undo_three_times(&world);
    let mut all = wanted(&alice());
    all.entitlements = names(&["Crew"]);
    assert_eq!(world.refused(&alice(), &all).await, TargetReason::GroupPaced);
    assert_eq!(puts(&world), 2, "as many as the profile allows");
}
