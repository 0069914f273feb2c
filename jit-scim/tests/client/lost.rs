//! Killed after each request, and asked for the same again: by a process that remembers only what was written down.

use jit_core::DesiredState;
use jit_scim::client::{Adoption, TargetProfile};
use serde_json::json;

use crate::life::{GROUP, USER, changed};
use crate::sim::{Fault, Quirks};
use crate::world::{World, alice, names, target, wanted, world};

/// Every way in which an answer is lost, at every request, for the whole life of an account.
#[tokio::test]
async fn whatever_is_lost_one_account_comes_of_it_and_none_stays() {
    let profiles = [
        ("patch", changed(|profile| profile.groups = jit_scim::client::GroupOrigin::Made), Quirks::default()),
        ("put", changed(|_| {}), Quirks { lacks_patch: true, says_nothing: true, ..Quirks::default() }),
        (
            "aws",
            TargetProfile::aws(),
            Quirks { hides_members: true, removes_by_value: true, ..Quirks::default() },
        ),
    ];
    for (name, profile, quirks) in profiles {
        for at in 1..=12 {
            for after in [false, true] {
                life(name, &profile, quirks, at, after).await;
            }
        }
    }
}

async fn life(name: &str, profile: &TargetProfile, quirks: Quirks, at: usize, after: bool) {
    let what = format!("{name}, request {at}, {}", if after { "after" } else { "before" });
    let mut world = world(profile.clone(), quirks);
    world.sim.plant("Groups", &json!({ "schemas": [GROUP], "displayName": "Staff" }));
    let other = world.sim.plant("Users", &json!({ "schemas": [USER], "userName": "other@example.com" }));
    if profile.groups == jit_scim::client::GroupOrigin::Found {
        world.sim.plant(
            "Groups",
            &json!({ "schemas": [GROUP], "displayName": "Crew", "members": [{ "value": other }] }),
        );
    }
    let mut first = wanted(&alice());
    first.entitlements = names(&["Crew", "Staff"]);
    lose(&world, at, after);
    if world.mirror(&alice(), &first).await.is_ok() {
        world.sim.behave();
    }
    restart(&mut world, profile);
    let mut known = world.mirrored(&alice(), &first).await;
    let id = known.remote.native.clone().unwrap();
    assert_eq!(ours(&world), 1, "{what}");
    for group in ["Crew", "Staff"] {
        assert_eq!(world.sim.members(group).iter().filter(|member| **member == id).count(), 1, "{what}");
    }

    known.wanted.entitlements = names(&["Staff"]);
    known.wanted.display_name = Some("Alice A.".to_owned());
    lose(&world, at, after);
    if world.mirror(&known.remote, &known.wanted).await.is_ok() {
        world.sim.behave();
    }
    restart(&mut world, profile);
    let known = world.again(&known).await;
    assert!(!world.sim.members("Crew").contains(&id), "{what}");
    assert!(world.sim.members("Staff").contains(&id), "{what}");

    lose(&world, at, after);
    let _lost = world.ask(&known.remote, DesiredState::Absent { given: None }).await;
    restart(&mut world, profile);
    world.ask(&known.remote, DesiredState::Absent { given: None }).await.unwrap();
    assert_eq!(ours(&world), 0, "{what}");
    assert_eq!(world.sim.all("Users").len(), 1, "{what}: the other one stays");
}

fn lose(world: &World, at: usize, after: bool) {
    let fault = if after { Fault::LostAfter } else { Fault::LostBefore };
    world.sim.script(move |number, _| (number == at).then(|| fault.clone()));
}

fn restart(world: &mut World, profile: &TargetProfile) {
    world.sim.behave();
    world.target = target(&world.sim, profile.clone());
}

fn ours(world: &World) -> usize {
    world.sim.all("Users").iter().filter(|one| one["externalId"] == alice().marker.as_str()).count()
}

/// The same for one who is adopted.
#[tokio::test]
async fn an_adoption_that_was_cut_off_is_finished() {
    let profile = changed(|profile| profile.adoption = Adoption::Unmarked);
    for at in 1..=8 {
        for after in [false, true] {
            let mut world = world(profile.clone(), Quirks::default());
            let there = json!({ "schemas": [USER], "userName": "alice@example.com", "nickName": "Al" });
            let id = world.sim.plant("Users", &there);
            lose(&world, at, after);
            let _lost = world.mirror(&alice(), &wanted(&alice())).await;
            restart(&mut world, &profile);
            let known = world.mirrored(&alice(), &wanted(&alice())).await;
            assert_eq!(known.remote.native.as_ref(), Some(&id));
            assert_eq!(world.sim.one("Users")["nickName"], "Al");
        }
    }
}

#[tokio::test]
async fn a_creation_is_never_sent_twice_within_a_call() {
    let world = crate::world::plain();
    for status in [503, 500, 502] {
        world.sim.script(move |_, asked| {
            let headers = vec![("retry-after", "1".to_owned())];
            (asked.method == http::Method::POST).then_some(Fault::Answer(status, headers, "{}"))
        });
        assert!(world.mirror(&alice(), &wanted(&alice())).await.is_err());
        assert_eq!(world.sim.lines(), ["GET Users", "POST Users"], "{status}");
        world.sim.clock.advance(chrono::TimeDelta::seconds(5));
    }
}

#[tokio::test]
async fn many_who_make_it_at_once_make_one() {
    let world = std::sync::Arc::new(crate::world::plain());
    let mut makers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = std::sync::Arc::clone(&world);
        makers.spawn(async move { world.mirrored(&alice(), &wanted(&alice())).await.remote.native });
    }
    let ids: std::collections::BTreeSet<_> = makers.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(ours(&world), 1);
}
