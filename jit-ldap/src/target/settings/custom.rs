//! Settings of a target in a directory of another kind.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Deserialize;

use super::{Checked, Outline, check_life, no_options, people, usual_marker};
use crate::attribute::{Attribute, AttributeName};
use crate::identifier::IdAttribute;
use crate::sign_in::SettingsError;
use crate::target::plain::Plain;
use crate::target::profile::{EndAttribute, PasswordWay, Profile, Switch, TimeForm};
use crate::target::table::Membership;

/// What people write about temporary accounts in a directory that is neither OpenLDAP nor Active Directory: which classes
/// and attributes an account consists of. Whatever is not named here is never written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomSettings {
    /// Below which entry all temporary accounts lie: they are looked for and listed there and nowhere else.
    pub base: String,
    /// The entries below which accounts are made, by the names that roles call them.
    pub places: BTreeMap<String, String>,
    /// The groups that may be given, by the names that roles call them.
    #[serde(default)]
    pub groups: BTreeMap<String, String>,
    /// The classes of an account; listings look for the first.
    pub classes: Vec<String>,
    /// The attribute that an account logs in by, and that its own part of the name is made of.
    pub name: String,
    /// Further attributes that hold the name, because the classes demand them.
    #[serde(default)]
    pub also_named: Vec<String>,
    /// Further attributes, and the values that every account has.
    #[serde(default)]
    pub constants: BTreeMap<String, Vec<String>>,
    /// The attribute that names an entry for good.
    #[serde(default = "usual_id")]
    pub id: IdAttribute,
    /// The attribute of the marker. The accounts themselves must not be able to write it.
    #[serde(default = "usual_marker")]
    pub marker: String,
    /// Attributes that markers stood in before, until what was made then is gone: it is ours all the same.
    #[serde(default)]
    pub former_markers: Vec<String>,
    /// Below which entry people have accounts of their own that roles may put into groups for a time; without one no account
    /// is touched that was not made for a time. The server has to take who is removed out of its groups.
    #[serde(default)]
    pub people: Option<String>,
    /// How a password is set.
    #[serde(default)]
    pub password: PasswordWay,
    /// The attribute from whose value on the server itself refuses an account, where there is one.
    #[serde(default)]
    pub end: Option<EndSettings>,
    /// The attribute whose value puts an account out of use. Without one its password is taken.
    #[serde(default)]
    pub switch: Option<SwitchSettings>,
    /// How groups name their members.
    #[serde(default)]
    pub membership: MembershipSettings,
    /// Whether the server knows the controls for assertion (RFC 4528) and reading after a change (RFC 4527).
    #[serde(default)]
    pub controls: bool,
    /// Whether the server takes an entry out of its groups when it is removed.
    #[serde(default)]
    pub groups_follow: bool,
    /// Makes dynamic entries (RFC 2589), which the server itself removes at their end, whoever else is there. It has to offer
    /// them, and to take them out of their groups.
    #[serde(default)]
    pub dynamic: bool,
    /// How long a change may take until every server shows it.
    #[serde(default)]
    pub settles_seconds: u32,
}

/// The attribute from whose value on a server refuses an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "an attribute and a form")]
pub struct EndSettings {
    /// The attribute.
    pub attribute: String,
    /// How it holds an instant.
    pub form: TimeForm,
}

/// The attribute whose value puts an account out of use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "an attribute and its two positions")]
pub struct SwitchSettings {
    /// The attribute.
    pub attribute: String,
    /// Its value while the account is in use; without one the attribute is not there then.
    #[serde(default)]
    pub open: Option<String>,
    /// Its value while the account is out of use.
    pub closed: String,
}

/// How groups name their members.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct MembershipSettings {
    /// The attribute of a group.
    pub attribute: String,
    /// By the name that an account logs in by (`memberUid`), instead of its distinguished name.
    pub by_name: bool,
}

impl Default for MembershipSettings {
    fn default() -> Self {
        Self { attribute: AttributeName::MEMBER.as_str().to_owned(), by_name: false }
    }
}

impl MembershipSettings {
    /// Groups that name in this attribute what their members log in by.
    #[must_use]
    pub fn by_name(attribute: &str) -> Self {
        Self { attribute: attribute.to_owned(), by_name: true }
    }
}

const fn usual_id() -> IdAttribute {
    IdAttribute::EntryUuid
}

/// Attributes that other code of the library writes, or that say what an account may do.
const NOT_FOR_CONSTANTS: [AttributeName; 6] = [
    AttributeName::OBJECT_CLASS,
    AttributeName::USER_PASSWORD,
    AttributeName::UNICODE_PASSWORD,
    AttributeName::USER_ACCOUNT_CONTROL,
    AttributeName::MEMBER,
    AttributeName::MEMBER_OF,
];

impl CustomSettings {
    /// Settings with one place, without groups, for accounts of one class that are named by one attribute.
    #[must_use]
    pub fn new(base: &str, place: (&str, &str), class: &str, name: &str) -> Self {
        Self {
            base: base.to_owned(),
            places: BTreeMap::from([(place.0.to_owned(), place.1.to_owned())]),
            groups: BTreeMap::new(),
            classes: vec![class.to_owned()],
            name: name.to_owned(),
            also_named: Vec::new(),
            constants: BTreeMap::new(),
            id: usual_id(),
            marker: usual_marker(),
            former_markers: Vec::new(),
            people: None,
            password: PasswordWay::default(),
            end: None,
            switch: None,
            membership: MembershipSettings::default(),
            controls: false,
            groups_follow: false,
            dynamic: false,
            settles_seconds: 0,
        }
    }

    pub(in crate::target) fn check(&self) -> Result<Checked<Plain>, SettingsError> {
        let groups = self.groups.iter().map(|(name, dn)| (name, dn, false));
        let markers = (self.marker.as_str(), self.former_markers.as_slice());
        let mut table = Outline { base: &self.base, places: &self.places, markers }.table(groups)?;
        table.membership = Membership {
            attribute: no_options(&self.membership.attribute, "membership")?,
            is_by_name: self.membership.by_name,
        };
        table.people = people(self.people.as_deref(), &table.membership, self.groups_follow)?;
        check_life(self.dynamic, self.groups_follow)?;
        let profile = self.profile(table.marker.clone())?;
        self.check_attributes(&profile, &table.former_markers)?;
        let settles_after = TimeDelta::seconds(i64::from(self.settles_seconds));
        Ok(Checked { table, dialect: Plain::new(profile), settles_after })
    }

    fn profile(&self, marker: AttributeName) -> Result<Profile, SettingsError> {
        let also_named = self.also_named.iter().map(|name| no_options(name, "also_named"));
        let constants = self.constants.iter().map(|(name, values)| {
            Ok(Attribute::new(no_options(name, "constants")?, values.iter().map(String::as_str)))
        });
        let end = self
            .end
            .as_ref()
            .map(|end| Ok(EndAttribute { name: no_options(&end.attribute, "end")?, form: end.form }));
        let switch = self.switch.as_ref().map(|switch| {
            let name = no_options(&switch.attribute, "switch")?;
            Ok(Switch { name, open: switch.open.clone(), closed: switch.closed.clone() })
        });
        Ok(Profile {
            classes: self.classes.clone(),
            name: no_options(&self.name, "name")?,
            also_named: also_named.collect::<Result<_, _>>()?,
            constants: constants.collect::<Result<_, _>>()?,
            marker,
            password: self.password,
            end: end.transpose()?,
            switch: switch.transpose()?,
            id: self.id,
            has_controls: self.controls,
            groups_follow: self.groups_follow,
            is_dynamic: self.dynamic,
        })
    }

    /// Each attribute has one purpose.
    fn check_attributes(
        &self,
        profile: &Profile,
        former_markers: &[AttributeName],
    ) -> Result<(), SettingsError> {
        let is_class = |class: &String| {
            !class.is_empty() && class.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if profile.classes.is_empty() || !profile.classes.iter().all(is_class) {
            return Err(SettingsError::new("classes", "must name classes"));
        }
        if profile.password == PasswordWay::Operation && profile.switch.is_none() {
            return Err(SettingsError::new(
                "switch",
                "must be there where passwords are set by an operation",
            ));
        }
        let is_moved = |switch: &SwitchSettings| {
            switch.open.as_ref().is_none_or(|open| !open.eq_ignore_ascii_case(&switch.closed))
        };
        if !self.switch.as_ref().is_none_or(|switch| !switch.closed.is_empty() && is_moved(switch)) {
            return Err(SettingsError::new("switch", "must have two positions"));
        }
        let mut seen =
            vec![AttributeName::OBJECT_CLASS, AttributeName::USER_PASSWORD, profile.marker.clone()];
        seen.extend_from_slice(former_markers);
        let single = [("name", Some(&profile.name)), ("end", profile.end.as_ref().map(|end| &end.name))];
        let single = single.into_iter().filter_map(|(field, name)| Some((field, name?)));
        let switch = profile.switch.iter().map(|switch| ("switch", &switch.name));
        let named = profile.also_named.iter().map(|name| ("also_named", name));
        let constant = profile.constants.iter().map(|constant| ("constants", constant.name()));
        for (field, name) in single.chain(switch).chain(named).chain(constant) {
            if seen.contains(name) || (field == "constants" && NOT_FOR_CONSTANTS.contains(name)) {
                return Err(SettingsError::new(field, "must name attributes that nothing else is kept in"));
            }
            seen.push(name.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl FnOnce(&mut CustomSettings)) -> &'static str {
        let place = ("ops", "ou=ops,ou=jit,dc=x");
        let mut settings = CustomSettings::new("ou=jit,dc=x", place, "inetOrgPerson", "uid");
        settings.also_named = vec!["cn".to_owned(), "sn".to_owned()];
        settings.switch = Some(SwitchSettings {
            attribute: "nsAccountLock".to_owned(),
            open: None,
            closed: "true".to_owned(),
        });
        settings.check().unwrap();
        change(&mut settings);
        settings.check().unwrap_err().field
    }

    #[test]
    fn each_unsound_setting_is_named() {
        assert_eq!(problem(|s| s.base.clear()), "base");
        assert_eq!(problem(|s| s.classes.clear()), "classes");
        assert_eq!(problem(|s| s.classes.push("a b".into())), "classes");
        assert_eq!(problem(|s| s.name = "uid;lang-de".into()), "name");
        assert_eq!(problem(|s| s.name = "description".into()), "name", "the marker is kept there");
        assert_eq!(problem(|s| s.marker = "userPassword".into()), "marker");
        assert_eq!(problem(|s| s.also_named.push("UID".into())), "also_named");
        assert_eq!(problem(|s| s.also_named.push("userPassword".into())), "also_named");
        assert_eq!(problem(|s| s.membership.attribute.clear()), "membership");
        let constant = |name: &str| (name.to_owned(), vec!["x".to_owned()]);
        assert_eq!(problem(|s| s.constants.extend([constant("sn")])), "constants");
        assert_eq!(problem(|s| s.constants.extend([constant("memberOf")])), "constants");
        assert_eq!(problem(|s| s.switch.as_mut().unwrap().open = Some("TRUE".into())), "switch");
        assert_eq!(problem(|s| s.switch.as_mut().unwrap().attribute = "cn".into()), "also_named");
        let by_operation = |s: &mut CustomSettings| (s.switch, s.password) = (None, PasswordWay::Operation);
        assert_eq!(problem(by_operation), "switch");
        let unfollowed = |s: &mut CustomSettings| s.people = Some("ou=people,dc=x".into());
        assert_eq!(problem(unfollowed), "people");
    }
}
