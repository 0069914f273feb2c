//! Settings of a connection as people write them.

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::providers::Preset;
use crate::secret::Secret;

/// What people write about a connection to an OpenID provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OidcSettings {
    /// A well-known provider, whose peculiarities apply.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// The issuer, byte for byte as the provider writes it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Other spellings of the issuer in tokens.
    #[serde(default)]
    pub issuer_aliases: Vec<String>,
    /// The tenants that may sign in at a provider with many of them.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// The address of the metadata, where it is not the usual one.
    #[serde(default)]
    pub metadata: Option<String>,
    /// The name of this client at the provider.
    pub client_id: String,
    /// How this client authenticates.
    #[serde(default)]
    pub client: ClientSettings,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
    /// What is asked for; `openid` is always among it.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// How the answer comes back.
    #[serde(default)]
    pub response_mode: Option<ResponseMode>,
    /// What the provider must ask the person.
    #[serde(default)]
    pub prompt: Option<String>,
    /// How many seconds ago the person may have authenticated at most.
    #[serde(default)]
    pub max_age: Option<u32>,
    /// The authentication contexts that are asked for, in order of preference.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// The authentication contexts that are accepted; empty accepts all.
    #[serde(default)]
    pub required_acr: Vec<String>,
    /// The algorithms that are accepted.
    #[serde(default)]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Audiences beside this client that tokens may name.
    #[serde(default)]
    pub trusted_audiences: Vec<String>,
    /// Whether tokens must hold `at_hash`.
    #[serde(default)]
    pub require_at_hash: bool,
    /// How many seconds clocks may differ.
    #[serde(default = "usual_leeway")]
    pub leeway_seconds: u32,
    /// How many seconds a token may live.
    #[serde(default = "usual_lifetime")]
    pub max_lifetime_seconds: u32,
    /// How many seconds a person has for the sign-in.
    #[serde(default = "usual_patience")]
    pub sign_in_seconds: u32,
    /// Whether userinfo is asked for.
    #[serde(default)]
    pub userinfo: UserInfoUse,
    /// Switches that open a guard.
    #[serde(default)]
    pub dangerous: DangerousSettings,
}

/// How a client authenticates, as people write it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ClientSettings {
    /// A public client.
    #[default]
    None,
    /// The secret in a header.
    ClientSecretBasic {
        /// The secret.
        secret: Secret,
    },
    /// The secret in the body.
    ClientSecretPost {
        /// The secret.
        secret: Secret,
    },
    /// A signed assertion.
    PrivateKeyJwt {
        /// The key, PKCS#8 in PEM.
        key: Secret,
        /// The name under which the provider knows the key.
        #[serde(default)]
        kid: Option<String>,
    },
    /// A signed token in the place of the secret, as Apple wants it.
    SignedSecret {
        /// The key, PKCS#8 in PEM.
        key: Secret,
        /// The name under which the provider knows the key.
        kid: String,
        /// The team that owns the key.
        team: String,
    },
}

/// How the provider's answer comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseMode {
    /// In the query of the redirect.
    Query,
    /// In the body of a POST.
    FormPost,
}

/// Whether userinfo is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserInfoUse {
    /// Wherever the provider offers it.
    #[default]
    WhereOffered,
    /// Never: the ID token holds everything.
    Never,
}

/// Switches that open a guard.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DangerousSettings {
    /// Allows a provider on this machine without TLS: for tests and demonstrations.
    #[serde(default)]
    pub allow_loopback_http: bool,
    /// Lets every tenant of the provider sign in; anybody can open one.
    #[serde(default)]
    pub accept_any_tenant: bool,
}

fn usual_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

const fn usual_leeway() -> u32 {
    60
}

const fn usual_lifetime() -> u32 {
    24 * 60 * 60
}

const fn usual_patience() -> u32 {
    10 * 60
}

impl OidcSettings {
    /// Begins settings with what has no usual value; all others can be set afterwards.
    #[must_use]
    pub fn new(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Self {
        Self {
            preset: None,
            issuer: Some(issuer.into()),
            issuer_aliases: Vec::new(),
            tenants: Vec::new(),
            metadata: None,
            client_id: client_id.into(),
            client: ClientSettings::None,
            redirect_uri: redirect_uri.into(),
            scopes: usual_scopes(),
            response_mode: None,
            prompt: None,
            max_age: None,
            acr_values: Vec::new(),
            required_acr: Vec::new(),
            algorithms: None,
            trusted_audiences: Vec::new(),
            require_at_hash: false,
            leeway_seconds: usual_leeway(),
            max_lifetime_seconds: usual_lifetime(),
            sign_in_seconds: usual_patience(),
            userinfo: UserInfoUse::default(),
            dangerous: DangerousSettings::default(),
        }
    }
}
