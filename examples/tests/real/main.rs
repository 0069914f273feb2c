//! The programs with real directories, databases and producers: OpenLDAP, Samba as a domain controller of Active Directory,
//! PostgreSQL; what writes and encrypts SAML responses.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod checkout;
mod encrypted;
mod kills;
mod mirrors;
mod peer;
mod stopped;
