//! Reading everything, by pages.

use super::anew::{Anew, BYTES};
use super::settings::ImportConfig;
use super::{ImportedEntry, Record};
use crate::connection::{Connection, PagePlace};
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::identifier::EntryName;
use crate::reason::Reason;

/// Active Directory hands out no more than a thousand at once.
pub(super) const PAGE: u16 = 500;

/// What is read of each entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Attributes,
    Identifiers,
}

/// A walk over all entries.
#[derive(Debug)]
pub(super) struct Whole {
    place: PagePlace,
    depth: Depth,
    /// What the last page brought and was not handed out yet.
    waiting: std::vec::IntoIter<Entry>,
    /// What the server held values of back while it had more of the page to say: it can be asked for them after that.
    anew: Anew,
}

impl Whole {
    pub(super) fn new(config: &ImportConfig, depth: Depth) -> Self {
        let search = match depth {
            Depth::Attributes => config.everything(),
            Depth::Identifiers => config.identifiers(),
        };
        Self {
            place: PagePlace::first(search, PAGE),
            depth,
            waiting: Vec::new().into_iter(),
            anew: Anew::new(),
        }
    }

    /// The next records; `None` after the last.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
        config: &ImportConfig,
    ) -> Result<Option<Vec<Record>>, LdapError> {
        let mut records = Vec::new();
        if self.waiting.len() == 0 {
            if !self.anew.is_empty() && !self.place.is_amid() {
                self.anew.next(connection, config, &mut records).await?;
                return Ok(Some(records));
            }
            let Some(entries) = self.place.next_part(connection).await? else {
                // what is elsewhere is missing here
                let is_whole = self.place.references() == 0;
                return if is_whole { Ok(None) } else { Err(answered(Reason::Referral)) };
            };
            self.waiting = entries.into_iter();
        }
        let mut bytes = 0;
        while bytes <= BYTES
            && let Some(entry) = self.waiting.next()
        {
            if config.leaves_out(&entry) {
                continue;
            }
            if self.place.is_amid() && self.depth == Depth::Attributes && entry.is_cut() {
                self.anew.extend([entry.id(config.id).map_err(answered)?]);
                continue;
            }
            records.push(match self.depth {
                Depth::Attributes => changed(connection, config, entry, &mut bytes).await?,
                Depth::Identifiers => Record::Unchanged(entry.id(config.id).map_err(answered)?),
            });
        }
        Ok(Some(records))
    }
}

/// An entry with the values that the server held back. Adds its size.
pub(super) async fn changed(
    connection: &mut Connection,
    config: &ImportConfig,
    mut entry: Entry,
    bytes: &mut usize,
) -> Result<Record, LdapError> {
    let id = entry.id(config.id).map_err(answered)?;
    let name = EntryName::Dn(entry.dn().map_err(answered)?);
    let whole = connection.complete(&name, &mut entry).await;
    whole.map_err(|error| error.about(entry.dn_text()))?;
    *bytes += entry.size();
    Ok(Record::Changed(Box::new(ImportedEntry { id, entry: config.asked_for(entry) })))
}

pub(super) fn answered(reason: Reason) -> LdapError {
    LdapError::new(reason).with_fate(Fate::Answered)
}
