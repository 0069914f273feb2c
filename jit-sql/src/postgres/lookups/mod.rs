//! Look-ups by a key: each by a statement of its own, and those that wait together by one.
//!
//! As with commits, whoever finds a free place goes ahead alone; whoever does not waits, and when a statement ends, some of
//! those that wait by then are looked up by the next. One statement for several costs both sides of the connection a good
//! deal less than several: a message there and back, a transaction and the start of a plan.
//!
//! Places are no bound on what the server does at once. Where nothing has come back for a while, because of a disk, a slow
//! network or a connection that is stuck, more go ahead, as many as there are connections.

mod keys;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jit_core::{BackendError, ErrorKind};
use tokio::{runtime::Handle, sync::oneshot, time::Instant};
use tokio_postgres::Row;

pub(super) use self::keys::Carried;
use super::{error::Failed, pool::Pool};

/// How many keys one statement looks up at most. With so many nearly all is gained that can be, and nobody waits for many.
const TOGETHER: usize = 8;

/// How long nothing comes back before more go ahead than there are places.
const STANDSTILL: Duration = Duration::from_millis(1);

/// How long one waits in line. Where that is not enough something is stuck, and whoever waits goes ahead alone: another
/// connection may be well.
const IN_LINE: Duration = Duration::from_millis(100);

/// A key that rows are looked up by.
pub(super) trait Look: Clone + Send + Sync + 'static {
    const OPERATION: &'static str;

    /// Looks up one.
    fn alone(&self, pool: &Pool) -> impl Future<Output = Result<Vec<Row>, Failed>> + Send;

    /// Looks up several. The last column of a row is the place of its key among them, from one.
    fn together(these: &[&Self], pool: &Pool) -> impl Future<Output = Result<Vec<Row>, Failed>> + Send;
}

/// Look-ups by keys of one kind.
pub(super) struct Looks<L> {
    pool: Arc<Pool>,
    queue: Mutex<Queue<L>>,
    places: usize,
    most: usize,
}

struct Queue<L> {
    under_way: usize,
    /// When a look-up began or ended last.
    moved: Instant,
    waiting: VecDeque<Waiting<L>>,
}

struct Waiting<L> {
    look: L,
    reply: oneshot::Sender<Result<Vec<Row>, BackendError>>,
}

/// Holds a place; hands it on to those who wait, also when the call that holds it is dropped.
struct Place<L: Look> {
    looks: Arc<Looks<L>>,
    runtime: Handle,
}

impl<L: Look> Looks<L> {
    pub(super) fn new(pool: &Arc<Pool>, connections: usize) -> Arc<Self> {
        let queue = Queue { under_way: 0, moved: Instant::now(), waiting: VecDeque::new() };
        let (places, queue) = (connections.div_ceil(4), Mutex::new(queue));
        Arc::new(Self { pool: Arc::clone(pool), queue, places, most: connections })
    }

    /// Looks up a key.
    pub(super) async fn rows(self: &Arc<Self>, look: &L) -> Result<Vec<Row>, BackendError> {
        let runtime = Handle::try_current().map_err(|_| Failed::NoRuntime.during(L::OPERATION))?;
        let Some(answer) = self.stand_in_line(look) else {
            let _place = Place { looks: Arc::clone(self), runtime };
            return look.alone(&self.pool).await.map_err(|failed| failed.during(L::OPERATION));
        };
        match tokio::time::timeout(IN_LINE, answer).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(_)) => Err(unavailable::<L>("the runtime has ended")),
            Err(_) => look.alone(&self.pool).await.map_err(|failed| failed.during(L::OPERATION)),
        }
    }

    /// Takes a place in the line; `None` where there is a free one beside it, which is taken.
    fn stand_in_line(&self, look: &L) -> Option<oneshot::Receiver<Result<Vec<Row>, BackendError>>> {
        let now = Instant::now();
        let mut queue = self.queue();
        let stands_still = || now.saturating_duration_since(queue.moved) >= STANDSTILL;
        if queue.under_way < self.places || (queue.under_way < self.most && stands_still()) {
            queue.under_way += 1;
            queue.moved = now;
            return None;
        }
        let (reply, answer) = oneshot::channel();
        queue.waiting.push_back(Waiting { look: look.clone(), reply });
        Some(answer)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<L>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes those who are next, in the order in which they came; gives the place back where nobody waits.
    fn next(&self) -> Option<Vec<Waiting<L>>> {
        let mut queue = self.queue();
        queue.moved = Instant::now();
        let mut next = Vec::new();
        while next.len() < TOGETHER
            && let Some(waiting) = queue.waiting.pop_front()
        {
            // Whoever has gone is left out.
            if !waiting.reply.is_closed() {
                next.push(waiting);
            }
        }
        if next.is_empty() {
            queue.under_way = queue.under_way.saturating_sub(1);
            return None;
        }
        Some(next)
    }

    /// Looks up what several wait for. What the server refuses is looked up one by one: one of them stands in the way.
    async fn together(&self, these: Vec<Waiting<L>>) {
        if these.len() == 1 {
            return self.each_alone(these).await;
        }
        let looks: Vec<_> = these.iter().map(|waiting| &waiting.look).collect();
        match L::together(&looks, &self.pool).await {
            Ok(rows) => hand_out(these, rows),
            Err(Failed::Refused { .. }) => self.each_alone(these).await,
            Err(failed) => {
                let why = failed.during(L::OPERATION).to_string();
                for Waiting { reply, .. } in these {
                    // Whoever has gone does not want to know.
                    let _ = reply.send(Err(unavailable::<L>(why.clone())));
                }
            }
        }
    }

    async fn each_alone(&self, these: Vec<Waiting<L>>) {
        for Waiting { look, reply } in these {
            if reply.is_closed() {
                continue;
            }
            let rows = look.alone(&self.pool).await;
            let _ = reply.send(rows.map_err(|failed| failed.during(L::OPERATION)));
        }
    }
}

impl<L: Look> Drop for Place<L> {
    fn drop(&mut self) {
        let Some(next) = self.looks.next() else { return };
        let place = Self { looks: Arc::clone(&self.looks), runtime: self.runtime.clone() };
        self.runtime.spawn(async move { place.looks.together(next).await });
    }
}

/// Hands to each the rows of its place.
fn hand_out<L: Look>(these: Vec<Waiting<L>>, rows: Vec<Row>) {
    let mut found = by_place(rows, these.len()).into_iter().flatten();
    for Waiting { reply, .. } in these {
        let own = found.next().ok_or_else(|| BackendError::new(ErrorKind::Corrupt, L::OPERATION));
        let _ = reply.send(own);
    }
}

/// Sorts rows by their places; `None` where one has no place of these.
fn by_place(rows: Vec<Row>, count: usize) -> Option<Vec<Vec<Row>>> {
    let mut found: Vec<_> = (0..count).map(|_| Vec::new()).collect();
    for row in rows {
        let place: i64 = row.try_get(row.len().checked_sub(1)?).ok()?;
        found.get_mut(usize::try_from(place.checked_sub(1)?).ok()?)?.push(row);
    }
    Some(found)
}

fn unavailable<L: Look>(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BackendError {
    BackendError::new(ErrorKind::Unavailable, L::OPERATION).caused_by(why)
}
