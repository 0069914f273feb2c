//! The configuration of a portal, as people write it.

mod beside;
mod doors;
mod metadata;
mod protection;
mod scim;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jit_core::config::{self, Check, ConnectionConfig, Format, Problems, check_connections};
use jit_core::{Code, ConnectionId, Entitlement, Network, StoreId};
use jit_ldap::SignInSettings;
use jit_oidc::OidcSettings;
use jit_saml::SamlSettings;
use serde::Deserialize;
use url::Url;

pub(crate) use beside::Beside;
use doors::check_door;
pub(crate) use doors::saml_address;
pub(crate) use metadata::{MetadataSettings, PublishSettings, Terms};
pub(crate) use protection::ProtectionSettings;
pub(crate) use scim::ScimSettings;

use crate::targets::{DeploymentSettings, TargetSettings, WaySettings, check_targets, check_waiters};

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
    /// What marks the accounts that are lent in targets.
    #[serde(default)]
    pub(crate) deployment: Option<DeploymentSettings>,
    /// Where people of the portal can check out accounts.
    #[serde(default)]
    pub(crate) target: Vec<TargetSettings>,
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
    /// Whether an application on the same store takes notices of sessions that end.
    #[serde(default)]
    pub(crate) leave_notices: bool,
}

/// Names a user store that connections may choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreSettings {
    pub(crate) id: StoreId,
    pub(crate) url: StoreUrl,
}

/// Describes a connection to an identity provider.
pub(crate) type DoorSettings = ConnectionConfig<Protocol>;

/// Says how people sign in over a connection, or how a directory speaks of them: by exactly one protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Protocol {
    /// The name that people see.
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) oidc: Option<OidcSettings>,
    #[serde(default)]
    pub(crate) saml: Option<SamlSettings>,
    /// A directory that people prove their name and password to.
    #[serde(default)]
    pub(crate) ldap: Option<SignInSettings>,
    #[serde(default)]
    pub(crate) scim: Option<ScimSettings>,
    /// The way to the servers of `ldap`.
    #[serde(default)]
    pub(crate) directory: Option<WaySettings>,
    /// Where the metadata of the SAML provider comes from; in the place of `saml.idp`.
    #[serde(default)]
    pub(crate) metadata: Option<MetadataSettings>,
    /// Certificates of one's own that the portal's SAML metadata shows beside that of `saml.signing`.
    #[serde(default)]
    pub(crate) publish: PublishSettings,
}

/// Names the protocol of a connection.
pub(crate) enum Method<'a> {
    Oidc(&'a OidcSettings),
    Saml(&'a SamlSettings),
    Ldap(&'a SignInSettings),
    Scim(&'a ScimSettings),
}

impl Protocol {
    /// The protocol; `None` where there is not exactly one.
    pub(crate) fn method(&self) -> Option<Method<'_>> {
        let mut methods = self.methods().into_iter().filter_map(|(_, method)| method);
        methods.next().filter(|_| methods.next().is_none())
    }

    fn methods(&self) -> [(&'static str, Option<Method<'_>>); 4] {
        [
            ("oidc", self.oidc.as_ref().map(Method::Oidc)),
            ("saml", self.saml.as_ref().map(Method::Saml)),
            ("ldap", self.ldap.as_ref().map(Method::Ldap)),
            ("scim", self.scim.as_ref().map(Method::Scim)),
        ]
    }

    fn check_methods(&self, found: &mut Problems) {
        let one_of = || Code::new("config.one_of");
        let named: Vec<_> = self.methods().into_iter().filter(|(_, method)| method.is_some()).collect();
        match named.as_slice() {
            [] => found.report(one_of(), "needs one of `oidc`, `saml`, `ldap` and `scim`"),
            [(first, _), others @ ..] => others.iter().for_each(|(other, _)| {
                found.report_in(other, one_of(), format!("goes with no `{first}` in the same connection"));
            }),
        }
    }

    fn check_directory(&self, found: &mut Problems) {
        if self.ldap.is_some() && self.directory.is_none() {
            let message = "needs `directory` beside `ldap`: the servers, and the account to work with";
            found.report(Code::new("config.missing_field"), message);
        }
        if self.directory.is_some() && self.ldap.is_none() {
            found.report_in("directory", Code::new("config.one_of"), "goes with `ldap` only");
        }
    }
}

/// Says where accounts are kept. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum StoreUrl {
    Sqlite(String),
    Postgres(String),
}

impl StoreUrl {
    /// The file that it names and that is not there, which whoever opens it would make. Paths are relative to the folder.
    pub(crate) fn missing_file(&self, folder: &Path) -> Option<PathBuf> {
        let Self::Sqlite(path) = self else { return None };
        let path = folder.join(path);
        let is_missing = path.metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        is_missing.then_some(path)
    }

    /// Whether it says a password.
    pub(crate) fn holds_password(&self) -> bool {
        let Self::Postgres(url) = self else { return false };
        url.parse::<tokio_postgres::Config>().is_ok_and(|config| config.get_password().is_some())
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.to_owned())),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres(text)),
            Some(("postgres", url)) if !url.is_empty() => Ok(Self::Postgres(url.to_owned())),
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
        found.within("protection", |found| self.protection.check(found));
        if self.connection.is_empty() {
            found.report(Code::new("config.missing_field"), "needs at least one `connection`");
        }
        let stores: BTreeSet<_> = self.store.iter().map(|store| &store.id).collect();
        let mut tenants = BTreeMap::new();
        found.each("connection", &self.connection, |door, found| {
            if *tenants.entry(&door.id).or_insert(&door.tenant) != &door.tenant {
                let message = "another tenant's connection has this id, and addresses of the portal hold it";
                found.report_in("id", Code::new("config.duplicate_connection"), message);
            }
            if door.store.as_ref().is_some_and(|store| !stores.contains(store)) {
                found.report_in("store", Code::new("config.unknown_store"), "no `store` has this id");
            }
            check_door(door, self, found);
        });
        check_connections("connection", &self.connection, found);
        check_targets(self.deployment.as_ref(), &self.target, found);
        let named = |id: &ConnectionId| {
            let door = self.connection.iter().find(|door| door.id == *id)?;
            Some((&door.tenant, door.provisioning.is_some()))
        };
        check_waiters(&self.target, named, found);
    }
}

impl Check for Protocol {
    fn check(&self, found: &mut Problems) {
        self.check_methods(found);
        self.check_directory(found);
        match self.method() {
            Some(Method::Oidc(oidc)) => found.within("oidc", |found| Check::check(oidc, found)),
            Some(Method::Saml(saml)) => found.within("saml", |found| Check::check(saml, found)),
            Some(Method::Ldap(ldap)) => found.within("ldap", |found| Check::check(ldap, found)),
            Some(Method::Scim(_)) | None => {}
        }
        if let Some(metadata) = &self.metadata {
            found.within("metadata", |found| metadata.check_beside(self.saml.as_ref(), found));
        }
        found.within("publish", |found| self.publish.check_beside(self.saml.as_ref(), found));
    }
}

#[cfg(test)]
mod tests;
