//! The thread that writes: whatever waits together is committed together.
//!
//! Requests of a batch run one after the other in one transaction, without savepoints: SQLite copies every page that
//! changes under a savepoint, which costs about as much as the change. Almost every refusal comes before the request has
//! written anything. Where one comes later, the transaction is rolled back and the batch runs again, each request in a
//! savepoint of its own, so that one failure never spoils the others.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use jit_core::{BackendError, ErrorKind};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{error::Refused, session::Session};

/// How many requests may wait; more wait for a place.
const QUEUE: usize = 1_024;

/// How many requests one transaction takes at most, so that the first of them is answered in time.
const BATCH: usize = 256;

pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Arc<Mutex<Connection>>) -> Result<Self, Refused> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("jit-sqlite-writer".into());
        let thread = thread.spawn(move || serve(&connection, requests)).map_err(Refused::System)?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs work within the next transaction and answers when that is committed.
    ///
    /// A request whose caller has gone before its turn is left out; one that was begun is committed with the others.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnMut(&Session<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, BackendError> {
        let ended = || BackendError::new(ErrorKind::Unavailable, operation).caused_by("the writer has ended");
        let (reply, answer) = oneshot::channel();
        let request = Pending { operation, work, outcome: None, reply: Some(reply) };
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(Box::new(request)).await.map_err(|_| ended())?;
        // The request comes back whole, so that its memory is given back here and not by the thread that all wait for.
        let answered = answer.await.map_err(|_| ended())?;
        answered.outcome.unwrap_or_else(|| Err(ended()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

/// Runs work so that a failure leaves nothing of it in the transaction.
pub(super) fn in_savepoint<T>(
    session: &Session<'_>,
    work: impl FnOnce(&Session<'_>) -> Result<T, Refused>,
) -> Result<T, Refused> {
    session.control("SAVEPOINT jit_request")?;
    let outcome = work(session);
    if outcome.is_err() && !session.has_ended() {
        session.control("ROLLBACK TO jit_request")?;
    }
    if !session.has_ended() {
        session.control("RELEASE jit_request")?;
    }
    outcome
}

trait Request: Send {
    /// Does the work, unless nobody waits for it any more.
    fn run(&mut self, session: &Session<'_>, guard: Guard) -> State;
    /// Tells the outcome; `failure` is why the transaction was not committed.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

/// Says what keeps a failure of one request from the others of its batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing: the batch must run again if it writes and then fails.
    None,
    /// A savepoint.
    Savepoint,
}

/// Says in what state a request leaves the transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It holds what the request wrote, or nothing of it.
    Clean,
    /// It holds a part.
    Spoiled,
    /// It has ended, as some failures bring about: a full disk is one.
    Ended,
}

struct Pending<T, F> {
    operation: &'static str,
    work: F,
    outcome: Option<Result<T, BackendError>>,
    /// Until it is answered.
    reply: Option<oneshot::Sender<Box<Self>>>,
}

impl<T: Send, F: FnMut(&Session<'_>) -> Result<T, Refused> + Send> Request for Pending<T, F> {
    fn run(&mut self, session: &Session<'_>, guard: Guard) -> State {
        self.outcome = None;
        if self.reply.as_ref().is_none_or(oneshot::Sender::is_closed) {
            return State::Clean;
        }
        session.forget_written();
        let outcome = match guard {
            Guard::None => (self.work)(session),
            Guard::Savepoint => in_savepoint(session, &mut self.work),
        };
        let failed = outcome.is_err();
        self.outcome = Some(outcome.map_err(|refused| refused.during(self.operation)));
        match guard {
            _ if session.has_ended() => State::Ended,
            Guard::None if failed && session.has_written() => State::Spoiled,
            _ => State::Clean,
        }
    }

    fn answer(mut self: Box<Self>, failure: Option<&str>) {
        let unavailable = |why: &str| {
            Err(BackendError::new(ErrorKind::Unavailable, self.operation).caused_by(why.to_owned()))
        };
        let outcome = match (self.outcome.take(), failure) {
            // What was refused stays refused: it would have written nothing.
            (Some(Err(error)), _) => Err(error),
            (_, Some(why)) => unavailable(why),
            (Some(Ok(answer)), None) => Ok(answer),
            (None, None) => unavailable("nobody waited"),
        };
        self.outcome = Some(outcome);
        if let Some(reply) = self.reply.take() {
            // Whoever has gone does not want to know.
            let _ = reply.send(self);
        }
    }
}

fn serve(connection: &Mutex<Connection>, mut requests: mpsc::Receiver<Box<dyn Request>>) {
    while let Some(first) = requests.blocking_recv() {
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Vec::new();
        let failure = commit_together(&connection, first, &mut requests, &mut batch).err();
        if failure.is_some() && !connection.is_autocommit() {
            // If this fails as well, the next BEGIN says so.
            let _ = connection.execute_batch("ROLLBACK");
        }
        drop(connection);
        let failure = failure.map(|error| error.to_string());
        for request in batch {
            request.answer(failure.as_deref());
        }
    }
}

/// Runs the first request and whatever has come by the time it is done, and commits them.
fn commit_together(
    connection: &Connection,
    first: Box<dyn Request>,
    requests: &mut mpsc::Receiver<Box<dyn Request>>,
    batch: &mut Vec<Box<dyn Request>>,
) -> Result<(), rusqlite::Error> {
    let session = Session::on(connection);
    let begun = session.control("BEGIN IMMEDIATE");
    let mut state = State::Clean;
    let mut next = Some(first);
    while let Some(mut request) = next.take() {
        if begun.is_ok() {
            state = request.run(&session, Guard::None);
        }
        batch.push(request);
        if begun.is_ok() && state == State::Clean && batch.len() < BATCH {
            next = requests.try_recv().ok();
        }
    }
    begun?;
    if state == State::Spoiled {
        session.control("ROLLBACK")?;
        session.control("BEGIN IMMEDIATE")?;
        let mut each = batch.iter_mut();
        while state != State::Ended
            && let Some(request) = each.next()
        {
            state = request.run(&session, Guard::Savepoint);
        }
    }
    session.control("COMMIT")
}
