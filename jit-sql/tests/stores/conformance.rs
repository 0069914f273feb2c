//! The suites of the core, against each store.

#[cfg(feature = "sqlite")]
mod sqlite_in_memory {
    use std::sync::Arc;

    use jit_core::conformance::Nodes;
    use jit_sql::SqliteStore;

    fn open() -> Nodes {
        let store = Arc::new(SqliteStore::in_memory().unwrap());
        Nodes::stores(store.clone(), store)
    }

    jit_core::conformance::store!(std::future::ready(open()));
    jit_core::conformance::model!(std::future::ready(open()));
}

/// Two handles on one file, as two processes have them.
#[cfg(feature = "sqlite")]
mod sqlite_file {
    use std::sync::Arc;

    use jit_core::conformance::Nodes;
    use jit_sql::SqliteStore;

    use crate::support::folder::Folder;

    fn open() -> Nodes {
        let folder = Folder::new("conformance");
        let one = Arc::new(SqliteStore::open(folder.file()).unwrap());
        let two = Arc::new(SqliteStore::open(folder.file()).unwrap());
        Nodes::stores(one, two).keeping(folder)
    }

    jit_core::conformance::store!(std::future::ready(open()));
    jit_core::conformance::model!(std::future::ready(open()));
}

/// Two nodes of an application.
#[cfg(feature = "real-postgres")]
mod postgres {
    use std::sync::Arc;

    use jit_core::conformance::Nodes;

    use crate::support::server::Schema;

    async fn open() -> Nodes {
        let schema = Schema::new().await;
        let (one, two) = (Arc::new(schema.store().await), Arc::new(schema.store().await));
        Nodes::stores(one, two).keeping(schema)
    }

    jit_core::conformance::store!(open());
    jit_core::conformance::model!(open(), 60);
}
