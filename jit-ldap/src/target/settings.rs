//! Settings of a target as people write them, and what they become when they are sound.

use std::collections::BTreeMap;

use jit_core::Code;
use jit_core::config::{Check, Problems};
use serde::Deserialize;

use super::table::{Group, Table};
use crate::attribute::AttributeName;
use crate::dn::Dn;
use crate::sign_in::SettingsError;

/// What people write about temporary accounts in Active Directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ActiveDirectorySettings {
    /// Below which entry all temporary accounts lie: listings look there and nowhere else. An organisational unit; at the
    /// root of a domain the server always names other servers, and no listing is ever whole.
    pub base: String,
    /// The organisational units in which accounts are made, by the names that roles call them.
    pub places: BTreeMap<String, String>,
    /// The groups that may be given, by the names that roles call them.
    #[serde(default)]
    pub groups: BTreeMap<String, GroupSettings>,
    /// What stands after the `@` in `userPrincipalName`.
    pub principal_suffix: String,
    /// The attribute that holds the marker. The accounts themselves must not be able to write it.
    #[serde(default = "usual_windows_marker")]
    pub marker: String,
    /// How long a change may take until every domain controller shows it.
    #[serde(default = "usual_settling")]
    pub settles_seconds: u32,
    /// Makes each account out of use first and opens it with its password, instead of trying one request before.
    #[serde(default)]
    pub disabled_first: bool,
}

/// What people write about temporary accounts in OpenLDAP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenLdapSettings {
    /// Below which entry all temporary accounts lie: they are looked for and listed there and nowhere else.
    pub base: String,
    /// The entries below which accounts are made, by the names that roles call them.
    pub places: BTreeMap<String, String>,
    /// The groups that may be given, by the names that roles call them.
    #[serde(default)]
    pub groups: BTreeMap<String, String>,
    /// The attribute that holds the marker. The accounts themselves must not be able to write it.
    #[serde(default = "usual_marker")]
    pub marker: String,
    /// Whether the overlay `ppolicy` is there and our account may `manage` its attributes: then the server itself refuses an
    /// account from its end on.
    #[serde(default)]
    pub password_policy: bool,
    /// Whether the overlay `refint` takes an entry out of its groups when it is removed.
    #[serde(default)]
    pub groups_follow: bool,
    /// How long a change may take until every server shows it.
    #[serde(default)]
    pub settles_seconds: u32,
}

/// A group that may be given.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "a group is written in one of these two ways")]
pub enum GroupSettings {
    /// By its name. It is refused when its members rule the domain, or the directory protects it.
    Plain(String),
    /// By its name, whatever its members may do.
    Protected(ProtectedGroup),
}

/// A group that may be given though it is protected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a name and a permission")]
pub struct ProtectedGroup {
    /// The name.
    pub dn: String,
    /// Whether it may be given though it is protected.
    pub protected: bool,
}

fn usual_windows_marker() -> String {
    "adminDescription".to_owned()
}

fn usual_marker() -> String {
    "description".to_owned()
}

const fn usual_settling() -> u32 {
    60
}

impl ActiveDirectorySettings {
    /// Settings with one place, without groups.
    #[must_use]
    pub fn new(base: &str, place: (&str, &str), principal_suffix: &str) -> Self {
        Self {
            base: base.to_owned(),
            places: BTreeMap::from([(place.0.to_owned(), place.1.to_owned())]),
            groups: BTreeMap::new(),
            principal_suffix: principal_suffix.to_owned(),
            marker: usual_windows_marker(),
            settles_seconds: usual_settling(),
            disabled_first: false,
        }
    }

    pub(super) fn check(&self) -> Result<Table, SettingsError> {
        let is_suffix = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if self.principal_suffix.is_empty() || !self.principal_suffix.chars().all(is_suffix) {
            return Err(SettingsError::new("principal_suffix", "must be the name of a domain"));
        }
        let groups = self.groups.iter().map(|(name, group)| match group {
            GroupSettings::Plain(dn) => (name, dn, false),
            GroupSettings::Protected(group) => (name, &group.dn, group.protected),
        });
        table(&self.base, &self.places, groups, &self.marker)
    }
}

impl OpenLdapSettings {
    /// Settings with one place, without groups, for a server without overlays.
    #[must_use]
    pub fn new(base: &str, place: (&str, &str)) -> Self {
        Self {
            base: base.to_owned(),
            places: BTreeMap::from([(place.0.to_owned(), place.1.to_owned())]),
            groups: BTreeMap::new(),
            marker: usual_marker(),
            password_policy: false,
            groups_follow: false,
            settles_seconds: 0,
        }
    }

    pub(super) fn check(&self) -> Result<Table, SettingsError> {
        let groups = self.groups.iter().map(|(name, dn)| (name, dn, false));
        table(&self.base, &self.places, groups, &self.marker)
    }
}

impl Check for ActiveDirectorySettings {
    fn check(&self, found: &mut Problems) {
        report(Self::check(self), found);
    }
}

impl Check for OpenLdapSettings {
    fn check(&self, found: &mut Problems) {
        report(Self::check(self), found);
    }
}

fn report(checked: Result<Table, SettingsError>, found: &mut Problems) {
    if let Err(error) = checked {
        found.report_in(error.field, Code::new(SettingsError::REASON.code()), error.problem);
    }
}

fn table<'a>(
    base: &str,
    places: &BTreeMap<String, String>,
    groups: impl Iterator<Item = (&'a String, &'a String, bool)>,
    marker: &str,
) -> Result<Table, SettingsError> {
    let base = name(base, "base")?;
    let places = places.iter().map(|(key, dn)| Ok((key.clone(), name(dn, "places")?)));
    let places: BTreeMap<_, _> = places.collect::<Result<_, SettingsError>>()?;
    if places.is_empty() || !places.values().all(|place| place.is_within(&base)) {
        return Err(SettingsError::new("places", "must name entries that are or lie below the base"));
    }
    let groups = groups.map(|(key, dn, may_be_protected)| {
        Ok((key.clone(), Group { dn: name(dn, "groups")?, may_be_protected }))
    });
    let groups = groups.collect::<Result<_, SettingsError>>()?;
    Ok(Table { base, places, groups, marker: marker_attribute(marker)? })
}

fn name(text: &str, field: &'static str) -> Result<Dn, SettingsError> {
    let dn = Dn::parse(text).ok().filter(|dn| *dn != Dn::default());
    dn.ok_or(SettingsError::new(field, "must be a distinguished name"))
}

/// Whatever an account is made of for other reasons cannot hold its marker.
fn marker_attribute(text: &str) -> Result<AttributeName, SettingsError> {
    let taken = [
        AttributeName::OBJECT_CLASS,
        AttributeName::USER_ID,
        AttributeName::COMMON_NAME,
        AttributeName::SURNAME,
        AttributeName::SAM_ACCOUNT_NAME,
        AttributeName::USER_PRINCIPAL_NAME,
        AttributeName::USER_ACCOUNT_CONTROL,
        AttributeName::USER_PASSWORD,
        AttributeName::UNICODE_PASSWORD,
        AttributeName::ACCOUNT_EXPIRES,
        AttributeName::PASSWORD_END_TIME,
        AttributeName::PASSWORD_LOCKED_TIME,
        AttributeName::MEMBER,
        AttributeName::MEMBER_OF,
    ];
    let name = AttributeName::new(text).ok().filter(|name| {
        let has_options = name.options().next().is_some();
        !has_options && !taken.contains(name)
    });
    name.ok_or(SettingsError::new("marker", "must name an attribute that nothing else is kept in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl FnOnce(&mut ActiveDirectorySettings)) -> &'static str {
        let mut settings =
            ActiveDirectorySettings::new("OU=JIT,DC=x", ("ops", "OU=Ops,OU=JIT,DC=x"), "x.example");
        settings.check().unwrap();
        change(&mut settings);
        settings.check().unwrap_err().field
    }

    #[test]
    fn each_unsound_setting_is_named() {
        assert_eq!(problem(|s| s.base.clear()), "base");
        assert_eq!(problem(|s| s.places.clear()), "places");
        let outside = |s: &mut ActiveDirectorySettings| {
            s.places.insert("near".into(), "OU=NotJIT,DC=x".into());
        };
        assert_eq!(problem(outside), "places");
        assert_eq!(problem(|s| s.marker = "userPassword".into()), "marker");
        assert_eq!(problem(|s| s.marker = "info;binary".into()), "marker");
        assert_eq!(problem(|s| s.principal_suffix = "a@b".into()), "principal_suffix");
        let group = |s: &mut ActiveDirectorySettings| {
            s.groups.insert("ops".into(), GroupSettings::Plain("ops".into()));
        };
        assert_eq!(problem(group), "groups");
    }
}
