//! Who is in which group. Only groups of the table are ever touched.

use super::accounts::Accounts;
use super::dialect::Dialect;
use super::table::{Group, Member};
use crate::attribute::{Attribute, AttributeName};
use crate::connection::Connection;
use crate::control::Control;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::filter::Filter;
use crate::identifier::EntryName;
use crate::outcome::Answer;
use crate::reason::Reason;
use crate::request::{Modification, Scope, Search};
use crate::writers::sends_elsewhere;

impl<D: Dialect> Accounts<D> {
    /// Puts an account into these groups and takes it out of all others of the table: of each that it can, and fails with
    /// the first that it cannot.
    pub(super) async fn set_groups(
        &self,
        connection: &mut Connection,
        account: &Member,
        wanted: &[&Group],
    ) -> Result<(), LdapError> {
        let held = self.held(connection, account).await?;
        let mut kept = Ok(());
        for group in held.iter().filter(|group| !wanted.iter().any(|wanted| wanted.dn == **group)) {
            kept = kept.and(leave(connection, &GroupName::from(group), account).await.map(drop));
            if !connection.is_usable() {
                break;
            }
        }
        kept?;
        for group in wanted.iter().filter(|wanted| !held.contains(&wanted.dn)) {
            join(connection, &GroupName::from(&group.dn), account).await?;
        }
        Ok(())
    }

    /// The groups of the table that an account is in. Asked of the groups: not every directory keeps `memberOf`.
    pub(super) async fn held(
        &self,
        connection: &mut Connection,
        account: &Member,
    ) -> Result<Vec<Dn>, LdapError> {
        let mut held = Vec::new();
        for home in self.table.homes_of_groups() {
            match self.held_below(connection, &home, account).await {
                Ok(groups) => held.extend(groups),
                Err(error) if error.reason() == Reason::EntryMissing => {}
                Err(error) => return Err(error),
            }
        }
        Ok(held)
    }

    /// The same of those groups that lie below one entry, which has to be there.
    pub(super) async fn held_below(
        &self,
        connection: &mut Connection,
        home: &Dn,
        account: &Member,
    ) -> Result<Vec<Dn>, LdapError> {
        let found = connection.search(&Search::new(home, Scope::Children, holds(account))).await?;
        let names = found.entries.iter().filter_map(|entry| entry.dn().ok());
        Ok(names.filter(|dn| self.table.has_group(dn)).collect())
    }
}

/// Names a group in requests that change who is in it.
#[derive(Debug, Clone)]
pub(super) struct GroupName {
    name: EntryName,
    controls: Vec<Control>,
}

impl<N: Into<EntryName>> From<N> for GroupName {
    fn from(name: N) -> Self {
        Self { name: name.into(), controls: Vec::new() }
    }
}

impl GroupName {
    /// Has each change fail unless this holds.
    pub(super) fn under(self, condition: Control) -> Self {
        Self { controls: vec![condition], ..self }
    }

    /// Tells whether it is there.
    pub(super) async fn is_seen(&self, connection: &mut Connection) -> Result<bool, LdapError> {
        let search = Search::entry(self.name.clone()).attributes([AttributeName::OBJECT_CLASS]);
        Ok(connection.read(&search).await?.is_some())
    }

    /// Changes it.
    pub(super) async fn modify(
        &self,
        connection: &mut Connection,
        changes: &[Modification],
    ) -> Result<(), LdapError> {
        connection.modify(&self.name, changes, &self.controls).await.map(drop)
    }

    /// Reads whom it names, each as these controls ask for it.
    pub(super) async fn members(
        &self,
        connection: &mut Connection,
        controls: &[Control],
    ) -> Result<Entry, LdapError> {
        let search = Search::entry(self.name.clone()).attributes([AttributeName::MEMBER]);
        let search = controls.iter().cloned().fold(search, Search::control);
        let mut found = connection.read(&search).await?.ok_or(Reason::EntryMissing)?;
        // of many members a server returns some, and the others to whoever asks for them in the same way
        connection.complete_under(&self.name, &mut found, controls).await?;
        Ok(found)
    }
}

/// Puts an account into a group, and tells whether it was not in it; that it is in it already is as good.
pub(super) async fn join(
    connection: &mut Connection,
    group: &GroupName,
    account: &Member,
) -> Result<bool, LdapError> {
    joined(group.modify(connection, &[Modification::Add(member(account))]).await)
}

/// Tells whether an account is in a group.
pub(super) async fn is_member(
    connection: &mut Connection,
    group: &GroupName,
    account: &Member,
) -> Result<bool, LdapError> {
    let search = Search::new(group.name.clone(), Scope::Base, holds(account));
    Ok(connection.read(&search).await?.is_some())
}

/// Puts an account into several groups, for the time of one; fails with the first that does not take it, whatever the
/// others did.
pub(super) async fn join_all(
    connection: &mut Connection,
    groups: &[&Group],
    account: &Member,
) -> Result<(), LdapError> {
    let change = |group: &&Group| (EntryName::from(&group.dn), Modification::Add(member(account)));
    let changes: Vec<_> = groups.iter().map(change).collect();
    let outcomes = connection.modify_together(&changes).await?;
    outcomes.into_iter().try_for_each(|outcome| joined(outcome).map(drop))
}

fn joined(outcome: Result<(), LdapError>) -> Result<bool, LdapError> {
    match outcome {
        Err(error) if matches!(error.reason(), Reason::EntryExists | Reason::ValueExists) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Takes an account out of a group, and tells whether it was in it; that either is gone is as good.
pub(super) async fn leave(
    connection: &mut Connection,
    group: &GroupName,
    account: &Member,
) -> Result<bool, LdapError> {
    match group.modify(connection, &[Modification::Delete(member(account))]).await {
        Err(error) if matches!(error.reason(), Reason::EntryMissing | Reason::ValueMissing) => Ok(false),
        // Active Directory answers so when it is not in the group, and for other reasons; a server that takes no changes has not
        // looked
        Err(error) if error.reason() == Reason::Unwilling && !sends_elsewhere(&error) => {
            if is_member(connection, group, account).await? { Err(error) } else { Ok(false) }
        }
        other => other.map(|()| true),
    }
}

/// Takes somebody out of a group of Active Directory who may not be seen, by what they are called for good, and tells whether
/// they were in it; `None` where neither can be told. What our account may not read of a group looks there like what is not
/// there, in filters as well, and so does its contrary: the change itself says how it is.
pub(super) async fn leave_unread(
    connection: &mut Connection,
    group: &GroupName,
    account: &Member,
) -> Result<Option<bool>, LdapError> {
    match group.modify(connection, &[Modification::Delete(member(account))]).await {
        Ok(()) => Ok(Some(true)),
        Err(error) if error.reason() == Reason::ValueMissing || says_no_member(&error) => Ok(Some(false)),
        Err(error) if error.fate() != Fate::Answered || is_elsewhere(&error) => Err(error),
        // it shows others, and not them
        Err(_) if shows_members(connection, group).await? => {
            let is_in = is_member(connection, group, account).await?;
            Ok(Some(false).filter(|_| !is_in))
        }
        Err(_) => Ok(None),
    }
}

/// Whether a domain controller says that it knows no such member of the group: Windows by a code ([MS-ERREF] §2.2), Samba by a
/// text.
fn says_no_member(error: &LdapError) -> bool {
    const TEXTS: [&str; 3] = ["00000561", "00000529", "doesn't exist for target GUID"];
    let says = |answer: &Answer| TEXTS.iter().any(|text| answer.diagnostic().contains(text));
    error.reason() == Reason::Unwilling && error.answer().is_some_and(says)
}

/// Whether it says nothing of who is in the group.
fn is_elsewhere(error: &LdapError) -> bool {
    sends_elsewhere(error) || matches!(error.reason(), Reason::EntryMissing | Reason::Busy)
}

async fn shows_members(connection: &mut Connection, group: &GroupName) -> Result<bool, LdapError> {
    let any = Search::new(group.name.clone(), Scope::Base, Filter::present(&AttributeName::MEMBER));
    Ok(connection.read(&any).await?.is_some())
}

fn member(account: &Member) -> Attribute {
    Attribute::new(account.attribute.clone(), [account.value.as_str()])
}

pub(super) fn holds(account: &Member) -> Filter {
    Filter::equals(&account.attribute, &account.value)
}
