//! The metadata that we publish.

use chrono::TimeDelta;
use jit_saml::binding::Binding;
use jit_saml::metadata::{MetadataPolicy, SpMetadata, SpMetadataError, VerifiedMetadata};
use jit_saml::signature::{SignatureRules, verify};
use jit_saml::xml::{Document, Element, Limits};

use crate::certificate::certificate;

use crate::described::{complete, now};
use crate::keys;
use crate::public::public;

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

fn child<'d>(parent: Element<'d>, name: &str) -> Element<'d> {
    parent.children().find(|child| child.local() == name).unwrap()
}

#[test]
fn says_everything_that_a_provider_needs() {
    let (present, next, secret) = (keys::rsa(), keys::elliptic(), keys::rsa());
    let xml = complete(&[&present, &next], &[&secret]).write().unwrap();
    let document = Document::parse(xml.as_bytes(), &Limits::default()).unwrap();
    let root = document.root();
    assert!(root.is(MD, "EntityDescriptor"));
    assert_eq!(root.attribute("entityID"), Some("https://sp.example.org/saml"));
    assert_eq!(root.attribute("cacheDuration"), Some("PT21600S"));
    let role = child(root, "SPSSODescriptor");
    assert_eq!(role.attribute("AuthnRequestsSigned"), Some("true"));
    assert_eq!(role.attribute("WantAssertionsSigned"), Some("true"));
    let locals: Vec<_> = role.children().map(Element::local).collect();
    let expected = [
        "Extensions",
        "KeyDescriptor",
        "KeyDescriptor",
        "KeyDescriptor",
        "SingleLogoutService",
        "SingleLogoutService",
        "NameIDFormat",
        "AssertionConsumerService",
        "AssertionConsumerService",
        "AttributeConsumingService",
    ];
    assert_eq!(locals, expected);
    let uses: Vec<_> = role.children().filter_map(|child| child.attribute("use")).collect();
    assert_eq!(uses, ["signing", "signing", "encryption"]);
    let methods = role.descendants().filter(|element| element.local() == "EncryptionMethod").count();
    assert_eq!(methods, 4);
    let consumers: Vec<_> =
        role.children().filter(|child| child.local() == "AssertionConsumerService").collect();
    assert_eq!(consumers[0].attribute("isDefault"), Some("true"));
    assert_eq!(consumers[1].attribute("Location"), Some("https://sp.example.org/saml/acs?two=2&three=3"));
    assert_eq!((consumers[1].attribute("index"), consumers[1].attribute("isDefault")), (Some("1"), None));
    let name = root.descendants().find(|element| element.local() == "DisplayName").unwrap();
    assert_eq!(name.only_text().unwrap(), "Portal & more");
    let requirement = root.descendants().find(|element| element.local() == "AttributeValue").unwrap();
    assert_eq!(requirement.only_text().unwrap(), "pairwise-id");
}

#[test]
fn a_signed_document_verifies_and_is_read_by_our_own_reader() {
    let key = keys::rsa();
    let xml = complete(&[&key], &[&keys::rsa()]).write_signed("_1", &key, Some(&certificate(&key))).unwrap();
    let document = Document::parse(xml.as_bytes(), &Limits::default()).unwrap();
    let signed =
        verify(document.root(), &[public(&key)], &SignatureRules::default(), now(), &jit_saml::crypto::AwsLc);
    assert!(signed.is_ok());
    let policy = MetadataPolicy::signed_by(vec![public(&key)]);
    let metadata = VerifiedMetadata::read(xml.as_bytes(), &policy, now(), &jit_saml::crypto::AwsLc).unwrap();
    assert_eq!(metadata.valid_until(), Some(now() + TimeDelta::days(7)));
    assert_eq!(metadata.cache_duration(), Some(TimeDelta::hours(6)));
    assert!(metadata.is_empty());
}

#[test]
fn little_is_enough() {
    let xml = SpMetadata::new("urn:example:sp", "https://sp.example.org/acs").write().unwrap();
    let document = Document::parse(xml.as_bytes(), &Limits::default()).unwrap();
    let role = child(document.root(), "SPSSODescriptor");
    let locals: Vec<_> = role.children().map(Element::local).collect();
    assert_eq!(locals, ["AssertionConsumerService"]);
}

#[test]
fn what_a_provider_could_not_use_is_refused() {
    let base = || SpMetadata::new("https://sp.example.org", "https://sp.example.org/acs");
    let weak = b"not a certificate".to_vec();
    for (metadata, error) in [
        (SpMetadata::new("sp", "https://sp.example.org/acs"), SpMetadataError::EntityId),
        (SpMetadata::new(format!("urn:{}", "a".repeat(300)), "https://sp/acs"), SpMetadataError::EntityId),
        (SpMetadata::new("urn:sp", "http://sp.example.org/acs"), SpMetadataError::Address),
        (base().single_logout(Binding::Redirect, "javascript:alert(1)"), SpMetadataError::Address),
        (base().discovery_response("/relative"), SpMetadataError::Address),
        (base().signing_certificate(weak.clone()), SpMetadataError::Certificate),
        (base().encryption_certificate(weak), SpMetadataError::Certificate),
        (base().encryption_certificate(certificate(&keys::elliptic())), SpMetadataError::EncryptionKey),
        (base().signs_requests(), SpMetadataError::SigningKeyMissing),
    ] {
        assert_eq!(metadata.write().unwrap_err(), error);
    }
    let local = SpMetadata::new("urn:sp", "http://localhost:8080/acs").dangerous_accept_loopback();
    assert!(local.write().is_ok());
}
