//! Applications that speak SCIM, as a configuration describes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jit_core::config::Problems;
use jit_core::{Code, SystemClock, Target};
use jit_scim::client::{ScimTarget, TargetProfile, guarded_transport};
use serde::Deserialize;

use super::files::{Credentials, read_secret};
use super::token::TokenOfFile;

/// Says where an application is, and what it bears.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScimSettings {
    /// The address that its endpoints lie below.
    pub(crate) url: String,
    /// The file with the token that it accepts, for nobody but its owner to read.
    pub(crate) token_file: PathBuf,
    /// What it bears: a preset, and what is said otherwise.
    #[serde(default = "generic")]
    pub(crate) profile: TargetProfile,
    /// Whether it may be reached by plain http on this machine: for demonstrations.
    #[serde(default)]
    pub(crate) dangerously_on_loopback: bool,
}

fn generic() -> TargetProfile {
    TargetProfile::preset(jit_scim::client::TargetPreset::Generic)
}

impl ScimSettings {
    /// Opens the way there; nothing is asked yet.
    pub(super) fn open(&self, folder: &Path, found: &mut Problems) -> Option<(Arc<dyn Target>, Credentials)> {
        let file = folder.join(&self.token_file);
        let token = read_secret(&file, "token_file", found)?;
        let Ok(text) = std::str::from_utf8(&token) else {
            found.report_in("token_file", Code::new("config.invalid_value"), "the token is no text");
            return None;
        };
        let builder = guarded_transport();
        let builder =
            if self.dangerously_on_loopback { builder.dangerous().allow_loopback_http() } else { builder };
        let transport = match builder.build() {
            Ok(transport) => Arc::new(transport),
            Err(error) => {
                found.report(Code::new("config.invalid_value"), error.to_string());
                return None;
            }
        };
        let credentials = Arc::new(TokenOfFile::new(file, text));
        let clock = Arc::new(SystemClock);
        match ScimTarget::new(&self.url, credentials, self.profile.clone(), transport, clock) {
            Ok(target) => {
                let credentials = Credentials { system: self.url.clone(), parts: vec![token] };
                Some((Arc::new(target), credentials))
            }
            Err(error) => {
                let field = if error.field == "base" { "url" } else { "profile" };
                found.report_in(field, Code::new("config.invalid_value"), error.to_string());
                None
            }
        }
    }
}
