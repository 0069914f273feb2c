//! Accounts in any directory that speaks plain LDAP, as a profile describes them.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{BackendError, Marker, ShownEnd, UnattendedEnd};

use super::dialect::{Dialect, Following, NewAccount, Renewal};
use super::fault::{self, Step};
use super::find::Remote;
use super::guard::Guard;
use super::life;
use super::members::GroupName;
use super::profile::{PasswordWay, Profile};
use super::table::Group;
use crate::attribute::{Attribute, AttributeName};
use crate::connection::{Connection, ServerFeatures};
use crate::control::{Control, Controls, oid};
use crate::dn::{Dn, Rdn};
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName, IdAttribute};
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Modification, Scope, Search};

/// Speaks to a directory as its profile says.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) profile: Profile,
    /// Whether the server was found able to do what the profile says.
    is_checked: AtomicBool,
}

impl Plain {
    pub(super) const fn new(profile: Profile) -> Self {
        Self { profile, is_checked: AtomicBool::new(false) }
    }

    async fn make(&self, connection: &mut Connection, account: &NewAccount<'_>) -> Result<Remote, LdapError> {
        let profile = &self.profile;
        let mut attributes = profile.attributes(account.name, account.marker.as_str(), account.ends_at)?;
        let is_open = profile.password == PasswordWay::Attribute;
        attributes.extend(profile.position(is_open));
        if is_open {
            attributes.push(password_of(account.password));
        }
        let reads =
            if profile.has_controls { vec![Control::post_read(&self.identified_by())] } else { Vec::new() };
        let answer = connection.add(account.dn, &attributes, &reads).await?;
        let finished = self.finish(connection, account, &answer).await;
        // who changed it meanwhile was told that it is there, and answers for it
        if finished.as_ref().is_err_and(|error| !Guard::has_tripped(error)) {
            // whoever asked looks for it as well, if this fails too
            let ours = Guard::by_exchange(EntryName::from(account.dn), &profile.marker, account.marker);
            // without its password it was of no use while it was there
            if ours.remove(connection, || profile.closure()).await.is_ok() {
                return finished;
            }
        }
        finished.map_err(|error| error.with_fate(Fate::Unknown))
    }

    /// Learns what an account was made as, and gives it what it did not get at once.
    async fn finish(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
        answer: &Controls,
    ) -> Result<Remote, LdapError> {
        let entry = if self.profile.has_controls {
            answer.read_entry(oid::POST_READ)?
        } else {
            let search = Search::entry(account.dn).attributes(self.identified_by());
            connection.read(&search).await?.ok_or(Reason::EntryForeign)?
        };
        let id = entry.id(self.profile.id)?;
        let made = Remote {
            id,
            dn: account.dn.clone(),
            marked_in: self.profile.marker.clone(),
            is_enabled: true,
            server_time: life::server_time(&entry),
        };
        if self.profile.is_dynamic {
            let now = made.server_time.ok_or(Reason::ControlUnsupported)?;
            life::prolong(connection, &made.dn, now, account.ends_at).await?;
        }
        if self.profile.password == PasswordWay::Operation {
            let guard = self.guard(&made, account.marker)?;
            self.open(connection, &guard, &made, account.password).await?;
        }
        Ok(made)
    }

    fn identified_by(&self) -> Vec<AttributeName> {
        let life = self.profile.is_dynamic.then(life::attributes);
        std::iter::once(self.profile.id.name()).chain(life.into_iter().flatten()).collect()
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

    async fn set_password(
        &self,
        connection: &mut Connection,
        guard: &Guard,
        renewal: &Renewal<'_>,
        mut changes: Vec<Modification>,
    ) -> Result<(), LdapError> {
        let profile = &self.profile;
        let Some(password) = renewal.password else { return guard.modify(connection, changes).await };
        if profile.password == PasswordWay::Operation {
            // out of use while its password is set: this change says that it is ours
            guard.modify(connection, [profile.closure(), changes].concat()).await?;
            let opened = self.open(connection, guard, renewal.account, password).await;
            return match opened {
                Err(error) => Err(self.reopened(connection, guard, renewal.account, error).await),
                Ok(()) => Ok(()),
            };
        }
        changes.push(Modification::Replace(password_of(password)));
        changes.extend(profile.opening().filter(|_| !renewal.account.is_enabled).map(|open| {
            // the password policy of OpenLDAP takes its lock away too, and fails where a replacement did before
            let is_taken = open.values().is_empty();
            if is_taken { Modification::Delete(open) } else { Modification::Replace(open) }
        }));
        guard.modify(connection, changes).await
    }

    /// Who ends an account: the server, where it has a life, which it has where it was made with one.
    fn end_where(&self, has_life: bool) -> UnattendedEnd {
        match self.profile.end {
            _ if has_life => UnattendedEnd::ServerDeletes,
            Some(_) => UnattendedEnd::ServerRefusesLogin,
            None => UnattendedEnd::LibraryOnly,
        }
    }

    /// Puts an account back in use whose secret was refused: it has the one of before, and nothing else was done. Where that
    /// fails too, nobody knows how it is.
    async fn reopened(
        &self,
        connection: &mut Connection,
        guard: &Guard,
        account: &Remote,
        refusal: LdapError,
    ) -> LdapError {
        let is_as_before = match self.profile.opening() {
            _ if refusal.fate() == Fate::Unknown => false,
            Some(open) if account.is_enabled => {
                guard.modify(connection, vec![Modification::Replace(open)]).await.is_ok()
            }
            _ => false,
        };
        if is_as_before { refusal } else { refusal.with_fate(Fate::Unknown) }
    }

    fn same(&self, id: EntryId) -> Filter {
        Filter::equals(&self.profile.id.name(), self.profile.id.write(id))
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
        self.end_where(self.profile.is_dynamic)
    }

    fn end_of(&self, account: &Remote) -> UnattendedEnd {
        self.end_where(account.server_time.is_some())
    }

    fn rdn(&self, name: &str) -> Result<Rdn, Reason> {
        Rdn::new(self.profile.name.as_str(), name)
    }

    fn judged_by(&self) -> Vec<AttributeName> {
        let switch = self.profile.switch.iter().map(|switch| switch.name.clone());
        // what was made with a life has it whatever the settings say by now
        switch.chain(life::attributes()).collect()
    }

    fn is_enabled(&self, entry: &Entry) -> bool {
        self.profile.is_enabled(entry)
    }

    /// Without a switch its password is what was taken, and nobody may read whether that is there.
    fn shows_use(&self) -> bool {
        self.profile.switch.is_some()
    }

    fn server_time(&self, entry: &Entry) -> Option<DateTime<Utc>> {
        life::server_time(entry)
    }

    fn ended_by(&self) -> Vec<AttributeName> {
        // an account is judged by its life as well
        self.profile.end.iter().map(|end| end.name.clone()).collect()
    }

    /// Where both are kept, the log-in ends by the attribute.
    fn end(&self, entry: &Entry) -> ShownEnd {
        match &self.profile.end {
            Some(end) => end.shown(entry),
            None => life::end(entry).map_or(ShownEnd::Untold, ShownEnd::At),
        }
    }

    fn names_members_for_good(&self) -> bool {
        false
    }

    fn ends_memberships(&self) -> bool {
        false
    }

    fn looks_everywhere(&self) -> bool {
        false
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
            return Ok(Guard::by_exchange(name, &remote.marked_in, marker));
        }
        let ours = Filter::equals(&remote.marked_in, marker.as_str());
        Ok(Guard::by_assertion(name, &Filter::all([self.same(remote.id), ours])?))
    }

    fn group(&self, dn: &Dn, id: EntryId) -> Result<GroupName, Reason> {
        let name = GroupName::from(dn);
        let is_known = self.profile.has_controls;
        Ok(if is_known { name.under(Control::assertion(&self.same(id))) } else { name })
    }

    async fn add(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Option<Remote>, BackendError> {
        match self.make(connection, account).await {
            Ok(made) => Ok(Some(made)),
            Err(error) if fault::is_duplicate(&error) => Ok(None),
            Err(error) => Err(Step::Make.failed_whole(error)),
        }
    }

    async fn renew(
        &self,
        connection: &mut Connection,
        guard: &Guard,
        renewal: &Renewal<'_>,
    ) -> Result<(), LdapError> {
        let end = self.profile.end.as_ref().map(|end| end.at(renewal.ends_at)).transpose()?;
        let changes = end.map(Modification::Replace).into_iter().collect();
        self.set_password(connection, guard, renewal, changes).await?;
        match renewal.account.server_time {
            Some(now) => {
                let prolonged = life::prolong(connection, &renewal.account.dn, now, renewal.ends_at).await;
                // by then it has its new secret
                prolonged.map_err(|error| error.with_fate(Fate::Unknown))
            }
            // what was made before such entries were asked for stays what it is
            None => Ok(()),
        }
    }

    fn closure(&self) -> Vec<Modification> {
        self.profile.closure()
    }

    /// Which groups rule a directory of this kind only its administrator knows: the table says what may be given.
    async fn check(&self, connection: &mut Connection, base: &Dn, _: &[&Group]) -> Result<(), BackendError> {
        if self.is_checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let features = match connection.features().await {
            Ok(features) => Some(features),
            Err(error) if error.reason() == Reason::EntryMissing => None,
            Err(error) => return Err(Step::Look.failed(error)),
        };
        // there `userPassword` is an attribute like any other, which everybody reads
        let is_windows = features.as_ref().is_some_and(ServerFeatures::is_active_directory);
        let lives = features.is_some_and(|features| life::is_offered(&features, base));
        if is_windows {
            return Err(Step::Make.failed(Reason::SettingsInvalid));
        }
        if self.profile.is_dynamic && !lives {
            return Err(Step::Make.failed(Reason::ControlUnsupported));
        }
        self.is_checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn following(&self) -> Following {
        if self.profile.groups_follow { Following::Promised } else { Following::Ours }
    }
}

fn password_of(password: &Password) -> Attribute {
    Attribute::new(AttributeName::USER_PASSWORD, [password.expose()])
}
