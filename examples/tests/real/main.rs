//! The programs with real directories, databases and producers: OpenLDAP, Samba as a domain controller of Active Directory,
//! PostgreSQL; what writes and encrypts SAML responses; a tester of SCIM.

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
mod scim_server;
mod sign_in;
mod stopped;

#[path = "../support/browser.rs"]
mod browser;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/scim.rs"]
mod scim;
#[path = "../support/scim_races.rs"]
mod scim_races;
