//! Where a directory is, and how the way there is protected.

use std::fmt;
use std::net::IpAddr;

use crate::tls::Tls;

/// The ports of one directory by convention: LDAP and the global catalogue of Active Directory, each with TLS and without.
const USUAL_PORTS: [u16; 4] = [389, 636, 3268, 3269];

/// One server of a directory.
#[derive(Debug, Clone)]
pub struct Server {
    host: String,
    port: u16,
    protection: Protection,
}

/// How the way to a server is protected.
#[derive(Debug, Clone)]
pub(crate) enum Protection {
    /// TLS from the first byte.
    Tls(Tls),
    /// TLS after one plain question (RFC 4511 §4.14).
    StartTls(Tls),
    /// None: no password is sent.
    Plain,
}

impl Server {
    /// Names a server that speaks TLS from the first byte, on port 636. The host is a name or an address, and the
    /// certificate has to be for it.
    #[must_use]
    pub fn ldaps(host: impl Into<String>, tls: Tls) -> Self {
        Self { host: host.into(), port: 636, protection: Protection::Tls(tls) }
    }

    /// Names a server that begins TLS when it is asked to, on port 389. Nothing else is asked before.
    #[must_use]
    pub fn start_tls(host: impl Into<String>, tls: Tls) -> Self {
        Self { host: host.into(), port: 389, protection: Protection::StartTls(tls) }
    }

    /// Names a server without TLS, on port 389: anybody on the way reads and changes everything. Passwords are refused
    /// before they are sent.
    #[must_use]
    pub fn dangerous_plain(host: impl Into<String>) -> Self {
        Self { host: host.into(), port: 389, protection: Protection::Plain }
    }

    /// Replaces the port.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Returns what pins work to this server.
    #[must_use]
    pub fn id(&self) -> ServerId {
        ServerId(format!("{}:{}", self.host.to_ascii_lowercase(), self.port).into())
    }

    pub(crate) fn system(&self) -> String {
        system_of(&self.host, Some(self.port))
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn address(&self) -> (&str, u16) {
        (self.host.as_str(), self.port)
    }

    pub(crate) const fn protection(&self) -> &Protection {
        &self.protection
    }
}

/// Names what counts failures behind this address, however the way there is protected. At a port that is not usual
/// something else may run.
pub(crate) fn system_of(host: &str, port: Option<u16>) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let host = host.parse::<IpAddr>().map_or(host, |address| address.to_string());
    match port {
        Some(port) if !USUAL_PORTS.contains(&port) => format!("[{host}]:{port}"),
        _ => host,
    }
}

/// Names one server among those of a directory: what was begun on one goes on there, because the others learn of it later.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(std::sync::Arc<str>);

impl ServerId {
    /// Takes a name that was kept; [`crate::Directory`] knows whether it still has such a server.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The name, host and port.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerId({})", self.0)
    }
}
