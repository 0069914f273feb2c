//! Every code that this crate answers with, in one table.

use std::borrow::Cow;

use crate::config::SettingsError;
use crate::crypto::KeyError;
use crate::error::LoginError;
use crate::logout::{LogoutError, LogoutRejection};
use crate::metadata::{FetchFailure, MetadataRejection, MetadataWarning, SpMetadataError};
use crate::rejection::Rejection;
use crate::response::StatusCode;
use crate::signature::SignatureError;
use crate::xml::XmlError;

/// Lists each code with its meaning.
pub fn all() -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
    let own = [
        (SettingsError::CODE, "a setting of the connection is not sound"),
        (LoginError::CLIENT, "the connection is not configured in a way that works"),
        (LoginError::METADATA, "the metadata of the identity provider cannot be had now"),
        (FetchFailure::CODE, "the metadata could not be fetched"),
        (LogoutError::NO_ENDPOINT, "the identity provider has no address for sign-outs"),
        (LogoutError::NOT_SENT, "a message of a sign-out could not be signed or packed"),
    ];
    let rejections = Rejection::ALL.iter().map(|rejection| (rejection.code(), rejection.meaning()));
    let xml = XmlError::ALL.iter().map(|error| (error.code(), error.meaning()));
    let signature = SignatureError::ALL.iter().map(|error| (error.code(), error.meaning()));
    let status = StatusCode::ALL.iter().map(|status| (status.code(), status.meaning()));
    let keys = KeyError::ALL.iter().map(|error| (error.code(), Cow::Owned(error.to_string())));
    let metadata = MetadataRejection::ALL.iter().map(|rejection| (rejection.code(), rejection.meaning()));
    let warnings = MetadataWarning::ALL.iter().map(|warning| (warning.code(), warning.meaning()));
    let published = SpMetadataError::ALL.iter().map(|error| (error.code(), error.meaning()));
    let logout = LogoutRejection::ALL.iter().map(|rejection| (rejection.code(), rejection.meaning()));
    let said = own.into_iter().chain(rejections).chain(xml).chain(signature).chain(status);
    let said = said.chain(metadata).chain(warnings).chain(published).chain(logout);
    said.map(|(code, meaning)| (code, Cow::Borrowed(meaning))).chain(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_code_means_two_things() {
        let codes: BTreeSet<_> = all().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), all().count());
        assert!(codes.iter().all(|code| code.starts_with("saml.")));
    }
}
