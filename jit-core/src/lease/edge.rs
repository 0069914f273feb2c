//! One entitlement that is lent to an account that existed before: who needs it, whose it is, and whether the target takes it
//! by itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{AccountId, RemoteEntitlement};

/// Keeps one entitlement of the account, and who needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "it is stored: each field is there to be read")]
pub struct Edge {
    /// Which one: by what it is in the target, and not by its name alone.
    #[serde(default)]
    pub entitlement: RemoteEntitlement,
    /// Whether somebody else gave it before we did: then it is never taken.
    pub pre_existing: bool,
    /// How often the target was asked to give it, since it was first needed or somebody else was found to have given it.
    pub asked: u32,
    /// Whether the target itself takes it, as it said when it was asked to give it last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drops: bool,
    /// When it does that at the latest, if it does: as late as any call asked for it, or the target said.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub drops_at: Option<DateTime<Utc>>,
    /// The leases that it is about.
    pub leases: BTreeMap<AccountId, Share>,
}

/// Says what an entitlement is to one lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "an entitlement is needed or it is not")]
pub enum Share {
    /// It needs it.
    Needs {
        /// From when on it no longer does.
        until: DateTime<Utc>,
    },
    /// It does not need it any longer; a call of it that gives may still be on its way.
    Leaves,
}

/// Notes a call that takes entitlements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "it is stored: each field is there to be read")]
pub struct Taking {
    /// Tells it from others.
    pub number: u64,
    /// What it takes.
    pub entitlements: BTreeSet<RemoteEntitlement>,
    /// Until when it may take effect, at one server or at all of them.
    pub answer_by: DateTime<Utc>,
}

impl Share {
    const fn until(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Needs { until } => Some(until),
            Self::Leaves => None,
        }
    }

    fn or_longer(self, other: Self) -> Self {
        if other.until() > self.until() { other } else { self }
    }
}

impl Edge {
    /// Tells whether a lease needs it; none does beyond its end.
    #[must_use]
    pub fn is_needed(&self, now: DateTime<Utc>) -> bool {
        self.leases.values().any(|share| matches!(share, Share::Needs { until } if now < *until))
    }

    /// Tells whether it is ours to take, and nobody needs it.
    #[must_use]
    pub fn is_surplus(&self, now: DateTime<Utc>) -> bool {
        !self.pre_existing && !self.is_needed(now)
    }

    /// Learns that a call is about to give it: the target may take it as late as it is told, and never, where it takes nothing
    /// by itself.
    pub(super) fn is_asked_for(&mut self, by_itself: bool) {
        if !self.pre_existing {
            self.drops_at = self.drops_at.max(self.until());
            self.drops &= by_itself;
        }
    }

    /// Learns from the answer of a call when the target takes it by itself, if it does. Another call that began since may have
    /// changed that: it tells. That it stays counts from whichever call says so.
    pub(super) fn is_given_until(&mut self, end: Option<DateTime<Utc>>, is_last_call: bool) {
        if !self.pre_existing {
            self.drops_at = self.drops_at.max(end);
            self.drops = end.is_some() && (self.drops || is_last_call);
        }
    }

    /// Learns that somebody else gave it.
    pub(super) fn is_theirs(&mut self) {
        let Self { entitlement, leases, .. } = std::mem::take(self);
        *self = Self { entitlement, pre_existing: true, leases, ..Self::default() };
    }

    /// Counts two as one that turned out to be the same: ours to take where any of them is, and needed by whoever needs one.
    pub(super) fn merged(self, other: Self) -> Self {
        let (mut one, mut other) =
            if self.entitlement.native.is_some() { (self, other) } else { (other, self) };
        if one.pre_existing != other.pre_existing {
            // What the other calls theirs is what we gave.
            let theirs = if one.pre_existing { &mut one } else { &mut other };
            (theirs.asked, theirs.drops, theirs.drops_at) = (0, true, None);
        }
        for (lease, share) in other.leases {
            let longer = one.leases.get(&lease).map_or(share, |known| share.or_longer(*known));
            one.leases.insert(lease, longer);
        }
        Self {
            pre_existing: one.pre_existing && other.pre_existing,
            asked: one.asked.saturating_add(other.asked),
            drops: one.drops && other.drops,
            drops_at: one.drops_at.max(other.drops_at),
            entitlement: one.entitlement,
            leases: one.leases,
        }
    }

    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.leases.values().filter_map(|share| share.until()).max()
    }
}

/// Reads what is lent. Earlier builds kept it by name, and not what the name stood for.
pub(super) fn read_all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Edge>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        ById(Vec<Edge>),
        ByName(BTreeMap<String, Edge>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::ById(edges) => edges,
        Written::ByName(edges) => {
            let named =
                |(name, edge): (String, Edge)| Edge { entitlement: RemoteEntitlement::named(name), ..edge };
            edges.into_iter().map(named).collect()
        }
    })
}
