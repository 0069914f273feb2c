//! The configuration.

use std::path::Path;

use jit_core::config::{self, Check, Format, Problems};
use jit_core::{Code, Span, TenantId};
use serde::Deserialize;

use crate::portal::settings::{ProtectionSettings, StoreUrl};
use crate::targets::{DeploymentSettings, Directories, Opened, TargetSettings, check_targets, open};

/// Holds what a configuration file says. `docs/checkout.md` describes every key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) checkout: CheckoutSettings,
    /// What nobody may break: the same as a portal on the same store says.
    #[serde(default)]
    pub(super) protection: ProtectionSettings,
    #[serde(default)]
    pub(super) deployment: Option<DeploymentSettings>,
    #[serde(default)]
    target: Vec<TargetSettings>,
}

/// Says whose leases these are, and where they are kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckoutSettings {
    /// `sqlite:PATH` or a `postgres://` URL.
    pub(super) store: StoreUrl,
    pub(super) tenant: TenantId,
    /// The longest pause between two runs after which the clock is believed; twelve hours unless said otherwise.
    #[serde(default)]
    pub(super) downtime: Option<Span>,
    /// Whether an application on the same store takes notices of sessions that end.
    #[serde(default)]
    pub(super) leave_notices: bool,
}

impl Settings {
    /// Reads and checks a configuration, with the files that it names; each problem names file, line and field.
    ///
    /// One that others than its owner may read must hold no password.
    pub(super) fn load(text: &str, file: &Path, is_exposed: bool) -> Result<(Self, Vec<Opened>), Problems> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut targets = Vec::new();
        let settings =
            config::load_with(text, Format::Toml, &file.display().to_string(), |settings: &Self, found| {
                settings.check(found);
                settings.check_exposure(is_exposed, found);
                if found.is_empty() {
                    let tenants = [settings.checkout.tenant.clone()].into();
                    let deployment = settings.deployment.as_ref();
                    let ways = settings.target.iter().filter_map(|target| target.directory.as_ref());
                    let ways = Directories::in_folder(folder, ways);
                    targets = open(deployment, &settings.target, &tenants, &ways, found);
                }
            })?;
        Ok((settings, targets))
    }

    fn check_exposure(&self, is_exposed: bool, found: &mut Problems) {
        if is_exposed && self.checkout.store.holds_password() {
            let message = "others than the owner of the configuration may read it: it holds a password";
            found.within("checkout", |found| {
                found.report_in("store", Code::new("config.file_exposed"), message);
            });
        }
    }

    fn check(&self, found: &mut Problems) {
        found.within("protection", |found| Check::check(&self.protection, found));
        check_targets(self.deployment.as_ref(), &self.target, found);
        found.each("target", &self.target, |target, found| {
            if target.in_memory.is_some() {
                let message = "is gone when the program ends: only a portal can have such a target";
                found.report_in("in_memory", Code::new("config.invalid_value"), message);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTATION: &str = include_str!("../../../docs/checkout.md");

    #[test]
    fn the_documented_configuration_is_sound() {
        let text = DOCUMENTATION.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let settings = config::load_with(text, Format::Toml, "checkout.toml", Settings::check).unwrap();
        assert_eq!(settings.target.len(), 2);
    }

    #[test]
    fn records_of_ended_leases_are_kept_for_thirty_days_at_least() {
        let text = DOCUMENTATION.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let load = |span: &str| {
            let text = text.replace("keep_ended_for = \"400d\"", &format!("keep_ended_for = \"{span}\""));
            config::load_with(&text, Format::Toml, "checkout.toml", Settings::check)
        };
        for span in ["30d", "400d", "36500d"] {
            load(span).unwrap();
        }
        for span in ["29d", "1s"] {
            let found = load(span).unwrap_err().to_string();
            assert!(found.contains("keep_ended_for") && found.contains("config.out_of_range"), "{found}");
        }
    }

    #[test]
    fn the_documentation_names_every_option() {
        let usage = crate::checkout::arguments::USAGE;
        let options = usage.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        for option in options.filter(|word| word.starts_with("--") && *word != "--help") {
            assert!(DOCUMENTATION.contains(option), "{option}");
        }
    }
}
