//! Lists: whole, or said to be otherwise.

use jit_core::Listing;
use jit_scim::client::TargetProfile;
use serde_json::json;

use crate::life::USER;
use crate::sim::Quirks;
use crate::world::{World, person, wanted, world};

async fn crowd(quirks: Quirks, profile: TargetProfile) -> World {
    let world = world(profile, quirks);
    for number in 0..9 {
        let remote = person(&format!("ours-{number}"));
        world.mirrored(&remote, &wanted(&remote)).await;
        let there = json!({ "schemas": [USER], "userName": format!("theirs-{number}"), "externalId": format!("x-{number}") });
        world.sim.plant("Users", &there);
    }
    world
}

#[tokio::test]
async fn a_listing_names_ours_with_name_marker_and_id() {
    let world = crowd(Quirks { most_on_page: Some(4), ..Quirks::default() }, TargetProfile::generic()).await;
    let pages = world.listed().await;
    assert_eq!(pages.len(), 5);
    assert!(matches!(pages.last(), Some(Listing::Complete(_))), "{pages:?}");
    let all: Vec<_> = pages
        .into_iter()
        .flat_map(|page| match page {
            Listing::More(found, _) | Listing::Complete(found) | Listing::Partial(found, _) => found,
        })
        .collect();
    assert_eq!(all.len(), 9);
    for number in 0..9 {
        let remote = person(&format!("ours-{number}"));
        let found = all.iter().map(|one| &one.remote).find(|one| one.marker == remote.marker).unwrap();
        assert_eq!(found.name, remote.name);
        assert!(found.native.is_some());
    }
}

#[tokio::test]
async fn pages_that_repeat_or_do_not_add_up_are_no_whole_list() {
    let quirks = Quirks { most_on_page: Some(4), repeats_pages: true, ..Quirks::default() };
    let pages = crowd(quirks, TargetProfile::generic()).await.listed().await;
    assert!(
        matches!(pages.last(), Some(Listing::Partial(_, code)) if code.as_str() == "scim.listing_unstable")
    );

    let world = crowd(Quirks { most_on_page: Some(4), ..Quirks::default() }, TargetProfile::generic()).await;
    let sim = world.sim.clone();
    world.sim.script(move |number, _| {
        if number == 2 {
            sim.forget("Users", "u-1");
        }
        None
    });
    let pages = world.listed().await;
    assert!(
        matches!(pages.last(), Some(Listing::Partial(..))),
        "somebody may have moved to a page that was read"
    );
}

#[tokio::test]
async fn an_empty_target_is_listed_whole() {
    let world = world(TargetProfile::generic(), Quirks::default());
    assert_eq!(world.listed().await, [Listing::Complete(Vec::new())]);
}
