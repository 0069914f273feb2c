//! Finding what is lent again, whatever it was called: what is the same is counted once.

use super::{Edge, Elevation};
use crate::RemoteEntitlement;

/// What a target tells of something that is lent without an id.
pub(crate) struct Identified {
    pub(crate) asked: RemoteEntitlement,
    pub(crate) told: RemoteEntitlement,
}

impl Elevation {
    /// What is lent of which nobody knows the id: as it was written by earlier builds, or where the id could not be read.
    pub(crate) fn without_ids(&self) -> impl Iterator<Item = &RemoteEntitlement> {
        self.edges.iter().map(|edge| &edge.entitlement).filter(|entitlement| entitlement.native.is_none())
    }

    /// Tells whether something is lent without an id beside something that has one.
    pub(crate) fn has_both_kinds(&self) -> bool {
        self.without_ids().next().is_some_and(|_| self.without_ids().count() < self.edges.len())
    }

    /// Learns ids of what is lent. Where the same is lent by its id already, both are one from now on.
    pub(crate) fn knowing(mut self, ids: &[Identified]) -> Self {
        for Identified { asked, told } in ids.iter().filter(|known| known.told.native.is_some()) {
            let is_told =
                |edge: &mut Edge| edge.entitlement == *asked || edge.entitlement.native == told.native;
            if let Some(edge) = self.edges.extract_if(.., is_told).reduce(Edge::merged) {
                self.insert(Edge { entitlement: told.clone(), ..edge });
            }
            for taking in self.takes.iter_mut().chain(&mut self.settling) {
                if taking.entitlements.remove(asked) {
                    taking.entitlements.insert(told.clone());
                }
            }
        }
        self
    }

    /// Changes what is lent of an entitlement, which is one from then on: by what it is, and else by its place or its name, where
    /// that was not known; then it is what is there now. It is called from now on as it was called last.
    pub(super) fn change_edge(
        &mut self,
        entitlement: &RemoteEntitlement,
        pre_existing: bool,
        change: impl FnOnce(&mut Edge),
    ) {
        let fresh = || Edge { entitlement: entitlement.clone(), pre_existing, ..Edge::default() };
        let mut edge = self.remove_same(entitlement).into_iter().reduce(Edge::merged).unwrap_or_else(fresh);
        let is_better = edge.entitlement.native.is_none() && entitlement.at.is_some();
        if entitlement.native.is_some() || is_better {
            edge.entitlement = entitlement.clone();
        }
        change(&mut edge);
        self.insert(edge);
    }

    /// Takes out all that is the same. What has no id itself is not two that have one: the first of them, where there is no
    /// other without one.
    pub(super) fn remove_same(&mut self, entitlement: &RemoteEntitlement) -> Vec<Edge> {
        let is_known = entitlement.native.is_some();
        let is_same = |edge: &mut Edge| {
            (is_known || edge.entitlement.native.is_none()) && edge.entitlement.is(entitlement)
        };
        let same: Vec<_> = self.edges.extract_if(.., is_same).collect();
        if !same.is_empty() {
            return same;
        }
        let first = self.edges.iter().position(|edge| edge.entitlement.is(entitlement));
        first.map(|index| self.edges.remove(index)).into_iter().collect()
    }

    pub(super) fn insert(&mut self, edge: Edge) {
        let place = self.edges.partition_point(|other| other.entitlement < edge.entitlement);
        self.edges.insert(place, edge);
    }
}
