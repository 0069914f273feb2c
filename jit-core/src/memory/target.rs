//! A target in memory: the default for tests, and the model of what a target does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    BackendError, Capabilities, Desired, DesiredState, Differences, Drift, Effect, Holdings, ListCursor,
    Listed, Listing, Marker, Mirrored, Observed, RemoteRef, Secret, ShownEnd, Target, UnattendedEnd,
};

/// Keeps remote accounts in memory.
#[derive(Default)]
pub struct MemoryTarget {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: u64,
    ends_nothing: bool,
    accounts: BTreeMap<String, RemoteAccount>,
}

/// Shows one account of a [`MemoryTarget`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteAccount {
    /// The id that never changes.
    pub native: String,
    /// What marks it; `None` for one that is not ours.
    pub marker: Option<Marker>,
    /// What it holds.
    pub entitlements: Vec<String>,
    /// From when on it no longer holds one of them, where it was given for a time.
    pub drops_at: BTreeMap<String, DateTime<Utc>>,
    /// Whether it can be used.
    pub enabled: bool,
    /// From when on it cannot.
    pub ends_at: Option<DateTime<Utc>>,
    /// What is mirrored of an account from here.
    pub mirrored: Option<Mirrored>,
    secret: Option<Secret>,
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

    fn has(&self, entitlement: &str) -> bool {
        self.entitlements.iter().any(|held| held == entitlement)
    }

    /// How it is shown, where it is ours. Whoever ends nothing tells of no end that was never set.
    fn shown(&self, name: &str, ends_nothing: bool) -> Option<Listed> {
        let endless = if ends_nothing { ShownEnd::Untold } else { ShownEnd::Never };
        let (marker, native) = (self.marker.clone()?, Some(self.native.clone()));
        Some(Listed {
            remote: RemoteRef { name: name.to_owned(), place: None, marker, native },
            enabled: Some(self.enabled),
            end: self.ends_at.map_or(endless, ShownEnd::At),
            entitlements: Some(self.entitlements.iter().cloned().collect()),
        })
    }

    fn new(native: String, marker: Option<Marker>) -> Self {
        Self {
            native,
            marker,
            entitlements: Vec::new(),
            drops_at: BTreeMap::new(),
            enabled: true,
            ends_at: None,
            mirrored: None,
            secret: None,
        }
    }
}

impl MemoryTarget {
    /// Begins an empty target.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets it end by itself what it is given from now on, as it does at first, or not; what is there stays as it is. Other
    /// settings do that to a directory.
    pub fn end_by_itself(&self, ends: bool) {
        self.state().ends_nothing = !ends;
    }

    /// Puts an account there that is not ours, in the place of one with its name.
    pub fn plant(&self, name: &str) {
        let mut state = self.state();
        let native = state.next_id();
        state.accounts.insert(name.to_owned(), RemoteAccount::new(native, None));
    }

    /// Gives an account an entitlement for good, as an administrator of the target might.
    pub fn join(&self, name: &str, entitlement: &str) {
        if let Some(account) = self.state().accounts.get_mut(name) {
            account.drops_at.remove(entitlement);
            if !account.has(entitlement) {
                account.entitlements.push(entitlement.to_owned());
            }
        }
    }

    /// Takes an entitlement from an account, as an administrator of the target might.
    pub fn leave(&self, name: &str, entitlement: &str) {
        if let Some(account) = self.state().accounts.get_mut(name) {
            account.drops_at.remove(entitlement);
            account.entitlements.retain(|held| held != entitlement);
        }
    }

    /// Renames an account, as an administrator of the target might.
    pub fn rename(&self, from: &str, to: &str) {
        let mut state = self.state();
        if let Some(account) = state.accounts.remove(from) {
            state.accounts.insert(to.to_owned(), account);
        }
    }

    /// Takes an account out, as an administrator of the target might.
    pub fn take_out(&self, name: &str) -> Option<RemoteAccount> {
        self.state().accounts.remove(name)
    }

    /// Puts an account back that was taken out, as a restored backup might.
    pub fn put_back(&self, name: &str, account: RemoteAccount) {
        self.state().accounts.insert(name.to_owned(), account);
    }

    /// Puts an account out of use, as an administrator of the target might.
    pub fn shut(&self, name: &str) {
        if let Some(account) = self.state().accounts.get_mut(name) {
            account.enabled = false;
        }
    }

    /// Moves the end of an account, or takes it away, as an administrator of the target might.
    pub fn move_end(&self, name: &str, ends_at: Option<DateTime<Utc>>) {
        if let Some(account) = self.state().accounts.get_mut(name) {
            account.ends_at = ends_at;
        }
    }

    /// Changes the marker of an account, as an administrator of the target might.
    pub fn mark(&self, name: &str, marker: Option<Marker>) {
        if let Some(account) = self.state().accounts.get_mut(name) {
            account.marker = marker;
        }
    }

    /// Brings an account back into use, as an administrator of the target might.
    pub fn open(&self, name: &str) {
        if let Some(account) = self.state().accounts.get_mut(name) {
            account.enabled = true;
        }
    }

    /// Gives an attribute of an account other values, as an administrator of the target might.
    pub fn write(&self, name: &str, attribute: &str, values: &[&str]) {
        let mut state = self.state();
        let account = state.accounts.get_mut(name).and_then(|account| account.mirrored.as_mut());
        if let Some(mirrored) = account {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            mirrored.attributes.insert(attribute.to_owned(), values);
        }
    }

    /// Shows every account by its name.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<String, RemoteAccount> {
        self.state().accounts.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTarget").field("accounts", &self.state().accounts.len()).finish()
    }
}

/// Says what was found under a reference.
enum Found {
    Nothing,
    Ours(String),
    NotOurs,
    Stranger,
}

impl State {
    fn next_id(&mut self) -> String {
        self.made += 1;
        format!("id-{}", self.made)
    }

    fn end(&self) -> UnattendedEnd {
        if self.ends_nothing { UnattendedEnd::LibraryOnly } else { UnattendedEnd::ServerRefusesLogin }
    }

    fn elevation(&self) -> UnattendedEnd {
        if self.ends_nothing { UnattendedEnd::LibraryOnly } else { UnattendedEnd::ServerDropsMembership }
    }

    /// By the native id, which a rename does not change; by the name, where no id is known.
    fn find(&self, remote: &RemoteRef) -> Found {
        let is_ours = |account: &RemoteAccount| account.marker.as_ref() == Some(&remote.marker);
        match &remote.native {
            Some(native) => match self.accounts.iter().find(|(_, account)| account.native == *native) {
                None => Found::Nothing,
                Some((name, account)) if is_ours(account) => Found::Ours(name.clone()),
                Some(_) => Found::NotOurs,
            },
            None => match self.accounts.get(&remote.name) {
                None => Found::Nothing,
                Some(account) if is_ours(account) => Found::Ours(remote.name.clone()),
                Some(_) => Found::Stranger,
            },
        }
    }

    fn present(
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

    fn disabled(&mut self, remote: &RemoteRef) -> Effect {
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

    fn absent(&mut self, remote: &RemoteRef) -> Effect {
        match self.find(remote) {
            Found::Nothing | Found::Stranger => Effect::Absent { was_there: false },
            Found::NotOurs => Effect::NotOurs,
            Found::Ours(name) => Effect::Absent { was_there: self.accounts.remove(&name).is_some() },
        }
    }

    /// By the native id where one is known, else by the name: an account whatever marks it.
    fn whoever(&mut self, remote: &RemoteRef) -> Option<&mut RemoteAccount> {
        match &remote.native {
            Some(native) => self.accounts.values_mut().find(|account| account.native == *native),
            None => self.accounts.get_mut(&remote.name),
        }
    }

    fn holding(
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

impl State {
    /// Adopts nobody: whoever bears the name without our marker is a stranger.
    fn mirrored(&mut self, remote: &RemoteRef, wanted: &Mirrored) -> Effect {
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

    fn drift(&self, remote: &RemoteRef, wanted: &Mirrored) -> Drift {
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

#[async_trait]
impl Target for MemoryTarget {
    fn capabilities(&self) -> Capabilities {
        let state = self.state();
        Capabilities {
            end: state.end(),
            elevation: Some(state.elevation()),
            settles_after: TimeDelta::zero(),
            sessions_survive: false,
            mirrors: true,
        }
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let mut state = self.state();
        Ok(match &desired.state {
            DesiredState::Present { entitlements, secret, ends_at } => {
                state.present(&desired.remote, entitlements, secret.as_ref(), *ends_at)
            }
            DesiredState::Disabled => state.disabled(&desired.remote),
            DesiredState::Absent => state.absent(&desired.remote),
            DesiredState::Holding { give, take } => state.holding(&desired.remote, give, take),
            DesiredState::Mirrored(wanted) => state.mirrored(&desired.remote, wanted),
        })
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        let state = self.state();
        Ok(match state.find(remote) {
            Found::Nothing => Observed::Missing,
            Found::NotOurs | Found::Stranger => Observed::Foreign,
            Found::Ours(name) => state.accounts.get(&name).map_or(Observed::Missing, |account| {
                Observed::Ours { native: account.native.clone(), enabled: account.enabled }
            }),
        })
    }

    async fn holdings(&self, remote: &RemoteRef, asked: &BTreeSet<String>) -> Result<Holdings, BackendError> {
        let mut state = self.state();
        Ok(match state.whoever(remote) {
            None => Holdings::Missing,
            Some(account) if account.marker.is_some() && remote.native.is_none() => Holdings::Made,
            Some(account) => {
                let held = asked.iter().filter(|asked| account.has(asked)).cloned().collect();
                Holdings::Found { native: account.native.clone(), held }
            }
        })
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        let state = self.state();
        let Found::Ours(name) = state.find(remote) else { return Ok(None) };
        Ok(state.accounts.get(&name).and_then(|account| account.shown(&name, state.ends_nothing)))
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        Ok(self.state().drift(remote, wanted))
    }

    async fn list(&self, _: Option<ListCursor>) -> Result<Listing, BackendError> {
        let state = self.state();
        let ours =
            state.accounts.iter().filter_map(|(name, account)| account.shown(name, state.ends_nothing));
        Ok(Listing::Complete(ours.collect()))
    }
}
