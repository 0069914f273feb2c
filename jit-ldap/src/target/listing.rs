//! Listing what bears a marker of ours.

use jit_core::{BackendError, Listed, Listing, Marker, RemoteRef};

use super::accounts::Accounts;
use super::dialect::Dialect;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// Active Directory hands out no more than a thousand at once.
const PAGE: u16 = 500;
/// The most accounts of one listing: some hundred bytes each.
const ACCOUNTS: usize = 250_000;
/// The most accounts whose groups are looked up: a search for each.
const LOOKED_UP: usize = 10_000;

impl<D: Dialect> Accounts<D> {
    /// Lists in one go: the place in a search belongs to its connection, so that no later call could go on.
    pub(super) async fn list_all(&self) -> Result<Listing, BackendError> {
        let mut loan = self.lend().await?;
        let mut found = Vec::new();
        let walked = self.walk(&mut loan, &mut found).await;
        self.look_up_groups(&mut loan, &mut found).await;
        let listed = found.into_iter().map(|(_, listed)| listed).collect();
        Ok(match walked {
            Ok(()) => Listing::Complete(listed),
            Err(error) => Listing::Partial(listed, error.code()),
        })
    }

    async fn walk(
        &self,
        connection: &mut Connection,
        found: &mut Vec<(Dn, Listed)>,
    ) -> Result<(), LdapError> {
        let filter = Filter::all([
            Filter::equals(&AttributeName::OBJECT_CLASS, self.dialect.class()),
            Filter::begins_with(&self.table.marker, Marker::PREFIX),
        ])?;
        let search = Search::new(&self.table.base, Scope::Subtree, filter)
            .attributes([self.dialect.login().clone()])
            .attributes(self.judged_by())
            .attributes(self.dialect.ended_by());
        let mut pages = connection.pages(search, PAGE);
        let mut is_whole = true;
        while let Some(entries) = pages.next_page().await? {
            for entry in entries {
                match self.listed(&entry) {
                    Some(listed) => found.push(listed),
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

    /// Adds what each account holds, for as long as the server tells: where it does not, that says nothing of the listing.
    async fn look_up_groups(&self, connection: &mut Connection, found: &mut [(Dn, Listed)]) {
        for (dn, listed) in found.iter_mut().take(LOOKED_UP) {
            let member = self.table.membership.of(dn, &listed.remote.name);
            let Ok(held) = self.held(connection, &member).await else { return };
            listed.entitlements = Some(self.table.names_of(&held));
        }
    }

    fn listed(&self, entry: &Entry) -> Option<(Dn, Listed)> {
        let texts =
            entry.values(&self.table.marker)?.iter().filter_map(|value| std::str::from_utf8(value).ok());
        let marker = texts.into_iter().find(|text| text.starts_with(Marker::PREFIX))?;
        let dn = entry.dn().ok()?;
        let remote = RemoteRef {
            name: entry.text(self.dialect.login())?.to_owned(),
            place: self.table.place_of(&dn).map(str::to_owned),
            marker: Marker::found(marker),
            native: Some(entry.id(self.dialect.id()).ok()?.to_string()),
        };
        let (enabled, end) = (Some(self.dialect.is_enabled(entry)), self.dialect.end(entry));
        Some((dn, Listed { remote, enabled, end, entitlements: None }))
    }
}
