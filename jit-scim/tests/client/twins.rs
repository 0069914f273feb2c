//! Nodes that make the same group: whatever the order, there is one in the end.

use std::sync::Arc;

use jit_core::{Desired, DesiredState, Target as _};
use jit_scim::client::{GroupOrigin, ScimTarget, TargetProfile};
use serde_json::json;

use crate::life::{USER, changed};
use crate::sim::{Fault, Quirks, Sim};
use crate::world::{names, person, target, wanted};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn maker(sim: &Arc<Sim>) -> Arc<ScimTarget> {
    Arc::new(target(sim, changed(|profile| profile.groups = GroupOrigin::Made)))
}

async fn join(target: &ScimTarget, name: &str) -> Result<(), String> {
    let remote = person(name);
    let mut all = wanted(&remote);
    all.entitlements = names(&["Crew"]);
    let desired = Desired { remote, state: DesiredState::Mirrored(Box::new(all)) };
    target.ensure(&desired).await.map(drop).map_err(|error| format!("{error:?}"))
}

/// Ids are compared as texts: that of the second group may be the lower one.
fn application(users: usize) -> Arc<Sim> {
    let sim = Sim::new(Quirks { equal_names: true, ..Quirks::default() });
    for number in 0..users {
        sim.plant("Users", &json!({ "schemas": [USER], "userName": format!("stranger-{number}") }));
    }
    sim
}

#[tokio::test]
async fn nodes_that_make_one_group_at_the_same_moment_come_to_one() {
    for users in 0..12 {
        let sim = application(users);
        let nodes = [maker(&sim), maker(&sim), maker(&sim)];
        let (first, second, third) =
            tokio::join!(join(&nodes[0], "anna"), join(&nodes[1], "bob"), join(&nodes[2], "carol"));
        let failed = [first, second, third].iter().filter(|outcome| outcome.is_err()).count();
        for (node, name) in nodes.iter().zip(["anna", "bob", "carol"]) {
            join(node, name).await.unwrap();
        }
        assert_eq!(sim.all("Groups").len(), 1, "{users} were there before, {failed} failed at first");
        assert_eq!(sim.members("Crew").len(), 3);
        join(&maker(&sim), "dave").await.unwrap();
    }
}

#[tokio::test]
async fn a_group_that_somebody_is_in_stays_whoever_has_the_lower_id() {
    for users in 0..12 {
        let sim = application(users);
        join(&maker(&sim), "anna").await.unwrap();
        let old = sim.one("Groups")["id"].clone();
        // the other one looked before, and finds nothing until it has made its own
        let mut is_made = false;
        sim.script(move |_, asked| {
            is_made |= asked.method == http::Method::POST && asked.path == "Groups";
            let is_look = asked.method == http::Method::GET && asked.path.starts_with("Groups?");
            let nothing = r#"{"totalResults":0}"#;
            (is_look && !is_made).then(|| Fault::Answer(200, Vec::new(), nothing))
        });
        let node = maker(&sim);
        join(&node, "bob").await.unwrap();
        assert_eq!(sim.one("Groups")["id"], old);
        assert_eq!(sim.members("Crew").len(), 2);
    }
}

fn marker(sim: &Arc<Sim>) -> Arc<ScimTarget> {
    marker_where(sim, |_| {})
}

fn marker_where(sim: &Arc<Sim>, change: impl FnOnce(&mut TargetProfile)) -> Arc<ScimTarget> {
    let marks = |profile: &mut TargetProfile| {
        (profile.groups, profile.marks_groups) = (GroupOrigin::Made, true);
        change(profile);
    };
    Arc::new(target(sim, changed(marks)))
}

/// The application shows who is in a group, and a group without anybody has no `members` at all.
fn seeing(sim: &Arc<Sim>) -> Arc<ScimTarget> {
    marker_where(sim, |profile| profile.omits_members = true)
}

#[tokio::test]
async fn groups_that_makers_left_behind_go_where_they_bear_our_mark_and_others_stay() {
    for is_in_use in [true, false] {
        let sim = application(0);
        join(&seeing(&sim), "anna").await.unwrap();
        let mark = sim.one("Groups")["externalId"].clone();
        if !is_in_use {
            sim.forget("Groups", sim.one("Groups")["id"].as_str().unwrap());
        }
        // makers that died before they looked whether there is another one
        let left = json!({ "schemas": [GROUP], "displayName": "Crew", "externalId": mark });
        for _ in 0..2 {
            sim.plant("Groups", &left);
        }
        join(&seeing(&sim), "bob").await.unwrap();
        assert_eq!(sim.all("Groups").len(), 1);
        assert_eq!(sim.members("Crew").len(), if is_in_use { 2 } else { 1 });

        sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Crew" }));
        let refused = join(&seeing(&sim), "carol").await.unwrap_err();
        assert!(refused.contains("GroupNotUnique"), "{refused}");
        assert_eq!(sim.all("Groups").len(), 2, "one that bears no mark of ours is not ours to remove");
    }
}

#[tokio::test]
async fn a_group_that_somebody_joins_at_that_moment_is_not_removed() {
    let sim = application(0);
    let first = marker(&sim);
    join(&first, "anna").await.unwrap();
    let mark = sim.one("Groups")["externalId"].clone();
    let left = sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Crew", "externalId": mark }));
    let meddling = Arc::clone(&sim);
    sim.script(move |_, asked| {
        if asked.method == http::Method::DELETE && asked.path == format!("Groups/{left}") {
            meddling.overwrite_group(&left, "somebody");
        }
        None
    });
    let refused = join(&seeing(&sim), "bob").await.unwrap_err();
    assert!(refused.contains("GroupNotUnique"), "{refused}");
    assert_eq!(sim.all("Groups").len(), 2);
}

/// An application that shows nobody in any group, whoever is in it.
fn hiding(users: usize) -> Arc<Sim> {
    let sim = application(users);
    sim.quirks.lock().unwrap().hides_members = true;
    sim
}

#[tokio::test]
async fn a_group_that_hides_who_is_in_it_is_not_taken_for_one_left_behind() {
    for users in 0..12 {
        let sim = hiding(users);
        join(&marker(&sim), "anna").await.unwrap();
        let mark = sim.one("Groups")["externalId"].clone();
        sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Crew", "externalId": mark }));
        let refused = join(&marker(&sim), "bob").await.unwrap_err();
        assert!(refused.contains("GroupNotUnique"), "{refused}");
        let filled = sim.all("Groups").iter().filter(|group| group["members"].is_array()).count();
        assert_eq!((sim.all("Groups").len(), filled), (2, 1), "{users} were there before");
    }
}

#[tokio::test]
async fn a_group_that_was_just_made_stays_where_somebody_may_have_come_in_unseen() {
    for users in 0..12 {
        let sim = hiding(users);
        let (meddling, mut own) = (Arc::clone(&sim), false);
        sim.script(move |_, asked| {
            let is_look = asked.method == http::Method::GET && asked.path.starts_with("Groups?");
            if own && is_look && meddling.all("Groups").len() == 1 {
                let made = meddling.one("Groups")["id"].as_str().unwrap().to_owned();
                meddling.overwrite_group(&made, "somebody");
                meddling.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Crew" }));
            }
            own |= asked.method == http::Method::POST && asked.path == "Groups";
            None
        });
        join(&maker(&sim), "anna").await.unwrap();
        assert_eq!(sim.all("Groups").len(), 2, "{users} were there before");
        let filled = sim.all("Groups").into_iter().find(|group| group["members"].is_array()).unwrap();
        assert_eq!(filled["members"].as_array().unwrap().len(), 2, "{filled}");
    }
}
