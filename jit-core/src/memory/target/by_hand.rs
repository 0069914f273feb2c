//! What an administrator of the target might do behind our back.

use chrono::{DateTime, Utc};

use super::{MemoryTarget, RemoteAccount};
use crate::Marker;

impl MemoryTarget {
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
            account.lose(entitlement);
        }
    }

    /// Removes an entitlement, with all who hold it, and makes another one in its place, as an administrator of the target
    /// might.
    pub fn remake(&self, entitlement: &str) {
        let mut state = self.state();
        state.remade.remake(entitlement);
        for account in state.accounts.values_mut() {
            account.lose(entitlement);
        }
    }

    /// Renames an account, as an administrator of the target might.
    pub fn rename(&self, from: &str, to: &str) {
        let mut state = self.state();
        if let Some(account) = state.accounts.remove(from) {
            state.accounts.insert(to.to_owned(), account);
        }
    }

    /// Moves an account into another place, or one that has no name, as an administrator of the target might.
    pub fn relocate(&self, name: &str, place: Option<&str>) {
        if let Some(account) = self.state().accounts.get_mut(name) {
            account.place = place.map(str::to_owned);
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
}
