//! What holds whatever is wanted and whatever is there.

use std::collections::BTreeMap;

use jit_core::Mirrored;
use jit_scim::client::{GroupChanges, GroupOrigin, UserChanges};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

use crate::life::changed;
use crate::sim::Quirks;
use crate::world::{World, alice, remembered, wanted, world};

const PLACES: [&str; 8] = [
    "title",
    "name.givenName",
    "name.familyName",
    "phoneNumbers[type eq \"work\"].value",
    "phoneNumbers[type eq \"home\"].value",
    "addresses[type eq \"work\"].locality",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("x".to_owned()), "[a-zA-ZäÖ\"\\\\ ]{1,8}".prop_map(|text| format!("t{text}"))]
}

fn anything() -> impl Strategy<Value = Mirrored> {
    let attributes = prop::collection::btree_map(
        prop::sample::select(&PLACES[..]).prop_map(str::to_owned),
        prop::option::of(text()).prop_map(|text| text.into_iter().collect()),
        0..5,
    );
    let groups =
        prop::collection::btree_set(prop::sample::select(vec!["A".to_owned(), "B".to_owned()]), 0..3);
    let name = prop::sample::select(vec!["alice", "alice-ames"]);
    let parts = (any::<bool>(), name, prop::option::of(text()), prop::option::of(text()), attributes, groups);
    parts.prop_map(|(active, name, display_name, email, attributes, entitlements)| Mirrored {
        active,
        user_name: name.to_owned(),
        display_name,
        email,
        attributes,
        entitlements,
        ..wanted(&alice())
    })
}

/// Brings one after the other, each with what the one before confirmed, and the last one twice.
fn brought(world: &World, all: &[Mirrored]) -> (Value, BTreeMap<&'static str, usize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (mut remote, mut last) = (alice(), wanted(&alice()));
        for wanted in all.iter().chain(all.last()) {
            let (held, ids, confirmed) = (last.held, last.ids, last.confirmed);
            let wanted = Mirrored { held, ids, confirmed, ..wanted.clone() };
            let known = remembered(&remote, &wanted, world.mirror(&remote, &wanted).await.unwrap());
            (remote, last) = (known.remote, known.wanted);
        }
    });
    let members = ["A", "B"].map(|group| (group, world.sim.members(group).len()));
    let mut there = world.sim.one("Users");
    there.as_object_mut().unwrap().remove("meta");
    (there, members.into())
}

fn check(all: &[Mirrored]) -> TestCaseResult {
    let made = |changes, group_changes| {
        let profile = changed(|profile| {
            (profile.user_changes, profile.group_changes) = (changes, group_changes);
            profile.omits_members = true;
            profile.groups = GroupOrigin::Made;
        });
        world(profile, Quirks::default())
    };
    let (patched, put) =
        (made(UserChanges::Patch, GroupChanges::Patch), made(UserChanges::Put, GroupChanges::Put));
    let there = brought(&patched, all);
    prop_assert_eq!(&there, &brought(&put, all), "by changes and as a whole");
    let (last, (user, members)) = (all.last().unwrap(), there);
    prop_assert_eq!(&user["active"], last.active);
    prop_assert_eq!(user["userName"].as_str(), Some(last.user_name.as_str()));
    for group in ["A", "B"] {
        prop_assert_eq!(members[group], usize::from(last.entitlements.contains(group)));
    }
    let again = patched.sim.all("Users");
    patched.sim.behave();
    let mut anew = vec![Mirrored { confirmed: None, ..last.clone() }];
    anew[0].entitlements.clear();
    brought(&patched, &anew);
    prop_assert!(patched.sim.lines().iter().all(|line| line.starts_with("GET")), "{:?}", patched.sim.lines());
    prop_assert_eq!(patched.sim.all("Users"), again);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn changes_lead_where_the_whole_leads_and_then_there_is_nothing_to_do(
        mut all in prop::collection::vec(anything(), 1..4),
    ) {
        // who may not be used is never made
        all[0].active = true;
        check(&all)?;
    }
}
