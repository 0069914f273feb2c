//! What is known of a provider changes, runs out or cannot be had while people sign in.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use crate::site::{Site, begin, code};
use crate::support::{IDP, key, new_key, trusted, verification_key};
use chrono::TimeDelta;
use jit_core::ErrorClass;
use jit_saml::crypto::AwsLc;
use jit_saml::idp::{IdpSource, IdpSourceError};
use jit_saml::metadata::{Fetch, FetchFailure, FetchRequest, Fetched, MetadataPolicy, MetadataSource};
use jit_saml::{Begin, TrustedIdp, base64_text};

/// A provider that changes its keys: the new ones are known once the source looks again.
struct Rolling {
    known: Mutex<Arc<TrustedIdp>>,
    news: Option<Arc<TrustedIdp>>,
    looked: AtomicUsize,
}

#[async_trait::async_trait]
impl IdpSource for Rolling {
    async fn idp(&self, _: &str) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
        Ok(Some(Arc::clone(&self.known.lock().unwrap())))
    }

    async fn renewed(&self, _: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        Ok(self.news.clone())
    }
}

fn rolling(news: Option<TrustedIdp>) -> (Site, Arc<Rolling>) {
    let old = TrustedIdp::new(IDP, vec![verification_key(&new_key())]);
    let old = old.with_sign_on(trusted().sign_on().to_vec());
    let source = Arc::new(Rolling {
        known: Mutex::new(Arc::new(old)),
        news: news.map(Arc::new),
        looked: AtomicUsize::new(0),
    });
    (Site::asking(|_| source.clone()), source)
}

#[tokio::test]
async fn a_response_that_a_new_key_signed_is_accepted_once_the_source_knows_the_key() {
    let (site, source) = rolling(Some(trusted()));
    let begun = site.begin(Begin::at(IDP)).await;
    let finished = site.finish(&begun, &begun.answer().signed()).await.unwrap();
    assert_eq!(finished.idp().keys().len(), trusted().keys().len());
    assert_eq!(source.looked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_source_is_asked_again_for_a_key_that_does_not_fit_and_for_nothing_else() {
    let (site, source) = rolling(None);
    let begun = site.begin(Begin::at(IDP)).await;
    let refused = site.finish(&begun, &begun.answer().signed()).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "saml.signature_invalid");
    assert_eq!(source.looked.load(Ordering::SeqCst), 1);
    let begun = site.begin(Begin::at(IDP)).await;
    assert!(site.finish(&begun, "<not/>").await.is_err());
    assert_eq!(source.looked.load(Ordering::SeqCst), 1);
}

/// A server of metadata that does not answer.
struct Silent;

#[async_trait::async_trait]
impl Fetch for Silent {
    async fn fetch(&self, _: FetchRequest<'_>) -> Result<Fetched, FetchFailure> {
        Err(FetchFailure::new("no answer"))
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_had_is_said_to_be_that() {
    let policy = MetadataPolicy::signed_by(vec![verification_key(&new_key())]);
    let url = "https://federation.example.org/metadata.xml";
    let site = Site::asking(|clock| {
        Arc::new(MetadataSource::from_url(url, policy, Arc::new(Silent), clock, Arc::new(AwsLc)).unwrap())
    });
    for _ in 0..2 {
        let error = site.login.begin(begin()).await.unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.class()),
            ("saml.metadata_unavailable", ErrorClass::Transient)
        );
    }
}

/// The metadata of the provider, with attributes of the group around it and of its own.
fn metadata(group: &str, own: &str) -> String {
    let key = base64_text::encode(&key().public_key_info().unwrap());
    let md = "urn:oasis:names:tc:SAML:2.0:metadata";
    format!(
        "<EntitiesDescriptor xmlns=\"{md}\" {group}><EntityDescriptor entityID=\"{IDP}\" {own}><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor>\
         <KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\">\
         <DEREncodedKeyValue xmlns=\"http://www.w3.org/2009/xmldsig11#\">{key}</DEREncodedKeyValue></KeyInfo>\
         </KeyDescriptor><SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://idp.example.org/sso\"/></IDPSSODescriptor></EntityDescriptor></EntitiesDescriptor>"
    )
}

#[tokio::test]
async fn a_provider_whose_metadata_runs_out_is_said_to_be_that() {
    let end = "validUntil=\"2027-01-15T12:01:00Z\"";
    for xml in [metadata(end, ""), metadata("", end)] {
        let site = Site::asking(|clock| {
            let policy = MetadataPolicy::pinned();
            Arc::new(MetadataSource::from_octets(xml.as_bytes(), policy, clock, Arc::new(AwsLc)).unwrap())
        });
        let begun = site.begin(begin()).await;
        site.clock.advance(TimeDelta::minutes(4));
        for _ in 0..2 {
            let error = site.login.begin(begin()).await.unwrap_err();
            assert_eq!((error.code().as_str(), error.class()), ("saml.idp_expired", ErrorClass::Transient));
        }
        assert_eq!(code(site.finish(&begun, &begun.answer().signed()).await), "saml.idp_expired");
    }
}
