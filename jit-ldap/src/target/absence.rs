//! Whether what is not found is gone. A directory says of what our account may not see what it says of what is not there.

use std::collections::HashSet;

use jit_core::{BackendError, FaultScope, RemoteRef};

use super::accounts::Accounts;
use super::dialect::Dialect;
use super::fault::Step;
use super::guard::Guard;
use super::table::Member;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::dn::Dn;
use crate::error::{Fate, LdapError};
use crate::filter::Filter;
use crate::identifier::EntryName;
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// How many members of a group are looked for at once.
const AT_ONCE: usize = 50;

impl<D: Dialect> Accounts<D> {
    /// Passes where an account that is not found is gone, as far as can be read: what it would lie below can be seen, and no
    /// group that follows its members names it.
    pub(super) async fn check_gone(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<(), BackendError> {
        self.check_seen(connection, &self.table.base).await?;
        // what never got an identifier may have been refused because its place is not there
        if remote.native.is_some()
            && let Ok(place) = self.table.place(remote.place.as_deref())
            && *place != self.table.base
        {
            self.check_seen(connection, place).await?;
        }
        let Some(name) = self.last_name(remote) else { return Ok(()) };
        if self.dialect.groups_follow()
            && !self.table.membership.is_by_name
            && self.is_named(connection, &name).await?
            && !is_seen(connection, &name).await?
        {
            return Err(unproved().about(FaultScope::Account));
        }
        Ok(())
    }

    /// Passes where nothing that our account may not see bears the last name of an account. What it may not see it may not
    /// change, and of what is not there a server says something else. The change takes the marker of the account and puts it
    /// back: whatever else is there is left alone.
    pub(super) async fn check_unborne(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<(), BackendError> {
        let Some(name) = self.last_name(remote) else { return Ok(()) };
        let guard = Guard::by_exchange(name.clone(), &self.table.marker, &remote.marker);
        let is_there = match guard.modify(connection, Vec::new()).await {
            Ok(()) => true,
            Err(error) if error.fate() != Fate::Answered => return Err(Step::Look.failed(error)),
            Err(error) => matches!(error.reason(), Reason::AccessDenied | Reason::ValueMissing),
        };
        // what bears its name for all to see is another one
        let is_there = is_there && !is_seen(connection, &name).await?;
        if is_there { Err(unproved().about(FaultScope::Account)) } else { Ok(()) }
    }

    /// Passes where a person who is not found is gone, as far as can be read: people can be seen, and each of them whom one
    /// of these groups names.
    pub(super) async fn check_person_gone(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        groups: &[Dn],
    ) -> Result<(), BackendError> {
        let Some(people) = &self.table.people else { return Ok(()) };
        self.check_seen(connection, people).await?;
        let is_named = if self.dialect.names_members_for_good() {
            match self.last_name(remote) {
                Some(name) => self.is_named(connection, &name).await?,
                None => false,
            }
        } else {
            let mut is_named = false;
            for group in groups {
                let unseen = names_one_unseen(connection, group, people, &self.table.membership.attribute);
                is_named |= unseen.await.map_err(|error| Step::Look.failed(error))?;
            }
            is_named
        };
        if is_named { Err(unproved().about(FaultScope::Account)) } else { Ok(()) }
    }

    async fn check_seen(&self, connection: &mut Connection, dn: &Dn) -> Result<(), BackendError> {
        if is_seen(connection, &EntryName::from(dn)).await? { Ok(()) } else { Err(unproved()) }
    }

    /// Whether a group of the table names the entry of this name.
    async fn is_named(&self, connection: &mut Connection, name: &EntryName) -> Result<bool, BackendError> {
        let member = Member { attribute: self.table.membership.attribute.clone(), value: name.to_string() };
        let held = self.held(connection, &member).await;
        held.map(|held| !held.is_empty()).map_err(|error| Step::Look.failed(error))
    }

    /// What names it wherever it lies, or the name that it was made under.
    fn last_name(&self, remote: &RemoteRef) -> Option<EntryName> {
        let id = remote.native.as_ref().filter(|_| self.dialect.looks_everywhere());
        match id.and_then(|native| native.parse().ok()) {
            Some(id) => Some(EntryName::Guid(id)),
            None => self.dn_of(remote).ok().map(EntryName::Dn),
        }
    }
}

async fn is_seen(connection: &mut Connection, name: &EntryName) -> Result<bool, BackendError> {
    let entry = connection.read(&Search::entry(name.clone())).await;
    entry.map(|entry| entry.is_some()).map_err(|error| Step::Look.failed(error))
}

/// Whether a group names somebody below `people` who cannot be seen. Who was renamed or hidden is not found by their name;
/// of whoever is gone, a group that follows its members names nothing.
async fn names_one_unseen(
    connection: &mut Connection,
    group: &Dn,
    people: &Dn,
    attribute: &AttributeName,
) -> Result<bool, LdapError> {
    let search = Search::entry(group).attributes([attribute.clone()]);
    let Some(mut entry) = connection.read(&search).await? else { return Ok(false) };
    connection.complete(&EntryName::from(group), &mut entry).await?;
    let values = entry.values(attribute).unwrap_or_default().iter();
    let members = values.filter_map(|value| Dn::parse(std::str::from_utf8(value).ok()?).ok());
    let within: Vec<_> = members.filter(|dn| dn.is_below(people)).collect();
    for some in within.chunks(AT_ONCE) {
        let filters: Result<Vec<_>, _> = some.iter().filter_map(own_part).collect();
        let search = Search::new(people, Scope::Subtree, Filter::any(filters?)?);
        let found = connection.search(&search).await?;
        let seen: HashSet<_> = found.entries.iter().filter_map(|entry| entry.dn().ok()).collect();
        for dn in some.iter().filter(|dn| !seen.contains(*dn)) {
            // one whose own part is none to be looked for, or that has come since
            if connection.read(&Search::entry(dn)).await?.is_none() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Finds an entry by the first part of its name, which it bears as a value.
fn own_part(dn: &Dn) -> Option<Result<Filter, Reason>> {
    let (kind, value) = dn.rdn()?.single()?;
    Some(AttributeName::new(kind).map(|kind| Filter::equals(&kind, value)))
}

/// Says that something may be there though it is not seen.
fn unproved() -> BackendError {
    Step::Look.failed(Reason::AbsenceUnproved)
}
