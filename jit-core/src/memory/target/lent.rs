//! What is lent: accounts that are made, and what existing ones hold for a time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Found, RemoteAccount, State, entitlements::Table};
use crate::{BackendError, Effect, RemoteEntitlement, RemoteRef, Secret};

impl State {
    pub(super) fn present(
        &mut self,
        remote: &RemoteRef,
        entitlements: Vec<String>,
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
        let new = || {
            let place = remote.place.clone();
            RemoteAccount { place, ..RemoteAccount::new(id, Some(remote.marker.clone())) }
        };
        let account = self.accounts.entry(name).or_insert_with(new);
        account.entitlements = entitlements;
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
            Found::Nothing => Effect::Absent { was_there: false },
            Found::Stranger => Effect::Stranger,
            Found::NotOurs => Effect::NotOurs,
            Found::Ours(name) => Effect::Absent { was_there: self.accounts.remove(&name).is_some() },
        }
    }

    pub(super) fn holding(
        &mut self,
        table: &Table,
        remote: &RemoteRef,
        give: &BTreeMap<RemoteEntitlement, DateTime<Utc>>,
        take: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Effect, BackendError> {
        let ends_nothing = self.ends_nothing;
        let remade = self.remade.clone();
        let account = match self.whoever(remote).filter(|_| remote.native.is_some()) {
            None => return Ok(Effect::Absent { was_there: false }),
            // A mark that somebody wrote there since keeps nothing.
            Some(account) if account.marker.is_some() && !give.is_empty() => return Ok(Effect::NotOurs),
            Some(account) => account,
        };
        let to_give = give.keys().map(|entitlement| Ok((entitlement, table.to_give(entitlement, &remade)?)));
        let to_give = to_give.collect::<Result<Vec<_>, BackendError>>()?;
        let to_take = take.iter().map(|entitlement| Ok((entitlement, table.seek(entitlement, &remade)?)));
        let to_take = to_take.collect::<Result<Vec<_>, BackendError>>()?;
        let (mut given, mut taken, mut ends) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for (entitlement, group) in to_take {
            let is_given = |group: &String| to_give.iter().any(|(_, given)| given == group);
            let Some(group) = group.filter(|group| !is_given(group)) else { continue };
            if account.lose(&group) {
                taken.insert(entitlement.clone());
            }
        }
        for (entitlement, group) in to_give {
            let end = give.get(entitlement).copied().filter(|_| !ends_nothing);
            if account.gain(&group, end) {
                given.insert(entitlement.clone());
            }
            let drops_at = account.drops_at.get(&group).filter(|_| !ends_nothing);
            ends.extend(drops_at.map(|end| (entitlement.clone(), *end)));
        }
        let repointed = take.iter().filter(|entitlement| table.is_repointed(entitlement, &remade));
        Ok(Effect::Holding { given, taken, ends, repointed: repointed.cloned().collect() })
    }
}
