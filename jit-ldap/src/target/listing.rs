//! Listing what bears a marker of ours.

use jit_core::{BackendError, Listing, Marker, RemoteRef};

use super::accounts::Accounts;
use super::dialect::Dialect;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// Active Directory hands out no more than a thousand at once.
const PAGE: u16 = 500;
/// The most accounts of one listing: some hundred bytes each.
const ACCOUNTS: usize = 250_000;

impl<D: Dialect> Accounts<D> {
    /// Lists in one go: the place in a search belongs to its connection, so that no later call could go on.
    pub(super) async fn list_all(&self) -> Result<Listing, BackendError> {
        let mut loan = self.lend().await?;
        let mut found = Vec::new();
        match self.walk(&mut loan, &mut found).await {
            Ok(()) => Ok(Listing::Complete(found)),
            Err(error) => Ok(Listing::Partial(found, error.code())),
        }
    }

    async fn walk(&self, connection: &mut Connection, found: &mut Vec<RemoteRef>) -> Result<(), LdapError> {
        let filter = Filter::all([
            Filter::equals(&AttributeName::OBJECT_CLASS, self.dialect.class()),
            Filter::begins_with(&self.table.marker, Marker::PREFIX),
        ])?;
        let search = Search::new(&self.table.base, Scope::Subtree, filter).attributes([
            self.dialect.login().clone(),
            self.dialect.id().name(),
            self.table.marker.clone(),
        ]);
        let mut pages = connection.pages(search, PAGE);
        let mut is_whole = true;
        while let Some(entries) = pages.next_page().await? {
            for entry in entries {
                match self.reference(&entry) {
                    Some(remote) => found.push(remote),
                    None => is_whole = false,
                }
            }
            if found.len() > ACCOUNTS {
                return Err(Reason::TooManyEntries.into());
            }
        }
        if pages.references() > 0 {
            return Err(Reason::Referral.into());
        }
        if is_whole { Ok(()) } else { Err(Reason::ValueMissing.into()) }
    }

    fn reference(&self, entry: &Entry) -> Option<RemoteRef> {
        let texts =
            entry.values(&self.table.marker)?.iter().filter_map(|value| std::str::from_utf8(value).ok());
        let marker = texts.into_iter().find(|text| text.starts_with(Marker::PREFIX))?;
        Some(RemoteRef {
            name: entry.text(self.dialect.login())?.to_owned(),
            place: self.table.place_of(&entry.dn().ok()?).map(str::to_owned),
            marker: Marker::found(marker),
            native: Some(entry.id(self.dialect.id()).ok()?.to_string()),
        })
    }
}
