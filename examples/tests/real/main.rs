//! The programs with real directories and databases: OpenLDAP, Samba as a domain controller of Active Directory, PostgreSQL;
//! and with a tester of SCIM that others wrote.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod checkout;
mod kills;
mod peer;
mod scim_server;
mod stopped;

#[path = "../support/scim.rs"]
mod scim;
#[path = "../support/scim_races.rs"]
mod scim_races;
