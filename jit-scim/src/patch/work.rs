//! Bounds the work of a PATCH: many operations over many values are refused, before they take long.

use super::Act;
use crate::error::ScimError;
use crate::filter::Filter;
use crate::reason::Reason;
use crate::resource::Object;

/// How often the operations of one PATCH may look at a value, each comparison of a filter counting once.
const LOOKS: usize = 5_000_000;

/// What is left of the work.
pub(super) struct Work(usize);

impl Work {
    pub(super) const fn new() -> Self {
        Self(LOOKS)
    }

    /// Takes what the next step will need.
    pub(super) fn take(&mut self, act: &Act, root: &Object) -> Result<(), ScimError> {
        let Act::Change(_, path, _) = act else { return Ok(()) };
        let Some((last, outer)) = path.attribute().steps().split_last() else { return Ok(()) };
        let mut object = Some(root);
        for step in outer {
            object = object.and_then(|object| object.get(*step)?.as_complex());
        }
        let values = object.and_then(|object| object.get(*last)).map_or(0, |value| value.each().len());
        let looks = values.saturating_mul(path.filter().map_or(1, Filter::cost));
        self.0 = self.0.checked_sub(looks).ok_or(Reason::PatchTooMuchWork)?;
        Ok(())
    }
}
