//! The memory store passes every suite.
#![cfg(feature = "conformance")]

use std::sync::Arc;

use jit_core::{MemoryStore, conformance::Nodes};

fn open() -> Nodes {
    let store = Arc::new(MemoryStore::new());
    Nodes::stores(store.clone(), store)
}

jit_core::conformance::store!(async { open() });
jit_core::conformance::model!(async { open() });
