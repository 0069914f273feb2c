//! Targets: temporary accounts in a directory, made at check-out and gone at check-in.
//!
//! [`ActiveDirectoryTarget`], [`OpenLdapTarget`] and [`CustomTarget`] do the same by different means. An account is made with
//! its end and its marker in it; from then on it is known by the identifier that the directory gave it, wherever an
//! administrator moves it. Places and groups come from a table: no text of a role ever becomes part of a name.

mod absence;
mod accounts;
mod active_directory;
mod dialect;
mod elevation;
mod fault;
mod find;
mod followed;
mod guard;
mod homes;
mod lent;
mod life;
mod listing;
mod making;
mod members;
mod named;
mod plain;
mod profile;
mod protected;
mod settings;
mod table;
mod taking;
mod targets;
mod timed;

pub use profile::{PasswordWay, TimeForm};
pub use settings::{
    ActiveDirectorySettings, CustomSettings, EndSettings, GroupSettings, MembershipSettings,
    OpenLdapSettings, ProtectedGroup, SwitchSettings,
};
pub use targets::{ActiveDirectoryTarget, CustomTarget, OpenLdapTarget};
