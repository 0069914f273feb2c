//! An account from its beginning to its end.

use jit_core::{DesiredState, Effect, Observed, RemoteRef, Target as _};
use jit_scim::client::{
    GroupOrigin, PlannedStep, Removal, TargetProfile, TargetReason, UserChanges, WhenLost,
};
use serde_json::json;

use crate::sim::Quirks;
use crate::world::{World, alice, names, plain, reason, wanted, world};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[tokio::test]
async fn what_is_here_comes_to_be_there_without_a_password() {
    let (world, remote) = (plain(), alice());
    let made = world.mirrored(&remote, &wanted(&remote)).await;
    assert_eq!(world.sim.lines(), ["GET Users", "POST Users"]);
    let there = world.sim.one("Users");
    assert_eq!(there["id"], made.remote.native.clone().unwrap());
    assert_eq!(there["externalId"], remote.marker.as_str());
    assert_eq!((&there["userName"], &there["displayName"]), (&json!("alice@example.com"), &json!("Alice")));
    assert_eq!(there["name"], json!({ "givenName": "Alice", "familyName": "Liddell" }));
    assert_eq!(there[ENTERPRISE], json!({ "department": "R&D" }));
    assert_eq!(there["emails"], json!([{ "value": "alice@example.com", "type": "work", "primary": true }]));
    assert_eq!(there["active"], true);
    assert!(!made.adopted);
    let sent = world.sim.log().pop().unwrap().body;
    assert!(["id", "meta", "groups", "password"].iter().all(|name| sent.get(name).is_none()));
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let (world, remote) = (plain(), alice());
    let made = world.mirrored(&remote, &wanted(&remote)).await;
    let before = world.sim.all("Users");
    world.sim.behave();
    for turn in [&made.wanted, &wanted(&remote)] {
        world.mirrored(&made.remote, turn).await;
    }
    world.mirrored(&remote, &wanted(&remote)).await;
    assert_eq!(world.sim.all("Users"), before);
    assert_eq!(world.sim.lines(), ["GET Users/id", "GET Users/id", "GET Users"], "nothing is written");
}

#[tokio::test]
async fn only_what_differs_is_written_and_only_as_it_was_seen() {
    let (world, remote) = (plain(), alice());
    let mut known = world.mirrored(&remote, &wanted(&remote)).await;
    world.sim.behave();
    known.wanted.attributes.insert("title".to_owned(), vec!["Engineer".to_owned()]);
    known.wanted.attributes.insert("name.middleName".to_owned(), vec!["Adams".to_owned()]);
    known.wanted.attributes.insert(format!("{ENTERPRISE}:department"), Vec::new());
    known.wanted.email = Some("alice@new.example".to_owned());
    world.again(&known).await;
    let asked = world.sim.log().pop().unwrap();
    assert!(asked.if_match.is_some(), "the target has versions");
    let operations = asked.body["Operations"].as_array().unwrap();
    let paths: Vec<_> = operations.iter().map(|one| json!([one["op"], one["path"]])).collect();
    let department = format!("{ENTERPRISE}:department");
    let expected =
        [("replace", "emails"), ("add", "name.middleName"), ("add", "title"), ("remove", &department)];
    assert_eq!(paths, expected.map(|(verb, path)| json!([verb, path])));
    let there = world.sim.one("Users");
    assert_eq!(
        there["name"],
        json!({ "givenName": "Alice", "middleName": "Adams", "familyName": "Liddell" })
    );
    assert_eq!(there.get(ENTERPRISE), None);
}

#[tokio::test]
async fn a_value_under_another_kind_counts_only_where_nothing_is_said_of_that_kind() {
    let place = |kind: &str| format!("phoneNumbers[type eq \"{kind}\"].value");
    let number = vec!["+1-555-0100".to_owned()];
    let (world, remote) = (plain(), alice());
    let mut first = wanted(&remote);
    first.attributes.insert(place("home"), number.clone());
    let mut known = world.mirrored(&remote, &first).await;
    world.sim.behave();
    known.wanted.attributes.remove(&place("home"));
    known.wanted.attributes.insert(place("work"), number);
    known = world.again(&known).await;
    assert_eq!(world.sim.lines(), ["GET Users/id"], "the target may call it what it likes");
    known.wanted.attributes.insert(place("home"), Vec::new());
    world.again(&known).await;
    let there = world.sim.one("Users")["phoneNumbers"].clone();
    assert_eq!((there.as_array().unwrap().len(), &there[0]["type"]), (1, &json!("work")));
}

#[tokio::test]
async fn an_attribute_that_nothing_is_said_of_is_left_alone() {
    let (world, remote) = (plain(), alice());
    let known = world.mirrored(&remote, &wanted(&remote)).await;
    let id = known.remote.native.clone().unwrap();
    world.change_there(&id, "nickName", "Al").await;
    let mut less = known.clone();
    less.wanted.attributes.clear();
    less.wanted.display_name = None;
    less.wanted.email = None;
    world.again(&less).await;
    let there = world.sim.one("Users");
    assert_eq!((&there["nickName"], &there["displayName"]), (&json!("Al"), &json!("Alice")));
}

#[tokio::test]
async fn what_people_change_there_stays_until_everything_is_looked_at_anew() {
    let (world, remote) = (plain(), alice());
    let known = world.mirrored(&remote, &wanted(&remote)).await;
    let id = known.remote.native.clone().unwrap();
    world.change_there(&id, "displayName", "Ally").await;
    world.again(&known).await;
    assert_eq!(world.sim.one("Users")["displayName"], "Ally");
    let mut anew = known;
    anew.wanted.confirmed = None;
    world.again(&anew).await;
    assert_eq!(world.sim.one("Users")["displayName"], "Alice");
}

#[tokio::test]
async fn who_may_not_be_used_here_may_not_be_used_there_and_comes_back() {
    let (world, remote) = (plain(), alice());
    let mut known = world.mirrored(&remote, &wanted(&remote)).await;
    for active in [false, true] {
        known.wanted.active = active;
        known = world.again(&known).await;
        assert_eq!(world.sim.one("Users")["active"], active);
    }
    // an administrator there does it by hand
    let id = known.remote.native.clone().unwrap();
    world.set_active(&id, false).await;
    world.again(&known).await;
    assert_eq!(
        world.sim.one("Users")["active"],
        true,
        "being in use is held even where nothing else changed"
    );
}

#[tokio::test]
async fn disabled_means_out_of_use_and_can_be_repeated() {
    let (world, remote) = (plain(), alice());
    let known = world.mirrored(&remote, &wanted(&remote)).await;
    for _ in 0..2 {
        assert_eq!(world.ask(&known.remote, DesiredState::Disabled).await.unwrap(), Effect::Disabled);
    }
    let native = known.remote.native.clone().unwrap();
    let seen = world.target.observe(&known.remote).await.unwrap();
    assert_eq!(seen, Observed::Ours { native, enabled: false });
    let nobody = world.ask(&crate::world::person("nobody"), DesiredState::Disabled).await.unwrap();
    assert_eq!(nobody, Effect::Absent { was_there: false });
}

#[tokio::test]
async fn removed_means_gone_and_can_be_repeated() {
    let (world, remote) = (plain(), alice());
    let known = world.mirrored(&remote, &wanted(&remote)).await;
    for was_there in [true, false] {
        let effect = world.ask(&known.remote, DesiredState::Absent { given: None }).await.unwrap();
        assert_eq!(effect, Effect::Absent { was_there });
    }
    assert!(world.sim.all("Users").is_empty());
    for remote in [&known.remote, &remote] {
        assert_eq!(world.target.observe(remote).await.unwrap(), Observed::Missing);
    }
}

#[tokio::test]
async fn without_an_id_it_is_removed_by_its_marker() {
    let (world, remote) = (plain(), alice());
    world.mirrored(&remote, &wanted(&remote)).await;
    let effect = world.ask(&remote, DesiredState::Absent { given: None }).await.unwrap();
    assert_eq!(effect, Effect::Absent { was_there: true });
    assert!(world.sim.all("Users").is_empty());
}

#[tokio::test]
async fn where_removing_deactivates_it_is_done_once() {
    for (removal, deactivates, method) in
        [(Removal::DeleteDeactivates, true, "DELETE"), (Removal::Deactivate, false, "PATCH")]
    {
        let profile = |profile: &mut TargetProfile| profile.removal = removal;
        let world = world(changed(profile), Quirks { deactivates, ..Quirks::default() });
        let known = world.mirrored(&alice(), &wanted(&alice())).await;
        world.sim.behave();
        for was_there in [true, false] {
            let effect = world.ask(&known.remote, DesiredState::Absent { given: None }).await.unwrap();
            assert_eq!(effect, Effect::Absent { was_there });
        }
        assert_eq!(world.sim.lines(), ["GET Users/id", &format!("{method} Users/id"), "GET Users/id"]);
        assert_eq!(world.sim.one("Users")["active"], false);
    }
}

#[tokio::test]
async fn whole_accounts_are_put_where_the_profile_says_so() {
    for changes in [UserChanges::Put, UserChanges::PatchActive] {
        let quirks = Quirks { patches_active_only: true, ..Quirks::default() };
        let world = world(changed(|profile| profile.user_changes = changes), quirks);
        let mut known = world.mirrored(&alice(), &wanted(&alice())).await;
        let id = known.remote.native.clone().unwrap();
        world.sim.behave();
        known.wanted.display_name = Some("Alice A.".to_owned());
        known = world.again(&known).await;
        known.wanted.active = false;
        world.again(&known).await;
        let second = if changes == UserChanges::Put { "PUT Users/id" } else { "PATCH Users/id" };
        assert_eq!(world.sim.lines(), ["GET Users/id", "PUT Users/id", "GET Users/id", second]);
        let there = world.sim.one("Users");
        assert_eq!((&there["displayName"], &there["active"]), (&json!("Alice A."), &json!(false)));
        assert_eq!(there["id"], id);
    }
}

#[tokio::test]
async fn who_was_removed_there_is_made_anew_or_held_as_the_profile_says() {
    for when_lost in [WhenLost::MakeAnew, WhenLost::Hold] {
        let world = world(changed(|profile| profile.when_lost = when_lost), Quirks::default());
        world.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Staff" }));
        let mut all = wanted(&alice());
        all.entitlements = names(&["Staff"]);
        let known = world.mirrored(&alice(), &all).await;
        world.sim.forget("Users", known.remote.native.as_deref().unwrap());
        let state = DesiredState::Mirrored(Box::new(known.wanted.clone()));
        let planned = world.plan(&known.remote, state).await;
        if when_lost == WhenLost::Hold {
            assert_eq!(planned.step, PlannedStep::Lost);
            let effect = world.mirror(&known.remote, &known.wanted).await.unwrap();
            assert_eq!(effect, Effect::Stuck(jit_core::Code::new("scim.account_lost")));
            assert!(world.sim.all("Users").is_empty());
        } else {
            assert_eq!(planned.step, PlannedStep::Make);
            let anew = world.again(&known).await;
            assert_ne!(anew.remote.native, known.remote.native);
            assert!(
                world.sim.members("Staff").contains(anew.remote.native.as_ref().unwrap()),
                "with its groups"
            );
        }
    }
}

#[tokio::test]
async fn who_came_back_under_another_id_is_found_by_the_marker() {
    let (world, remote) = (plain(), alice());
    let mut known = world.mirrored(&remote, &wanted(&remote)).await;
    known.remote.native = Some("u-of-before-the-restore".to_owned());
    let found = world.again(&known).await;
    assert_eq!(found.remote.native.as_deref(), world.sim.one("Users")["id"].as_str());
}

#[tokio::test]
async fn a_dry_run_tells_and_writes_nothing() {
    let (world, remote) = (plain(), alice());
    let mirrored = |wanted: &jit_core::Mirrored| DesiredState::Mirrored(Box::new(wanted.clone()));
    assert_eq!(world.plan(&remote, mirrored(&wanted(&remote))).await.step, PlannedStep::Make);
    assert_eq!(world.plan(&remote, DesiredState::Absent { given: None }).await.step, PlannedStep::Nothing);
    let mut known = world.mirrored(&remote, &wanted(&remote)).await;
    assert_eq!(world.plan(&known.remote, mirrored(&known.wanted)).await.step, PlannedStep::Nothing);
    known.wanted.display_name = Some("Alice A.".to_owned());
    known.wanted.active = false;
    known.wanted.entitlements = names(&["Staff"]);
    let before = world.sim.all("Users");
    world.sim.behave();
    let planned = world.plan(&known.remote, mirrored(&known.wanted)).await;
    assert_eq!((planned.step, planned.writes), (PlannedStep::Change, names(&["active", "displayName"])));
    assert_eq!(planned.joins, names(&["Staff"]));
    assert_eq!(world.plan(&known.remote, DesiredState::Disabled).await.step, PlannedStep::Disable);
    assert_eq!(
        world.plan(&known.remote, DesiredState::Absent { given: None }).await.step,
        PlannedStep::Remove
    );
    assert!(world.sim.lines().iter().all(|line| line.starts_with("GET")));
    assert_eq!(world.sim.all("Users"), before);
}

#[tokio::test]
async fn what_lends_accounts_is_told_that_this_does_not() {
    let world = plain();
    let state = DesiredState::Present {
        entitlements: Vec::new(),
        secret: None,
        ends_at: chrono::DateTime::default(),
    };
    assert_eq!(reason(&world.ask(&alice(), state).await.unwrap_err()), TargetReason::NotAMirror);
    assert!(world.target.capabilities().mirrors);
    assert!(world.sim.log().is_empty());
}

#[tokio::test]
async fn a_name_that_somebody_else_took_meanwhile_is_told() {
    let (world, remote) = (plain(), alice());
    let mut known = world.mirrored(&remote, &wanted(&remote)).await;
    world.sim.plant("Users", &json!({ "schemas": [USER], "userName": "ally@example.com" }));
    known.wanted.user_name = "ally@example.com".to_owned();
    assert_eq!(world.refused(&known.remote, &known.wanted).await, TargetReason::TakenByAnother);
}

#[tokio::test]
async fn a_change_that_came_between_is_looked_at_again() {
    let (world, remote) = (plain(), alice());
    let mut known = world.mirrored(&remote, &wanted(&remote)).await;
    world.sim.script(|number, _| {
        (number == 2).then(|| crate::sim::Fault::Answer(412, Vec::new(), r#"{"status":"412"}"#))
    });
    known.wanted.display_name = Some("Alice A.".to_owned());
    world.again(&known).await;
    assert_eq!(world.sim.lines(), ["GET Users/id", "PATCH Users/id", "GET Users/id", "PATCH Users/id"]);
    world.sim.script(|_, asked| {
        let is_write = asked.method != http::Method::GET;
        is_write.then(|| crate::sim::Fault::Answer(412, Vec::new(), r#"{"status":"412"}"#))
    });
    known.wanted.display_name = Some("Alice B.".to_owned());
    assert_eq!(world.refused(&known.remote, &known.wanted).await, TargetReason::ChangedMeanwhile);
}

#[tokio::test]
async fn what_is_confirmed_tells_every_part_apart() {
    use jit_core::Mirrored;
    let one = wanted(&alice());
    let attributes = |title: &[&str]| {
        let values = title.iter().map(|text| (*text).to_owned()).collect();
        std::collections::BTreeMap::from([("title".to_owned(), values)])
    };
    let all = [
        one.clone(),
        Mirrored { active: false, ..one.clone() },
        Mirrored { user_name: "bob".to_owned(), ..one.clone() },
        Mirrored { display_name: Some("alice@example.com".to_owned()), ..one.clone() },
        Mirrored { email: None, ..one.clone() },
        Mirrored { attributes: attributes(&[]), ..one.clone() },
        Mirrored { attributes: attributes(&["Staff"]), ..one.clone() },
        Mirrored { entitlements: names(&["Staff"]), ..one.clone() },
    ];
    let mut confirmed = std::collections::BTreeSet::new();
    for wanted in &all {
        let world = world(changed(|profile| profile.groups = GroupOrigin::Made), Quirks::default());
        world.mirrored(&alice(), &one).await;
        confirmed.insert(world.mirrored(&alice(), wanted).await.wanted.confirmed);
    }
    assert_eq!(confirmed.len(), all.len());
    let world = plain();
    let again = Mirrored { held: names(&["Gone"]), confirmed: Some("x".to_owned()), ..one };
    assert!(
        confirmed.contains(&world.mirrored(&alice(), &again).await.wanted.confirmed),
        "what was, is no part of it"
    );
}

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

pub(crate) fn changed(change: impl FnOnce(&mut TargetProfile)) -> TargetProfile {
    let mut profile = TargetProfile::generic();
    change(&mut profile);
    profile
}

impl World {
    async fn plan(&self, remote: &RemoteRef, state: DesiredState) -> jit_scim::client::Planned {
        self.target.plan(&jit_core::Desired { remote: remote.clone(), state }).await.unwrap()
    }

    /// Somebody changes an account over there.
    async fn change_there(&self, id: &str, path: &str, value: &str) {
        self.patch_there(id, path, &json!(value)).await;
    }

    async fn set_active(&self, id: &str, active: bool) {
        self.patch_there(id, "active", &json!(active)).await;
    }

    async fn patch_there(&self, id: &str, path: &str, value: &serde_json::Value) {
        use jit_scim::client::Transport as _;
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": path, "value": value }],
        });
        let request = http::Request::patch(format!("https://app.example/scim/v2/Users/{id}"));
        let request = request.header("authorization", "Bearer right").body(body.to_string().into()).unwrap();
        assert!(self.sim.send(request, 4096).await.unwrap().status().is_success());
    }
}
