//! Which groups were seen to follow their members a moment ago: where removals follow each other, each need not be looked at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::dn::Dn;
use crate::server::ServerId;

/// How long it counts: settings of a server change while it runs.
const COUNTS_FOR: Duration = Duration::from_secs(60);
/// Of so many removals in a row one is also looked at before, while there is anything to learn.
const LEARNS_AT: u32 = 8;

/// Remembers of each server which groups let go of a member when it was removed.
#[derive(Debug, Default)]
pub(super) struct Followed(Mutex<HashMap<ServerId, Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Whether each let go, and when that was seen.
    groups: HashMap<Dn, (bool, Instant)>,
    last_removal: Option<Instant>,
    turn: u32,
}

impl Followed {
    /// Tells whether a group did, a moment ago.
    pub(super) fn is_sure(&self, server: &ServerId, group: &Dn) -> bool {
        self.of(server, |seen| seen.is_sure(group))
    }

    /// Tells whether nobody saw a moment ago what a group does.
    pub(super) fn is_unknown(&self, server: &ServerId, group: &Dn) -> bool {
        self.of(server, |seen| seen.of(group).is_none())
    }

    /// Counts a removal, and tells whether it is one to learn from: others came right before it.
    pub(super) fn shall_learn<'a>(
        &self,
        server: &ServerId,
        mut groups: impl Iterator<Item = &'a Dn>,
    ) -> bool {
        self.of(server, |seen| {
            let before = seen.last_removal.replace(Instant::now());
            if before.is_none_or(|at| at.elapsed() >= COUNTS_FOR) {
                seen.turn = 0;
                return false;
            }
            seen.turn = seen.turn.wrapping_add(1);
            seen.turn % LEARNS_AT == 1 && groups.any(|group| !seen.is_sure(group))
        })
    }

    /// Learns what a group did. One that is believed to follow is not looked at, so that it did shows nothing new.
    pub(super) fn learn(&self, server: &ServerId, group: &Dn, follows: bool) {
        self.of(server, |seen| {
            if !(follows && seen.is_sure(group)) {
                seen.groups.insert(group.clone(), (follows, Instant::now()));
            }
        });
    }

    fn of<T>(&self, server: &ServerId, what: impl FnOnce(&mut Seen) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        what(all.entry(server.clone()).or_default())
    }
}

impl Seen {
    fn is_sure(&self, group: &Dn) -> bool {
        self.of(group) == Some(true)
    }

    fn of(&self, group: &Dn) -> Option<bool> {
        let (follows, at) = self.groups.get(group)?;
        (at.elapsed() < COUNTS_FOR).then_some(*follows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_not_looked_at_is_believed_no_longer_than_a_minute() {
        let (followed, server, group) =
            (Followed::default(), ServerId::new("one"), Dn::parse("cn=ops").unwrap());
        followed.learn(&server, &group, true);
        tokio::time::advance(COUNTS_FOR / 2).await;
        followed.learn(&server, &group, true);
        assert!(followed.is_sure(&server, &group));
        tokio::time::advance(COUNTS_FOR / 2).await;
        assert!(!followed.is_sure(&server, &group) && followed.is_unknown(&server, &group));
        followed.learn(&server, &group, false);
        assert!(!followed.is_sure(&server, &group) && !followed.is_unknown(&server, &group));
    }
}
