//! The configuration of a portal, as people write it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use jit_core::config::{self, Check, Format, Problems};
use jit_core::{
    Code, ConnectionId, DomainSet, Entitlement, EntitlementPattern, LinkRule, MappingRules, Network,
    PolicyRules, StoreId, TenantId,
};
use jit_oidc::OidcSettings;
use serde::Deserialize;
use url::Url;

/// Holds what a configuration file says. `docs/portal.md` describes every key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) portal: PortalSettings,
    #[serde(default)]
    pub(crate) protection: ProtectionSettings,
    /// User stores beside the main one.
    #[serde(default)]
    pub(crate) store: Vec<StoreSettings>,
    #[serde(default)]
    pub(crate) connection: Vec<DoorSettings>,
}

/// Says where and as what the portal is reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalSettings {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// The address at which browsers reach it, without a slash at the end.
    pub(crate) base_url: String,
    /// The main user store: `sqlite:PATH` or a `postgres://` URL.
    pub(crate) store: StoreUrl,
    /// Whoever holds it sees the administration.
    #[serde(default)]
    pub(crate) admin: Option<Entitlement>,
    /// The proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub(crate) trusted_proxies: Vec<Network>,
}

/// Says what no connection may break.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProtectionSettings {
    /// Given only where a ceiling names it exactly.
    #[serde(default)]
    pub(crate) protected: Vec<Entitlement>,
    /// Somebody of each tenant always holds it.
    #[serde(default)]
    pub(crate) never_without: Vec<Entitlement>,
    /// The most accounts of a tenant.
    #[serde(default)]
    pub(crate) seats: Option<u32>,
}

/// Names a user store that connections may choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreSettings {
    pub(crate) id: StoreId,
    pub(crate) url: StoreUrl,
}

/// Describes a connection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DoorSettings {
    pub(crate) id: ConnectionId,
    pub(crate) tenant: TenantId,
    /// The name that people see.
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) domains: DomainSet,
    #[serde(default)]
    pub(crate) ceiling: Vec<EntitlementPattern>,
    #[serde(default)]
    pub(crate) link: Vec<LinkRule>,
    #[serde(default)]
    pub(crate) store: Option<StoreId>,
    pub(crate) oidc: OidcSettings,
    #[serde(default)]
    pub(crate) mapping: MappingRules,
    pub(crate) policy: PolicyRules,
}

/// Says where accounts are kept. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum StoreUrl {
    Sqlite(String),
    Postgres(String),
}

impl TryFrom<String> for StoreUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.to_owned())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text)),
            _ => Err("neither `sqlite:PATH` nor a `postgres://` URL"),
        }
    }
}

impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

impl Settings {
    /// Reads and checks a configuration; each problem names file, line and field.
    pub(crate) fn load(text: &str, file: &str) -> Result<Self, Problems> {
        config::load(text, Format::Toml, file)
    }

    pub(crate) fn door(&self, id: &str) -> Option<&DoorSettings> {
        self.connection.iter().find(|door| door.id.as_str() == id)
    }
}

impl PortalSettings {
    /// The host and port that browsers name.
    pub(crate) fn authority(&self) -> Option<String> {
        let url = Url::parse(&self.base_url).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    fn check(&self, found: &mut Problems) {
        let url = Url::parse(&self.base_url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.path() == "/"
                && url.query().is_none()
                && url.origin().ascii_serialization() == self.base_url
        });
        let Some(url) = url else {
            let message = "must be `https://HOST` or `https://HOST:PORT`, without path and slash at the end";
            return found.report_in("base_url", Code::new("config.invalid_value"), message);
        };
        let is_loopback = match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() == "http" && !is_loopback {
            let message = "must be https, except on this machine: sessions travel in cookies";
            found.report_in("base_url", Code::new("config.invalid_value"), message);
        }
    }
}

impl Check for Settings {
    fn check(&self, found: &mut Problems) {
        found.within("portal", |found| self.portal.check(found));
        if self.connection.is_empty() {
            found.report(Code::new("config.missing_field"), "needs at least one `connection`");
        }
        let stores: BTreeSet<_> = self.store.iter().map(|store| &store.id).collect();
        let mut ids = BTreeSet::new();
        let mut issuers = BTreeSet::new();
        found.each("connection", &self.connection, |door, found| {
            if !ids.insert(&door.id) {
                found.report_in(
                    "id",
                    Code::new("config.duplicate_connection"),
                    "another connection has this id",
                );
            }
            if door.store.as_ref().is_some_and(|store| !stores.contains(store)) {
                found.report_in("store", Code::new("config.unknown_store"), "no `store` has this id");
            }
            let issuer = door.oidc.issuer.as_ref();
            if issuer.is_some_and(|issuer| !issuers.insert((&door.tenant, issuer))) {
                let message = "another connection of the tenant has this issuer";
                let report = |found: &mut Problems| {
                    found.report_in("issuer", Code::new("config.duplicate_issuer"), message);
                };
                found.within("oidc", report);
            }
            door.check(&self.portal.base_url, found);
        });
    }
}

impl DoorSettings {
    /// Where the provider sends people back to: an address of this connection alone, so that the answer of one provider
    /// is never taken for that of another.
    pub(crate) fn callback(&self, base_url: &str) -> String {
        format!("{base_url}/callback/{}", self.id)
    }

    fn check(&self, base_url: &str, found: &mut Problems) {
        found.within("mapping", |found| self.mapping.check(found));
        found.within("policy", |found| self.policy.check(found));
        found.within("oidc", |found| {
            if let Err(error) = self.oidc.check() {
                found.report_in(error.field, Code::new("oidc.settings_invalid"), error.problem);
            } else if self.oidc.redirect_uri != self.callback(base_url) {
                let message = "must be the portal's `base_url`, then `/callback/` and the connection's id";
                found.report_in("redirect_uri", Code::new("config.invalid_value"), message);
            }
        });
    }
}
