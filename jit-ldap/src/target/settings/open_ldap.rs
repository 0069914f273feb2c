//! Settings of a target in OpenLDAP.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Deserialize;

use super::{Checked, Outline, check_life, people, usual_marker};
use crate::attribute::AttributeName;
use crate::identifier::IdAttribute;
use crate::sign_in::SettingsError;
use crate::target::plain::Plain;
use crate::target::profile::{EndAttribute, PasswordWay, Profile, Switch, TimeForm};

/// Locked until an administrator opens it (draft-behera-ldap-password-policy §5.3.3).
const FOR_GOOD: &str = "000001010000Z";

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
    /// Attributes that markers stood in before, until what was made then is gone: it is ours all the same.
    #[serde(default)]
    pub former_markers: Vec<String>,
    /// Below which entry people have accounts of their own that roles may put into groups for a time; without one no account
    /// is touched that was not made for a time. The overlay `refint` has to be there.
    #[serde(default)]
    pub people: Option<String>,
    /// Whether the overlay `ppolicy` is there and our account may `manage` its attributes: then the server itself refuses an
    /// account from its end on.
    #[serde(default)]
    pub password_policy: bool,
    /// Whether the overlay `refint` takes an entry out of its groups when it is removed.
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

impl OpenLdapSettings {
    /// Settings with one place, without groups, for a server without overlays.
    #[must_use]
    pub fn new(base: &str, place: (&str, &str)) -> Self {
        Self {
            base: base.to_owned(),
            places: BTreeMap::from([(place.0.to_owned(), place.1.to_owned())]),
            groups: BTreeMap::new(),
            marker: usual_marker(),
            former_markers: Vec::new(),
            people: None,
            password_policy: false,
            groups_follow: false,
            dynamic: false,
            settles_seconds: 0,
        }
    }

    pub(in crate::target) fn check(&self) -> Result<Checked<Plain>, SettingsError> {
        let groups = self.groups.iter().map(|(name, dn)| (name, dn, false));
        let markers = (self.marker.as_str(), self.former_markers.as_slice());
        let mut table = Outline { base: &self.base, places: &self.places, markers }.table(groups)?;
        table.people = people(self.people.as_deref(), &table.membership, self.groups_follow)?;
        check_life(self.dynamic, self.groups_follow)?;
        let profile = self.profile(table.marker.clone());
        let settles_after = TimeDelta::seconds(i64::from(self.settles_seconds));
        Ok(Checked { table, dialect: Plain::new(profile), settles_after })
    }

    fn profile(&self, marker: AttributeName) -> Profile {
        let end = EndAttribute { name: AttributeName::PASSWORD_END_TIME, form: TimeForm::GeneralizedTime };
        let lock =
            Switch { name: AttributeName::PASSWORD_LOCKED_TIME, open: None, closed: FOR_GOOD.to_owned() };
        Profile {
            classes: vec!["inetOrgPerson".to_owned()],
            name: AttributeName::USER_ID,
            also_named: vec![AttributeName::COMMON_NAME, AttributeName::SURNAME],
            constants: Vec::new(),
            marker,
            password: PasswordWay::Attribute,
            end: self.password_policy.then_some(end),
            switch: self.password_policy.then_some(lock),
            id: IdAttribute::EntryUuid,
            has_controls: true,
            groups_follow: self.groups_follow,
            is_dynamic: self.dynamic,
        }
    }
}
