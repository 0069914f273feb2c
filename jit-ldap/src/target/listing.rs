//! Listing what bears a marker of ours.

use std::collections::{HashMap, HashSet};

use jit_core::{BackendError, Listed, Listing, Marker, RemoteRef};
use tokio::time::{Instant, timeout};

use super::accounts::{Accounts, in_time, unseen};
use super::dialect::Dialect;
use super::fault::Step;
use super::find::Found;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::EntryName;
use crate::reason::Reason;
use crate::request::{Scope, Search};
use crate::server::ServerId;

/// Active Directory hands out no more than a thousand at once.
const PAGE: u16 = 500;
/// The most entries of one listing: some hundred bytes each.
const ENTRIES: usize = 250_000;
/// The most bytes of names, places and marks that are kept of them.
const BYTES: usize = 128 << 20;

/// One of those listed, as groups name their members.
#[derive(PartialEq, Eq, Hash)]
enum Name {
    Entry(Dn),
    Login(String),
}

impl<D: Dialect> Accounts<D> {
    /// Lists in one go: the place in a search belongs to its connection, so that no later call could go on.
    pub(super) async fn list_all(&self) -> Result<Listing, BackendError> {
        let mut loan = self.lend().await?;
        let mut found = Vec::new();
        let within = self.directory.limits().listing;
        let walked = timeout(within, self.walk(&mut loan, &mut found)).await;
        let walked = walked.unwrap_or_else(|_| Err(Reason::Timeout.into()));
        let server = loan.server();
        drop(loan);
        // where groups do not tell their members, that says nothing of the listing
        let asked = timeout(self.longest_call(), self.members_at(&server, &found)).await;
        if let Ok(held) = in_time(asked) {
            for ((_, listed), held) in found.iter_mut().zip(held) {
                listed.entitlements = Some(self.table.names_of(&held));
            }
        }
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
            Filter::any(self.table.markers().map(|name| Filter::begins_with(name, Marker::PREFIX)))?,
        ])?;
        let search = Search::new(&self.table.base, Scope::Subtree, filter).attributes(self.shown_by());
        let mut pages = connection.pages(search, PAGE);
        let (mut is_whole, mut seen, mut bytes) = (true, 0, 0);
        while let Some(entries) = pages.next_page().await? {
            seen += entries.len();
            for entry in entries {
                bytes += entry.size();
                match self.listed(&entry) {
                    Some(listed) => found.push(listed),
                    None => is_whole = false,
                }
            }
            if seen > ENTRIES || bytes > BYTES {
                return Err(Reason::TooManyEntries.into());
            }
        }
        if pages.references() > 0 {
            return Err(Reason::Referral.into());
        }
        if is_whole { Ok(()) } else { Err(Reason::ValueMissing.into()) }
    }

    /// The groups that each of those listed is in. Asked of the groups, each once: they are few, and accounts may be many.
    async fn members_at(
        &self,
        server: &ServerId,
        listed: &[(Dn, Listed)],
    ) -> Result<Vec<Vec<Dn>>, BackendError> {
        let (mut by_name, mut held) = (HashMap::<_, Vec<_>>::new(), vec![Vec::new(); listed.len()]);
        for ((dn, one), held) in listed.iter().zip(&mut held) {
            by_name.entry(self.name(dn, one)).or_default().push(held);
        }
        let groups: HashSet<_> = self.table.groups.values().map(|group| &group.dn).collect();
        if by_name.is_empty() || groups.is_empty() {
            return Ok(held);
        }
        let mut loan = self.directory.lend_at(server).await.map_err(|error| Step::Reach.failed(error))?;
        for group in groups {
            let members = self.members(&mut loan, group).await.map_err(|error| Step::Look.failed(error))?;
            for member in members {
                for held in by_name.get_mut(&member).into_iter().flatten() {
                    held.push(group.clone());
                }
            }
        }
        Ok(held)
    }

    /// Whom a group names; nobody, where it is not there.
    async fn members(&self, connection: &mut Connection, group: &Dn) -> Result<HashSet<Name>, LdapError> {
        let attribute = &self.table.membership.attribute;
        let Some(mut entry) = connection.read(&Search::entry(group).attributes([attribute.clone()])).await?
        else {
            return Ok(HashSet::new());
        };
        connection.complete(&EntryName::from(group), &mut entry).await?;
        let values = entry.values(attribute).unwrap_or_default().iter();
        let texts = values.filter_map(|value| std::str::from_utf8(value).ok());
        Ok(if self.table.membership.is_by_name {
            texts.map(|text| Name::Login(text.to_owned())).collect()
        } else {
            texts.filter_map(|text| Dn::parse(text).ok().map(Name::Entry)).collect()
        })
    }

    fn name(&self, dn: &Dn, listed: &Listed) -> Name {
        if self.table.membership.is_by_name {
            Name::Login(listed.remote.name.clone())
        } else {
            Name::Entry(dn.clone())
        }
    }

    /// Looks at one account of ours. Only the server that changes go to knows how it is now.
    pub(super) async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        let begun = Instant::now();
        match self.show_at_one(remote).await {
            Err(error) if self.is_worth_another_look(&error, remote.marker.as_str(), begun).await => {
                self.show_at_one(remote).await
            }
            outcome => outcome,
        }
    }

    async fn show_at_one(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        let mut loan = self.lend_for(remote.marker.as_str()).await?;
        if loan.is_substitute() {
            return Err(unseen());
        }
        let Found::Ours(ours) = self.find(&mut loan, remote).await? else { return Ok(None) };
        let search = Search::entry(&ours.dn).attributes(self.shown_by());
        let entry = loan.read(&search).await.map_err(|error| Step::Look.failed(error))?;
        let Some((dn, mut shown)) = entry.and_then(|entry| self.listed(&entry)) else { return Ok(None) };
        let member = self.table.membership.of(&dn, &shown.remote.name);
        let held = self.held(&mut loan, &member).await.map_err(|error| Step::Look.failed(error))?;
        shown.entitlements = Some(self.table.names_of(&held));
        Ok(Some(shown))
    }

    fn shown_by(&self) -> impl Iterator<Item = AttributeName> {
        let login = std::iter::once(self.dialect.login().clone());
        login.chain(self.judged_by()).chain(self.dialect.ended_by())
    }

    fn listed(&self, entry: &Entry) -> Option<(Dn, Listed)> {
        let values = self.table.markers().flat_map(|name| entry.values(name).unwrap_or_default());
        let mut texts = values.filter_map(|value| std::str::from_utf8(value).ok());
        let marker = texts.find(|text| text.starts_with(Marker::PREFIX))?;
        let dn = entry.dn().ok()?;
        let mut places = self.table.names_of_place(&dn).map(str::to_owned);
        let remote = RemoteRef {
            name: entry.text(self.dialect.login())?.to_owned(),
            place: places.next(),
            marker: Marker::found(marker),
            native: Some(entry.id(self.dialect.id()).ok()?.to_string()),
            home: None,
        };
        let (enabled, end) =
            (self.dialect.shows_use().then(|| self.dialect.is_enabled(entry)), self.dialect.end(entry));
        let also_in = places.collect();
        Some((dn, Listed { remote, also_in, enabled, end, entitlements: None }))
    }
}
