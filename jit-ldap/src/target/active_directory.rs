//! Temporary accounts in Active Directory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{BackendError, Marker, ShownEnd, TargetFault, UnattendedEnd};

use super::dialect::{Dialect, Following, NewAccount, Renewal};
use super::fault::{self, Step};
use super::find::Remote;
use super::guard::Guard;
use super::members::GroupName;
use super::protected::is_protected;
use super::table::Group;
use crate::attribute::{Attribute, AttributeName};
use crate::connection::Connection;
use crate::dn::{Dn, Rdn};
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName, IdAttribute};
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Modification, Scope, Search};
use crate::time::AccountExpires;

/// `userAccountControl` ([MS-ADTS] §2.2.16): an ordinary account, in use and not. No other bits are ever written.
const IN_USE: u32 = 512;
const OUT_OF_USE: u32 = 514;
const DISABLED: u32 = 2;
const CLASS: &str = "user";
/// How many groups are asked for at once.
const PAGE: u16 = 500;
/// How many groups a group may be in; with more it is not given.
const GROUPS: usize = 5_000;

/// Speaks to Active Directory.
#[derive(Debug)]
pub(super) struct ActiveDirectory {
    pub(super) marker: AttributeName,
    pub(super) principal_suffix: String,
    pub(super) disabled_first: bool,
    pub(super) ends_memberships: bool,
}

impl ActiveDirectory {
    fn principal(&self, name: &str) -> String {
        format!("{name}@{}", self.principal_suffix)
    }

    fn attributes(&self, account: &NewAccount<'_>, control: u32) -> Result<Vec<Attribute>, Reason> {
        let expires = AccountExpires::At(account.ends_at).write()?;
        Ok(vec![
            Attribute::new(AttributeName::OBJECT_CLASS, [CLASS]),
            Attribute::new(AttributeName::SAM_ACCOUNT_NAME, [account.name]),
            Attribute::new(AttributeName::USER_PRINCIPAL_NAME, [self.principal(account.name)]),
            Attribute::new(AttributeName::USER_ACCOUNT_CONTROL, [control.to_string()]),
            Attribute::new(AttributeName::ACCOUNT_EXPIRES, [expires]),
            Attribute::new(self.marker.clone(), [account.marker.as_str()]),
        ])
    }

    /// Makes the account by one request.
    async fn add_at_once(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Remote, LdapError> {
        let mut attributes = self.attributes(account, IN_USE)?;
        attributes.push(password_of(account.password));
        connection.add(account.dn, &attributes, &[]).await?;
        let made = identify(connection, account, &self.marker).await;
        made.map_err(|error| error.with_fate(Fate::Unknown))
    }

    /// Makes the account out of use and opens it with its password; where that fails it is removed again.
    async fn add_disabled_first(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Remote, LdapError> {
        connection.add(account.dn, &self.attributes(account, OUT_OF_USE)?, &[]).await?;
        let made = identify(connection, account, &self.marker).await;
        let made = made.map_err(|error| error.with_fate(Fate::Unknown))?;
        let name = EntryName::Guid(made.id);
        let open = [Modification::Replace(password_of(account.password)), control_of(IN_USE)];
        match connection.modify(&name, &open, &[]).await {
            Ok(_) => Ok(made),
            Err(error) => {
                // out of use and over at its end, if this fails too; whoever asked removes it then
                let left = connection.delete(&name, &[]).await;
                Err(if left.is_ok() { error } else { error.with_fate(Fate::Unknown) })
            }
        }
    }
}

#[async_trait]
impl Dialect for ActiveDirectory {
    const NAME_BYTES: usize = 20;

    /// By its identifier, whatever its name is by then.
    fn reaches_blindly(&self) -> bool {
        true
    }

    fn id(&self) -> IdAttribute {
        IdAttribute::ObjectGuid
    }

    fn login(&self) -> &AttributeName {
        const { &AttributeName::SAM_ACCOUNT_NAME }
    }

    fn class(&self) -> &str {
        CLASS
    }

    fn unattended_end(&self) -> UnattendedEnd {
        UnattendedEnd::ServerRefusesLogin
    }

    fn end_of(&self, _: &Remote) -> UnattendedEnd {
        UnattendedEnd::ServerRefusesLogin
    }

    fn rdn(&self, name: &str) -> Result<Rdn, Reason> {
        Rdn::new("CN", name)
    }

    fn judged_by(&self) -> Vec<AttributeName> {
        vec![AttributeName::USER_ACCOUNT_CONTROL]
    }

    fn is_enabled(&self, entry: &Entry) -> bool {
        let control = entry.text(&AttributeName::USER_ACCOUNT_CONTROL);
        control.and_then(|bits| bits.parse::<u32>().ok()).is_some_and(|bits| bits & DISABLED == 0)
    }

    fn shows_use(&self) -> bool {
        true
    }

    fn server_time(&self, _: &Entry) -> Option<DateTime<Utc>> {
        None
    }

    fn ended_by(&self) -> Vec<AttributeName> {
        vec![AttributeName::ACCOUNT_EXPIRES]
    }

    fn end(&self, entry: &Entry) -> ShownEnd {
        entry.value(&AttributeName::ACCOUNT_EXPIRES).map_or(ShownEnd::Never, AccountExpires::shown)
    }

    fn names_members_for_good(&self) -> bool {
        true
    }

    fn ends_memberships(&self) -> bool {
        self.ends_memberships
    }

    fn looks_everywhere(&self) -> bool {
        true
    }

    fn by_id(&self, _: &Dn, id: EntryId) -> Search {
        Search::entry(EntryName::Guid(id))
    }

    /// Names are unique in the whole domain, so that is where whoever bears one is.
    fn by_login(&self, base: &Dn, name: &str) -> Result<(Dn, Filter), Reason> {
        let filter = Filter::any([
            Filter::equals(&AttributeName::SAM_ACCOUNT_NAME, name),
            Filter::equals(&AttributeName::USER_PRINCIPAL_NAME, self.principal(name)),
        ])?;
        Ok((base.domain(), filter))
    }

    fn guard(&self, remote: &Remote, marker: &Marker) -> Result<Guard, Reason> {
        Ok(Guard::by_exchange(EntryName::Guid(remote.id), &remote.marked_in, marker))
    }

    fn group(&self, _: &Dn, id: EntryId) -> Result<GroupName, Reason> {
        Ok(GroupName::from(EntryName::Guid(id)))
    }

    async fn add(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Option<Remote>, BackendError> {
        let mut made = if self.disabled_first {
            self.add_disabled_first(connection, account).await
        } else {
            self.add_at_once(connection, account).await
        };
        if made.as_ref().is_err_and(|error| error.reason() == Reason::Unwilling) && !self.disabled_first {
            made = self.add_disabled_first(connection, account).await;
        }
        match made {
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
        let expires = AccountExpires::At(renewal.ends_at).write()?;
        let mut changes =
            vec![Modification::Replace(Attribute::new(AttributeName::ACCOUNT_EXPIRES, [expires]))];
        if let Some(password) = renewal.password {
            // The last password but one is void at once; the last one still opens the account for an hour
            // (`OldPasswordAllowedPeriod`). So another one comes in between, which only whoever gets the new one can know.
            let between = password.reversed();
            guard.modify(connection, vec![Modification::Replace(password_of(&between))]).await?;
            // Whoever guessed at the last one may have locked the account: a new one opens it.
            let unlocked = Modification::Replace(Attribute::new(AttributeName::LOCKOUT_TIME, ["0"]));
            changes.extend([Modification::Replace(password_of(password)), control_of(IN_USE), unlocked]);
            // by then the one before is void
            let set = guard.modify(connection, changes).await;
            return set.map_err(|error| error.with_fate(Fate::Unknown));
        }
        guard.modify(connection, changes).await
    }

    fn closure(&self) -> Vec<Modification> {
        vec![control_of(OUT_OF_USE)]
    }

    async fn check(
        &self,
        connection: &mut Connection,
        base: &Dn,
        groups: &[&Group],
    ) -> Result<(), BackendError> {
        for group in groups.iter().filter(|group| !group.may_be_protected) {
            let search =
                Search::entry(&group.dn).attributes([AttributeName::OBJECT_SID, AttributeName::ADMIN_COUNT]);
            let entry = connection.read(&search).await.map_err(|error| Step::Groups.failed(error))?;
            // what cannot be judged is not given
            let is_plain = entry.is_some_and(|entry| !is_protected(&entry));
            if !is_plain || leads_to_protected(connection, &base.domain(), &group.dn).await? {
                return Err(Step::Groups.refused(TargetFault::Entitlement));
            }
        }
        Ok(())
    }

    /// Links to what is not there are not kept ([MS-ADTS] §3.1.1.1.9).
    fn following(&self) -> Following {
        Following::Sure
    }
}

/// Tells whether a group is in one that is protected, over whatever others, within its domain: a group of another domain of
/// the forest is not seen here, and is for a person to look after. The mark of that (`adminCount`) comes within the hour on
/// Windows, and never on Samba.
async fn leads_to_protected(
    connection: &mut Connection,
    domain: &Dn,
    group: &Dn,
) -> Result<bool, BackendError> {
    let failed = |error: LdapError| Step::Groups.failed(error);
    let around = Filter::in_chain(&AttributeName::MEMBER, &group.to_string());
    let search = Search::new(domain, Scope::Subtree, around)
        .attributes([AttributeName::OBJECT_SID, AttributeName::ADMIN_COUNT]);
    let mut pages = connection.pages(search, PAGE);
    let mut seen = 0;
    while let Some(groups) = pages.next_page().await.map_err(failed)? {
        seen += groups.len();
        if seen > GROUPS || groups.iter().any(is_protected) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn password_of(password: &Password) -> Attribute {
    Attribute::new(AttributeName::UNICODE_PASSWORD, [password.to_unicode_password().to_vec()])
}

fn control_of(bits: u32) -> Modification {
    Modification::Replace(Attribute::new(AttributeName::USER_ACCOUNT_CONTROL, [bits.to_string()]))
}

/// Reads the identifier of what was made a moment ago, on the same server.
async fn identify(
    connection: &mut Connection,
    account: &NewAccount<'_>,
    marked_in: &AttributeName,
) -> Result<Remote, LdapError> {
    let dn = account.dn;
    let search = Search::entry(dn).attributes([AttributeName::OBJECT_GUID]);
    let entry = connection.read(&search).await?.ok_or(Reason::EntryForeign)?;
    let (id, marked_in) = (entry.id(IdAttribute::ObjectGuid)?, marked_in.clone());
    Ok(Remote { id, dn: dn.clone(), marked_in, is_enabled: true, server_time: None })
}
