//! Accounts.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{
    Account, AccountId, BackendError, Commit, Cursor, ErrorKind, ExternalKey, Filter, LookupKey, Matches,
    Over, Page, Query, Seen, TenantId, UserStore,
};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::{
    SqliteStore, commit,
    error::Refused,
    readers::{row, rows},
    session::Session,
};
use crate::{
    document,
    draft::{COMMIT, Draft, LookupDraft, in_order, instant_in_order, micros},
};

#[async_trait]
impl UserStore for SqliteStore {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        let look = |on: &Connection, key: &ExternalKey, (): &()| {
            let ExternalKey { tenant, connection, issuer, subject } = key;
            let params = (tenant.as_str(), connection.as_str(), issuer.as_str(), subject.as_str());
            row(on, FIND, params, account)
        };
        self.readers.look_up("users.find", key, (), look).await
    }

    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        let look = |on: &Connection, tenant: &TenantId, id: &AccountId| {
            row(on, GET, (tenant.as_str(), id.as_uuid().as_bytes()), account)
        };
        self.readers.look_up("users.get", tenant, id, look).await
    }

    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        let look = |on: &Connection, tenant: &TenantId, LookupDraft { kind, digest }: &LookupDraft| {
            rows(on, MATCHING, (tenant.as_str(), kind, digest), account)
        };
        let found = self.readers.look_up("users.matching", tenant, LookupDraft::of(key), look).await?;
        Ok(document::matches(found))
    }

    async fn named(&self, tenant: &TenantId, user_name_key: &str) -> Result<Option<Account>, BackendError> {
        let look =
            |on: &Connection, name: &str, tenant: &TenantId| row(on, NAMED, (tenant.as_str(), name), account);
        self.readers.look_up("users.named", user_name_key, tenant.clone(), look).await
    }

    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        let tenant = query.tenant.as_str();
        // Every id is longer than no bytes and so comes after them.
        let after = query.after.map(|cursor| cursor.id().into_bytes().to_vec()).unwrap_or_default();
        let limit = document::one_more(query.limit);
        let list = "users.list";
        let items = match &query.filter {
            Filter::All => self.readers.rows(list, LIST, (tenant, after, limit), account),
            Filter::State(word) => self.readers.rows(list, LIST_STATE, (tenant, after, limit, word), account),
            Filter::Holding(entitlement) => {
                let params = (tenant, after, limit, entitlement.as_str());
                self.readers.rows(list, LIST_HOLDING, params, account)
            }
            Filter::Bearing(key) => {
                let LookupDraft { kind, digest } = LookupDraft::of(key);
                self.readers.rows(list, LIST_BEARING, (tenant, after, limit, kind, digest), account)
            }
            _ => Err(BackendError::new(ErrorKind::Invalid, list).caused_by("the filter is not known")),
        };
        Ok(document::page(items?, query.limit, |account| account.id.as_uuid()))
    }

    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        let after = after.map(|cursor| cursor.id().into_bytes().to_vec()).unwrap_or_default();
        let LookupDraft { kind, digest } = LookupDraft::of(key);
        let params = (tenant.as_str(), after, document::one_more(limit), kind, digest);
        let ids = self.readers.rows("users.bearers", BEARERS, params, |row| id(row, 0))?;
        Ok(document::page_of_ids(ids, limit))
    }

    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        // No digest is empty, so that all come after that.
        let (from, id) = after.map_or((Vec::new(), Vec::new()), |over| {
            (in_order(over.since).to_vec(), over.account.as_uuid().into_bytes().to_vec())
        });
        let params = (tenant.as_str(), from, id, in_order(until), document::one_more(limit) - 1);
        self.readers.rows("users.long_over", LONG_OVER, params, over)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        let draft = Draft::of(commit)?;
        self.writer.run(COMMIT, move |session| commit::write(session, &draft)).await
    }

    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        if seen.is_empty() {
            return Ok(());
        }
        let seen: Vec<_> = seen.to_vec();
        let touch = move |session: &Session<'_>| {
            for Seen { tenant, account, at } in &seen {
                session.run(TOUCH, (tenant.as_str(), account.as_uuid().as_bytes(), micros(*at)))?;
            }
            Ok(())
        };
        self.writer.run("users.touch", touch).await
    }
}

fn account(row: &Row<'_>) -> Result<Account, Refused> {
    let document = row.get_ref(0)?.as_str().map_err(|_| Refused::Kind(ErrorKind::Corrupt))?;
    Ok(document::account(document, row.get(1)?)?)
}

fn id(row: &Row<'_>, column: usize) -> Result<Uuid, Refused> {
    let bytes = row.get_ref(column)?.as_blob().ok().and_then(|bytes| Uuid::from_slice(bytes).ok());
    bytes.ok_or(Refused::Kind(ErrorKind::Corrupt))
}

fn over(row: &Row<'_>) -> Result<Over, Refused> {
    let since = row.get_ref(0)?.as_blob().ok().and_then(instant_in_order);
    let since = since.ok_or(Refused::Kind(ErrorKind::Corrupt))?;
    Ok(Over { since, account: AccountId::from_uuid(id(row, 1)?) })
}

/// Every statement that reads accounts.
pub(super) const READS: [&str; 10] =
    [FIND, GET, MATCHING, NAMED, LIST, LIST_STATE, LIST_HOLDING, LIST_BEARING, BEARERS, LONG_OVER];

const FIND: &str = "SELECT a.document, a.last_seen \
    FROM jit_identity i JOIN jit_account a ON a.seq = i.account \
    WHERE i.tenant = ?1 AND i.connection = ?2 AND i.issuer = ?3 AND i.subject = ?4";

const GET: &str =
    "SELECT document, last_seen FROM jit_account WHERE tenant = ?1 AND id = ?2 AND +state <> 'forgotten'";

const MATCHING: &str = "SELECT a.document, a.last_seen \
    FROM jit_lookup l JOIN jit_account a ON a.tenant = l.tenant AND a.id = l.account \
    WHERE l.tenant = ?1 AND l.kind = ?2 AND l.digest = ?3 AND +a.state <> 'forgotten' LIMIT 2";

const NAMED: &str = "SELECT document, last_seen FROM jit_account WHERE tenant = ?1 AND user_name_key = ?2";

/// One state of a list, read in the order of its index.
macro_rules! in_state {
    ($state:literal) => {
        concat!(
            "SELECT document, last_seen, id FROM jit_account INDEXED BY jit_account_state \
             WHERE tenant = ?1 AND state = '",
            $state,
            "' AND id > ?2"
        )
    };
}

const LIST: &str = concat!(merged_states!(in_state), " ORDER BY 3 LIMIT ?3");

const LIST_STATE: &str = "SELECT document, last_seen FROM jit_account INDEXED BY jit_account_state \
    WHERE tenant = ?1 AND state = ?4 AND id > ?2 ORDER BY id LIMIT ?3";

const LIST_HOLDING: &str = "SELECT a.document, a.last_seen \
    FROM jit_entitlement e JOIN jit_account a ON a.tenant = e.tenant AND a.id = e.account \
    WHERE e.tenant = ?1 AND e.entitlement = ?4 AND e.account > ?2 ORDER BY e.account LIMIT ?3";

const LIST_BEARING: &str = "SELECT a.document, a.last_seen \
    FROM jit_lookup l JOIN jit_account a ON a.tenant = l.tenant AND a.id = l.account \
    WHERE l.tenant = ?1 AND l.kind = ?4 AND l.digest = ?5 AND l.account > ?2 AND +a.state <> 'forgotten' \
    ORDER BY l.account LIMIT ?3";

const BEARERS: &str = "SELECT account FROM jit_lookup \
    WHERE tenant = ?1 AND kind = ?4 AND digest = ?5 AND account > ?2 ORDER BY account LIMIT ?3";

const LONG_OVER: &str = "SELECT digest, account FROM jit_lookup \
    WHERE tenant = ?1 AND kind = 'over_since' AND (digest, account) > (?2, ?3) AND digest <= ?4 \
    ORDER BY digest, account LIMIT ?5";

const TOUCH: &str = "UPDATE jit_account SET last_seen = ?3 \
    WHERE tenant = ?1 AND id = ?2 AND (last_seen IS NULL OR last_seen < ?3)";
