//! The connection that records come over: the built-in one, or that of a file.

use std::fs;

use jit_core::TenantId;
use jit_core::config::{self, Check, ConnectionConfig, Format, Problems};
use serde::Deserialize;

use super::arguments::Who;
use super::stop::Stop;
use crate::portal::settings::ProtectionSettings;

/// Everybody who is told of is let in. Their `userName` is an attribute and no user name of ours, and so is their address:
/// nobody has proved it, and two may share one. Nothing is granted, because nobody has said yet what a group is worth: that
/// takes a `--config`.
const BUILT_IN: &str = r#"
id = "scim"
issuers = ["urn:jit:scim-server"]
policy = { rule = [{ name = "everybody", permit = {} }] }

[provisioning]
reactivates = true

[[mapping.attribute]]
attribute = "login"
claim = "userName"
max_bytes = 65536

[[mapping.attribute]]
attribute = "address"
claim = "/emails/0/value"
max_bytes = 65536

[[mapping.attribute]]
attribute = "display_name"
claim = "displayName"
max_bytes = 65536

[protocol]
"#;

/// What is on the command line is not here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scim {
    /// What nobody may break: the same as a portal on the same store says.
    #[serde(default)]
    pub(super) protection: ProtectionSettings,
    /// Whether an application on the same store takes notices of sessions that end.
    #[serde(default)]
    pub(super) leave_notices: bool,
}

impl Check for Scim {
    fn check(&self, found: &mut Problems) {
        found.within("protection", |found| self.protection.check(found));
    }
}

/// Reads the settings of the connection.
pub(super) fn settings(who: &Who) -> Result<ConnectionConfig<Scim>, Stop> {
    let (text, name) = match who {
        Who::Tenant(tenant) => (built_in(tenant), "built-in connection".to_owned()),
        Who::Config(file) => {
            let name = file.display().to_string();
            (fs::read_to_string(file).map_err(|error| Stop::unreadable(file, &error))?, name)
        }
    };
    let settings: ConnectionConfig<Scim> =
        config::load(&text, Format::Toml, &name).map_err(|problems| Stop::Settings(problems.to_string()))?;
    if settings.provisioning.is_none() {
        return Err(Stop::Settings(format!(
            "{name}: `provisioning` is missing: without it no record may come"
        )));
    }
    Ok(settings)
}

fn built_in(tenant: &TenantId) -> String {
    format!("tenant = {:?}\n{BUILT_IN}", tenant.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_connection_is_sound() {
        let settings = settings(&Who::Tenant(TenantId::new("acme").unwrap())).unwrap();
        assert_eq!(settings.tenant.as_str(), "acme");
        settings.define().unwrap();
    }
}
