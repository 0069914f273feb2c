//! What is read from the description of one identity provider.

use jit_saml::binding::Binding;
use jit_saml::metadata::MetadataWarning::{
    self, KeyMalformed, KeyMissing, KeyUse, ScopeMalformed, ScopePattern,
};
use jit_saml::metadata::{IdpDescriptor, MetadataPolicy, MetadataRejection};

use crate::certificate::certificate;
use crate::document::{ENTITY, Idp, endpoint, key_of, key_with, now, read};
use crate::keys;
use crate::public::public;

const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const SOAP: &str = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP";

fn described(idp: &Idp) -> Result<IdpDescriptor, MetadataRejection> {
    let metadata = read(&idp.xml(), &MetadataPolicy::pinned()).unwrap();
    metadata.descriptor(ENTITY, now()).map_err(|error| error.rejection().unwrap())
}

#[test]
fn every_key_for_signatures_is_used_and_a_missing_use_means_both() {
    let (one, two, three) = (keys::elliptic(), keys::rsa(), keys::elliptic());
    let mut idp = Idp::new(&[&one]);
    idp.keys.push(key_of(None, &two));
    idp.keys.push(key_of(Some("encryption"), &three));
    let described = described(&idp).unwrap();
    assert_eq!(described.signing_keys, [public(&one), public(&two)]);
    assert_eq!(described.warnings, []);
}

#[test]
fn one_unusable_certificate_spoils_nothing() {
    let good = keys::elliptic();
    let wrapped = |text: &str| {
        key_with(
            Some("signing"),
            &format!("<ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data>"),
        )
    };
    let mut idp = Idp::new(&[]);
    idp.keys = vec![
        wrapped("MIIB"),
        wrapped("not base64!"),
        wrapped(""),
        key_with(Some("signing"), "<ds:KeyName>key</ds:KeyName>"),
        "<md:KeyDescriptor use=\"signing\"/>".to_owned(),
        key_of(Some("attestation"), &keys::elliptic()),
        key_of(Some("signing"), &good),
    ];
    let described = described(&idp).unwrap();
    assert_eq!(described.signing_keys, [public(&good)]);
    let expected = [KeyMalformed, KeyMalformed, KeyMalformed, KeyMissing, KeyMissing, KeyUse];
    assert_eq!(described.warnings, expected);
}

#[test]
fn a_provider_without_a_usable_key_is_none() {
    let encryption = key_of(Some("encryption"), &keys::elliptic());
    for keys in [vec![], vec![encryption], vec![key_with(None, "<ds:X509Data/>")]] {
        let idp = Idp { keys, ..Idp::new(&[]) };
        assert_eq!(described(&idp).unwrap_err(), MetadataRejection::NoSigningKey);
    }
}

#[test]
fn bare_keys_are_read_as_well() {
    let key = keys::rsa();
    let info = key.public_key_info().unwrap();
    // the last 270 octets are the RSAPublicKey: modulus of 257 octets with its sign, exponent 65537
    let (modulus, exponent) = (&info[info.len() - 262..info.len() - 5], &info[info.len() - 3..]);
    let value = format!(
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{}</ds:Modulus><ds:Exponent>{}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
        keys::base64(modulus),
        keys::base64(exponent)
    );
    let curve = keys::elliptic();
    let info = curve.public_key_info().unwrap();
    let point = keys::base64(&info[info.len() - 65..]);
    let named = |curve: &str| {
        format!(
            "<ds:KeyValue><dsig11:ECKeyValue><dsig11:NamedCurve URI=\"{curve}\"/>\
             <dsig11:PublicKey>{point}</dsig11:PublicKey></dsig11:ECKeyValue></ds:KeyValue>"
        )
    };
    let whole = keys::elliptic();
    let encoded = keys::base64(&whole.public_key_info().unwrap());
    let mut idp = Idp::new(&[]);
    idp.keys = vec![
        key_with(Some("signing"), &value),
        key_with(Some("signing"), &named("urn:oid:1.2.840.10045.3.1.7")),
        key_with(
            Some("signing"),
            &format!("<dsig11:DEREncodedKeyValue>{encoded}</dsig11:DEREncodedKeyValue>"),
        ),
        key_with(Some("signing"), &named("urn:oid:1.3.132.0.10")),
        key_with(Some("signing"), "<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>"),
    ];
    let described = described(&idp).unwrap();
    assert_eq!(described.signing_keys, [public(&key), public(&curve), public(&whole)]);
    assert_eq!(described.warnings, [KeyMalformed, KeyMalformed]);
}

#[test]
fn of_a_chain_only_the_first_certificate_speaks_for_the_provider() {
    let (own, authority) = (keys::elliptic(), keys::elliptic());
    let wrapped =
        |key: &_| format!("<ds:X509Certificate>{}</ds:X509Certificate>", keys::base64(&certificate(key)));
    let chain = format!("<ds:X509Data>{}{}</ds:X509Data>", wrapped(&own), wrapped(&authority));
    let idp = Idp { keys: vec![key_with(Some("signing"), &chain)], ..Idp::new(&[]) };
    let described = described(&idp).unwrap();
    assert_eq!(described.signing_keys, [public(&own)]);
    assert_eq!(described.warnings, [MetadataWarning::FurtherCertificate]);
}

#[test]
fn endpoints_that_would_harm_a_browser_are_left_out() {
    let key = keys::elliptic();
    let mut idp = Idp::new(&[&key]);
    idp.endpoints = [
        endpoint("SingleLogoutService", SOAP, "https://idp.example.org/soap"),
        endpoint("SingleLogoutService", REDIRECT, "javascript:alert(document.cookie)"),
        endpoint("SingleLogoutService", POST, "https://idp.example.org/slo"),
        endpoint("SingleSignOnService", REDIRECT, "http://idp.example.org/sso"),
        endpoint("SingleSignOnService", REDIRECT, "https://user@idp.example.org/sso"),
        "<md:SingleSignOnService Binding=\"urn:x\"/><md:SingleSignOnService Location=\"https://x\"/>"
            .to_owned(),
        endpoint("SingleSignOnService", POST, "https://idp.example.org/sso?a=1&amp;b=2"),
    ]
    .concat();
    let described = described(&idp).unwrap();
    let [sign_on] = described.single_sign_on.as_slice() else { panic!("{:?}", described.single_sign_on) };
    assert_eq!(
        (sign_on.binding, sign_on.location.as_str()),
        (Binding::Post, "https://idp.example.org/sso?a=1&b=2")
    );
    assert_eq!(described.single_logout.len(), 1);
    let refused =
        described.warnings.iter().filter(|warning| **warning == MetadataWarning::EndpointRefused).count();
    assert_eq!((refused, described.warnings.len()), (3, 4));

    idp.endpoints = endpoint("SingleSignOnService", REDIRECT, "http://localhost:8080/sso");
    assert_eq!(crate::reading::described(&idp).unwrap_err(), MetadataRejection::NoSignOnEndpoint);
    let policy = MetadataPolicy::pinned().dangerous().accept_loopback();
    assert!(read(&idp.xml(), &policy).unwrap().descriptor(ENTITY, now()).is_ok());
}

#[test]
fn scopes_are_exact_and_patterns_are_never_run() {
    let key = keys::elliptic();
    let mut idp = Idp::new(&[&key]);
    idp.entity_extensions = "<shibmd:Scope regexp=\"false\">example.org</shibmd:Scope>".into();
    idp.role_extensions = "<shibmd:Scope> sub.example.org </shibmd:Scope>\
        <shibmd:Scope regexp=\"0\">third.example</shibmd:Scope>\
        <shibmd:Scope regexp=\"true\">^.*$</shibmd:Scope><shibmd:Scope regexp=\"1\">.+</shibmd:Scope>\
        <shibmd:Scope regexp=\"maybe\">a</shibmd:Scope><shibmd:Scope/><shibmd:Scope>a<b/></shibmd:Scope>"
        .into();
    let described = described(&idp).unwrap();
    assert_eq!(described.scopes, ["example.org", "sub.example.org", "third.example"]);
    assert_eq!(
        described.warnings,
        [ScopePattern, ScopePattern, ScopePattern, ScopeMalformed, ScopeMalformed]
    );
}

#[test]
fn what_it_says_to_people_is_kept_and_addresses_are_https() {
    let key = keys::elliptic();
    let mut idp = Idp::new(&[&key]);
    idp.role_attributes =
        "errorURL=\"https://idp.example.org/help?c=ERRORURL_CODE\" WantAuthnRequestsSigned=\"1\"".into();
    idp.role_extensions = "<mdui:UIInfo>\
        <mdui:DisplayName xml:lang=\"en\">Example</mdui:DisplayName>\
        <mdui:DisplayName xml:lang=\"de\">Beispiel</mdui:DisplayName>\
        <mdui:PrivacyStatementURL xml:lang=\"en\">javascript:alert(1)</mdui:PrivacyStatementURL>\
        <mdui:InformationURL xml:lang=\"en\">https://example.org/#about</mdui:InformationURL>\
        <mdui:Logo height=\"16\" width=\"24\">https://example.org/logo.png</mdui:Logo>\
        <mdui:Logo height=\"16\" width=\"16\">data:image/png;base64,AAAA</mdui:Logo>\
        <mdui:Logo height=\"16\" width=\"16\">data:text/html,evil</mdui:Logo>\
        </mdui:UIInfo><mdui:DiscoHints><mdui:DomainHint>example.org</mdui:DomainHint></mdui:DiscoHints>"
        .into();
    let described = described(&idp).unwrap();
    assert_eq!(described.display_name(&["fr", "DE"]), "Beispiel");
    assert_eq!(described.display_name(&["fr"]), "Example");
    assert_eq!(described.error_url.as_deref(), Some("https://idp.example.org/help?c=ERRORURL_CODE"));
    assert!(described.wants_signed_requests);
    let ui = &described.user_interface;
    assert_eq!(ui.privacy_statement_urls, []);
    assert_eq!(ui.information_urls[0].text, "https://example.org/#about");
    assert_eq!((ui.logos.len(), ui.logos[0].width), (2, Some(24)));
    assert_eq!(ui.domain_hints, ["example.org"]);
    assert_eq!(described.warnings.len(), 2);
}

#[test]
fn entity_attributes_and_algorithms_are_kept() {
    let key = keys::elliptic();
    let mut idp = Idp::new(&[&key]);
    idp.entity_extensions = "<mdrpi:RegistrationInfo registrationAuthority=\"https://fed.example\"/>\
        <alg:SigningMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/>\
        <mdattr:EntityAttributes>\
        <saml:Attribute Name=\"http://macedir.org/entity-category\">\
        <saml:AttributeValue>http://refeds.org/category/hide-from-discovery</saml:AttributeValue>\
        <saml:AttributeValue>urn:other</saml:AttributeValue></saml:Attribute>\
        <saml:Assertion><saml:Attribute Name=\"inside\"/></saml:Assertion>\
        </mdattr:EntityAttributes><unknown xmlns=\"urn:unknown\"><deep/></unknown>"
        .into();
    let described = described(&idp).unwrap();
    assert!(described.is_hidden());
    assert_eq!(described.entity_attributes.len(), 1);
    assert_eq!(described.entity_attributes[0].values.len(), 2);
    assert_eq!(described.registration_authority.as_deref(), Some("https://fed.example"));
    assert_eq!(described.signing_methods.len(), 1);
}

#[test]
fn a_service_provider_or_an_old_protocol_is_no_identity_provider() {
    let key = keys::elliptic();
    let xml = Idp::new(&[&key]).xml();
    let old = xml.replace("SAML:2.0:protocol", "SAML:2.0:protocolx");
    let other = xml.replace("md:IDPSSODescriptor", "md:SPSSODescriptor");
    for xml in [old, other] {
        let metadata = read(&xml, &MetadataPolicy::pinned()).unwrap();
        assert!(metadata.is_empty());
        assert_eq!(metadata.only(now()).unwrap_err().rejection(), Some(MetadataRejection::NoProvider));
    }
    assert_eq!(read(&xml, &MetadataPolicy::pinned()).unwrap().only(now()).unwrap().entity_id, ENTITY);
}

#[test]
fn names_are_compared_byte_for_byte() {
    let key = keys::elliptic();
    let metadata = read(&Idp::new(&[&key]).xml(), &MetadataPolicy::pinned()).unwrap();
    for odd in [
        "",
        "https://IDP.example.org/metadata",
        "https://idp.example.org/metadata/",
        "https://idp.example.org/",
    ] {
        let error = metadata.descriptor(odd, now()).unwrap_err();
        assert_eq!(error.rejection(), Some(MetadataRejection::EntityUnknown), "{odd}");
    }
    for name in ["", "a b", "a&#10;b", &"a".repeat(1025)] {
        let idp = Idp { entity_id: name.to_owned(), ..Idp::new(&[&key]) };
        assert!(read(&idp.xml(), &MetadataPolicy::pinned()).unwrap().is_empty());
    }
}
