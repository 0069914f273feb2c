//! Targets that answer in their own way.

use chrono::TimeDelta;
use jit_core::{DesiredState, Observed, Target as _, TargetFault};
use jit_scim::client::{GroupOrigin, TargetProfile, TargetReason};
use serde_json::json;

use crate::life::{USER, changed};
use crate::sim::{Fault, Quirks};
use crate::world::{alice, names, plain, reason, wanted, world};

/// One that makes groups, and shows them with whoever is in them.
fn with_groups_shown() -> TargetProfile {
    changed(|profile| (profile.groups, profile.shows_groups) = (GroupOrigin::Made, true))
}

fn in_crew() -> jit_core::Mirrored {
    jit_core::Mirrored { entitlements: names(&["Crew"]), ..wanted(&alice()) }
}

fn crowd(quirks: Quirks, count: usize, profile: TargetProfile) -> crate::world::World {
    let world = world(profile, quirks);
    for number in 0..count {
        let there = json!({ "schemas": [USER], "userName": format!("person-{number}"), "externalId": format!("x-{number}") });
        world.sim.plant("Users", &there);
    }
    world
}

#[tokio::test]
async fn a_filter_that_is_overlooked_or_refused_finds_nobody_else() {
    for quirks in [
        Quirks { ignores_filters: true, ..Quirks::default() },
        Quirks { refuses_filters: true, ..Quirks::default() },
        Quirks { ignores_filters: true, most_on_page: Some(7), ..Quirks::default() },
    ] {
        let world = crowd(quirks, 250, TargetProfile::generic());
        let made = world.mirrored(&alice(), &wanted(&alice())).await;
        assert_eq!(world.sim.all("Users").len(), 251);
        let found = world.mirrored(&alice(), &wanted(&alice())).await;
        assert_eq!(found.remote.native, made.remote.native, "she is on the last page");
        assert_eq!(world.sim.all("Users").len(), 251);
        world.ask(&alice(), DesiredState::Absent { given: None }).await.unwrap();
        assert_eq!(world.sim.all("Users").len(), 250, "and nobody else goes");
    }
}

#[tokio::test]
async fn more_than_can_be_looked_through_is_an_error_and_nothing_is_made() {
    let quirks = Quirks { ignores_filters: true, most_on_page: Some(1), ..Quirks::default() };
    let world = crowd(quirks, 101, TargetProfile::generic());
    assert_eq!(world.refused(&alice(), &wanted(&alice())).await, TargetReason::FilterIgnored);
    let quirks =
        Quirks { ignores_filters: true, repeats_pages: true, most_on_page: Some(5), ..Quirks::default() };
    let world = crowd(quirks, 20, TargetProfile::generic());
    assert_eq!(world.refused(&alice(), &wanted(&alice())).await, TargetReason::ListingUnstable);
    assert!(world.sim.log().iter().all(|asked| asked.method == http::Method::GET));
}

#[tokio::test]
async fn a_web_page_is_never_a_no() {
    for (status, headers, body) in [
        (404, vec![("content-type", "text/html; charset=utf-8".to_owned())], "gone fishing"),
        (404, Vec::new(), "<!doctype html><title>maintenance</title>"),
        (200, Vec::new(), " \n<html>please sign in</html>"),
        (403, Vec::new(), "<html>blocked</html>"),
    ] {
        let world = plain();
        let known = world.mirrored(&alice(), &wanted(&alice())).await;
        world.sim.script(move |_, _| Some(Fault::Answer(status, headers.clone(), body)));
        for state in
            [DesiredState::Absent { given: None }, DesiredState::Mirrored(Box::new(known.wanted.clone()))]
        {
            let error = world.ask(&known.remote, state).await.unwrap_err();
            assert_eq!(reason(&error), TargetReason::NotScim, "{status}");
            assert_eq!(*error.kind(), jit_core::ErrorKind::Target(TargetFault::Unreachable));
        }
        let seen = world.target.observe(&known.remote).await;
        assert_eq!(reason(&seen.unwrap_err()), TargetReason::NotScim);
    }
}

#[tokio::test]
async fn each_answer_that_is_none_has_its_reason() {
    let list: fn(&str) -> String = |extra| format!(r#"{{"totalResults":1{extra}}}"#);
    for (status, body, expected) in [
        (200, "not json".to_owned(), TargetReason::AnswerMalformed),
        (200, "[]".to_owned(), TargetReason::AnswerMalformed),
        (200, String::new(), TargetReason::AnswerMalformed),
        (200, r#"{"Resources":[]}"#.to_owned(), TargetReason::AnswerMalformed),
        (200, list(""), TargetReason::AnswerMalformed),
        (200, list(r#","Resources":7"#), TargetReason::AnswerMalformed),
        (200, r#"{"totalResults":-1,"Resources":[]}"#.to_owned(), TargetReason::AnswerMalformed),
        (204, String::new(), TargetReason::AnswerMalformed),
        (302, String::new(), TargetReason::Redirected),
        (403, String::new(), TargetReason::Refused),
        (500, "<html>".to_owned(), TargetReason::ServerFailed),
        (408, String::new(), TargetReason::ServerFailed),
        (425, String::new(), TargetReason::ServerFailed),
        (404, String::new(), TargetReason::EndpointMissing),
    ] {
        let world = plain();
        let body: &'static str = Box::leak(body.into_boxed_str());
        world.sim.script(move |_, _| Some(Fault::Answer(status, Vec::new(), body)));
        assert_eq!(world.refused(&alice(), &wanted(&alice())).await, expected, "{status} {body}");
        assert_eq!(world.sim.log().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_refused() {
    let world = plain();
    let known = world.mirrored(&alice(), &wanted(&alice())).await;
    let other =
        json!({ "id": "another", "userName": "alice@example.com", "externalId": alice().marker.as_str() });
    let other: &'static str = Box::leak(other.to_string().into_boxed_str());
    world.sim.script(move |_, _| Some(Fault::Answer(200, Vec::new(), other)));
    for state in [DesiredState::Absent { given: None }, DesiredState::Disabled] {
        let error = world.ask(&known.remote, state).await.unwrap_err();
        assert_eq!(reason(&error), TargetReason::AnswerForeign);
    }
}

#[tokio::test]
async fn a_target_without_patch_is_put_to_and_learned_for_an_hour() {
    let world = world(TargetProfile::generic(), Quirks { lacks_patch: true, ..Quirks::default() });
    let mut known = world.mirrored(&alice(), &wanted(&alice())).await;
    world.sim.behave();
    for name in ["Alice A.", "Alice B."] {
        known.wanted.display_name = Some(name.to_owned());
        known = world.again(&known).await;
        assert_eq!(world.sim.one("Users")["displayName"], name);
    }
    assert_eq!(
        world.sim.lines(),
        ["GET Users/id", "PATCH Users/id", "PUT Users/id", "GET Users/id", "PUT Users/id"]
    );
    world.sim.quirks.lock().unwrap().lacks_patch = false;
    world.sim.clock.advance(TimeDelta::hours(1));
    world.sim.behave();
    known.wanted.display_name = Some("Alice C.".to_owned());
    world.again(&known).await;
    assert_eq!(world.sim.lines(), ["GET Users/id", "PATCH Users/id"]);
}

#[tokio::test]
async fn what_a_gateway_says_of_patch_is_not_learned() {
    for (status, headers, body) in [
        (405, vec![("content-type", "text/html; charset=utf-8".to_owned())], "<html>Not allowed</html>"),
        (501, Vec::new(), " <!doctype html>"),
    ] {
        let world = plain();
        let mut known = world.mirrored(&alice(), &wanted(&alice())).await;
        world.sim.script(move |_, asked| {
            let is_patch = asked.method == http::Method::PATCH;
            is_patch.then(|| Fault::Answer(status, headers.clone(), body))
        });
        known.wanted.display_name = Some("Alice A.".to_owned());
        assert_eq!(world.refused(&known.remote, &known.wanted).await, TargetReason::NotScim);
        assert!(world.sim.lines().iter().all(|line| !line.starts_with("PUT")), "{:?}", world.sim.lines());
        world.sim.behave();
        world.again(&known).await;
        assert_eq!(world.sim.lines(), ["GET Users/id", "PATCH Users/id"]);
    }
}

#[tokio::test]
async fn a_target_that_says_nothing_is_looked_at() {
    let world = world(TargetProfile::generic(), Quirks { says_nothing: true, ..Quirks::default() });
    let mut known = world.mirrored(&alice(), &wanted(&alice())).await;
    assert_eq!(known.remote.native.as_deref(), world.sim.one("Users")["id"].as_str());
    known.wanted.display_name = Some("Alice A.".to_owned());
    world.again(&known).await;
    assert_eq!(world.sim.one("Users")["displayName"], "Alice A.");
}

#[tokio::test]
async fn an_end_that_the_target_takes_and_does_not_make_is_no_end() {
    for says_nothing in [false, true] {
        let quirks = Quirks { overlooks_active: true, says_nothing, shows_groups: true, ..Quirks::default() };
        let world = world(with_groups_shown(), quirks);
        let mut known = world.mirrored(&alice(), &in_crew()).await;
        assert_eq!(world.sim.members("Crew").len(), 1);
        let error = world.ask(&known.remote, DesiredState::Disabled).await.unwrap_err();
        assert_eq!(reason(&error), TargetReason::UseUnchanged);
        assert!(world.sim.members("Crew").is_empty(), "what she can do ends all the same");
        known.wanted.active = false;
        assert_eq!(world.refused(&known.remote, &known.wanted).await, TargetReason::UseUnchanged);
        known.wanted.display_name = Some("Alice A.".to_owned());
        assert_eq!(world.refused(&known.remote, &known.wanted).await, TargetReason::UseUnchanged);
        assert_eq!(
            world.target.observe(&known.remote).await.unwrap(),
            Observed::Ours { native: known.remote.native.clone().unwrap(), enabled: true }
        );
    }
}

#[tokio::test]
async fn who_has_to_accept_an_invitation_first_has_their_groups_already() {
    for says_nothing in [false, true] {
        let world =
            world(with_groups_shown(), Quirks { says_nothing, shows_groups: true, ..Quirks::default() });
        let known = world.mirrored(&alice(), &in_crew()).await;
        world.ask(&known.remote, DesiredState::Disabled).await.unwrap();
        assert!(world.sim.members("Crew").is_empty());
        world.sim.quirks.lock().unwrap().overlooks_active = true;
        world.again(&known).await;
        assert_eq!(world.sim.one("Users")["active"], false, "until she accepts");
        assert_eq!(world.sim.members("Crew"), [known.remote.native.unwrap()]);
    }
}

#[tokio::test]
async fn a_target_that_writes_names_its_own_way_is_not_argued_with() {
    let world = world(TargetProfile::generic(), Quirks { lowers_names: true, ..Quirks::default() });
    let remote = crate::world::person("Alice@Example.com");
    let known = world.mirrored(&remote, &wanted(&remote)).await;
    world.sim.behave();
    let mut anew = known.clone();
    anew.wanted.confirmed = None;
    world.again(&anew).await;
    assert_eq!(world.sim.lines(), ["GET Users/id"]);
}

#[tokio::test]
async fn a_target_that_hides_who_is_out_of_use_is_believed() {
    let quirks = Quirks { hides_inactive: true, deactivates: true, ..Quirks::default() };
    let world = world(TargetProfile::atlassian(), quirks);
    let mut known = world.mirrored(&alice(), &wanted(&alice())).await;
    known.wanted.active = false;
    let known = world.again(&known).await;
    let known = world.again(&known).await;
    assert_eq!(world.target.observe(&known.remote).await.unwrap(), Observed::Missing);
    let gone = world.ask(&known.remote, DesiredState::Absent { given: None }).await.unwrap();
    assert_eq!(gone, jit_core::Effect::Absent { was_there: false });
    let mut back = known.clone();
    back.wanted.active = true;
    assert_eq!(
        world.refused(&back.remote, &back.wanted).await,
        TargetReason::TakenUnseen,
        "somebody has to look"
    );
    assert_eq!(world.sim.all("Users").len(), 1);
}

#[tokio::test]
async fn where_one_value_is_all_one_value_is_sent() {
    let world = world(TargetProfile::aws(), Quirks::default());
    let mut known = world.mirrored(&alice(), &wanted(&alice())).await;
    known.wanted.email = Some("alice@new.example".to_owned());
    world.again(&known).await;
    let emails = world.sim.one("Users")["emails"].clone();
    assert_eq!(emails, json!([{ "value": "alice@new.example", "type": "work", "primary": true }]));
}

#[tokio::test]
async fn an_id_cannot_lead_elsewhere() {
    let world = plain();
    for id in ["../Groups/g-1", "a?b=c", ".."] {
        let remote = jit_core::RemoteRef { native: Some(id.to_owned()), ..alice() };
        let _any = world.target.observe(&remote).await;
    }
    let paths: Vec<_> = world.sim.log().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["Users/..%2FGroups%2Fg-1", "Users/a%3Fb%3Dc"]);
}

#[tokio::test]
async fn what_has_no_place_in_an_account_is_refused_before_anything_is_asked() {
    let world = world(changed(|_| {}), Quirks::default());
    for path in ["password", "id", "groups", "meta", "active", "not a path", "userName"] {
        let mut more = wanted(&alice());
        more.attributes.insert(path.to_owned(), vec!["x".to_owned()]);
        assert_eq!(world.refused(&alice(), &more).await, TargetReason::ProfileInvalid, "{path}");
    }
    assert!(world.sim.log().is_empty());
}
