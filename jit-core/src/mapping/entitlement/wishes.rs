//! Collects wishes, each entitlement once.

use std::sync::Arc;

use super::{MapError, pattern::Room};
use crate::{Entitlement, EntitlementWish, RuleName, text::spread};

/// The most roles and groups that a mapping wishes for at once.
const WISHES: usize = 1_000;
/// How many wishes there is room for from the beginning.
const ROOM: usize = 14;
/// The number of words that mark what was wished for.
const WORDS: usize = 16;

/// Collects the wishes of all readers, with room to write names in.
#[derive(Debug)]
pub(super) struct Wishes {
    list: Vec<EntitlementWish>,
    /// One bit for each wish: most new ones are told from the others without a search.
    marks: [u64; WORDS],
    pub(super) room: Room,
}

impl Wishes {
    /// Begins with what is wished for whatever the claims say.
    pub(super) fn new(always: &[EntitlementWish], room: Room) -> Self {
        let mut wishes =
            Self { list: Vec::with_capacity(always.len().saturating_add(ROOM)), marks: [0; WORDS], room };
        for wish in always {
            wishes.is_marked(&wish.entitlement);
            wishes.list.push(wish.clone());
        }
        wishes
    }

    /// Adds a wish, unless it is there already.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "handing a name over costs as much as keeping it")]
    pub(super) fn add(
        &mut self,
        entitlement: Entitlement,
        rule: &RuleName,
        claim: &Arc<str>,
    ) -> Result<(), MapError> {
        if self.is_marked(&entitlement) && self.has(&entitlement) {
            return Ok(());
        }
        if self.list.len() >= WISHES {
            return Err(too_many(rule));
        }
        let claim = Some(Arc::clone(claim));
        self.list.push(EntitlementWish { entitlement, rule: rule.clone(), claim });
        Ok(())
    }

    #[inline(never)]
    fn has(&self, entitlement: &Entitlement) -> bool {
        self.list.iter().any(|wish| wish.entitlement == *entitlement)
    }

    pub(super) fn into_list(self) -> Vec<EntitlementWish> {
        self.list
    }

    /// Marks an entitlement; tells whether it, or another one with its mark, was marked before.
    #[inline]
    fn is_marked(&mut self, entitlement: &Entitlement) -> bool {
        let place = spread(entitlement.as_str());
        let bit = 1_u64 << (place & 63);
        match self.marks.get_mut((place >> 6) % WORDS) {
            Some(word) => std::mem::replace(word, *word | bit) & bit != 0,
            None => true,
        }
    }
}

#[cold]
fn too_many(rule: &RuleName) -> MapError {
    MapError::Limit { rule: rule.clone(), what: "the number of roles and groups" }
}
