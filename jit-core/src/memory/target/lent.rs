//! What is lent: accounts that are made, and what existing ones hold for a time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Found, RemoteAccount, State};
use crate::{Effect, RemoteRef, Secret};

impl State {
    pub(super) fn present(
        &mut self,
        remote: &RemoteRef,
        entitlements: &[String],
        secret: Option<&Secret>,
        ends_at: DateTime<Utc>,
    ) -> Effect {
        let name = match (self.find(remote), secret) {
            (Found::Ours(name), _) => name,
            (Found::NotOurs, _) => return Effect::NotOurs,
            (Found::Stranger, _) => return Effect::Stranger,
            (Found::Nothing, None) => return Effect::Absent { was_there: false },
            // What had an id and is gone is made anew under its name.
            (Found::Nothing, Some(_)) if self.accounts.contains_key(&remote.name) => return Effect::Stranger,
            (Found::Nothing, Some(_)) => remote.name.clone(),
        };
        // Only a new secret opens what was put out of use.
        if secret.is_none() && self.accounts.get(&name).is_some_and(|account| !account.enabled) {
            return Effect::Disabled;
        }
        let id = self.next_id();
        let account =
            self.accounts.entry(name).or_insert_with(|| RemoteAccount::new(id, Some(remote.marker.clone())));
        account.entitlements = entitlements.to_vec();
        if !self.ends_nothing {
            account.ends_at = Some(ends_at);
        }
        if let Some(secret) = secret {
            account.secret = Some(secret.clone());
            account.enabled = true;
        }
        Effect::Present { native: account.native.clone(), end: self.end() }
    }

    pub(super) fn disabled(&mut self, remote: &RemoteRef) -> Effect {
        match self.find(remote) {
            Found::Nothing => Effect::Absent { was_there: false },
            Found::NotOurs => Effect::NotOurs,
            Found::Stranger => Effect::Stranger,
            Found::Ours(name) => {
                if let Some(account) = self.accounts.get_mut(&name) {
                    account.enabled = false;
                    account.entitlements.clear();
                }
                Effect::Disabled
            }
        }
    }

    pub(super) fn absent(&mut self, remote: &RemoteRef) -> Effect {
        match self.find(remote) {
            Found::Nothing | Found::Stranger => Effect::Absent { was_there: false },
            Found::NotOurs => Effect::NotOurs,
            Found::Ours(name) => Effect::Absent { was_there: self.accounts.remove(&name).is_some() },
        }
    }

    pub(super) fn holding(
        &mut self,
        remote: &RemoteRef,
        give: &BTreeMap<String, DateTime<Utc>>,
        take: &BTreeSet<String>,
    ) -> Effect {
        let ends_nothing = self.ends_nothing;
        let account = match self.whoever(remote).filter(|_| remote.native.is_some()) {
            None => return Effect::Absent { was_there: false },
            // A mark that somebody wrote there since keeps nothing.
            Some(account) if account.marker.is_some() && !give.is_empty() => return Effect::NotOurs,
            Some(account) => account,
        };
        let (mut given, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for (entitlement, ends_at) in give {
            if !account.has(entitlement) {
                account.entitlements.push(entitlement.clone());
                given.insert(entitlement.clone());
                account.drops_at.extend((!ends_nothing).then(|| (entitlement.clone(), *ends_at)));
            } else if let Some(drops_at) = account.drops_at.get_mut(entitlement).filter(|_| !ends_nothing) {
                *drops_at = (*drops_at).max(*ends_at);
            }
        }
        for entitlement in take.iter().filter(|entitlement| !give.contains_key(*entitlement)) {
            if account.has(entitlement) {
                account.entitlements.retain(|held| held != entitlement);
                taken.insert(entitlement.clone());
            }
            account.drops_at.remove(entitlement);
        }
        let told =
            |name: &String| Some((name.clone(), *account.drops_at.get(name).filter(|_| !ends_nothing)?));
        let ends = give.keys().filter_map(told).collect();
        Effect::Holding { given, taken, ends }
    }
}
