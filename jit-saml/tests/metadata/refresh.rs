//! Metadata that comes over the network.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Clock as _, ManualClock};
use jit_saml::crypto::AwsLc;
use jit_saml::idp::{IdpSource as _, SignatureDemand};
use jit_saml::metadata::{Fetch, FetchFailure, FetchRequest, Fetched, MetadataPolicy, MetadataSource};
use jit_saml::signature::{SigningKey, VerificationKey};
use tokio::sync::Notify;

use crate::document::{ENTITY, Idp, now, signed, written};
use crate::keys;
use crate::public::public;

const URL: &str = "https://federation.example.org/metadata.xml";

/// A server that answers what tests tell it to.
#[derive(Default)]
struct Server {
    answers: Mutex<VecDeque<Option<Fetched>>>,
    asked: AtomicUsize,
    validators: Mutex<Vec<Option<String>>>,
    /// Where set, answers wait for it.
    gate: Option<Notify>,
}

#[async_trait]
impl Fetch for Server {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchFailure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.validators.lock().unwrap().push(request.validator.map(str::to_owned));
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        assert_eq!(request.url, URL);
        let answer = self.answers.lock().unwrap().pop_front().flatten();
        answer.ok_or_else(|| FetchFailure::new("no answer"))
    }
}

impl Server {
    fn tell(&self, answer: Option<Fetched>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A federation with its source.
struct Federation {
    publisher: SigningKey,
    clock: Arc<ManualClock>,
    server: Arc<Server>,
    source: Arc<MetadataSource>,
}

impl Federation {
    fn new(server: Server) -> Self {
        let publisher = keys::elliptic();
        let policy = MetadataPolicy::signed_by(vec![public(&publisher)]);
        let (clock, server) = (Arc::new(ManualClock::at(now())), Arc::new(server));
        let source = MetadataSource::from_url(URL, policy, server.clone(), clock.clone(), Arc::new(AwsLc));
        Self { publisher, clock, server, source: Arc::new(source.unwrap()) }
    }

    /// Publishes a provider with a key, for so many hours from the beginning of time.
    fn document(&self, key: &SigningKey, hours: i64, more: &str, published: i64) -> Fetched {
        let end = written(now() + TimeDelta::hours(hours));
        let attributes = format!("ID=\"_root\" validUntil=\"{end}\" {more}");
        let instant = written(now() + TimeDelta::hours(published));
        let entity_extensions = format!(
            "<mdrpi:PublicationInfo publisher=\"https://federation.example.org\" creationInstant=\"{instant}\"/>"
        );
        let idp = Idp { attributes, entity_extensions, ..Idp::new(&[key]) };
        let octets = signed(&idp.xml(), &self.publisher).into_bytes();
        Fetched::Document { octets, validator: Some(format!("\"{published}\"")) }
    }

    async fn keys(&self) -> Option<Vec<VerificationKey>> {
        self.source.trusted(ENTITY).await.ok().map(|idp| idp.keys().to_vec())
    }

    fn wait(&self, span: TimeDelta) {
        self.clock.advance(span);
    }
}

#[tokio::test]
async fn a_document_is_fetched_when_needed_and_again_when_it_is_old() {
    let federation = Federation::new(Server::default());
    let (first, second) = (keys::elliptic(), keys::elliptic());
    federation.server.tell(Some(federation.document(&first, 48, "cacheDuration=\"PT2H\"", 0)));
    assert_eq!(federation.server.asked(), 0);
    for _ in 0..5 {
        assert_eq!(federation.keys().await, Some(vec![public(&first)]));
    }
    assert_eq!(federation.server.asked(), 1);
    federation.wait(TimeDelta::minutes(119));
    assert!(federation.keys().await.is_some());
    assert_eq!(federation.server.asked(), 1);
    federation.wait(TimeDelta::minutes(1));
    federation.server.tell(Some(federation.document(&second, 48, "", 2)));
    assert_eq!(federation.keys().await, Some(vec![public(&second)]));
    assert_eq!(federation.server.asked(), 2);
    assert_eq!(*federation.server.validators.lock().unwrap(), [None, Some("\"0\"".to_owned())]);
    assert_eq!(federation.source.status().generation, 2);
}

#[tokio::test]
async fn an_unchanged_document_stays_and_is_not_read_again() {
    let federation = Federation::new(Server::default());
    let key = keys::elliptic();
    federation.server.tell(Some(federation.document(&key, 48, "", 0)));
    let before = federation.source.trusted(ENTITY).await.unwrap();
    federation.wait(TimeDelta::hours(1));
    federation.server.tell(Some(Fetched::Unchanged));
    let after = federation.source.trusted(ENTITY).await.unwrap();
    assert!(Arc::ptr_eq(&before, &after));
    assert_eq!(federation.server.asked(), 2);
    federation.wait(TimeDelta::minutes(59));
    assert!(federation.keys().await.is_some());
    assert_eq!(federation.server.asked(), 2);
}

#[tokio::test]
async fn what_was_good_stays_good_until_its_end_whatever_the_network_does() {
    let federation = Federation::new(Server::default());
    let key = keys::elliptic();
    federation.server.tell(Some(federation.document(&key, 24, "", 0)));
    assert!(federation.keys().await.is_some());
    let forged = Idp { attributes: "ID=\"_root\"".into(), ..Idp::new(&[&keys::elliptic()]) };
    for hour in 1..24 {
        federation.wait(TimeDelta::hours(1));
        let forged = || signed(&forged.xml(), &keys::elliptic()).into_bytes();
        federation
            .server
            .tell((hour % 2 == 0).then(|| Fetched::Document { octets: forged(), validator: None }));
        assert_eq!(federation.keys().await, Some(vec![public(&key)]), "hour {hour}");
        assert!(federation.source.status().failure.is_some());
    }
    federation.wait(TimeDelta::minutes(63));
    assert_eq!(federation.keys().await, None);
    let over = federation.source.idp(ENTITY).await.unwrap().unwrap();
    assert!(!over.holds_at(federation.clock.now()));
    federation.wait(TimeDelta::hours(1));
    federation.server.tell(Some(federation.document(&key, 48, "", 25)));
    assert!(federation.keys().await.is_some());
    assert_eq!(federation.source.status().failure, None);
}

#[tokio::test]
async fn failures_are_followed_by_longer_and_longer_pauses() {
    let federation = Federation::new(Server::default());
    for (seconds, asked) in [(0, 1), (29, 1), (1, 2), (59, 2), (1, 3), (119, 3), (1, 4)] {
        federation.wait(TimeDelta::seconds(seconds));
        for _ in 0..10 {
            assert!(federation.keys().await.is_none());
        }
        assert_eq!(federation.server.asked(), asked);
    }
    for _ in 0..20 {
        federation.wait(TimeDelta::minutes(30));
        assert!(federation.keys().await.is_none());
    }
    assert_eq!(federation.server.asked(), 24);
}

#[tokio::test]
async fn one_fetches_for_all() {
    let federation = Federation::new(Server { gate: Some(Notify::new()), ..Server::default() });
    let key = keys::elliptic();
    federation.server.tell(Some(federation.document(&key, 48, "", 0)));
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let source = Arc::clone(&federation.source);
            tokio::spawn(async move { source.trusted(ENTITY).await.is_ok() })
        })
        .collect();
    federation.server.gate.as_ref().unwrap().notify_one();
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    assert_eq!(federation.server.asked(), 1);

    // while one refreshes, the others are served at once
    federation.wait(TimeDelta::hours(2));
    let source = Arc::clone(&federation.source);
    let slow = tokio::spawn(async move { source.trusted(ENTITY).await.is_ok() });
    while federation.server.asked() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(federation.keys().await.is_some());
    federation.server.tell(Some(Fetched::Unchanged));
    federation.server.gate.as_ref().unwrap().notify_one();
    assert!(slow.await.unwrap());
    assert_eq!(federation.server.asked(), 2);
}

#[tokio::test]
async fn an_older_document_never_brings_a_withdrawn_key_back() {
    let federation = Federation::new(Server::default());
    let (withdrawn, present) = (keys::elliptic(), keys::elliptic());
    let old = federation.document(&withdrawn, 48, "", 0);
    federation.server.tell(Some(federation.document(&present, 48, "", 3)));
    assert!(federation.keys().await.is_some());
    federation.wait(TimeDelta::hours(2));
    federation.server.tell(Some(old));
    assert_eq!(federation.keys().await, Some(vec![public(&present)]));
    assert_eq!(federation.source.status().failure.unwrap().as_str(), "saml.metadata_older");
}

#[tokio::test]
async fn a_new_key_is_looked_for_at_once_but_not_at_every_forgery() {
    let federation = Federation::new(Server::default());
    let (old, new) = (keys::elliptic(), keys::elliptic());
    federation.server.tell(Some(federation.document(&old, 48, "", 0)));
    assert!(federation.keys().await.is_some());
    let seen = federation.source.status().generation;
    assert!(!federation.source.renew(seen).await.unwrap());
    assert_eq!(federation.server.asked(), 1);
    federation.wait(TimeDelta::minutes(2));
    federation.server.tell(Some(federation.document(&new, 48, "", 1)));
    assert!(federation.source.renew(seen).await.unwrap());
    assert_eq!(federation.keys().await, Some(vec![public(&new)]));
    for _ in 0..100 {
        assert!(federation.source.renew(seen).await.unwrap());
        assert!(!federation.source.renew(seen + 1).await.unwrap());
    }
    assert_eq!(federation.server.asked(), 2);
}

#[tokio::test]
async fn shortly_before_its_end_a_document_is_replaced_in_time() {
    let federation = Federation::new(Server::default());
    let key = keys::elliptic();
    federation.server.tell(Some(federation.document(&key, 1, "cacheDuration=\"P7D\"", 0)));
    assert!(federation.keys().await.is_some());
    assert_eq!(federation.source.status().next_refresh, Some(now() + TimeDelta::minutes(30)));
    federation.wait(TimeDelta::minutes(59));
    federation.server.tell(Some(federation.document(&key, 24, "", 1)));
    assert!(federation.keys().await.is_some());
    federation.wait(TimeDelta::minutes(2));
    assert!(federation.keys().await.is_some());
    assert_eq!(federation.server.asked(), 2);
}

#[tokio::test]
async fn the_network_is_believed_only_under_a_policy_for_it() {
    let source = |url: &str, policy| {
        let clock = Arc::new(ManualClock::at(now()));
        MetadataSource::from_url(url, policy, Arc::new(Server::default()), clock, Arc::new(AwsLc)).map(|_| ())
    };
    let signed = || MetadataPolicy::signed_by(vec![public(&keys::elliptic())]);
    let unsigned = || signed().dangerous().accept_unsigned();
    assert!(source("https://federation.example.org", signed()).is_ok());
    assert!(source("http://federation.example.org", signed()).is_ok());
    assert!(source("https://federation.example.org", unsigned()).is_ok());
    for (url, policy) in [
        ("http://federation.example.org", unsigned()),
        ("file:///etc/passwd", signed()),
        ("https://federation.example.org", MetadataPolicy::pinned()),
    ] {
        assert_eq!(source(url, policy).unwrap_err().code().as_str(), "saml.metadata_source");
    }
}

#[tokio::test]
async fn scopes_of_unsigned_metadata_are_not_believed() {
    let key = keys::elliptic();
    let role_extensions = "<shibmd:Scope regexp=\"false\">example.org</shibmd:Scope>".to_owned();
    let xml = Idp { role_extensions, ..Idp::new(&[&key]) }.xml();
    let scopes = async |policy| {
        let clock = Arc::new(ManualClock::at(now()));
        let source = MetadataSource::from_octets(xml.as_bytes(), policy, clock, Arc::new(AwsLc)).unwrap();
        source.trusted(ENTITY).await.unwrap().scopes().to_vec()
    };
    assert_eq!(scopes(MetadataPolicy::pinned()).await, ["example.org"]);
    let unsigned = MetadataPolicy::pinned().dangerous().accept_unsigned();
    assert!(scopes(unsigned).await.is_empty());
}

#[tokio::test]
async fn an_application_can_be_stricter_with_one_provider() {
    let xml = Idp::new(&[&keys::elliptic()]).xml();
    let clock = Arc::new(ManualClock::at(now()));
    let source =
        MetadataSource::from_octets(xml.as_bytes(), MetadataPolicy::pinned(), clock, Arc::new(AwsLc));
    let source = source.unwrap().adjusting(|idp| match idp.entity_id() {
        ENTITY => idp.demanding(SignatureDemand::Both),
        _ => idp,
    });
    assert_eq!(source.idp(ENTITY).await.unwrap().unwrap().demand(), SignatureDemand::Both);
}

#[tokio::test]
async fn a_file_that_is_over_stops_whoever_comes_and_not_the_application() {
    let xml = Idp::new(&[&keys::elliptic()]).xml();
    let over = xml.replacen(" entityID=", " validUntil=\"2001-01-01T00:00:00Z\" entityID=", 1);
    let clock = Arc::new(ManualClock::at(now()));
    let source =
        MetadataSource::from_octets(over.as_bytes(), MetadataPolicy::pinned(), clock, Arc::new(AwsLc))
            .unwrap();
    assert_eq!(source.trusted(ENTITY).await.unwrap_err().code().as_str(), "saml.metadata_expired");
}

#[tokio::test]
async fn a_provider_whose_scopes_are_all_left_out_may_assert_none() {
    let key = keys::elliptic();
    for (extensions, any) in [
        ("", true),
        ("<shibmd:Scope regexp=\"true\">^(.+\\.)?example\\.org$</shibmd:Scope>", false),
        ("<shibmd:Scope/>", false),
        ("<shibmd:Scope>example.org</shibmd:Scope>", false),
    ] {
        let xml = Idp { role_extensions: extensions.to_owned(), ..Idp::new(&[&key]) }.xml();
        let clock = Arc::new(ManualClock::at(now()));
        let source =
            MetadataSource::from_octets(xml.as_bytes(), MetadataPolicy::pinned(), clock, Arc::new(AwsLc));
        let source = source.unwrap().adjusting(jit_saml::TrustedIdp::asserting_any_scope);
        assert_eq!(source.trusted(ENTITY).await.unwrap().asserts_any_scope(), any, "{extensions}");
    }
}

#[tokio::test]
async fn a_file_may_have_to_end_soon() {
    let xml = Idp::new(&[&keys::elliptic()]).xml();
    let clock = now();
    let read = |end: DateTime<Utc>| {
        let end = end.format("%Y-%m-%dT%H:%M:%SZ");
        let xml = xml.replacen(" entityID=", &format!(" validUntil=\"{end}\" entityID="), 1);
        let policy = MetadataPolicy::pinned().valid_at_most(TimeDelta::days(30));
        let source = MetadataSource::from_octets(
            xml.as_bytes(),
            policy,
            Arc::new(ManualClock::at(clock)),
            Arc::new(AwsLc),
        );
        source.map(drop).map_err(|error| error.code().to_string())
    };
    assert_eq!(read(clock + TimeDelta::days(1)), Ok(()));
    assert_eq!(read(clock + TimeDelta::days(40)), Err("saml.metadata_end_too_far".to_owned()));
}
