//! The configuration of a portal, as people write it.

mod doors;
mod metadata;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use jit_core::config::{self, Check, ConnectionConfig, Format, Problems, check_connections};
use jit_core::{Code, Entitlement, Network, StoreId};
use jit_oidc::OidcSettings;
use jit_saml::SamlSettings;
use serde::Deserialize;
use url::Url;

use doors::check_door;
pub(crate) use doors::saml_address;
pub(crate) use metadata::{MetadataSettings, PublishSettings};

use crate::targets::{DeploymentSettings, Opened, TargetSettings, check_targets, open};

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

/// Describes a connection to an identity provider.
pub(crate) type DoorSettings = ConnectionConfig<Protocol>;

/// Says how people sign in over a connection: by exactly one protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Protocol {
    /// The name that people see.
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) oidc: Option<OidcSettings>,
    #[serde(default)]
    pub(crate) saml: Option<SamlSettings>,
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
}

impl Protocol {
    /// The protocol; `None` where there is not exactly one.
    pub(crate) fn method(&self) -> Option<Method<'_>> {
        match (&self.oidc, &self.saml) {
            (Some(oidc), None) => Some(Method::Oidc(oidc)),
            (None, Some(saml)) => Some(Method::Saml(saml)),
            _ => None,
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

    /// Does the same with the files of targets, which lie beside the configuration in `folder`.
    pub(crate) fn load_with_targets(
        text: &str,
        file: &str,
        folder: &Path,
    ) -> Result<(Self, Vec<Opened>), Problems> {
        let mut targets = Vec::new();
        let settings = config::load_with(text, Format::Toml, file, |settings: &Self, found| {
            settings.check(found);
            if found.is_empty() {
                targets = open(settings.deployment.as_ref(), &settings.target, folder, found);
            }
        })?;
        Ok((settings, targets))
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
        let mut tenants = BTreeMap::new();
        found.each("connection", &self.connection, |door, found| {
            if *tenants.entry(&door.id).or_insert(&door.tenant) != &door.tenant {
                let message = "another tenant's connection has this id, and addresses of the portal hold it";
                found.report_in("id", Code::new("config.duplicate_connection"), message);
            }
            if door.store.as_ref().is_some_and(|store| !stores.contains(store)) {
                found.report_in("store", Code::new("config.unknown_store"), "no `store` has this id");
            }
            check_door(door, &self.portal.base_url, found);
        });
        check_connections("connection", &self.connection, found);
        check_targets(self.deployment.as_ref(), &self.target, found);
    }
}

impl Check for Protocol {
    fn check(&self, found: &mut Problems) {
        match (&self.oidc, &self.saml) {
            (Some(oidc), None) => found.within("oidc", |found| Check::check(oidc, found)),
            (None, Some(saml)) => found.within("saml", |found| Check::check(saml, found)),
            (None, None) => found.report(Code::new("config.one_of"), "needs either `oidc` or `saml`"),
            (Some(_), Some(_)) => {
                found.report_in(
                    "saml",
                    Code::new("config.one_of"),
                    "goes with no `oidc` in the same connection",
                );
            }
        }
        if let Some(metadata) = &self.metadata {
            found.within("metadata", |found| metadata.check_beside(self.saml.as_ref(), found));
        }
        found.within("publish", |found| self.publish.check_beside(self.saml.as_ref(), found));
    }
}

#[cfg(test)]
mod tests {
    use jit_core::{Clock, SystemClock};

    use super::*;
    use crate::demo_saml_idp::Identity;

    const DOCUMENTATION: &str = include_str!("../../../docs/portal.md");

    fn example() -> &'static str {
        DOCUMENTATION.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()
    }

    fn problems(change: impl FnOnce(&str) -> String) -> String {
        Settings::load(&change(example()), "portal.toml").unwrap_err().to_string()
    }

    #[test]
    fn the_documented_configuration_is_sound() {
        let settings = Settings::load(example(), "portal.toml").unwrap();
        assert_eq!(settings.connection.len(), 1);
        assert_eq!(settings.portal.authority().unwrap(), "portal.example");
        assert_eq!(settings.protection.seats, Some(500));
    }

    #[test]
    fn the_documented_target_is_sound() {
        let target = DOCUMENTATION.split("```toml\n").nth(2).unwrap().split("```").next().unwrap();
        let settings = Settings::load(&format!("{}\n{target}", example()), "portal.toml").unwrap();
        assert_eq!(settings.target.len(), 1);
        let found = problems(|text| format!("{text}\n{}", target.replace("[deployment]", "[deploiment]")));
        assert!(found.contains("deploiment: unknown field"), "{found}");
        let nameless = target.split("[[target]]").nth(1).unwrap();
        let found = problems(|text| format!("{text}\n[[target]]{nameless}"));
        assert!(found.contains("needs `deployment`"), "{found}");
    }

    #[test]
    fn the_demo_is_sound() {
        let identity = Identity::generate("portal", SystemClock.now()).unwrap();
        let text = crate::portal::demo::CONNECTIONS
            .replace("{LISTEN}", "127.0.0.1:8080")
            .replace("{PORTAL}", "http://127.0.0.1:8080")
            .replace("{ACME}", "http://127.0.0.1:8081")
            .replace("{GUILD}", "http://127.0.0.1:8082")
            .replace("{FOUNDRY}", "http://127.0.0.1:8083")
            .replace("{KEY}", &identity.key)
            .replace("{CERTIFICATE}", &identity.certificate_pem());
        assert_eq!(Settings::load(&text, "demo.toml").unwrap().connection.len(), 3);
    }

    #[test]
    fn every_problem_names_file_line_field_and_code() {
        for (from, to, says) in [
            ("https://portal.example\" ", "http://portal.example\" ", "portal.base_url: must be https"),
            ("https://portal.example\" ", "https://portal.example/x\" ", "portal.base_url: must be"),
            ("sqlite:accounts.db", "mysql:accounts", "portal.store: "),
            ("# store = \"partners\"", "store = \"elsewhere\"", "connection[0].store: no `store`"),
            ("callback/acme\"", "callback/other\"", "connection[0].protocol.oidc.redirect_uri: must be"),
            ("client_id = \"portal\"", "client_id = \"\"", "connection[0].protocol.oidc.client_id: must not"),
            ("issuers = [\"https://op", "issuers = [\"https://other", "connection[0].issuers: are not those"),
            ("label =", "lable =", "connection[0].protocol.lable: unknown field"),
            ("domains = [\"acme.example\"]", "domains = [\".example\"]", "connection[0].domains"),
            ("verified = { claim = \"email_verified\" }", "", "connection[0].mapping.email"),
            ("name = \"anyone-from-acme\"", "subject = \"email\"", "connection[0].policy.rule[0].subject"),
        ] {
            assert!(example().contains(from), "{from}");
            let found = problems(|text| text.replacen(from, to, 1));
            assert!(found.starts_with("portal.toml:") && found.contains(says), "{found}");
        }
    }

    /// The documented configuration with the documented connection by SAML beside it.
    fn with_saml() -> String {
        let saml = DOCUMENTATION.split("```toml\n").nth(3).unwrap().split("```").next().unwrap();
        format!("{}\n{saml}", example())
    }

    #[test]
    fn the_documented_connection_by_saml_is_sound() {
        let settings = Settings::load(&with_saml(), "portal.toml").unwrap();
        assert!(matches!(settings.connection[1].protocol.method(), Some(Method::Saml(_))));
    }

    #[test]
    fn a_connection_has_exactly_one_protocol_and_what_belongs_to_it() {
        let file = "metadata = { file = \"university.xml\" }";
        let oidc = "[connection.protocol.saml]";
        for (from, to, says) in [
            (
                "entity_id = \"https://portal",
                "oidc = 1\nentity_id = \"https://portal",
                "connection[1].protocol.saml.oidc: unknown field",
            ),
            (
                oidc,
                "[connection.protocol.oidc]\nissuer = \"https://i\"\nclient_id = \"c\"\nredirect_uri = \"https://p\"\n\
                 [connection.protocol.saml]",
                "connection[1].protocol.saml: goes with no `oidc`",
            ),
            ("university/acs", "other/acs", "connection[1].protocol.saml.acs_url: must be the portal's"),
            (
                "skew_seconds = 180",
                "skew_seconds = 1",
                "connection[1].protocol.saml.skew_seconds: must be from",
            ),
            (
                "[\"https://idp.university.example/idp/shibboleth\"]",
                "[\"a\", \"b\"]",
                "connection[1].issuers: must be",
            ),
            (file, "", "connection[1].protocol: needs `saml.idp` or `metadata`"),
            (
                file,
                "metadata = { url = \"https://i\" }",
                "connection[1].protocol.metadata: needs `signed_by`",
            ),
            (
                file,
                "metadata = { file = \"f\", url = \"u\" }",
                "connection[1].protocol.metadata: needs either",
            ),
            (
                file,
                "metadata = { file = \"f\", dangerously_unsigned = true }",
                "connection[1].protocol.metadata: a file is believed",
            ),
            (
                file,
                "metadata = { url = \"https://i\", signed_by = [\"x\"] }",
                "connection[1].protocol.metadata.signed_by[0]: is not a certificate",
            ),
            (
                file,
                "metadata = { file = \"f\" }\npublish = { encryption = [\"x\"] }",
                "connection[1].protocol.publish.encryption[0]: is not a certificate",
            ),
        ] {
            assert!(with_saml().contains(from), "{from}");
            let found =
                Settings::load(&with_saml().replacen(from, to, 1), "portal.toml").unwrap_err().to_string();
            assert!(found.contains("portal.toml:") && found.contains(says), "{to}: {found}");
        }
    }

    #[test]
    fn a_connection_without_a_protocol_is_none() {
        let none = example().replace("[connection.protocol.oidc]", "[connection.protocol.ldap]");
        assert!(problems(|_| none).contains("connection[0].protocol.ldap: unknown field"));
        let bare = example().split("[connection.protocol.oidc]").next().unwrap().to_owned();
        assert!(problems(|_| bare).contains("connection[0].protocol: needs either `oidc` or `saml`"));
    }

    #[test]
    fn two_connections_cannot_have_one_id_or_one_issuer() {
        let second = |tenant: &str| {
            let connection = example().split("[[connection]]").nth(1).unwrap();
            format!("{}\n[[connection]]{}", example(), connection.replace("tenant = \"acme\"", tenant))
        };
        let found = problems(|_| second("tenant = \"acme\""));
        assert!(found.contains("config.duplicate_connection") && found.contains("config.duplicate_issuer"));
        // Another tenant's connection may have the id for the engine, but not for addresses of the portal.
        assert!(problems(|_| second("tenant = \"other\"")).contains("config.duplicate_connection"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let url = StoreUrl::try_from("postgres://jit:hush@127.0.0.1/jit".to_owned()).unwrap();
        assert!(!format!("{url:?}").contains("hush"));
    }
}
