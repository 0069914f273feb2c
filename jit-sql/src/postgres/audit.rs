//! The audit trail.

use async_trait::async_trait;
use jit_core::{AuditEvent, AuditLog, AuditQuery, BackendError, Cursor, Page};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    PostgresStore,
    error::{malformed, unreadable},
    pool::Kind,
};
use crate::document;

const EVENTS: &str = "audit.events";

#[async_trait]
impl AuditLog for PostgresStore {
    async fn events(&self, query: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
        let tenant = query.tenant.as_str();
        let beginning = if query.latest_first { Uuid::max() } else { Uuid::nil() };
        let after = query.after.map_or(beginning, Cursor::id);
        let limit = document::one_more(query.limit);
        let account = query.account.map(jit_core::AccountId::as_uuid);
        let rows = match (&account, query.latest_first) {
            (None, false) => self.pool.rows(Kind::Read, |s| &s.events, &[&tenant, &after, &limit]).await,
            (None, true) => {
                self.pool.rows(Kind::Read, |s| &s.latest_events, &[&tenant, &after, &limit]).await
            }
            (Some(id), false) => {
                self.pool.rows(Kind::Read, |s| &s.events_of, &[&tenant, &after, &limit, id]).await
            }
            (Some(id), true) => {
                self.pool.rows(Kind::Read, |s| &s.latest_events_of, &[&tenant, &after, &limit, id]).await
            }
        };
        let rows = rows.map_err(|failed| failed.during(EVENTS))?;
        let items = rows.iter().map(event).collect::<Result<_, _>>()?;
        Ok(document::page(items, query.limit, |event: &AuditEvent| event.id.as_uuid()))
    }
}

fn event(row: &Row) -> Result<AuditEvent, BackendError> {
    let text = row.try_get(0).map_err(malformed(EVENTS))?;
    document::event(text).map_err(unreadable(EVENTS))
}
