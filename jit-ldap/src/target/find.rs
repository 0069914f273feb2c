//! Finding an account, and telling whose it is.

use chrono::{DateTime, Utc};
use jit_core::{BackendError, ErrorKind, RemoteRef};

use super::accounts::Accounts;
use super::dialect::Dialect;
use super::fault::Step;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::identifier::EntryId;
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// An account of ours.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) id: EntryId,
    pub(super) dn: Dn,
    pub(super) is_enabled: bool,
    /// The server's own time when it was found, where its life needs that.
    pub(super) server_time: Option<DateTime<Utc>>,
}

/// What was found under a reference.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Ours(Remote),
    /// The account of this identifier bears another marker or none.
    NotOurs,
    /// Somebody else bears the name.
    Stranger,
}

impl<D: Dialect> Accounts<D> {
    /// By the identifier, which a rename does not change; by the name, where no identifier is known.
    pub(super) async fn find(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<Found, BackendError> {
        let Some(native) = &remote.native else { return self.find_by_name(connection, remote).await };
        let id: EntryId = native.parse().map_err(|reason: Reason| {
            BackendError::new(ErrorKind::Corrupt, "directory.look").caused_by(reason)
        })?;
        let search = self.dialect.by_id(&self.table.base, id).attributes(self.judged_by());
        match connection.read(&search).await.map_err(|error| Step::Look.failed(error))? {
            None => Ok(Found::Nothing),
            Some(entry) if !self.bears(&entry, remote) => Ok(Found::NotOurs),
            Some(entry) => Ok(Found::Ours(self.remote(&entry)?)),
        }
    }

    /// In its place, and then wherever names have to be unique: an administrator may have moved it.
    pub(super) async fn find_by_name(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<Found, BackendError> {
        // a place that was struck from the settings keeps nothing from being found, and ended
        let entry = match self.dn_of(remote) {
            Err(_) => None,
            Ok(dn) => {
                let in_place = Search::entry(&dn).attributes(self.judged_by());
                connection.read(&in_place).await.map_err(|error| Step::Look.failed(error))?
            }
        };
        let entry = match entry {
            Some(entry) => Some(entry),
            None => match self.find_by_login(connection, &remote.name).await {
                Err(error) if error.reason() == Reason::NotUnique => return Ok(Found::Stranger),
                found => found.map_err(|error| Step::Look.failed(error))?,
            },
        };
        match entry {
            None => Ok(Found::Nothing),
            Some(entry) if !self.bears(&entry, remote) => Ok(Found::Stranger),
            Some(entry) => Ok(Found::Ours(self.remote(&entry)?)),
        }
    }

    async fn find_by_login(
        &self,
        connection: &mut Connection,
        name: &str,
    ) -> Result<Option<Entry>, LdapError> {
        let (base, filter) = self.dialect.by_login(&self.table.base, name)?;
        connection.read(&Search::new(base, Scope::Subtree, filter).attributes(self.judged_by())).await
    }

    fn bears(&self, entry: &Entry, remote: &RemoteRef) -> bool {
        let values = entry.values(&self.table.marker).unwrap_or_default();
        values.iter().any(|value| value == remote.marker.as_str().as_bytes())
    }

    fn remote(&self, entry: &Entry) -> Result<Remote, BackendError> {
        let id = entry.id(self.dialect.id()).map_err(|reason| Step::Look.failed(reason))?;
        let dn = entry.dn().map_err(|reason| Step::Look.failed(reason))?;
        let server_time = self.dialect.server_time(entry);
        Ok(Remote { id, dn, is_enabled: self.dialect.is_enabled(entry), server_time })
    }

    fn judged_by(&self) -> Vec<AttributeName> {
        let mut names = self.dialect.judged_by();
        names.extend([self.dialect.id().name(), self.table.marker.clone()]);
        names
    }
}
