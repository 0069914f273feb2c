//! Look-ups by a key: each in a transaction of its own, and those that wait together in one.
//!
//! To begin and end a transaction takes SQLite as long as a look-up within it, and longer where several threads do so: they
//! wait for each other at the index of the log. Whoever finds nobody looking up goes ahead at once, in the thread that they
//! are in, and so does whoever finds somebody now and then. Where that is so again and again, they wait in line, and one of
//! those who wait looks up for all.
//!
//! Nobody is told what was there before they asked: a transaction is begun for those who are in line already. Nobody depends
//! on another task being run: whoever looks up for others does so in one go, and when it is done wakes all who are left in
//! line, of whom the first that comes goes on.

#[cfg(test)]
mod tests;

use std::{
    borrow::Borrow,
    collections::VecDeque,
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use jit_core::BackendError;
use rusqlite::Connection;

use super::{
    error::Refused,
    readers::{NO_READER, Readers},
};

/// How many look-ups share a transaction at most.
const TOGETHER: usize = 16;

/// How many have to wait before one of them no longer waits for who went ahead: that may be waiting for the disk, or for a
/// processor. The more connections there are, the more processors there are to look up at once.
fn enough(connections: usize) -> usize {
    (TOGETHER / connections.max(1)).max(2)
}

/// How many more must have found somebody looking up than did not, of late, before anybody waits: waiting and being woken
/// costs more than to get in each other's way now and then.
const OFTEN: usize = 4;

/// Looks something up by a key in two parts: one that is borrowed, and copied where it has to wait, and one that is owned.
pub(super) type Look<K, P, T> = fn(&Connection, &K, &P) -> Result<T, Refused>;

/// Who looks up, and who waits.
#[derive(Default)]
pub(super) struct Lookups(Mutex<Line>);

#[derive(Default)]
struct Line {
    under_way: usize,
    /// How many more found somebody looking up than did not, of late.
    met: usize,
    waiting: VecDeque<Arc<dyn Waits>>,
}

impl Readers {
    /// Looks something up: at once where nobody else does, otherwise together with those who wait as well.
    pub(super) async fn look_up<K, P, T>(
        &self,
        operation: &'static str,
        key: &K,
        part: P,
        look: Look<K, P, T>,
    ) -> Result<T, BackendError>
    where
        K: ToOwned<Owned: Send + Sync> + ?Sized + 'static,
        P: Send + Sync + 'static,
        T: Send + 'static,
    {
        if let Some(_place) = self.lookups.go_ahead(self.count()) {
            return self.with(operation, |connection| look(connection, key, &part));
        }
        let state = Mutex::new(State::Waits(Waker::noop().clone()));
        let waiting = Arc::new(Waiting { key: key.to_owned(), part, look, state });
        self.lookups.line().waiting.push_back(Arc::clone(&waiting) as _);
        let answer = poll_fn(|context| {
            if let Some(answer) = waiting.answer(context.waker()) {
                return Poll::Ready(answer);
            }
            let Some(mut turn) = self.lookups.turn(self.count()) else { return Poll::Pending };
            turn.look_up(self.free().as_deref());
            // Only now: whoever is woken is to find the connection free.
            drop(turn);
            waiting.answer(context.waker()).map_or(Poll::Pending, Poll::Ready)
        });
        answer.await.map_err(|refused| refused.during(operation))
    }
}

impl Lookups {
    /// Takes a place where nobody waits, and either nobody looks up or that is not often so.
    fn go_ahead(&self, places: usize) -> Option<Place<'_>> {
        let mut line = self.line();
        let is_alone = line.under_way == 0;
        line.met = if is_alone { line.met.saturating_sub(1) } else { (line.met + 1).min(2 * OFTEN) };
        if !line.waiting.is_empty() || (!is_alone && (line.met >= OFTEN || line.under_way >= places)) {
            return None;
        }
        line.under_way += 1;
        Some(Place(self))
    }

    /// Takes a place for those who are first in line, where nobody looks up or so many wait that they need not care.
    fn turn(&self, places: usize) -> Option<Turn<'_>> {
        let mut line = self.line();
        let is_long = line.waiting.len() >= enough(places) && line.under_way < places;
        if line.under_way > 0 && !is_long {
            return None;
        }
        line.under_way += 1;
        let first = line.waiting.len().min(TOGETHER);
        let these = line.waiting.drain(..first).collect();
        Some(Turn { these, answered: Vec::with_capacity(first), _place: Place(self) })
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        locked(&self.0)
    }
}

/// Somebody looks up. When they are done, whoever is left in line is woken.
struct Place<'l>(&'l Lookups);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.under_way = line.under_way.saturating_sub(1);
        let left: Vec<_> = line.waiting.iter().cloned().collect();
        drop(line);
        for one in left {
            one.wake();
        }
    }
}

/// Those for whom somebody looks up.
struct Turn<'l> {
    // In this order: whoever is told something is told before others go on.
    these: Vec<Arc<dyn Waits>>,
    answered: Vec<Waker>,
    _place: Place<'l>,
}

impl Turn<'_> {
    fn look_up(&mut self, connection: Option<&Connection>) {
        let shared = connection.filter(|_| self.these.len() > 1).map(Shared::begin);
        for one in &self.these {
            // Whoever has gone is left out.
            if Arc::strong_count(one) > 1 {
                self.answered.extend(one.look(connection));
            }
        }
        drop(shared);
        self.these.clear();
    }
}

impl Drop for Turn<'_> {
    /// Wakes whoever has an answer, and keeps nobody waiting for what broke off.
    fn drop(&mut self) {
        self.answered.extend(self.these.iter().filter_map(|one| one.look(None)));
        for waker in self.answered.drain(..) {
            waker.wake();
        }
    }
}

/// The transaction that look-ups share.
struct Shared<'c>(&'c Connection);

impl<'c> Shared<'c> {
    fn begin(connection: &'c Connection) -> Self {
        // Where it does not begin, each look-up has a transaction of its own and tells what it met with.
        let _ = connection.prepare_cached("BEGIN").and_then(|mut begin| begin.execute(()));
        Self(connection)
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        // Some failures have ended it. Should it not end here, it does before anybody else reads on this connection.
        if !self.0.is_autocommit() {
            let _ = self.0.prepare_cached("COMMIT").and_then(|mut commit| commit.execute(()));
        }
    }
}

/// A look-up of any kind that waits.
trait Waits: Send + Sync {
    /// Looks up, and keeps the answer unless there is one. Returns who is to be woken for it.
    fn look(&self, connection: Option<&Connection>) -> Option<Waker>;

    fn wake(&self);
}

struct Waiting<K: ToOwned + ?Sized, P, T> {
    key: K::Owned,
    part: P,
    look: Look<K, P, T>,
    state: Mutex<State<T>>,
}

enum State<T> {
    Waits(Waker),
    Answered(Result<T, Refused>),
}

impl<K: ToOwned + ?Sized, P, T> Waiting<K, P, T> {
    /// Takes the answer; while there is none, says who is to be woken.
    fn answer(&self, waker: &Waker) -> Option<Result<T, Refused>> {
        match mem::replace(&mut *locked(&self.state), State::Waits(waker.clone())) {
            State::Answered(answer) => Some(answer),
            State::Waits(_) => None,
        }
    }
}

impl<K, P, T> Waits for Waiting<K, P, T>
where
    K: ToOwned<Owned: Send + Sync> + ?Sized,
    P: Send + Sync,
    T: Send,
{
    fn look(&self, connection: Option<&Connection>) -> Option<Waker> {
        let connection = connection.ok_or(NO_READER);
        let answer = connection.and_then(|connection| (self.look)(connection, self.key.borrow(), &self.part));
        let mut state = locked(&self.state);
        match mem::replace(&mut *state, State::Answered(answer)) {
            State::Waits(waker) => Some(waker),
            before @ State::Answered(_) => {
                *state = before;
                None
            }
        }
    }

    fn wake(&self) {
        let state = locked(&self.state);
        if let State::Waits(waker) = &*state {
            let waker = waker.clone();
            drop(state);
            waker.wake();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
