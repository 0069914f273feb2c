use std::path::PathBuf;

use jit_core::Code;
use jit_core::config::Problems;
use jit_scim::Tolerance;
use serde::Deserialize;

use super::DoorSettings;

/// Says how a directory drives the accounts of a connection over SCIM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScimSettings {
    /// Who may speak for the directory: a file beside the configuration, as `scim-server` has it.
    pub(crate) token_file: PathBuf,
    /// The provider whose quirks are borne: `entra`, `okta`, or `strict`.
    #[serde(default)]
    pub(crate) tolerance: Bears,
    /// Whether a POST of somebody who is known says what is new about them, as HR feeds in bulk have it.
    #[serde(default)]
    pub(crate) feed: bool,
    /// Files with more schemas.
    #[serde(default)]
    pub(crate) schemas: Vec<PathBuf>,
    /// Files with more resource types.
    #[serde(default)]
    pub(crate) resource_types: Vec<PathBuf>,
}

/// Names what is borne.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Bears(pub(crate) Tolerance);

impl Default for Bears {
    fn default() -> Self {
        Self(Tolerance::strict())
    }
}

impl TryFrom<String> for Bears {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        Tolerance::named(&name).map(Self).ok_or("none of `strict`, `entra`, `okta`")
    }
}

/// Checks what a connection over SCIM needs besides.
pub(super) fn check_source(door: &DoorSettings, found: &mut Problems) {
    if door.provisioning.is_none() {
        let message = "is missing: without it a connection may not speak of joiners, movers and leavers";
        found.report_in("provisioning", Code::new("config.missing_field"), message);
    }
    if door.store.is_some() {
        let message = "has no place beside `scim`: its accounts are kept in the main store";
        found.report_in("store", Code::new("config.contradiction"), message);
    }
}
