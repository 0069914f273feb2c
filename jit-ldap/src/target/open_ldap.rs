//! Temporary accounts in OpenLDAP.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use jit_core::{
    BackendError, Capabilities, Desired, Effect, Holdings, ListCursor, Listing, Observed, RemoteRef, Target,
    UnattendedEnd,
};

use super::accounts::Accounts;
use super::dialect::{Dialect, NewAccount};
use super::fault::{self, Step};
use super::find::Remote;
use super::settings::OpenLdapSettings;
use super::table::Group;
use crate::attribute::{Attribute, AttributeName};
use crate::connection::Connection;
use crate::control::{Control, oid};
use crate::directory::Directory;
use crate::dn::{Dn, Rdn};
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName, IdAttribute};
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Modification, Scope, Search};
use crate::sign_in::SettingsError;
use crate::time::write_generalized;

/// Locked until an administrator opens it (draft-behera-ldap-password-policy §5.3.3).
const FOR_GOOD: &str = "000001010000Z";
/// An end that has passed.
const LONG_AGO: &str = "19700101000000Z";

/// Makes temporary accounts in OpenLDAP: one request that answers with the `entryUUID`; changes and removal only under the
/// assertion that the entry is that one and bears our marker (RFC 4528).
#[derive(Debug)]
pub struct OpenLdapTarget {
    accounts: Accounts<OpenLdap>,
}

impl OpenLdapTarget {
    /// Describes the target. Nothing is connected yet.
    ///
    /// # Errors
    /// [`SettingsError`] that names the first unsound field; its code is `ldap.settings_invalid`.
    pub fn new(directory: Directory, settings: &OpenLdapSettings) -> Result<Self, SettingsError> {
        let table = settings.check()?;
        let dialect = OpenLdap {
            marker: table.marker.clone(),
            has_password_policy: settings.password_policy,
            groups_follow: settings.groups_follow,
        };
        let settles_after = TimeDelta::seconds(i64::from(settings.settles_seconds));
        Ok(Self { accounts: Accounts { dialect, directory, table, settles_after } })
    }
}

#[async_trait]
impl Target for OpenLdapTarget {
    fn capabilities(&self) -> Capabilities {
        self.accounts.capabilities()
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        self.accounts.ensure(desired).await
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.accounts.observe(remote).await
    }

    async fn holdings(&self, remote: &RemoteRef, asked: &BTreeSet<String>) -> Result<Holdings, BackendError> {
        self.accounts.holdings(remote, asked).await
    }

    async fn list(&self, _: Option<ListCursor>) -> Result<Listing, BackendError> {
        self.accounts.list_all().await
    }
}

#[derive(Debug)]
struct OpenLdap {
    marker: AttributeName,
    has_password_policy: bool,
    groups_follow: bool,
}

impl OpenLdap {
    fn attributes(&self, account: &NewAccount<'_>) -> Result<Vec<Attribute>, Reason> {
        let mut attributes = vec![
            Attribute::new(AttributeName::OBJECT_CLASS, [Self::CLASS]),
            Attribute::new(AttributeName::USER_ID, [account.name]),
            Attribute::new(AttributeName::COMMON_NAME, [account.name]),
            Attribute::new(AttributeName::SURNAME, [account.name]),
            Attribute::new(AttributeName::USER_PASSWORD, [account.password.expose()]),
            Attribute::new(self.marker.clone(), [account.marker.as_str()]),
        ];
        if self.has_password_policy {
            attributes.push(end_of(account.ends_at)?);
        }
        Ok(attributes)
    }

    async fn make(&self, connection: &mut Connection, account: &NewAccount<'_>) -> Result<Remote, LdapError> {
        let post_read = Control::post_read(&[AttributeName::ENTRY_UUID]);
        let answer = connection.add(account.dn, &self.attributes(account)?, &[post_read]).await?;
        let id = answer.read_entry(oid::POST_READ)?.id(Self::ID)?;
        Ok(Remote { id, dn: account.dn.clone(), is_enabled: true })
    }
}

#[async_trait]
impl Dialect for OpenLdap {
    const ID: IdAttribute = IdAttribute::EntryUuid;
    const LOGIN: AttributeName = AttributeName::USER_ID;
    const CLASS: &'static str = "inetOrgPerson";
    /// More makes the server fail without a word at 256.
    const NAME_BYTES: usize = 64;
    const ASSERTS: bool = true;

    fn unattended_end(&self) -> UnattendedEnd {
        if self.has_password_policy { UnattendedEnd::ServerRefusesLogin } else { UnattendedEnd::LibraryOnly }
    }

    fn rdn(&self, name: &str) -> Result<Rdn, Reason> {
        Rdn::new("uid", name)
    }

    fn judged_by(&self) -> Vec<AttributeName> {
        vec![AttributeName::PASSWORD_LOCKED_TIME]
    }

    /// Without a password policy the password is what was taken, and nobody may read whether it is there.
    fn is_enabled(&self, entry: &Entry) -> bool {
        entry.values(&AttributeName::PASSWORD_LOCKED_TIME).is_none()
    }

    fn by_id(&self, base: &Dn, id: EntryId) -> Search {
        Search::new(base, Scope::Subtree, Filter::equals(&AttributeName::ENTRY_UUID, id.to_string()))
    }

    fn by_login(&self, base: &Dn, name: &str) -> Result<(Dn, Filter), Reason> {
        Ok((base.clone(), Filter::equals(&AttributeName::USER_ID, name)))
    }

    fn address(&self, remote: &Remote, marker: &Filter) -> Result<(EntryName, Vec<Control>), Reason> {
        let same = Filter::equals(&AttributeName::ENTRY_UUID, remote.id.to_string());
        let ours = Filter::all([same, marker.clone()])?;
        Ok((EntryName::from(&remote.dn), vec![Control::assertion(&ours)]))
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

    fn before_renewal(&self, _: &Password) -> Result<Vec<Modification>, Reason> {
        Ok(Vec::new())
    }

    fn renewal(
        &self,
        account: &Remote,
        password: Option<&Password>,
        ends_at: DateTime<Utc>,
    ) -> Result<Vec<Modification>, Reason> {
        let mut changes = Vec::new();
        if self.has_password_policy {
            changes.push(Modification::Replace(end_of(ends_at)?));
        }
        if let Some(password) = password {
            let password = Attribute::new(AttributeName::USER_PASSWORD, [password.expose()]);
            changes.push(Modification::Replace(password));
            // the overlay deletes it as well, and fails where a replacement did before
            if self.has_password_policy && !account.is_enabled {
                changes.push(Modification::Delete(none_of(AttributeName::PASSWORD_LOCKED_TIME)));
            }
        }
        Ok(changes)
    }

    fn closure(&self) -> Vec<Modification> {
        if !self.has_password_policy {
            // without a password nobody binds
            return vec![Modification::Replace(none_of(AttributeName::USER_PASSWORD))];
        }
        [(AttributeName::PASSWORD_LOCKED_TIME, FOR_GOOD), (AttributeName::PASSWORD_END_TIME, LONG_AGO)]
            .map(|(name, value)| Modification::Replace(Attribute::new(name, [value])))
            .into()
    }

    /// Which groups rule a directory of this kind only its administrator knows: the table says what may be given.
    async fn check_groups(&self, _: &mut Connection, _: &[&Group]) -> Result<(), BackendError> {
        Ok(())
    }

    fn groups_follow(&self) -> bool {
        self.groups_follow
    }
}

/// The directory keeps seconds: a part of one counts as a whole, so that nobody is refused too early.
fn end_of(ends_at: DateTime<Utc>) -> Result<Attribute, Reason> {
    let is_whole = ends_at.nanosecond() == 0;
    let whole = if is_whole { Some(ends_at) } else { ends_at.checked_add_signed(TimeDelta::seconds(1)) };
    let end = write_generalized(whole.ok_or(Reason::ValueMalformed)?)?;
    Ok(Attribute::new(AttributeName::PASSWORD_END_TIME, [end]))
}

fn none_of(name: AttributeName) -> Attribute {
    Attribute::new(name, std::iter::empty::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_within_a_second_is_the_end_of_that_second() {
        let at = |text: &str| end_of(text.parse().unwrap()).unwrap().values().concat();
        assert_eq!(at("2027-01-15T08:00:00Z"), b"20270115080000Z");
        assert_eq!(at("2027-01-15T07:59:59.000001Z"), b"20270115080000Z");
        assert!(end_of(DateTime::<Utc>::MAX_UTC).is_err());
    }
}
