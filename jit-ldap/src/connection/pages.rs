//! Searches in pages (RFC 2696): any number of entries in bounded memory.

use super::search::{SearchPlace, Step};
use super::{Connection, Found};
use crate::control::Control;
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::reason::Reason;
use crate::request::Search;

/// How many pages without an entry are taken one after the other: a server may return some while it looks.
const EMPTY: usize = 64;

/// A search in pages. Complete only when [`Pages::next_page`] has returned `None`.
#[derive(Debug)]
pub struct Pages<'c> {
    connection: &'c mut Connection,
    place: PagePlace,
}

/// How far a search in pages has come. It belongs to its connection.
#[derive(Debug)]
pub(crate) struct PagePlace {
    search: Search,
    size: u16,
    /// `None` after the last page.
    cookie: Option<Vec<u8>>,
    references: usize,
    /// A page of which a part was taken, and how many entries that were.
    amid: Option<(SearchPlace, usize)>,
}

impl Connection {
    /// Begins a search in pages of so many entries.
    pub fn pages(&mut self, search: Search, size: u16) -> Pages<'_> {
        Pages { connection: self, place: PagePlace::first(search, size) }
    }
}

impl Pages<'_> {
    /// Asks for the next page; `None` after the last one.
    ///
    /// # Errors
    /// `ldap.control_unsupported` or `ldap.control_missing` when the server has no pages; `ldap.paging_stuck` when it hands
    /// out empty ones without end; `ldap.entry_foreign` when an entry does not lie where was searched; as
    /// [`Connection::search`] otherwise. After an error the search is not complete.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Entry>>, LdapError> {
        self.place.next_page(self.connection).await
    }

    /// How often the server named another server so far. More than nought: there may be more entries elsewhere.
    #[must_use]
    pub const fn references(&self) -> usize {
        self.place.references
    }
}

impl PagePlace {
    pub(crate) fn first(search: Search, size: u16) -> Self {
        let size = size.clamp(1, i16::MAX.unsigned_abs());
        Self { search, size, cookie: Some(Vec::new()), references: 0, amid: None }
    }

    pub(crate) const fn references(&self) -> usize {
        self.references
    }

    pub(crate) async fn next_page(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<Vec<Entry>>, LdapError> {
        for _ in 0..EMPTY {
            let Some(cookie) = &self.cookie else { return Ok(None) };
            let search = self.search.clone().control(Control::paged_results(self.size, cookie));
            let Found { entries, references, controls } = connection.search(&search).await?;
            let next = controls.page_cookie().map_err(answered)?;
            self.cookie = Some(next).filter(|cookie| !cookie.is_empty());
            self.references += references;
            if !entries.iter().all(|entry| search.covers(entry)) {
                return Err(answered(Reason::EntryForeign));
            }
            if !entries.is_empty() {
                return Ok(Some(entries));
            }
        }
        Err(answered(Reason::PagingStuck))
    }

    /// Tells whether the rest of a page is still to be taken: until then nothing else can be asked of the server.
    pub(crate) const fn is_amid(&self) -> bool {
        self.amid.is_some()
    }

    /// The next page, or as much of one as one result may hold: the rest comes next. `None` after the last page.
    pub(crate) async fn next_part(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<Vec<Entry>>, LdapError> {
        for _ in 0..EMPTY {
            let (mut page, taken) = if let Some(amid) = self.amid.take() {
                amid
            } else {
                let Some(cookie) = &self.cookie else { return Ok(None) };
                let search = self.search.clone().control(Control::paged_results(self.size, cookie));
                (connection.enter_search(&search).await?, 0)
            };
            page.prolong(connection);
            let entries = self.take(connection, &mut page, taken).await?;
            if let Some(controls) = page.end() {
                let next = controls.page_cookie().map_err(answered)?;
                self.cookie = Some(next).filter(|cookie| !cookie.is_empty());
                self.references += page.references();
            } else {
                self.amid = Some((page, taken + entries.len()));
            }
            if !entries.is_empty() {
                return Ok(Some(entries));
            }
        }
        Err(answered(Reason::PagingStuck))
    }

    /// Takes entries of a page until it ends or one result would hold no more.
    async fn take(
        &self,
        connection: &mut Connection,
        page: &mut SearchPlace,
        taken: usize,
    ) -> Result<Vec<Entry>, LdapError> {
        let limits = connection.limits;
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while bytes < limits.result_bytes {
            match page.step(connection).await? {
                Step::Entry(entry, _) => {
                    if taken + entries.len() >= limits.entries {
                        return Err(LdapError::new(Reason::TooManyEntries).with_fate(Fate::Unknown));
                    }
                    if !self.search.covers(&entry) {
                        return Err(answered(Reason::EntryForeign));
                    }
                    bytes += entry.size();
                    entries.push(entry);
                }
                Step::Info { .. } => {}
                Step::End => break,
            }
        }
        Ok(entries)
    }
}

fn answered(reason: Reason) -> LdapError {
    LdapError::new(reason).with_fate(Fate::Answered)
}
