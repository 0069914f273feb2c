use jit_core::{AttestError, VerifyError};

/// Why evidence is not accepted.
#[derive(Clone)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) reason: String,
}

impl From<jit_oidc::Rejection> for Refusal {
    fn from(rejection: jit_oidc::Rejection) -> Self {
        Self { code: rejection.code().to_owned(), reason: rejection.to_string() }
    }
}

impl From<jit_saml::Rejection> for Refusal {
    fn from(rejection: jit_saml::Rejection) -> Self {
        Self { code: rejection.code().to_owned(), reason: rejection.to_string() }
    }
}

impl From<jit_saml::signature::SignatureError> for Refusal {
    fn from(error: jit_saml::signature::SignatureError) -> Self {
        Self { code: error.code().to_owned(), reason: error.to_string() }
    }
}

impl From<jit_saml::metadata::MetadataError> for Refusal {
    fn from(error: jit_saml::metadata::MetadataError) -> Self {
        Self { code: error.code().to_string(), reason: error.to_string() }
    }
}

impl From<AttestError> for Refusal {
    fn from(error: AttestError) -> Self {
        Self { code: error.code().to_string(), reason: error.to_string() }
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self { code: error.code().to_string(), reason: innermost.to_string() }
    }
}
