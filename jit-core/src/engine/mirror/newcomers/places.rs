//! How far a trail was followed: ids of events, which begin with the instant at which they were minted (RFC 9562 section 5.7).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long an event may be on its way into the trail after its id was minted: until then what comes before it is read again.
const SETTLES: TimeDelta = TimeDelta::seconds(5);
/// How late it may come at all, by the clocks of all nodes: what was read is read once more after that.
const LATEST: TimeDelta = TimeDelta::minutes(10);

/// How far the trail of one tenant was followed for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Followed {
    /// Up to here by those who want to know at once; never beyond now, where others may still write.
    head: Uuid,
    /// Up to here once more, when all had come.
    tail: Uuid,
    /// Up to here beyond now, where the clocks of others are ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ahead: Option<Uuid>,
    /// From the one to the other once more: the clock was set back, and what came then has ids below what was read before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<(Uuid, Uuid)>,
}

/// A part of a trail that is read in one turn.
pub(super) struct Stretch {
    pub(super) from: Uuid,
    /// Nothing beyond is looked at.
    pub(super) until: Uuid,
    /// What lies after the one and up to the other was looked at.
    seen: Option<(Uuid, Uuid)>,
}

/// How far a stretch was read.
#[derive(Clone, Copy)]
pub(super) struct Reached {
    pub(super) at: Uuid,
    /// Whether nothing of it is left.
    pub(super) is_end: bool,
}

impl Stretch {
    fn between(from: Uuid, until: Uuid) -> Self {
        Self { from, until, seen: None }
    }

    pub(super) fn was_seen(&self, event: Uuid) -> bool {
        self.seen.is_some_and(|(from, to)| from < event && event <= to)
    }

    /// Where it goes on after this event.
    pub(super) fn after(&self, event: Uuid) -> Uuid {
        self.seen.filter(|_| self.was_seen(event)).map_or(event, |(_, to)| to)
    }
}

impl Followed {
    /// Begins to follow. Whoever was there before is brought by `mirror_anew`.
    pub(super) fn from_now_on(now: DateTime<Utc>) -> Self {
        let late = first_of(now - LATEST);
        Self { head: late, tail: late, ahead: None, again: None }
    }

    /// What nobody has read yet.
    pub(super) fn at_once(&self, now: DateTime<Utc>) -> Stretch {
        // Clocks always differ by a little: what is as far ahead is new.
        let seen = self.ahead.map(|ahead| (first_of(now + SETTLES), ahead));
        Stretch { from: self.head, until: Uuid::max(), seen }
    }

    /// What was read before all had come.
    pub(super) fn once_more(&self, now: DateTime<Utc>) -> Stretch {
        Stretch::between(self.tail, first_of(now - LATEST))
    }

    /// What came after the clock was set back.
    pub(super) fn over_again(&self) -> Option<Stretch> {
        self.again.map(|(from, until)| Stretch::between(from, until))
    }

    /// Counts as read what may be: neither what others may still write before it, nor what is minted by a clock that is ahead.
    pub(super) fn has_read_at_once(&mut self, Reached { at, is_end }: Reached, now: DateTime<Utc>) {
        self.head = self.head.max(at.min(first_of(now - SETTLES)));
        let now = first_of(now);
        let known = self.ahead.filter(|ahead| now < *ahead);
        // Where more follows, that is next; else what is on its way is looked for once more.
        let read = (now < at).then(|| if is_end { before(at, SETTLES) } else { at });
        self.ahead = known.max(read.filter(|read| now < *read));
    }

    pub(super) fn has_read_once_more(&mut self, reached: Reached) {
        self.tail = reached.at;
    }

    pub(super) fn has_read_over_again(&mut self, Reached { at, is_end }: Reached) {
        self.again = self.again.map(|(_, until)| (at, until)).filter(|_| !is_end);
    }

    /// Notes from where to read over again once the clock is believed, while it is behind by so much: it is not known then for
    /// how long it was.
    pub(super) fn is_behind(&mut self, by: TimeDelta, now: DateTime<Utc>) {
        self.read_over_again_from(first_of(now - by - LATEST));
    }

    /// Goes back where the clock was set back, and tells whether it was. What differs by less than clocks may is read in any
    /// case.
    pub(super) fn goes_back(&mut self, now: DateTime<Utc>) -> bool {
        let is_set_back = first_of(now + LATEST) < self.head;
        if is_set_back {
            self.read_over_again_from(first_of(now - LATEST * 2));
        }
        let bound = first_of(now);
        if self.again.is_some() && bound < self.head {
            self.ahead = self.ahead.max(Some(self.head));
            self.head = bound;
            self.tail = self.tail.min(first_of(now - LATEST));
        }
        is_set_back
    }

    fn read_over_again_from(&mut self, from: Uuid) {
        let (first, until) = self.again.unwrap_or((from, self.head));
        self.again = Some((first.min(from), until.max(self.head)));
    }
}

/// Comes before every id that is minted at this instant.
fn first_of(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(u128::from(millis) << 80)
}

/// Comes so much before an id.
fn before(id: Uuid, by: TimeDelta) -> Uuid {
    let millis = u128::try_from(by.num_milliseconds()).unwrap_or(0);
    Uuid::from_u128(id.as_u128().saturating_sub(millis << 80))
}
