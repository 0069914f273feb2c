//! Finding by what is written now: names that were given to documents under other rules.

use std::num::NonZeroUsize;
use std::sync::Arc;

use jit_core::{Document, DocumentKey, DocumentQuery, DocumentWrite, PAGE_ITEMS};

use super::body;
use super::change::ATTEMPTS;
use super::fault;
use super::find::give_way;
use super::members::Membership;
use super::record::Written;
use super::served::{Role, Served};
use super::service::{ScimService, Turn};
use super::write::subject_or;
use crate::error::ScimError;
use crate::reason::Reason;

/// Says what [`ScimService::index_anew`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexedAnew {
    /// How many resources were looked at.
    pub seen: u64,
    /// How many of them are found by other names now; each has a new version.
    pub written: u64,
    /// How many were left as they were: another has the name, or what is kept does not fit the schema. Each is told through
    /// `tracing`.
    pub failed: u64,
}

impl ScimService {
    /// Brings up to date what resources are found by: after attributes became unique, or after texts are compared in another
    /// way. It looks at every resource, page by page, while the service goes on; what is up to date is not written.
    ///
    /// # Errors
    /// `scim.unavailable` or `scim.broken` where the store fails, `scim.contended` where a resource changes under every
    /// attempt. What was done until then stays.
    ///
    /// # Cancel safety
    /// Each resource is written or not at all. Call it again.
    pub async fn index_anew(&self) -> Result<IndexedAnew, ScimError> {
        let mut done = IndexedAnew::default();
        for turn in self.turns() {
            for served in &turn.realm.served {
                turn.index_all(served, &mut done).await?;
            }
        }
        Ok(done)
    }
}

impl Turn<'_> {
    async fn index_all(&self, served: &Served, done: &mut IndexedAnew) -> Result<(), ScimError> {
        let limit = NonZeroUsize::new(PAGE_ITEMS).unwrap_or(NonZeroUsize::MIN);
        let mut after = None;
        loop {
            let query = DocumentQuery { of: served.of.clone(), after, skip: 0, limit };
            let page = self.service.store.documents(&query).await.map_err(|error| fault::of_store(&error))?;
            after = page.items.last().map(|document| document.id);
            for document in page.items {
                done.seen += 1;
                let id = document.id;
                match self.index(served, &served.of.key(id)).await {
                    Ok(is_written) => done.written += u64::from(is_written),
                    Err(error) if matches!(error.reason(), Reason::Taken | Reason::Broken) => {
                        tracing::warn!(document = %id, code = %error.code(), "not found by its names yet");
                        done.failed += 1;
                    }
                    Err(error) => return Err(error),
                }
                give_way().await;
            }
            if page.next.is_none() || after.is_none() {
                return Ok(());
            }
        }
    }

    /// Gives a document its names. Tells whether it had others.
    async fn index(&self, served: &Served, key: &DocumentKey) -> Result<bool, ScimError> {
        for _ in 0..ATTEMPTS {
            let found = self.service.store.document(key).await.map_err(|error| fault::of_store(&error))?;
            let Some(document) = found else { return Ok(false) };
            let resource = body::resource(&served.kind, &document.body)?;
            let own = document.key.id.to_string();
            let subject = (served.role == Role::Person).then(|| subject_or(&document, &own));
            let names = served.names(&resource, subject, Some(&document));
            if Arc::ptr_eq(&names, &document.names) {
                return Ok(false);
            }
            let write = DocumentWrite::update(&document, Document { names, ..document.clone() });
            if let Written::Done(()) = self.keep("document.changed", write, Membership::default()).await? {
                return Ok(true);
            }
        }
        Err(Reason::Contended.into())
    }
}
