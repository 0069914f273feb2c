//! Commits that wait together, written by one statement.
//!
//! The statement knows one answer: all of them are written. Where anything stands in the way of any of them it fails,
//! PostgreSQL undoes it, and whatever stands in the way is in the end written by the statement for a single commit, which
//! says exactly what is wrong. So nothing here needs to tell reasons apart, and the rows can come as plain columns: each
//! column is one parameter.

mod columns;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

pub(super) use self::{
    columns::Columns,
    text::{BATCH, BATCH_CREATES, BATCH_UPDATES},
};
use crate::{
    draft::{CounterDraft, Draft},
    kept::{KeptDraft, PlaceDraft},
};

/// Says which tables a statement writes: every one of them costs something, also where it gets no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Accounts and documents that change and keep what they are found by.
    Updates,
    /// Accounts and documents that come.
    Creates,
    Whole,
}

impl Shape {
    /// Tells whether the table is one of them, by its name in [`Columns`].
    fn writes(self, table: &str) -> bool {
        const UPDATES: [&str; 3] = ["updated", "changed", "events"];
        const CREATES: [&str; 9] = [
            "identities",
            "created",
            "lookups_added",
            "entitlements_added",
            "made",
            "names_added",
            "tasks",
            "events",
            "counters",
        ];
        match self {
            Self::Updates => UPDATES.contains(&table),
            Self::Creates => CREATES.contains(&table),
            Self::Whole => true,
        }
    }
}

/// What the documents of a commit may take that is written with others: they wait for it.
const DOCUMENTS_BYTES: usize = 64 * 1024;

/// Tells whether a commit may be written with others: all but those that link an account anew, forget one, remove documents,
/// change who is a member, or write a lot.
pub(super) fn joins(draft: &Draft) -> bool {
    let keeps_its_links = draft.account.as_ref().is_none_or(|account| {
        account.identities_removed.is_empty()
            && (account.expected.is_none() || account.identities_added.is_empty())
    });
    let writes_little = |kept: &KeptDraft| kept.only_writes_documents() && kept.size() <= DOCUMENTS_BYTES;
    keeps_its_links && draft.forgotten.is_empty() && draft.kept.as_ref().is_none_or(writes_little)
}

/// What one commit of a batch alone may change or take.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    UserName(String),
    Account(Uuid),
    Document(PlaceDraft),
    DocumentName([u8; 32]),
}

/// Collects what the commits of a batch must not have in common.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    claims: BTreeSet<(String, Claim)>,
    counters: BTreeMap<(String, String), CounterDraft>,
}

impl Gathered {
    /// Collects what these have, each of which can be written with the others.
    pub(super) fn of(drafts: &[&Draft]) -> Self {
        let mut gathered = Self::default();
        for draft in drafts {
            gathered.take(draft);
        }
        gathered
    }

    /// Takes a commit in, unless it cannot be written together with those that are in.
    ///
    /// Of two that take one name or change one row, one is bound to fail, and would spoil the batch. Several may move one
    /// counter where neither the steps in between nor their order matter: upward, below the least of their upper bounds.
    pub(super) fn take(&mut self, draft: &Draft) -> bool {
        let tenant = draft.tenant.as_str().to_owned();
        let claims: Vec<_> = claims(draft).into_iter().map(|claim| (tenant.clone(), claim)).collect();
        if claims.iter().any(|claim| self.claims.contains(claim)) {
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
        self.claims.extend(claims);
        true
    }
}

fn claims(draft: &Draft) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(account) = &draft.account {
        claims.extend(account.user_name_key.clone().map(Claim::UserName));
        claims.extend(account.expected.map(|_| Claim::Account(account.id)));
    }
    if let Some(kept) = &draft.kept {
        claims.extend(kept.changed.iter().map(|row| Claim::Document(row.place.clone())));
        let unique = kept.names_added.iter().filter(|name| name.index.is_some());
        claims.extend(unique.map(|name| Claim::DocumentName(name.digest)));
    }
    claims
}

fn merge(one: &CounterDraft, other: &CounterDraft) -> Option<CounterDraft> {
    let is_upward = |counter: &CounterDraft| counter.step >= 0 && counter.at_least.is_none();
    let step = one.step.checked_add(other.step)?;
    let at_most = one.at_most.into_iter().chain(other.at_most).min();
    let fits = is_upward(one) && is_upward(other) && at_most.is_none_or(|most| step <= most);
    fits.then(|| CounterDraft { name: one.name.clone(), step, at_least: None, at_most })
}
