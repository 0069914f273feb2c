//! Settings of a connection as people write them.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::binding::Binding;
use crate::idp::SignatureDemand;
use crate::secret::Secret;

/// What people write about a connection to a SAML identity provider.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SamlSettings {
    /// Our name, as the provider knows it.
    pub entity_id: String,
    /// Where responses are posted to, exactly as the provider knows it.
    pub acs_url: String,
    /// The provider. Left out where the application looks providers up in a source of its own.
    #[serde(default)]
    pub idp: Option<IdpSettings>,
    /// What signs our requests; unsigned where there is none.
    #[serde(default)]
    pub signing: Option<SigningSettings>,
    /// The keys that encrypted assertions are tried with, in PEM: the present one and the next.
    #[serde(default)]
    pub decryption_keys: Vec<Secret>,
    /// The ways to sign in that are demanded, any of them and exactly.
    #[serde(default)]
    pub authn_contexts: Vec<String>,
    /// Whether people must sign in again although they have a session at the provider.
    #[serde(default)]
    pub force_authn: bool,
    /// The format of the `NameID` that is asked for; usually none.
    #[serde(default)]
    pub name_id_format: Option<String>,
    /// Whether the provider is asked to make a name for whoever has none there yet, in whatever format it uses. A format that
    /// is asked for says so anyway.
    #[serde(default)]
    pub allow_create: bool,
    /// Where the subject is taken from.
    #[serde(default)]
    pub subject: SubjectSettings,
    /// The attributes that carry a scope behind an `@`, beside the usual ones.
    #[serde(default)]
    pub scoped_attributes: Vec<String>,
    /// The attributes that hold groups, where the provider may leave groups out that are too many.
    #[serde(default)]
    pub group_attributes: Vec<String>,
    /// How many seconds clocks may differ.
    #[serde(default = "usual_skew")]
    pub skew_seconds: u32,
    /// How many seconds a person has for the sign-in.
    #[serde(default = "usual_patience")]
    pub sign_in_seconds: u32,
    /// Switches that open a guard.
    #[serde(default)]
    pub dangerous: DangerousSettings,
}

/// What people write about an identity provider.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IdpSettings {
    /// Its name, byte for byte.
    pub entity_id: String,
    /// Its certificates or public keys in PEM, one or several in a text.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// Where sign-ins begin.
    #[serde(default)]
    pub sign_on_url: Option<String>,
    /// How requests get there.
    #[serde(default)]
    pub sign_on_binding: Option<Binding>,
    /// Where sign-outs go.
    #[serde(default)]
    pub logout_url: Option<String>,
    /// How sign-outs get there.
    #[serde(default)]
    pub logout_binding: Option<Binding>,
    /// The text of its metadata, in the place of certificates and addresses.
    #[serde(default)]
    pub metadata: Option<String>,
    /// The scopes that it may assert.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What it must sign.
    #[serde(default)]
    pub signed: SignatureDemand,
    /// What it may do although the profile forbids it.
    #[serde(default)]
    pub legacy: LegacySettings,
}

/// What signs our requests, as people write it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SigningSettings {
    /// The key in PEM.
    pub key: Secret,
    /// The certificate in PEM, which a signed form carries for providers that look for it.
    #[serde(default)]
    pub certificate: Option<String>,
}

/// Where the subject is taken from, as people write it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SubjectSettings {
    /// The name of the attribute; the persistent `NameID` where there is none.
    #[serde(default)]
    pub attribute: Option<String>,
    /// Whether the attribute carries a scope, which must be one of the provider.
    #[serde(default)]
    pub scoped: bool,
}

/// What one provider may do although the profile forbids it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LegacySettings {
    /// Accepts AES in CBC mode under a signed response.
    #[serde(default)]
    pub cbc_under_signed_response: bool,
    /// Accepts Canonical XML 1.0 in the place of the exclusive form.
    #[serde(default)]
    pub inclusive_c14n: bool,
    /// Accepts SHA-1 until this instant.
    #[serde(default)]
    pub sha1_until: Option<DateTime<Utc>>,
    /// Reads times with an offset, such as `+11:00`, or without a zone.
    #[serde(default)]
    pub offset_times: bool,
}

/// Switches that open a guard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DangerousSettings {
    /// Accepts sign-ins that the provider began: a stolen response can then be posted by any browser, once.
    #[serde(default)]
    pub accept_unsolicited: bool,
    /// Takes a `NameID` of this one format as the subject although the format promises nothing: an address or a user name
    /// may be given to somebody else one day.
    #[serde(default)]
    pub name_id_format_as_key: Option<String>,
    /// Allows providers and ourselves on this machine without TLS: for tests and demonstrations.
    #[serde(default)]
    pub allow_loopback_http: bool,
}

const fn usual_skew() -> u32 {
    180
}

const fn usual_patience() -> u32 {
    10 * 60
}

impl SamlSettings {
    /// Begins settings with what has no usual value; all others can be set afterwards.
    #[must_use]
    pub fn new(entity_id: impl Into<String>, acs_url: impl Into<String>) -> Self {
        Self {
            entity_id: entity_id.into(),
            acs_url: acs_url.into(),
            idp: None,
            signing: None,
            decryption_keys: Vec::new(),
            authn_contexts: Vec::new(),
            force_authn: false,
            name_id_format: None,
            allow_create: false,
            subject: SubjectSettings::default(),
            scoped_attributes: Vec::new(),
            group_attributes: Vec::new(),
            skew_seconds: usual_skew(),
            sign_in_seconds: usual_patience(),
            dangerous: DangerousSettings::default(),
        }
    }
}

impl IdpSettings {
    /// Names a provider; keys and addresses are set afterwards.
    #[must_use]
    pub fn new(entity_id: impl Into<String>) -> Self {
        Self { entity_id: entity_id.into(), ..Self::default() }
    }
}
