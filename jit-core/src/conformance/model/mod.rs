//! Random calls, made on a backend and on the memory store: the answers must be the same.
//!
//! Where several reasons speak against a commit, a backend may name any of them; everything else is compared as it is.

mod calls;
mod documents;
mod player;

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
};

use proptest::test_runner::{Config, TestRunner};

use super::{Failure, Nodes};
use crate::MemoryStore;

/// How many sequences [`model!`](macro@crate::conformance::model) plays.
pub const SEQUENCES: u32 = 200;
/// How many calls one sequence has.
pub const CALLS: usize = 40;

/// Plays random sequences of calls and fails with the shortest one found whose answers differ.
///
/// All sequences run on one backend, each with tenants and lanes of its own.
///
/// # Errors
/// [`Failure`] with the calls and the answers that differ.
pub fn compare(backend: impl Future<Output = Nodes>, sequences: u32) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (nodes, model) = (runtime.block_on(backend), MemoryStore::new());
    let played = AtomicU64::new(0);
    let config =
        Config { cases: sequences, failure_persistence: None, max_shrink_iters: 1_000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&calls::sequence(CALLS), |calls| {
        let number = played.fetch_add(1, Ordering::Relaxed);
        Ok(runtime.block_on(player::play(&nodes, &model, number, &calls))?)
    });
    // The nodes may need the runtime to take their leave.
    runtime.block_on(async { drop(nodes) });
    Ok(outcome?)
}

impl From<Failure> for proptest::test_runner::TestCaseError {
    fn from(failure: Failure) -> Self {
        Self::fail(failure.to_string())
    }
}
