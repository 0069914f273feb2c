//! Values that may be put once and taken once.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{BackendError, ErrorKind, OneTime, OneTimeKey, Taken};
use tokio_postgres::types::ToSql;

use super::{PostgresStore, error::malformed, pool::Kind};
use crate::{document, draft::micros};

#[async_trait]
impl OneTime for PostgresStore {
    async fn put(
        &self,
        key: &OneTimeKey,
        value: &[u8],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        document::check_one_time(value)?;
        let (tenant, digest) = (key.tenant().as_str(), key.digest().as_slice());
        let params: [&(dyn ToSql + Sync); 5] = [&tenant, &digest, &value, &micros(until), &micros(now)];
        let rows = self.pool.rows(Kind::Write, |s| &s.put, &params).await;
        if rows.map_err(|failed| failed.during("one_time.put"))?.is_empty() {
            return Err(BackendError::new(ErrorKind::AlreadyExists(Taken::OneTime), "one_time.put"));
        }
        Ok(())
    }

    async fn take(&self, key: &OneTimeKey, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError> {
        let params: [&(dyn ToSql + Sync); 2] = [&key.tenant().as_str(), &key.digest().as_slice()];
        let rows = self.pool.rows(Kind::Write, |s| &s.take, &params).await;
        let rows = rows.map_err(|failed| failed.during("one_time.take"))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let until: i64 = row.try_get(1).map_err(malformed("one_time.take"))?;
        let value = row.try_get(0).map_err(malformed("one_time.take"))?;
        Ok((micros(now) < until).then_some(value))
    }

    async fn purge(&self, now: DateTime<Utc>, limit: NonZeroUsize) -> Result<usize, BackendError> {
        let limit = document::one_more(limit) - 1;
        let rows = self.pool.rows(Kind::Write, |s| &s.purge, &[&micros(now), &limit]).await;
        Ok(rows.map_err(|failed| failed.during("one_time.purge"))?.len())
    }
}
