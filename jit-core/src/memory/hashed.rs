//! An index that keeps hashes in the place of keys. Whoever asks it looks whether what it leads to has the key.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    marker::PhantomData,
};

use super::by_hash::{ByHash, Led};
use crate::AccountId;

/// Leads from keys to the accounts that have them, and perhaps to others whose keys have the same hash.
pub(super) struct Hashed<K: ?Sized> {
    ids: ByHash<AccountId>,
    hashes: RandomState,
    keys: PhantomData<fn(&K)>,
}

impl Led for AccountId {
    type Short = Self;

    fn short(self) -> Option<Self> {
        Some(self)
    }
}

impl<K: ?Sized> Default for Hashed<K> {
    fn default() -> Self {
        Self { ids: ByHash::default(), hashes: RandomState::new(), keys: PhantomData }
    }
}

impl<K: Hash + ?Sized> Hashed<K> {
    /// The accounts that may have a key, in the order of their ids.
    pub(super) fn ids(&self, key: &K, after: Option<AccountId>) -> impl Iterator<Item = AccountId> {
        self.ids.ids(self.hashes.hash_one(key), after, Some)
    }

    /// Takes keys of an account away and adds others.
    pub(super) fn replace<'a>(
        &mut self,
        id: AccountId,
        removed: impl IntoIterator<Item = &'a K>,
        added: impl IntoIterator<Item = &'a K>,
    ) where
        K: 'a,
    {
        for key in removed {
            self.ids.remove(self.hashes.hash_one(key), id);
        }
        for key in added {
            self.ids.insert(self.hashes.hash_one(key), id, Some);
        }
    }
}
