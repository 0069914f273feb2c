//! Real directories, started from `tests/peers`: OpenLDAP with its overlays, and Samba as a domain controller of Active
//! Directory.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests"
)]

mod active_directory;
mod import;
mod lockout;
mod openldap;
mod peer;
mod pools;
mod scripted;
mod secrets;
mod sign_in;
mod silent;
mod suite;
mod target;
mod unfit;
mod ways;
