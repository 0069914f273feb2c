//! The audit trail.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use jit_core::{
    About, AccountId, AuditEvent, AuditLog, AuditQuery, BackendError, Cursor, EventId, Page, TenantId,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    PostgresStore,
    error::{malformed, unreadable},
    pool::Kind,
};
use crate::document;

const EVENTS: &str = "audit.events";
const ABOUT: &str = "audit.about";

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

    async fn about(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<About>, BackendError> {
        let (tenant, after) = (tenant.as_str(), after.map_or(Uuid::nil(), Cursor::id));
        let most = document::one_more(limit);
        let rows = self.pool.rows(Kind::Read, |s| &s.about, &[&tenant, &after, &most]).await;
        let rows = rows.map_err(|failed| failed.during(ABOUT))?;
        let items = rows.iter().map(about).collect::<Result<_, _>>()?;
        Ok(document::page(items, limit, |about: &About| about.event.as_uuid()))
    }
}

fn about(row: &Row) -> Result<About, BackendError> {
    let event = row.try_get(0).map_err(malformed(ABOUT))?;
    let account: Option<Uuid> = row.try_get(1).map_err(malformed(ABOUT))?;
    Ok(About { event: EventId::from_uuid(event), account: account.map(AccountId::from_uuid) })
}

fn event(row: &Row) -> Result<AuditEvent, BackendError> {
    let text = row.try_get(0).map_err(malformed(EVENTS))?;
    document::event(text).map_err(unreadable(EVENTS))
}
