//! What has changed since the last look: synchronisation (RFC 4533) and `DirSync` of Active Directory.

use uuid::Uuid;

use super::Connection;
use super::search::{SearchPlace, Step};
use crate::attribute::AttributeName;
use crate::ber::{Reader, tag};
use crate::control::{Control, Controls, oid};
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::identifier::EntryId;
use crate::reason::Reason;
use crate::request::Search;

/// RFC 4533 §2.5.
const SYNC_INFO: &str = "1.3.6.1.4.1.4203.1.9.1.4";

/// How a server tells what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each has cookies of its own")]
pub enum SyncMode {
    /// RFC 4533: OpenLDAP and others.
    Sync,
    /// [MS-ADTS] §3.1.1.3.4.1.3: Active Directory. The base has to be the root of a naming context. An account that may not
    /// see deleted entries is not told of deletions: find those by listing everything.
    DirSync,
}

/// What has changed since a cookie.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Changes {
    /// Entries that are new or changed. `DirSync` returns changed attributes only.
    pub changed: Vec<Entry>,
    /// Entries that are gone.
    pub deleted: Vec<EntryId>,
    /// Entries that are still there unchanged, where the server says so.
    pub present: Vec<EntryId>,
    /// Whether everything that is neither changed nor present is gone: the server no longer knew what was deleted.
    pub is_refresh: bool,
    /// Where to go on the next time.
    pub cookie: Vec<u8>,
    /// Whether there is more to ask for at once.
    pub has_more: bool,
}

impl Connection {
    /// Asks what has changed since a cookie; without one everything is new.
    ///
    /// # Errors
    /// `ldap.control_missing` when the server ignores the request, so that nothing is ever taken for "no changes";
    /// `ldap.control_unsupported`; `ldap.sync_restart` when it no longer knows the cookie, knows less than it, or cannot read
    /// it: begin without one;
    /// `ldap.too_many_entries`; as [`Connection::search`] otherwise.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards; the cookie is as good as before.
    pub async fn changes(
        &mut self,
        search: &Search,
        mode: SyncMode,
        cookie: Option<&[u8]>,
    ) -> Result<Changes, LdapError> {
        let limits = self.limits;
        let mut place = ChangesPlace::enter(self, search, mode, cookie).await?;
        let (mut changes, mut bytes) = (Changes::default(), 0);
        while place.step(self, &mut changes, &mut bytes).await? {
            if changes.changed.len() > limits.entries || bytes > limits.result_bytes {
                return Err(answered(Reason::TooManyEntries));
            }
        }
        Ok(changes)
    }
}

/// How far a look for changes has come. It belongs to its connection.
#[derive(Debug)]
pub(crate) struct ChangesPlace {
    search: SearchPlace,
    mode: SyncMode,
    goes_on: bool,
    /// Whether any entry was named.
    has_told: bool,
}

impl ChangesPlace {
    pub(crate) async fn enter(
        connection: &mut Connection,
        search: &Search,
        mode: SyncMode,
        cookie: Option<&[u8]>,
    ) -> Result<Self, LdapError> {
        let control = match mode {
            SyncMode::Sync => Control::sync(cookie),
            SyncMode::DirSync => Control::dir_sync(cookie.unwrap_or_default()),
        };
        let search = connection.enter_search(&search.clone().control(control)).await?;
        Ok(Self { search, mode, goes_on: cookie.is_some(), has_told: false })
    }

    /// Gives it its time anew: whoever takes the changes in parts may let time pass between them.
    pub(crate) fn prolong(&mut self, connection: &Connection) {
        self.search.prolong(connection);
    }

    /// Takes one more message in and adds its size; false after the last one, when the changes are whole.
    pub(crate) async fn step(
        &mut self,
        connection: &mut Connection,
        changes: &mut Changes,
        bytes: &mut usize,
    ) -> Result<bool, LdapError> {
        let taken = match self.search.step(connection).await.map_err(restart_where_older)? {
            Step::Entry(entry, controls) => {
                *bytes += entry.size();
                changes.take(entry, &controls, self.mode)
            }
            Step::Info { name, value } if name.as_deref() == Some(SYNC_INFO) => {
                *bytes += value.as_ref().map_or(0, Vec::len);
                changes.take_info(&value.unwrap_or_default())
            }
            Step::Info { .. } => Ok(()),
            Step::End => {
                let end = self.search.end().cloned().unwrap_or_default();
                changes.finish(&end, self.mode).map_err(answered)?;
                return if self.is_misread(changes) { Err(answered(Reason::SyncRestart)) } else { Ok(false) };
            }
        };
        taken.map_err(answered)?;
        self.has_told |= changes.has_named();
        Ok(true)
    }

    /// Whether the server told everything because it could not read the cookie: it says where to go on whenever it names
    /// somebody, unless it goes by a cookie of which it knows nothing.
    const fn is_misread(&self, changes: &Changes) -> bool {
        let may_be_silent = matches!(self.mode, SyncMode::DirSync) || !self.goes_on || !self.has_told;
        !may_be_silent && changes.cookie.is_empty()
    }
}

/// OpenLDAP is not willing to go on where it knows less than the cookie, such as after it was put back from a backup.
fn restart_where_older(error: LdapError) -> LdapError {
    let is_older = error.reason() == Reason::Unwilling
        && error.answer().is_some_and(|answer| answer.diagnostic().contains("newer than provider"));
    if is_older { error.with_reason(Reason::SyncRestart) } else { error }
}

impl Changes {
    const fn has_named(&self) -> bool {
        !(self.changed.is_empty() && self.deleted.is_empty() && self.present.is_empty())
    }

    fn take(&mut self, entry: Entry, controls: &Controls, mode: SyncMode) -> Result<(), Reason> {
        if mode == SyncMode::DirSync {
            let is_deleted = entry.text(&AttributeName::IS_DELETED) == Some("TRUE");
            if is_deleted {
                self.deleted.push(entry.id(crate::identifier::IdAttribute::ObjectGuid)?);
            } else {
                self.changed.push(entry);
            }
            return Ok(());
        }
        let value = controls.value(oid::SYNC_STATE).ok_or(Reason::ControlMissing)?;
        let mut reader = Reader::new(Reader::new(value).expect(tag::SEQUENCE)?);
        let state = reader.enumerated()?;
        let id = uuid(reader.expect(tag::OCTET_STRING)?)?;
        match state {
            0 => self.present.push(id),
            1 | 2 => self.changed.push(entry),
            3 => self.deleted.push(id),
            _ => return Err(Reason::MessageMalformed),
        }
        Ok(())
    }

    /// RFC 4533 §2.5: a choice of a new cookie, the end of a phase, or a set of identifiers.
    fn take_info(&mut self, value: &[u8]) -> Result<(), Reason> {
        let info = Reader::new(value).next()?.ok_or(Reason::MessageMalformed)?;
        let mut reader = Reader::new(info.body);
        match info.tag {
            0x80 => self.cookie = info.body.to_vec(),
            0xa1 | 0xa2 => {
                self.take_cookie(&mut reader)?;
                // the end of the phase of those present: what was not named is gone
                self.is_refresh |= info.tag == 0xa2;
            }
            0xa3 => {
                self.take_cookie(&mut reader)?;
                let are_deleted = matches!(reader.optional(tag::BOOLEAN)?, Some([octet]) if *octet != 0);
                let mut set = Reader::new(reader.expect(tag::SET)?);
                let list = if are_deleted { &mut self.deleted } else { &mut self.present };
                while !set.is_empty() {
                    list.push(uuid(set.expect(tag::OCTET_STRING)?)?);
                }
            }
            _ => return Err(Reason::MessageMalformed),
        }
        Ok(())
    }

    fn take_cookie(&mut self, reader: &mut Reader<'_>) -> Result<(), Reason> {
        if let Some(cookie) = reader.optional(tag::OCTET_STRING)? {
            self.cookie = cookie.to_vec();
        }
        Ok(())
    }

    fn finish(&mut self, end: &Controls, mode: SyncMode) -> Result<(), Reason> {
        if mode == SyncMode::DirSync {
            (self.has_more, self.cookie) = end.dir_sync()?;
            return Ok(());
        }
        let value = end.value(oid::SYNC_DONE).ok_or(Reason::ControlMissing)?;
        let mut reader = Reader::new(Reader::new(value).expect(tag::SEQUENCE)?);
        self.take_cookie(&mut reader)?;
        // refreshDeletes: false means that only those named are still there
        let refresh_deletes = matches!(reader.optional(tag::BOOLEAN)?, Some([octet]) if *octet != 0);
        self.is_refresh |= !refresh_deletes;
        Ok(())
    }
}

fn uuid(octets: &[u8]) -> Result<EntryId, Reason> {
    Uuid::from_slice(octets).map(EntryId::from_uuid).map_err(|_| Reason::MessageMalformed)
}

fn answered(reason: Reason) -> LdapError {
    LdapError::new(reason).with_fate(Fate::Answered)
}
