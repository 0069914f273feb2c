//! People and groups of a directory, read whole, and what has changed since the last time.
//!
//! One import reads entries of one kind: people, or groups. It never takes part of a result for the whole: only its last
//! step says that it is complete, and only that step holds the cookie with which the next reading goes on.
//!
//! ```no_run
//! # async fn read(directory: jit_ldap::Directory, kept: Option<jit_ldap::import::ImportCookie>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use jit_ldap::import::{Extent, Import, ImportSettings, Record, Step};
//! use jit_ldap::IdAttribute;
//!
//! let settings = ImportSettings::new("ou=people,dc=example,dc=com", "(objectClass=inetOrgPerson)", IdAttribute::EntryUuid);
//! let import = Import::new(directory, &settings)?;
//! let mut reading = import.begin(kept.as_ref()).await?;
//! let complete = loop {
//!     match reading.next().await? {
//!         Step::Records(records) => {
//!             for record in records {
//!                 match record {
//!                     Record::Changed(entry) => println!("new or changed: {}", entry.id()),
//!                     Record::Unchanged(id) => println!("still there: {id}"),
//!                     Record::Gone(id) => println!("gone: {id}"),
//!                 }
//!             }
//!         }
//!         Step::Complete(complete) => break complete,
//!     }
//! };
//! if complete.extent == Extent::Everything {
//!     println!("whoever was not named is gone");
//! }
//! # Ok(())
//! # }
//! ```

mod anew;
mod cookie;
mod differences;
mod lent;
mod reading;
mod settings;
mod whole;

use std::fmt;

use jit_core::{Claims, LentAccounts};

use crate::claims::ClaimsOf;
use crate::connection::Connection;
use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::identifier::EntryId;
use crate::reason::Reason;
use crate::sign_in::SettingsError;

pub use cookie::ImportCookie;
use reading::Origin;
pub use reading::Reading;
pub use settings::{ImportConfig, ImportSettings, ImportWay};

/// Reads entries of one kind from a directory.
#[derive(Debug, Clone)]
pub struct Import {
    directory: Directory,
    config: ImportConfig,
    lent: Option<LentAccounts>,
}

impl Import {
    /// Describes an import. Nothing is connected yet.
    ///
    /// # Errors
    /// [`SettingsError`] that names the first unsound field; its code is `ldap.settings_invalid`.
    pub fn new(directory: Directory, settings: &ImportSettings) -> Result<Self, SettingsError> {
        Ok(Self { directory, config: settings.check()?, lent: None })
    }

    /// Takes what leases lend for no person, whatever it bears: name here the stores of all whose targets are on this directory.
    #[must_use]
    pub fn leaving_out(mut self, lent: LentAccounts) -> Self {
        self.lent = Some(lent);
        self
    }

    /// Begins to read: everything, or what has changed since the cookie of an earlier reading.
    ///
    /// Of several servers the one is asked that the cookie is of, and without a cookie the first. Where it cannot be reached,
    /// another one stands in ([`Reading::is_substitute`]), which may not have heard of somebody yet: it tells who is new or has
    /// changed, and of nobody that they are gone. Such a reading never says [`Extent::Everything`], and hands back the cookie
    /// that it began with.
    ///
    /// # Errors
    /// `ldap.sync_restart` when the cookie is of other settings, or of a server that is not among those of the directory: begin
    /// without one; as [`Directory::lend`].
    ///
    /// # Cancel safety
    /// Nothing is lost; the cookie is as good as before.
    pub async fn begin(&self, since: Option<&ImportCookie>) -> Result<Reading<'_>, LdapError> {
        let opened = self.config.open(since)?;
        let own =
            opened.as_ref().map(|opened| opened.server.as_ref().ok_or(Reason::SyncRestart)).transpose()?;
        let loan = self.directory.lend_first_at(own).await.map_err(|error| match error.reason() {
            Reason::ServerUnknown if own.is_some() => Reason::SyncRestart.into(),
            _ => error,
        })?;
        let origin = if loan.is_substitute() {
            Origin::Substitute(since.cloned())
        } else {
            Origin::Own(Some(loan.server()))
        };
        let reading = Reading::new(Box::new(loan), origin, &self.config, opened)?;
        Ok(match &self.lent {
            Some(lent) => reading.leaving_out(lent.clone()),
            None => reading,
        })
    }
}

impl ImportConfig {
    /// Begins to read over a connection that is open and bound already.
    ///
    /// # Errors
    /// `ldap.sync_restart` when the cookie is of other settings.
    pub fn read_over(
        &self,
        connection: Connection,
        since: Option<&ImportCookie>,
    ) -> Result<Reading<'_>, LdapError> {
        let opened = self.open(since)?;
        let origin = Origin::Own(opened.as_ref().and_then(|opened| opened.server.clone()));
        Reading::new(Box::new(connection), origin, self, opened)
    }
}

/// One step of a reading.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "part and whole must never be confused")]
pub enum Step {
    /// Some records, or none where nothing of what was read is handed out; more may follow.
    Records(Vec<Record>),
    /// There are no others.
    Complete(Complete),
}

/// What a reading says of one entry. Of an entry that is named more than once, the last record counts.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever keeps people up to date decides each")]
pub enum Record {
    /// It is new or has changed: here with all of its attributes.
    Changed(Box<ImportedEntry>),
    /// It is still there.
    Unchanged(EntryId),
    /// It is gone, or no longer where and what is read.
    Gone(EntryId),
}

impl Record {
    /// Who is there.
    pub(super) fn there(&self) -> Option<EntryId> {
        match self {
            Self::Changed(entry) => Some(entry.id()),
            Self::Unchanged(id) => Some(*id),
            Self::Gone(_) => None,
        }
    }
}

/// The end of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever keeps people up to date reads both")]
pub struct Complete {
    /// What the reading says of entries that it did not name.
    pub extent: Extent,
    /// Where to go on the next time; `None` where everything is read then, as it is each time by some ways.
    pub cookie: Option<ImportCookie>,
}

/// What a reading says of entries that it did not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "to take the one for the other removes people")]
pub enum Extent {
    /// They are gone.
    Everything,
    /// They are as they were.
    Changes,
}

/// An entry that was read. `Debug` shows its identifier and the names of its attributes.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportedEntry {
    id: EntryId,
    entry: Entry,
}

impl ImportedEntry {
    /// The identifier, which a rename does not change.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// The entry with the attributes of the settings, each whole.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The attributes as claims, under the names of the settings.
    #[must_use]
    pub fn claims(&self, config: &ImportConfig) -> Claims {
        ClaimsOf::entry(&self.entry, &config.attributes).into_claims()
    }
}

impl fmt::Debug for ImportedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedEntry").field("id", &self.id).field("entry", &self.entry).finish()
    }
}
