//! Metadata as a setting.

use chrono::{DateTime, Utc};

use super::error::MetadataError;
use super::policy::MetadataPolicy;
use super::verified::VerifiedMetadata;
use crate::binding::Reach;
use crate::crypto::AwsLc;
use crate::idp::TrustedIdp;

/// Reads one provider from a text in the configuration. Settings are checked without a clock, so an end that has passed shows
/// when the first message arrives.
pub(crate) fn pinned_idp(text: &str, entity_id: &str, reach: Reach) -> Result<TrustedIdp, MetadataError> {
    let policy = MetadataPolicy { reach, ..MetadataPolicy::pinned() };
    let before_all_ends = DateTime::<Utc>::MIN_UTC;
    let metadata = VerifiedMetadata::read(text.as_bytes(), &policy, before_all_ends, &AwsLc)?;
    Ok(metadata.descriptor(entity_id, before_all_ends)?.trusted(&policy))
}

#[cfg(test)]
mod tests {
    use crate::settings::{IdpSettings, SamlSettings};

    #[test]
    fn a_setting_without_a_provider_says_what_is_missing() {
        let mut settings = SamlSettings::new("https://sp.example.com", "https://sp.example.com/acs");
        let mut idp = IdpSettings::new("https://idp.example.com");
        for (text, problem) in [
            ("", "the document has no element"),
            ("<a/>", "the root is neither an `EntityDescriptor` nor an `EntitiesDescriptor`"),
            (
                "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"/>",
                "the metadata holds no identity provider of that name",
            ),
        ] {
            idp.metadata = Some(text.to_owned());
            settings.idp = Some(idp.clone());
            let error = settings.check().unwrap_err();
            assert_eq!((error.field, error.problem), ("idp.metadata", problem));
        }
    }
}
