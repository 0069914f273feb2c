//! XML signatures in the one form that SAML needs (SAML Core §5.4).
//!
//! Verification answers [`SignedOctets`]: the very octets that were digested. Whoever wants to know what was signed reads
//! those, so what is signed is what is read. Transforms other than the two of the profile cannot be expressed here.

mod error;
mod octets;
mod profile;
mod sign;
mod verify;

pub use crate::crypto::{KeyError, VerificationKey};
pub use error::SignatureError;
pub use octets::{SignedOctets, VerifiedBy};
pub use profile::SignatureRules;
pub use sign::{SigningError, SigningKey, sign_enveloped};
pub(crate) use verify::longest_form;
pub use verify::{signature_of, signatures_in, verify, verify_detached};

/// The namespace of XML signatures.
pub const DSIG_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";

pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const ASSERTION_NAMESPACE: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
