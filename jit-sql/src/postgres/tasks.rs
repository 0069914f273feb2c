//! Tasks.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, Claimed, ErrorKind, Lane, Settlement, TaskQueue, TenantId, Tenants, WorkerId};
use tokio_postgres::{Row, types::ToSql};

use super::{
    PostgresStore,
    error::{malformed, unreadable},
    pool::Kind,
};
use crate::{
    document::{self, TaskColumns},
    draft::micros,
};

#[async_trait]
impl TaskQueue for PostgresStore {
    async fn claim(
        &self,
        worker: &WorkerId,
        lane: &Lane,
        tenants: &Tenants,
        now: DateTime<Utc>,
        hold: TimeDelta,
        limit: NonZeroUsize,
    ) -> Result<Vec<Claimed>, BackendError> {
        let until = document::end_of_hold(now, hold, "tasks.claim")?;
        let limit = document::one_more(limit) - 1;
        let (of, name) = (lane.as_str(), worker.as_str());
        let (now, end) = (micros(now), micros(until));
        let (these, are_theirs) = match tenants {
            Tenants::All => (None, true),
            Tenants::These(these) => (Some(these), true),
            Tenants::AllBut(these) => (Some(these), false),
        };
        let these: Option<Vec<&str>> = these.map(|these| these.iter().map(TenantId::as_str).collect());
        let asked: [&(dyn ToSql + Sync); 7] = [&of, &now, &limit, &end, &name, &these, &are_theirs];
        let rows = self.pool.rows(Kind::Write, |s| &s.claim, &asked).await;
        let rows = rows.map_err(|failed| failed.during("tasks.claim"))?;
        let claimed = rows.iter().map(|row| claimed(row, (worker, lane), until));
        let mut claimed: Vec<(i64, Claimed)> = document::readable(claimed)?;
        claimed.sort_by(|(a_from, a), (b_from, b)| {
            (a_from, a.task.id, &a.task.tenant).cmp(&(b_from, b.task.id, &b.task.tenant))
        });
        Ok(claimed.into_iter().map(|(_, claimed)| claimed).collect())
    }

    async fn settle(&self, claimed: &Claimed, outcome: Settlement) -> Result<(), BackendError> {
        let settle = "tasks.settle";
        let stale = || BackendError::new(ErrorKind::Conflict, settle);
        let epoch = i64::try_from(claimed.epoch).map_err(|_| stale())?;
        let (tenant, id) = (claimed.task.tenant.as_str(), claimed.task.id.as_uuid());
        let settled = match outcome {
            Settlement::Done => self.pool.rows(Kind::Write, |s| &s.done, &[&tenant, &id, &epoch]).await,
            Settlement::Again(due) => {
                let due = micros(due);
                self.pool.rows(Kind::Write, |s| &s.again, &[&tenant, &id, &epoch, &due]).await
            }
        };
        let settled = settled.map_err(|failed| failed.during(settle))?;
        if settled.is_empty() { Err(stale()) } else { Ok(()) }
    }

    async fn next_due(&self, lane: &Lane) -> Result<Option<DateTime<Utc>>, BackendError> {
        let rows = self.pool.rows(Kind::Read, |s| &s.next_due, &[&lane.as_str()]).await;
        let rows = rows.map_err(|failed| failed.during("tasks.next_due"))?;
        let due = rows.first().map(|row| row.try_get(0)).transpose();
        Ok(due.map_err(malformed("tasks.next_due"))?.map(document::instant))
    }

    async fn next_lane(&self, after: Option<Lane>) -> Result<Option<Lane>, BackendError> {
        // No lane has an empty name.
        let after = after.as_ref().map_or("", Lane::as_str);
        let rows = self.pool.rows(Kind::Read, |s| &s.next_lane, &[&after]).await;
        let rows = rows.map_err(|failed| failed.during("tasks.next_lane"))?;
        let name = rows.first().map(|row| row.try_get::<_, &str>(0)).transpose();
        let lane = name.map_err(malformed("tasks.next_lane"))?.map(Lane::new).transpose();
        lane.map_err(|_| BackendError::new(ErrorKind::Corrupt, "tasks.next_lane"))
    }
}

/// Reads a claimed task with the instant from which it could be claimed.
fn claimed(
    row: &Row,
    (worker, lane): (&WorkerId, &Lane),
    until: DateTime<Utc>,
) -> Result<(i64, Claimed), BackendError> {
    let malformed = malformed("tasks.claim");
    let (text, due) = (row.try_get(0).map_err(&malformed)?, row.try_get(1).map_err(&malformed)?);
    let (epoch, open_from) = (row.try_get(2).map_err(&malformed)?, row.try_get(3).map_err(&malformed)?);
    let (tenant, id) = (row.try_get(4).map_err(&malformed)?, row.try_get(5).map_err(&malformed)?);
    let columns = TaskColumns { tenant, id, lane, account: row.try_get(6).map_err(&malformed)?, due };
    let task = document::task_or_unreadable(text, &columns).map_err(unreadable("tasks.claim"))?;
    Ok((open_from, document::claimed(task, worker, epoch, until)))
}
