//! A target that has had enough, in every way it says so. Time moves only where the client waits.

use chrono::TimeDelta;
use http::Method;
use jit_core::{Retry, TargetFault};
use jit_scim::client::{RequestRate, TargetProfile, TargetReason};

use crate::life::changed;
use crate::sim::{Fault, Quirks};
use crate::world::{World, alice, person, plain, reason, wanted, world};

/// The first request of this method is answered so, all later ones as usual.
fn once(world: &World, method: &'static Method, status: u16, headers: &[(&'static str, &str)]) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let mut is_due = true;
    world.sim.script(move |_, asked| {
        let hits = is_due && asked.method == method;
        is_due &= !hits;
        hits.then(|| Fault::Answer(status, headers.clone(), "<html>slow down</html>"))
    });
}

#[tokio::test]
async fn a_short_pause_is_waited_for_whatever_its_form() {
    // the simulation begins at 1,800,000,000 seconds: Fri, 15 Jan 2027 08:00:00 GMT
    for (status, headers, seconds) in [
        (429, &[("retry-after", "3")] as &[_], 3),
        (429, &[("retry-after", "Fri, 15 Jan 2027 08:00:04 GMT")], 4),
        (429, &[("retry-after", "Friday, 15-Jan-27 08:00:04 GMT")], 4),
        (
            429,
            &[("retry-after", "Fri, 01 Jan 2100 00:00:05 GMT"), ("date", "Fri, 01 Jan 2100 00:00:00 GMT")],
            5,
        ),
        (429, &[], 2),
        (429, &[("retry-after", "soon")], 2),
        (403, &[("retry-after", "3")], 3),
    ] {
        for method in [&Method::GET, &Method::POST] {
            let world = plain();
            once(&world, method, status, headers);
            world.mirrored(&alice(), &wanted(&alice())).await;
            assert_eq!(world.sim.waited(), [seconds * 1000], "{status} {headers:?}");
            assert_eq!(world.sim.log().len(), 3, "that one request was made once more");
        }
    }
}

#[tokio::test]
async fn a_limit_is_known_by_what_is_left_of_it() {
    // the simulation begins at 1,800,000,000 seconds
    for (status, headers, seconds) in [
        (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000004")] as &[_], 4),
        (403, &[("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", "1800000005")], 5),
        (403, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "6")], 6),
        (
            403,
            &[("x-ratelimit-remaining", "0"), ("retry-after", "3"), ("x-ratelimit-reset", "1800003600")],
            3,
        ),
        (403, &[("x-ratelimit-remaining", "0")], 2),
        (429, &[("x-ratelimit-reset", "2027-01-15T08:00:07Z")], 7),
        (429, &[("x-ratelimit-reset", "never")], 2),
        // there is some left: the reset is that of another limit
        (429, &[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "1800003600")], 2),
    ] {
        let world = plain();
        once(&world, &Method::POST, status, headers);
        world.mirrored(&alice(), &wanted(&alice())).await;
        assert_eq!(world.sim.waited(), [seconds * 1000], "{status} {headers:?}");
    }
    let world = plain();
    once(&world, &Method::GET, 403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1900000000")]);
    let error = world.mirror(&alice(), &wanted(&alice())).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(TimeDelta::hours(1)), "no target is left alone for years");
    let world = plain();
    once(&world, &Method::POST, 403, &[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "1800000004")]);
    assert_eq!(
        world.refused(&alice(), &wanted(&alice())).await,
        TargetReason::NotScim,
        "a refusal like any other"
    );
}

#[tokio::test]
async fn of_503_it_is_not_known_whether_it_had_its_effect() {
    let world = plain();
    once(&world, &Method::GET, 503, &[("retry-after", "3")]);
    world.mirrored(&alice(), &wanted(&alice())).await;
    assert_eq!(world.sim.waited(), [3000], "to look twice does no harm");
    let world = plain();
    once(&world, &Method::POST, 503, &[("retry-after", "3")]);
    let error = world.mirror(&alice(), &wanted(&alice())).await.unwrap_err();
    assert_eq!(
        (reason(&error), error.retry()),
        (TargetReason::Throttled, Retry::After(TimeDelta::seconds(3)))
    );
}

#[tokio::test]
async fn a_long_pause_is_told_to_whoever_asks_and_kept() {
    let world = plain();
    once(&world, &Method::GET, 429, &[("retry-after", "600")]);
    let error = world.mirror(&alice(), &wanted(&alice())).await.unwrap_err();
    assert_eq!(*error.kind(), jit_core::ErrorKind::Target(TargetFault::Limit));
    assert_eq!(error.retry(), Retry::After(TimeDelta::seconds(600)));
    world.sim.behave();
    world.sim.clock.advance(TimeDelta::seconds(400));
    let error = world.mirror(&person("bob"), &wanted(&person("bob"))).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(TimeDelta::seconds(200)), "it holds for everybody");
    assert!(world.sim.log().is_empty() && world.sim.waited().is_empty(), "the target is left alone");
    world.sim.clock.advance(TimeDelta::seconds(200));
    world.mirrored(&alice(), &wanted(&alice())).await;
}

#[tokio::test]
async fn of_two_pauses_the_longer_one_is_kept() {
    // the first two requests are under way together
    for (first, second) in [(Some("600"), None), (None, Some("600"))] {
        let world = plain();
        world.sim.script(move |number, _| {
            let pause = match number {
                1 => first,
                2 => second,
                _ => return None,
            };
            let headers = pause.map(|pause| ("retry-after", pause.to_owned()));
            Some(Fault::Answer(429, headers.into_iter().collect(), ""))
        });
        let (alice, bob) = (alice(), person("bob"));
        let (alices, bobs) = (wanted(&alice), wanted(&bob));
        let (one, other) = tokio::join!(world.mirror(&alice, &alices), world.mirror(&bob, &bobs));
        for outcome in [one, other] {
            let Retry::After(span) = outcome.unwrap_err().retry() else { panic!("not put off") };
            assert!((590..=600).contains(&span.num_seconds()), "{span}");
        }
        assert_eq!(world.sim.log().len(), 2, "it is left alone");
        world.sim.clock.advance(TimeDelta::seconds(500));
        let error = world.mirror(&alice, &alices).await.unwrap_err();
        assert!(matches!(error.retry(), Retry::After(span) if span > TimeDelta::seconds(80)), "{error:?}");
        assert_eq!(world.sim.log().len(), 2, "until the pause is over");
    }
}

#[tokio::test]
async fn a_pause_does_not_outlast_a_clock_that_is_set_back() {
    let world = plain();
    once(&world, &Method::GET, 429, &[("retry-after", "600")]);
    world.mirror(&alice(), &wanted(&alice())).await.unwrap_err();
    world.sim.clock.advance(TimeDelta::days(-1));
    world.mirrored(&alice(), &wanted(&alice())).await;
}

#[tokio::test]
async fn a_target_that_never_has_time_is_asked_seldom() {
    let world = plain();
    world.sim.script(|_, _| Some(Fault::Answer(429, Vec::new(), "")));
    for (asked, pause) in [(3, 8), (1, 16), (1, 32), (1, 64)] {
        let before = world.sim.log().len();
        let error = world.mirror(&alice(), &wanted(&alice())).await.unwrap_err();
        let Retry::After(span) = error.retry() else { panic!("{error:?}") };
        assert_eq!((world.sim.log().len() - before, span.num_seconds()), (asked, pause));
        world.sim.clock.advance(span);
    }
    assert_eq!(world.sim.waited(), [2000, 4000]);
}

#[tokio::test]
async fn the_rate_of_the_profile_is_kept() {
    let rate = RequestRate { requests: 60, seconds: 60, burst: 1 };
    let profile = |profile: &mut TargetProfile| (profile.reads, profile.writes) = (Some(rate), Some(rate));
    let world = world(changed(profile), Quirks::default());
    for name in ["alice", "bob", "carol"] {
        world.mirrored(&person(name), &wanted(&person(name))).await;
    }
    assert_eq!(world.sim.waited(), [1000, 1000], "a look and a creation each second");
}

#[tokio::test]
async fn what_would_wait_too_long_is_put_off() {
    let rate = RequestRate { requests: 1, seconds: 60, burst: 1 };
    let world = world(changed(|profile| profile.writes = Some(rate)), Quirks::default());
    world.mirrored(&alice(), &wanted(&alice())).await;
    let error = world.mirror(&person("bob"), &wanted(&person("bob"))).await.unwrap_err();
    assert_eq!((reason(&error), error.retry()), (TargetReason::Paced, Retry::After(TimeDelta::seconds(60))));
}

#[tokio::test]
async fn a_call_comes_to_an_end() {
    let world = plain();
    let clock = world.sim.clock.clone();
    world.sim.script(move |_, _| {
        clock.advance(TimeDelta::seconds(61));
        None
    });
    assert_eq!(world.refused(&alice(), &wanted(&alice())).await, TargetReason::OutOfTime);
    assert_eq!(world.sim.lines(), ["GET Users"]);
}

#[tokio::test]
async fn a_token_that_is_refused_is_an_error_of_its_own() {
    let world = plain();
    once(&world, &Method::GET, 401, &[]);
    let error = world.mirror(&alice(), &wanted(&alice())).await.unwrap_err();
    assert_eq!(*error.kind(), jit_core::ErrorKind::Target(TargetFault::Credentials));
    assert_eq!(world.sim.log().len(), 1, "the same token is not tried again");
}
