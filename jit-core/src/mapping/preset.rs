//! Rules that suit well-known products, as data.

use serde::{Deserialize, Serialize};

use super::MappingRules;

/// Names rules that suit the claims of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Preset {
    /// Microsoft Entra ID.
    Entra,
    /// Okta.
    Okta,
    /// Google.
    Google,
    /// Keycloak.
    Keycloak,
    /// Auth0.
    Auth0,
    /// GitHub, by the members of its user resource.
    #[serde(rename = "github")]
    GitHub,
    /// GitLab.
    #[serde(rename = "gitlab")]
    GitLab,
    /// Microsoft Entra ID, by the attributes of its SAML assertions.
    EntraSaml,
    /// Okta, by the attributes of its SAML assertions.
    OktaSaml,
    /// Google Workspace, by the attributes of its SAML assertions.
    GoogleSaml,
    /// Keycloak, by the attributes of its SAML assertions.
    KeycloakSaml,
    /// Active Directory Federation Services, by the attributes of its SAML assertions.
    AdfsSaml,
    /// Shibboleth and other providers of research and education, by the OIDs of eduPerson.
    Shibboleth,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 13] = [
        Self::Entra,
        Self::Okta,
        Self::Google,
        Self::Keycloak,
        Self::Auth0,
        Self::GitHub,
        Self::GitLab,
        Self::EntraSaml,
        Self::OktaSaml,
        Self::GoogleSaml,
        Self::KeycloakSaml,
        Self::AdfsSaml,
        Self::Shibboleth,
    ];

    /// The rules as the TOML text that they are written in.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Entra => include_str!("presets/entra.toml"),
            Self::Okta => include_str!("presets/okta.toml"),
            Self::Google => include_str!("presets/google.toml"),
            Self::Keycloak => include_str!("presets/keycloak.toml"),
            Self::Auth0 => include_str!("presets/auth0.toml"),
            Self::GitHub => include_str!("presets/github.toml"),
            Self::GitLab => include_str!("presets/gitlab.toml"),
            Self::EntraSaml => include_str!("presets/entra_saml.toml"),
            Self::OktaSaml => include_str!("presets/okta_saml.toml"),
            Self::GoogleSaml => include_str!("presets/google_saml.toml"),
            Self::KeycloakSaml => include_str!("presets/keycloak_saml.toml"),
            Self::AdfsSaml => include_str!("presets/adfs_saml.toml"),
            Self::Shibboleth => include_str!("presets/shibboleth.toml"),
        }
    }

    /// The rules.
    #[must_use]
    pub fn rules(self) -> MappingRules {
        // A test loads and checks every preset, so that there is always something to read.
        toml::from_str(self.text()).unwrap_or_default()
    }
}
