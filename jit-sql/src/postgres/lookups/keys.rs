//! What rows are looked up by.

use jit_core::{DocumentKey, ExternalKey, LookupKey, TenantId};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    super::{
        error::Failed,
        pool::{Kind, Pool},
    },
    Look,
};
use crate::draft::LookupDraft;

impl Look for ExternalKey {
    const OPERATION: &'static str = "users.find";

    async fn alone(&self, pool: &Pool) -> Result<Vec<Row>, Failed> {
        let Self { tenant, connection, issuer, subject } = self;
        let params = [tenant.as_str(), connection.as_str(), issuer.as_str(), subject.as_str()];
        let [tenant, connection, issuer, subject] = &params;
        pool.rows(Kind::Read, |s| &s.find, &[tenant, connection, issuer, subject]).await
    }

    async fn together(these: &[&Self], pool: &Pool) -> Result<Vec<Row>, Failed> {
        let tenants: Vec<_> = these.iter().map(|key| key.tenant.as_str()).collect();
        let connections: Vec<_> = these.iter().map(|key| key.connection.as_str()).collect();
        let issuers: Vec<_> = these.iter().map(|key| key.issuer.as_str()).collect();
        let subjects: Vec<_> = these.iter().map(|key| key.subject.as_str()).collect();
        let params: [&(dyn ToSql + Sync); 4] = [&tenants, &connections, &issuers, &subjects];
        pool.rows(Kind::Read, |s| &s.find_several, &params).await
    }
}

/// What accounts of a tenant may carry in common.
#[derive(Clone)]
pub(in crate::postgres) struct Carried {
    tenant: TenantId,
    key: LookupDraft,
}

impl Carried {
    pub(in crate::postgres) fn new(tenant: &TenantId, key: &LookupKey) -> Self {
        Self { tenant: tenant.clone(), key: LookupDraft::of(key) }
    }
}

impl Look for Carried {
    const OPERATION: &'static str = "users.matching";

    async fn alone(&self, pool: &Pool) -> Result<Vec<Row>, Failed> {
        let LookupDraft { kind, digest } = &self.key;
        let params: [&(dyn ToSql + Sync); 3] = [&self.tenant.as_str(), kind, &digest.as_slice()];
        pool.rows(Kind::Read, |s| &s.matching, &params).await
    }

    async fn together(these: &[&Self], pool: &Pool) -> Result<Vec<Row>, Failed> {
        let tenants: Vec<_> = these.iter().map(|look| look.tenant.as_str()).collect();
        let kinds: Vec<_> = these.iter().map(|look| look.key.kind.as_str()).collect();
        let digests: Vec<_> = these.iter().map(|look| look.key.digest.as_slice()).collect();
        pool.rows(Kind::Read, |s| &s.matching_several, &[&tenants, &kinds, &digests]).await
    }
}

impl Look for DocumentKey {
    const OPERATION: &'static str = "documents.get";

    async fn alone(&self, pool: &Pool) -> Result<Vec<Row>, Failed> {
        let of = &self.collection;
        let (tenant, connection, kind) = (of.tenant.as_str(), of.connection.as_str(), of.kind.as_str());
        let params: [&(dyn ToSql + Sync); 4] = [&tenant, &connection, &kind, &self.id.as_uuid()];
        pool.rows(Kind::Read, |s| &s.document, &params).await
    }

    async fn together(these: &[&Self], pool: &Pool) -> Result<Vec<Row>, Failed> {
        let tenants: Vec<_> = these.iter().map(|key| key.collection.tenant.as_str()).collect();
        let connections: Vec<_> = these.iter().map(|key| key.collection.connection.as_str()).collect();
        let kinds: Vec<_> = these.iter().map(|key| key.collection.kind.as_str()).collect();
        let ids: Vec<Uuid> = these.iter().map(|key| key.id.as_uuid()).collect();
        let params: [&(dyn ToSql + Sync); 4] = [&tenants, &connections, &kinds, &ids];
        pool.rows(Kind::Read, |s| &s.document_several, &params).await
    }
}
