//! Accounts in any directory that speaks plain LDAP, as a profile describes them.

use async_trait::async_trait;
use jit_core::{BackendError, Marker, UnattendedEnd};

use super::dialect::{Dialect, NewAccount, Renewal};
use super::fault::{self, Step};
use super::find::Remote;
use super::guard::Guard;
use super::profile::{PasswordWay, Profile};
use super::table::Group;
use crate::attribute::{Attribute, AttributeName};
use crate::connection::Connection;
use crate::control::{Control, oid};
use crate::dn::{Dn, Rdn};
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName, IdAttribute};
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Modification, Scope, Search};

/// Speaks to a directory as its profile says.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) profile: Profile,
}

impl Plain {
    async fn make(&self, connection: &mut Connection, account: &NewAccount<'_>) -> Result<Remote, LdapError> {
        let profile = &self.profile;
        let mut attributes = profile.attributes(account.name, account.marker.as_str(), account.ends_at)?;
        match profile.password {
            PasswordWay::Attribute => {
                attributes.push(password_of(account.password));
                attributes.extend(profile.position(true));
                self.add_entry(connection, account.dn, &attributes).await
            }
            PasswordWay::Operation => {
                attributes.extend(profile.position(false));
                let made = self.add_entry(connection, account.dn, &attributes).await?;
                let guard = self.guard(&made, account.marker)?;
                let opened = self.open(connection, &guard, &made, account.password).await;
                if opened.is_err() {
                    // out of use, if this fails too; whoever asked removes it then
                    let _left = guard.remove(connection, Vec::new()).await;
                }
                opened.map(|()| made)
            }
        }
    }

    async fn add_entry(
        &self,
        connection: &mut Connection,
        dn: &Dn,
        attributes: &[Attribute],
    ) -> Result<Remote, LdapError> {
        let wanted = [self.profile.id.name()];
        let entry = if self.profile.has_controls {
            let answer = connection.add(dn, attributes, &[Control::post_read(&wanted)]).await?;
            answer.read_entry(oid::POST_READ)?
        } else {
            connection.add(dn, attributes, &[]).await?;
            let search = Search::entry(dn).attributes(wanted);
            connection.read(&search).await?.ok_or(Reason::EntryForeign)?
        };
        Ok(Remote { id: entry.id(self.profile.id)?, dn: dn.clone(), is_enabled: true })
    }

    /// Sets the password of an account that is out of use, and then puts it in use.
    async fn open(
        &self,
        connection: &mut Connection,
        guard: &Guard,
        account: &Remote,
        password: &Password,
    ) -> Result<(), LdapError> {
        connection.modify_password(Some(&account.dn), None, Some(password)).await?;
        match self.profile.opening() {
            Some(open) => guard.modify(connection, vec![Modification::Replace(open)]).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Dialect for Plain {
    /// More makes OpenLDAP fail without a word at 256.
    const NAME_BYTES: usize = 64;

    fn reaches_blindly(&self) -> bool {
        self.profile.has_controls
    }

    fn id(&self) -> IdAttribute {
        self.profile.id
    }

    fn login(&self) -> &AttributeName {
        &self.profile.name
    }

    fn class(&self) -> &str {
        self.profile.classes.first().map_or("top", String::as_str)
    }

    fn unattended_end(&self) -> UnattendedEnd {
        match self.profile.end {
            Some(_) => UnattendedEnd::ServerRefusesLogin,
            None => UnattendedEnd::LibraryOnly,
        }
    }

    fn rdn(&self, name: &str) -> Result<Rdn, Reason> {
        Rdn::new(self.profile.name.as_str(), name)
    }

    fn judged_by(&self) -> Vec<AttributeName> {
        self.profile.switch.iter().map(|switch| switch.name.clone()).collect()
    }

    fn is_enabled(&self, entry: &Entry) -> bool {
        self.profile.is_enabled(entry)
    }

    fn by_id(&self, base: &Dn, id: EntryId) -> Search {
        Search::new(base, Scope::Subtree, self.same(id))
    }

    fn by_login(&self, base: &Dn, name: &str) -> Result<(Dn, Filter), Reason> {
        Ok((base.clone(), Filter::equals(&self.profile.name, name)))
    }

    fn guard(&self, remote: &Remote, marker: &Marker) -> Result<Guard, Reason> {
        let name = EntryName::from(&remote.dn);
        if !self.profile.has_controls {
            return Ok(Guard::by_exchange(name, &self.profile.marker, marker));
        }
        let ours = Filter::equals(&self.profile.marker, marker.as_str());
        Ok(Guard::by_assertion(name, &Filter::all([self.same(remote.id), ours])?))
    }

    async fn add(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Option<Remote>, BackendError> {
        match self.make(connection, account).await {
            Ok(made) => Ok(Some(made)),
            Err(error) if fault::is_duplicate(&error) => Ok(None),
            Err(error) => Err(Step::Make.failed(error)),
        }
    }

    async fn renew(
        &self,
        connection: &mut Connection,
        guard: &Guard,
        renewal: &Renewal<'_>,
    ) -> Result<(), LdapError> {
        let profile = &self.profile;
        let end = profile.end.as_ref().map(|end| end.at(renewal.ends_at)).transpose()?;
        let mut changes: Vec<_> = end.map(Modification::Replace).into_iter().collect();
        match (renewal.password, profile.password) {
            (None, _) => guard.modify(connection, changes).await,
            (Some(password), PasswordWay::Attribute) => {
                changes.push(Modification::Replace(password_of(password)));
                changes.extend(profile.opening().filter(|_| !renewal.account.is_enabled).map(|open| {
                    // the password policy of OpenLDAP takes its lock away too, and fails where a replacement did before
                    let is_taken = open.values().is_empty();
                    if is_taken { Modification::Delete(open) } else { Modification::Replace(open) }
                }));
                guard.modify(connection, changes).await
            }
            // out of use while its password is set: the change before says that it is ours
            (Some(password), PasswordWay::Operation) => {
                guard.modify(connection, [profile.closure(), changes].concat()).await?;
                self.open(connection, guard, renewal.account, password).await
            }
        }
    }

    fn closure(&self) -> Vec<Modification> {
        self.profile.closure()
    }

    /// Which groups rule a directory of this kind only its administrator knows: the table says what may be given.
    async fn check_groups(&self, _: &mut Connection, _: &[&Group]) -> Result<(), BackendError> {
        Ok(())
    }

    fn groups_follow(&self) -> bool {
        self.profile.groups_follow
    }
}

impl Plain {
    fn same(&self, id: EntryId) -> Filter {
        Filter::equals(&self.profile.id.name(), self.profile.id.write(id))
    }
}

fn password_of(password: &Password) -> Attribute {
    Attribute::new(AttributeName::USER_PASSWORD, [password.expose()])
}
