//! The key cache against a server that counts: storms, forgeries, rotations, outages.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use jit_core::{Clock, ManualClock};
use jit_oidc::algorithm::AlgorithmSet;
use jit_oidc::http::HttpErrorKind;
use jit_oidc::jwks_cache::{Channel, JwksCache};
use jit_oidc::{Engine, GuardedHttp, Http};
use serde_json::{Value, json};

use crate::server::{Answer, Server, client};
use crate::signer::Signer;
use crate::world::{WORLD, now};

const SLOW: Duration = Duration::from_millis(50);

struct Provider {
    server: Server,
    uri: String,
    answer: Arc<Mutex<Answer>>,
    clock: Arc<ManualClock>,
    cache: Arc<JwksCache>,
}

impl Provider {
    async fn start(delay: Duration) -> Self {
        let answer = Arc::new(Mutex::new(Answer::json(&jwks(&[&WORLD.ed]))));
        let given = Arc::clone(&answer);
        let server = Server::start(delay, move |_| given.lock().unwrap().clone()).await;
        let clock = Arc::new(ManualClock::at(now()));
        let ticking: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let cache = JwksCache::new(Arc::new(client()), ticking, Engine::aws_lc(), AlgorithmSet::default());
        let uri = format!("{}/jwks", server.address);
        Self { server, uri, answer, clock, cache: Arc::new(cache) }
    }

    fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Looks for a key as a verification does: in what is there, then in what may be fetched.
    async fn finds(&self, channel: Channel, kid: &str) -> bool {
        let seen = self.cache.keys(&self.uri).await.unwrap();
        if seen.set().has(kid) {
            return true;
        }
        let newer = self.cache.newer(&self.uri, &seen, channel, Some(kid)).await.unwrap();
        newer.is_some_and(|keys| keys.set().has(kid))
    }

    /// Runs many look-ups at once.
    async fn storm(&self, count: usize, channel: Channel, kid: impl Fn(usize) -> String) -> Vec<bool> {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..count {
            let (cache, uri, kid) = (Arc::clone(&self.cache), self.uri.clone(), kid(number));
            tasks.spawn(async move {
                let seen = cache.keys(&uri).await.unwrap();
                let newer = cache.newer(&uri, &seen, channel, Some(&kid));
                seen.set().has(&kid) || newer.await.unwrap().is_some_and(|keys| keys.set().has(&kid))
            });
        }
        tasks.join_all().await
    }
}

fn jwks(signers: &[&Signer]) -> Value {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_cold_callers_fetch_once() {
    let provider = Provider::start(SLOW).await;
    let found = provider.storm(200, Channel::Untrusted, |_| "EdDSA".to_owned()).await;
    assert!(found.into_iter().all(|found| found));
    assert_eq!(provider.server.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_forged_names_fetch_four_times_and_a_rotation_still_shows_at_once() {
    let provider = Provider::start(SLOW).await;
    for burst in 0..5 {
        let found =
            provider.storm(100, Channel::Untrusted, |number| format!("forged-{burst}-{number}")).await;
        assert!(found.into_iter().all(|found| !found));
    }
    assert!(provider.server.asked() <= 4, "{} fetches", provider.server.asked());
    provider.answers(Answer::json(&jwks(&[&WORLD.es])));
    assert!(provider.finds(Channel::Trusted, "ES256").await, "the login path waits for nothing");
}

#[tokio::test]
async fn a_rotation_shows_on_the_untrusted_channel_too_while_its_budget_lasts() {
    let provider = Provider::start(Duration::ZERO).await;
    assert!(provider.finds(Channel::Untrusted, "EdDSA").await);
    provider.answers(Answer::json(&jwks(&[&WORLD.es])));
    assert!(provider.finds(Channel::Untrusted, "ES256").await);
    assert!(!provider.finds(Channel::Untrusted, "EdDSA").await, "a key that was withdrawn is gone");
}

#[tokio::test]
async fn one_forged_name_again_and_again_is_looked_for_once() {
    let provider = Provider::start(Duration::ZERO).await;
    for _ in 0..50 {
        assert!(!provider.finds(Channel::Untrusted, "forged").await);
    }
    assert_eq!(provider.server.asked(), 2);
    provider.clock.advance(TimeDelta::seconds(31));
    assert!(!provider.finds(Channel::Untrusted, "forged").await);
    assert_eq!(provider.server.asked(), 3);
}

#[tokio::test]
async fn trusted_refreshes_are_bounded_in_the_long_run() {
    let provider = Provider::start(Duration::ZERO).await;
    for number in 0..100 {
        assert!(!provider.finds(Channel::Trusted, &format!("unknown-{number}")).await);
    }
    assert_eq!(provider.server.asked(), 4);
    provider.clock.advance(TimeDelta::seconds(1));
    assert!(!provider.finds(Channel::Trusted, "unknown").await);
    assert_eq!(provider.server.asked(), 5);
}

#[tokio::test]
async fn keys_are_kept_as_long_as_the_provider_says() {
    let provider = Provider::start(Duration::ZERO).await;
    let mut answer = Answer::json(&jwks(&[&WORLD.ed]));
    answer.headers.push(("cache-control", "public, max-age=600".to_owned()));
    provider.answers(answer);
    provider.cache.keys(&provider.uri).await.unwrap();
    provider.clock.advance(TimeDelta::seconds(599));
    provider.cache.keys(&provider.uri).await.unwrap();
    assert_eq!(provider.server.asked(), 1);
    provider.clock.advance(TimeDelta::seconds(1));
    provider.cache.keys(&provider.uri).await.unwrap();
    assert_eq!(provider.server.asked(), 2);
}

#[tokio::test]
async fn an_outage_is_bridged_for_a_day_and_then_closes() {
    let provider = Provider::start(Duration::ZERO).await;
    provider.cache.keys(&provider.uri).await.unwrap();
    provider.answers(Answer::status(503));
    provider.clock.advance(TimeDelta::hours(2));
    for _ in 0..100 {
        assert!(provider.cache.keys(&provider.uri).await.unwrap().set().has("EdDSA"));
    }
    assert_eq!(provider.server.asked(), 2, "a failing provider is not asked by every caller");
    provider.clock.advance(TimeDelta::hours(23));
    assert_eq!(provider.cache.keys(&provider.uri).await.unwrap_err().code(), "oidc.http_status");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_cache_and_a_failing_provider_do_not_make_a_queue() {
    let provider = Provider::start(SLOW).await;
    provider.answers(Answer::status(500));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (cache, uri) = (Arc::clone(&provider.cache), provider.uri.clone());
        tasks.spawn(async move { cache.keys(&uri).await.map_err(|error| error.class()) });
    }
    for answer in tasks.join_all().await {
        assert_eq!(answer.unwrap_err(), jit_core::ErrorClass::Transient);
    }
    assert_eq!(provider.server.asked(), 1);
}

#[tokio::test]
async fn a_caller_who_gives_up_leaves_the_way_free() {
    let provider = Provider::start(SLOW).await;
    let given_up = tokio::time::timeout(Duration::from_millis(5), provider.cache.keys(&provider.uri)).await;
    assert!(given_up.is_err());
    assert!(provider.cache.keys(&provider.uri).await.is_ok());
}

#[tokio::test]
async fn documents_of_another_kind_are_refused() {
    let provider = Provider::start(Duration::ZERO).await;
    let mut html = Answer::json(&"{\"keys\":[]}");
    html.headers = vec![("content-type", "text/html".to_owned())];
    provider.answers(html);
    assert_eq!(provider.cache.keys(&provider.uri).await.unwrap_err().code(), "oidc.content_type");
}

async fn kind(http: &GuardedHttp, uri: &str, max_body: usize) -> Result<u16, HttpErrorKind> {
    let request = http::Request::get(uri).body(bytes::Bytes::new()).unwrap();
    http.send(request, max_body).await.map(|answer| answer.status().as_u16()).map_err(|error| error.kind())
}

#[tokio::test]
async fn the_client_guards_addresses_sizes_and_redirects() {
    let server = Server::start(Duration::ZERO, |asked| match asked.path.as_str() {
        "/redirect" => Answer {
            headers: vec![("location", "http://127.0.0.1/elsewhere".to_owned())],
            ..Answer::status(302)
        },
        _ => Answer { body: vec![b'x'; 100_000], ..Answer::status(200) },
    })
    .await;
    let open = client();
    assert_eq!(kind(&open, &server.address, 100_000).await, Ok(200));
    assert_eq!(kind(&open, &server.address, 99_999).await, Err(HttpErrorKind::TooLarge));
    assert_eq!(kind(&open, &format!("{}/redirect", server.address), 1000).await, Ok(302));
    assert_eq!(kind(&open, "http://example.com/", 1000).await, Err(HttpErrorKind::SchemeRefused));
    assert_eq!(kind(&open, "https://10.0.0.1/", 1000).await, Err(HttpErrorKind::AddressRefused));
    assert_eq!(server.asked(), 3);
}
