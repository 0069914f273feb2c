//! The thread that writes: whatever waits together is committed together.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use jit_core::{BackendError, ErrorKind};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::Refused;

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
        work: impl FnOnce(&Connection) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, BackendError> {
        let ended = || BackendError::new(ErrorKind::Unavailable, operation).caused_by("the writer has ended");
        let (reply, answer) = oneshot::channel();
        let request = Pending { operation, work: Some(work), outcome: None, reply };
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(Box::new(request)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
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
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let run = |sql: &str| connection.prepare_cached(sql)?.execute(());
    run("SAVEPOINT jit_request")?;
    let outcome = work(connection);
    // Some failures, such as a full disk, have ended the transaction already.
    if outcome.is_err() && !connection.is_autocommit() {
        run("ROLLBACK TO jit_request")?;
    }
    if !connection.is_autocommit() {
        run("RELEASE jit_request")?;
    }
    outcome
}

trait Request: Send {
    /// Does the work, unless nobody waits for it any more; `false` where the transaction has ended by it.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Tells the outcome; `failure` is why the transaction was not committed.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

struct Pending<T, F> {
    operation: &'static str,
    work: Option<F>,
    outcome: Option<Result<T, BackendError>>,
    reply: oneshot::Sender<Result<T, BackendError>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T, Refused> + Send> Request for Pending<T, F> {
    fn run(&mut self, connection: &Connection) -> bool {
        if let Some(work) = self.work.take().filter(|_| !self.reply.is_closed()) {
            let outcome = in_savepoint(connection, work);
            self.outcome = Some(outcome.map_err(|refused| refused.during(self.operation)));
        }
        !connection.is_autocommit()
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let Self { operation, outcome, reply, .. } = *self;
        let unavailable =
            |why: &str| Err(BackendError::new(ErrorKind::Unavailable, operation).caused_by(why.to_owned()));
        let outcome = match (outcome, failure) {
            // What was refused stays refused: it would have written nothing.
            (Some(Err(error)), _) => Err(error),
            (_, Some(why)) => unavailable(why),
            (Some(Ok(answer)), None) => Ok(answer),
            (None, None) => unavailable("nobody waited"),
        };
        // Whoever has gone does not want to know.
        let _ = reply.send(outcome);
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
    let begun = connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute(()));
    let mut next = Some(first);
    while let Some(mut request) = next.take() {
        let goes_on = begun.is_ok() && request.run(connection);
        batch.push(request);
        if goes_on && batch.len() < BATCH {
            next = requests.try_recv().ok();
        }
    }
    begun?;
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok(())
}
