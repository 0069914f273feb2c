//! Accounts.

use std::{collections::BTreeMap, num::NonZeroUsize};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{
    Account, AccountId, BackendError, Commit, Cursor, ErrorKind, ExternalKey, Filter, LookupKey, Matches,
    Over, Page, Query, Seen, TenantId, UserStore,
};
use tokio_postgres::{Row, Statement, types::ToSql};
use uuid::Uuid;

use super::{
    PostgresStore,
    error::{malformed, unreadable},
    lookups::{Carried, Look as _},
    pool::Kind,
    statements::Statements,
};
use crate::{
    document,
    draft::{Draft, LookupDraft, in_order, instant_in_order, micros},
};

#[async_trait]
impl UserStore for PostgresStore {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        let rows = self.by_identity.rows(key).await?;
        rows.first().map(|row| account(row, ExternalKey::OPERATION)).transpose()
    }

    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.account("users.get", |s| &s.by_id, &[&tenant.as_str(), &id.as_uuid()]).await
    }

    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        let rows = self.by_lookup.rows(&Carried::new(tenant, key)).await?;
        let found = rows.iter().map(|row| account(row, Carried::OPERATION)).collect::<Result<_, _>>()?;
        Ok(document::matches(found))
    }

    async fn named(&self, tenant: &TenantId, user_name_key: &str) -> Result<Option<Account>, BackendError> {
        // No text of PostgreSQL holds this character, and so no name either.
        if user_name_key.contains('\0') {
            return Ok(None);
        }
        self.account("users.named", |s| &s.named, &[&tenant.as_str(), &user_name_key]).await
    }

    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        let list = "users.list";
        let tenant = query.tenant.as_str();
        let after = query.after.map_or(Uuid::nil(), jit_core::Cursor::id);
        let limit = document::one_more(query.limit);
        let items = match &query.filter {
            Filter::All => self.accounts(list, |s| &s.list, &[&tenant, &after, &limit]).await?,
            Filter::State(word) => {
                self.accounts(list, |s| &s.list_state, &[&tenant, &after, &limit, word]).await?
            }
            Filter::Holding(entitlement) => {
                let name = entitlement.as_str();
                self.accounts(list, |s| &s.list_holding, &[&tenant, &after, &limit, &name]).await?
            }
            Filter::Bearing(key) => {
                let LookupDraft { kind, digest } = LookupDraft::of(key);
                let params: [&(dyn ToSql + Sync); 5] = [&tenant, &after, &limit, &kind, &digest.as_slice()];
                self.accounts(list, |s| &s.list_bearing, &params).await?
            }
            _ => return Err(BackendError::new(ErrorKind::Invalid, list).caused_by("the filter is not known")),
        };
        Ok(document::page(items, query.limit, |account| account.id.as_uuid()))
    }

    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        let bearers = "users.bearers";
        let from = after.map_or(Uuid::nil(), Cursor::id);
        let LookupDraft { kind, digest } = LookupDraft::of(key);
        let (tenant, rows) = (tenant.as_str(), document::one_more(limit));
        let params: [&(dyn ToSql + Sync); 5] = [&tenant, &from, &rows, &kind, &digest.as_slice()];
        let rows = self.pool.rows(Kind::Read, |s| &s.bearers, &params).await;
        let rows = rows.map_err(|failed| failed.during(bearers))?;
        let ids = rows.iter().map(|row| row.try_get(0).map_err(malformed(bearers)));
        Ok(document::page_of_ids(ids.collect::<Result<_, _>>()?, limit))
    }

    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        let long_over = "users.long_over";
        // No digest is empty, so that all come after that.
        let (from, id) = after.map_or((Vec::new(), Uuid::nil()), |over| {
            (in_order(over.since).to_vec(), over.account.as_uuid())
        });
        let (tenant, until, rows) = (tenant.as_str(), in_order(until), document::one_more(limit) - 1);
        let params: [&(dyn ToSql + Sync); 5] = [&tenant, &from, &id, &until.as_slice(), &rows];
        let rows = self.pool.rows(Kind::Read, |s| &s.long_over, &params).await;
        let rows = rows.map_err(|failed| failed.during(long_over))?;
        rows.iter().map(|row| over(row).map_err(malformed(long_over))?.ok_or(corrupt(long_over))).collect()
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        self.commits.write(Draft::of(commit)?).await
    }

    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        // Each account once and all in one order: two nodes that touch the same accounts wait instead of blocking
        // each other.
        let mut latest: BTreeMap<(&str, Uuid), i64> = BTreeMap::new();
        for Seen { tenant, account, at } in seen {
            let instant = latest.entry((tenant.as_str(), account.as_uuid())).or_insert(i64::MIN);
            *instant = micros(*at).max(*instant);
        }
        let latest: Vec<_> = latest.into_iter().collect();
        for part in latest.chunks(jit_core::PAGE_ITEMS) {
            let tenants: Vec<&str> = part.iter().map(|((tenant, _), _)| *tenant).collect();
            let accounts: Vec<Uuid> = part.iter().map(|((_, id), _)| *id).collect();
            let instants: Vec<i64> = part.iter().map(|(_, at)| *at).collect();
            let params: [&(dyn ToSql + Sync); 3] = [&tenants, &accounts, &instants];
            let touched = self.pool.rows(Kind::Write, |s| &s.touch, &params).await;
            touched.map_err(|failed| failed.during("users.touch"))?;
        }
        Ok(())
    }
}

impl PostgresStore {
    async fn account(
        &self,
        operation: &'static str,
        statement: fn(&Statements) -> &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Account>, BackendError> {
        Ok(self.accounts(operation, statement, params).await?.pop())
    }

    async fn accounts(
        &self,
        operation: &'static str,
        statement: fn(&Statements) -> &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Account>, BackendError> {
        let rows = self.pool.rows(Kind::Read, statement, params).await;
        let rows = rows.map_err(|failed| failed.during(operation))?;
        rows.iter().map(|row| account(row, operation)).collect()
    }
}

fn account(row: &Row, operation: &'static str) -> Result<Account, BackendError> {
    let text = row.try_get(0).map_err(malformed(operation))?;
    let last_seen = row.try_get(1).map_err(malformed(operation))?;
    document::account(text, last_seen).map_err(unreadable(operation))
}

fn over(row: &Row) -> Result<Option<Over>, tokio_postgres::Error> {
    let since = instant_in_order(row.try_get(0)?);
    let account = AccountId::from_uuid(row.try_get(1)?);
    Ok(since.map(|since| Over { since, account }))
}

fn corrupt(operation: &'static str) -> BackendError {
    BackendError::new(ErrorKind::Corrupt, operation)
}
