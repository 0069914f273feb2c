//! Searches: entry by entry, or collected within limits.

use tokio::time::Instant;

use super::Connection;
use crate::control::Controls;
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::identifier::EntryName;
use crate::outcome::ResultCode;
use crate::reason::Reason;
use crate::request::{Request, Scope, Search};
use crate::response::{Body, Kind};

/// What a search found, collected.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// The entries, in the order of the server.
    pub entries: Vec<Entry>,
    /// How often the server named another server instead of an entry. More than nought: there may be more entries.
    pub references: usize,
    /// The controls of the last message.
    pub controls: Controls,
}

/// A search that runs. The server sends as fast as the caller takes. Dropped before its end, it leaves the connection
/// unusable.
#[derive(Debug)]
pub struct SearchRun<'c> {
    connection: &'c mut Connection,
    place: SearchPlace,
}

/// How far a search has come. It belongs to its connection.
#[derive(Debug)]
pub(crate) struct SearchPlace {
    id: i32,
    deadline: Instant,
    references: usize,
    notices: usize,
    end: Option<Controls>,
}

/// One step of a search.
pub(crate) enum Step {
    Entry(Entry, Controls),
    Info { name: Option<String>, value: Option<Vec<u8>> },
    End,
}

impl Connection {
    /// Begins a search.
    ///
    /// # Errors
    /// `ldap.connection_unusable`, `ldap.connection_lost`, `ldap.timeout`.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn begin_search(&mut self, search: &Search) -> Result<SearchRun<'_>, LdapError> {
        let place = self.enter_search(search).await?;
        Ok(SearchRun { connection: self, place })
    }

    pub(crate) async fn enter_search(&mut self, search: &Search) -> Result<SearchPlace, LdapError> {
        let deadline = Instant::now() + self.limits.search;
        let sent_by = self.operation_deadline();
        let id = self.wire.send(&Request::search(search), sent_by).await?;
        Ok(SearchPlace { id, deadline, references: 0, notices: 0, end: None })
    }

    /// Searches and collects what is found.
    ///
    /// # Errors
    /// `ldap.too_many_entries` beyond the limits; `ldap.entry_missing` when the base is not there; `ldap.size_limit` when
    /// the server stopped early, so that the result is never taken for a whole one; every other code of answers and of the
    /// way.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn search(&mut self, search: &Search) -> Result<Found, LdapError> {
        let limits = self.limits;
        let mut run = self.begin_search(search).await?;
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while let Some(entry) = run.next().await? {
            bytes += entry.size();
            if entries.len() >= limits.entries || bytes > limits.result_bytes {
                return Err(LdapError::new(Reason::TooManyEntries).with_fate(Fate::Unknown));
            }
            entries.push(entry);
        }
        let SearchPlace { references, end, .. } = run.place;
        Ok(Found { entries, references, controls: end.unwrap_or_default() })
    }

    /// Finds the one entry that matches; `None` when there is none.
    ///
    /// # Errors
    /// `ldap.not_unique` when there are several, or when the server stopped before it could tell; `ldap.entry_foreign` when
    /// what it returns does not lie where was searched; every other code of answers and of the way.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn find_one(&mut self, search: &Search) -> Result<Option<Entry>, LdapError> {
        let found = match self.search(&search.clone().size_limit(2)).await {
            Ok(found) => found,
            Err(error) if error.reason() == Reason::SizeLimit => {
                return Err(error.with_reason(Reason::NotUnique));
            }
            Err(error) => return Err(error),
        };
        let mut entries = found.entries.into_iter();
        let first = entries.next();
        if entries.next().is_some() {
            return Err(LdapError::new(Reason::NotUnique).with_fate(Fate::Answered));
        }
        match &first {
            Some(entry) if !search.covers(entry) => {
                Err(LdapError::new(Reason::EntryForeign).with_fate(Fate::Answered))
            }
            _ => Ok(first),
        }
    }

    /// Reads one entry by its name; `None` when it is not there.
    ///
    /// # Errors
    /// As [`Connection::find_one`].
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn read(&mut self, search: &Search) -> Result<Option<Entry>, LdapError> {
        match self.find_one(search).await {
            Err(error) if error.reason() == Reason::EntryMissing => Ok(None),
            other => other,
        }
    }
}

impl SearchRun<'_> {
    /// Receives the next entry; `None` at the end of a search that the server carried out completely.
    ///
    /// # Errors
    /// As [`Connection::search`], but for the limits, which are the caller's to keep.
    ///
    /// # Cancel safety
    /// Nothing is lost: the next call goes on.
    pub async fn next(&mut self) -> Result<Option<Entry>, LdapError> {
        loop {
            match self.place.step(self.connection).await? {
                Step::Entry(entry, _) => return Ok(Some(entry)),
                Step::Info { .. } => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// How often the server named another server so far.
    #[must_use]
    pub const fn references(&self) -> usize {
        self.place.references
    }

    /// Stops the search early (RFC 4511 §4.11). The connection stays usable; what the server still sends is passed over.
    ///
    /// # Errors
    /// `ldap.connection_lost`, `ldap.timeout`.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn abandon(self) -> Result<(), LdapError> {
        self.place.abandon(self.connection).await
    }
}

impl SearchPlace {
    /// The controls of the last message; none before it has come.
    pub(crate) const fn end(&self) -> Option<&Controls> {
        self.end.as_ref()
    }

    /// How often the server named another server so far.
    pub(crate) const fn references(&self) -> usize {
        self.references
    }

    /// Stops the search early, as [`SearchRun::abandon`].
    pub(crate) async fn abandon(self, connection: &mut Connection) -> Result<(), LdapError> {
        if self.end.is_some() {
            return Ok(());
        }
        let deadline = connection.operation_deadline();
        connection.wire.abandon(self.id, deadline).await
    }

    /// Gives the search its time anew, and its notices: whoever takes it in parts may let time pass between them.
    pub(crate) fn prolong(&mut self, connection: &Connection) {
        self.deadline = Instant::now() + connection.limits.search;
        self.notices = 0;
    }

    pub(crate) async fn step(&mut self, connection: &mut Connection) -> Result<Step, LdapError> {
        if self.end.is_some() {
            return Ok(Step::End);
        }
        loop {
            let deadline = self.deadline.min(connection.operation_deadline());
            let message = connection.wire.answer(self.id, deadline).await?;
            match message.body {
                Body::Entry(entry) => return Ok(Step::Entry(entry, message.controls)),
                Body::Reference => {
                    self.references += 1;
                    bound(connection, self.references)?;
                }
                Body::Intermediate { name, value } => {
                    self.notices += 1;
                    bound(connection, self.notices)?;
                    return Ok(Step::Info { name, value });
                }
                Body::Done { kind: Kind::SearchDone, answer, .. } => {
                    connection.wire.finish();
                    if answer.code() != ResultCode::SUCCESS {
                        return Err(LdapError::refused(answer));
                    }
                    self.end = Some(message.controls);
                    return Ok(Step::End);
                }
                // Samba answers so to a critical control that it does not know
                Body::Done { kind: Kind::Extended, answer, .. } if answer.code() != ResultCode::SUCCESS => {
                    connection.wire.finish();
                    return Err(LdapError::refused(answer));
                }
                Body::Done { .. } => {
                    return Err(LdapError::new(Reason::ResponseUnexpected).with_fate(Fate::Unknown));
                }
            }
        }
    }
}

/// What is no entry comes without end otherwise.
fn bound(connection: &Connection, count: usize) -> Result<(), LdapError> {
    let is_within = count <= connection.limits.entries;
    if is_within { Ok(()) } else { Err(LdapError::new(Reason::TooManyEntries).with_fate(Fate::Unknown)) }
}

impl Search {
    /// Tells whether an entry lies where the search looks.
    #[must_use]
    pub fn covers(&self, entry: &Entry) -> bool {
        let EntryName::Dn(base) = &self.base else { return true };
        let Ok(dn) = entry.dn() else { return false };
        match self.scope {
            Scope::Base => dn == *base,
            Scope::Children => dn.parent().is_some_and(|parent| parent == *base),
            Scope::Subtree => dn.is_within(base),
        }
    }
}
