//! What is peculiar about well-known providers, as data. No provider has code of its own.
//!
//! GitHub is missing on purpose: it signs people in with OAuth 2.0 and its own API, not with OpenID Connect.

use serde::{Deserialize, Serialize};

/// A well-known provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Preset {
    /// Microsoft Entra ID.
    Entra,
    /// Google and Google Workspace.
    Google,
    /// Okta.
    Okta,
    /// Sign in with Apple.
    Apple,
    /// Keycloak.
    Keycloak,
    /// Auth0.
    Auth0,
    /// GitLab as a provider.
    Gitlab,
}

/// What is peculiar about a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Peculiarities {
    /// The issuer, where there is one for everybody.
    pub issuer: Option<&'static str>,
    /// Other spellings of that issuer in tokens.
    pub aliases: &'static [&'static str],
    /// The issuers of all tenants, with `{tenantid}`.
    pub template: Option<&'static str>,
    /// Where the metadata for all tenants is.
    pub tenants_metadata: Option<&'static str>,
    /// Claims that are booleans but come as text or numbers.
    pub string_booleans: &'static [&'static str],
    /// The claim with groups that the provider cuts when there are many, and the flag by which it says so.
    pub overage: Option<Overage>,
    /// Whether parameters must come back by `form_post`.
    pub form_post: bool,
    /// Whether the audience of a client assertion must be the token endpoint instead of the issuer.
    pub assertion_for_token_endpoint: bool,
}

/// How a provider says that it left groups out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overage {
    /// The claim that is cut.
    pub claim: &'static str,
    /// The claim that is `true` then.
    pub flag: &'static str,
}

impl Preset {
    /// Lists every preset.
    pub const ALL: &'static [Self] =
        &[Self::Entra, Self::Google, Self::Okta, Self::Apple, Self::Keycloak, Self::Auth0, Self::Gitlab];

    /// Returns what is peculiar about the provider.
    #[must_use]
    pub const fn peculiarities(self) -> Peculiarities {
        match self {
            Self::Entra => ENTRA,
            Self::Google => GOOGLE,
            Self::Apple => APPLE,
            Self::Gitlab => GITLAB,
            // nothing: their issuers are those of the customer, and their tokens are as the specification says
            Self::Okta | Self::Keycloak | Self::Auth0 => NONE,
        }
    }
}

const NONE: Peculiarities = Peculiarities {
    issuer: None,
    aliases: &[],
    template: None,
    tenants_metadata: None,
    string_booleans: &[],
    overage: None,
    form_post: false,
    assertion_for_token_endpoint: false,
};

/// From 200 groups on, Entra sends `_claim_names` or `hasgroups` instead of the groups.
const ENTRA: Peculiarities = Peculiarities {
    template: Some("https://login.microsoftonline.com/{tenantid}/v2.0"),
    tenants_metadata: Some(
        "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration",
    ),
    string_booleans: &["xms_edov"],
    overage: Some(Overage { claim: "groups", flag: "hasgroups" }),
    assertion_for_token_endpoint: true,
    ..NONE
};

const GOOGLE: Peculiarities =
    Peculiarities { issuer: Some("https://accounts.google.com"), aliases: &["accounts.google.com"], ..NONE };

const APPLE: Peculiarities = Peculiarities {
    issuer: Some("https://appleid.apple.com"),
    string_booleans: &["email_verified", "is_private_email"],
    form_post: true,
    ..NONE
};

const GITLAB: Peculiarities = Peculiarities { issuer: Some("https://gitlab.com"), ..NONE };
