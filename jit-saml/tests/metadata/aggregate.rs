//! The metadata of a federation.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use jit_core::{Clock as _, ManualClock};
use jit_saml::crypto::AwsLc;
use jit_saml::idp::IdpSource as _;
use jit_saml::metadata::{MetadataPolicy, MetadataRejection, MetadataSource, aggregate_limits};
use jit_saml::signature::SigningKey;

use crate::document::{Idp, NAMESPACES, ends_in, now, read, signed};
use crate::keys;
use crate::public::public;

const SP: &str = "<md:EntityDescriptor entityID=\"https://sp.example.org\"><md:SPSSODescriptor \
    protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"/></md:EntityDescriptor>";

/// Writes a signed federation of so many providers with bare keys, one service among each ten, in groups of a thousand.
fn federation(providers: usize, publisher: &SigningKey, member: &SigningKey) -> String {
    let key = keys::base64(&member.public_key_info().unwrap());
    let mut xml = format!("<md:EntitiesDescriptor {NAMESPACES} ID=\"_root\" {}>", ends_in(24));
    for number in 0..providers {
        if number % 1000 == 0 {
            xml.push_str(if number == 0 {
                "<md:EntitiesDescriptor>"
            } else {
                "</md:EntitiesDescriptor><md:EntitiesDescriptor>"
            });
        }
        if number % 10 == 0 {
            xml.push_str(SP);
        }
        let _ = write!(
            xml,
            "<md:EntityDescriptor entityID=\"https://idp{number}.example.org/\"><md:IDPSSODescriptor \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:KeyDescriptor><ds:KeyInfo>\
             <dsig11:DEREncodedKeyValue>{key}</dsig11:DEREncodedKeyValue></ds:KeyInfo></md:KeyDescriptor>\
             <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
             Location=\"https://idp{number}.example.org/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
        );
    }
    xml.push_str("</md:EntitiesDescriptor></md:EntitiesDescriptor>");
    signed(&xml, publisher)
}

#[tokio::test]
async fn a_hundred_thousand_providers_are_found_by_name() {
    let (publisher, member) = (keys::rsa(), keys::elliptic());
    let document = federation(100_000, &publisher, &member);
    let policy = MetadataPolicy::signed_by(vec![public(&publisher)]).limits(aggregate_limits());
    let clock = Arc::new(ManualClock::at(now()));
    let begun = Instant::now();
    let source =
        MetadataSource::from_octets(document.as_bytes(), policy, clock.clone(), Arc::new(AwsLc)).unwrap();
    println!("{} MB in {:?}", document.len() >> 20, begun.elapsed());
    assert_eq!(source.status().providers, 100_000);
    for number in [0, 1, 777, 50_000, 99_999] {
        let name = format!("https://idp{number}.example.org/");
        let idp = source.idp(&name).await.unwrap().unwrap();
        assert_eq!((idp.entity_id(), idp.keys()), (name.as_str(), &[public(&member)][..]));
        assert_eq!(idp.sign_on()[0].location, format!("https://idp{number}.example.org/sso"));
        assert!(Arc::ptr_eq(&idp, &source.idp(&name).await.unwrap().unwrap()));
    }
    for unknown in ["https://idp100000.example.org/", "https://sp.example.org", "https://idp1.example.org"] {
        assert!(source.idp(unknown).await.unwrap().is_none());
    }
    clock.advance(chrono::TimeDelta::hours(25));
    let over = source.idp("https://idp1.example.org/").await.unwrap().unwrap();
    assert!(!over.holds_at(clock.now()));
}

#[test]
fn one_broken_member_spoils_no_other() {
    let good = Idp { entity_id: "https://good.example.org".into(), ..Idp::new(&[&keys::elliptic()]) };
    let keyless = Idp { entity_id: "https://keyless.example.org".into(), ..Idp::new(&[]) };
    let nameless = Idp { entity_id: String::new(), ..Idp::new(&[&keys::elliptic()]) };
    let content = [keyless.xml(), nameless.xml(), good.xml(), SP.to_owned()].concat();
    let document = format!("<md:EntitiesDescriptor {NAMESPACES}>{content}</md:EntitiesDescriptor>");
    let metadata = read(&document, &MetadataPolicy::pinned()).unwrap();
    assert_eq!(metadata.len(), 2);
    assert!(metadata.descriptor("https://good.example.org", now()).is_ok());
    let broken = metadata.descriptor("https://keyless.example.org", now()).unwrap_err();
    assert_eq!(broken.rejection(), Some(MetadataRejection::NoSigningKey));
}

#[test]
fn of_two_providers_with_one_name_neither_is_believed() {
    let twin = || Idp::new(&[&keys::elliptic()]).xml();
    let document =
        format!("<md:EntitiesDescriptor {NAMESPACES}>{}{}</md:EntitiesDescriptor>", twin(), twin());
    let metadata = read(&document, &MetadataPolicy::pinned()).unwrap();
    let error = metadata.descriptor(crate::document::ENTITY, now()).unwrap_err();
    assert_eq!(error.rejection(), Some(MetadataRejection::EntityAmbiguous));
}

#[test]
fn members_that_are_much_longer_in_their_canonical_form_are_refused() {
    let (long, member) = ("x".repeat(200_000), |number: usize| {
        let idp =
            Idp { entity_id: format!("https://idp{number}.example.org"), ..Idp::new(&[&keys::elliptic()]) };
        idp.xml().replacen("<md:EntityDescriptor ", "<md:EntityDescriptor p:a=\"\" ", 1)
    });
    for (count, refused) in [(2, false), (20, true)] {
        let content: String = (0..count).map(member).collect();
        let document = format!(
            "<md:EntitiesDescriptor {NAMESPACES} xmlns:p=\"urn:{long}\">{content}</md:EntitiesDescriptor>"
        );
        let code = read(&document, &MetadataPolicy::pinned()).map_err(|error| error.code().to_string());
        assert_eq!(code.err().as_deref(), refused.then_some("saml.canonical_too_large"), "{count}");
    }
}

#[test]
fn a_document_beyond_its_bounds_is_refused_at_once() {
    let publisher = keys::elliptic();
    let document = federation(2_000, &publisher, &keys::elliptic());
    let small = jit_saml::xml::Limits { bytes: 100_000, ..aggregate_limits() };
    let policy = MetadataPolicy::signed_by(vec![public(&publisher)]).limits(small);
    assert!(crate::document::refused(&document, &policy).starts_with("saml.xml_"));
}
