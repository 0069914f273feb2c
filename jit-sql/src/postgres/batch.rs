//! Commits that wait together, written by one statement.
//!
//! The statement knows one answer: all of them are written. Where anything stands in the way of any of them it fails,
//! PostgreSQL undoes it, and whatever stands in the way is in the end written by the statement for a single commit, which
//! says exactly what is wrong. So nothing here needs to tell reasons apart, and the rows can come as plain columns: each
//! column is one parameter.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::draft::{AccountDraft, CounterDraft, Draft, EventDraft, IdentityDraft, LookupDraft, TaskDraft};

/// Writes the commits of a batch, or fails.
///
/// Rows that others may hold are taken in the order of the other statements: identities, accounts (for their names),
/// counters; and each kind in the order of its keys, so that two batches wait for each other instead of blocking each
/// other. Whoever holds one for long, an application in a transaction of its own, must not hold up a whole batch: it
/// gives up early.
pub(super) const BATCH: &str = "WITH
hurried AS MATERIALIZED (SELECT set_config('lock_timeout', '100ms', true)),
linked AS (
  INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
  SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::uuid[])
  FROM hurried
  ON CONFLICT DO NOTHING
  RETURNING 1
),
account AS (
  INSERT INTO jit_account (tenant, id, version, state, user_name_key, ends_at, last_seen, document)
  SELECT unnest($6::text[]), unnest($7::uuid[]), 1, unnest($8::text[]), unnest($9::text[]), unnest($10::bigint[]),
    unnest($11::bigint[]), unnest($12::text[])::json
  FROM (SELECT count(*) AS made FROM linked) AS links
  WHERE made = cardinality($1)
  RETURNING 1
),
looked_up AS (
  INSERT INTO jit_lookup (tenant, kind, digest, account)
  SELECT unnest($13::text[]), unnest($14::text[]), unnest($15::bytea[]), unnest($16::uuid[])
),
entitled AS (
  INSERT INTO jit_entitlement (tenant, entitlement, account)
  SELECT unnest($17::text[]), unnest($18::text[]), unnest($19::uuid[])
),
task AS (
  INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document)
  SELECT unnest($20::text[]), unnest($21::uuid[]), unnest($22::text[]), unnest($23::uuid[]), unnest($24::bigint[]),
    unnest($24::bigint[]), unnest($25::text[])::json
),
event AS (
  INSERT INTO jit_audit (tenant, id, account, at, document)
  SELECT unnest($26::text[]), unnest($27::uuid[]), unnest($28::uuid[]), unnest($29::bigint[]),
    unnest($30::text[])::json
),
counter AS (
  INSERT INTO jit_counter AS c (tenant, name, value)
  SELECT unnest($31::text[]), unnest($32::text[]), unnest($33::bigint[])
  FROM (SELECT count(*) FROM account) AS accounts_first
  ON CONFLICT (tenant, name) DO UPDATE SET value = c.value + excluded.value
  RETURNING name, tenant, value
),
bound AS MATERIALIZED (
  SELECT unnest($31::text[]) AS tenant, unnest($32::text[]) AS name, unnest($34::bigint[]) AS least,
    unnest($35::bigint[]) AS most
)
SELECT 1 / CASE WHEN (SELECT count(*) FROM account) = cardinality($6) AND NOT EXISTS (
  SELECT FROM counter c, bound b
  WHERE b.name = c.name AND b.tenant = c.tenant AND (c.value < b.least OR c.value > b.most)
) THEN 1 ELSE 0 END";

/// Tells whether a commit may be written with others: all but those that change or withdraw what is there, or keep
/// documents.
pub(super) fn joins(draft: &Draft) -> bool {
    let creates = draft.account.as_ref().is_none_or(|account| account.expected.is_none());
    creates && draft.withdrawn.is_empty() && draft.kept.is_none()
}

/// Collects what the commits of a batch must not have in common.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    names: BTreeSet<(String, String)>,
    counters: BTreeMap<(String, String), CounterDraft>,
}

impl Gathered {
    /// Takes a commit in, unless it cannot be written together with those that are in.
    ///
    /// Of two with one name one is bound to fail, and would spoil the batch. Several may move one counter where neither
    /// the steps in between nor their order matter: upward, below the least of their upper bounds.
    pub(super) fn take(&mut self, draft: &Draft) -> bool {
        let tenant = draft.tenant.as_str().to_owned();
        let name = draft.account.as_ref().and_then(|account| account.user_name_key.clone());
        let name = name.map(|name| (tenant.clone(), name));
        if name.as_ref().is_some_and(|name| self.names.contains(name)) {
            return false;
        }
        let mut merged = Vec::with_capacity(draft.counters.len());
        for counter in &draft.counters {
            let key = (tenant.clone(), counter.name.as_str().to_owned());
            let counter = match self.counters.get(&key) {
                None => Some(counter.clone()),
                Some(other) => merge(other, counter),
            };
            let Some(counter) = counter else { return false };
            merged.push((key, counter));
        }
        self.counters.extend(merged);
        self.names.extend(name);
        true
    }
}

fn merge(one: &CounterDraft, other: &CounterDraft) -> Option<CounterDraft> {
    let is_upward = |counter: &CounterDraft| counter.step >= 0 && counter.at_least.is_none();
    let step = one.step.checked_add(other.step)?;
    let at_most = one.at_most.into_iter().chain(other.at_most).min();
    let fits = is_upward(one) && is_upward(other) && at_most.is_none_or(|most| step <= most);
    fits.then(|| CounterDraft { name: one.name.clone(), step, at_least: None, at_most })
}

/// Defines the rows for one table, column by column.
macro_rules! table {
    ($name:ident { $($column:ident: $type:ty,)* }) => {
        #[derive(Default)]
        struct $name<'a> {
            $($column: Vec<$type>,)*
        }

        impl<'a> $name<'a> {
            fn push(&mut self, ($($column,)*): ($($type,)*)) {
                $(self.$column.push($column);)*
            }

            fn parameters(&self) -> impl Iterator<Item = &(dyn ToSql + Sync)> {
                [$(&self.$column as &(dyn ToSql + Sync)),*].into_iter()
            }
        }
    };
}

table!(Identities { tenant: &'a str, connection: &'a str, issuer: &'a str, subject: &'a str, account: Uuid, });
table!(Accounts {
    tenant: &'a str,
    id: Uuid,
    state: &'a str,
    user_name_key: Option<&'a str>,
    ends_at: Option<i64>,
    last_seen: Option<i64>,
    document: &'a str,
});
table!(Lookups { tenant: &'a str, kind: &'a str, digest: &'a [u8], account: Uuid, });
table!(Entitlements { tenant: &'a str, name: &'a str, account: Uuid, });
table!(Tasks { tenant: &'a str, id: Uuid, lane: &'a str, account: Uuid, due: i64, document: &'a str, });
table!(Events { tenant: &'a str, id: Uuid, account: Option<Uuid>, at: i64, document: &'a str, });
table!(Counters { tenant: &'a str, name: &'a str, step: i64, at_least: Option<i64>, at_most: Option<i64>, });

/// Holds the rows of a batch.
#[derive(Default)]
pub(super) struct Columns<'a> {
    identities: Identities<'a>,
    accounts: Accounts<'a>,
    lookups: Lookups<'a>,
    entitlements: Entitlements<'a>,
    tasks: Tasks<'a>,
    events: Events<'a>,
    counters: Counters<'a>,
}

impl<'a> Columns<'a> {
    /// Lays out the rows of commits that were gathered.
    pub(super) fn of(drafts: &[&'a Draft], gathered: &'a Gathered) -> Self {
        let mut columns = Self::default();
        let (mut identities, mut accounts) = (Vec::new(), Vec::new());
        for draft in drafts {
            let tenant = draft.tenant.as_str();
            columns.record(tenant, draft);
            if let Some(account) = &draft.account {
                columns.index(tenant, account);
                accounts.push((tenant, account));
                identities
                    .extend(account.identities_added.iter().map(|identity| (tenant, identity, account.id)));
            }
        }
        identities.sort();
        for (tenant, IdentityDraft { connection, issuer, subject }, account) in identities {
            columns.identities.push((tenant, connection, issuer, subject, account));
        }
        accounts.sort_by_key(|(tenant, account)| (*tenant, &account.user_name_key));
        for (tenant, account) in accounts {
            let AccountDraft { id, state, user_name_key, ends_at, last_seen, document, .. } = account;
            let name = user_name_key.as_deref();
            columns.accounts.push((tenant, *id, state, name, *ends_at, *last_seen, document));
        }
        for ((tenant, name), CounterDraft { step, at_least, at_most, .. }) in &gathered.counters {
            columns.counters.push((tenant, name, *step, *at_least, *at_most));
        }
        columns
    }

    fn index(&mut self, tenant: &'a str, account: &'a AccountDraft) {
        for LookupDraft { kind, digest } in &account.lookups_added {
            self.lookups.push((tenant, kind, digest, account.id));
        }
        for name in &account.entitlements_added {
            self.entitlements.push((tenant, name, account.id));
        }
    }

    fn record(&mut self, tenant: &'a str, draft: &'a Draft) {
        for TaskDraft { id, lane, account, due, document } in &draft.tasks {
            self.tasks.push((tenant, *id, lane, *account, *due, document));
        }
        for EventDraft { id, account, at, document } in &draft.events {
            self.events.push((tenant, *id, *account, *at, document));
        }
    }

    /// The parameters of [`BATCH`], in their order.
    pub(super) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let (identities, accounts) = (self.identities.parameters(), self.accounts.parameters());
        let (lookups, entitlements) = (self.lookups.parameters(), self.entitlements.parameters());
        let (tasks, events) = (self.tasks.parameters(), self.events.parameters());
        let indexes = lookups.chain(entitlements);
        let records = tasks.chain(events).chain(self.counters.parameters());
        identities.chain(accounts).chain(indexes).chain(records).collect()
    }
}
