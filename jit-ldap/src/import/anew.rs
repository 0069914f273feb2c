//! Reading entries anew by their identifiers.

use std::collections::{BTreeSet, VecDeque};

use super::Record;
use super::settings::ImportConfig;
use super::whole::{answered, changed};
use crate::connection::{Connection, SearchStep};
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::EntryId;
use crate::reason::Reason;
use crate::request::Search;

/// How many entries are read by one request.
const AT_ONCE: usize = 100;
/// How many bytes of entries are handed out at once.
pub(super) const BYTES: usize = 4 << 20;

/// Entries that are read anew with all their attributes, some at once.
#[derive(Debug)]
pub(super) struct Anew {
    waiting: VecDeque<EntryId>,
    /// How many there was room for the last time.
    at_once: usize,
}

/// What one request found.
struct Found {
    entries: Vec<(EntryId, Entry)>,
    /// Those that were asked for and did not come.
    others: BTreeSet<EntryId>,
    /// Whether there are no more, so that the others are not there.
    is_whole: bool,
}

impl Anew {
    pub(super) const fn new() -> Self {
        Self { waiting: VecDeque::new(), at_once: AT_ONCE }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn extend(&mut self, ids: impl IntoIterator<Item = EntryId>) {
        self.waiting.extend(ids);
    }

    /// Reads some of those that wait. What is not found is no longer where and what is read.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
        config: &ImportConfig,
        records: &mut Vec<Record>,
    ) -> Result<(), LdapError> {
        let count = self.waiting.len().min(self.at_once);
        let ids: BTreeSet<EntryId> = self.waiting.drain(..count).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let found = self.find(connection, config, ids).await?;
        let mut bytes = 0;
        for (id, entry) in found.entries {
            if config.leaves_out(&entry) {
                records.push(Record::Gone(id));
            } else if bytes > BYTES {
                self.waiting.push_back(id);
            } else {
                records.push(changed(connection, config, entry, &mut bytes).await?);
            }
        }
        if found.is_whole {
            records.extend(found.others.into_iter().map(Record::Gone));
        } else {
            self.waiting.extend(found.others);
        }
        Ok(())
    }

    /// Asks for these and takes as many as there is room for.
    async fn find(
        &mut self,
        connection: &mut Connection,
        config: &ImportConfig,
        mut others: BTreeSet<EntryId>,
    ) -> Result<Found, LdapError> {
        let search = these(config, &others)?;
        let mut place = connection.enter_search(&search).await?;
        let (mut entries, mut bytes, mut is_whole) = (Vec::new(), 0, false);
        while bytes < BYTES && !is_whole {
            match place.step(connection).await? {
                SearchStep::Entry(entry, _) => {
                    let id = entry.id(config.id).map_err(answered)?;
                    if !others.remove(&id) || !search.covers(&entry) {
                        return Err(answered(Reason::EntryForeign));
                    }
                    bytes += entry.size();
                    entries.push((id, entry));
                }
                SearchStep::Info { .. } => {}
                SearchStep::End => is_whole = true,
            }
        }
        if place.references() > 0 {
            return Err(answered(Reason::Referral));
        }
        if is_whole {
            // it may have been one that is much larger than the others
            self.at_once = self.at_once.saturating_mul(2).min(AT_ONCE);
        } else {
            place.abandon(connection).await?;
            self.at_once = entries.len().max(1);
        }
        Ok(Found { entries, others, is_whole })
    }
}

/// Searches for these among all that are read.
fn these(config: &ImportConfig, ids: &BTreeSet<EntryId>) -> Result<Search, LdapError> {
    let these = ids.iter().map(|id| Filter::equals(&config.id.name(), config.id.write(*id)));
    let filter = Filter::all([config.filter.clone(), Filter::any(these)?])?;
    Ok(config.everything().filtered(filter))
}
