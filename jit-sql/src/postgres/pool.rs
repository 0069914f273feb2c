//! Connections that calls share.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jit_core::BackendError;
use tokio_postgres::{Client, Row, Statement, types::ToSql};

use super::{error::Failed, open::Open, statements::Statements};

/// How often a statement is repeated that the server undid because another was in its way.
const ATTEMPTS: u32 = 5;

/// Tells whether a statement may be sent a second time when its connection is lost before the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads.
    Read,
    /// It writes, and may have been executed.
    Write,
}

pub(super) struct Pool {
    open: Box<dyn Open>,
    slots: Vec<Slot>,
    patience: Duration,
}

/// A place for one connection.
#[derive(Default)]
struct Slot {
    session: Mutex<Option<Arc<Session>>>,
    /// Held while the connection is opened, so that only one call opens it.
    opening: tokio::sync::Mutex<()>,
    /// How many calls are on their way.
    busy: AtomicUsize,
}

pub(super) struct Session {
    client: Client,
    statements: Statements,
}

impl Slot {
    /// The connection, if there is one and it lives.
    fn live(&self) -> Option<Arc<Session>> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.as_ref().filter(|session| !session.client.is_closed()).map(Arc::clone)
    }

    fn keep(&self, session: Option<Arc<Session>>) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }

    /// Lets go of a connection that does not answer, unless another has taken its place.
    fn forget(&self, stuck: &Arc<Session>) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if session.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, stuck)) {
            *session = None;
        }
    }
}

/// Counts a call as long as it lasts, also when it is dropped.
struct Call<'a>(&'a Slot);

impl<'a> Call<'a> {
    fn begin(slot: &'a Slot) -> Self {
        slot.busy.fetch_add(1, Ordering::Relaxed);
        Self(slot)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Names the statement that is asked.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Prepared(fn(&Statements) -> &Statement),
    Anew(&'a str),
}

impl Pool {
    pub(super) fn new(open: Box<dyn Open>, connections: usize, patience: Duration) -> Self {
        Self { open, slots: (0..connections).map(|_| Slot::default()).collect(), patience }
    }

    /// Opens one connection.
    pub(super) async fn warm_up(&self, operation: &'static str) -> Result<(), BackendError> {
        let Some(slot) = self.slots.first() else { return Err(Failed::NoRuntime.during(operation)) };
        Box::pin(self.session(slot)).await.map(drop).map_err(|failed| failed.during(operation))
    }

    /// Runs a prepared statement and reads its rows.
    pub(super) async fn rows(
        &self,
        kind: Kind,
        statement: fn(&Statements) -> &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failed> {
        self.run(kind, Asked::Prepared(statement), params).await
    }

    /// Runs a statement that is planned anew, for the tables as large as they are now, and reads its rows.
    pub(super) async fn rows_anew(
        &self,
        kind: Kind,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failed> {
        self.run(kind, Asked::Anew(sql), params).await
    }

    async fn run(
        &self,
        kind: Kind,
        statement: Asked<'_>,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failed> {
        let mut attempt = 1;
        loop {
            let failed = match self.once(kind, statement, params).await {
                Ok(rows) => return Ok(rows),
                Err(failed) => failed,
            };
            // The server undid one of two statements so that the other can go on: there is nothing to wait for.
            let again =
                failed.is_serialization() || (kind == Kind::Read && matches!(failed, Failed::Lost(_)));
            if !again || attempt >= ATTEMPTS {
                return Err(failed);
            }
            attempt += 1;
            tokio::task::yield_now().await;
        }
    }

    async fn once(
        &self,
        kind: Kind,
        statement: Asked<'_>,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failed> {
        let slot = self.idlest(kind).ok_or(Failed::NoRuntime)?;
        let call = Call::begin(slot);
        let (call, session) = match slot.live() {
            Some(session) => (call, session),
            None => match Box::pin(self.session(slot)).await {
                Ok(session) => (call, session),
                // The server may have no place for another connection: then those that there are do the work.
                Err(failed) => {
                    self.idlest_live().map(|(slot, session)| (Call::begin(slot), session)).ok_or(failed)?
                }
            },
        };
        let answer = async {
            match statement {
                Asked::Prepared(statement) => {
                    session.client.query(statement(&session.statements), params).await
                }
                Asked::Anew(sql) => session.client.query(sql, params).await,
            }
        };
        if let Ok(answer) = tokio::time::timeout(self.patience, answer).await {
            Ok(answer?)
        } else {
            // Everything behind it on this connection waits as well.
            call.0.forget(&session);
            Err(Failed::TimedOut(self.patience))
        }
    }

    /// The slot with the fewest calls on their way. Among equals a reader takes the first and a writer the last, so that
    /// look-ups seldom wait behind a commit that waits for the disk.
    fn idlest(&self, kind: Kind) -> Option<&Slot> {
        let busy = |slot: &&Slot| slot.busy.load(Ordering::Relaxed);
        match kind {
            Kind::Read => self.slots.iter().min_by_key(busy),
            Kind::Write => self.slots.iter().rev().min_by_key(busy),
        }
    }

    fn idlest_live(&self) -> Option<(&Slot, Arc<Session>)> {
        let live = self.slots.iter().filter_map(|slot| Some((slot, slot.live()?)));
        live.min_by_key(|(slot, _)| slot.busy.load(Ordering::Relaxed))
    }

    /// The connection of a slot, opened where there is none.
    async fn session(&self, slot: &Slot) -> Result<Arc<Session>, Failed> {
        let _opening = slot.opening.lock().await;
        if let Some(session) = slot.live() {
            return Ok(session);
        }
        let client = self.open.open().await?;
        let prepared = tokio::time::timeout(self.patience, Box::pin(Statements::prepare(&client))).await;
        let statements = prepared.map_err(|_| Failed::TimedOut(self.patience))??;
        let session = Arc::new(Session { client, statements });
        slot.keep(Some(Arc::clone(&session)));
        Ok(session)
    }
}
