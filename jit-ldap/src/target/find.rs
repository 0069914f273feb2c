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
use crate::filter::Filter;
use crate::identifier::EntryId;
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// An account of ours.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) id: EntryId,
    pub(super) dn: Dn,
    /// Where its marker stands.
    pub(super) marked_in: AttributeName,
    pub(super) is_enabled: bool,
    /// The server's own time when it was found, where its life needs that.
    pub(super) server_time: Option<DateTime<Utc>>,
}

/// Below which entry something is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// Below which our accounts are made.
    Own,
    /// Everything that the server keeps together with it.
    Whole,
}

impl Base {
    /// What our account may not see elsewhere is not there for it.
    pub(super) fn seen(self, found: Result<Option<Entry>, LdapError>) -> Result<Option<Entry>, BackendError> {
        match found {
            Err(error) if self == Self::Whole && error.reason() == Reason::AccessDenied => Ok(None),
            found => found.map_err(|error| Step::Look.failed(error)),
        }
    }
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
    /// By the identifier, which a rename does not change; by the name, where no identifier is known. That there is nothing
    /// is said only where it can be seen that there is not.
    pub(super) async fn find(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<Found, BackendError> {
        let found = self.search(connection, remote).await?;
        match found {
            Found::Nothing => self.check_gone(connection, remote).await?,
            // who bears a name of ours in another directory is nobody whom we know
            Found::NotOurs | Found::Stranger => drop(self.check_home(connection, remote).await?),
            Found::Ours(_) => {}
        }
        Ok(found)
    }

    /// The same where nothing says yet that what is not found is gone.
    pub(super) async fn search(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<Found, BackendError> {
        let Some(native) = &remote.native else { return self.find_by_name(connection, remote).await };
        let id: EntryId = native.parse().map_err(|reason: Reason| {
            BackendError::new(ErrorKind::Corrupt, "directory.look").caused_by(reason)
        })?;
        for which in [Base::Own, Base::Whole] {
            let Some(base) = self.base(connection, which).await? else { continue };
            let search = self.dialect.by_id(&base, id).attributes(self.judged_by());
            match which.seen(connection.read(&search).await)? {
                None => {}
                Some(entry) if !self.bears(&entry, remote) => return Ok(Found::NotOurs),
                Some(entry) => return Ok(Found::Ours(self.remote(&entry, remote)?)),
            }
        }
        Ok(Found::Nothing)
    }

    /// In its place, and then wherever names have to be unique: an administrator may have moved it.
    pub(super) async fn find_by_name(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<Found, BackendError> {
        // a place that was struck from the settings keeps nothing from being found, and ended
        let mut borne = match self.dn_of(remote) {
            Err(_) => None,
            Ok(dn) => {
                let in_place = Search::entry(&dn).attributes(self.judged_by());
                connection.read(&in_place).await.map_err(|error| Step::Look.failed(error))?
            }
        };
        for which in [Base::Own, Base::Whole] {
            if let Some(entry) = borne.as_ref().filter(|entry| self.bears(entry, remote)) {
                return Ok(Found::Ours(self.remote(entry, remote)?));
            }
            let Some(base) = self.base(connection, which).await? else { continue };
            match self.find_by_login(connection, &base, remote).await {
                // two bear its mark: nobody can tell which of them it is
                Err(error) if error.reason() == Reason::NotUnique => return Ok(Found::NotOurs),
                found => borne = which.seen(found)?.or(borne),
            }
        }
        match borne {
            None => Ok(Found::Nothing),
            Some(entry) if !self.bears(&entry, remote) => Ok(Found::Stranger),
            Some(entry) => Ok(Found::Ours(self.remote(&entry, remote)?)),
        }
    }

    /// Whoever bears the name; of several the one that bears the marker as well.
    async fn find_by_login(
        &self,
        connection: &mut Connection,
        base: &Dn,
        remote: &RemoteRef,
    ) -> Result<Option<Entry>, LdapError> {
        let (base, filter) = self.dialect.by_login(base, &remote.name)?;
        let search = |filter| Search::new(&base, Scope::Subtree, filter).attributes(self.judged_by());
        match connection.read(&search(filter.clone())).await {
            Err(error) if error.reason() == Reason::NotUnique => {}
            found => return found,
        }
        let marked = self.table.markers().map(|name| Filter::equals(name, remote.marker.as_str()));
        connection.read(&search(Filter::all([filter, Filter::any(marked)?])?)).await
    }

    /// Below which entry to look: what an administrator moved is looked for in all that the server keeps beside our base,
    /// where it is not found wherever it lies.
    pub(super) async fn base(
        &self,
        connection: &mut Connection,
        which: Base,
    ) -> Result<Option<Dn>, BackendError> {
        let own = &self.table.base;
        match which {
            Base::Own => return Ok(Some(own.clone())),
            Base::Whole if self.dialect.looks_everywhere() => return Ok(None),
            Base::Whole => {}
        }
        if let Some(whole) = self.whole.get() {
            return Ok(whole.clone());
        }
        let whole = match connection.features().await {
            Ok(features) => {
                features.naming_contexts().find(|context| own != context && own.is_within(context))
            }
            Err(error) if error.reason() == Reason::EntryMissing => None,
            Err(error) => return Err(Step::Look.failed(error)),
        };
        Ok(self.whole.get_or_init(|| whole).clone())
    }

    fn bears(&self, entry: &Entry, remote: &RemoteRef) -> bool {
        self.marked_in(entry, remote).is_some()
    }

    /// The attribute in which an entry bears the marker.
    fn marked_in(&self, entry: &Entry, remote: &RemoteRef) -> Option<&AttributeName> {
        let is_marker = |value: &Vec<u8>| value == remote.marker.as_str().as_bytes();
        self.table.markers().find(|name| entry.values(name).unwrap_or_default().iter().any(is_marker))
    }

    fn remote(&self, entry: &Entry, remote: &RemoteRef) -> Result<Remote, BackendError> {
        let id = entry.id(self.dialect.id()).map_err(|reason| Step::Look.failed(reason))?;
        let dn = entry.dn().map_err(|reason| Step::Look.failed(reason))?;
        let server_time = self.dialect.server_time(entry);
        let marked_in = self.marked_in(entry, remote).unwrap_or(&self.table.marker).clone();
        Ok(Remote { id, dn, marked_in, is_enabled: self.dialect.is_enabled(entry), server_time })
    }

    pub(super) fn judged_by(&self) -> Vec<AttributeName> {
        let mut names = self.dialect.judged_by();
        names.push(self.dialect.id().name());
        names.extend(self.table.markers().cloned());
        names
    }
}
