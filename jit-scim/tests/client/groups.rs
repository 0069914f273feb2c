//! Groups: joined, left, and never emptied.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{BackendError, DesiredState, Effect, Retry};
use jit_scim::client::{
    GroupChanges, GroupOrigin, MemberRate, MemberRemoval, RequestRate, TargetProfile, TargetReason,
};
use serde_json::{Value, json};

use crate::life::{GROUP, USER, changed};
use crate::sim::{Fault, Quirks};
use crate::world::{Remembered, World, alice, names, person, reason, wanted, world};

/// A world in which one stranger is in each of these groups.
pub(crate) fn with_groups(profile: TargetProfile, quirks: Quirks, groups: &[&str]) -> (World, String) {
    let world = world(profile, quirks);
    let stranger = world.sim.plant("Users", &json!({ "schemas": [USER], "userName": "stranger" }));
    for group in groups {
        let members = json!([{ "value": stranger }]);
        world.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": group, "members": members }));
    }
    (world, stranger)
}

pub(crate) async fn holding(world: &World, groups: &[&str]) -> Remembered {
    let mut all = wanted(&alice());
    all.entitlements = names(groups);
    world.mirrored(&alice(), &all).await
}

pub(crate) fn patches(world: &World) -> Vec<Value> {
    let log = world.sim.log();
    let patches =
        log.iter().filter(|asked| asked.method == http::Method::PATCH && asked.path.starts_with("Groups"));
    patches.map(|asked| asked.body["Operations"].clone()).collect()
}

#[tokio::test]
async fn one_joins_and_leaves_and_the_others_stay() {
    let (world, stranger) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew", "Staff"]);
    let mut known = holding(&world, &["Crew", "Staff"]).await;
    let id = known.remote.native.clone().unwrap();
    assert_eq!(known.wanted.held, names(&["Crew", "Staff"]));
    assert_eq!(world.sim.members("Crew"), [stranger.clone(), id.clone()]);
    world.sim.behave();
    known.wanted.entitlements = names(&["Staff"]);
    known = world.again(&known).await;
    assert_eq!(
        (world.sim.members("Crew"), world.sim.members("Staff")),
        (vec![stranger.clone()], vec![stranger, id.clone()])
    );
    assert_eq!(known.wanted.held, names(&["Staff"]));
    let path = format!("members[value eq \"{id}\"]");
    assert_eq!(patches(&world), [json!([{ "op": "remove", "path": path }])], "nothing but what differs");
}

#[tokio::test]
async fn what_others_gave_is_not_taken() {
    let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew", "Theirs"]);
    let mut known = holding(&world, &["Crew"]).await;
    let id = known.remote.native.clone().unwrap();
    let group = world.sim.all("Groups").into_iter().find(|one| one["displayName"] == "Theirs").unwrap();
    world.join_there(group["id"].as_str().unwrap(), &id).await;
    known.wanted.entitlements.clear();
    world.again(&known).await;
    assert!(world.sim.members("Theirs").contains(&id));
    assert!(!world.sim.members("Crew").contains(&id));
}

#[tokio::test]
async fn the_ledger_decides_where_nothing_is_shown_and_the_account_where_it_is() {
    for shows_groups in [false, true] {
        let profile = changed(|profile| profile.shows_groups = shows_groups);
        let (world, _) = with_groups(profile, Quirks { shows_groups, ..Quirks::default() }, &["Crew"]);
        let known = holding(&world, &["Crew"]).await;
        let id = known.remote.native.clone().unwrap();
        world.leave_there(&id).await;
        world.sim.behave();
        let known = world.again(&known).await;
        assert_eq!(world.sim.members("Crew").contains(&id), shows_groups, "mended where it can be seen");
        world.ask(&known.remote, DesiredState::Disabled).await.unwrap();
        assert!(!world.sim.members("Crew").contains(&id), "who is out of use holds nothing");
    }
}

#[tokio::test]
async fn a_target_that_hides_members_is_never_asked_for_them() {
    let quirks =
        Quirks { hides_members: true, removes_by_value: true, most_on_page: Some(50), ..Quirks::default() };
    let (world, stranger) = with_groups(TargetProfile::aws(), quirks, &["Crew"]);
    let mut known = holding(&world, &["Crew"]).await;
    known.wanted.entitlements.clear();
    world.again(&known).await;
    assert_eq!(world.sim.members("Crew"), [stranger]);
    assert!(world.sim.lines().iter().all(|line| line != "GET Groups/id"));
    let id = known.remote.native.unwrap();
    assert_eq!(
        patches(&world).pop().unwrap(),
        json!([{ "op": "remove", "path": "members", "value": [{ "value": id }] }])
    );
}

#[tokio::test]
async fn whole_groups_are_put_with_everybody_in_them() {
    for (changes, lacks_patch) in [(GroupChanges::Put, false), (GroupChanges::Patch, true)] {
        let profile = changed(|profile| profile.group_changes = changes);
        let (world, stranger) = with_groups(profile, Quirks { lacks_patch, ..Quirks::default() }, &["Crew"]);
        let mut known = holding(&world, &["Crew"]).await;
        let id = known.remote.native.clone().unwrap();
        assert_eq!(world.sim.members("Crew"), [stranger.clone(), id]);
        let put = world.sim.log().into_iter().find(|asked| asked.method == http::Method::PUT).unwrap();
        assert!(put.if_match.is_some(), "a change that came between would be lost");
        known.wanted.entitlements.clear();
        world.again(&known).await;
        assert_eq!(world.sim.members("Crew"), [stranger]);
        let tried = world.sim.lines().iter().filter(|line| *line == "PATCH Groups/id").count();
        assert_eq!(tried, usize::from(lacks_patch), "that there is no PATCH is learned once");
    }
}

#[tokio::test]
async fn a_group_whose_members_are_hidden_is_not_replaced() {
    let profile = changed(|profile| profile.shows_members = false);
    let quirks = Quirks { lacks_patch: true, hides_members: true, ..Quirks::default() };
    let (world, stranger) = with_groups(profile, quirks, &["Crew"]);
    let mut all = wanted(&alice());
    all.entitlements = names(&["Crew"]);
    assert_eq!(world.refused(&alice(), &all).await, TargetReason::MembersUnseen);
    assert_eq!(world.sim.members("Crew"), [stranger]);
}

#[tokio::test]
async fn a_group_that_shows_no_members_is_not_emptied() {
    // the profile says that groups show their members, and they do not
    let put = || changed(|profile| profile.group_changes = GroupChanges::Put);
    let quirks = || Quirks { hides_members: true, ..Quirks::default() };
    let (world, stranger) = with_groups(put(), quirks(), &["Crew"]);
    let mut all = wanted(&alice());
    all.entitlements = names(&["Crew"]);
    assert_eq!(world.refused(&alice(), &all).await, TargetReason::MembersUnseen);
    all.held = names(&["Crew"]);
    all.entitlements.clear();
    assert_eq!(
        world.refused(&alice(), &all).await,
        TargetReason::MembersUnseen,
        "nor does anybody seem to be out"
    );
    assert_eq!(world.sim.members("Crew"), [stranger]);

    let empty = async |profile| {
        let (world, _) = with_groups(profile, Quirks::default(), &["Full"]);
        world.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Empty" }));
        world
    };
    let world = empty(put()).await;
    let mut all = wanted(&alice());
    all.entitlements = names(&["Empty"]);
    assert_eq!(world.refused(&alice(), &all).await, TargetReason::MembersUnseen);
    all.entitlements = names(&["Full"]);
    let mut known = world.mirrored(&alice(), &all).await;
    known.wanted.entitlements = names(&["Empty", "Full"]);
    world.again(&known).await;
    assert_eq!(world.sim.members("Empty").len(), 1, "a group has shown some");
    let said = changed(|profile| (profile.group_changes, profile.omits_members) = (GroupChanges::Put, true));
    let world = empty(said).await;
    all.entitlements = names(&["Empty"]);
    world.mirrored(&alice(), &all).await;
    assert_eq!(world.sim.members("Empty").len(), 1);
}

#[tokio::test]
async fn a_group_that_is_not_there_is_an_error_or_made() {
    let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &["Staff"]);
    let mut all = wanted(&alice());
    all.entitlements = names(&["Crew", "Staff"]);
    assert_eq!(world.refused(&alice(), &all).await, TargetReason::GroupUnknown);
    assert_eq!(world.sim.members("Staff").len(), 2, "the other one is joined all the same");
    all.held = names(&["Gone"]);
    all.entitlements = names(&["Staff"]);
    world.mirrored(&alice(), &all).await;

    let made = changed(|profile| profile.groups = GroupOrigin::Made);
    let (world, _) = with_groups(made, Quirks::default(), &[]);
    let known = holding(&world, &["Crew"]).await;
    assert_eq!(world.sim.members("Crew"), [known.remote.native.unwrap()]);
}

#[tokio::test]
async fn a_group_that_was_made_anew_is_found_again() {
    let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew"]);
    let mut known = holding(&world, &["Crew"]).await;
    let old = world.sim.one("Groups")["id"].as_str().unwrap().to_owned();
    world.sim.forget("Groups", &old);
    world.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Crew" }));
    known.wanted.confirmed = None;
    world.again(&known).await;
    assert_eq!(world.sim.members("Crew").len(), 1);
    world.sim.forget("Groups", world.sim.one("Groups")["id"].as_str().unwrap());
    known.wanted.entitlements.clear();
    world.again(&known).await;
}

/// So many people join the group at once: everybody else comes while the first one is on the way.
async fn crowd(world: &Arc<World>, count: usize) -> Vec<Result<Effect, BackendError>> {
    let all = world.sim.gate.acquire_many(1000).await.unwrap();
    let mut joiners = tokio::task::JoinSet::new();
    for number in 0..count {
        let world = Arc::clone(world);
        joiners.spawn(async move {
            let person = person(&format!("person-{number}"));
            let mut all = wanted(&person);
            all.entitlements = names(&["Crew"]);
            world.mirror(&person, &all).await
        });
    }
    while world.sim.all("Users").len() < count + 1 {
        tokio::task::yield_now().await;
    }
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    drop(all);
    joiners.join_all().await
}

#[tokio::test]
async fn who_waits_for_a_group_goes_together_in_bounded_batches() {
    let profile = changed(|profile| profile.members_per_request = 10);
    let (world, _) = with_groups(profile, Quirks { most_members: Some(10), ..Quirks::default() }, &["Crew"]);
    let world = Arc::new(world);
    assert!(crowd(&world, 45).await.iter().all(Result::is_ok));
    assert_eq!(world.sim.members("Crew").len(), 46);
    let sizes: Vec<_> = patches(&world).iter().map(|one| one[0]["value"].as_array().unwrap().len()).collect();
    assert!(sizes.iter().all(|size| *size <= 10), "{sizes:?}");
    assert!(sizes.len() <= 6, "{sizes:?}");
}

#[tokio::test]
async fn no_more_members_of_a_group_change_than_the_profile_says() {
    let rate = MemberRate { members: 10, seconds: 3600, burst: 10 };
    let profile = changed(|profile| profile.member_changes = Some(rate));
    let (world, _) = with_groups(profile, Quirks::default(), &["Crew", "Staff"]);
    let world = Arc::new(world);
    let outcomes = crowd(&world, 12).await;
    let put_off: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert_eq!((world.sim.members("Crew").len(), put_off.len()), (11, 2), "a batch is cut to what is left");
    for error in &put_off {
        assert_eq!(
            (reason(error), error.retry()),
            (TargetReason::GroupPaced, Retry::After(TimeDelta::minutes(6)))
        );
    }
    let mut both = wanted(&alice());
    both.entitlements = names(&["Crew", "Staff"]);
    assert_eq!(world.refused(&alice(), &both).await, TargetReason::GroupPaced);
    assert_eq!(
        (world.sim.members("Crew").len(), world.sim.members("Staff").len()),
        (11, 2),
        "each by itself"
    );
    world.sim.clock.advance(TimeDelta::minutes(6));
    world.mirrored(&alice(), &both).await;
    assert_eq!(world.sim.members("Crew").len(), 12);
}

#[tokio::test]
async fn a_group_at_its_limit_keeps_nobody_in_another() {
    let rate = MemberRate { members: 1, seconds: 3600, burst: 1 };
    let profile = changed(|profile| profile.member_changes = Some(rate));
    let (world, _) = with_groups(profile, Quirks::default(), &["Crew", "Staff"]);
    let mut known = holding(&world, &["Crew", "Staff"]).await;
    world.sim.clock.advance(TimeDelta::hours(1));
    world
        .mirrored(&person("bob"), &{
            let mut bobs = wanted(&person("bob"));
            bobs.entitlements = names(&["Crew"]);
            bobs
        })
        .await;
    known.wanted.active = false;
    known.wanted.entitlements.clear();
    world.sim.script(|_, asked| {
        let is_user = asked.path.starts_with("Users/") && asked.method == http::Method::PATCH;
        is_user.then(|| Fault::Answer(400, Vec::new(), "{}"))
    });
    let told = world.refused(&known.remote, &known.wanted).await;
    assert_eq!(told, TargetReason::Refused, "what was said of the account, not of a group");
    assert_eq!(world.sim.members("Staff").len(), 1, "who cannot be put out of use loses what can be taken");
}

#[tokio::test]
async fn who_was_put_off_before_anything_was_sent_takes_no_place_of_a_group() {
    let members = MemberRate { members: 1, seconds: 3600, burst: 1 };
    let writes = RequestRate { requests: 1, seconds: 60, burst: 1 };
    let profile = changed(|profile| (profile.member_changes, profile.writes) = (Some(members), Some(writes)));
    let (world, _) = with_groups(profile, Quirks::default(), &["Crew"]);
    let mut joins = wanted(&alice());
    joins.entitlements = names(&["Crew"]);
    assert_eq!(world.refused(&alice(), &joins).await, TargetReason::Paced, "the account took the only write");
    world.sim.clock.advance(TimeDelta::minutes(1));
    world.mirrored(&alice(), &joins).await;
    assert_eq!(world.sim.members("Crew").len(), 2);
    world.sim.clock.advance(TimeDelta::minutes(1));
    world
        .refused(&person("bob"), &{
            let mut bobs = wanted(&person("bob"));
            bobs.entitlements = names(&["Crew"]);
            bobs
        })
        .await;
    assert_eq!(world.sim.members("Crew").len(), 2, "what was sent keeps its place");
}

#[tokio::test]
async fn who_waits_too_long_for_their_turn_is_put_off_and_the_target_is_not_called_slow() {
    let profile = changed(|profile| profile.members_per_request = 1);
    let (world, _) = with_groups(profile, Quirks::default(), &["Crew"]);
    let world = Arc::new(world);
    let clock = Arc::clone(&world.sim.clock);
    world.sim.script(move |_, asked| {
        if asked.path.starts_with("Groups/") && asked.method == http::Method::PATCH {
            clock.advance(TimeDelta::seconds(35));
        }
        None
    });
    let outcomes = crowd(&world, 4).await;
    let put_off: Vec<_> = outcomes.into_iter().filter_map(Result::err).map(|error| reason(&error)).collect();
    assert_eq!(world.sim.members("Crew").len(), 3, "as many as had the time");
    assert_eq!(put_off, [TargetReason::GroupPaced; 2]);
}

#[tokio::test]
async fn of_the_pauses_of_several_groups_the_longest_is_told() {
    let rate = MemberRate { members: 1, seconds: 3600, burst: 1 };
    let profile = changed(|profile| profile.member_changes = Some(rate));
    let (world, _) = with_groups(profile, Quirks::default(), &["Crew", "Staff"]);
    let mut known = holding(&world, &["Crew", "Staff"]).await;
    world.sim.clock.advance(TimeDelta::hours(1));
    for (name, group) in [("bob", "Staff"), ("carol", "Crew")] {
        let mut joins = wanted(&person(name));
        joins.entitlements = names(&[group]);
        world.mirrored(&person(name), &joins).await;
        world.sim.clock.advance(TimeDelta::minutes(20));
    }
    known.wanted.entitlements.clear();
    let error = world.mirror(&known.remote, &known.wanted).await.unwrap_err();
    assert_eq!(
        (reason(&error), error.retry()),
        (TargetReason::GroupPaced, Retry::After(TimeDelta::minutes(40)))
    );
}

#[tokio::test]
async fn what_is_refused_of_all_is_not_asked_for_each() {
    for (status, retry) in [(403, Retry::Never), (500, Retry::Backoff)] {
        let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew"]);
        let world = Arc::new(world);
        world.sim.script(move |_, asked| {
            let is_change = asked.path.starts_with("Groups/") && asked.method == http::Method::PATCH;
            is_change.then(|| Fault::Answer(status, Vec::new(), "{}"))
        });
        let outcomes = crowd(&world, 45).await;
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_err_and(|error| error.retry() == retry)));
        assert_eq!(patches(&world).len(), 2, "{status}: the first one, and all who came meanwhile");
    }
}

#[tokio::test]
async fn one_who_is_refused_does_not_keep_the_others_out() {
    let (world, _) = with_groups(TargetProfile::generic(), Quirks::default(), &["Crew"]);
    let world = Arc::new(world);
    let bad = world.mirrored(&person("bad"), &wanted(&person("bad"))).await.remote.native.unwrap();
    world.sim.script(move |_, asked| {
        let is_bad =
            asked.path.starts_with("Groups") && asked.body.to_string().contains(&format!("\"{bad}\""));
        is_bad.then(|| Fault::Answer(400, Vec::new(), r#"{"scimType":"invalidValue"}"#))
    });
    let all = world.sim.gate.acquire_many(1000).await.unwrap();
    let mut joiners = tokio::task::JoinSet::new();
    for name in ["first", "bad", "good", "better"] {
        let world = Arc::clone(&world);
        joiners.spawn(async move {
            let mut all = wanted(&person(name));
            all.entitlements = names(&["Crew"]);
            (name, world.mirror(&person(name), &all).await.is_ok())
        });
    }
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    drop(all);
    let mut done = joiners.join_all().await;
    done.sort_unstable();
    assert_eq!(done, [("bad", false), ("better", true), ("first", true), ("good", true)]);
    assert_eq!(world.sim.members("Crew").len(), 4);
}

#[tokio::test]
async fn who_is_out_already_need_not_be_taken_out() {
    for removal in [MemberRemoval::Filter, MemberRemoval::Value] {
        let profile = changed(|profile| profile.member_removal = removal);
        let quirks = Quirks { removes_by_value: removal == MemberRemoval::Value, ..Quirks::default() };
        let (world, stranger) = with_groups(profile, quirks, &["Crew"]);
        let mut known = holding(&world, &["Crew"]).await;
        world.leave_there(known.remote.native.as_ref().unwrap()).await;
        known.wanted.entitlements.clear();
        world.again(&known).await;
        assert_eq!(world.sim.members("Crew"), std::slice::from_ref(&stranger));
        world.sim.script(|_, asked| {
            let is_patch = asked.method == http::Method::PATCH;
            is_patch.then(|| Fault::Answer(400, Vec::new(), r#"{"scimType":"noTarget"}"#))
        });
        world.again(&known).await;
    }
}

impl World {
    /// An administrator over there puts somebody into a group.
    pub(crate) async fn join_there(&self, group: &str, member: &str) {
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": member }] }]);
        self.patch_group(group, &add).await;
    }

    /// And takes them out of every group.
    async fn leave_there(&self, member: &str) {
        for group in self.sim.all("Groups") {
            let path = format!("members[value eq \"{member}\"]");
            let remove = json!([{ "op": "remove", "path": path }]);
            self.patch_group(group["id"].as_str().unwrap(), &remove).await;
        }
    }

    async fn patch_group(&self, group: &str, operations: &Value) {
        use jit_scim::client::Transport as _;
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        let request = http::Request::patch(format!("https://app.example/scim/v2/Groups/{group}"));
        let request = request.header("authorization", "Bearer right").body(body.to_string().into()).unwrap();
        assert!(self.sim.send(request, 4096).await.unwrap().status().is_success());
    }
}
