//! What was made for a time, so that it is not told as still there.

use std::collections::HashSet;

use super::Record;
use super::settings::ImportConfig;
use super::whole::{PAGE, answered};
use crate::connection::{Connection, PagePlace};
use crate::error::LdapError;
use crate::identifier::EntryId;
use crate::reason::Reason;

/// The most entries below one base that were made for a time: a few dozen bytes each.
const LENT: usize = 250_000;

/// The entries that were made for a time, by identifier: a server that names whoever is there names them as well.
///
/// They are looked for, and not left out by the filter of the stream: where our account may not search the attribute, a filter
/// that negates it matches nobody, and everybody would seem gone.
#[derive(Debug)]
pub(super) struct Lent {
    place: PagePlace,
    ids: HashSet<EntryId>,
}

impl Lent {
    pub(super) fn new(config: &ImportConfig) -> Result<Self, LdapError> {
        Ok(Self { place: PagePlace::first(config.lent()?, PAGE), ids: HashSet::new() })
    }

    /// Looks through one more page; `None` after the last. Whoever is marked or freed of it from now on is told as changed.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
        config: &ImportConfig,
    ) -> Result<Option<Vec<Record>>, LdapError> {
        let Some(entries) = self.place.next_page(connection).await? else { return Ok(None) };
        for entry in entries.iter().filter(|entry| config.leaves_out(entry)) {
            self.ids.insert(entry.id(config.id).map_err(answered)?);
        }
        if self.ids.len() > LENT {
            return Err(answered(Reason::TooManyEntries));
        }
        Ok(Some(Vec::new()))
    }

    pub(super) fn into_ids(self) -> HashSet<EntryId> {
        self.ids
    }
}
