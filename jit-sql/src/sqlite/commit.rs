//! The atomic write, statement by statement within one savepoint.

use jit_core::{ErrorKind, Taken};
use rusqlite::Params;
use uuid::Uuid;

use super::{
    error::{Refused, is_unique_violation},
    kept,
    session::Session,
};
use crate::draft::{AccountDraft, CounterDraft, Draft, ForgottenDraft, IdentityDraft, LookupDraft};

/// Writes a commit; after an error the caller rolls the savepoint back.
///
/// One connection writes at a time, so that what is read here holds until the end of the transaction.
pub(super) fn write(session: &Session<'_>, draft: &Draft) -> Result<(), Refused> {
    let commit = Write { session, tenant: draft.tenant.as_str() };
    // What is refused most often comes first, before anything is written.
    let (seldom_refused, others): (Vec<_>, Vec<_>) =
        draft.counters.iter().partition(|counter| is_seldom_refused(counter));
    let arrivals = others.into_iter().map(|counter| commit.arrival(counter));
    let arrivals = arrivals.collect::<Result<Vec<_>, _>>()?;
    if let Some(kept) = &draft.kept {
        kept::write(session, commit.tenant, kept)?;
    }
    if let Some(account) = &draft.account {
        commit.account(account)?;
    }
    draft.forgotten.iter().try_for_each(|account| commit.forget(account))?;
    commit.tasks(draft)?;
    commit.events(draft)?;
    for (name, value) in arrivals {
        commit.run(COUNT, (commit.tenant, name, value))?;
    }
    seldom_refused.into_iter().try_for_each(|counter| commit.count_within(counter))
}

/// Tells whether a counter is read and moved by one statement, at the end. Whoever brings an address has looked for it, so
/// that only somebody who came with it at the same moment stands in the way.
fn is_seldom_refused(counter: &CounterDraft) -> bool {
    counter.name.is_address() && counter.allows(counter.step)
}

struct Write<'a, 'c> {
    session: &'a Session<'c>,
    tenant: &'a str,
}

impl Write<'_, '_> {
    /// Runs a statement and tells how many rows it changed.
    fn run(&self, sql: &'static str, params: impl Params) -> Result<usize, rusqlite::Error> {
        self.session.run(sql, params)
    }

    fn account(&self, account: &AccountDraft) -> Result<(), Refused> {
        match account.expected {
            None => self.create(account)?,
            Some(expected) => self.update(account, expected)?,
        }
        self.identities(account)?;
        for key in &account.lookups_removed {
            self.run(NOT_LOOKED_UP, (self.tenant, &key.kind, &key.digest, account.id.as_bytes()))?;
        }
        for LookupDraft { kind, digest } in &account.lookups_added {
            self.run(LOOKED_UP, (self.tenant, kind, digest, account.id.as_bytes()))?;
        }
        for name in &account.entitlements_removed {
            self.run(NOT_ENTITLED, (self.tenant, name, account.id.as_bytes()))?;
        }
        for name in &account.entitlements_added {
            self.run(ENTITLED, (self.tenant, name, account.id.as_bytes()))?;
        }
        Ok(())
    }

    fn identities(&self, account: &AccountDraft) -> Result<(), Refused> {
        if account.identities_removed.is_empty() && account.identities_added.is_empty() {
            return Ok(());
        }
        let seq = match account.expected {
            None => Some(self.session.last_row()),
            Some(_) => self.session.row(SEQ, (self.tenant, account.id.as_bytes()), |row| Ok(row.get(0)?))?,
        };
        let seq = seq.ok_or(Refused::Kind(ErrorKind::Conflict))?;
        for identity in &account.identities_removed {
            self.unlink(identity, seq)?;
        }
        account.identities_added.iter().try_for_each(|identity| self.link(identity, seq))
    }

    fn create(&self, account: &AccountDraft) -> Result<(), Refused> {
        let AccountDraft { id, version, state, user_name_key, ends_at, last_seen, document, .. } = account;
        let created = self.run(
            CREATE,
            (self.tenant, id.as_bytes(), version, state, user_name_key, ends_at, last_seen, document),
        );
        match created {
            Ok(1) => Ok(()),
            Ok(_) => self.taken(account, Taken::Account),
            Err(error) if is_unique_violation(&error) => self.taken(account, Taken::UserName),
            Err(error) => Err(error.into()),
        }
    }

    /// Names the identity first: somebody who signs in for the second time has the name of the first.
    fn taken(&self, account: &AccountDraft, otherwise: Taken) -> Result<(), Refused> {
        for IdentityDraft { connection, issuer, subject } in &account.identities_added {
            let params = (self.tenant, connection, issuer, subject);
            if self.session.row(HOLDER, params, |_| Ok(()))?.is_some() {
                return Err(Refused::Kind(ErrorKind::AlreadyExists(Taken::Identity)));
            }
        }
        Err(Refused::Kind(ErrorKind::AlreadyExists(otherwise)))
    }

    fn update(&self, account: &AccountDraft, expected: i64) -> Result<(), Refused> {
        let AccountDraft { id, version, state, user_name_key, ends_at, last_seen, document, .. } = account;
        let params = (
            self.tenant,
            id.as_bytes(),
            expected,
            version,
            state,
            user_name_key,
            ends_at,
            last_seen,
            document,
            account.unused_since,
        );
        if account.keeps_state_and_name && self.run(UPDATE_ROW, params)? == 1 {
            return Ok(());
        }
        match self.run(UPDATE, params) {
            Ok(1) => Ok(()),
            Ok(_) => Err(Refused::Kind(ErrorKind::Conflict)),
            Err(error) if is_unique_violation(&error) => {
                Err(Refused::Kind(ErrorKind::AlreadyExists(Taken::UserName)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves of an account nothing but that its id is taken.
    fn forget(&self, account: &ForgottenDraft) -> Result<(), Refused> {
        let ForgottenDraft { id, expected, key: LookupDraft { kind, digest } } = account;
        if self.run(FORGET, (self.tenant, id.as_bytes(), expected))? == 0 {
            return Err(Refused::Kind(ErrorKind::Conflict));
        }
        self.run(NOT_LOOKED_UP, (self.tenant, kind, digest, id.as_bytes()))?;
        Ok(())
    }

    fn link(&self, identity: &IdentityDraft, seq: i64) -> Result<(), Refused> {
        let IdentityDraft { connection, issuer, subject } = identity;
        match self.run(LINK, (self.tenant, connection, issuer, subject, seq))? {
            1 => Ok(()),
            _ => Err(Refused::Kind(ErrorKind::AlreadyExists(Taken::Identity))),
        }
    }

    fn unlink(&self, identity: &IdentityDraft, seq: i64) -> Result<usize, rusqlite::Error> {
        let IdentityDraft { connection, issuer, subject } = identity;
        self.run(UNLINK, (self.tenant, connection, issuer, subject, seq))
    }

    fn tasks(&self, draft: &Draft) -> Result<(), Refused> {
        for id in &draft.withdrawn {
            self.run(WITHDRAW, (self.tenant, id.as_bytes()))?;
        }
        for task in &draft.tasks {
            let account = task.account.as_bytes();
            let params = (self.tenant, task.id.as_bytes(), &task.lane, account, task.due, &task.document);
            if self.run(TASK, params)? == 0 {
                return Err(Refused::Kind(ErrorKind::AlreadyExists(Taken::Task)));
            }
        }
        Ok(())
    }

    fn events(&self, draft: &Draft) -> Result<(), Refused> {
        for event in &draft.events {
            let account = event.account.as_ref().map(Uuid::as_bytes);
            let params = (self.tenant, event.id.as_bytes(), account, event.at, &event.document);
            if self.run(EVENT, params)? == 0 {
                return Err(Refused::Kind(ErrorKind::Conflict));
            }
        }
        Ok(())
    }

    /// Where a change brings its counter.
    fn arrival<'c>(&self, counter: &'c CounterDraft) -> Result<(&'c str, i64), Refused> {
        let name = counter.name.as_str();
        let value: Option<i64> = self.session.row(COUNTER, (self.tenant, name), |row| Ok(row.get(0)?))?;
        let arrival = value.unwrap_or(0).checked_add(counter.step).filter(|value| counter.allows(*value));
        Ok((name, arrival.ok_or_else(|| limit_reached(counter))?))
    }

    /// Moves a counter that may begin with the step, if it stays within its bounds.
    fn count_within(&self, counter: &CounterDraft) -> Result<(), Refused> {
        let CounterDraft { name, step, at_least, at_most } = counter;
        match self.run(COUNT_WITHIN, (self.tenant, name.as_str(), step, at_least, at_most))? {
            0 => Err(limit_reached(counter)),
            _ => Ok(()),
        }
    }
}

fn limit_reached(counter: &CounterDraft) -> Refused {
    Refused::Kind(ErrorKind::LimitReached(counter.name.clone()))
}

// The conflict on the id is an answer; one on the user name is an error, and the only one that this can have.
const CREATE: &str = "INSERT INTO jit_account \
    (tenant, id, version, state, user_name_key, ends_at, last_seen, document) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (tenant, id) DO NOTHING";

// Updates go without RETURNING, for which SQLite makes a table in memory each time, and copies each page that it is about to
// change.

// Of an account that keeps its state and its name, as most do. SQLite writes the entries of an index anew wherever a
// statement sets its columns, also to what they are.
pub(super) const UPDATE_ROW: &str = "UPDATE jit_account SET version = ?4, ends_at = ?7, \
    last_seen = max(coalesce(last_seen, ?8), coalesce(?8, last_seen)), document = ?9 \
    WHERE tenant = ?1 AND id = ?2 AND version = ?3 AND +state = ?5 AND +user_name_key IS ?6 \
    AND coalesce(last_seen <= ?10, true)";

pub(super) const UPDATE: &str = "UPDATE jit_account SET version = ?4, state = ?5, user_name_key = ?6, ends_at = ?7, \
    last_seen = max(coalesce(last_seen, ?8), coalesce(?8, last_seen)), document = ?9 \
    WHERE tenant = ?1 AND id = ?2 AND version = ?3 AND coalesce(last_seen <= ?10, true)";

// None is ever at the last version, so that nobody writes over it.
const FORGET: &str = "UPDATE jit_account SET version = 9223372036854775807, state = 'forgotten', ends_at = NULL, \
    last_seen = NULL, document = '{}' WHERE tenant = ?1 AND id = ?2 AND version = ?3 AND +state = 'ended'";

const SEQ: &str = "SELECT seq FROM jit_account WHERE tenant = ?1 AND id = ?2";

const HOLDER: &str =
    "SELECT 1 FROM jit_identity WHERE tenant = ?1 AND connection = ?2 AND issuer = ?3 AND subject = ?4";

const LINK: &str = "INSERT INTO jit_identity (tenant, connection, issuer, subject, account) \
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";

const UNLINK: &str = "DELETE FROM jit_identity \
    WHERE tenant = ?1 AND connection = ?2 AND issuer = ?3 AND subject = ?4 AND account = ?5";

const LOOKED_UP: &str = "INSERT INTO jit_lookup (tenant, kind, digest, account) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT DO NOTHING";

const NOT_LOOKED_UP: &str =
    "DELETE FROM jit_lookup WHERE tenant = ?1 AND kind = ?2 AND digest = ?3 AND account = ?4";

const ENTITLED: &str = "INSERT INTO jit_entitlement (tenant, entitlement, account) VALUES (?1, ?2, ?3) \
    ON CONFLICT DO NOTHING";

const NOT_ENTITLED: &str =
    "DELETE FROM jit_entitlement WHERE tenant = ?1 AND entitlement = ?2 AND account = ?3";

const WITHDRAW: &str = "DELETE FROM jit_task WHERE tenant = ?1 AND id = ?2";

const TASK: &str = "INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT DO NOTHING";

const EVENT: &str = "INSERT INTO jit_audit (tenant, id, account, at, document) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT DO NOTHING";

const COUNTER: &str = "SELECT value FROM jit_counter WHERE tenant = ?1 AND name = ?2";

const COUNT: &str = "INSERT INTO jit_counter (tenant, name, value) VALUES (?1, ?2, ?3) \
    ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value";

const COUNT_WITHIN: &str = "INSERT INTO jit_counter (tenant, name, value) VALUES (?1, ?2, ?3) \
    ON CONFLICT (tenant, name) DO UPDATE SET value = value + excluded.value \
    WHERE value + excluded.value BETWEEN coalesce(?4, value + excluded.value) AND coalesce(?5, value + excluded.value)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    CREATE,
    UPDATE_ROW,
    UPDATE,
    FORGET,
    SEQ,
    HOLDER,
    LINK,
    UNLINK,
    LOOKED_UP,
    NOT_LOOKED_UP,
    ENTITLED,
    NOT_ENTITLED,
    WITHDRAW,
    TASK,
    EVENT,
    COUNTER,
    COUNT,
    COUNT_WITHIN,
];
