//! One identity provider as its metadata describes it (SAML Metadata §2.3.2, §2.4.3).

use chrono::{DateTime, Utc};

use super::endpoint::endpoint;
use super::extensions::{
    EntityAttribute, UserInterface, entity_attributes, registration_authority, scopes, signing_methods, text,
    user_interface,
};
use super::names::{MD, PROTOCOL};
use super::policy::MetadataPolicy;
use super::rejection::{MetadataRejection, MetadataWarning};
use super::role_keys::signing_keys;
use crate::binding::{Endpoint, Reach};
use crate::idp::TrustedIdp;
use crate::signature::VerificationKey;
use crate::time::{TimeForm, instant};
use crate::xml::Element;

const ENTITY_CATEGORY: &str = "http://macedir.org/entity-category";
const HIDDEN: &str = "http://refeds.org/category/hide-from-discovery";
/// SAML Metadata §2.3.2 bounds names at 1024 characters.
const MAX_ENTITY_ID: usize = 1024;

/// What the metadata of one identity provider says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IdpDescriptor {
    /// The name of the provider.
    pub entity_id: String,
    /// When the description ends, groups around it included.
    pub valid_until: Option<DateTime<Utc>>,
    /// The keys that verify its signatures; never empty.
    pub signing_keys: Vec<VerificationKey>,
    /// Where sign-ins begin; never empty.
    pub single_sign_on: Vec<Endpoint>,
    /// Where sign-outs go.
    pub single_logout: Vec<Endpoint>,
    /// Whether unsigned requests are refused there.
    pub wants_signed_requests: bool,
    /// The name formats that it offers.
    pub name_id_formats: Vec<String>,
    /// The scopes that it may assert, compared without regard to the case of ASCII letters.
    pub scopes: Vec<String>,
    /// A page for people who lack something that only the provider can give them (SDP-MD12).
    pub error_url: Option<String>,
    /// The signature algorithms that it says it accepts; empty when it says nothing.
    pub signing_methods: Vec<String>,
    /// How it shows itself.
    pub user_interface: UserInterface,
    /// Its attributes.
    pub entity_attributes: Vec<EntityAttribute>,
    /// Who registered it.
    pub registration_authority: Option<String>,
    /// What could not be used.
    pub warnings: Vec<MetadataWarning>,
}

/// How an entity is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Where endpoints may lie.
    pub(super) reach: Reach,
    /// When the groups around the entity end.
    pub(super) group_until: Option<DateTime<Utc>>,
}

impl IdpDescriptor {
    /// Reads an `EntityDescriptor`.
    pub(super) fn read(entity: Element<'_>, reading: Reading) -> Result<Self, MetadataRejection> {
        let mut warnings = Vec::new();
        let role = role(entity, &mut warnings).ok_or(MetadataRejection::NoProvider)?;
        let signing_keys = signing_keys(role, &mut warnings);
        if signing_keys.is_empty() {
            return Err(MetadataRejection::NoSigningKey);
        }
        let single_sign_on = endpoints(role, "SingleSignOnService", reading, &mut warnings);
        if single_sign_on.is_empty() {
            return Err(MetadataRejection::NoSignOnEndpoint);
        }
        let ends = [reading.group_until, end(entity)?, end(role)?];
        let mut all_scopes = scopes(entity, &mut warnings);
        all_scopes.extend(scopes(role, &mut warnings));
        Ok(Self {
            entity_id: entity_id(entity)?.to_owned(),
            valid_until: ends.into_iter().flatten().min(),
            signing_keys,
            single_sign_on,
            single_logout: endpoints(role, "SingleLogoutService", reading, &mut warnings),
            wants_signed_requests: is_true(role.attribute("WantAuthnRequestsSigned")),
            name_id_formats: name_id_formats(role),
            scopes: all_scopes,
            error_url: error_url(role, &mut warnings),
            signing_methods: signing_methods(role, entity),
            user_interface: user_interface(role, &mut warnings),
            entity_attributes: entity_attributes(entity),
            registration_authority: registration_authority(entity),
            warnings,
        })
    }

    /// Makes the provider that messages are verified against.
    pub(super) fn trusted(&self, policy: &MetadataPolicy) -> TrustedIdp {
        let idp = TrustedIdp::new(self.entity_id.clone(), self.signing_keys.clone());
        let idp = match self.scopes.as_slice() {
            _ if !policy.vouches_for_scopes() => idp,
            [] if self.left_scopes_out() => idp.without_usable_scopes(),
            scopes => idp.with_scopes(scopes.to_vec()),
        };
        idp.with_sign_on(self.single_sign_on.clone())
            .with_logout(self.single_logout.clone())
            .wanting_signed_requests(self.wants_signed_requests)
            .with_error_url(self.error_url.clone())
            .valid_until(self.valid_until.map(|end| end + policy.skew))
    }

    fn left_scopes_out(&self) -> bool {
        let is_of_scope = |it: &MetadataWarning| {
            matches!(it, MetadataWarning::ScopePattern | MetadataWarning::ScopeMalformed)
        };
        self.warnings.iter().any(is_of_scope)
    }

    /// Tells whether the provider asks not to be offered in lists (REFEDS "hide from discovery").
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        let categories = self.entity_attributes.iter().filter(|attribute| attribute.name == ENTITY_CATEGORY);
        categories.flat_map(|attribute| &attribute.values).any(|value| value == HIDDEN)
    }

    /// Chooses its name for people: in the first of these languages that it has one in, else any, else its technical name.
    #[must_use]
    pub fn display_name(&self, languages: &[&str]) -> &str {
        let names = &self.user_interface.display_names;
        let in_language =
            |language: &&str| names.iter().find(|name| name.language.eq_ignore_ascii_case(language));
        let chosen = languages.iter().find_map(in_language).or_else(|| names.first());
        chosen.map_or(&self.entity_id, |name| &name.text)
    }
}

/// Returns the name of an entity (SAML Metadata §2.2.1).
pub(super) fn entity_id(entity: Element<'_>) -> Result<&str, MetadataRejection> {
    let name = entity.attribute("entityID").ok_or(MetadataRejection::EntityId)?;
    let length = name.chars().count();
    let printable = !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if printable && (1..=MAX_ENTITY_ID).contains(&length) {
        Ok(name)
    } else {
        Err(MetadataRejection::EntityId)
    }
}

/// Reads `validUntil`.
pub(super) fn end(element: Element<'_>) -> Result<Option<DateTime<Utc>>, MetadataRejection> {
    match element.attribute("validUntil") {
        None => Ok(None),
        Some(text) => instant(text.trim(), TimeForm::Utc).map(Some).ok_or(MetadataRejection::EndMalformed),
    }
}

/// Tells whether an entity is an identity provider for SAML 2.0.
pub(super) fn is_provider(entity: Element<'_>) -> bool {
    entity.children().any(supports_protocol)
}

fn role<'d>(entity: Element<'d>, warnings: &mut Vec<MetadataWarning>) -> Option<Element<'d>> {
    let mut roles = entity.children().filter(|child| supports_protocol(*child));
    let role = roles.next()?;
    warnings.extend(roles.map(|_| MetadataWarning::SecondRole));
    Some(role)
}

/// `protocolSupportEnumeration` is a list of URIs (SAML Metadata §2.4.1).
fn supports_protocol(role: Element<'_>) -> bool {
    let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
    role.is(MD, "IDPSSODescriptor") && protocols.split_ascii_whitespace().any(|protocol| protocol == PROTOCOL)
}

fn endpoints(
    role: Element<'_>,
    name: &str,
    reading: Reading,
    warnings: &mut Vec<MetadataWarning>,
) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for element in role.children().filter(|child| child.is(MD, name)) {
        match endpoint(element, reading.reach) {
            Ok(endpoint) => endpoints.extend(endpoint),
            Err(warning) => warnings.push(warning),
        }
    }
    endpoints
}

fn name_id_formats(role: Element<'_>) -> Vec<String> {
    role.children().filter(|child| child.is(MD, "NameIDFormat")).filter_map(text).collect()
}

fn error_url(role: Element<'_>, warnings: &mut Vec<MetadataWarning>) -> Option<String> {
    let address = role.attribute("errorURL")?.trim();
    if Reach::Https.admits(address) {
        return Some(address.to_owned());
    }
    warnings.push(MetadataWarning::AddressRefused);
    None
}

/// `xs:boolean` (XML Schema Part 2 §3.2.2).
fn is_true(value: Option<&str>) -> bool {
    matches!(value.map(str::trim), Some("true" | "1"))
}
