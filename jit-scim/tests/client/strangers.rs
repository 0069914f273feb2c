//! Whoever is there already, and is not ours.

use jit_core::{DesiredState, Effect, Observed, Target as _};
use jit_scim::client::{Adoption, PlannedStep, TargetReason};
use serde_json::{Value, json};

use crate::life::{GROUP, USER, changed};
use crate::sim::{Fault, Quirks};
use crate::world::{World, alice, names, person, reason, wanted, world};

fn taken(adoption: Adoption, external: Option<&str>) -> (World, String) {
    let world = world(changed(|profile| profile.adoption = adoption), Quirks::default());
    let mut there = json!({ "schemas": [USER], "userName": "Alice@Example.com", "nickName": "Al" });
    if let Some(external) = external {
        there["externalId"] = json!(external);
    }
    let id = world.sim.plant("Users", &there);
    (world, id)
}

#[tokio::test]
async fn nobody_is_adopted_unless_the_profile_says_so() {
    let other_of_ours = person("other").marker;
    for (adoption, external, is_adopted) in [
        (Adoption::Never, None, false),
        (Adoption::Unmarked, None, true),
        (Adoption::Unmarked, Some("of-another"), false),
        (Adoption::DangerouslyAny, Some("of-another"), true),
        (Adoption::DangerouslyAny, Some(other_of_ours.as_str()), false),
    ] {
        let (world, id) = taken(adoption, external);
        let before = world.sim.one("Users");
        let desired = DesiredState::Mirrored(Box::new(wanted(&alice())));
        let planned =
            world.target.plan(&jit_core::Desired { remote: alice(), state: desired }).await.unwrap();
        if !is_adopted {
            assert_eq!(planned.step, PlannedStep::Stranger, "{adoption:?} {external:?}");
            assert_eq!(world.mirror(&alice(), &wanted(&alice())).await.unwrap(), Effect::Stranger);
            assert_eq!(world.sim.one("Users"), before);
            continue;
        }
        assert_eq!(planned.step, PlannedStep::Adopt);
        let known = world.mirrored(&alice(), &wanted(&alice())).await;
        assert!(known.adopted);
        assert_eq!(known.remote.native.as_deref(), Some(id.as_str()));
        let there = world.sim.one("Users");
        assert_eq!(
            (&there["externalId"], &there["nickName"]),
            (&json!(alice().marker.as_str()), &json!("Al"))
        );
        assert!(!world.again(&known).await.adopted, "once");
    }
}

#[tokio::test]
async fn who_is_adopted_in_the_place_of_one_who_was_lost_gets_all_groups() {
    let (world, old) = taken(Adoption::Unmarked, None);
    for group in ["Editors", "Staff"] {
        world.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": group }));
    }
    let mut all = wanted(&alice());
    all.entitlements = names(&["Editors"]);
    let mut known = world.mirrored(&alice(), &all).await;
    world.sim.forget("Users", &old);
    let there = json!({ "schemas": [USER], "userName": "alice@example.com" });
    let new = world.sim.plant("Users", &there);
    known.wanted.entitlements = names(&["Editors", "Staff"]);
    let known = world.again(&known).await;
    assert!(known.adopted);
    assert_eq!(known.remote.native.as_ref(), Some(&new));
    for group in ["Editors", "Staff"] {
        assert!(
            world.sim.members(group).contains(&new),
            "the account before was in {group}, this one was not"
        );
    }
}

#[tokio::test]
async fn an_address_is_nobodys_name() {
    let (world, _) = taken(Adoption::DangerouslyAny, None);
    let other = json!({ "schemas": [USER], "userName": "al", "emails": [{ "value": "bob@example.com" }] });
    world.sim.plant("Users", &other);
    let bob = person("bob@example.com");
    world.mirrored(&bob, &wanted(&bob)).await;
    let all = world.sim.all("Users");
    let al = all.iter().find(|one| one["userName"] == "al").unwrap();
    assert_eq!(al.get("externalId"), None);
    assert_eq!(all.len(), 3);
}

#[tokio::test]
async fn what_bears_another_marker_is_never_touched() {
    let (world, id) = taken(Adoption::DangerouslyAny, Some("of-another"));
    let before = world.sim.one("Users");
    let known = jit_core::RemoteRef { native: Some(id), ..alice() };
    for state in [
        DesiredState::Absent { given: None },
        DesiredState::Disabled,
        DesiredState::Mirrored(Box::new(wanted(&alice()))),
    ] {
        assert_eq!(world.ask(&known, state).await.unwrap(), Effect::NotOurs);
    }
    assert_eq!(world.target.observe(&known).await.unwrap(), Observed::Foreign);
    assert_eq!(world.target.observe(&alice()).await.unwrap(), Observed::Foreign, "by name as well");
    let gone = world.ask(&alice(), DesiredState::Absent { given: None }).await.unwrap();
    assert_eq!(gone, Effect::Absent { was_there: false }, "ours is not there");
    assert_eq!(world.sim.one("Users"), before);
    assert!(world.sim.log().iter().all(|asked| asked.method == http::Method::GET), "nothing was even tried");
}

#[tokio::test]
async fn removing_is_bound_to_what_was_seen() {
    let (world, _) = taken(Adoption::Unmarked, None);
    let known = world.mirrored(&alice(), &wanted(&alice())).await;
    world.sim.behave();
    world.ask(&known.remote, DesiredState::Absent { given: None }).await.unwrap();
    let log = world.sim.log();
    assert_eq!(log[1].method, http::Method::DELETE);
    assert!(log[1].if_match.is_some(), "an account that is marked anew meanwhile is not removed");
}

#[tokio::test]
async fn a_name_that_is_taken_by_nobody_who_is_shown_is_an_error() {
    let world = world(changed(|profile| profile.adoption = Adoption::DangerouslyAny), Quirks::default());
    world.sim.script(|_, asked| {
        let is_creation = asked.method == http::Method::POST;
        is_creation.then(|| Fault::Answer(409, Vec::new(), r#"{"scimType":"uniqueness"}"#))
    });
    let error = world.mirror(&alice(), &wanted(&alice())).await.unwrap_err();
    assert_eq!(reason(&error), TargetReason::TakenUnseen);
    assert_eq!(error.code().as_str(), "target.name");
    assert_eq!(world.sim.lines(), ["GET Users", "POST Users", "GET Users", "GET Users"]);
}

#[tokio::test]
async fn two_who_match_are_nobody() {
    let world = world(changed(|profile| profile.adoption = Adoption::DangerouslyAny), Quirks::default());
    let list: &'static str = Box::leak(twice(alice().marker.as_str()).to_string().into_boxed_str());
    world.sim.script(move |_, _| Some(Fault::Answer(200, Vec::new(), list)));
    assert_eq!(world.refused(&alice(), &wanted(&alice())).await, TargetReason::NotUnique);
    assert_eq!(world.sim.lines(), ["GET Users"]);
}

fn twice(marker: &str) -> Value {
    let one = |id: &str| json!({ "id": id, "userName": "alice@example.com", "externalId": marker });
    json!({ "totalResults": 2, "Resources": [one("1"), one("2")] })
}

#[tokio::test]
async fn a_target_that_answers_with_whoever_has_the_name_adopts_nobody_for_us() {
    let quirks = Quirks { upserts: true, ..Quirks::default() };
    let world = world(changed(|_| {}), quirks);
    let id = world
        .sim
        .plant("Users", &json!({ "schemas": [USER], "userName": "alice@example.com", "externalId": "x" }));
    assert_eq!(world.mirror(&alice(), &wanted(&alice())).await.unwrap(), Effect::Stranger);
    assert_eq!(world.sim.one("Users")["id"], id);
}

#[tokio::test]
async fn a_target_that_drops_the_marker_is_told_and_nothing_of_it_is_removed() {
    let world = world(changed(|_| {}), Quirks { drops_markers: true, ..Quirks::default() });
    assert_eq!(world.refused(&alice(), &wanted(&alice())).await, TargetReason::MarkerDropped);
    assert_eq!(
        world.mirror(&alice(), &wanted(&alice())).await.unwrap(),
        Effect::Stranger,
        "nor is it made twice"
    );
    assert!(world.sim.log().iter().all(|asked| asked.method != http::Method::DELETE));
}
