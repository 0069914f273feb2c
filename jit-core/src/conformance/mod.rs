//! The suites that every backend runs with one line.
//!
//! ```ignore
//! // tests/conformance.rs of a backend
//! async fn open() -> jit_core::conformance::Nodes {
//!     let store = std::sync::Arc::new(jit_core::MemoryStore::new());
//!     jit_core::conformance::Nodes::stores(store.clone(), store)
//! }
//!
//! jit_core::conformance::store!(open());
//! jit_core::conformance::model!(open());
//! ```
//!
//! | macro | checks |
//! |---|---|
//! | [`store!`](store) | all of the following, one `#[test]` each |
//! | [`user_store!`](user_store) | accounts: reading, commits, keys, tenants, paging, counters, races |
//! | [`document_store!`](document_store) | documents: versions, names, members, together with the commit |
//! | [`task_queue!`](task_queue) | tasks: claims, epochs, settlement |
//! | [`audit_log!`](audit_log) | the audit trail |
//! | [`one_time!`](one_time) | values that are put once and taken once; takes a [`Nodes<dyn OneTime>`](Nodes) |
//! | [`target!`](macro@target) | a [`Target`](crate::Target): takes a [`Rig`](target::Rig) |
//! | [`model!`](macro@model) | random calls, compared with [`MemoryStore`](crate::MemoryStore) |
//!
//! Each test gets a backend of its own: the expression makes an empty one whenever it is evaluated. The tests bring
//! their own runtime. A check is a plain function, listed by [`all_checks`].

mod failure;
mod list;
mod race;
mod sample;

#[expect(
    clippy::missing_errors_doc,
    reason = "each fails with what it found, as `Check` says for all of them"
)]
pub mod checks;
pub mod model;
pub mod target;

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{OneTime, Store};

#[doc(inline)]
pub use crate::{
    __jit_audit_log as audit_log, __jit_document_store as document_store, __jit_model as model,
    __jit_one_time as one_time, __jit_store as store, __jit_target as target, __jit_task_queue as task_queue,
    __jit_user_store as user_store,
};
pub use failure::Failure;
pub use list::all_checks;

/// Holds two handles on one backend, as two processes would have them, with whatever must live as long as they do.
pub struct Nodes<S: ?Sized = dyn Store> {
    one: Arc<S>,
    two: Arc<S>,
    kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Nodes<dyn Store> {
    /// Takes two handles on one backend; the same twice where there can be only one.
    #[must_use]
    pub fn stores(one: Arc<dyn Store>, two: Arc<dyn Store>) -> Self {
        Self { one, two, kept: Vec::new() }
    }

    /// The same handles as one-time stores.
    #[must_use]
    pub fn to_one_times(&self) -> Nodes<dyn OneTime> {
        Nodes::one_times(self.one.clone(), self.two.clone())
    }
}

impl Nodes<dyn OneTime> {
    /// Takes two handles on one one-time store.
    #[must_use]
    pub fn one_times(one: Arc<dyn OneTime>, two: Arc<dyn OneTime>) -> Self {
        Self { one, two, kept: Vec::new() }
    }
}

impl<S: ?Sized> Nodes<S> {
    /// Keeps something, such as a directory that is removed when dropped, for as long as the handles.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(guard));
        self
    }

    /// The first handle.
    #[must_use]
    pub fn one(&self) -> &S {
        &self.one
    }

    /// The second handle.
    #[must_use]
    pub fn two(&self) -> &S {
        &self.two
    }

    /// The handle of the worker with this number: they take turns.
    #[must_use]
    pub fn of(&self, worker: usize) -> Arc<S> {
        Arc::clone(if worker.is_multiple_of(2) { &self.one } else { &self.two })
    }
}

impl<S: ?Sized> fmt::Debug for Nodes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

/// A check that is under way.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// Describes one check: it wants an empty backend and fails with the first thing that it found wrong.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What must hold, as a sentence with underscores.
    pub name: &'static str,
    /// Runs the check.
    pub run: for<'a> fn(&'a Nodes) -> Running<'a>,
}

/// How long one check may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a check against a fresh backend on a runtime of its own. The macros call it.
///
/// # Errors
/// [`Failure`] when the check fails, or hangs.
pub fn run<S: ?Sized>(
    backend: impl Future<Output = Nodes<S>>,
    check: impl for<'a> FnOnce(&'a Nodes<S>) -> Running<'a>,
) -> Result<(), Failure> {
    run_on(async {
        let nodes = backend.await;
        check(&nodes).await
    })
}

/// Runs a check on a runtime of its own.
fn run_on(check: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, check).await? })
}
