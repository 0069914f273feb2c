//! The places and groups that roles may name.

use std::collections::{BTreeMap, BTreeSet};

use jit_core::{BackendError, TargetFault};

use super::fault::Step;
use crate::attribute::AttributeName;
use crate::dn::Dn;

/// A group that may be given.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) dn: Dn,
    /// Whether it may be given though the directory protects it.
    pub(super) may_be_protected: bool,
}

/// How a group names its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) attribute: AttributeName,
    /// By the names that they log in by, instead of their distinguished names.
    pub(super) is_by_name: bool,
}

impl Default for Membership {
    fn default() -> Self {
        Self { attribute: AttributeName::MEMBER, is_by_name: false }
    }
}

impl Membership {
    /// How groups name this account.
    pub(super) fn of(&self, dn: &Dn, name: &str) -> Member {
        let value = if self.is_by_name { name.to_owned() } else { dn.to_string() };
        Member { attribute: self.attribute.clone(), value }
    }
}

/// One account, as groups name it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) attribute: AttributeName,
    pub(super) value: String,
}

/// The places and groups that roles may name, the entry below which all accounts lie, and what marks and joins them.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) base: Dn,
    /// Below which people have accounts that may be put into the groups for a time.
    pub(super) people: Option<Dn>,
    pub(super) places: BTreeMap<String, Dn>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) marker: AttributeName,
    /// Where markers stood before: what was made then is ours all the same.
    pub(super) former_markers: Vec<AttributeName>,
    pub(super) membership: Membership,
}

impl Table {
    /// The attributes that a marker may stand in, today's first.
    pub(super) fn markers(&self) -> impl Iterator<Item = &AttributeName> {
        std::iter::once(&self.marker).chain(&self.former_markers)
    }

    /// The place of this name; the only one, where no name is given.
    pub(super) fn place(&self, name: Option<&str>) -> Result<&Dn, BackendError> {
        let found = match name {
            Some(name) => self.places.get(name),
            None if self.places.len() == 1 => self.places.values().next(),
            None => None,
        };
        found.ok_or_else(|| Step::Make.refused(TargetFault::Place))
    }

    /// The names of the place in which an entry lies directly: settings may name one twice.
    pub(super) fn names_of_place(&self, dn: &Dn) -> impl Iterator<Item = &str> {
        let parent = dn.parent();
        let named = self.places.iter().filter(move |(_, place)| parent.as_ref() == Some(place));
        named.map(|(name, _)| name.as_str())
    }

    /// The groups of these names; nothing is given when one of them is unknown.
    pub(super) fn groups(&self, names: &[String]) -> Result<Vec<&Group>, BackendError> {
        let found = names.iter().map(|name| self.groups.get(name));
        let found: Option<Vec<_>> = found.collect();
        found.ok_or_else(|| Step::Groups.refused(TargetFault::Entitlement))
    }

    /// The groups that an account was given; all of them, where that is not known. One that nobody speaks of any longer is not
    /// touched.
    pub(super) fn given(&self, names: Option<&[String]>) -> Vec<&Group> {
        names.map_or_else(
            || self.groups.values().collect(),
            |names| names.iter().filter_map(|name| self.groups.get(name)).collect(),
        )
    }

    /// The names of the groups among these. Each group has one: the settings see to it.
    pub(super) fn names_of(&self, held: &[Dn]) -> BTreeSet<String> {
        let among = self.groups.iter().filter(|(_, group)| held.contains(&group.dn));
        among.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn has_group(&self, dn: &Dn) -> bool {
        self.groups.values().any(|group| group.dn == *dn)
    }

    /// The entries in which the groups lie, each once.
    pub(super) fn homes_of_groups(&self) -> Vec<Dn> {
        let mut homes: Vec<Dn> = Vec::new();
        for home in self.groups.values().filter_map(|group| group.dn.parent()) {
            if !homes.contains(&home) {
                homes.push(home);
            }
        }
        homes
    }
}
