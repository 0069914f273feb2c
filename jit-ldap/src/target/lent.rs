//! Groups by what they are: whatever a name of the table stands for by now, what was lent is found where it was lent.

use jit_core::{BackendError, ErrorKind, RemoteEntitlement, TargetFault};

use super::accounts::Accounts;
use super::dialect::Dialect;
use super::fault::Step;
use super::members::{self, GroupName};
use super::table::{Group, Member};
use crate::connection::Connection;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::identifier::EntryId;
use crate::reason::Reason;
use crate::request::Search;

/// A group, and where it is now.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) dn: Dn,
    /// `None` where our account may not read it: then the place has to do.
    id: Option<EntryId>,
}

/// What became of a group that was lent.
#[derive(Debug)]
pub(super) struct Sought {
    /// Where it is; `None` where it is gone, and who was in it with it.
    pub(super) place: Option<Place>,
    /// Whether the table says another one under its name.
    pub(super) is_repointed: bool,
}

/// What is found under a name.
enum Seen {
    Nothing,
    /// Something of which our account may not read the identifier.
    Something,
    Entry(EntryId),
}

impl Place {
    /// What was asked for, as it is known from now on: by what it is called for good, and by its place, which is one text however
    /// the table writes it.
    pub(super) fn known(&self, asked: &RemoteEntitlement) -> RemoteEntitlement {
        let native = asked.native.clone().or_else(|| self.id.map(|id| id.to_string()));
        RemoteEntitlement { name: asked.name.clone(), native, at: Some(self.dn.folded().to_string()) }
    }

    /// Tells whether it is what was asked about.
    fn is(&self, asked: &RemoteEntitlement) -> bool {
        match (&asked.native, self.id) {
            (Some(native), Some(id)) => *native == id.to_string(),
            (Some(native), None) => *native == self.dn.folded().to_string(),
            (None, _) => asked.at.as_ref().is_some_and(|at| Dn::parse(at).is_ok_and(|at| at == self.dn)),
        }
    }
}

impl<D: Dialect> Accounts<D> {
    /// The group of this name in the table.
    pub(super) fn group_of(&self, entitlement: &RemoteEntitlement) -> Result<&Group, BackendError> {
        let group = self.table.groups.get(&entitlement.name);
        group.ok_or_else(|| Step::Groups.refused(TargetFault::Entitlement))
    }

    /// The group that is to be given. It has to be that which was asked about, and the table must still say so.
    pub(super) async fn place_to_give(
        &self,
        connection: &mut Connection,
        wanted: &RemoteEntitlement,
    ) -> Result<Place, BackendError> {
        let place = self.place_at(connection, &self.group_of(wanted)?.dn).await?.ok_or_else(missing)?;
        if place.is(wanted) { Ok(place) } else { Err(Step::Groups.refused(TargetFault::Entitlement)) }
    }

    /// Finds a group that was lent: where the table says, where it was, and then wherever it is by now. It is gone where
    /// another one is in its place; what is not found may be where our account sees nothing.
    pub(super) async fn seek(
        &self,
        connection: &mut Connection,
        lent: &RemoteEntitlement,
    ) -> Result<Sought, BackendError> {
        let said = self.table.groups.get(&lent.name).map(|group| &group.dn);
        let id = match (&lent.native, &lent.at) {
            (Some(native), _) => match native.parse::<EntryId>() {
                Ok(id) => id,
                // an earlier build kept the place for the identifier
                Err(_) => return self.seek_by_place(connection, native, said).await,
            },
            (None, Some(at)) => return self.seek_by_place(connection, at, said).await,
            (None, None) => {
                // an earlier build did not keep what the name stood for
                let place = self.place_at(connection, &self.group_of(lent)?.dn).await?.ok_or_else(missing)?;
                return Ok(Sought { place: Some(place), is_repointed: false });
            }
        };
        let was_at = lent.at.as_ref().and_then(|dn| Dn::parse(dn).ok());
        let (mut is_repointed, mut is_replaced) = (false, false);
        for dn in said.into_iter().chain(was_at.as_ref().filter(|dn| said != Some(*dn))) {
            match self.glimpsed_at(connection, dn).await? {
                Seen::Entry(found) if found == id => {
                    let place = Place { dn: dn.clone(), id: Some(id) };
                    return Ok(Sought { place: Some(place), is_repointed });
                }
                Seen::Entry(_) => {
                    is_repointed |= said == Some(dn);
                    is_replaced |= was_at.as_ref() == Some(dn);
                }
                Seen::Nothing | Seen::Something => {}
            }
        }
        match self.find_group(connection, id).await? {
            None if is_replaced => Ok(Sought { place: None, is_repointed }),
            None => Err(missing()),
            Some(dn) => Ok(Sought { place: Some(Place { dn, id: Some(id) }), is_repointed }),
        }
    }

    /// The same of one whose identifier could not be read when it was lent.
    async fn seek_by_place(
        &self,
        connection: &mut Connection,
        at: &str,
        said: Option<&Dn>,
    ) -> Result<Sought, BackendError> {
        let corrupt =
            |reason: Reason| BackendError::new(ErrorKind::Corrupt, "directory.groups").caused_by(reason);
        let dn = Dn::parse(at).map_err(corrupt)?;
        let is_repointed = said.is_some_and(|said| *said != dn);
        let place = self.place_at(connection, &dn).await?.ok_or_else(missing)?;
        Ok(Sought { place: Some(place), is_repointed })
    }

    /// Looks for a group by its identifier in all that the server keeps.
    async fn find_group(&self, connection: &mut Connection, id: EntryId) -> Result<Option<Dn>, BackendError> {
        let failed = |error: LdapError| Step::Look.failed(error);
        let contexts: Vec<_> = if self.dialect.looks_everywhere() {
            vec![self.table.base.clone()]
        } else {
            match connection.features().await {
                Ok(features) => features.naming_contexts().collect(),
                Err(error) if error.reason() == Reason::EntryMissing => vec![self.table.base.clone()],
                Err(error) => return Err(failed(error)),
            }
        };
        for context in contexts {
            match connection.read(&self.dialect.by_id(&context, id)).await {
                Ok(None) => {}
                Ok(Some(entry)) => return entry.dn().map(Some).map_err(|reason| Step::Look.failed(reason)),
                // what our account may not see elsewhere is not there for it
                Err(error) if error.reason() == Reason::AccessDenied => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(None)
    }

    /// The group of this name, if it is there.
    pub(super) async fn place_at(
        &self,
        connection: &mut Connection,
        dn: &Dn,
    ) -> Result<Option<Place>, BackendError> {
        let at = |id| Some(Place { dn: dn.clone(), id });
        Ok(match self.seen_at(connection, dn).await? {
            Seen::Nothing => None,
            Seen::Something => at(None),
            Seen::Entry(id) => at(Some(id)),
        })
    }

    async fn seen_at(&self, connection: &mut Connection, dn: &Dn) -> Result<Seen, BackendError> {
        self.look_at(connection, dn).await.map_err(|error| Step::Groups.failed(error))
    }

    /// The same where a server that tells nothing of it, such as one that keeps it elsewhere, is no obstacle.
    async fn glimpsed_at(&self, connection: &mut Connection, dn: &Dn) -> Result<Seen, BackendError> {
        let is_kept = |reason| matches!(reason, Reason::Referral | Reason::AccessDenied | Reason::DnRefused);
        match self.look_at(connection, dn).await {
            Err(error) if is_kept(error.reason()) => Ok(Seen::Something),
            seen => seen.map_err(|error| Step::Groups.failed(error)),
        }
    }

    async fn look_at(&self, connection: &mut Connection, dn: &Dn) -> Result<Seen, LdapError> {
        let search = Search::entry(dn).attributes([self.dialect.id().name()]);
        let id = |entry: Entry| entry.id(self.dialect.id()).map_or(Seen::Something, Seen::Entry);
        Ok(connection.read(&search).await?.map_or(Seen::Nothing, id))
    }

    /// Names a group so that a change reaches it and no other, as far as the directory can.
    pub(super) fn reach(&self, place: &Place) -> Result<GroupName, LdapError> {
        let Some(id) = place.id else { return Ok(GroupName::from(&place.dn)) };
        Ok(self.dialect.group(&place.dn, id)?)
    }

    /// Tells of each of these groups whether an account is in it.
    pub(super) async fn held_among(
        &self,
        connection: &mut Connection,
        places: &[Place],
        member: &Member,
    ) -> Result<Vec<bool>, LdapError> {
        let of_table = |place: &Place| self.table.has_group(&place.dn);
        let known =
            if places.iter().any(of_table) { self.held(connection, member).await? } else { Vec::new() };
        let mut held = Vec::new();
        for place in places {
            let is_held = if of_table(place) {
                known.contains(&place.dn)
            } else {
                members::is_member(connection, &self.reach(place)?, member).await?
            };
            held.push(is_held);
        }
        Ok(held)
    }
}

pub(super) fn missing() -> BackendError {
    Step::Groups.failed(Reason::EntryMissing)
}
