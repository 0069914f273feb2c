//! One account of a target in memory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::entitlements::Table;
use crate::{Listed, Marker, Mirrored, RemoteRef, Secret, ShownEnd};

/// Shows one account of a [`MemoryTarget`](super::MemoryTarget).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteAccount {
    /// The id that never changes.
    pub native: String,
    /// What marks it; `None` for one that is not ours.
    pub marker: Option<Marker>,
    /// Where it lies; `None` where nobody said so, or in no place that has a name.
    pub place: Option<String>,
    /// What it holds, by what it is there: that is also its name, unless the name was pointed at something else.
    pub entitlements: Vec<String>,
    /// From when on it no longer holds one of them, where it was given for a time.
    pub drops_at: BTreeMap<String, DateTime<Utc>>,
    /// Whether it can be used.
    pub enabled: bool,
    /// From when on it cannot.
    pub ends_at: Option<DateTime<Utc>>,
    /// What is mirrored of an account from here.
    pub mirrored: Option<Mirrored>,
    pub(super) secret: Option<Secret>,
}

impl RemoteAccount {
    /// Tells whether the secret opens it at `now`.
    #[must_use]
    pub fn admits(&self, secret: &str, now: DateTime<Utc>) -> bool {
        let is_open = self.enabled && self.ends_at.is_none_or(|end| now < end);
        is_open && self.secret.as_ref().is_some_and(|own| own.reveal() == secret)
    }

    /// Tells whether it holds an entitlement at `now`.
    #[must_use]
    pub fn holds(&self, entitlement: &str, now: DateTime<Utc>) -> bool {
        let drops_at = self.drops_at.get(entitlement);
        self.has(entitlement) && drops_at.is_none_or(|end| now < *end)
    }

    pub(super) fn has(&self, entitlement: &str) -> bool {
        self.entitlements.iter().any(|held| held == entitlement)
    }

    /// How it is shown, where it is ours. Whoever ends nothing tells of no end that was never set.
    pub(super) fn shown(&self, name: &str, ends_nothing: bool, table: &Table) -> Option<Listed> {
        let endless = if ends_nothing { ShownEnd::Untold } else { ShownEnd::Never };
        let (marker, native) = (self.marker.clone()?, Some(self.native.clone()));
        Some(Listed {
            remote: RemoteRef {
                name: name.to_owned(),
                place: self.place.clone(),
                marker,
                native,
                home: None,
            },
            also_in: BTreeSet::new(),
            enabled: Some(self.enabled),
            end: self.ends_at.map_or(endless, ShownEnd::At),
            entitlements: Some(self.entitlements.iter().filter_map(|held| table.name_of(held)).collect()),
        })
    }

    /// Gives it something until an end, and tells whether it had it not. A later end stays, and none as well.
    pub(super) fn gain(&mut self, entitlement: &str, end: Option<DateTime<Utc>>) -> bool {
        if !self.has(entitlement) {
            self.entitlements.push(entitlement.to_owned());
            self.drops_at.extend(end.map(|end| (entitlement.to_owned(), end)));
            return true;
        }
        if let (Some(drops_at), Some(end)) = (self.drops_at.get_mut(entitlement), end) {
            *drops_at = (*drops_at).max(end);
        }
        false
    }

    /// Takes something from it, and tells whether it had it.
    pub(super) fn lose(&mut self, entitlement: &str) -> bool {
        let had = self.has(entitlement);
        self.drops_at.remove(entitlement);
        self.entitlements.retain(|held| held != entitlement);
        had
    }

    pub(super) fn new(native: String, marker: Option<Marker>) -> Self {
        Self {
            native,
            marker,
            place: None,
            entitlements: Vec::new(),
            drops_at: BTreeMap::new(),
            enabled: true,
            ends_at: None,
            mirrored: None,
            secret: None,
        }
    }
}
