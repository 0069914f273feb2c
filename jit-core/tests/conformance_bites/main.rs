//! Every check is proved able to fail: for each there is a backend with one named fault that it catches.
#![cfg(feature = "conformance")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: what is wrong there must stop the test"
)]

mod documents;
mod faulty;
mod forgetting;
mod reading;
mod table;
mod timing;
mod writing;

use std::{collections::BTreeSet, sync::Arc};

use faulty::Faulty;
use jit_core::conformance::{Check, Failure, Nodes, all_checks, model, run};
use table::{FAULTS, Fault};

fn with_fault(fault: Fault) -> Nodes {
    let one = Arc::new(Faulty::new(fault));
    let two = if fault == Fault::NodesDoNotShare { Arc::new(Faulty::new(fault)) } else { one.clone() };
    Nodes::stores(one, two)
}

fn outcome(fault: Fault, check: &Check) -> Result<(), Failure> {
    run(async { with_fault(fault) }, check.run)
}

fn check(name: &str) -> Check {
    all_checks().find(|check| check.name == name).unwrap_or_else(|| panic!("there is no check `{name}`"))
}

#[test]
fn every_fault_is_caught_by_its_checks() {
    let missed: Vec<_> = FAULTS
        .iter()
        .flat_map(|(fault, checks)| checks.iter().map(move |name| (*fault, check(name))))
        .filter(|(fault, check)| outcome(*fault, check).is_ok())
        .map(|(fault, check)| format!("{fault:?} passes {}", check.name))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_check_catches_some_fault() {
    let proved: BTreeSet<&str> = FAULTS.iter().flat_map(|(_, checks)| *checks).copied().collect();
    let unproved: Vec<_> =
        all_checks().map(|check| check.name).filter(|name| !proved.contains(name)).collect();
    assert!(unproved.is_empty(), "{unproved:#?}");
}

#[test]
fn a_wrapper_without_a_fault_passes_every_check() {
    for check in all_checks() {
        if let Err(failure) = outcome(Fault::Nothing, &check) {
            panic!("{}: {failure}", check.name);
        }
    }
}

#[test]
fn no_two_checks_have_one_name() {
    let names: BTreeSet<&str> = all_checks().map(|check| check.name).collect();
    assert_eq!(names.len(), all_checks().count());
}

#[test]
fn random_calls_find_faults_as_well() {
    let found = |fault, sequences| model::compare(async move { with_fault(fault) }, sequences).is_err();
    assert!(!found(Fault::Nothing, 50));
    let missed: Vec<_> = [
        Fault::IgnoresVersions,
        Fault::SkipsTakenIdentity,
        Fault::KeepsOldLookups,
        Fault::EventsFirst,
        Fault::FoldsCase,
        Fault::MatchingForgetsTenant,
        Fault::CommitSetsSeen,
        Fault::FullPageGoesOn,
        Fault::CountersHaveNoBounds,
        Fault::SettlesAgain,
        Fault::TakesACopy,
        Fault::TrailForwardOnly,
        Fault::DocumentVersionsIgnored,
        Fault::FoldsDocumentNames,
        Fault::AddingReplacesMembers,
        Fault::RemovingClears,
    ]
    .into_iter()
    // Many sequences, so that luck plays no part; a fault ends them early.
    .filter(|fault| !found(*fault, 5_000))
    .collect();
    assert!(missed.is_empty(), "{missed:?}");
}
