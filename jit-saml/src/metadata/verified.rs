//! Metadata that was verified, and what it holds.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::descriptor::{IdpDescriptor, Reading, end};
use super::error::MetadataError;
use super::index::Index;
use super::names::{MD, MDRPI};
use super::policy::{End, MetadataPolicy, Trust};
use super::rejection::MetadataRejection;
use super::span::span;
use crate::binding::Reach;
use crate::crypto::CryptoProvider;
use crate::signature::verify;
use crate::time::{TimeForm, instant};
use crate::xml::{Document, Element, Limits};

/// Metadata of one or many entities that a policy has let pass. Each identity provider is read when it is asked for, so
/// that one broken entity spoils no other.
#[must_use]
pub struct VerifiedMetadata {
    index: Index,
    valid_until: Option<DateTime<Utc>>,
    cache_duration: Option<TimeDelta>,
    published: Option<DateTime<Utc>>,
    reach: Reach,
    limits: Limits,
    skew: TimeDelta,
}

impl VerifiedMetadata {
    /// Reads a document whose root is an `EntityDescriptor` or an `EntitiesDescriptor` with groups in it:
    ///
    /// 1. strict XML within the limits of the policy;
    /// 2. the signature of the root by a key of the policy (SAML Metadata §3); everything after is read from the octets that
    ///    were signed;
    /// 3. `validUntil` of the root lies ahead and within the policy's bound (SDP-MD03, IIP-MD04);
    /// 4. an index of the identity providers, with the ends of the groups around each of them (SAML Metadata §2.3.1).
    ///
    /// # Errors
    /// `saml.xml_…`, `saml.signature_…` and `saml.metadata_…`.
    pub fn read(
        octets: &[u8],
        policy: &MetadataPolicy,
        now: DateTime<Utc>,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self, MetadataError> {
        let document = Document::parse(octets, &policy.limits)?;
        let Trust::Signed(keys) = &policy.trust else { return Self::of(document.root(), policy, now) };
        if crate::signature::signature_of(document.root()).is_none() {
            return Err(MetadataRejection::Unsigned.into());
        }
        let signed = verify(document.root(), keys, &policy.rules, now, crypto)?;
        // the untrusted document goes before the trusted one is read
        drop(document);
        let document = signed.document(&policy.limits)?;
        Self::of(document.root(), policy, now)
    }

    fn of(root: Element<'_>, policy: &MetadataPolicy, now: DateTime<Utc>) -> Result<Self, MetadataError> {
        if !root.is(MD, "EntityDescriptor") && !root.is(MD, "EntitiesDescriptor") {
            return Err(MetadataRejection::Root.into());
        }
        let valid_until = check_end(end(root)?, policy, now)?;
        Ok(Self {
            index: Index::of(root)?,
            valid_until,
            cache_duration: root.attribute("cacheDuration").and_then(span),
            published: published(root),
            reach: policy.reach,
            limits: policy.limits.clone(),
            skew: policy.skew,
        })
    }

    /// Tells when the document ends.
    #[must_use]
    pub const fn valid_until(&self) -> Option<DateTime<Utc>> {
        self.valid_until
    }

    /// Tells from when on it serves nobody: its end, and what clocks may differ.
    pub(super) fn over_from(&self) -> Option<DateTime<Utc>> {
        self.valid_until.map(|end| end + self.skew)
    }

    /// Tells how long the publisher wants it to be kept before it is looked for again.
    #[must_use]
    pub const fn cache_duration(&self) -> Option<TimeDelta> {
        self.cache_duration
    }

    /// Tells when it was published, where it says so (`MDRPI` §2.2).
    #[must_use]
    pub const fn published(&self) -> Option<DateTime<Utc>> {
        self.published
    }

    /// Counts the identity providers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Tells whether there is no identity provider at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// Walks through the names of the identity providers, in no order.
    pub fn entity_ids(&self) -> impl Iterator<Item = &str> {
        self.index.names()
    }

    /// Describes one identity provider, by its exact name.
    ///
    /// # Errors
    /// `saml.metadata_entity_unknown`, `…_entity_ambiguous`, `…_expired`, `…_no_provider`, `…_no_signing_key`,
    /// `…_no_sign_on_endpoint`.
    pub fn descriptor(&self, entity_id: &str, now: DateTime<Utc>) -> Result<IdpDescriptor, MetadataError> {
        let descriptor = self.described(entity_id)?;
        if descriptor.valid_until.is_some_and(|end| now >= end + self.skew) {
            return Err(MetadataRejection::Expired.into());
        }
        Ok(descriptor)
    }

    /// Describes one identity provider, whether or not its time is over.
    pub(super) fn described(&self, entity_id: &str) -> Result<IdpDescriptor, MetadataError> {
        let entry = self.index.entry(entity_id)?;
        let document = Document::parse(entry.octets, &self.limits)?;
        let reading = Reading { reach: self.reach, group_until: entry.group_until };
        Ok(IdpDescriptor::read(document.root(), reading)?)
    }

    /// Describes the identity provider of a document that holds exactly one.
    ///
    /// # Errors
    /// As [`Self::descriptor`]; `saml.metadata_entity_ambiguous` when there are several.
    pub fn only(&self, now: DateTime<Utc>) -> Result<IdpDescriptor, MetadataError> {
        let mut names = self.entity_ids();
        match (names.next(), names.next()) {
            (Some(name), None) => self.descriptor(name, now),
            (Some(_), Some(_)) => Err(MetadataRejection::EntityAmbiguous.into()),
            _ => Err(MetadataRejection::NoProvider.into()),
        }
    }
}

impl fmt::Debug for VerifiedMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, valid_until) = (self.len(), self.valid_until);
        f.debug_struct("VerifiedMetadata")
            .field("len", &len)
            .field("valid_until", &valid_until)
            .finish_non_exhaustive()
    }
}

fn check_end(
    end: Option<DateTime<Utc>>,
    policy: &MetadataPolicy,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, MetadataRejection> {
    if end.is_some_and(|end| now >= end + policy.skew) {
        return Err(MetadataRejection::Expired);
    }
    match (policy.end, end) {
        (End::Within(_), None) => Err(MetadataRejection::EndMissing),
        (End::Within(longest), Some(end)) if end.signed_duration_since(now) > longest + policy.skew => {
            Err(MetadataRejection::EndTooFar)
        }
        _ => Ok(end),
    }
}

fn published(root: Element<'_>) -> Option<DateTime<Utc>> {
    let info = super::extensions::extensions(root).find(|child| child.is(MDRPI, "PublicationInfo"))?;
    info.attribute("creationInstant").and_then(|text| instant(text.trim(), TimeForm::Utc))
}
