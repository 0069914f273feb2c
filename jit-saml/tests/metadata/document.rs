//! Documents to read.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use jit_saml::crypto::AwsLc;
use jit_saml::metadata::{MetadataError, MetadataPolicy, VerifiedMetadata};
use jit_saml::signature::{SigningKey, sign_enveloped};

use crate::certificate::certificate;
use crate::keys;

pub(crate) const NAMESPACES: &str = "xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
    xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
    xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\" \
    xmlns:mdui=\"urn:oasis:names:tc:SAML:metadata:ui\" \
    xmlns:mdattr=\"urn:oasis:names:tc:SAML:metadata:attribute\" \
    xmlns:mdrpi=\"urn:oasis:names:tc:SAML:metadata:rpi\" \
    xmlns:alg=\"urn:oasis:names:tc:SAML:metadata:algsupport\" \
    xmlns:shibmd=\"urn:mace:shibboleth:metadata:1.0\" \
    xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";

pub(crate) const ENTITY: &str = "https://idp.example.org/metadata";

const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// An identity provider that tests change where they need to.
pub(crate) struct Idp {
    pub(crate) entity_id: String,
    pub(crate) attributes: String,
    pub(crate) entity_extensions: String,
    pub(crate) role_attributes: String,
    pub(crate) role_extensions: String,
    pub(crate) keys: Vec<String>,
    pub(crate) endpoints: String,
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `validUntil` so many hours ahead.
pub(crate) fn ends_in(hours: i64) -> String {
    format!("validUntil=\"{}\"", written(now() + TimeDelta::hours(hours)))
}

pub(crate) fn endpoint(element: &str, binding: &str, location: &str) -> String {
    format!("<md:{element} Binding=\"{binding}\" Location=\"{location}\"/>")
}

/// A key descriptor with whatever content.
pub(crate) fn key_with(purpose: Option<&str>, info: &str) -> String {
    let purpose = purpose.map(|purpose| format!(" use=\"{purpose}\"")).unwrap_or_default();
    format!("<md:KeyDescriptor{purpose}><ds:KeyInfo>{info}</ds:KeyInfo></md:KeyDescriptor>")
}

/// A key descriptor with a certificate, wrapped into lines as most producers do.
pub(crate) fn key_of(purpose: Option<&str>, key: &SigningKey) -> String {
    let text = keys::base64(&certificate(key));
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let text = lines.join("\n          ");
    key_with(
        purpose,
        &format!("<ds:X509Data><ds:X509Certificate>\n{text}\n</ds:X509Certificate></ds:X509Data>"),
    )
}

impl Idp {
    pub(crate) fn new(keys: &[&SigningKey]) -> Self {
        Self {
            entity_id: ENTITY.to_owned(),
            attributes: String::new(),
            entity_extensions: String::new(),
            role_attributes: String::new(),
            role_extensions: String::new(),
            keys: keys.iter().map(|key| key_of(Some("signing"), key)).collect(),
            endpoints: endpoint("SingleSignOnService", REDIRECT, "https://idp.example.org/sso"),
        }
    }

    pub(crate) fn xml(&self) -> String {
        let Self { entity_id, attributes, role_attributes, endpoints, .. } = self;
        let mut xml = format!("<md:EntityDescriptor {NAMESPACES} entityID=\"{entity_id}\" {attributes}>\n");
        let _ = write!(xml, "<md:Extensions>{}</md:Extensions>", self.entity_extensions);
        let protocol = "urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol";
        let _ =
            write!(xml, "<md:IDPSSODescriptor protocolSupportEnumeration=\"{protocol}\" {role_attributes}>");
        let _ = write!(xml, "<md:Extensions>{}</md:Extensions>", self.role_extensions);
        let _ =
            write!(xml, "{}\n{endpoints}</md:IDPSSODescriptor></md:EntityDescriptor>", self.keys.concat());
        xml
    }
}

/// Signs a document whose root has the `ID` `_root`.
pub(crate) fn signed(xml: &str, key: &SigningKey) -> String {
    sign_enveloped(xml, "_root", key, None).unwrap()
}

pub(crate) fn read(xml: &str, policy: &MetadataPolicy) -> Result<VerifiedMetadata, MetadataError> {
    VerifiedMetadata::read(xml.as_bytes(), policy, now(), &AwsLc)
}

/// Reads a document under a policy and tells the code with which it is refused.
pub(crate) fn refused(xml: &str, policy: &MetadataPolicy) -> String {
    match read(xml, policy) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.code().to_string(),
    }
}
