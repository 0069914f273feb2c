//! The rows of a batch, table by table and column by column.

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{Gathered, Shape};
use crate::{
    draft::{AccountDraft, CounterDraft, Draft, EventDraft, IdentityDraft, LookupDraft, TaskDraft},
    kept::{KeptDraft, NameDraft, RowDraft},
};

/// How the statement reads the rows of one table.
pub(super) struct Rows {
    /// Reads them, as `r`.
    pub(super) rows: String,
    /// Counts them.
    pub(super) count: String,
}

/// Defines the rows for one table: each column is one parameter of the statement.
macro_rules! table {
    ($name:ident { $($column:ident: $type:ty as $sql:literal,)* }) => {
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

            fn is_empty(&self) -> bool {
                [$(self.$column.is_empty()),*].into_iter().all(|column| column)
            }

            /// Takes the next numbers for its parameters.
            fn rows(next: &mut usize) -> Rows {
                let count = format!("cardinality(${next})");
                let parameters = [$($sql),*].map(|kind| {
                    let parameter = format!("${next}::{kind}[]");
                    *next += 1;
                    parameter
                });
                let (parameters, columns) = (parameters.join(", "), [$(stringify!($column)),*].join(", "));
                Rows { rows: format!("unnest({parameters}) AS r({columns})"), count }
            }
        }
    };
}

/// Defines the tables of a batch, in the order of their parameters.
macro_rules! tables {
    ($($field:ident: $table:ident,)*) => {
        /// Holds the rows of a batch.
        #[derive(Default)]
        pub(in crate::postgres) struct Columns<'a> {
            $($field: $table<'a>,)*
        }

        impl Columns<'_> {
            /// The shape of the least statement that writes all of them.
            pub(in crate::postgres) fn shape(&self) -> Shape {
                let fits = |shape: &Shape| {
                    true $(&& (self.$field.is_empty() || shape.writes(stringify!($field))))*
                };
                [Shape::Updates, Shape::Creates].into_iter().find(fits).unwrap_or(Shape::Whole)
            }

            /// The parameters of the statement of a shape, in their order.
            pub(in crate::postgres) fn parameters(&self, of: Shape) -> Vec<&(dyn ToSql + Sync)> {
                let mut all = Vec::new();
                $(if of.writes(stringify!($field)) { all.extend(self.$field.parameters()); })*
                all
            }
        }

        /// Holds how the statement of a shape reads them.
        pub(super) struct Tables {
            $(pub(super) $field: Option<Rows>,)*
        }

        impl Tables {
            pub(super) fn new(of: Shape) -> Self {
                let mut next = 1;
                Self { $($field: of.writes(stringify!($field)).then(|| $table::rows(&mut next)),)* }
            }
        }
    };
}

table!(Identities {
    tenant: &'a str as "text",
    connection: &'a str as "text",
    issuer: &'a str as "text",
    subject: &'a str as "text",
    account: Uuid as "uuid",
});
table!(Accounts {
    tenant: &'a str as "text",
    id: Uuid as "uuid",
    expected: Option<i64> as "bigint",
    version: i64 as "bigint",
    state: &'a str as "text",
    user_name_key: Option<&'a str> as "text",
    ends_at: Option<i64> as "bigint",
    last_seen: Option<i64> as "bigint",
    unused_since: Option<i64> as "bigint",
    document: &'a str as "text",
});
table!(Lookups {
    tenant: &'a str as "text",
    kind: &'a str as "text",
    digest: &'a [u8] as "bytea",
    account: Uuid as "uuid",
});
table!(Entitlements { tenant: &'a str as "text", name: &'a str as "text", account: Uuid as "uuid", });
table!(Documents {
    tenant: &'a str as "text",
    connection: &'a str as "text",
    kind: &'a str as "text",
    id: Uuid as "uuid",
    expected: Option<i64> as "bigint",
    created_at: i64 as "bigint",
    changed_at: i64 as "bigint",
    account: Option<Uuid> as "uuid",
    names: &'a str as "text",
    body: &'a str as "text",
});
table!(Names {
    tenant: &'a str as "text",
    connection: &'a str as "text",
    kind: &'a str as "text",
    digest: &'a [u8] as "bytea",
    tie: Uuid as "uuid",
    document: Uuid as "uuid",
});
table!(Tasks {
    tenant: &'a str as "text",
    id: Uuid as "uuid",
    lane: &'a str as "text",
    account: Uuid as "uuid",
    due: i64 as "bigint",
    document: &'a str as "text",
});
table!(Withdrawn { tenant: &'a str as "text", id: Uuid as "uuid", });
table!(Events {
    tenant: &'a str as "text",
    id: Uuid as "uuid",
    account: Option<Uuid> as "uuid",
    at: i64 as "bigint",
    document: &'a str as "text",
});
table!(Counters {
    tenant: &'a str as "text",
    name: &'a str as "text",
    step: i64 as "bigint",
    at_least: Option<i64> as "bigint",
    at_most: Option<i64> as "bigint",
});

tables! {
    identities: Identities,
    created: Accounts,
    updated: Accounts,
    lookups_removed: Lookups,
    lookups_added: Lookups,
    entitlements_removed: Entitlements,
    entitlements_added: Entitlements,
    made: Documents,
    changed: Documents,
    names_removed: Names,
    names_added: Names,
    tasks: Tasks,
    withdrawn: Withdrawn,
    events: Events,
    counters: Counters,
}

impl<'a> Columns<'a> {
    /// Lays out the rows of commits that were gathered. Rows that others may hold come in the order of their keys, so that
    /// two batches wait for each other instead of blocking each other.
    pub(in crate::postgres) fn of(drafts: &[&'a Draft], gathered: &'a Gathered) -> Self {
        let mut columns = Self::default();
        let (mut accounts, mut identities) = (Vec::new(), Vec::new());
        let (mut documents, mut names) = (Vec::new(), Vec::new());
        for draft in drafts {
            let tenant = draft.tenant.as_str();
            columns.record(tenant, draft);
            if let Some(account) = &draft.account {
                columns.index(tenant, account);
                accounts.push((tenant, account));
                identities
                    .extend(account.identities_added.iter().map(|identity| (tenant, identity, account.id)));
            }
            if let Some(KeptDraft { made, changed, names_removed, names_added, .. }) = &draft.kept {
                documents.extend(made.iter().chain(changed).map(|row| (tenant, row)));
                names.extend(names_removed.iter().map(|name| (tenant, name, false)));
                names.extend(names_added.iter().map(|name| (tenant, name, true)));
            }
        }
        identities.sort();
        for (tenant, IdentityDraft { connection, issuer, subject }, account) in identities {
            columns.identities.push((tenant, connection, issuer, subject, account));
        }
        accounts.sort_by_key(|(tenant, account)| (*tenant, &account.user_name_key, account.id));
        for (tenant, account) in accounts {
            columns.account(tenant, account);
        }
        documents.sort_by_key(|(tenant, row)| (*tenant, &row.place));
        for (tenant, row) in documents {
            columns.document(tenant, row);
        }
        names.sort();
        for (tenant, name, is_added) in names {
            columns.name(tenant, name, is_added);
        }
        for ((tenant, name), CounterDraft { step, at_least, at_most, .. }) in &gathered.counters {
            columns.counters.push((tenant, name, *step, *at_least, *at_most));
        }
        columns
    }

    fn account(&mut self, tenant: &'a str, account: &'a AccountDraft) {
        let AccountDraft { id, expected, version, state, ends_at, last_seen, unused_since, document, .. } =
            account;
        let name = account.user_name_key.as_deref();
        let rows = if expected.is_none() { &mut self.created } else { &mut self.updated };
        let instants = (*ends_at, *last_seen, *unused_since);
        rows.push((
            tenant, *id, *expected, *version, state, name, instants.0, instants.1, instants.2, document,
        ));
    }

    fn index(&mut self, tenant: &'a str, account: &'a AccountDraft) {
        for LookupDraft { kind, digest } in &account.lookups_removed {
            self.lookups_removed.push((tenant, kind, digest, account.id));
        }
        for LookupDraft { kind, digest } in &account.lookups_added {
            self.lookups_added.push((tenant, kind, digest, account.id));
        }
        for name in &account.entitlements_removed {
            self.entitlements_removed.push((tenant, name, account.id));
        }
        for name in &account.entitlements_added {
            self.entitlements_added.push((tenant, name, account.id));
        }
    }

    fn document(&mut self, tenant: &'a str, row: &'a RowDraft) {
        let RowDraft { place, expected, created_at, changed_at, account, names, body } = row;
        let (connection, kind) = (place.connection.as_str(), place.kind.as_str());
        let rows = if expected.is_none() { &mut self.made } else { &mut self.changed };
        let instants = (*created_at, *changed_at);
        rows.push((
            tenant, connection, kind, place.id, *expected, instants.0, instants.1, *account, names, body,
        ));
    }

    fn name(&mut self, tenant: &'a str, name: &'a NameDraft, is_added: bool) {
        let NameDraft { connection, kind, digest, tie, document, .. } = name;
        let rows = if is_added { &mut self.names_added } else { &mut self.names_removed };
        rows.push((tenant, connection.as_str(), kind.as_str(), digest, *tie, *document));
    }

    fn record(&mut self, tenant: &'a str, draft: &'a Draft) {
        for TaskDraft { id, lane, account, due, document } in &draft.tasks {
            self.tasks.push((tenant, *id, lane, *account, *due, document));
        }
        for id in &draft.withdrawn {
            self.withdrawn.push((tenant, *id));
        }
        for EventDraft { id, account, at, document } in &draft.events {
            self.events.push((tenant, *id, *account, *at, document));
        }
    }
}
