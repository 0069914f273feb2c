//! What all processes know: of a target, one document of a kind each in the main store, and in each store how far a task of
//! theirs has come; under the tenant of the house.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Jit;
use crate::{
    BackendError, Collection, Commit, ConnectionId, Document, DocumentId, DocumentKey, DocumentKind,
    DocumentWrite, ErrorKind, Taken, TargetId,
};

const TARGETS: &str = "targets";

impl Jit {
    /// What the store says; what cannot be read says nothing.
    pub(super) async fn known_of<T: Default + DeserializeOwned>(
        &self,
        target: &TargetId,
        kind: &str,
    ) -> Result<(Option<Document>, T), BackendError> {
        let Some(key) = key_of(target, kind) else { return Ok((None, T::default())) };
        let document = self.parts.store.document(&key).await?;
        let said = document.as_ref().map(|document| serde_json::from_str(&document.body));
        Ok((document, said.and_then(Result::ok).unwrap_or_default()))
    }

    /// Adds to a commit that this is known from now on, unless somebody else wrote since it was read ([`is_contended`]).
    pub(super) async fn make_known(
        &self,
        (target, kind): (&TargetId, &str),
        before: Option<Document>,
        known: &impl Serialize,
        mut commit: Commit,
    ) -> Result<(), BackendError> {
        let (Some(key), Ok(body)) = (key_of(target, kind), serde_json::to_string(known)) else {
            return Ok(());
        };
        commit.documents.push(progress_write(key, before.as_ref(), body, self.parts.clock.now()));
        self.parts.store.commit(&commit).await
    }
}

/// Tells whether somebody else wrote at the same time.
pub(super) fn is_contended(error: &BackendError) -> bool {
    matches!(error.kind(), ErrorKind::DocumentChanged | ErrorKind::AlreadyExists(Taken::Document))
}

/// Writes down what is known, unless somebody else wrote since it was read ([`is_contended`]).
pub(super) fn progress_write(
    key: DocumentKey,
    before: Option<&Document>,
    body: String,
    at: DateTime<Utc>,
) -> DocumentWrite {
    let (body, names) = (body.into(), std::sync::Arc::default());
    let after = Document { key, version: 0, created_at: at, changed_at: at, account: None, body, names };
    match before {
        None => DocumentWrite::create(after),
        Some(before) => DocumentWrite::update(before, after),
    }
}

/// Where something of a target is kept; every node names the same.
fn key_of(target: &TargetId, kind: &str) -> Option<DocumentKey> {
    key_in_house(kind, Uuid::from_slice(Sha256::digest(target.as_str()).get(..16)?).ok()?)
}

/// Names what is kept in each store; every node names the same. A UUID of version 8 (RFC 9562 section 5.8).
pub(super) fn named_by(text: &[u8]) -> Option<Uuid> {
    let bytes = Sha256::digest(text).get(..16)?.try_into().ok()?;
    Some(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Where it is kept: it concerns no tenant alone.
pub(super) fn key_in_house(kind: &str, id: Uuid) -> Option<DocumentKey> {
    let (tenant, connection) = (Jit::house_tenant()?, ConnectionId::new(TARGETS).ok()?);
    let kind = DocumentKind::new(kind).ok()?;
    Some(Collection { tenant, connection, kind }.key(DocumentId::from_uuid(id)))
}
