//! Targets as a configuration describes them: `portal` and `checkout` read the same.

mod deployment;
mod files;
mod mirror;
mod open;
mod roles;
mod scim;
mod settings;
mod token;
mod work;

pub(crate) use deployment::DeploymentSettings;
pub(crate) use files::read_text;
pub(crate) use mirror::check_waiters;
pub(crate) use open::{Directories, Opened, RoleOffer, open, open_to};
pub(crate) use settings::{TargetSettings, WaySettings, check_targets};
