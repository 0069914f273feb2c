//! Sign-in with SAML 2.0: what is signed is what is read.

pub mod base64_text;
pub mod crypto;
pub mod signature;
pub mod xml;
