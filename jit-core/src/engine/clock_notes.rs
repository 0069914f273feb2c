//! What the store keeps of clocks: how far they are behind, and what was told of those in doubt.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Jit,
    known::is_contended,
    time::{ANCHOR, CLOCK},
};
use crate::{
    BackendError, Collection, Commit, ConnectionId, Document, DocumentId, DocumentKey, DocumentKind,
    DocumentWrite,
    clock::{Lag, Told, with_lag},
};

/// Which clocks are behind, and how far.
const LAGS: &str = "Lags";
/// Of which clocks somebody was told.
const TOLD: &str = "Told";
/// How often forgetting is tried where other nodes write at the same time.
const ATTEMPTS: usize = 8;

impl Jit {
    pub(super) async fn lags(&self) -> Result<Vec<Lag>, BackendError> {
        Ok(self.notes(LAGS).await?.1)
    }

    /// Keeps how far a clock is behind. Where another node writes at the same time, ours comes with the next look.
    pub(super) async fn keep_lag(&self, lag: Lag) -> Result<(), BackendError> {
        let (before, known) = self.notes(LAGS).await?;
        unless_contended(self.write_notes(LAGS, before, &with_lag(known, lag), lag.trusted).await)
    }

    pub(super) async fn is_told(&self, told: Told) -> Result<bool, BackendError> {
        Ok(told.is_known(&self.notes(TOLD).await?.1))
    }

    /// Keeps that somebody was told of a clock. Where another node writes at the same time, ours comes with the next look.
    pub(super) async fn keep_told(&self, told: Told, at: DateTime<Utc>) -> Result<(), BackendError> {
        let (before, known) = self.notes(TOLD).await?;
        if told.is_kept(&known) {
            return Ok(());
        }
        unless_contended(self.write_notes(TOLD, before, &told.among(known), at).await)
    }

    pub(super) async fn forget_lags(&self) -> Result<(), BackendError> {
        self.forget_notes::<Lag>(LAGS).await
    }

    pub(super) async fn forget_told(&self) -> Result<(), BackendError> {
        self.forget_notes::<Told>(TOLD).await
    }

    /// Forgets, or says that it did not: what stays would be gone on by.
    async fn forget_notes<T: Serialize + DeserializeOwned>(&self, kind: &str) -> Result<(), BackendError> {
        let mut left = ATTEMPTS;
        loop {
            let (before, known) = self.notes::<T>(kind).await?;
            if known.is_empty() {
                return Ok(());
            }
            left = left.saturating_sub(1);
            match self.write_notes::<T>(kind, before, &[], self.parts.clock.now()).await {
                Err(error) if is_contended(&error) && left > 0 => {}
                written => return written,
            }
        }
    }

    /// The document of that kind, and what it says. What cannot be read says nothing.
    async fn notes<T: DeserializeOwned>(
        &self,
        kind: &str,
    ) -> Result<(Option<Document>, Vec<T>), BackendError> {
        let Some(key) = key_of(kind) else { return Ok((None, Vec::new())) };
        let document = self.parts.store.document(&key).await?;
        let said = document.as_ref().map(|document| serde_json::from_str(&document.body));
        Ok((document, said.and_then(Result::ok).unwrap_or_default()))
    }

    async fn write_notes<T: Serialize>(
        &self,
        kind: &str,
        before: Option<Document>,
        notes: &[T],
        at: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        let (Some(key), Some(tenant)) = (key_of(kind), Self::house_tenant()) else { return Ok(()) };
        let Ok(body) = serde_json::to_string(notes) else { return Ok(()) };
        let (body, names) = (body.into(), std::sync::Arc::default());
        let after = Document { key, version: 0, created_at: at, changed_at: at, account: None, body, names };
        let mut commit = Commit::new(tenant);
        commit.documents.push(match &before {
            None => DocumentWrite::create(after),
            Some(before) => DocumentWrite::update(before, after),
        });
        self.parts.store.commit(&commit).await
    }
}

fn unless_contended(written: Result<(), BackendError>) -> Result<(), BackendError> {
    written.or_else(|error| if is_contended(&error) { Ok(()) } else { Err(error) })
}

/// Where notes of a kind are kept; every node names the same.
fn key_of(kind: &str) -> Option<DocumentKey> {
    let (tenant, connection) = (Jit::house_tenant()?, ConnectionId::new(CLOCK).ok()?);
    let kind = DocumentKind::new(kind).ok()?;
    Some(Collection { tenant, connection, kind }.key(DocumentId::from_uuid(ANCHOR)))
}
