//! Settings of a target as people write them, and what they become when they are sound.

mod custom;
mod open_ldap;

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use jit_core::Code;
use jit_core::config::{Check, Problems};
use serde::Deserialize;

use super::active_directory::ActiveDirectory;
use super::table::{Group, Membership, Table};
use crate::attribute::AttributeName;
use crate::dn::Dn;
use crate::sign_in::SettingsError;

pub use custom::{CustomSettings, EndSettings, MembershipSettings, SwitchSettings};
pub use open_ldap::OpenLdapSettings;

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
    /// Attributes that markers stood in before, until what was made then is gone: it is ours all the same.
    #[serde(default)]
    pub former_markers: Vec<String>,
    /// Below which entry people have accounts of their own that roles may put into groups for a time; without one no account
    /// is touched that was not made for a time.
    #[serde(default)]
    pub people: Option<String>,
    /// How long a change may take until every domain controller shows it.
    #[serde(default = "usual_settling")]
    pub settles_seconds: u32,
    /// Makes each account out of use first and opens it with its password, instead of trying one request before.
    #[serde(default)]
    pub disabled_first: bool,
    /// Has the domain controller end the memberships of people by itself. The forest's optional feature for privileged
    /// access has to be on; that is looked up before anything is given.
    #[serde(default)]
    pub ends_memberships: bool,
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

/// How many attributes markers may have stood in before.
const FORMER_MARKERS: usize = 8;

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
            former_markers: Vec::new(),
            people: None,
            settles_seconds: usual_settling(),
            disabled_first: false,
            ends_memberships: false,
        }
    }

    pub(in crate::target) fn check(&self) -> Result<Checked<ActiveDirectory>, SettingsError> {
        let is_suffix = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if self.principal_suffix.is_empty() || !self.principal_suffix.chars().all(is_suffix) {
            return Err(SettingsError::new("principal_suffix", "must be the name of a domain"));
        }
        let groups = self.groups.iter().map(|(name, group)| match group {
            GroupSettings::Plain(dn) => (name, dn, false),
            GroupSettings::Protected(group) => (name, &group.dn, group.protected),
        });
        let markers = (self.marker.as_str(), self.former_markers.as_slice());
        let mut table = Outline { base: &self.base, places: &self.places, markers }.table(groups)?;
        table.people = people(self.people.as_deref(), &table.membership, true)?;
        let dialect = ActiveDirectory {
            marker: table.marker.clone(),
            principal_suffix: self.principal_suffix.clone(),
            disabled_first: self.disabled_first,
            ends_memberships: self.ends_memberships,
        };
        let settles_after = TimeDelta::seconds(i64::from(self.settles_seconds));
        Ok(Checked { table, dialect, settles_after })
    }
}

macro_rules! checked {
    ($($settings:ty)+) => { $(
        impl Check for $settings {
            fn check(&self, found: &mut Problems) {
                if let Err(error) = Self::check(self) {
                    found.report_in(error.field, Code::new(SettingsError::REASON.code()), error.problem);
                }
            }
        }
    )+ };
}

checked! { ActiveDirectorySettings OpenLdapSettings CustomSettings }

/// What settings that are sound become.
#[derive(Debug)]
pub(super) struct Checked<D> {
    table: Table,
    dialect: D,
    settles_after: TimeDelta,
}

impl<D> Checked<D> {
    pub(super) fn into_parts(self) -> (Table, D, TimeDelta) {
        (self.table, self.dialect, self.settles_after)
    }
}

/// What all settings have.
struct Outline<'a> {
    base: &'a str,
    places: &'a BTreeMap<String, String>,
    /// Today's, and those of before.
    markers: (&'a str, &'a [String]),
}

impl Outline<'_> {
    fn table<'a>(
        &self,
        groups: impl Iterator<Item = (&'a String, &'a String, bool)>,
    ) -> Result<Table, SettingsError> {
        let base = name(self.base, "base")?;
        let places = self.places.iter().map(|(key, dn)| Ok((key.clone(), name(dn, "places")?)));
        let places: BTreeMap<_, _> = places.collect::<Result<_, SettingsError>>()?;
        if places.is_empty() || !places.values().all(|place| place.is_within(&base)) {
            return Err(SettingsError::new("places", "must name entries that are or lie below the base"));
        }
        let groups = groups.map(|(key, dn, may_be_protected)| {
            Ok((key.clone(), Group { dn: name(dn, "groups")?, may_be_protected }))
        });
        let groups = groups.collect::<Result<_, SettingsError>>()?;
        check_names(&groups)?;
        let marker = marker_attribute(self.markers.0, "marker")?;
        let former_markers = former_markers(self.markers.1, &marker)?;
        let membership = Membership::default();
        Ok(Table { base, people: None, places, groups, marker, former_markers, membership })
    }
}

/// Leases count what they share by its name: a group with two of them would be taken from a lease that still needs it.
fn check_names(groups: &BTreeMap<String, Group>) -> Result<(), SettingsError> {
    let named: HashSet<_> = groups.values().map(|group| &group.dn).collect();
    let is_sound = named.len() == groups.len();
    if is_sound { Ok(()) } else { Err(SettingsError::new("groups", "must name each group once")) }
}

fn name(text: &str, field: &'static str) -> Result<Dn, SettingsError> {
    let dn = Dn::parse(text).ok().filter(|dn| *dn != Dn::default());
    dn.ok_or(SettingsError::new(field, "must be a distinguished name"))
}

/// Where people are. A person that an administrator removes would stay in the groups as the name of nobody, for whoever
/// gets that name; and a name that changes would stay in them as well.
fn people(
    text: Option<&str>,
    membership: &Membership,
    groups_follow: bool,
) -> Result<Option<Dn>, SettingsError> {
    if text.is_some() && (membership.is_by_name || !groups_follow) {
        return Err(SettingsError::new(
            "people",
            "must not be there where groups do not follow their members",
        ));
    }
    text.map(|text| name(text, "people")).transpose()
}

/// What the server removes by itself would stay in its groups as the name of nobody, for whoever gets that name.
fn check_life(is_dynamic: bool, groups_follow: bool) -> Result<(), SettingsError> {
    let is_sound = groups_follow || !is_dynamic;
    let problem = "must be true where the server removes accounts by itself";
    if is_sound { Ok(()) } else { Err(SettingsError::new("groups_follow", problem)) }
}

fn no_options(text: &str, field: &'static str) -> Result<AttributeName, SettingsError> {
    let name = AttributeName::new(text).ok().filter(|name| name.options().next().is_none());
    name.ok_or(SettingsError::new(field, "must name an attribute"))
}

/// Whatever an account is made of for other reasons cannot hold its marker.
fn marker_attribute(text: &str, field: &'static str) -> Result<AttributeName, SettingsError> {
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
    let name = no_options(text, field).ok().filter(|name| !taken.contains(name));
    name.ok_or(SettingsError::new(field, "must name an attribute that nothing else is kept in"))
}

/// Each is a term of the filters by which accounts are found.
fn former_markers(texts: &[String], marker: &AttributeName) -> Result<Vec<AttributeName>, SettingsError> {
    const FIELD: &str = "former_markers";
    if texts.len() > FORMER_MARKERS {
        return Err(SettingsError::new(FIELD, "must name no more than 8 attributes"));
    }
    let mut names = Vec::new();
    for text in texts {
        let name = marker_attribute(text, FIELD)?;
        if name == *marker || names.contains(&name) {
            return Err(SettingsError::new(FIELD, "must name each attribute once, and not that of today"));
        }
        names.push(name);
    }
    Ok(names)
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
        for former in [&["userPassword"][..], &["admindescription"], &["info", "INFO"], &["info;binary"]] {
            let former: Vec<_> = former.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(problem(|s| s.former_markers = former), "former_markers");
        }
        assert_eq!(problem(|s| s.principal_suffix = "a@b".into()), "principal_suffix");
        let group = |s: &mut ActiveDirectorySettings| {
            s.groups.insert("ops".into(), GroupSettings::Plain("ops".into()));
        };
        assert_eq!(problem(group), "groups");
        let one_twice = |s: &mut ActiveDirectorySettings| {
            let plain = GroupSettings::Plain("CN=Ops,OU=Groups,DC=x".into());
            let also = ProtectedGroup { dn: "cn=ops, ou=groups,dc=X".into(), protected: true };
            s.groups.extend([("ops".into(), plain), ("wheel".into(), GroupSettings::Protected(also))]);
        };
        assert_eq!(problem(one_twice), "groups");
        assert_eq!(problem(|s| s.people = Some("people".into())), "people");
    }
}
