//! Values that may be put once and taken once.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{BackendError, ErrorKind, OneTime, OneTimeKey, Taken};

use super::{SqliteStore, error::Refused, session::Session};
use crate::{document, draft::micros};

#[async_trait]
impl OneTime for SqliteStore {
    async fn put(
        &self,
        key: &OneTimeKey,
        value: &[u8],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), BackendError> {
        document::check_one_time(value)?;
        let (key, value) = (key.clone(), value.to_vec());
        let work = move |session: &Session<'_>| {
            let params = (key.tenant().as_str(), key.digest(), &value, micros(until), micros(now));
            match session.run(PUT, params)? {
                1 => Ok(()),
                _ => Err(Refused::Kind(ErrorKind::AlreadyExists(Taken::OneTime))),
            }
        };
        self.writer.run("one_time.put", work).await
    }

    async fn take(&self, key: &OneTimeKey, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, BackendError> {
        let key = key.clone();
        let work = move |session: &Session<'_>| {
            let params = (key.tenant().as_str(), key.digest());
            let entry: Option<(Vec<u8>, i64)> =
                session.row(TAKE, params, |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(entry.filter(|(_, until)| micros(now) < *until).map(|(value, _)| value))
        };
        self.writer.run("one_time.take", work).await
    }

    async fn purge(&self, now: DateTime<Utc>, limit: NonZeroUsize) -> Result<usize, BackendError> {
        let work = move |session: &Session<'_>| {
            let params = (micros(now), document::one_more(limit) - 1);
            Ok(session.run(PURGE, params)?)
        };
        self.writer.run("one_time.purge", work).await
    }
}

const PUT: &str = "INSERT INTO jit_one_time (tenant, digest, value, until) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (tenant, digest) DO UPDATE SET value = excluded.value, until = excluded.until \
    WHERE until <= ?5";

const TAKE: &str = "DELETE FROM jit_one_time WHERE tenant = ?1 AND digest = ?2 RETURNING value, until";

const PURGE: &str = "DELETE FROM jit_one_time WHERE rowid IN \
    (SELECT rowid FROM jit_one_time WHERE until <= ?1 ORDER BY until LIMIT ?2)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PUT, TAKE, PURGE];
