//! Documents.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use jit_core::{
    BackendError, Collection, Document, DocumentId, DocumentKey, DocumentQuery, DocumentStore, DocumentText,
    ErrorKind, IndexName, MEMBERSHIPS, Member, Memberships, PAGE_ITEMS, Page,
};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::{
    SqliteStore,
    error::Refused,
    readers::{row, rows},
};
use crate::{
    document::{self, Columns, TextColumns},
    kept::digest,
};

#[async_trait]
impl DocumentStore for SqliteStore {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, BackendError> {
        let look = |on: &Connection, DocumentKey { collection: of, id }: &DocumentKey, (): &()| {
            let (tenant, connection, kind) = place(of);
            row(on, GET, (tenant, connection, kind, id.as_uuid().as_bytes()), |row| read(row, of))
        };
        self.readers.look_up("documents.get", key, (), look).await
    }

    async fn document_text(
        &self,
        of: &Collection,
        id: DocumentId,
    ) -> Result<Option<DocumentText>, BackendError> {
        let look = |on: &Connection, of: &Collection, id: &DocumentId| {
            let (tenant, connection, kind) = place(of);
            row(on, TEXT, (tenant, connection, kind, id.as_uuid().as_bytes()), read_text)
        };
        self.readers.look_up("documents.text", of, id, look).await
    }

    async fn documents_named(
        &self,
        of: &Collection,
        index: &IndexName,
        value: &str,
    ) -> Result<Vec<DocumentText>, BackendError> {
        let look = |on: &Connection, of: &Collection, digest: &[u8; 32]| {
            let (tenant, connection, kind) = place(of);
            let params = (tenant, connection, kind, digest, document::skipped(PAGE_ITEMS));
            rows(on, NAMED, params, read_text)
        };
        self.readers.look_up("documents.named", of, digest(index, value), look).await
    }

    async fn documents(&self, query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError> {
        let of = &query.of;
        let (tenant, connection, kind) = place(of);
        let (limit, skip) = (document::one_more(query.limit), document::skipped(query.skip));
        let params = (tenant, connection, kind, beginning(query.after), limit, skip);
        let items = self.readers.rows("documents.list", LIST, params, read_text)?;
        Ok(document::page(items, query.limit, |text| text.id.as_uuid()))
    }

    async fn count_documents(&self, of: &Collection) -> Result<u64, BackendError> {
        let count = self.readers.row("documents.count", COUNT, place(of), |row| Ok(row.get::<_, i64>(0)?))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    async fn members(
        &self,
        group: &DocumentKey,
        after: Option<DocumentId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError> {
        let (tenant, connection, kind) = place(&group.collection);
        let (id, most) = (group.id.as_uuid(), document::one_more(limit));
        let params = (tenant, connection, kind, id.as_bytes(), beginning(after), most);
        let items = self.readers.rows("documents.members", MEMBERS, params, member)?;
        Ok(document::page(items, limit, |member| member.id.as_uuid()))
    }

    async fn member(&self, group: &DocumentKey, id: DocumentId) -> Result<Option<Member>, BackendError> {
        let look = |on: &Connection, group: &DocumentKey, id: &DocumentId| {
            let (tenant, connection, kind) = place(&group.collection);
            let (group, id) = (group.id.as_uuid(), id.as_uuid());
            row(on, MEMBER, (tenant, connection, kind, group.as_bytes(), id.as_bytes()), member)
        };
        self.readers.look_up("documents.member", group, id, look).await
    }

    async fn memberships(&self, member: &DocumentKey) -> Result<Memberships, BackendError> {
        let (of, id) = (&member.collection, member.id.as_uuid());
        let (tenant, connection, kind) = place(of);
        let params = (tenant, connection, kind, id.as_bytes(), document::skipped(MEMBERSHIPS + 1));
        let found = self.readers.rows("documents.memberships", MEMBERSHIPS_OF, params, |row| {
            let collection = Collection { kind: document::name(text(row, 0)?)?, ..of.clone() };
            Ok(collection.key(DocumentId::from_uuid(uuid(row, 1)?)))
        });
        found.map(Memberships::cut)
    }
}

fn place(of: &Collection) -> (&str, &str, &str) {
    (of.tenant.as_str(), of.connection.as_str(), of.kind.as_str())
}

/// Every id is longer than no bytes and so comes after them.
fn beginning(after: Option<DocumentId>) -> Vec<u8> {
    after.map(|id| id.as_uuid().into_bytes().to_vec()).unwrap_or_default()
}

fn read(row: &Row<'_>, of: &Collection) -> Result<Document, Refused> {
    let account: Option<[u8; 16]> = row.get(4)?;
    let columns = Columns {
        id: uuid(row, 0)?,
        version: row.get(1)?,
        created_at: row.get(2)?,
        changed_at: row.get(3)?,
        account: account.map(Uuid::from_bytes),
        names: text(row, 5)?,
        body: text(row, 6)?,
    };
    Ok(document::document(of, &columns)?)
}

fn read_text(row: &Row<'_>) -> Result<DocumentText, Refused> {
    Ok(document::document_text(&TextColumns {
        id: uuid(row, 0)?,
        version: row.get(1)?,
        created_at: row.get(2)?,
        changed_at: row.get(3)?,
        body: text(row, 4)?,
    }))
}

fn member(row: &Row<'_>) -> Result<Member, Refused> {
    Ok(document::member(uuid(row, 0)?, text(row, 1)?, text(row, 2)?)?)
}

fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid, Refused> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Refused> {
    row.get_ref(column)?.as_str().map_err(|_| Refused::Kind(ErrorKind::Corrupt))
}

const GET: &str = "SELECT id, version, created_at, changed_at, account, names, body FROM jit_document \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4";

const TEXT: &str = "SELECT id, version, created_at, changed_at, body FROM jit_document \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4";

const NAMED: &str = "SELECT d.id, d.version, d.created_at, d.changed_at, d.body \
    FROM jit_document_name n JOIN jit_document d \
    ON d.tenant = n.tenant AND d.connection = n.connection AND d.kind = n.kind AND d.id = n.document \
    WHERE n.tenant = ?1 AND n.connection = ?2 AND n.kind = ?3 AND n.digest = ?4 ORDER BY n.tie LIMIT ?5";

const LIST: &str = "SELECT id, version, created_at, changed_at, body FROM jit_document \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id > ?4 ORDER BY id LIMIT ?5 OFFSET ?6";

const COUNT: &str = "SELECT count(*) FROM jit_document WHERE tenant = ?1 AND connection = ?2 AND kind = ?3";

const MEMBERS: &str = "SELECT member, member_kind, body FROM jit_member \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4 AND member > ?5 ORDER BY member LIMIT ?6";

const MEMBER: &str = "SELECT member, member_kind, body FROM jit_member \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4 AND member = ?5";

const MEMBERSHIPS_OF: &str = "SELECT m.kind, m.id FROM jit_member m INDEXED BY jit_member_groups \
    WHERE m.tenant = ?1 AND m.connection = ?2 AND m.member_kind = ?3 AND m.member = ?4 AND EXISTS ( \
    SELECT 1 FROM jit_document d WHERE d.tenant = ?1 AND d.connection = ?2 AND d.kind = m.kind AND d.id = m.id) \
    ORDER BY m.kind, m.id LIMIT ?5";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[GET, TEXT, NAMED, LIST, COUNT, MEMBERS, MEMBER, MEMBERSHIPS_OF];
