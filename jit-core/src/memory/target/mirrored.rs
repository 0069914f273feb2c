//! What is mirrored: accounts that are brought to what was planned here.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, RemoteAccount, State};
use crate::{Differences, Drift, Effect, Marker, Mirrored, RemoteRef};

impl State {
    /// Adopts nobody: whoever bears the name without our marker is a stranger.
    pub(super) fn mirrored(&mut self, remote: &RemoteRef, wanted: &Mirrored) -> Effect {
        let before = match self.find(remote) {
            Found::Nothing if !wanted.active && self.marked(&remote.marker).is_none() => {
                return Effect::Absent { was_there: false };
            }
            Found::Ours(name) => Some(name),
            Found::NotOurs => return Effect::NotOurs,
            Found::Stranger => return Effect::Stranger,
            Found::Nothing => self.marked(&remote.marker),
        };
        if before.as_ref() != Some(&wanted.user_name) && self.accounts.contains_key(&wanted.user_name) {
            return Effect::Stranger;
        }
        let id = self.next_id();
        let before = before.and_then(|name| self.accounts.remove(&name));
        let mut account = before.unwrap_or_else(|| RemoteAccount::new(id, Some(remote.marker.clone())));
        account.entitlements.retain(|held| !wanted.held.contains(held) && !wanted.doubtful.contains(held));
        let missing = wanted.entitlements.iter().filter(|wanted| !account.has(wanted)).cloned();
        account.entitlements.extend(missing.collect::<Vec<_>>());
        account.enabled = wanted.active;
        account.mirrored = Some(wanted.clone());
        let native = account.native.clone();
        self.accounts.insert(wanted.user_name.clone(), account);
        let (held, confirmed) = (wanted.entitlements.clone(), wanted.user_name.clone());
        Effect::Mirrored { native, held, ids: BTreeMap::new(), confirmed, adopted: false }
    }

    pub(super) fn drift(&self, remote: &RemoteRef, wanted: &Mirrored) -> Drift {
        let name = match self.find(remote) {
            Found::Ours(name) => name,
            Found::NotOurs | Found::Stranger => return Drift::Foreign,
            Found::Nothing => match self.marked(&remote.marker) {
                Some(name) => name,
                None if wanted.active => return Drift::Missing,
                None => return Drift::Nothing,
            },
        };
        let Some(account) = self.accounts.get(&name) else { return Drift::Missing };
        let given = wanted.held.union(&wanted.doubtful).filter(|held| !wanted.entitlements.contains(*held));
        let mut differences = Differences {
            writes: BTreeSet::new(),
            lacks: wanted.entitlements.iter().filter(|wanted| !account.has(wanted)).cloned().collect(),
            holds: given.filter(|held| account.has(held)).cloned().collect(),
            in_use: account.enabled && !wanted.active,
        };
        let mut compare = |name: &str, differs: bool| {
            if differs {
                differences.writes.insert(name.to_owned());
            }
        };
        compare("active", !account.enabled && wanted.active);
        compare("user_name", name != wanted.user_name);
        if let Some(there) = &account.mirrored {
            compare(
                "display_name",
                wanted.display_name.is_some() && there.display_name != wanted.display_name,
            );
            compare("email", wanted.email.is_some() && there.email != wanted.email);
            for (attribute, values) in &wanted.attributes {
                let kept = there.attributes.get(attribute).map(Vec::as_slice).unwrap_or_default();
                compare(attribute, kept != values.as_slice());
            }
        }
        if differences == Differences::default() { Drift::Nothing } else { Drift::Differs(differences) }
    }

    fn marked(&self, marker: &Marker) -> Option<String> {
        let mut accounts = self.accounts.iter();
        accounts.find(|(_, account)| account.marker.as_ref() == Some(marker)).map(|(name, _)| name.clone())
    }
}
