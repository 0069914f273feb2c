use jit_core::Code;
use jit_core::config::Problems;
use jit_saml::SamlSettings;
use jit_saml::crypto::decode_pem;
use jit_saml::signature::VerificationKey;
use serde::Deserialize;

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
            (Some(_), None) if self.signed_by.is_empty() && !self.dangerously_unsigned => {}
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
        found.each("signed_by", &self.signed_by, |text, found| {
            if VerificationKey::from_pem(text).is_err() {
                let message = "is not a certificate or public key in PEM: RSA of 2048 bits and more, P-256, P-384, P-521";
                found.report(Code::new("config.invalid_value"), message);
            }
        });
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
