//! The SCIM server: a directory or HR system drives accounts.

mod arguments;
mod connection;
mod run;
pub(crate) mod schemas;
mod stop;
pub(crate) mod token_files;
pub(crate) mod tokens;
mod work;

pub use run::{BAD_USAGE, CANNOT_SERVE, ENDED, run};

/// Where resources are found.
pub(crate) const BASE: &str = "/scim/v2";
