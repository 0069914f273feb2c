use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Tells that the operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("no randomness available")]
pub struct RandomError;

/// Makes an unguessable token: 256 random bits in base64url.
///
/// # Errors
/// `RandomError` when the operating system gives no randomness.
pub fn random_token() -> Result<String, RandomError> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Compares two secrets in a time that tells nothing of their content.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    !one.is_empty() && verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}
