//! Reading what has changed: as a stream of entries (RFC 4533), or by rounds of `DirSync`.

use std::collections::{BTreeSet, HashSet};

use super::anew::{Anew, BYTES};
use super::settings::ImportConfig;
use super::whole::answered;
use super::{Extent, Record};
use crate::attribute::AttributeName;
use crate::connection::{Changes, ChangesPlace, Connection, SyncMode};
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::{EntryId, IdAttribute};
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// How many records are handed out at once.
const RECORDS: usize = 500;

/// A stream of changes (RFC 4533).
#[derive(Debug)]
pub(super) struct Stream {
    /// Who was made for a time and is not named as still there.
    lent: HashSet<EntryId>,
    place: Option<ChangesPlace>,
    changes: Changes,
    since: Option<Vec<u8>>,
    is_over: bool,
}

impl Stream {
    pub(super) fn new(since: Option<Vec<u8>>, lent: HashSet<EntryId>) -> Self {
        Self { lent, place: None, changes: Changes::default(), since, is_over: false }
    }

    /// The next records; `None` after the last.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
        config: &ImportConfig,
    ) -> Result<Option<Vec<Record>>, LdapError> {
        if self.is_over {
            return Ok(None);
        }
        let mut place = if let Some(place) = self.place.take() {
            place
        } else {
            let since = self.since.as_deref();
            ChangesPlace::enter(connection, &config.everything(), SyncMode::Sync, since).await?
        };
        place.prolong(connection);
        let mut bytes = 0;
        while self.held() < RECORDS && bytes < BYTES {
            if !place.step(connection, &mut self.changes, &mut bytes).await? {
                self.is_over = true;
                break;
            }
        }
        self.place = Some(place);
        self.records(config).map(Some)
    }

    fn held(&self) -> usize {
        self.changes.changed.len() + self.changes.deleted.len() + self.changes.present.len()
    }

    fn records(&mut self, config: &ImportConfig) -> Result<Vec<Record>, LdapError> {
        let (changed, gone) =
            (std::mem::take(&mut self.changes.changed), std::mem::take(&mut self.changes.deleted));
        let mut present = std::mem::take(&mut self.changes.present);
        present.retain(|id| !self.lent.contains(id));
        let mut records = Vec::with_capacity(changed.len() + gone.len() + present.len());
        let search = config.everything();
        if !changed.iter().all(|entry| search.covers(entry)) {
            return Err(answered(Reason::EntryForeign));
        }
        for entry in changed {
            let id = entry.id(config.id).map_err(answered)?;
            records.push(if config.leaves_out(&entry) {
                Record::Gone(id)
            } else {
                Record::Changed(Box::new(super::ImportedEntry { id, entry: config.asked_for(entry) }))
            });
        }
        records.extend(gone.into_iter().map(Record::Gone));
        records.extend(present.into_iter().map(Record::Unchanged));
        Ok(records)
    }

    /// What the server said at the end: whether it named everything that is there, and where to go on.
    pub(super) fn end(&self) -> Result<(Extent, &[u8]), LdapError> {
        // a server that has nothing to tell sends none
        let cookie = Some(&self.changes.cookie).filter(|cookie| !cookie.is_empty()).or(self.since.as_ref());
        let cookie = cookie.ok_or(answered(Reason::ControlMissing))?;
        // who asked without a cookie was told everything (RFC 4533 §3.3.1)
        let is_everything = self.since.is_none() || self.changes.is_refresh;
        let extent = if is_everything { Extent::Everything } else { Extent::Changes };
        Ok((extent, cookie))
    }
}

/// Rounds of `DirSync`.
#[derive(Debug)]
pub(super) struct Rounds {
    cookie: Vec<u8>,
    has_more: bool,
    /// What has changed by the last round and was not read anew yet: a change tells only the attributes that changed.
    anew: Anew,
}

impl Rounds {
    pub(super) fn new(since: Vec<u8>) -> Self {
        Self { cookie: since, has_more: true, anew: Anew::new() }
    }

    pub(super) fn cookie(&self) -> &[u8] {
        &self.cookie
    }

    /// Learns in one more round where changes begin from now on, without reading what was before: the server keeps to the
    /// filter, and its cookie does not. Nothing after the last.
    pub(super) async fn pass_over(
        &mut self,
        connection: &mut Connection,
        config: &ImportConfig,
    ) -> Result<Option<Vec<Record>>, LdapError> {
        let nothing = Filter::equals(&AttributeName::OBJECT_CLASS, "domainDNS");
        let search = Search::new(config.context(), Scope::Subtree, nothing).attributes([config.id.name()]);
        Ok(self.round(connection, &search).await?.map(|_| Vec::new()))
    }

    /// The next records; `None` after the last.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
        config: &ImportConfig,
    ) -> Result<Option<Vec<Record>>, LdapError> {
        let mut records = Vec::new();
        if self.anew.is_empty() {
            let Some(changes) = self.round(connection, &changed_in(config)).await? else { return Ok(None) };
            let ids: Result<BTreeSet<EntryId>, Reason> =
                changes.changed.iter().map(|entry| entry.id(IdAttribute::ObjectGuid)).collect();
            self.anew.extend(ids.map_err(answered)?);
            records.extend(changes.deleted.into_iter().map(Record::Gone));
        }
        self.anew.next(connection, config, &mut records).await?;
        Ok(Some(records))
    }

    async fn round(
        &mut self,
        connection: &mut Connection,
        search: &Search,
    ) -> Result<Option<Changes>, LdapError> {
        if !self.has_more {
            return Ok(None);
        }
        let changes = connection.changes(search, SyncMode::DirSync, Some(&self.cookie)).await?;
        if changes.cookie.is_empty() || (changes.has_more && changes.cookie == self.cookie) {
            return Err(answered(Reason::PagingStuck));
        }
        (self.cookie, self.has_more) = (changes.cookie.clone(), changes.has_more);
        Ok(Some(changes))
    }
}

/// Searches for whatever has changed in the naming context: what left the filter or the base is told only to those who ask for
/// all.
fn changed_in(config: &ImportConfig) -> Search {
    // a server tells of an entry when one of these has changed: the last two when it is new, and when it is renamed or moved
    let always =
        [config.id.name(), AttributeName::IS_DELETED, AttributeName::OBJECT_CLASS, AttributeName::NAME];
    let others = config.told_by.iter().filter(|name| !always.contains(name)).cloned();
    Search::new(config.context(), Scope::Subtree, Filter::present(&AttributeName::OBJECT_CLASS))
        .attributes(others)
        .attributes(always.clone())
}
