//! The namespaces and identifiers that metadata is written in.

/// SAML metadata (SAML Metadata §1.1).
pub(super) const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// The protocol that a role must support to be of use here.
pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// XML Signature 1.1, for elliptic curves and encoded keys.
pub(super) const DS11: &str = "http://www.w3.org/2009/xmldsig11#";
/// Login and discovery user interface (`MetaUI`).
pub(super) const MDUI: &str = "urn:oasis:names:tc:SAML:metadata:ui";
/// Entity attributes (`MetaAttr`).
pub(super) const MDATTR: &str = "urn:oasis:names:tc:SAML:metadata:attribute";
/// Registration and publication information (`MDRPI`).
pub(super) const MDRPI: &str = "urn:oasis:names:tc:SAML:metadata:rpi";
/// Algorithm support (`MetaAlgSup`).
pub(super) const ALG: &str = "urn:oasis:names:tc:SAML:metadata:algsupport";
/// Shibboleth's extension for scopes, adopted by the subject identifier profile.
pub(super) const SHIBMD: &str = "urn:mace:shibboleth:metadata:1.0";
/// Identity Provider Discovery Service Protocol.
pub(super) const IDPDISC: &str = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol";
/// The name format of entity attributes and of attributes that are named by a URI.
pub(super) const NAME_FORMAT_URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
