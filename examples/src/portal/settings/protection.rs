//! What no connection may break.

use std::collections::{BTreeMap, BTreeSet};

use jit_core::config::{Check, Problems};
use jit_core::{Code, Entitlement, Protection};
use serde::Deserialize;

/// The most roles that bring others along.
const COMPOSITES: usize = 1000;

/// Says what no connection may break.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProtectionSettings {
    /// Given only where a ceiling names it exactly.
    #[serde(default)]
    pub(crate) protected: Vec<Entitlement>,
    /// Somebody of each tenant always holds it.
    #[serde(default)]
    pub(crate) never_without: Vec<Entitlement>,
    /// What roles bring along: a ceiling must allow all of it.
    #[serde(default)]
    pub(crate) includes: BTreeMap<Entitlement, Vec<Entitlement>>,
    /// The most accounts of a tenant.
    #[serde(default)]
    pub(crate) seats: Option<u32>,
}

impl ProtectionSettings {
    /// What the engine is told of it.
    pub(crate) fn protection(&self) -> Protection {
        let mut protection = Protection::new();
        for entitlement in &self.protected {
            protection = protection.protect(entitlement.clone());
        }
        for entitlement in &self.never_without {
            protection = protection.never_without(entitlement.clone());
        }
        for (composite, parts) in &self.includes {
            protection = protection.includes(composite.clone(), parts.clone());
        }
        match self.seats {
            Some(seats) => protection.seats(seats),
            None => protection,
        }
    }

    /// Tells whether an entitlement brings itself along.
    fn is_in_a_circle(&self, composite: &Entitlement) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![composite]);
        while let Some(next) = open.pop() {
            for part in self.includes.get(next).into_iter().flatten() {
                if part == composite {
                    return true;
                }
                if seen.insert(part) {
                    open.push(part);
                }
            }
        }
        false
    }
}

impl Check for ProtectionSettings {
    fn check(&self, found: &mut Problems) {
        if self.includes.len() > COMPOSITES {
            let message = format!("has more than {COMPOSITES} lines");
            return found.report_in("includes", Code::new("config.out_of_range"), message);
        }
        found.within("includes", |found| {
            for composite in self.includes.keys().filter(|composite| self.is_in_a_circle(composite)) {
                let message = "brings itself along, by what it brings along";
                found.report_in(composite.as_str(), Code::new("config.contradiction"), message);
            }
        });
    }
}
