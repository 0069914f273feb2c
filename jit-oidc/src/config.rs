//! Settings of a connection as people write them, and what they become when they are sound.

use chrono::TimeDelta;
use serde::Deserialize;
use url::Url;

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::client::{AssertionAudience, ClientAuthentication, SigningKey};
use crate::discovery::{Endpoints, is_allowed, metadata_address};
use crate::expectations::{IssuerRule, TENANT_PLACEHOLDER, TokenPolicy, is_tenant_id};
use crate::providers::{Peculiarities, Preset};
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

/// A setting is not sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
#[non_exhaustive]
pub struct SettingsError {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it; never its value.
    pub problem: &'static str,
}

impl SettingsError {
    /// The code of every unsound setting.
    pub const CODE: &'static str = "oidc.settings_invalid";

    const fn new(field: &'static str, problem: &'static str) -> Self {
        Self { field, problem }
    }
}

/// Settings that were found sound.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OidcConfig {
    pub(crate) policy: TokenPolicy,
    pub(crate) metadata: String,
    pub(crate) endpoints: Endpoints,
    pub(crate) client_id: String,
    pub(crate) client: ClientAuthentication,
    pub(crate) redirect_uri: Url,
    pub(crate) scope: String,
    pub(crate) response_mode: Option<ResponseMode>,
    pub(crate) prompt: Option<String>,
    pub(crate) max_age: Option<u32>,
    pub(crate) acr_values: Vec<String>,
    pub(crate) required_acr: Vec<String>,
    pub(crate) patience: TimeDelta,
    pub(crate) userinfo: UserInfoUse,
    pub(crate) peculiarities: Peculiarities,
}

impl OidcConfig {
    /// Returns the demands on ID tokens.
    #[must_use]
    pub const fn policy(&self) -> &TokenPolicy {
        &self.policy
    }

    /// Returns the issuers that may speak over the connection, as `jit-core` wants them.
    #[must_use]
    pub fn issuers(&self) -> Option<jit_core::IssuerSet> {
        self.policy.issuer.to_core()
    }

    /// Returns where people come back to.
    #[must_use]
    pub const fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Returns what is peculiar about the provider.
    #[must_use]
    pub const fn peculiarities(&self) -> &Peculiarities {
        &self.peculiarities
    }
}

impl OidcSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingsError`] that names the first unsound field.
    pub fn check(&self) -> Result<OidcConfig, SettingsError> {
        let peculiarities = self.preset.map(Preset::peculiarities).unwrap_or_default();
        let endpoints = if self.dangerous.allow_loopback_http {
            Endpoints::DangerousLoopbackHttp
        } else {
            Endpoints::Https
        };
        let issuer = self.issuer_rule(&peculiarities, endpoints)?;
        let metadata = self.metadata_address(&issuer, &peculiarities, endpoints)?;
        if self.client_id.is_empty() {
            return Err(SettingsError::new("client_id", "must not be empty"));
        }
        let response_mode = match self.response_mode {
            None if peculiarities.form_post => Some(ResponseMode::FormPost),
            mode => mode,
        };
        Ok(OidcConfig {
            policy: self.policy(issuer)?,
            metadata,
            endpoints,
            client_id: self.client_id.clone(),
            client: self.client.check(&peculiarities)?,
            redirect_uri: address(&self.redirect_uri, "redirect_uri", endpoints)?,
            scope: self.scope()?,
            response_mode,
            prompt: self.prompt.clone(),
            max_age: self.max_age,
            acr_values: self.acr_values.clone(),
            required_acr: self.required_acr.clone(),
            patience: TimeDelta::seconds(i64::from(self.sign_in_seconds)),
            userinfo: self.userinfo,
            peculiarities,
        })
    }

    fn issuer_rule(
        &self,
        peculiarities: &Peculiarities,
        endpoints: Endpoints,
    ) -> Result<IssuerRule, SettingsError> {
        let any = self.dangerous.accept_any_tenant;
        let fixed = self.issuer.as_deref().or(peculiarities.issuer);
        match (fixed, peculiarities.template) {
            (Some(issuer), _) if issuer.contains(TENANT_PLACEHOLDER) => self.tenants_rule(issuer),
            (None, Some(template)) => self.tenants_rule(template),
            (Some(_), _) if any || !self.tenants.is_empty() => {
                Err(SettingsError::new("tenants", "does not go with a fixed `issuer`"))
            }
            (Some(issuer), _) => {
                address(issuer, "issuer", endpoints)?;
                let preset = peculiarities.aliases.iter().map(|alias| (*alias).to_owned());
                let aliases = self.issuer_aliases.iter().cloned();
                let is_preset = peculiarities.issuer == Some(issuer);
                let aliases = aliases.chain(preset.filter(|_| is_preset)).collect();
                Ok(IssuerRule::with_aliases(issuer, aliases))
            }
            (None, None) => Err(SettingsError::new("issuer", "is missing")),
        }
    }

    fn tenants_rule(&self, template: &str) -> Result<IssuerRule, SettingsError> {
        let is_once = template.matches(TENANT_PLACEHOLDER).count() == 1;
        if !is_once || !template.starts_with("https://") {
            return Err(SettingsError::new("issuer", "must be https and name `{tenantid}` once"));
        }
        if !self.tenants.iter().all(|tenant| is_tenant_id(tenant)) {
            return Err(SettingsError::new("tenants", "must be tenant ids in lower case"));
        }
        match (self.tenants.is_empty(), self.dangerous.accept_any_tenant) {
            (false, false) => Ok(IssuerRule::tenants(template, self.tenants.iter().cloned())),
            (true, true) => Ok(IssuerRule::dangerous_any_tenant(template)),
            (true, false) => {
                Err(SettingsError::new("tenants", "must list who may sign in, or name a fixed `issuer`"))
            }
            (false, true) => Err(SettingsError::new("dangerous.accept_any_tenant", "contradicts `tenants`")),
        }
    }

    fn metadata_address(
        &self,
        issuer: &IssuerRule,
        peculiarities: &Peculiarities,
        endpoints: Endpoints,
    ) -> Result<String, SettingsError> {
        let published = issuer.published();
        let text = match (&self.metadata, peculiarities.tenants_metadata) {
            (Some(metadata), _) => metadata.clone(),
            (None, Some(metadata)) if published.contains(TENANT_PLACEHOLDER) => metadata.to_owned(),
            (None, _) if published.contains(TENANT_PLACEHOLDER) => {
                return Err(SettingsError::new("metadata", "is missing for an issuer with `{tenantid}`"));
            }
            (None, _) => metadata_address(published),
        };
        address(&text, "metadata", endpoints)?;
        Ok(text)
    }

    fn policy(&self, issuer: IssuerRule) -> Result<TokenPolicy, SettingsError> {
        if self.leeway_seconds > 600 {
            return Err(SettingsError::new("leeway_seconds", "must not be more than 600"));
        }
        let algorithms = self.algorithms.as_deref().map(AlgorithmSet::of).unwrap_or_default();
        if algorithms.is_empty() {
            return Err(SettingsError::new("algorithms", "must not be empty"));
        }
        let policy = TokenPolicy::new(issuer, self.client_id.clone())
            .algorithms(algorithms)
            .trusted_audiences(self.trusted_audiences.clone())
            .leeway(TimeDelta::seconds(i64::from(self.leeway_seconds)))
            .max_lifetime(TimeDelta::seconds(i64::from(self.max_lifetime_seconds)));
        Ok(if self.require_at_hash { policy.require_at_hash() } else { policy })
    }

    fn scope(&self) -> Result<String, SettingsError> {
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(SettingsError::new("scopes", "must hold `openid`"));
        }
        let is_token =
            |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        if !self.scopes.iter().all(is_token) {
            return Err(SettingsError::new("scopes", "must be words without blanks"));
        }
        Ok(self.scopes.join(" "))
    }
}

impl ClientSettings {
    fn check(&self, peculiarities: &Peculiarities) -> Result<ClientAuthentication, SettingsError> {
        let signing_key = |key: &Secret, kid: Option<String>| {
            SigningKey::from_pem(key, kid).map_err(|_| {
                SettingsError::new("client.key", "is not a PKCS#8 key for ES256, EdDSA or RS256")
            })
        };
        let filled = |secret: &Secret| match secret.expose() {
            "" => Err(SettingsError::new("client.secret", "must not be empty")),
            _ => Ok(secret.clone()),
        };
        Ok(match self {
            Self::None => ClientAuthentication::None,
            Self::ClientSecretBasic { secret } => ClientAuthentication::SecretBasic(filled(secret)?),
            Self::ClientSecretPost { secret } => ClientAuthentication::SecretPost(filled(secret)?),
            Self::PrivateKeyJwt { key, kid } => ClientAuthentication::PrivateKeyJwt {
                key: signing_key(key, kid.clone())?,
                audience: if peculiarities.assertion_for_token_endpoint {
                    AssertionAudience::TokenEndpoint
                } else {
                    AssertionAudience::Issuer
                },
            },
            Self::SignedSecret { key, kid, team } => ClientAuthentication::SignedSecret {
                key: signing_key(key, Some(kid.clone()))?,
                team: team.clone(),
            },
        })
    }
}

fn address(text: &str, field: &'static str, endpoints: Endpoints) -> Result<Url, SettingsError> {
    let url = Url::parse(text).map_err(|_| SettingsError::new(field, "is not an address"))?;
    if is_allowed(&url, endpoints) { Ok(url) } else { Err(SettingsError::new(field, "must be https")) }
}
