//! Which groups an account is to join and to leave, by what it shows, or else by what was confirmed last. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jit_core::Mirrored;

/// What is to change, and what is known of the rest. What others gave is in none of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Memberships {
    /// To join, by name.
    pub(super) joins: BTreeSet<String>,
    pub(super) leaves: Vec<Leave>,
    /// What it holds already and is to keep, with the id of the group where that is known.
    pub(super) kept: BTreeMap<String, Option<String>>,
}

/// A group to leave, which was given under a name. The name may be that of another group by now: the id never is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leave {
    pub(super) name: String,
    pub(super) id: Option<String>,
    /// Whether whatever bears the name now is to be left as well.
    pub(super) by_name: bool,
}

/// Groups that an account shows: the id, and the name.
type Shown = [(String, String)];

impl Memberships {
    /// `shown`: every group that the account is in, where the target shows that with names.
    pub(super) fn of(wanted: &Mirrored, shown: Option<&Shown>) -> Self {
        let is_known = wanted.confirmed.is_some();
        let has = |name: &str| match shown {
            Some(shown) => shown.iter().any(|(_, own)| own == name),
            None => is_known && wanted.held.contains(name),
        };
        let id_of = |name: &String| {
            let shown = shown.and_then(|shown| shown.iter().find(|(_, own)| own == name));
            shown.map(|(id, _)| id).or_else(|| wanted.ids.get(name)).cloned()
        };
        let (kept, joins): (BTreeSet<_>, _) = wanted.entitlements.iter().cloned().partition(|name| has(name));
        let kept = kept.into_iter().map(|name| (name.clone(), id_of(&name))).collect();
        let given = wanted.held.union(&wanted.doubtful).filter(|name| !wanted.entitlements.contains(*name));
        let leaves = given.filter_map(|name| leave(name, wanted, shown)).collect();
        Self { joins, leaves, kept }
    }

    /// The ids of the groups that it is to stay in.
    pub(super) fn stays(&self) -> BTreeSet<String> {
        self.kept.values().flatten().cloned().collect()
    }
}

fn leave(name: &str, wanted: &Mirrored, shown: Option<&Shown>) -> Option<Leave> {
    let recorded = wanted.ids.get(name);
    // what was joined by a call without an answer was found by this name
    let is_doubtful = wanted.doubtful.contains(name);
    let leave = |id: Option<&String>, by_name| Leave { name: name.to_owned(), id: id.cloned(), by_name };
    let Some(shown) = shown else { return Some(leave(recorded, recorded.is_none() || is_doubtful)) };
    let recorded = recorded.filter(|id| shown.iter().any(|(own, _)| own == *id));
    let named: Vec<_> =
        shown.iter().filter(|(id, own)| own == name && Some(id) != recorded).map(|(id, _)| id).collect();
    match (recorded, named.as_slice()) {
        (None, []) => None,
        (None, [only]) => Some(leave(Some(*only), false)),
        (recorded, named) => Some(leave(recorded, !named.is_empty() && (recorded.is_none() || is_doubtful))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn wanted(entitlements: &[&str], held: &[&str], ids: &[(&str, &str)]) -> Mirrored {
        Mirrored {
            active: true,
            user_name: "anna".to_owned(),
            display_name: None,
            email: None,
            attributes: BTreeMap::new(),
            entitlements: names(entitlements),
            held: names(held),
            doubtful: BTreeSet::new(),
            ids: ids.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect(),
            confirmed: Some("so".to_owned()),
        }
    }

    fn leaves(wanted: &Mirrored, shown: Option<&[(&str, &str)]>) -> Vec<(Option<String>, bool)> {
        let shown: Option<Vec<_>> = shown.map(|shown| {
            shown.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect::<Vec<_>>()
        });
        let leaves = Memberships::of(wanted, shown.as_deref()).leaves;
        leaves.into_iter().map(|leave| (leave.id, leave.by_name)).collect()
    }

    #[test]
    fn a_group_is_left_by_its_id_and_by_its_name_only_where_that_is_all_there_is_or_in_doubt() {
        let known = wanted(&[], &["Crew"], &[("Crew", "g-1")]);
        let by_id = (Some("g-1".to_owned()), false);
        assert_eq!(leaves(&known, None), std::slice::from_ref(&by_id));
        let renamed = [("g-1", "Old crew"), ("g-2", "Crew")];
        assert_eq!(leaves(&known, Some(&renamed)), [by_id], "the other one was given by others");
        assert_eq!(leaves(&known, Some(&[("g-2", "Crew")])), [(Some("g-2".to_owned()), false)]);
        assert_eq!(leaves(&known, Some(&[])), []);

        let doubtful = Mirrored { doubtful: names(&["Crew"]), ..known };
        assert_eq!(leaves(&doubtful, None), [(Some("g-1".to_owned()), true)]);
        assert_eq!(leaves(&doubtful, Some(&renamed)), [(Some("g-1".to_owned()), true)]);

        let named = wanted(&[], &["Crew"], &[]);
        assert_eq!(leaves(&named, None), [(None, true)], "as a ledger of before has it");
        assert_eq!(leaves(&named, Some(&renamed)), [(Some("g-2".to_owned()), false)]);
        assert_eq!(
            leaves(&named, Some(&[("g-2", "Crew"), ("g-3", "Crew")])),
            [(None, true)],
            "nobody knows which"
        );
    }
}
