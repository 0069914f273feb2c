//! What settings become when they are sound.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::binding::{Binding, Endpoint, Reach};
use crate::crypto::{DecryptionKey, VerificationKey, decode_all_pem, decode_pem};
use crate::idp::{FixedIdps, LegacyRules, TrustedIdp};
use crate::metadata::pinned_idp;
use crate::names::{PERSISTENT, TRANSIENT};
use crate::settings::{IdpSettings, LegacySettings, SamlSettings};
use crate::signature::SigningKey;

/// The attributes that carry a scope behind an `@` everywhere: subject-id, pairwise-id, eduPersonPrincipalName,
/// eduPersonScopedAffiliation and eduPersonUniqueId.
const SCOPED: [&str; 5] = [
    "urn:oasis:names:tc:SAML:attribute:subject-id",
    "urn:oasis:names:tc:SAML:attribute:pairwise-id",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.13",
];

/// A setting is not sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
#[non_exhaustive]
pub struct SettingsError {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it; never its value.
    pub problem: &'static str,
}

impl SettingsError {
    /// The code of every unsound setting.
    pub const CODE: &'static str = "saml.settings_invalid";

    const fn new(field: &'static str, problem: &'static str) -> Self {
        Self { field, problem }
    }
}

/// Settings that were found sound.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SamlConfig {
    pub(crate) entity_id: String,
    pub(crate) acs_url: String,
    pub(crate) idp: Option<Arc<TrustedIdp>>,
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) certificate: Option<Vec<u8>>,
    pub(crate) decryption_keys: Vec<DecryptionKey>,
    pub(crate) authn_contexts: Vec<String>,
    pub(crate) force_authn: bool,
    pub(crate) name_id_format: Option<String>,
    pub(crate) allow_create: bool,
    pub(crate) subject: SubjectSource,
    pub(crate) scoped_attributes: Vec<String>,
    pub(crate) group_attributes: Vec<String>,
    pub(crate) skew: TimeDelta,
    pub(crate) patience: TimeDelta,
    pub(crate) accepts_unsolicited: bool,
}

/// Where the subject is taken from. There is exactly one place, so that names of two spaces never meet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectSource {
    /// The persistent `NameID`.
    PersistentNameId,
    /// An attribute with one value.
    Attribute {
        /// Its name.
        name: String,
        /// Whether what stands behind its `@` must be a scope of the provider.
        scoped: bool,
    },
    /// A `NameID` of this format, which promises nothing.
    DangerousNameId {
        /// The format.
        format: String,
    },
}

impl SamlConfig {
    /// Returns our name.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Returns where responses are posted to.
    #[must_use]
    pub fn acs_url(&self) -> &str {
        &self.acs_url
    }

    /// Returns the provider that the settings describe.
    #[must_use]
    pub const fn idp(&self) -> Option<&Arc<TrustedIdp>> {
        self.idp.as_ref()
    }

    /// Returns a source that knows the provider that the settings describe, and no other.
    #[must_use]
    pub fn source(&self) -> FixedIdps {
        self.idp.iter().cloned().collect()
    }

    /// Returns where the subject is taken from.
    #[must_use]
    pub const fn subject(&self) -> &SubjectSource {
        &self.subject
    }

    /// Returns the ways to sign in that are demanded.
    #[must_use]
    pub fn authn_contexts(&self) -> &[String] {
        &self.authn_contexts
    }

    /// Returns the keys that encrypted assertions are tried with.
    #[must_use]
    pub fn decryption_keys(&self) -> &[DecryptionKey] {
        &self.decryption_keys
    }

    /// Returns how much clocks may differ.
    #[must_use]
    pub const fn skew(&self) -> TimeDelta {
        self.skew
    }

    /// Tells whether sign-ins are accepted that the provider began.
    #[must_use]
    pub const fn accepts_unsolicited(&self) -> bool {
        self.accepts_unsolicited
    }

    /// Tells whether an attribute carries a scope.
    pub(crate) fn is_scoped(&self, name: &str) -> bool {
        SCOPED.contains(&name) || self.scoped_attributes.iter().any(|known| known == name)
    }
}

impl SamlSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingsError`] that names the first unsound field.
    pub fn check(&self) -> Result<SamlConfig, SettingsError> {
        let reach =
            if self.dangerous.allow_loopback_http { Reach::DangerousLoopbackHttp } else { Reach::Https };
        name_of_entity(&self.entity_id, "entity_id")?;
        if !reach.admits(&self.acs_url) {
            return Err(SettingsError::new("acs_url", "must be an https address"));
        }
        if !(60..=600).contains(&self.skew_seconds) {
            return Err(SettingsError::new("skew_seconds", "must be from 60 to 600"));
        }
        if !(30..=86_400).contains(&self.sign_in_seconds) {
            return Err(SettingsError::new("sign_in_seconds", "must be from 30 to 86,400"));
        }
        let idp = self.idp.as_ref().map(|idp| idp.check(reach)).transpose()?;
        let (signing_key, certificate) = self.signing()?;
        if signing_key.is_none() && idp.as_ref().is_some_and(TrustedIdp::wants_signed_requests) {
            return Err(SettingsError::new("signing", "is missing: the provider refuses unsigned requests"));
        }
        Ok(SamlConfig {
            entity_id: self.entity_id.clone(),
            acs_url: self.acs_url.clone(),
            idp: idp.map(Arc::new),
            signing_key,
            certificate,
            decryption_keys: self.decryption_keys()?,
            authn_contexts: filled(&self.authn_contexts, "authn_contexts")?,
            force_authn: self.force_authn,
            name_id_format: self.requested_format()?,
            allow_create: self.allow_create,
            subject: self.subject_source()?,
            scoped_attributes: filled(&self.scoped_attributes, "scoped_attributes")?,
            group_attributes: filled(&self.group_attributes, "group_attributes")?,
            skew: TimeDelta::seconds(i64::from(self.skew_seconds)),
            patience: TimeDelta::seconds(i64::from(self.sign_in_seconds)),
            accepts_unsolicited: self.dangerous.accept_unsolicited,
        })
    }

    fn signing(&self) -> Result<(Option<SigningKey>, Option<Vec<u8>>), SettingsError> {
        let Some(signing) = &self.signing else { return Ok((None, None)) };
        let key = SigningKey::from_pem(signing.key.expose()).map_err(|_| {
            SettingsError::new(
                "signing.key",
                "is not a private key in PEM: RSA, P-256, P-384 or P-521, without a password",
            )
        })?;
        let certificate = match &signing.certificate {
            None => None,
            Some(text) => Some(
                decode_pem("CERTIFICATE", text)
                    .ok_or(SettingsError::new("signing.certificate", "is not a certificate in PEM"))?,
            ),
        };
        Ok((Some(key), certificate))
    }

    fn decryption_keys(&self) -> Result<Vec<DecryptionKey>, SettingsError> {
        if self.decryption_keys.len() > 4 {
            return Err(SettingsError::new("decryption_keys", "must not be more than 4"));
        }
        let read = |key: &crate::secret::Secret| {
            DecryptionKey::from_pem(key.expose()).map_err(|_| {
                SettingsError::new(
                    "decryption_keys",
                    "must be RSA keys in PEM of 2048 bits and more, without a password",
                )
            })
        };
        self.decryption_keys.iter().map(read).collect()
    }

    /// A transient name would be asked for and then refused.
    fn requested_format(&self) -> Result<Option<String>, SettingsError> {
        let by_name_id = self.subject.attribute.is_none();
        match self.name_id_format.as_deref() {
            Some("") => Err(SettingsError::new("name_id_format", "must not be empty")),
            Some(TRANSIENT) if by_name_id => Err(SettingsError::new(
                "name_id_format",
                "must not be transient unless `subject` is an attribute",
            )),
            format => Ok(format.map(str::to_owned)),
        }
    }

    fn subject_source(&self) -> Result<SubjectSource, SettingsError> {
        const SWITCH: &str = "dangerous.name_id_format_as_key";
        match (self.subject.attribute.as_deref(), self.dangerous.name_id_format_as_key.as_deref()) {
            (Some(_), Some(_)) => Err(SettingsError::new(SWITCH, "contradicts `subject.attribute`")),
            (Some(""), None) => Err(SettingsError::new("subject.attribute", "must not be empty")),
            (Some(name), None) => {
                Ok(SubjectSource::Attribute { name: name.to_owned(), scoped: self.subject.scoped })
            }
            (None, _) if self.subject.scoped => {
                Err(SettingsError::new("subject.scoped", "needs `subject.attribute`"))
            }
            (None, None) => Ok(SubjectSource::PersistentNameId),
            (None, Some(TRANSIENT)) => Err(SettingsError::new(SWITCH, "must never be transient")),
            (None, Some(PERSISTENT)) => Err(SettingsError::new(SWITCH, "is not needed for persistent names")),
            (None, Some("")) => Err(SettingsError::new(SWITCH, "must not be empty")),
            (None, Some(format)) => Ok(SubjectSource::DangerousNameId { format: format.to_owned() }),
        }
    }
}

impl IdpSettings {
    fn check(&self, reach: Reach) -> Result<TrustedIdp, SettingsError> {
        name_of_entity(&self.entity_id, "idp.entity_id")?;
        let idp = match &self.metadata {
            Some(text) => pinned_idp(text, &self.entity_id, reach)
                .map_err(|error| SettingsError::new("idp.metadata", error.meaning()))?,
            None => TrustedIdp::new(self.entity_id.clone(), self.keys()?)
                .with_sign_on(vec![self.sign_on(reach)?])
                .with_logout(self.logout(reach)?),
        };
        let idp =
            if self.scopes.is_empty() { idp } else { idp.with_scopes(filled(&self.scopes, "idp.scopes")?) };
        Ok(idp.asserting_any_scope().demanding(self.signed).with_legacy(self.legacy.rules()))
    }

    /// A key that cannot be used does not poison the others, but one must be left.
    fn keys(&self) -> Result<Vec<VerificationKey>, SettingsError> {
        let texts = || self.certificates.iter();
        let certificates = texts().flat_map(|text| decode_all_pem("CERTIFICATE", text));
        let keys = texts().flat_map(|text| decode_all_pem("PUBLIC KEY", text));
        let keys: Vec<_> = certificates
            .map(|der| VerificationKey::from_certificate(&der))
            .chain(keys.map(|der| VerificationKey::from_public_key_info(&der)))
            .filter_map(Result::ok)
            .collect();
        if keys.is_empty() {
            let problem = "must hold a certificate or public key in PEM: RSA of 2048 bits and more, P-256, P-384 or P-521";
            return Err(SettingsError::new("idp.certificates", problem));
        }
        Ok(keys)
    }

    fn sign_on(&self, reach: Reach) -> Result<Endpoint, SettingsError> {
        let address = self.sign_on_url.clone().ok_or(SettingsError::new("idp.sign_on_url", "is missing"))?;
        Endpoint::within(self.sign_on_binding.unwrap_or(Binding::Redirect), address, reach)
            .ok_or(SettingsError::new("idp.sign_on_url", "must be an https address"))
    }

    fn logout(&self, reach: Reach) -> Result<Vec<Endpoint>, SettingsError> {
        let Some(address) = self.logout_url.clone() else { return Ok(Vec::new()) };
        let endpoint = Endpoint::within(self.logout_binding.unwrap_or(Binding::Redirect), address, reach);
        Ok(vec![endpoint.ok_or(SettingsError::new("idp.logout_url", "must be an https address"))?])
    }
}

impl LegacySettings {
    /// Returns the rules for a [`TrustedIdp`].
    #[must_use]
    pub const fn rules(&self) -> LegacyRules {
        LegacyRules {
            cbc_under_signed_response: self.cbc_under_signed_response,
            inclusive_c14n: self.inclusive_c14n,
            sha1_until: self.sha1_until,
            offset_times: self.offset_times,
        }
    }
}

/// SAML Core §8.3.6.
fn name_of_entity(name: &str, field: &'static str) -> Result<(), SettingsError> {
    let sound =
        !name.is_empty() && name.len() <= 1024 && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if sound {
        Ok(())
    } else {
        Err(SettingsError::new(field, "must be 1 to 1,024 characters without blanks"))
    }
}

fn filled(texts: &[String], field: &'static str) -> Result<Vec<String>, SettingsError> {
    if texts.iter().any(String::is_empty) {
        return Err(SettingsError::new(field, "must not hold an empty text"));
    }
    Ok(texts.to_vec())
}

impl jit_core::config::Check for SamlSettings {
    fn check(&self, found: &mut jit_core::config::Problems) {
        if let Err(error) = Self::check(self) {
            found.report_in(error.field, jit_core::Code::new(SettingsError::CODE), error.problem);
        }
    }
}
