//! The audit trail.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use jit_core::{
    About, AccountId, AuditEvent, AuditLog, AuditQuery, BackendError, Cursor, ErrorKind, EventId, Page,
    TenantId,
};
use rusqlite::Row;
use uuid::Uuid;

use super::{SqliteStore, error::Refused};
use crate::document;

#[async_trait]
impl AuditLog for SqliteStore {
    async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
        let tenant = query.tenant.as_str();
        let after = query.after.map(|cursor| cursor.id().into_bytes().to_vec());
        // No bytes come before every id, and these after every id.
        let after = after.unwrap_or_else(|| if query.latest_first { vec![0xff; 17] } else { Vec::new() });
        let limit = document::one_more(query.limit);
        let account = query.account.map(|id| id.as_uuid().into_bytes());
        let (all, of_account) =
            if query.latest_first { (LATEST, LATEST_OF_ACCOUNT) } else { (EARLIEST, EARLIEST_OF_ACCOUNT) };
        let items = match account {
            None => self.readers.rows("audit.events", all, (tenant, after, limit), event),
            Some(id) => self.readers.rows("audit.events", of_account, (tenant, after, limit, id), event),
        };
        Ok(document::page(items?, query.limit, |event| event.id.as_uuid()))
    }

    async fn about(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<About>, BackendError> {
        // No bytes come before every id.
        let after = after.map(|cursor| cursor.id().into_bytes().to_vec()).unwrap_or_default();
        let named = (tenant.as_str(), after, document::one_more(limit));
        let items = self.readers.rows("audit.about", ABOUT, named, |row| {
            let account: Option<[u8; 16]> = row.get(1)?;
            let account = account.map(|id| AccountId::from_uuid(Uuid::from_bytes(id)));
            Ok(About { event: EventId::from_uuid(Uuid::from_bytes(row.get(0)?)), account })
        });
        Ok(document::page(items?, limit, |about| about.event.as_uuid()))
    }
}

fn event(row: &Row<'_>) -> Result<AuditEvent, Refused> {
    let text = row.get_ref(0)?.as_str().map_err(|_| Refused::Kind(ErrorKind::Corrupt))?;
    Ok(document::event(text)?)
}

const EARLIEST: &str = "SELECT document FROM jit_audit WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3";

const LATEST: &str = "SELECT document FROM jit_audit WHERE tenant = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";

const EARLIEST_OF_ACCOUNT: &str = "SELECT document FROM jit_audit INDEXED BY jit_audit_account \
    WHERE tenant = ?1 AND account = ?4 AND id > ?2 ORDER BY id LIMIT ?3";

const LATEST_OF_ACCOUNT: &str = "SELECT document FROM jit_audit INDEXED BY jit_audit_account \
    WHERE tenant = ?1 AND account = ?4 AND id < ?2 ORDER BY id DESC LIMIT ?3";

const ABOUT: &str = "SELECT id, account FROM jit_audit WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[EARLIEST, LATEST, EARLIEST_OF_ACCOUNT, LATEST_OF_ACCOUNT, ABOUT];
