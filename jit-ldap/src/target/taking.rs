//! Taking people out of the groups that they were lent, wherever these are by now.

use std::collections::{BTreeMap, BTreeSet};

use jit_core::{BackendError, Effect, RemoteEntitlement, RemoteRef};

use super::absence::unproved_of_one;
use super::accounts::{Accounts, unseen};
use super::dialect::Dialect;
use super::elevation::{Found, Person};
use super::fault::Step;
use super::lent::{Place, Sought};
use super::members;
use super::table::Member;
use crate::connection::Connection;
use crate::error::LdapError;
use crate::identifier::{EntryId, EntryName};
use crate::pool::Loan;
use crate::reason::Reason;

/// What taking somebody out of a group came to.
struct Taken {
    /// Whether they were in it.
    was_in: bool,
    /// Whether the table has its name for another one by now.
    is_repointed: bool,
}

impl<D: Dialect> Accounts<D> {
    /// Takes the person out of every group that it can, whatever becomes of the others, and names those that they were in, and
    /// those whose names the table has for others by now. What kept it from one, the first time, is what it came to.
    pub(super) async fn take_all(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        take: &BTreeSet<RemoteEntitlement>,
        person: &Person,
    ) -> Result<(BTreeSet<RemoteEntitlement>, BTreeSet<RemoteEntitlement>), Result<Effect, BackendError>>
    {
        let (mut taken, mut repointed, mut kept) = (BTreeSet::new(), BTreeSet::new(), None);
        for lent in take {
            match self.take_one(loan, remote, lent, person).await {
                Ok(Taken { was_in, is_repointed }) => {
                    taken.extend(was_in.then(|| lent.clone()));
                    repointed.extend(is_repointed.then(|| lent.clone()));
                }
                Err(why) => drop(kept.get_or_insert(why)),
            }
            // nobody else is asked where nobody answers
            if !loan.is_usable() {
                break;
            }
        }
        kept.map_or(Ok((taken, repointed)), Err)
    }

    async fn take_one(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        lent: &RemoteEntitlement,
        person: &Person,
    ) -> Result<Taken, Result<Effect, BackendError>> {
        let sought = self.seek(loan, lent).await.map_err(Err)?;
        let taken = |was_in| Taken { was_in, is_repointed: sought.is_repointed };
        let place = match &sought.place {
            Some(place) => place,
            // the one that it shows in its place may be the one of before
            None if loan.is_substitute() => return Err(Err(unseen())),
            None => return Ok(taken(false)),
        };
        match self.take_out(loan, place, person).await {
            Ok(true) => Ok(taken(true)),
            Ok(false) if loan.is_substitute() => Err(Err(unseen())),
            Ok(false) => self.take_out_renamed(loan, remote, place, person).await.map(taken).map_err(Err),
            // the last member of a group that must have one
            Err(error) if error.reason() == Reason::SchemaViolation => Err(Ok(Effect::Stuck(error.code()))),
            Err(error) => Err(Err(Step::Groups.failed(error))),
        }
    }

    /// Ends what somebody was lent who is not found, where groups can be told members by identifier: each group is told to drop
    /// theirs. They are gone where each says that they are not in it, and nothing else shows that they are there.
    pub(super) async fn take_unfound(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        take: &BTreeSet<RemoteEntitlement>,
        id: EntryId,
    ) -> Result<Effect, BackendError> {
        let value = EntryName::Guid(id).to_string();
        let member = Member { attribute: self.table.membership.attribute.clone(), value };
        let (mut taken, mut repointed, mut kept) = (BTreeSet::new(), BTreeSet::new(), None);
        for lent in take {
            match self.take_unfound_from(loan, lent, &member).await {
                Ok(Taken { was_in, is_repointed }) => {
                    taken.extend(was_in.then(|| lent.clone()));
                    repointed.extend(is_repointed.then(|| lent.clone()));
                }
                Err(why) => drop(kept.get_or_insert(why)),
            }
        }
        if let Some(why) = kept {
            return Err(why);
        }
        if taken.is_empty() {
            self.check_person_gone(loan, remote, take.iter()).await?;
            return Ok(Effect::Absent { was_there: false });
        }
        Ok(Effect::Holding { given: BTreeSet::new(), taken, ends: BTreeMap::new(), repointed })
    }

    async fn take_unfound_from(
        &self,
        loan: &mut Loan,
        lent: &RemoteEntitlement,
        member: &Member,
    ) -> Result<Taken, BackendError> {
        let Sought { place, is_repointed } = self.seek_of_unfound(loan, lent).await?;
        let Some(place) = place else { return Ok(Taken { was_in: false, is_repointed }) };
        let failed = |error: LdapError| Step::Groups.failed(error);
        let group = self.reach(&place).map_err(failed)?;
        let was_in = members::leave_unread(loan, &group, member).await.map_err(failed)?;
        let was_in = was_in.ok_or_else(unproved_of_one)?;
        Ok(Taken { was_in, is_repointed })
    }

    /// Tells whether this took the person out of the group. A group that is not there any longer may have another name by now,
    /// and the person in it.
    async fn take_out(
        &self,
        connection: &mut Connection,
        group: &Place,
        person: &Person,
    ) -> Result<bool, LdapError> {
        let name = self.reach(group)?;
        if members::leave(connection, &name, &self.named_in_changes(person)).await? {
            return Ok(true);
        }
        if name.is_seen(connection).await? { Ok(false) } else { Err(Reason::EntryMissing.into()) }
    }

    /// The same where the person was renamed since they were found, and the group names them anew.
    async fn take_out_renamed(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        group: &Place,
        person: &Person,
    ) -> Result<bool, BackendError> {
        if self.dialect.names_members_for_good() {
            return Ok(false);
        }
        match self.find_person(connection, remote).await? {
            Found::Person(now) | Found::Made(now) if now.dn != person.dn => {
                let taken = self.take_out(connection, group, &now).await;
                taken.map_err(|error| Step::Groups.failed(error))
            }
            Found::Person(_) | Found::Made(_) | Found::Nothing => Ok(false),
        }
    }
}
