//! Turns at a group: one change of its members at a time from this process, and those who wait go together.
//!
//! Many targets lose members when two changes of one group meet, and all of them bound how often they are asked. So whoever
//! comes while a change is under way waits, and the next one takes along what has come meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::failure::Failure;

/// More groups than this are not remembered without anybody at them.
const GROUPS: usize = 1024;

/// The turns at every group, by id.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<BTreeMap<String, Weak<Turn>>>);

/// The turn at one group.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) gate: tokio::sync::Mutex<()>,
    waiting: Mutex<Vec<Arc<Change>>>,
}

/// One member to join or leave.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) member: String,
    pub(super) joins: bool,
    state: Mutex<State>,
}

/// How far a change has come.
#[derive(Debug)]
enum State {
    Waits,
    Done,
    /// It was part of a batch that was refused: it has to go by itself, so that one bad member does not keep the others out.
    Alone,
    /// It was part of a batch that failed whoever is in it: to ask for each would fail as often.
    Failed(Failure),
}

impl Change {
    /// What came of it, where others took it along.
    pub(super) fn outcome(&self) -> Option<Result<(), Failure>> {
        match &*lock(&self.state) {
            State::Done => Some(Ok(())),
            State::Failed(failure) => Some(Err(failure.told())),
            State::Waits | State::Alone => None,
        }
    }

    pub(super) fn done(&self) {
        *lock(&self.state) = State::Done;
    }

    pub(super) fn alone(&self) {
        *lock(&self.state) = State::Alone;
    }

    pub(super) fn failed(&self, failure: &Failure) {
        *lock(&self.state) = State::Failed(failure.told());
    }

    fn is_alone(&self) -> bool {
        matches!(*lock(&self.state), State::Alone)
    }

    fn waits(&self) -> bool {
        matches!(*lock(&self.state), State::Waits)
    }
}

/// A change that waits for as long as whoever asked for it does.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    turn: &'a Turn,
    pub(super) change: Arc<Change>,
}

impl Turns {
    pub(super) fn at(&self, group: &str) -> Arc<Turn> {
        let mut turns = lock(&self.0);
        if let Some(turn) = turns.get(group).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() >= GROUPS {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::new(Turn::default());
        turns.insert(group.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

impl Turn {
    pub(super) fn wait(&self, member: &str, joins: bool) -> Waiting<'_> {
        let change = Change { member: member.to_owned(), joins, state: Mutex::new(State::Waits) };
        let change = Arc::new(change);
        lock(&self.waiting).push(Arc::clone(&change));
        Waiting { turn: self, change }
    }
}

impl Waiting<'_> {
    /// This change, and up to `most` in all that wait and go the same way.
    pub(super) fn batch(&self, most: usize) -> Vec<Arc<Change>> {
        let mut batch = vec![Arc::clone(&self.change)];
        if self.change.is_alone() {
            return batch;
        }
        let waiting = lock(&self.turn.waiting);
        for change in waiting.iter() {
            let goes = change.joins == self.change.joins && change.waits();
            // who joins and leaves at once goes in order, by turns
            let is_named = waiting.iter().filter(|other| other.member == change.member).count() > 1;
            if batch.len() < most && goes && !is_named && !Arc::ptr_eq(change, &self.change) {
                batch.push(Arc::clone(change));
            }
        }
        batch
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.turn.waiting).retain(|change| !Arc::ptr_eq(change, &self.change));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(batch: &[Arc<Change>]) -> Vec<&str> {
        batch.iter().map(|change| change.member.as_str()).collect()
    }

    #[test]
    fn who_waits_and_goes_the_same_way_goes_together() {
        let turns = Turns::default();
        let turn = turns.at("g");
        let first = turn.wait("a", true);
        let others = ["b", "c", "d"].map(|member| turn.wait(member, true));
        let _leaves = turn.wait("e", false);
        assert_eq!(members(&first.batch(3)), ["a", "b", "c"]);
        others[0].change.done();
        others[1].change.alone();
        assert_eq!(members(&first.batch(9)), ["a", "d"]);
        assert_eq!(members(&others[1].batch(9)), ["c"]);
        drop(others);
        assert_eq!(members(&first.batch(9)), ["a"], "nobody waits for them any longer");
    }

    #[test]
    fn who_joins_and_leaves_at_once_goes_by_turns() {
        let turns = Turns::default();
        let turn = turns.at("g");
        let (first, _joins, _leaves) = (turn.wait("a", true), turn.wait("b", true), turn.wait("b", false));
        assert_eq!(members(&first.batch(9)), ["a"]);
    }

    #[test]
    fn groups_that_nobody_is_at_are_forgotten() {
        let turns = Turns::default();
        let kept = turns.at("kept");
        for number in 0..3 * GROUPS {
            let _turn = turns.at(&number.to_string());
        }
        assert!(lock(&turns.0).len() <= GROUPS + 1);
        assert!(Arc::ptr_eq(&kept, &turns.at("kept")));
    }
}
