//! What a call would do: a dry run.

use std::collections::BTreeSet;

/// Tells what [`ScimTarget::ensure`](jit_core::Target::ensure) would do now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planned {
    /// What becomes of the account.
    pub step: PlannedStep,
    /// The paths that would be written; empty where it is made or removed.
    pub writes: BTreeSet<String>,
    /// The groups that it would join, by name.
    pub joins: BTreeSet<String>,
    /// The groups that it would leave, by name or, where the target shows no name, by id.
    pub leaves: BTreeSet<String>,
}

/// What would become of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads a dry run treats each")]
pub enum PlannedStep {
    /// Nothing: it is as it should be.
    Nothing,
    /// It is made.
    Make,
    /// It is there without our marker, is adopted and changed.
    Adopt,
    /// It is changed.
    Change,
    /// It is put out of use.
    Disable,
    /// It is removed, or what removing means there.
    Remove,
    /// The name is somebody else's: nothing is done.
    Stranger,
    /// The account with the known id bears another marker: nothing is done.
    NotOurs,
    /// A known account is not there: nothing is done until a person says so.
    Lost,
}

impl Planned {
    pub(super) const fn step(step: PlannedStep) -> Self {
        Self { step, writes: BTreeSet::new(), joins: BTreeSet::new(), leaves: BTreeSet::new() }
    }
}
