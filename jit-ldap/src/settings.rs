//! The servers of a directory as people write them in settings.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use serde::Deserialize;
use zeroize::Zeroize as _;

use crate::directory::Directory;
use crate::error::LdapError;
use crate::pool::{PoolSettings, ServiceAccount};
use crate::reason::Reason;
use crate::server::{self, Server};
use crate::tls::{Roots, Tls};

/// What people write about the servers of a directory. `Debug` shows no password, which is wiped from memory when they are
/// dropped.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectorySettings {
    /// The servers, in the order in which they are asked: `ldaps://host` or `ldap://host`, with a port where it is not the
    /// usual one. Behind `ldap://` TLS begins before anything else is asked.
    pub servers: Vec<String>,
    /// The name of the account to work with.
    pub account: String,
    /// Its password.
    pub password: String,
    /// How many connections there are to each server at most.
    #[serde(default = "usual_connections")]
    pub connections: u8,
}

fn usual_connections() -> u8 {
    PoolSettings::default().size
}

impl DirectorySettings {
    /// Settings with the usual number of connections.
    #[must_use]
    pub fn new(servers: Vec<String>, account: &str, password: &str) -> Self {
        let (account, password) = (account.to_owned(), password.to_owned());
        Self { servers, account, password, connections: usual_connections() }
    }

    /// Makes the directory. Nothing is connected yet. Which authorities vouch for the servers, and by which provider, is
    /// for the application to say.
    ///
    /// # Errors
    /// `ldap.settings_invalid` when a server is written in another way, there is none, or there is no authority to trust;
    /// `ldap.name_empty`, `ldap.password_empty`, `ldap.password_malformed`.
    pub fn open(&self, provider: Arc<CryptoProvider>, roots: Roots) -> Result<Directory, LdapError> {
        let tls = Tls::new(provider, roots)?;
        let account = ServiceAccount::new(&self.account, &self.password)?;
        let servers: Result<Vec<_>, Reason> =
            self.servers.iter().map(|text| Ok(Address::parse(text)?.server(&tls))).collect();
        let servers = servers?;
        if servers.is_empty() || !(1..=32).contains(&self.connections) {
            return Err(Reason::SettingsInvalid.into());
        }
        let settings = PoolSettings { size: self.connections, ..PoolSettings::default() };
        Ok(Directory::new(servers, &account, settings))
    }
}

impl Drop for DirectorySettings {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

impl fmt::Debug for DirectorySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectorySettings").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// A server as people write it.
pub(crate) struct Address<'a> {
    host: &'a str,
    port: Option<u16>,
    /// Whether TLS is there from the first byte.
    is_tls: bool,
}

impl<'a> Address<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Reason> {
        let (is_tls, rest) = match text.strip_prefix("ldaps://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("ldap://").ok_or(Reason::SettingsInvalid)?),
        };
        let (host, port) = split(rest.strip_suffix('/').unwrap_or(rest)).ok_or(Reason::SettingsInvalid)?;
        match port.map(str::parse) {
            None => Ok(Self { host, port: None, is_tls }),
            Some(Ok(port)) if port > 0 => Ok(Self { host, port: Some(port), is_tls }),
            Some(_) => Err(Reason::SettingsInvalid),
        }
    }

    /// Names what counts failures there.
    pub(crate) fn system(&self) -> String {
        server::system_of(self.host, self.port)
    }

    fn server(&self, tls: &Tls) -> Server {
        let tls = tls.clone();
        let server =
            if self.is_tls { Server::ldaps(self.host, tls) } else { Server::start_tls(self.host, tls) };
        match self.port {
            Some(port) => server.port(port),
            None => server,
        }
    }
}

/// Splits host and port; an address of version 6 stands in brackets.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    (!host.is_empty() && host.chars().all(is_plain)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (text, expected) in [
            ("dc1.example.com", Some(("dc1.example.com", None))),
            ("dc1.example.com:3269", Some(("dc1.example.com", Some("3269")))),
            ("[::1]:636", Some(("::1", Some("636")))),
            ("[fe80::1]", Some(("fe80::1", None))),
            ("", None),
            (":636", None),
            ("[::1", None),
            ("[x]", None),
            ("[::1]636", None),
            ("host/dc=example", None),
            ("user@host", None),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[cfg(feature = "platform-roots")]
    #[test]
    fn what_is_no_server_is_refused() {
        let tls =
            Tls::new(Arc::new(rustls::crypto::aws_lc_rs::default_provider()), Roots::platform()).unwrap();
        let id = |text| Address::parse(text).map(|address| address.server(&tls).id().as_str().to_owned());
        assert_eq!(id("ldaps://DC1.example.com"), Ok("dc1.example.com:636".to_owned()));
        assert_eq!(id("ldap://dc1.example.com/"), Ok("dc1.example.com:389".to_owned()));
        assert_eq!(id("ldaps://dc1:3269"), Ok("dc1:3269".to_owned()));
        for bad in [
            "dc1",
            "http://dc1",
            "ldaps://",
            "ldaps://dc1:0",
            "ldaps://dc1:99999",
            "ldaps://dc1:",
            "ldapi://x",
        ] {
            assert_eq!(id(bad), Err(Reason::SettingsInvalid), "{bad}");
        }
    }
}
