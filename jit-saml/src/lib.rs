//! Sign-in with SAML 2.0: what is signed is what is read.
