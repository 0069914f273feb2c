//! Documents: not kept here yet; a commit that has some is refused.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use jit_core::{
    BackendError, Collection, Document, DocumentId, DocumentKey, DocumentQuery, DocumentStore, ErrorKind,
    IndexName, Member, Page,
};

use super::SqliteStore;

fn not_yet() -> BackendError {
    BackendError::new(ErrorKind::Invalid, "documents").caused_by("this store keeps no documents yet")
}

#[async_trait]
impl DocumentStore for SqliteStore {
    async fn document(&self, _: &DocumentKey) -> Result<Option<Document>, BackendError> {
        Err(not_yet())
    }

    async fn documents_named(
        &self,
        _: &Collection,
        _: &IndexName,
        _: &str,
    ) -> Result<Vec<Document>, BackendError> {
        Err(not_yet())
    }

    async fn documents(&self, _: &DocumentQuery) -> Result<Page<Document>, BackendError> {
        Err(not_yet())
    }

    async fn count_documents(&self, _: &Collection) -> Result<u64, BackendError> {
        Err(not_yet())
    }

    async fn members(
        &self,
        _: &DocumentKey,
        _: Option<DocumentId>,
        _: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError> {
        Err(not_yet())
    }

    async fn member(&self, _: &DocumentKey, _: DocumentId) -> Result<Option<Member>, BackendError> {
        Err(not_yet())
    }

    async fn memberships(&self, _: &DocumentKey) -> Result<Vec<DocumentKey>, BackendError> {
        Err(not_yet())
    }
}
