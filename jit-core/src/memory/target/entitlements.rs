//! What names stand for in a [`MemoryTarget`](super::MemoryTarget), and what was made anew under the same name.

use std::collections::BTreeMap;

use crate::{BackendError, ErrorKind, RemoteEntitlement, TargetFault};

/// What names stand for that were pointed elsewhere, or at nothing; any other stands for what is called so.
#[derive(Clone, Default)]
pub(super) struct Table(BTreeMap<String, Option<String>>);

/// How often each entitlement was made anew.
#[derive(Clone, Default)]
pub(super) struct Remade(BTreeMap<String, u32>);

impl Remade {
    pub(super) fn remake(&mut self, entitlement: &str) {
        *self.0.entry(entitlement.to_owned()).or_default() += 1;
    }

    fn id(&self, entitlement: &str) -> String {
        format!("{entitlement}#{}", self.0.get(entitlement).copied().unwrap_or_default())
    }

    /// Which one an id is that of, if that is still there.
    fn of_id<'a>(&self, native: &'a str) -> Option<&'a str> {
        let (entitlement, _) = native.rsplit_once('#')?;
        Some(entitlement).filter(|entitlement| self.id(entitlement) == native)
    }
}

impl Table {
    pub(super) fn point(&mut self, name: &str, at: Option<&str>) {
        self.0.insert(name.to_owned(), at.map(str::to_owned));
    }

    /// What a name stands for now.
    pub(super) fn stands_for(&self, name: &str) -> Result<String, BackendError> {
        let found = self.0.get(name).map_or_else(|| Some(name.to_owned()), Clone::clone);
        found.ok_or_else(unknown)
    }

    /// What is to be given, which the name must still stand for.
    pub(super) fn to_give(
        &self,
        wanted: &RemoteEntitlement,
        remade: &Remade,
    ) -> Result<String, BackendError> {
        let found = self.stands_for(&wanted.name)?;
        let is_same = wanted.native.as_ref().is_none_or(|native| *native == remade.id(&found));
        if is_same { Ok(found) } else { Err(unknown()) }
    }

    /// What was given, whatever the name stands for by now; `None` where that is gone.
    pub(super) fn seek(
        &self,
        wanted: &RemoteEntitlement,
        remade: &Remade,
    ) -> Result<Option<String>, BackendError> {
        match &wanted.native {
            Some(native) => Ok(remade.of_id(native).map(str::to_owned)),
            None => self.stands_for(&wanted.name).map(Some),
        }
    }

    pub(super) fn is_repointed(&self, wanted: &RemoteEntitlement, remade: &Remade) -> bool {
        let now = self.stands_for(&wanted.name).map(|now| remade.id(&now));
        wanted.native.as_ref().is_some_and(|native| now.is_ok_and(|now| now != *native))
    }

    /// What was asked for, with the id of what was found.
    pub(super) fn known(
        asked: &RemoteEntitlement,
        found: Option<&str>,
        remade: &Remade,
    ) -> RemoteEntitlement {
        let native = asked.native.clone().or_else(|| found.map(|found| remade.id(found)));
        RemoteEntitlement { native, at: found.map(str::to_owned), name: asked.name.clone() }
    }

    /// The name of what is held, where it has one.
    pub(super) fn name_of(&self, held: &str) -> Option<String> {
        let mut pointed = self.0.iter().filter(|(_, at)| at.as_deref() == Some(held));
        let own = || Some(held.to_owned()).filter(|held| !self.0.contains_key(held));
        pointed.next().map(|(name, _)| name.clone()).or_else(own)
    }
}

fn unknown() -> BackendError {
    BackendError::new(ErrorKind::Target(TargetFault::Entitlement), "memory.entitlement")
}
