//! Collects wishes, each entitlement once.

use std::sync::Arc;

use super::MapError;
use crate::{Entitlement, EntitlementWish, RuleName, text::spread};

/// The most roles and groups that a mapping wishes for at once.
const WISHES: usize = 1_000;
/// How many wishes there is room for from the beginning.
const ROOM: usize = 14;
/// The number of words that mark what was wished for.
const WORDS: usize = 16;

/// Collects the wishes of all readers.
#[derive(Debug)]
pub(super) struct Wishes {
    list: Vec<EntitlementWish>,
    /// One bit for each wish: most new ones are told from the others without a search.
    marks: [u64; WORDS],
}

impl Wishes {
    /// Begins with what is wished for whatever the claims say.
    pub(super) fn new(always: &[EntitlementWish]) -> Self {
        let list = Vec::with_capacity(always.len().saturating_add(ROOM));
        let mut wishes = Self { list, marks: [0; WORDS] };
        for wish in always {
            wishes.is_marked(wish.entitlement.as_str());
            wishes.list.push(wish.clone());
        }
        wishes
    }

    /// Adds a wish for what this text names, unless it is there already.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "handing a name over costs as much as keeping it")]
    pub(super) fn add(
        &mut self,
        text: &str,
        entitlement: impl FnOnce() -> Entitlement,
        rule: &RuleName,
        claim: &Arc<str>,
    ) -> Result<(), MapError> {
        if self.is_marked(text) && self.has(text) {
            return Ok(());
        }
        if self.list.len() >= WISHES {
            return Err(too_many(rule));
        }
        let (rule, claim) = (rule.clone(), Some(Arc::clone(claim)));
        self.list.push(EntitlementWish { entitlement: entitlement(), rule, claim });
        Ok(())
    }

    #[inline(never)]
    fn has(&self, text: &str) -> bool {
        self.list.iter().any(|wish| wish.entitlement.as_str() == text)
    }

    pub(super) fn into_list(self) -> Vec<EntitlementWish> {
        self.list
    }

    /// Marks a name; tells whether it, or another one with its mark, was marked before.
    #[inline]
    fn is_marked(&mut self, text: &str) -> bool {
        let place = spread(text);
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
