//! The programs with real directories and databases: OpenLDAP, Samba as a domain controller of Active Directory, PostgreSQL.

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
mod stopped;
