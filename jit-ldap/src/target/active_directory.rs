//! Temporary accounts in Active Directory.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{
    BackendError, Capabilities, Desired, Effect, Holdings, ListCursor, Listing, Observed, RemoteRef, Target,
    TargetFault, UnattendedEnd,
};

use super::accounts::Accounts;
use super::dialect::{Dialect, NewAccount};
use super::fault::{self, Step};
use super::find::Remote;
use super::settings::ActiveDirectorySettings;
use super::table::Group;
use crate::attribute::{Attribute, AttributeName};
use crate::connection::Connection;
use crate::control::Control;
use crate::directory::Directory;
use crate::dn::{Dn, Rdn};
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName, IdAttribute, Sid};
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Modification, Search};
use crate::sign_in::SettingsError;
use crate::time::AccountExpires;

/// `userAccountControl` ([MS-ADTS] §2.2.16): an ordinary account, in use and not. No other bits are ever written.
const IN_USE: u32 = 512;
const OUT_OF_USE: u32 = 514;
const DISABLED: u32 = 2;

/// Makes temporary accounts in Active Directory: one request with password and end, from whose end on the domain controller
/// itself refuses the account; then its groups; removal by `objectGUID`.
#[derive(Debug)]
pub struct ActiveDirectoryTarget {
    accounts: Accounts<ActiveDirectory>,
}

impl ActiveDirectoryTarget {
    /// Describes the target. Nothing is connected yet.
    ///
    /// # Errors
    /// [`SettingsError`] that names the first unsound field; its code is `ldap.settings_invalid`.
    pub fn new(directory: Directory, settings: &ActiveDirectorySettings) -> Result<Self, SettingsError> {
        let table = settings.check()?;
        let dialect = ActiveDirectory {
            marker: table.marker.clone(),
            principal_suffix: settings.principal_suffix.clone(),
            disabled_first: settings.disabled_first,
        };
        let settles_after = chrono::TimeDelta::seconds(i64::from(settings.settles_seconds));
        Ok(Self { accounts: Accounts { dialect, directory, table, settles_after } })
    }
}

#[async_trait]
impl Target for ActiveDirectoryTarget {
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
struct ActiveDirectory {
    marker: AttributeName,
    principal_suffix: String,
    disabled_first: bool,
}

impl ActiveDirectory {
    fn principal(&self, name: &str) -> String {
        format!("{name}@{}", self.principal_suffix)
    }

    fn attributes(&self, account: &NewAccount<'_>, control: u32) -> Result<Vec<Attribute>, Reason> {
        let expires = AccountExpires::At(account.ends_at).write()?;
        Ok(vec![
            Attribute::new(AttributeName::OBJECT_CLASS, [Self::CLASS]),
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
        identify(connection, account.dn).await
    }

    /// Makes the account out of use and opens it with its password; where that fails it is removed again.
    async fn add_disabled_first(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Remote, LdapError> {
        connection.add(account.dn, &self.attributes(account, OUT_OF_USE)?, &[]).await?;
        let made = identify(connection, account.dn).await?;
        let name = EntryName::Guid(made.id);
        let open = [Modification::Replace(password_of(account.password)), control_of(IN_USE)];
        match connection.modify(&name, &open, &[]).await {
            Ok(_) => Ok(made),
            Err(error) => {
                // out of use and over at its end, if this fails too; whoever asked removes it then
                let _left = connection.delete(&name, &[]).await;
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Dialect for ActiveDirectory {
    const ID: IdAttribute = IdAttribute::ObjectGuid;
    const LOGIN: AttributeName = AttributeName::SAM_ACCOUNT_NAME;
    const CLASS: &'static str = "user";
    const NAME_BYTES: usize = 20;
    const ASSERTS: bool = false;

    fn unattended_end(&self) -> UnattendedEnd {
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

    fn by_id(&self, _: &Dn, id: EntryId) -> Search {
        Search::entry(EntryName::Guid(id))
    }

    /// Names are unique in the whole domain, so that is where whoever bears one is.
    fn by_login(&self, base: &Dn, name: &str) -> Result<(Dn, Filter), Reason> {
        let filter = Filter::any([
            Filter::equals(&AttributeName::SAM_ACCOUNT_NAME, name),
            Filter::equals(&AttributeName::USER_PRINCIPAL_NAME, self.principal(name)),
        ])?;
        Ok((domain_of(base), filter))
    }

    fn address(&self, remote: &Remote, _: &Filter) -> Result<(EntryName, Vec<Control>), Reason> {
        Ok((EntryName::Guid(remote.id), Vec::new()))
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
            Err(error) => Err(Step::Make.failed(error)),
        }
    }

    /// The last password but one is void at once; the last one still opens the account for an hour
    /// (`OldPasswordAllowedPeriod`). So another one comes in between, which only whoever gets the new one can know.
    fn before_renewal(&self, password: &Password) -> Result<Vec<Modification>, Reason> {
        let between = Password::new(password.expose().chars().rev().collect::<String>())?;
        Ok(vec![Modification::Replace(password_of(&between))])
    }

    fn renewal(
        &self,
        _: &Remote,
        password: Option<&Password>,
        ends_at: DateTime<Utc>,
    ) -> Result<Vec<Modification>, Reason> {
        let expires = AccountExpires::At(ends_at).write()?;
        let mut changes =
            vec![Modification::Replace(Attribute::new(AttributeName::ACCOUNT_EXPIRES, [expires]))];
        if let Some(password) = password {
            changes.extend([Modification::Replace(password_of(password)), control_of(IN_USE)]);
        }
        Ok(changes)
    }

    fn closure(&self) -> Vec<Modification> {
        vec![control_of(OUT_OF_USE)]
    }

    async fn check_groups(&self, connection: &mut Connection, groups: &[&Group]) -> Result<(), BackendError> {
        for group in groups.iter().filter(|group| !group.may_be_protected) {
            let search =
                Search::entry(&group.dn).attributes([AttributeName::OBJECT_SID, AttributeName::ADMIN_COUNT]);
            let entry = connection.read(&search).await.map_err(|error| Step::Groups.failed(error))?;
            // what cannot be judged is not given
            let is_plain = entry.is_some_and(|entry| !is_protected(&entry));
            if !is_plain {
                return Err(Step::Groups.refused(TargetFault::Entitlement));
            }
        }
        Ok(())
    }

    fn groups_follow(&self) -> bool {
        true
    }
}

fn password_of(password: &Password) -> Attribute {
    Attribute::new(AttributeName::UNICODE_PASSWORD, [password.to_unicode_password().to_vec()])
}

fn control_of(bits: u32) -> Modification {
    Modification::Replace(Attribute::new(AttributeName::USER_ACCOUNT_CONTROL, [bits.to_string()]))
}

/// Reads the identifier of what was made a moment ago, on the same server.
async fn identify(connection: &mut Connection, dn: &Dn) -> Result<Remote, LdapError> {
    let search = Search::entry(dn).attributes([AttributeName::OBJECT_GUID]);
    let entry = connection.read(&search).await?.ok_or(Reason::EntryForeign)?;
    Ok(Remote { id: entry.id(IdAttribute::ObjectGuid)?, dn: dn.clone(), is_enabled: true })
}

/// The root of the domain that an entry lies in.
fn domain_of(entry: &Dn) -> Dn {
    let mut domain = entry.clone();
    let is_domain =
        |dn: &Dn| dn.rdn().and_then(Rdn::single).is_none_or(|(kind, _)| kind.eq_ignore_ascii_case("dc"));
    while !is_domain(&domain) {
        let Some(parent) = domain.parent() else { break };
        domain = parent;
    }
    domain
}

/// Tells whether a group is one whose members rule the domain, or whom the directory guards as such (`adminCount`,
/// [MS-ADTS] §3.1.1.6.1).
fn is_protected(group: &Entry) -> bool {
    let Some(sid) =
        group.value(&AttributeName::OBJECT_SID).and_then(|value| Sid::from_object_sid(value).ok())
    else {
        return true;
    };
    let is_guarded = group.text(&AttributeName::ADMIN_COUNT).is_some_and(|count| count != "0");
    is_guarded || rules_the_domain(&sid)
}

/// Well-known groups ([MS-DTYP] §2.4.2.4).
fn rules_the_domain(sid: &Sid) -> bool {
    let text = sid.to_string();
    let Some(id) = sid.relative_id() else { return true };
    if text.starts_with("S-1-5-32-") {
        // Administrators, Account, Server, Print and Backup Operators, Replicators
        return matches!(id, 544 | 548..=552);
    }
    // Read-only, Domain and Enterprise Controllers, Domain, Schema and Enterprise Admins, creators of policies, Key Admins
    text.starts_with("S-1-5-21-") && matches!(id, 498 | 512 | 516 | 518..=521 | 526 | 527)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(octets: &[u8]) -> Sid {
        Sid::from_object_sid(octets).unwrap()
    }

    #[test]
    fn groups_that_rule_a_domain_are_known_by_their_number() {
        let builtin = |id: u8| sid(&[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, id, 2, 0, 0]);
        assert!(rules_the_domain(&builtin(0x20)) && rules_the_domain(&builtin(0x27)));
        assert!(!rules_the_domain(&builtin(0x21)), "users");
        let domain = |id: u16| {
            let mut octets = vec![1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0];
            octets.extend_from_slice(&[7; 12]);
            octets.extend_from_slice(&u32::from(id).to_le_bytes());
            sid(&octets)
        };
        assert!([512, 518, 519].into_iter().all(|id| rules_the_domain(&domain(id))));
        assert!([513, 1000, 1104].into_iter().all(|id| !rules_the_domain(&domain(id))));
    }

    #[test]
    fn the_domain_of_an_entry_is_what_its_components_say() {
        let dn = |text| Dn::parse(text).unwrap();
        assert_eq!(domain_of(&dn("OU=JIT,OU=x,DC=example,DC=com")), dn("DC=example,DC=com"));
        assert_eq!(domain_of(&dn("DC=com")), dn("DC=com"));
        assert_eq!(domain_of(&dn("O=example")), Dn::default());
    }
}
