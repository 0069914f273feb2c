//! Expressions in CEL (feature `cel`), bounded before they are parsed and before they run.
//!
//! The interpreter puts no bound on stack, time or memory. Therefore a text is scanned before the parser sees it, parser
//! and interpreter run on a thread with a stack that suits the bounds, and before each run an upper bound of its work is
//! computed from the real sizes of the claims: what could exceed the budget does not start.

#[cfg(not(feature = "cel"))]
mod absent;
#[cfg(feature = "cel")]
mod cost;
#[cfg(feature = "cel")]
mod grammar;
#[cfg(feature = "cel")]
mod run;
#[cfg(feature = "cel")]
mod scan;
#[cfg(test)]
#[cfg(feature = "cel")]
mod tests;

#[cfg(not(feature = "cel"))]
pub(crate) use absent::Expression;
#[cfg(feature = "cel")]
pub(crate) use run::Expression;
