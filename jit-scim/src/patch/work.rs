//! Bounds the work of a PATCH: many operations over many values are refused, before they take long.

use super::read::listed;
use super::{Act, Verb};
use crate::effort::{Effort, weight};
use crate::error::ScimError;
use crate::filter::Filter;
use crate::reason::Reason;
use crate::resource::elements::identity;
use crate::resource::{Object, Value};
use crate::schema::{Attribute, ResourceType};

/// How many looks the operations of one PATCH may take, each comparison of a filter counting once for each value.
const LOOKS: usize = 500_000;

/// What is left of the work.
pub(super) struct Work(Effort);

impl Work {
    pub(super) const fn new() -> Self {
        Self(Effort::new(LOOKS))
    }

    /// Takes what the next step will need.
    pub(super) fn take(&mut self, kind: &ResourceType, act: &Act, root: &Object) -> Result<(), ScimError> {
        let Act::Change(verb, path, value) = act else { return Ok(()) };
        let Some((last, outer)) = path.attribute().steps().split_last() else { return Ok(()) };
        let mut object = Some(root);
        for step in outer {
            object = object.and_then(|object| object.get(*step)?.as_complex());
        }
        let there = object.and_then(|object| object.get(*last));
        let mut looks = there.map_or(0, weight).saturating_mul(path.filter().map_or(1, Filter::cost));
        if let (Verb::Add, Some(attribute)) = (*verb, kind.attribute(path.attribute())) {
            looks = looks.saturating_add(comparisons(attribute, there, listed(value.as_ref())));
        }
        self.0.take(looks).map_err(|_| Reason::PatchTooMuchWork.into())
    }
}

/// Counts the values that are compared one with another: those that nothing tells from others but the whole of them.
fn comparisons(attribute: &Attribute, there: Option<&Value>, new: &[Value]) -> usize {
    let there = there.map_or(0, |value| value.each().len());
    let alone = new.iter().filter(|value| identity(attribute, value).is_none()).count();
    alone.saturating_mul(there.saturating_add(alone))
}
