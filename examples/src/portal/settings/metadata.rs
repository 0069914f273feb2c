use jit_core::Code;
use jit_core::config::Problems;
use jit_saml::crypto::decode_pem;
use jit_saml::idp::{LegacyRules, SignatureDemand};
use jit_saml::settings::LegacySettings;
use jit_saml::signature::VerificationKey;
use jit_saml::{SamlSettings, TrustedIdp};
use serde::Deserialize;

use super::Protocol;

/// Says where the metadata of a provider comes from, and why it is believed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetadataSettings {
    /// A file beside the configuration, which is believed as it stands.
    #[serde(default)]
    pub(crate) file: Option<String>,
    /// Or an address, from which it is fetched when it is needed and again when it grows old.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// The certificates or keys, in PEM, one of which signed what is fetched.
    #[serde(default)]
    pub(crate) signed_by: Vec<String>,
    /// Believes what is fetched because of the connection that it came over.
    #[serde(default)]
    pub(crate) dangerously_unsigned: bool,
    /// Whether what is fetched describes a whole federation, and may be as long as that takes.
    #[serde(default)]
    pub(crate) federation: bool,
    /// What the provider must sign.
    #[serde(default)]
    pub(crate) signed: SignatureDemand,
    /// What the provider may do although the profile forbids it.
    #[serde(default)]
    pub(crate) legacy: LegacySettings,
    /// The scopes that the provider may assert, in the place of those in its metadata.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
}

impl MetadataSettings {
    pub(super) fn check_beside(&self, saml: Option<&SamlSettings>, found: &mut Problems) {
        let contradiction = || Code::new("config.contradiction");
        match saml {
            None => found.report(contradiction(), "belongs to `saml`"),
            Some(saml) if saml.idp.is_some() => {
                found.report(contradiction(), "stands in the place of `saml.idp`: give one of them");
            }
            Some(_) => {}
        }
        match (&self.file, &self.url) {
            (Some(_), None)
                if self.signed_by.is_empty() && !self.dangerously_unsigned && !self.federation => {}
            (Some(_), None) => {
                found.report(contradiction(), "a file is believed as it stands: leave the rest out");
            }
            (None, Some(_)) if self.signed_by.is_empty() != self.dangerously_unsigned => {
                let message = "needs `signed_by`: whoever answers at the address could speak for everybody";
                found.report(Code::new("config.one_of"), message);
            }
            (None, Some(_)) => {}
            _ => found.report(Code::new("config.one_of"), "needs either `file` or `url`"),
        }
        found.each("scopes", &self.scopes, |scope, found| {
            if scope.is_empty() {
                found.report(Code::new("config.invalid_value"), "must not be empty");
            }
        });
        found.each("signed_by", &self.signed_by, |text, found| {
            if VerificationKey::from_pem(text).is_err() {
                let message = "is not a certificate or public key in PEM: RSA of 2048 bits and more, P-256, P-384, P-521";
                found.report(Code::new("config.invalid_value"), message);
            }
        });
    }
}

/// What a connection demands of its provider and lets it do, wherever keys and addresses come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    signed: SignatureDemand,
    legacy: LegacyRules,
    /// In the place of those in its metadata.
    scopes: Option<Vec<String>>,
    /// It is the only provider of its connection; where no scope is known, it speaks for all of it.
    speaks_for_all: bool,
}

impl Terms {
    pub(crate) fn of(protocol: &Protocol) -> Self {
        let idp = protocol.saml.as_ref().and_then(|saml| saml.idp.as_ref());
        let (signed, legacy, scopes, vouched, speaks_for_all) = match (idp, &protocol.metadata) {
            (Some(idp), _) => (idp.signed, &idp.legacy, &idp.scopes, idp.metadata.is_some(), true),
            // nobody but the provider itself would say whom it may speak for
            (None, Some(own)) => {
                let vouched = !own.dangerously_unsigned;
                (own.signed, &own.legacy, &own.scopes, vouched, vouched)
            }
            (None, None) => return Self::default(),
        };
        let scopes = (!vouched || !scopes.is_empty()).then(|| scopes.clone());
        Self { signed, legacy: legacy.rules(), scopes, speaks_for_all }
    }

    /// Makes them hold for a provider as its metadata describes it.
    pub(crate) fn imposed_on(&self, idp: TrustedIdp) -> TrustedIdp {
        let idp = idp.demanding(self.signed).with_legacy(self.legacy);
        let idp = if self.speaks_for_all { idp.asserting_any_scope() } else { idp };
        match &self.scopes {
            Some(scopes) => idp.with_scopes(scopes.clone()),
            None => idp,
        }
    }
}

/// Names certificates of one's own, in PEM, for a roll-over and for encryption.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishSettings {
    /// The next certificate that will sign, shown until every provider knows it.
    #[serde(default)]
    pub(crate) signing: Vec<String>,
    /// The certificates that assertions are to be encrypted for; their keys stand in `saml.decryption_keys`.
    #[serde(default)]
    pub(crate) encryption: Vec<String>,
}

impl PublishSettings {
    pub(super) fn check_beside(&self, saml: Option<&SamlSettings>, found: &mut Problems) {
        if saml.is_none() && !(self.signing.is_empty() && self.encryption.is_empty()) {
            found.report(Code::new("config.contradiction"), "belongs to `saml`");
        }
        for (field, certificates) in [("signing", &self.signing), ("encryption", &self.encryption)] {
            found.each(field, certificates, |text, found| {
                if decode_pem("CERTIFICATE", text).is_none() {
                    found.report(Code::new("config.invalid_value"), "is not a certificate in PEM");
                }
            });
        }
        if saml.is_some_and(|saml| saml.decryption_keys.is_empty()) && !self.encryption.is_empty() {
            let message = "needs `saml.decryption_keys`: nobody could read what is encrypted for it";
            found.report_in("encryption", Code::new("config.contradiction"), message);
        }
    }
}
