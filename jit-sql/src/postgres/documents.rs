//! Documents.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use jit_core::{
    BackendError, Collection, Document, DocumentId, DocumentKey, DocumentQuery, DocumentStore, DocumentText,
    IndexName, MEMBERSHIPS, Member, Memberships, PAGE_ITEMS, Page,
};
use tokio_postgres::{Error, Row, Statement, types::ToSql};
use uuid::Uuid;

use super::{
    PostgresStore,
    error::{malformed, unreadable},
    lookups::Look as _,
    pool::Kind,
    statements::Statements,
};
use crate::{
    document::{self, Columns, TextColumns, Unreadable},
    kept::digest,
};

#[async_trait]
impl DocumentStore for PostgresStore {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, BackendError> {
        let rows = self.by_document.rows(key).await?;
        rows.first().map(|row| read(row, &key.collection, DocumentKey::OPERATION)).transpose()
    }

    async fn document_text(
        &self,
        of: &Collection,
        id: DocumentId,
    ) -> Result<Option<DocumentText>, BackendError> {
        let (operation, [tenant, connection, kind]) = ("documents.text", place(of));
        let params: [&(dyn ToSql + Sync); 4] = [&tenant, &connection, &kind, &id.as_uuid()];
        let rows = self.kept(operation, |s| &s.document_text, &params).await?;
        rows.first().map(|row| read_text(row, operation)).transpose()
    }

    async fn documents_named(
        &self,
        of: &Collection,
        index: &IndexName,
        value: &str,
    ) -> Result<Vec<DocumentText>, BackendError> {
        let (operation, [tenant, connection, kind]) = ("documents.named", place(of));
        let (digest, most) = (digest(index, value), document::skipped(PAGE_ITEMS));
        let params: [&(dyn ToSql + Sync); 5] = [&tenant, &connection, &kind, &digest.as_slice(), &most];
        let rows = self.kept(operation, |s| &s.documents_named, &params).await?;
        rows.iter().map(|row| read_text(row, operation)).collect()
    }

    async fn documents(&self, query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError> {
        let (operation, [tenant, connection, kind]) = ("documents.list", place(&query.of));
        let after = query.after.map_or(Uuid::nil(), DocumentId::as_uuid);
        let (limit, skip) = (document::one_more(query.limit), document::skipped(query.skip));
        let params: [&(dyn ToSql + Sync); 6] = [&tenant, &connection, &kind, &after, &limit, &skip];
        let rows = self.kept(operation, |s| &s.documents, &params).await?;
        let items = rows.iter().map(|row| read_text(row, operation)).collect::<Result<_, _>>()?;
        Ok(document::page(items, query.limit, |text: &DocumentText| text.id.as_uuid()))
    }

    async fn count_documents(&self, of: &Collection) -> Result<u64, BackendError> {
        let (operation, [tenant, connection, kind]) = ("documents.count", place(of));
        let rows = self.kept(operation, |s| &s.count_documents, &[&tenant, &connection, &kind]).await?;
        let count: Option<i64> =
            rows.first().map(|row| row.try_get(0)).transpose().map_err(malformed(operation))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    async fn members(
        &self,
        group: &DocumentKey,
        after: Option<DocumentId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError> {
        let (operation, [tenant, connection, kind]) = ("documents.members", place(&group.collection));
        let (id, most) = (group.id.as_uuid(), document::one_more(limit));
        let after = after.map_or(Uuid::nil(), DocumentId::as_uuid);
        let params: [&(dyn ToSql + Sync); 6] = [&tenant, &connection, &kind, &id, &after, &most];
        let rows = self.kept(operation, |s| &s.members, &params).await?;
        let items = rows.iter().map(|row| member(row, operation)).collect::<Result<_, _>>()?;
        Ok(document::page(items, limit, |member: &Member| member.id.as_uuid()))
    }

    async fn member(&self, group: &DocumentKey, id: DocumentId) -> Result<Option<Member>, BackendError> {
        let (operation, [tenant, connection, kind]) = ("documents.member", place(&group.collection));
        let (group, id) = (group.id.as_uuid(), id.as_uuid());
        let params: [&(dyn ToSql + Sync); 5] = [&tenant, &connection, &kind, &group, &id];
        let rows = self.kept(operation, |s| &s.member, &params).await?;
        rows.first().map(|row| member(row, operation)).transpose()
    }

    async fn memberships(&self, member: &DocumentKey) -> Result<Memberships, BackendError> {
        let (operation, of) = ("documents.memberships", &member.collection);
        let [tenant, connection, kind] = place(of);
        let (id, most) = (member.id.as_uuid(), document::skipped(MEMBERSHIPS + 1));
        let params: [&(dyn ToSql + Sync); 5] = [&tenant, &connection, &kind, &id, &most];
        let rows = self.kept(operation, |s| &s.memberships, &params).await?;
        let found = rows.iter().map(|row| group(row, of, operation)).collect::<Result<_, _>>();
        found.map(Memberships::cut)
    }
}

impl PostgresStore {
    async fn kept(
        &self,
        operation: &'static str,
        statement: fn(&Statements) -> &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, BackendError> {
        let rows = self.pool.rows(Kind::Read, statement, params).await;
        rows.map_err(|failed| failed.during(operation))
    }
}

fn place(of: &Collection) -> [&str; 3] {
    [of.tenant.as_str(), of.connection.as_str(), of.kind.as_str()]
}

fn read(row: &Row, of: &Collection, operation: &'static str) -> Result<Document, BackendError> {
    let columns = columns(row).map_err(malformed(operation))?;
    document::document(of, &columns).map_err(unreadable(operation))
}

fn read_text(row: &Row, operation: &'static str) -> Result<DocumentText, BackendError> {
    let columns = text_columns(row).map_err(malformed(operation))?;
    Ok(document::document_text(&columns))
}

fn text_columns(row: &Row) -> Result<TextColumns<'_>, Error> {
    Ok(TextColumns {
        id: row.try_get(0)?,
        version: row.try_get(1)?,
        created_at: row.try_get(2)?,
        changed_at: row.try_get(3)?,
        body: row.try_get(4)?,
    })
}

fn columns(row: &Row) -> Result<Columns<'_>, Error> {
    Ok(Columns {
        id: row.try_get(0)?,
        version: row.try_get(1)?,
        created_at: row.try_get(2)?,
        changed_at: row.try_get(3)?,
        account: row.try_get(4)?,
        names: row.try_get(5)?,
        body: row.try_get(6)?,
    })
}

fn member(row: &Row, operation: &'static str) -> Result<Member, BackendError> {
    let columns = || -> Result<_, Error> { Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)) };
    let (id, kind, body) = columns().map_err(malformed(operation))?;
    document::member(id, kind, body).map_err(unreadable(operation))
}

fn group(row: &Row, of: &Collection, operation: &'static str) -> Result<DocumentKey, BackendError> {
    let columns = || -> Result<(&str, Uuid), Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
    let (kind, id) = columns().map_err(malformed(operation))?;
    let key = |kind| Collection { kind, ..of.clone() }.key(DocumentId::from_uuid(id));
    let kind: Result<_, Unreadable> = document::name(kind);
    kind.map(key).map_err(unreadable(operation))
}
