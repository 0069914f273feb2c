//! What the benchmarks share: a table of ratios, costs by the clock, by the processor and by instructions, a house to
//! sign in to, and the rows that a first sign-in leaves.
//!
//! `benches/run` runs all of them; `docs/benchmarks.md` says what each ratio means.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "programs for people who measure: whatever goes wrong ends the measurement"
)]

pub mod bare;
pub mod cost;
pub mod house;
pub mod instructions;
pub mod report;
pub mod rows;
pub mod scripted;
pub mod tasks;
