//! Expressions in CEL (feature `cel`), bounded before they are parsed and before they run.

mod absent;

pub(crate) use absent::Expression;
