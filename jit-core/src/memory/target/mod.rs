//! A target in memory: the default for tests, and the model of what a target does.

mod account;
mod by_hand;
mod entitlements;
mod lent;
mod mirrored;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::TimeDelta;

use crate::{
    BackendError, Capabilities, Desired, DesiredState, Drift, Effect, ErrorKind, Holdings, ListCursor,
    Listed, Listing, Mirrored, Observed, RemoteEntitlement, RemoteRef, Target, TargetFault, UnattendedEnd,
};

pub use account::RemoteAccount;

use entitlements::{Remade, Table};

/// Keeps remote accounts in memory.
#[derive(Default)]
pub struct MemoryTarget {
    state: Arc<Mutex<State>>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct State {
    made: u64,
    ends_nothing: bool,
    home: Option<String>,
    accounts: BTreeMap<String, RemoteAccount>,
    remade: Remade,
}

impl MemoryTarget {
    /// Begins an empty target.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which system it is: what was made in another one is not looked for here.
    pub fn call_home(&self, name: &str) {
        self.state().home = Some(name.to_owned());
    }

    /// Another target on the same accounts, as another process has it: with settings of its own.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { state: Arc::clone(&self.state), table: Mutex::new(self.table().clone()) }
    }

    /// Lets a name stand for something else from now on, or for nothing, as other settings would.
    pub fn point(&self, name: &str, at: Option<&str>) {
        self.table().point(name, at);
    }

    /// Lets it end by itself what it is given from now on, as it does at first, or not; what is there stays as it is. Other
    /// settings do that to a directory.
    pub fn end_by_itself(&self, ends: bool) {
        self.state().ends_nothing = !ends;
    }

    /// Shows every account by its name.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<String, RemoteAccount> {
        self.state().accounts.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Passes where an account is to be looked for here: what another system does not show of it is here nobody's.
    fn check_home(&self, remote: &RemoteRef) -> Result<(), BackendError> {
        let is_here = |home: &String| self.home.as_ref() == Some(home);
        if remote.home.as_ref().is_none_or(is_here) || self.knows(remote) {
            return Ok(());
        }
        Err(BackendError::new(ErrorKind::Target(TargetFault::Elsewhere), "memory.look"))
    }

    /// Whether what it was made as is here all the same.
    fn knows(&self, remote: &RemoteRef) -> bool {
        let native = remote.native.as_ref();
        let is_same = |account: &RemoteAccount| {
            Some(&account.native) == native && account.marker.as_ref() == Some(&remote.marker)
        };
        self.accounts.values().any(is_same)
    }

    /// By the native id where one is known, else by the name: an account whatever marks it.
    fn whoever(&mut self, remote: &RemoteRef) -> Option<&mut RemoteAccount> {
        match &remote.native {
            Some(native) => self.accounts.values_mut().find(|account| account.native == *native),
            None => self.accounts.get_mut(&remote.name),
        }
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

    async fn home(&self, _: &RemoteRef) -> Result<Option<String>, BackendError> {
        Ok(self.state().home.clone())
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let (mut state, table) = (self.state(), self.table());
        state.check_home(&desired.remote)?;
        Ok(match &desired.state {
            DesiredState::Present { entitlements, secret, ends_at } => {
                let entitlements =
                    entitlements.iter().map(|name| table.stands_for(name)).collect::<Result<_, _>>()?;
                state.present(&desired.remote, entitlements, secret.as_ref(), *ends_at)
            }
            DesiredState::Disabled => state.disabled(&desired.remote),
            DesiredState::Absent { .. } => state.absent(&desired.remote),
            DesiredState::Holding { give, take } => state.holding(&table, &desired.remote, give, take)?,
            DesiredState::Mirrored(wanted) => state.mirrored(&desired.remote, wanted),
        })
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        let state = self.state();
        state.check_home(remote)?;
        Ok(match state.find(remote) {
            Found::Nothing => Observed::Missing,
            Found::NotOurs | Found::Stranger => Observed::Foreign,
            Found::Ours(name) => state.accounts.get(&name).map_or(Observed::Missing, |account| {
                Observed::Ours { native: account.native.clone(), enabled: account.enabled }
            }),
        })
    }

    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        let (mut state, table) = (self.state(), self.table());
        state.check_home(remote)?;
        let remade = state.remade.clone();
        Ok(match state.whoever(remote) {
            None => Holdings::Missing,
            Some(account) if account.marker.is_some() && remote.native.is_none() => Holdings::Made,
            Some(account) => {
                let (mut held, mut lacks) = (BTreeSet::new(), BTreeSet::new());
                for asked in asked {
                    let group = table.seek(asked, &remade)?;
                    let is_held = group.as_ref().is_some_and(|group| account.has(group));
                    let known = Table::known(asked, group.as_deref(), &remade);
                    if is_held {
                        held.insert(known)
                    } else {
                        lacks.insert(known)
                    };
                }
                Holdings::Found { native: account.native.clone(), held, lacks }
            }
        })
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        let state = self.state();
        let Found::Ours(name) = state.find(remote) else { return Ok(None) };
        let table = self.table();
        Ok(state.accounts.get(&name).and_then(|account| account.shown(&name, state.ends_nothing, &table)))
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        Ok(self.state().drift(remote, wanted))
    }

    async fn list(&self, _: Option<ListCursor>) -> Result<Listing, BackendError> {
        let (state, table) = (self.state(), self.table());
        let shown =
            |(name, account): (&String, &RemoteAccount)| account.shown(name, state.ends_nothing, &table);
        let ours = state.accounts.iter().filter_map(shown);
        Ok(Listing::Complete(ours.collect()))
    }
}
