//! A connection of a portal configuration, as the place where expectations come from.

use chrono::{DateTime, Utc};

use super::Failure;
use super::arguments::ForBoth;
use super::explain::Explainer;
use crate::command_line::UsageError;
use crate::portal::settings::{DoorSettings, Method, Settings};

/// Holds a configuration and one connection of it.
pub(super) struct Configured {
    settings: Settings,
    door: DoorSettings,
}

impl Configured {
    /// Reads and checks the whole file, and finds the connection in it.
    pub(super) fn load(file: &str, connection: &str) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::File(file.to_owned(), error))?;
        let settings = Settings::load(&text, file).map_err(Failure::Settings)?;
        let door = settings.connection.iter().find(|door| door.id.as_str() == connection).cloned();
        match door {
            Some(door) => Ok(Self { settings, door }),
            None => Err(wrong(format!("`{file}` has no connection `{connection}`"))),
        }
    }

    pub(super) fn door(&self) -> &DoorSettings {
        &self.door
    }

    /// Says what is wrong with the connection.
    pub(super) fn unusable(&self, error: &dyn std::fmt::Display) -> Failure {
        wrong(format!("connection `{}`: {error}", self.door.id))
    }

    /// Says with which command the connection is inspected, having asked for another one.
    pub(super) fn of_another_protocol(&self) -> Failure {
        self.unusable(&match self.door.protocol.method() {
            Some(Method::Oidc(_)) => "has another protocol: use `inspect oidc`",
            Some(Method::Saml(_)) => "has another protocol: use `inspect saml`",
            Some(Method::Ldap(_)) => {
                "signs people in by a password: nothing is left of it that could be inspected"
            }
            Some(Method::Scim(_)) | None => "signs nobody in: there is no evidence of it to inspect",
        })
    }

    /// Prepares explanations over the store, or over an empty one, where they are asked for.
    pub(super) fn explainer(
        &self,
        asked: &ForBoth,
        now: DateTime<Utc>,
    ) -> Result<Option<Explainer<'_>>, Failure> {
        if !asked.explain {
            return Ok(None);
        }
        Explainer::new(&self.settings, &self.door, asked.store.as_deref(), now).map(Some)
    }
}

fn wrong(message: String) -> Failure {
    Failure::Usage(UsageError::Unclear(message))
}
