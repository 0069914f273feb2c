//! The metadata of the service provider itself: what an identity provider must know of us (SAML Metadata §2.4.4).

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::extensions::UserInterface;
use super::sp_parts::{AttributeService, Contact, Organization, SubjectId};
use super::sp_xml::document;
use crate::binding::{Binding, Endpoint, Reach};
use crate::crypto::{PublicKey, VerificationKey};
use crate::signature::{SigningKey, sign_enveloped};

/// SDP-G04 bounds names at 256 characters.
const MAX_ENTITY_ID: usize = 256;

/// Describes the service provider. What a method adds is written in the order in which it was added.
#[derive(Debug, Clone)]
#[must_use]
pub struct SpMetadata {
    pub(super) entity_id: String,
    pub(super) reach: Reach,
    pub(super) assertion_consumers: Vec<String>,
    pub(super) single_logout: Vec<Endpoint>,
    pub(super) discovery: Vec<String>,
    pub(super) signing: Vec<Vec<u8>>,
    pub(super) encryption: Vec<Vec<u8>>,
    pub(super) signs_requests: bool,
    pub(super) wants_signed_assertions: bool,
    pub(super) name_id_formats: Vec<String>,
    pub(super) attribute_services: Vec<AttributeService>,
    pub(super) subject_id: Option<SubjectId>,
    pub(super) user_interface: UserInterface,
    pub(super) organization: Option<Organization>,
    pub(super) contacts: Vec<Contact>,
    pub(super) valid_until: Option<DateTime<Utc>>,
    pub(super) cache_duration: Option<TimeDelta>,
}

/// Why metadata cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpMetadataError {
    /// The name is not an absolute URI of at most 256 characters.
    EntityId,
    /// An address is not https.
    Address,
    /// A certificate cannot be read, or its key is of a kind or size that nobody should accept (SDP-MD06, SDP-MD07).
    Certificate,
    /// A certificate for encryption holds no RSA key, the only kind that is decrypted with.
    EncryptionKey,
    /// Requests are to be signed, and no certificate for signing is given.
    SigningKeyMissing,
    /// The document could not be signed.
    Signature,
}

impl SpMetadata {
    /// Describes a service provider with the one address that responses come to.
    pub fn new(entity_id: impl Into<String>, assertion_consumer: impl Into<String>) -> Self {
        Self {
            entity_id: entity_id.into(),
            reach: Reach::Https,
            assertion_consumers: vec![assertion_consumer.into()],
            single_logout: Vec::new(),
            discovery: Vec::new(),
            signing: Vec::new(),
            encryption: Vec::new(),
            signs_requests: false,
            wants_signed_assertions: true,
            name_id_formats: Vec::new(),
            attribute_services: Vec::new(),
            subject_id: None,
            user_interface: UserInterface::default(),
            organization: None,
            contacts: Vec::new(),
            valid_until: None,
            cache_duration: None,
        }
    }

    /// Adds another address for responses. Indices follow the order; the first address stays the default.
    pub fn assertion_consumer(mut self, address: impl Into<String>) -> Self {
        self.assertion_consumers.push(address.into());
        self
    }

    /// Adds an address for sign-outs; asked with one that cannot be used, [`Self::write`] refuses.
    pub fn single_logout(mut self, binding: Binding, address: impl Into<String>) -> Self {
        let (location, response_location) = (address.into(), None);
        self.single_logout.push(Endpoint { binding, location, response_location });
        self
    }

    /// Adds an address to which a discovery service returns people.
    pub fn discovery_response(mut self, address: impl Into<String>) -> Self {
        self.discovery.push(address.into());
        self
    }

    /// Adds a certificate (DER) whose key signs our messages. For a roll-over publish the next one beside the present one,
    /// wait until every provider has read it, and only then sign with it.
    pub fn signing_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.signing.push(der.into());
        self
    }

    /// Adds a certificate (DER) to whose key assertions are encrypted. For a roll-over configure the next key for decryption
    /// first, publish it in the place of the old one, and drop the old key once no provider can know it any more.
    pub fn encryption_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.encryption.push(der.into());
        self
    }

    /// Says that every request is signed, so that providers refuse unsigned ones (SDP-IDP04).
    pub fn signs_requests(mut self) -> Self {
        self.signs_requests = true;
        self
    }

    /// Says that a signed response is enough; otherwise signed assertions are asked for.
    pub fn takes_unsigned_assertions(mut self) -> Self {
        self.wants_signed_assertions = false;
        self
    }

    /// Adds a name format that is understood.
    pub fn name_id_format(mut self, format: impl Into<String>) -> Self {
        self.name_id_formats.push(format.into());
        self
    }

    /// Adds attributes that are asked for. The first service is the default.
    pub fn attribute_service(mut self, service: AttributeService) -> Self {
        self.attribute_services.push(service);
        self
    }

    /// Says which subject identifier is needed (SDP-SP15).
    pub fn subject_id(mut self, requirement: SubjectId) -> Self {
        self.subject_id = Some(requirement);
        self
    }

    /// Says how the service shows itself (SDP-MD09).
    pub fn user_interface(mut self, user_interface: UserInterface) -> Self {
        self.user_interface = user_interface;
        self
    }

    /// Names the organisation behind the service.
    pub fn organization(mut self, organization: Organization) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Adds somebody to turn to (SDP-MD11).
    pub fn contact(mut self, contact: Contact) -> Self {
        self.contacts.push(contact);
        self
    }

    /// Says when the document ends.
    pub fn valid_until(mut self, end: DateTime<Utc>) -> Self {
        self.valid_until = Some(end);
        self
    }

    /// Says how long the document may be kept before it is looked for again.
    pub fn cache_duration(mut self, span: TimeDelta) -> Self {
        self.cache_duration = Some(span);
        self
    }

    /// Lets addresses be plain http on this machine: for trying things out.
    pub fn dangerous_accept_loopback(mut self) -> Self {
        self.reach = Reach::DangerousLoopbackHttp;
        self
    }

    /// Writes the document.
    ///
    /// # Errors
    /// `saml.sp_metadata_…`.
    pub fn write(&self) -> Result<String, SpMetadataError> {
        self.check()?;
        Ok(document(self, None))
    }

    /// Writes the document and signs it, under an identifier that is new each time: an underscore and random digits.
    ///
    /// # Errors
    /// `saml.sp_metadata_…`.
    pub fn write_signed(
        &self,
        id: &str,
        key: &SigningKey,
        certificate: Option<&[u8]>,
    ) -> Result<String, SpMetadataError> {
        self.check()?;
        let unsigned = document(self, Some(id));
        sign_enveloped(&unsigned, id, key, certificate).map_err(|_| SpMetadataError::Signature)
    }

    fn check(&self) -> Result<(), SpMetadataError> {
        let is_uri =
            url::Url::parse(&self.entity_id).is_ok() && !self.entity_id.contains(char::is_whitespace);
        if !is_uri || self.entity_id.chars().count() > MAX_ENTITY_ID {
            return Err(SpMetadataError::EntityId);
        }
        let logouts = self.single_logout.iter().map(|endpoint| &endpoint.location);
        let mut addresses = self.assertion_consumers.iter().chain(&self.discovery).chain(logouts);
        if !addresses.all(|address| self.reach.admits(address)) {
            return Err(SpMetadataError::Address);
        }
        if self.signs_requests && self.signing.is_empty() {
            return Err(SpMetadataError::SigningKeyMissing);
        }
        let certificates = self.signing.iter().chain(&self.encryption);
        for certificate in certificates {
            VerificationKey::from_certificate(certificate).map_err(|_| SpMetadataError::Certificate)?;
        }
        let is_rsa = |der: &Vec<u8>| {
            let key = VerificationKey::from_certificate(der);
            key.is_ok_and(|key| matches!(key.public(), PublicKey::Rsa { .. }))
        };
        if !self.encryption.iter().all(is_rsa) {
            return Err(SpMetadataError::EncryptionKey);
        }
        Ok(())
    }
}

impl SpMetadataError {
    /// Lists all of them.
    pub const ALL: &'static [Self] = &[
        Self::EntityId,
        Self::Address,
        Self::Certificate,
        Self::EncryptionKey,
        Self::SigningKeyMissing,
        Self::Signature,
    ];

    /// Names the error; stable across releases.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EntityId => "saml.sp_metadata_entity_id",
            Self::Address => "saml.sp_metadata_address",
            Self::Certificate => "saml.sp_metadata_certificate",
            Self::EncryptionKey => "saml.sp_metadata_encryption_key",
            Self::SigningKeyMissing => "saml.sp_metadata_signing_key",
            Self::Signature => "saml.sp_metadata_signature",
        }
    }

    /// Explains the code in one phrase.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::EntityId => "our own name is not an absolute URI of at most 256 characters",
            Self::Address => "an address of our own is not https",
            Self::Certificate => "a certificate of our own cannot be read, or its key is too weak",
            Self::EncryptionKey => "a certificate for encryption holds no RSA key",
            Self::SigningKeyMissing => "requests are to be signed, and no certificate for signing is given",
            Self::Signature => "our own metadata could not be signed",
        }
    }
}

impl fmt::Display for SpMetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

impl std::error::Error for SpMetadataError {}
