//! Targets: temporary accounts in a directory, made at check-out and gone at check-in.
//!
//! [`ActiveDirectoryTarget`] and [`OpenLdapTarget`] do the same by different means. An account is made by one request,
//! with its end and its marker in it; from then on it is known by the identifier that the directory gave it, wherever an
//! administrator moves it. Places and groups come from a table: no text of a role ever becomes part of a name.

mod accounts;
mod active_directory;
mod dialect;
mod fault;
mod find;
mod listing;
mod members;
mod open_ldap;
mod settings;
mod table;

pub use active_directory::ActiveDirectoryTarget;
pub use open_ldap::OpenLdapTarget;
pub use settings::{ActiveDirectorySettings, GroupSettings, OpenLdapSettings, ProtectedGroup};
