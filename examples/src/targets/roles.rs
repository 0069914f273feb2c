//! The roles that can be checked out at a target.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use jit_core::config::Problems;
use jit_core::{AttributeName, Code, ConnectionId, Entitlement, RuleName, Span, Whose};
use serde::Deserialize;

use super::settings::{Kind, TargetSettings};

/// Describes a role that can be checked out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleSettings {
    pub(crate) name: RuleName,
    /// Where its accounts are made, by the target's word for it; the only place where there is one.
    #[serde(default)]
    pub(crate) place: Option<String>,
    /// What its accounts hold, by the target's words.
    #[serde(default)]
    pub(crate) entitlements: Vec<String>,
    /// The longest time in all, extensions included.
    pub(crate) longest: Span,
    /// Who may check it out: whoever holds one of these.
    pub(crate) holders: Vec<Entitlement>,
    /// Whether it ends before others when many end at once.
    #[serde(default)]
    pub(crate) privileged: bool,
    /// How many leases by it one person may have at once.
    #[serde(default)]
    pub(crate) per_holder: Option<NonZeroU32>,
    /// Whose account that existed before it elevates, instead of making one.
    #[serde(default)]
    pub(crate) elevates: Option<ElevatesSettings>,
}

/// Says whose account in the target a role elevates: one that is named, or one that an attribute of the holder names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ElevatesSettings {
    /// Whoever runs the program names the account, and answers for whose it is.
    #[serde(default)]
    named: bool,
    #[serde(default)]
    attribute: Option<AttributeName>,
    /// The connections whose word on the attribute counts, beside that of administrators.
    #[serde(default)]
    given_by: Vec<ConnectionId>,
}

impl ElevatesSettings {
    /// Whose; `None` where that is not said in exactly one way.
    pub(crate) fn whose(&self) -> Option<Whose> {
        match (self.named, &self.attribute) {
            (true, None) if self.given_by.is_empty() => Some(Whose::Named),
            (false, Some(name)) => {
                Some(Whose::Attribute { name: name.clone(), given_by: self.given_by.clone() })
            }
            _ => None,
        }
    }
}

impl TargetSettings {
    pub(super) fn check_roles(&self, found: &mut Problems) {
        let (places, groups) = self.tables().unzip();
        let mut names = BTreeSet::new();
        found.each("role", &self.role, |role, found| {
            if !names.insert(&role.name) {
                found.report_in("name", Code::new("config.duplicate_role"), "another role has this name");
            }
            self.check_way(role, places.as_ref(), found);
            if is_missing(places.as_ref(), role.place.as_ref()) {
                found.report_in("place", Code::new("config.unknown_place"), "the target has no such place");
            }
            found.each("entitlements", &role.entitlements, |group, found| {
                if is_missing(groups.as_ref(), Some(group)) {
                    found.report(Code::new("config.unknown_group"), "the target has no such group");
                }
            });
            if role.holders.is_empty() {
                let message = "must name who may check the role out";
                found.report_in("holders", Code::new("config.invalid_value"), message);
            }
        });
    }

    /// A role either makes accounts, somewhere, or elevates those that are there.
    fn check_way(&self, role: &RoleSettings, places: Option<&BTreeSet<&String>>, found: &mut Problems) {
        let several = places.is_some_and(|places| places.len() > 1);
        match &role.elevates {
            None if several && role.place.is_none() => {
                let message = "must name one of the places of the target, which has several";
                found.report_in("place", Code::new("config.missing_field"), message);
            }
            Some(elevates) if elevates.whose().is_none() => {
                let message = "needs either `named = true` or `attribute`, with `given_by`";
                found.report_in("elevates", Code::new("config.one_of"), message);
            }
            Some(_) if self.knows_people() == Some(false) => {
                let message = "needs `people` of the target: below which entry the accounts lie";
                found.report_in("elevates", Code::new("config.missing_field"), message);
            }
            None | Some(_) => {}
        }
    }

    /// The names of the target's places and of its groups; `None` where it takes any.
    fn tables(&self) -> Option<(BTreeSet<&String>, BTreeSet<&String>)> {
        match self.kind()? {
            Kind::ActiveDirectory(settings) => {
                Some((settings.places.keys().collect(), settings.groups.keys().collect()))
            }
            Kind::OpenLdap(settings) => {
                Some((settings.places.keys().collect(), settings.groups.keys().collect()))
            }
            Kind::Custom(settings) => {
                Some((settings.places.keys().collect(), settings.groups.keys().collect()))
            }
            Kind::InMemory(_) | Kind::Scim(_) => None,
        }
    }

    /// Whether accounts that existed before can be elevated here; `None` where that is no affair of the settings.
    fn knows_people(&self) -> Option<bool> {
        match self.kind()? {
            Kind::ActiveDirectory(settings) => Some(settings.people.is_some()),
            Kind::OpenLdap(settings) => Some(settings.people.is_some()),
            Kind::Custom(settings) => Some(settings.people.is_some()),
            Kind::InMemory(_) | Kind::Scim(_) => None,
        }
    }
}

fn is_missing(table: Option<&BTreeSet<&String>>, name: Option<&String>) -> bool {
    table.zip(name).is_some_and(|(table, name)| !table.contains(name))
}
