//! Commits: each by a statement of its own, and those that wait together by one.
//!
//! As many statements as there are places are under way at once; whoever finds a free one goes ahead alone. Whoever does
//! not waits, and when a statement ends, all that wait by then are written by the next. So nobody waits for company, and
//! the busier it is, the more commits share what a statement and its way to the disk cost.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jit_core::{BackendError, ErrorKind};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_postgres::types::ToSql;

use super::{
    batch::{Columns, Gathered, Shape, joins},
    error::{Failed, malformed},
    pool::{Kind, Pool},
    statements::Statements,
};
use crate::{
    draft::{COMMIT, Draft},
    statement::{
        CREATE, CREATE_COUNTED, CREATE_KEPT, CommitStatement, FORGET, RECORD_KEPT, UPDATE, UPDATE_KEPT,
    },
};

/// How many members a commit may remove by a plan that may have been made while the table was empty: then each of them may be
/// looked for among all of their connection.
const REMOVED: usize = 500;

/// How many commits one statement writes at most.
const BATCH: usize = 32;

/// How many that wait are looked at for it: where all change one row, only one of them can be written at a time.
const LOOKED_AT: usize = 4 * BATCH;

/// How long one that is written by itself keeps its place. What takes longer waits for somebody else's lock.
const QUICK: Duration = Duration::from_millis(100);

pub(super) struct Commits {
    pool: Arc<Pool>,
    queue: Mutex<Queue>,
    places: usize,
    patience: Duration,
}

#[derive(Default)]
struct Queue {
    under_way: usize,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    draft: Draft,
    reply: oneshot::Sender<Result<(), BackendError>>,
}

/// Holds a place; hands it on to those who wait, also when the call that holds it is dropped.
struct Place {
    commits: Arc<Commits>,
    runtime: Handle,
}

impl Commits {
    pub(super) fn new(pool: Arc<Pool>, connections: usize, patience: Duration) -> Arc<Self> {
        let places = connections.div_ceil(4);
        Arc::new(Self { pool, queue: Mutex::default(), places, patience })
    }

    /// Writes a commit.
    pub(super) async fn write(self: &Arc<Self>, draft: Draft) -> Result<(), BackendError> {
        let runtime = Handle::try_current().map_err(|_| Failed::NoRuntime.during(COMMIT))?;
        if !joins(&draft) {
            return self.alone(&draft).await;
        }
        let answer = {
            let mut queue = self.queue();
            if queue.under_way < self.places {
                queue.under_way += 1;
                Err(draft)
            } else {
                let (reply, answer) = oneshot::channel();
                queue.waiting.push_back(Waiting { draft, reply });
                Ok(answer)
            }
        };
        match answer {
            Err(draft) => {
                let place = Place { commits: Arc::clone(self), runtime };
                let mut alone = pin!(self.first(&draft));
                if let Ok(outcome) = tokio::time::timeout(QUICK, &mut alone).await {
                    return outcome;
                }
                // It has to wait for somebody: the others need not.
                drop(place);
                alone.await
            }
            Ok(answer) => match tokio::time::timeout(self.patience, answer).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(unavailable("the runtime has ended")),
                Err(_) => Err(Failed::TimedOut(self.patience).during(COMMIT)),
            },
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next batch, in the order in which its commits came; gives the place back where nobody waits.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        let (mut batch, mut gathered, mut left) = (Vec::new(), Gathered::default(), VecDeque::new());
        while batch.len() < BATCH
            && left.len() < LOOKED_AT
            && let Some(next) = queue.waiting.pop_front()
        {
            // Whoever has gone is left out.
            if !next.reply.is_closed() {
                let fits = gathered.take(&next.draft);
                if fits { batch.push(next) } else { left.push_back(next) }
            }
        }
        left.append(&mut queue.waiting);
        queue.waiting = left;
        if batch.is_empty() {
            queue.under_way = queue.under_way.saturating_sub(1);
            return None;
        }
        Some(batch)
    }

    /// Writes a batch. A part that the server refuses is halved until what stands in the way is alone.
    async fn together(self: &Arc<Self>, batch: Vec<Waiting>) {
        if batch.len() == 1 {
            for Waiting { draft, reply } in batch {
                let _ = reply.send(self.first(&draft).await);
            }
            return;
        }
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            part.retain(|each| !each.reply.is_closed());
            if part.len() < 2 {
                // It may have to wait for somebody: the others need not.
                let commits = Arc::clone(self);
                tokio::spawn(async move { commits.each_alone(part).await });
                continue;
            }
            let drafts: Vec<_> = part.iter().map(|each| &each.draft).collect();
            match self.try_together(&drafts).await {
                Err(Failed::Refused { .. }) => {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
                outcome => {
                    let failure = outcome.err().map(|failed| failed.during(COMMIT).to_string());
                    for Waiting { reply, .. } in part {
                        // Whoever has gone does not want to know.
                        let _ = reply.send(failure.clone().map_or(Ok(()), |why| Err(unavailable(why))));
                    }
                }
            }
        }
    }

    async fn try_together(&self, drafts: &[&Draft]) -> Result<(), Failed> {
        let gathered = Gathered::of(drafts);
        self.write_columns(&Columns::of(drafts, &gathered)).await
    }

    async fn write_columns(&self, columns: &Columns<'_>) -> Result<(), Failed> {
        let shape = columns.shape();
        let statement: fn(&Statements) -> &_ = match shape {
            Shape::Updates => |s| &s.batch_updates,
            Shape::Creates => |s| &s.batch_creates,
            Shape::Whole => |s| &s.batch,
        };
        self.pool.rows(Kind::Write, statement, &columns.parameters(shape)).await.map(drop)
    }

    /// Writes one that nothing was in the way of so far: where it is of a plain shape by the statement for several, which
    /// costs less than half of the one that says what is wrong. Mostly nothing is.
    async fn first(&self, draft: &Draft) -> Result<(), BackendError> {
        let (drafts, gathered) = ([draft], Gathered::of(&[draft]));
        let columns = Columns::of(&drafts, &gathered);
        if columns.shape() == Shape::Whole {
            return self.alone(draft).await;
        }
        match self.write_columns(&columns).await {
            Ok(()) => Ok(()),
            Err(Failed::Refused { .. }) => self.alone(draft).await,
            Err(failed) => Err(failed.during(COMMIT)),
        }
    }

    async fn each_alone(&self, batch: Vec<Waiting>) {
        for Waiting { draft, reply } in batch {
            let _ = reply.send(self.alone(&draft).await);
        }
    }

    async fn alone(&self, draft: &Draft) -> Result<(), BackendError> {
        let commit = CommitStatement::of(draft)?;
        let statement: fn(&Statements) -> &_ = match commit.sql() {
            CREATE => |s| &s.create,
            CREATE_COUNTED => |s| &s.create_counted,
            UPDATE => |s| &s.update,
            FORGET => |s| &s.forget,
            CREATE_KEPT => |s| &s.create_kept,
            UPDATE_KEPT => |s| &s.update_kept,
            RECORD_KEPT => |s| &s.record_kept,
            _ => |s| &s.record,
        };
        let json = commit.json();
        let params: [&(dyn ToSql + Sync); 1] = [&json];
        let rows = if draft.kept.as_ref().is_some_and(|kept| kept.removed_members() > REMOVED) {
            self.pool.rows_anew(Kind::Write, commit.sql(), &params).await
        } else {
            self.pool.rows(Kind::Write, statement, &params).await
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(Failed::Refused { state, constraint }) => return Err(refused(&commit, state, constraint)),
            Err(failed) => return Err(failed.during(COMMIT)),
        };
        let word = rows.first().map(|row| row.try_get(0)).transpose().map_err(malformed(COMMIT))?;
        commit.answer(word.unwrap_or_default())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(batch) = self.commits.next() else { return };
        let place = Self { commits: Arc::clone(&self.commits), runtime: self.runtime.clone() };
        self.runtime.spawn(async move { place.commits.together(batch).await });
    }
}

fn refused(commit: &CommitStatement, state: String, constraint: Option<String>) -> BackendError {
    let kind = commit.kind(&state, constraint.as_deref());
    let error = Failed::Refused { state, constraint }.during(COMMIT);
    if *error.kind() == kind { error } else { BackendError::new(kind, COMMIT) }
}

fn unavailable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BackendError {
    BackendError::new(ErrorKind::Unavailable, COMMIT).caused_by(why)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use jit_core::{Commit, CounterChange, CounterName, TenantId};
    use tokio_postgres::Client;
    use uuid::Uuid;

    use super::*;
    use crate::postgres::open::Open;

    struct Nowhere;

    #[async_trait]
    impl Open for Nowhere {
        async fn open(&self) -> Result<Client, Failed> {
            Err(Failed::NoRuntime)
        }
    }

    /// A commit with a number, alone or one of those that change the same row.
    fn draft(number: u128, is_alone: bool) -> Draft {
        let down = CounterChange { name: CounterName::seats(), by: -1, at_least: Some(0), at_most: None };
        let counters = if is_alone { Vec::new() } else { vec![down] };
        let commit = Commit { counters, ..Commit::new(TenantId::new("acme").unwrap()) };
        Draft { withdrawn: vec![Uuid::from_u128(number)], ..Draft::of(&commit).unwrap() }
    }

    #[test]
    fn so_many_are_looked_at_and_who_cannot_be_written_yet_stays_in_line() {
        let pool = Pool::new(Box::new(Nowhere), 4, Duration::ZERO);
        let commits = Commits::new(Arc::new(pool), 4, Duration::ZERO);
        let (near, far, gone) = (50, 200, 60);
        let mut callers = Vec::new();
        for number in 0..256 {
            let (reply, caller) = oneshot::channel();
            let draft = draft(number, number == near || number == far);
            commits.queue().waiting.push_back(Waiting { draft, reply });
            callers.extend(Some(caller).filter(|_| number != gone));
        }
        let next = || {
            let batch = commits.next()?;
            Some(batch.iter().map(|each| each.draft.withdrawn[0].as_u128()).collect::<Vec<_>>())
        };
        assert_eq!(next(), Some(vec![0, near]), "of those that change one row, one");
        assert_eq!(next(), Some(vec![1]), "the other that fits is too far behind");
        let mut written = vec![0, 1];
        while let Some(batch) = next() {
            let (first, more) = batch.split_first().unwrap();
            assert!(more.is_empty() || more == [far], "{batch:?}");
            written.push(*first);
        }
        let in_line = (0..256).filter(|number| ![near, far, gone].contains(number));
        assert_eq!(written, in_line.collect::<Vec<_>>(), "nobody is lost, written twice or overtaken");
    }
}
