//! What one process knows of the health of a target: what the store said last, and whom the target worked for since.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Health, REMEMBERED};
use crate::AccountId;

/// How often the store is asked. Whoever sees a failure asks at once.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug, Default)]
pub(crate) struct HealthView(Mutex<View>);

#[derive(Debug, Default)]
struct View {
    known: Health,
    looked_at: Option<DateTime<Utc>>,
    /// What the store was not told: a target without failures costs it nothing.
    worked_for: VecDeque<(AccountId, DateTime<Utc>)>,
}

impl HealthView {
    pub(crate) fn is_on(&self) -> bool {
        self.view().known.is_on()
    }

    pub(crate) fn known(&self) -> Health {
        self.view().known.clone()
    }

    pub(crate) fn needs_a_look(&self, now: DateTime<Utc>) -> bool {
        let is_fresh = |at: DateTime<Utc>| (TimeDelta::zero()..LOOK_AGAIN).contains(&(now - at));
        !self.view().looked_at.is_some_and(is_fresh)
    }

    /// Keeps what the store says.
    pub(crate) fn saw(&self, known: Health, now: DateTime<Utc>) {
        let mut view = self.view();
        (view.known, view.looked_at) = (known, Some(now));
    }

    /// Notes that the target did its work for an account.
    pub(crate) fn worked_for(&self, account: AccountId, now: DateTime<Utc>) {
        let mut view = self.view();
        view.worked_for.retain(|(known, _)| *known != account);
        view.worked_for.push_back((account, now));
        if view.worked_for.len() > REMEMBERED {
            view.worked_for.pop_front();
        }
    }

    /// Hands over whom it worked for, where that changes what is known of failures.
    pub(crate) fn take_news(&self, health: &Health, now: DateTime<Utc>) -> Vec<(AccountId, DateTime<Utc>)> {
        let mut view = self.view();
        let matters =
            health.has_failures(now) || view.worked_for.iter().any(|(one, _)| health.has_failed(*one));
        if matters { view.worked_for.drain(..).collect() } else { Vec::new() }
    }

    pub(crate) fn take_all(&self) -> Vec<(AccountId, DateTime<Utc>)> {
        self.view().worked_for.drain(..).collect()
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
