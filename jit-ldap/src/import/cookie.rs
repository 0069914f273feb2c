//! Where a reading ended, so that the next one goes on there.

use std::fmt;

use super::settings::{ImportConfig, ImportWay};
use crate::error::LdapError;
use crate::hash::fnv1a;
use crate::reason::Reason;

/// The form of what is kept.
const VERSION: u8 = 1;
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

impl ImportConfig {
    /// The server's own cookie within one of ours. What was read by other settings says nothing about these.
    pub(super) fn open(&self, since: Option<&ImportCookie>) -> Result<Option<Vec<u8>>, LdapError> {
        let Some(ImportCookie(bytes)) = since else { return Ok(None) };
        let (head, inner) = bytes.split_at_checked(HEAD).ok_or(Reason::SyncRestart)?;
        if head != self.head() || self.way == ImportWay::Pages || inner.is_empty() {
            return Err(Reason::SyncRestart.into());
        }
        Ok(Some(inner.to_vec()))
    }

    pub(super) fn seal(&self, inner: &[u8]) -> ImportCookie {
        ImportCookie([&self.head(), inner].concat())
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
        assert_eq!(head(&[]), [1, 0, 43, 138, 181, 129, 203, 138, 21, 16]);
        assert_eq!(head(&["title"]), [1, 0, 221, 234, 25, 25, 81, 79, 15, 200]);
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
        let kept = ImportCookie([&[VERSION, ImportWay::DirSync as u8], &print[..], b"cookie"].concat());
        assert_eq!(config.open(Some(&kept)).unwrap_err().code().as_str(), "ldap.sync_restart");
        assert_eq!(config.open(Some(&config.seal(b"cookie"))).unwrap(), Some(b"cookie".to_vec()));
    }
}
