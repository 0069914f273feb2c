//! Tasks.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, Claimed, ErrorKind, Lane, Settlement, TaskQueue, TenantId, Tenants, WorkerId};
use rusqlite::Row;
use uuid::Uuid;

use super::{SqliteStore, error::Refused, session::Session};
use crate::{
    document::{self, TaskColumns},
    draft::micros,
};

#[async_trait]
impl TaskQueue for SqliteStore {
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        let claim = "tasks.claim";
        let until = document::end_of_hold(now, hold, claim)?;
        let (names, are_theirs) = named(tenants);
        // Most polls find nothing, and then nothing needs to be written.
        let one = (lane.as_str(), micros(now), 1, names.as_deref(), are_theirs);
        if self.readers.row(claim, OPEN, one, |_| Ok(()))?.is_none() {
            return Ok(Vec::new());
        }
        let (by, of) = (worker.clone(), lane.clone());
        let work = move |session: &Session<'_>| {
            let limit = document::one_more(limit) - 1;
            let open = (of.as_str(), micros(now), limit, names.as_deref(), are_theirs);
            let taken = session.rows(OPEN, open, Open::of)?;
            for open in &taken {
                session.run(CLAIM, (open.seq, micros(until), by.as_str()))?;
            }
            Ok(taken)
        };
        // Read by the caller: the writing thread has other things to do.
        let taken = self.writer.run(claim, work).await?;
        let claimed = taken.into_iter().map(|open| open.claimed((worker, lane), until));
        document::readable(claimed).map_err(|refused| refused.during(claim))
    }

    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        let Ok(epoch) = i64::try_from(claimed.epoch) else {
            return Err(BackendError::new(ErrorKind::Conflict, "tasks.settle"));
        };
        let (tenant, id) = (claimed.task.tenant.clone(), claimed.task.id.as_uuid());
        let work = move |session: &Session<'_>| {
            let held = (tenant.as_str(), id.as_bytes(), epoch);
            let settled = match outcome {
                Settlement::Done => session.run(DONE, held)?,
                Settlement::Again(due) => {
                    let (tenant, id, epoch) = held;
                    session.run(AGAIN, (tenant, id, epoch, micros(due)))?
                }
            };
            if settled == 1 { Ok(()) } else { Err(Refused::Kind(ErrorKind::Conflict)) }
        };
        self.writer.run("tasks.settle", work).await
    }

    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        let read = |row: &Row<'_>| Ok(document::instant(row.get(0)?));
        self.readers.row("tasks.next_due", NEXT, (lane.as_str(),), read)
    }

    async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError> {
        let read = |row: &Row<'_>| {
            let name = row.get_ref(0)?.as_str().map_err(|_| Refused::Kind(ErrorKind::Corrupt))?;
            Lane::new(name).map_err(|_| Refused::Kind(ErrorKind::Corrupt))
        };
        // No lane has an empty name.
        self.readers.row("tasks.next_lane", NEXT_LANE, (after.as_ref().map_or("", Lane::as_str),), read)
    }
}

/// The tenants that are named, as a JSON array, and whether theirs are wanted or those of all others; `None` for all.
fn named(tenants: &Tenants) -> (Option<String>, bool) {
    let (these, are_theirs) = match tenants {
        Tenants::All => return (None, true),
        Tenants::These(these) => (these, true),
        Tenants::AllBut(these) => (these, false),
    };
    (Some(these.iter().map(TenantId::as_str).collect::<serde_json::Value>().to_string()), are_theirs)
}

/// A task that may be claimed, as it is stored.
struct Open {
    seq: i64,
    document: String,
    due: i64,
    epoch: i64,
    tenant: String,
    id: [u8; 16],
    account: [u8; 16],
}

impl Open {
    fn of(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            seq: row.get(0)?,
            document: row.get(1)?,
            due: row.get(2)?,
            epoch: row.get(3)?,
            tenant: row.get(4)?,
            id: row.get(5)?,
            account: row.get(6)?,
        })
    }

    fn claimed(self, (worker, lane): (&WorkerId, &Lane), until: DateTime<Utc>) -> Result<Claimed, Refused> {
        let (id, account) = (Uuid::from_bytes(self.id), Uuid::from_bytes(self.account));
        let columns = TaskColumns { tenant: &self.tenant, id, lane, account, due: self.due };
        let task = document::task_or_unreadable(&self.document, &columns)?;
        Ok(document::claimed(task, worker, self.epoch.saturating_add(1), until))
    }
}

const OPEN: &str = "SELECT seq, document, due, epoch, tenant, id, account FROM jit_task INDEXED BY jit_task_open \
    WHERE lane = ?1 AND open_from <= ?2 AND (?4 IS NULL OR (tenant IN (SELECT value FROM json_each(?4))) = ?5) \
    ORDER BY open_from, id, tenant LIMIT ?3";

const CLAIM: &str = "UPDATE jit_task SET epoch = epoch + 1, open_from = ?2, worker = ?3 WHERE seq = ?1";

const DONE: &str = "DELETE FROM jit_task WHERE tenant = ?1 AND id = ?2 AND epoch = ?3 AND worker IS NOT NULL";

const AGAIN: &str = "UPDATE jit_task SET due = ?4, open_from = ?4, worker = NULL \
    WHERE tenant = ?1 AND id = ?2 AND epoch = ?3 AND worker IS NOT NULL";

const NEXT: &str = "SELECT open_from FROM jit_task INDEXED BY jit_task_open \
    WHERE lane = ?1 ORDER BY open_from LIMIT 1";

const NEXT_LANE: &str = "SELECT lane FROM jit_task INDEXED BY jit_task_open \
    WHERE lane > ?1 ORDER BY lane LIMIT 1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[OPEN, CLAIM, DONE, AGAIN, NEXT, NEXT_LANE];
