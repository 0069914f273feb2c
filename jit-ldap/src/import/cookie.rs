//! Where a reading ended, so that the next one goes on there.

use std::fmt;

use super::settings::{ImportConfig, ImportWay};
use crate::error::LdapError;
use crate::hash::fnv1a;
use crate::reason::Reason;
use crate::server::ServerId;

/// The form of what is kept. In the first one no server was named.
const VERSION: u8 = 2;
const HEAD: usize = 10;

/// Where a reading ended. Keep it with what was read: in the same transaction, or after it.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportCookie(Vec<u8>);

impl ImportCookie {
    /// Takes a cookie that was kept; whether it fits is found out when a reading begins with it.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// What to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ImportCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImportCookie({} octets)", self.0.len())
    }
}

/// What a cookie of ours holds.
pub(super) struct Opened {
    /// The server that was read; none where the connection was handed in.
    pub(super) server: Option<ServerId>,
    /// The server's own cookie.
    pub(super) inner: Vec<u8>,
}

impl ImportConfig {
    /// What a cookie holds. What was read by other settings says nothing about these.
    pub(super) fn open(&self, since: Option<&ImportCookie>) -> Result<Option<Opened>, LdapError> {
        let Some(ImportCookie(bytes)) = since else { return Ok(None) };
        let opened = self.opened(bytes).filter(|opened| !opened.inner.is_empty());
        let opened = opened.filter(|_| self.way != ImportWay::Pages);
        Ok(Some(opened.ok_or(Reason::SyncRestart)?))
    }

    fn opened(&self, bytes: &[u8]) -> Option<Opened> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (server, inner) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let server = Some(std::str::from_utf8(server).ok()?).filter(|server| !server.is_empty());
        (head == self.head()).then(|| Opened { server: server.map(ServerId::new), inner: inner.to_vec() })
    }

    /// A cookie of ours for one of this server. Whose name is longer than any is, that is not kept.
    pub(super) fn seal(&self, server: Option<&ServerId>, inner: &[u8]) -> ImportCookie {
        let server = server.map(ServerId::as_str).unwrap_or_default().as_bytes();
        let (length, server) = u16::try_from(server.len()).map_or((0, &[][..]), |length| (length, server));
        ImportCookie([&self.head(), &length.to_be_bytes()[..], server, inner].concat())
    }

    fn head(&self) -> [u8; HEAD] {
        let mut head = [VERSION, self.way as u8, 0, 0, 0, 0, 0, 0, 0, 0];
        let names = self.attributes.names();
        let settings = format!("{}\n{}\n{:?}\n{names:?}\n{}", self.base, self.filter, self.id, self.markers);
        // a change of what was not asked for was passed over for good
        let told_by = match self.way {
            ImportWay::Pages | ImportWay::Sync => String::new(),
            ImportWay::DirSync => format!("\n{:?}", self.told_by),
        };
        let print = fnv1a(settings.bytes().chain(told_by.bytes())).to_be_bytes();
        head.iter_mut().skip(2).zip(print).for_each(|(octet, print)| *octet = print);
        head
    }
}

#[cfg(test)]
mod tests {
    use super::super::ImportSettings;
    use super::*;
    use crate::identifier::IdAttribute;

    fn head(markers: &[&str]) -> [u8; HEAD] {
        let mut settings = ImportSettings::new("ou=people,dc=x", "(uid=*)", IdAttribute::EntryUuid);
        settings.marker = markers.iter().map(|name| (*name).to_owned()).collect();
        settings.check().unwrap().head()
    }

    #[test]
    fn a_cookie_is_of_the_markers_that_were_looked_at() {
        // as it was when one could be named only
        assert_eq!(head(&[]), [2, 0, 43, 138, 181, 129, 203, 138, 21, 16]);
        assert_eq!(head(&["title"]), [2, 0, 221, 234, 25, 25, 81, 79, 15, 200]);
        assert_eq!(head(&[]), head(&["description"]));
        assert_eq!(head(&["title", "TITLE"]), head(&["title"]));
        assert_ne!(head(&["description", "title"]), head(&["description"]));
    }

    #[test]
    fn a_cookie_of_dir_sync_is_of_all_that_changes_were_asked_of() {
        let filter = "(!(userAccountControl:1.2.840.113556.1.4.803:=2))";
        let mut settings = ImportSettings::new("ou=people,dc=x", filter, IdAttribute::ObjectGuid);
        settings.way = ImportWay::DirSync;
        let config = settings.check().unwrap();
        // as it was when the filter's own attributes were not asked for
        let before = format!("{}\n{filter}\n{:?}\n[]\nadminDescription", config.base, config.id);
        let print = fnv1a(before.bytes()).to_be_bytes();
        assert_ne!(config.head()[2..], print);
    }

    #[test]
    fn a_cookie_names_its_server_and_those_of_before_are_told_apart() {
        let mut settings = ImportSettings::new("ou=people,dc=x", "(uid=*)", IdAttribute::EntryUuid);
        settings.way = ImportWay::Sync;
        let config = settings.check().unwrap();
        let server = ServerId::new("dc1.example.com:636");
        let cookie = config.seal(Some(&server), b"rid=000,csn=1");
        let opened = config.open(Some(&cookie)).unwrap().unwrap();
        assert_eq!((opened.server, &opened.inner[..]), (Some(server), &b"rid=000,csn=1"[..]));
        assert_eq!(config.open(Some(&config.seal(None, b"x"))).unwrap().unwrap().server, None);
        let restarts = |cookie: &[u8]| {
            let opened = config.open(Some(&ImportCookie::from_bytes(cookie)));
            opened.is_err_and(|error| error.reason() == Reason::SyncRestart)
        };
        let before = [&[1], &config.head()[1..], b"rid=000,csn=1"].concat();
        assert!(restarts(&before) && restarts(&config.seal(None, b"").0) && restarts(b""));
        assert!((0..cookie.0.len() - 13).all(|length| restarts(&cookie.0[..=length])));
    }
}
