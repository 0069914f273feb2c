//! What settings become when they are sound.

use chrono::TimeDelta;
use url::Url;

use crate::algorithm::AlgorithmSet;
use crate::client::{AssertionAudience, ClientAuthentication, SigningKey};
use crate::discovery::{Endpoints, is_allowed, metadata_address};
use crate::expectations::{IssuerRule, TENANT_PLACEHOLDER, TokenPolicy, is_tenant_id};
use crate::providers::{Peculiarities, Preset};
use crate::secret::Secret;
use crate::settings::{ClientSettings, OidcSettings, ResponseMode, UserInfoUse};

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

    /// Returns the authentication contexts that are accepted; empty accepts all.
    #[must_use]
    pub fn required_acr(&self) -> &[String] {
        &self.required_acr
    }

    /// Returns how many seconds ago the person may have authenticated at most.
    #[must_use]
    pub const fn max_age(&self) -> Option<u32> {
        self.max_age
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

impl jit_core::config::Check for OidcSettings {
    fn check(&self, found: &mut jit_core::config::Problems) {
        if let Err(error) = Self::check(self) {
            found.report_in(error.field, jit_core::Code::new(SettingsError::CODE), error.problem);
        }
    }
}
