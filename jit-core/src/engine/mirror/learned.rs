//! What is known of a mirror once its target answered. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::{Code, CounterChange, Effect, JitError, Mirror, MirrorState, Wanted};

/// What is written down about a mirror in one commit.
pub(super) struct Entry {
    /// The mirror as it shall be; `None`: nothing of it is to be remembered.
    pub(super) mirror: Option<Mirror>,
    pub(super) action: Option<&'static str>,
    pub(super) alarm: Option<&'static str>,
    pub(super) counter: Option<CounterChange>,
    /// Whether the task that brought the change goes.
    pub(super) settles: bool,
}

impl Entry {
    pub(super) fn of(mirror: Mirror) -> Self {
        Self { mirror: Some(mirror), action: None, alarm: None, counter: None, settles: false }
    }

    pub(super) fn noting(self, action: &'static str) -> Self {
        Self { action: Some(action), ..self }
    }

    pub(super) fn settling(self) -> Self {
        Self { settles: true, ..self }
    }
}

/// What is known of a mirror once the target answered. Until `others`, an earlier call may still take effect.
pub(super) fn learned(
    mirror: Mirror,
    done: &Wanted,
    effect: &Effect,
    others: Option<DateTime<Utc>>,
) -> Result<Entry, JitError> {
    let alarm = mirror.alarmed.then_some("mirror.overdue_over");
    let was_there = mirror.native.is_some();
    let mut mirror = Mirror { unanswered: others, alarmed: false, asked: Some(done.digest()), ..mirror };
    let entry = match (effect, done) {
        (Effect::Mirrored { native, held, ids, confirmed, adopted }, Wanted::There(mirrored)) => {
            mirror.native = Some(native.clone());
            mirror.name.clone_from(&mirrored.user_name);
            hold(&mut mirror, held, ids, others.is_some());
            mirror.confirmed = Some(confirmed.clone());
            mirror.state = if mirrored.active { MirrorState::Present } else { MirrorState::Inactive };
            Entry::of(mirror).noting(match (adopted, was_there, mirrored.active) {
                (true, ..) => "mirror.adopted",
                (_, false, _) => "mirror.made",
                (_, _, true) => "mirror.changed",
                (_, _, false) => "mirror.stopped",
            })
        }
        (Effect::Mirrored { native, held, ids, .. }, Wanted::Stopped) => {
            mirror.native = Some(native.clone());
            mirror.state = MirrorState::Inactive;
            mirror.confirmed = None;
            hold(&mut mirror, held, ids, others.is_some());
            Entry::of(mirror).noting("mirror.stopped")
        }
        (Effect::Absent { .. }, _) if done.stops() => {
            // What is still on its way would make it anew; it is looked for by its name then.
            mirror.native = None;
            mirror.state = MirrorState::Stopping;
            let entry = Entry::of(mirror).noting("mirror.removed");
            if others.is_some() { entry } else { Entry { mirror: None, ..entry } }
        }
        (Effect::Stranger | Effect::NotOurs, _) => refused(mirror, Code::new("mirror.stranger")),
        (Effect::Stuck(code) | Effect::Named { why: code, .. }, _) => refused(mirror, code.clone()),
        _ => return Err(JitError::refused("target.protocol")),
    };
    Ok(Entry { alarm: entry.alarm.or(alarm), ..entry }.settling())
}

/// What a call on its way may still give or take is in doubt.
fn hold(mirror: &mut Mirror, held: &BTreeSet<String>, ids: &BTreeMap<String, String>, is_in_doubt: bool) {
    if is_in_doubt {
        mirror.doubtful.extend(held.iter().cloned());
        mirror.doubtful.append(&mut mirror.held);
        mirror.ids.extend(ids.clone());
    } else {
        mirror.held.clone_from(held);
        mirror.doubtful.clear();
        mirror.ids.clone_from(ids);
    }
}

/// What is known of a mirror once the target told ids and failed; `None` where that is nothing new. What others learned since
/// these were `known` is later than that.
pub(super) fn with_ids(
    mut mirror: Mirror,
    known: &BTreeMap<String, String>,
    told: &BTreeMap<String, String>,
) -> Option<Mirror> {
    let is_news = |(name, id): &(&String, &String)| {
        known.get(*name) != Some(*id) && mirror.ids.get(*name) == known.get(*name)
    };
    let news: Vec<_> = told.iter().filter(is_news).map(|(name, id)| (name.clone(), id.clone())).collect();
    let has_news = !news.is_empty();
    mirror.ids.extend(news);
    has_news.then_some(mirror)
}

fn refused(mut mirror: Mirror, code: Code) -> Entry {
    mirror.state = MirrorState::Refused { code };
    Entry { alarm: Some("mirror.refused"), ..Entry::of(mirror).noting("mirror.refused") }
}
