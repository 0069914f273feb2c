//! What is known of a provider changes or runs out while sessions are open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jit_core::{ErrorClass, ManualClock};
use jit_saml::crypto::AwsLc;
use jit_saml::idp::{FixedIdps, IdpSource, IdpSourceError, TrustedIdp};
use jit_saml::metadata::{Fetch, FetchFailure, FetchRequest, Fetched, MetadataPolicy, MetadataSource};

use crate::begun_here::begun;
use crate::keys;
use crate::public::public;
use crate::world::{IDP, Message, World, now};

/// Knows a provider by a key that it has given up, until somebody asks for newer knowledge.
struct Rolling {
    present: FixedIdps,
    has_news: bool,
    looked: AtomicUsize,
}

#[async_trait]
impl IdpSource for Rolling {
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
        let known = self.present.idp(entity_id).await?;
        let former = |known: Arc<TrustedIdp>| {
            let keys = vec![public(&keys::elliptic())];
            Arc::new(TrustedIdp::new(entity_id, keys).with_logout(known.logout().to_vec()))
        };
        Ok(known.map(former))
    }

    async fn renewed(&self, seen: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        if self.has_news { self.present.idp(seen.entity_id()).await } else { Ok(None) }
    }
}

fn rolling(has_news: bool) -> (World, Arc<Rolling>) {
    let mut source = None;
    let world = World::asking(|present| {
        let rolling = Arc::new(Rolling { present, has_news, looked: AtomicUsize::new(0) });
        source = Some(Arc::clone(&rolling));
        rolling
    });
    (world, source.unwrap())
}

#[tokio::test]
async fn a_message_that_a_new_key_signed_is_accepted_once_the_source_knows_the_key() {
    let (world, source) = rolling(true);
    assert_eq!(
        world.refused(Message::request().set("ID", "_redirect").redirect(&world.key)).await,
        "accepted"
    );
    assert_eq!(world.refused(Message::request().post(&world.key)).await, "accepted");
    let answer = Message::response(&begun(&world, None).await);
    assert_eq!(world.refused(answer.redirect(&world.key)).await, "accepted");
    assert_eq!(source.looked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_source_is_asked_again_for_a_key_that_does_not_fit_and_for_nothing_else() {
    let (world, source) = rolling(false);
    assert_eq!(world.refused(Message::request().redirect(&world.key)).await, "saml.key_mismatch");
    assert_eq!(source.looked.load(Ordering::SeqCst), 1);
    assert_eq!(world.refused_query(&Message::request().query(None, None)).await, "saml.logout_unsigned");
    assert_eq!(source.looked.load(Ordering::SeqCst), 1);
}

/// Has no answer, because its metadata cannot be had.
struct Silent;

#[async_trait]
impl Fetch for Silent {
    async fn fetch(&self, _: FetchRequest<'_>) -> Result<Fetched, FetchFailure> {
        Err(FetchFailure::new("no answer"))
    }
}

#[tokio::test]
async fn what_cannot_be_known_of_a_provider_is_no_fault_of_the_store() {
    let world = World::asking(|_| {
        let policy = MetadataPolicy::signed_by(vec![public(&keys::elliptic())]);
        let (url, clock) = ("https://federation.example.org/", Arc::new(ManualClock::at(now())));
        Arc::new(MetadataSource::from_url(url, policy, Arc::new(Silent), clock, Arc::new(AwsLc)).unwrap())
    });
    let error = world.receive(Message::request().redirect(&world.key)).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.class()), ("saml.metadata_unavailable", ErrorClass::Transient));
    let world = World::asking(|_| {
        let expired = TrustedIdp::new(IDP, vec![public(&keys::elliptic())]).valid_until(Some(now()));
        Arc::new(FixedIdps::one(expired))
    });
    let error = world.receive(Message::request().redirect(&world.key)).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.class()), ("saml.idp_expired", ErrorClass::Transient));
}
