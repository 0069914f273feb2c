//! Whether what is not found is gone. A directory says of what our account may not see what it says of what is not there.

use std::collections::HashSet;

use jit_core::{BackendError, ErrorKind, FaultScope, RemoteEntitlement, RemoteRef, TargetFault};

use super::accounts::Accounts;
use super::dialect::{Dialect, Following};
use super::fault::Step;
use super::find::Base;
use super::guard::Guard;
use super::lent::{Place, Sought};
use super::members;
use super::table::Member;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName};
use crate::reason::Reason;
use crate::request::{Scope, Search};
use crate::writers::sends_elsewhere;

/// How many members of a group, or groups, are looked for at once.
pub(super) const AT_ONCE: usize = 50;

/// Who bears the last name of an account that is not found.
enum Bearer {
    Nobody,
    /// Another entry, as can be read.
    Another,
    /// What may be the account: its identifier cannot be read.
    Unproved,
}

impl<D: Dialect> Accounts<D> {
    /// Passes where an account that is not found is gone, as far as can be read: what it would lie below can be seen, so can
    /// what the groups lie below, what bears its marker or its name is known to be another one, and no group that follows its
    /// members names it.
    pub(super) async fn check_gone(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<(), BackendError> {
        let Some(name) = self.check_out_of_sight(connection, remote).await? else { return Ok(()) };
        let tells = self.dialect.following().is_left_to_it() && !self.table.membership.is_by_name;
        if tells && self.is_named(connection, &name).await? { Err(unproved_of_one()) } else { Ok(()) }
    }

    /// The same without what groups say. Returns the last name of the account, where nobody else is known to bear that.
    async fn check_out_of_sight(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<Option<EntryName>, BackendError> {
        if !self.check_home(connection, remote).await? {
            self.check_seen(connection, &self.table.base).await?;
        }
        let name = self.last_name(remote);
        // what never got an identifier may have been refused because its place is not there, and was looked for by its name
        if remote.native.is_some() {
            if let Ok(place) = self.table.place(remote.place.as_deref())
                && *place != self.table.base
            {
                self.check_seen(connection, place).await?;
            }
            self.check_unmarked(connection, remote).await?;
            if self.is_borne_by_another(connection, name.as_ref(), remote).await? {
                return Ok(None);
            }
        }
        Ok(name)
    }

    /// Passes where an account that is about to be called gone, and is not found, is gone. What groups say of it counts only
    /// where they surely follow their members: else it is taken from them, once the server says that nobody bears the name.
    pub(super) async fn check_ended(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<(), BackendError> {
        if self.dialect.following() == Following::Promised {
            self.check_out_of_sight(connection, remote).await?;
        } else {
            self.check_gone(connection, remote).await?;
        }
        let Some(name) = self.last_name(remote) else { return Ok(()) };
        self.is_unborne(connection, &name, remote).await.map(drop)
    }

    /// Tells whether a name of an account that is gone is nobody's by now, or known to be another one's; fails where our account
    /// may not see whose. What it may not see it may not change, and of what is not there a server says so. The change takes the
    /// marker of the account and puts it back: whatever else is there is left alone. A server that answers anything else, such
    /// as that it is busy, has not looked.
    pub(super) async fn is_unborne(
        &self,
        connection: &mut Connection,
        name: &EntryName,
        remote: &RemoteRef,
    ) -> Result<bool, BackendError> {
        let guard = Guard::by_exchange(name.clone(), &self.table.marker, &remote.marker);
        let outcome = guard.modify(connection, Vec::new()).await;
        match outcome {
            Err(error) if error.reason() == Reason::EntryMissing => return Ok(true),
            // it was not even looked for
            Err(error) if error.fate() != Fate::Answered || is_of_server(&error) => {
                return Err(Step::Remove.failed(error));
            }
            _ => {}
        }
        if matches!(self.bearer(connection, name, remote).await?, Bearer::Another) {
            return Ok(false);
        }
        Err(match outcome {
            Err(error) if !matches!(error.reason(), Reason::AccessDenied | Reason::ValueMissing) => {
                Step::Remove.failed(error)
            }
            _ => unproved_of_one(),
        })
    }

    /// Passes where a person who is not found is gone, as far as can be read: people can be seen, so can each of these groups,
    /// which were lent, and everybody whom one of them names.
    pub(super) async fn check_person_gone(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        lent: impl Iterator<Item = &RemoteEntitlement> + Send,
    ) -> Result<(), BackendError> {
        self.check_home(connection, remote).await?;
        let Some(people) = &self.table.people else { return Ok(()) };
        self.check_seen(connection, people).await?;
        let name = self.last_name(remote).filter(|_| self.dialect.names_members_for_good());
        for lent in lent {
            let Some(place) = self.seek_of_unfound(connection, lent).await?.place else { continue };
            let is_open = match &name {
                Some(name) => self.names(connection, &place, name).await,
                None => self.may_name_one_unread(connection, (&place.dn, people), remote).await,
            };
            if is_open.map_err(|error| Step::Look.failed(error))? {
                return Err(unproved_of_one());
            }
        }
        match name {
            Some(name) if self.is_named(connection, &name).await? => Err(unproved_of_one()),
            _ => Ok(()),
        }
    }

    /// Finds a group that somebody was lent who is not found.
    pub(super) async fn seek_of_unfound(
        &self,
        connection: &mut Connection,
        lent: &RemoteEntitlement,
    ) -> Result<Sought, BackendError> {
        match self.seek(connection, lent).await {
            // what is not found may be out of our sight, and the person in it; a name that the table lost may come back
            Err(error) if is_missing(&error) && self.group_of(lent).is_ok() => Err(unproved_of_one()),
            sought => sought,
        }
    }

    async fn names(
        &self,
        connection: &mut Connection,
        group: &Place,
        name: &EntryName,
    ) -> Result<bool, LdapError> {
        let member = Member { attribute: self.table.membership.attribute.clone(), value: name.to_string() };
        members::is_member(connection, &self.reach(group)?, &member).await
    }

    /// What the directory gave the entry that our accounts lie below: no other directory has it.
    pub(super) async fn home(&self, connection: &mut Connection) -> Result<Option<EntryId>, BackendError> {
        let search = Search::entry(&self.table.base).attributes([self.dialect.id().name()]);
        let base = connection.read(&search).await.map_err(|error| Step::Look.failed(error))?;
        Ok(base.and_then(|base| base.id(self.dialect.id()).ok()))
    }

    /// Passes where this is the directory that an account was made in, as far as that was written down, and tells whether the
    /// base was seen. Of an account in another one nothing is proved by what is not here. Where the settings name another base
    /// by now, the entry that was the base then is here still.
    pub(super) async fn check_home(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<bool, BackendError> {
        let Some(home) = &remote.home else { return Ok(false) };
        let id: EntryId = home.parse().map_err(|reason: Reason| {
            BackendError::new(ErrorKind::Corrupt, "directory.look").caused_by(reason)
        })?;
        let base = self.home(connection).await?;
        if base == Some(id) {
            return Ok(true);
        }
        if self.has_entry(connection, id).await? {
            return Ok(false);
        }
        // a base that cannot be read may be the same
        Err(if base.is_some() { Step::Look.failed(Reason::OtherDirectory) } else { unproved() })
    }

    /// Tells whether an entry can be seen anywhere in what the server keeps together with our base.
    async fn has_entry(&self, connection: &mut Connection, id: EntryId) -> Result<bool, BackendError> {
        for which in [Base::Own, Base::Whole] {
            let Some(base) = self.base(connection, which).await? else { continue };
            let search = self.dialect.by_id(&base, id).attributes([self.dialect.id().name()]);
            if which.seen(connection.read(&search).await)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn check_seen(&self, connection: &mut Connection, dn: &Dn) -> Result<(), BackendError> {
        let entry = connection.read(&Search::entry(dn)).await;
        if entry.map_err(|error| Step::Look.failed(error))?.is_some() { Ok(()) } else { Err(unproved()) }
    }

    /// Passes where nothing below the base that bears the marker of an account, under whatever name, may be the account.
    async fn check_unmarked(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<(), BackendError> {
        let marked = self.table.markers().map(|name| Filter::equals(name, remote.marker.as_str()));
        let filter = Filter::any(marked).map_err(|reason| Step::Look.failed(reason))?;
        let search = Search::new(&self.table.base, Scope::Subtree, filter);
        let found = connection.search(&search.attributes([self.dialect.id().name()])).await;
        let found = found.map_err(|error| Step::Look.failed(error))?;
        let is_other = found.entries.iter().all(|entry| self.is_another(entry, remote));
        if is_other { Ok(()) } else { Err(unproved_of_one()) }
    }

    /// Tells whether the last name of an account is another one's. What may be the account bears it where that is not told.
    async fn is_borne_by_another(
        &self,
        connection: &mut Connection,
        name: Option<&EntryName>,
        remote: &RemoteRef,
    ) -> Result<bool, BackendError> {
        // nobody else ever bears an identifier
        let Some(name @ EntryName::Dn(_)) = name else { return Ok(false) };
        match self.bearer(connection, name, remote).await? {
            Bearer::Another => Ok(true),
            Bearer::Nobody => Ok(false),
            Bearer::Unproved => Err(unproved_of_one()),
        }
    }

    /// Who bears the last name of an account.
    async fn bearer(
        &self,
        connection: &mut Connection,
        name: &EntryName,
        remote: &RemoteRef,
    ) -> Result<Bearer, BackendError> {
        let search = Search::entry(name.clone()).attributes([self.dialect.id().name()]);
        let entry = connection.read(&search).await.map_err(|error| Step::Look.failed(error))?;
        Ok(match entry {
            None => Bearer::Nobody,
            Some(entry) if self.is_another(&entry, remote) => Bearer::Another,
            Some(_) => Bearer::Unproved,
        })
    }

    /// Tells whether an entry is known to be another one: its identifier can be read, and differs.
    fn is_another(&self, entry: &Entry, remote: &RemoteRef) -> bool {
        let known = remote.native.as_ref().and_then(|native| native.parse::<EntryId>().ok());
        entry.id(self.dialect.id()).is_ok_and(|id| Some(id) != known)
    }

    /// Whether a group of the table names the entry of this name. Groups that cannot be looked at may name it.
    async fn is_named(&self, connection: &mut Connection, name: &EntryName) -> Result<bool, BackendError> {
        let member = Member { attribute: self.table.membership.attribute.clone(), value: name.to_string() };
        for home in self.table.homes_of_groups() {
            match self.held_below(connection, &home, &member).await {
                Ok(held) if held.is_empty() => {}
                Ok(_) => return Ok(true),
                Err(error) if error.reason() == Reason::EntryMissing => return Err(unproved_of_one()),
                Err(error) => return Err(Step::Look.failed(error)),
            }
        }
        Ok(false)
    }

    /// What names it wherever it lies, or the name that it was made under.
    fn last_name(&self, remote: &RemoteRef) -> Option<EntryName> {
        let id = remote.native.as_ref().filter(|_| self.dialect.looks_everywhere());
        match id.and_then(|native| native.parse().ok()) {
            Some(id) => Some(EntryName::Guid(id)),
            None => self.dn_of(remote).ok().map(EntryName::Dn),
        }
    }

    /// Whether a group names somebody below `people` who may be the one that is looked for: who cannot be seen, or whose
    /// identifier cannot be read. Or it cannot be seen itself, or does not show whom it names. Who was renamed or hidden is not
    /// found by their name; of whoever is gone, a group that follows its members names nothing.
    async fn may_name_one_unread(
        &self,
        connection: &mut Connection,
        (group, people): (&Dn, &Dn),
        remote: &RemoteRef,
    ) -> Result<bool, LdapError> {
        let attribute = &self.table.membership.attribute;
        let Some(members) = members_of(connection, group, attribute).await? else { return Ok(true) };
        let within: Vec<_> = members.into_iter().filter(|dn| dn.is_below(people)).collect();
        for some in within.chunks(AT_ONCE) {
            let filters: Result<Vec<_>, _> = some.iter().filter_map(own_part).collect();
            let search = Search::new(people, Scope::Subtree, Filter::any(filters?)?);
            let found = connection.search(&search.attributes([self.dialect.id().name()])).await?;
            let others = found.entries.iter().filter(|entry| self.is_another(entry, remote));
            let others: HashSet<_> = others.filter_map(|entry| entry.dn().ok()).collect();
            for dn in some.iter().filter(|dn| !others.contains(*dn)) {
                // one whose own part is none to be looked for, or that has come since
                let search = Search::entry(dn).attributes([self.dialect.id().name()]);
                let entry = connection.read(&search).await?;
                if !entry.is_some_and(|entry| self.is_another(&entry, remote)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn is_missing(error: &BackendError) -> bool {
    *error.kind() == ErrorKind::Target(TargetFault::Entitlement)
}

/// Whether a refusal says nothing of any entry.
fn is_of_server(error: &LdapError) -> bool {
    sends_elsewhere(error) || error.reason() == Reason::Busy
}

/// Whom a group names; `None` where it cannot be seen, or does not show that. Of what may not be read no filter holds, nor
/// its contrary (RFC 4511 §4.5.1.7): so one that shows nobody is asked whether it names nobody.
async fn members_of(
    connection: &mut Connection,
    group: &Dn,
    attribute: &AttributeName,
) -> Result<Option<Vec<Dn>>, LdapError> {
    let search = Search::entry(group).attributes([attribute.clone()]);
    let Some(mut entry) = connection.read(&search).await? else { return Ok(None) };
    connection.complete(&EntryName::from(group), &mut entry).await?;
    let values = entry.values(attribute).unwrap_or_default();
    if values.is_empty() {
        let none = Filter::present(attribute).negate()?;
        let is_empty = connection.read(&Search::new(group, Scope::Base, none)).await?.is_some();
        return Ok(is_empty.then(Vec::new));
    }
    let names = values.iter().filter_map(|value| Dn::parse(std::str::from_utf8(value).ok()?).ok());
    Ok(Some(names.collect()))
}

/// Finds an entry by the first part of its name, which it bears as a value.
pub(super) fn own_part(dn: &Dn) -> Option<Result<Filter, Reason>> {
    let (kind, value) = dn.rdn()?.single()?;
    Some(AttributeName::new(kind).map(|kind| Filter::equals(&kind, value)))
}

/// Says that something may be there though it is not seen.
fn unproved() -> BackendError {
    Step::Look.failed(Reason::AbsenceUnproved)
}

/// The same where that says nothing of other accounts.
pub(super) fn unproved_of_one() -> BackendError {
    unproved().about(FaultScope::Account)
}
