//! What can go wrong with metadata.

use jit_core::{Code, ErrorClass};

use super::fetch::FetchFailure;
use super::rejection::MetadataRejection;
use crate::signature::SignatureError;
use crate::xml::XmlError;

/// Why metadata cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The document is not strict XML within the limits.
    #[error("the metadata is not well-formed within its limits")]
    Xml(#[from] XmlError),
    /// The signature of the root does not hold.
    #[error("the signature of the metadata does not hold")]
    Signature(#[from] SignatureError),
    /// The document, or the entity, is refused.
    #[error("the metadata is refused")]
    Rejected(#[from] MetadataRejection),
    /// The document could not be fetched.
    #[error("the metadata could not be fetched")]
    Fetch(#[from] FetchFailure),
}

impl MetadataError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::new(match self {
            Self::Xml(error) => error.code(),
            Self::Signature(error) => error.code(),
            Self::Rejected(rejection) => rejection.code(),
            Self::Fetch(_) => FetchFailure::CODE,
        })
    }

    /// Explains the code in one phrase without any value from the document.
    #[must_use]
    pub const fn meaning(&self) -> &'static str {
        match self {
            Self::Xml(error) => error.meaning(),
            Self::Signature(error) => error.meaning(),
            Self::Rejected(rejection) => rejection.meaning(),
            Self::Fetch(_) => "the metadata could not be fetched",
        }
    }

    /// Tells what a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Fetch(_) | Self::Rejected(MetadataRejection::NotFetched) => ErrorClass::Transient,
            _ => ErrorClass::Rejected,
        }
    }

    /// Returns the rule that was broken, if that is what happened.
    #[must_use]
    pub const fn rejection(&self) -> Option<MetadataRejection> {
        match self {
            Self::Rejected(rejection) => Some(*rejection),
            _ => None,
        }
    }
}
