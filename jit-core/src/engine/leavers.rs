//! What guards leaves: how many may come in a span, and who is told of those that wait.

use chrono::{DateTime, Utc};

use super::{Connection, Jit};
use crate::{
    Account, AccountState, Change, Code, Commit, CounterChange, CounterName, HeldPresence, Mint, Plan,
    TaskKind,
};

/// Counts a leave, where the connection bounds them: of somebody in use as one who leaves, and of somebody who is out of use
/// already as one who is removed for good. What the policy ends is its own affair.
pub(super) fn counted_leave(
    connection: &Connection,
    (before, after): (Option<&Account>, &Account),
    plan: &Plan,
    now: DateTime<Utc>,
) -> Option<CounterChange> {
    let limit = connection.provisioning.as_ref()?.leavers?;
    let is_leave = |change: &Change| matches!(change, Change::SetRecord(heard) if heard.presence != HeldPresence::Active);
    if !plan.changes.iter().any(|planned| is_leave(&planned.change)) {
        return None;
    }
    let (own, span) = (&connection.settings.id, limit.within.delta().num_seconds().max(1));
    let span = now.timestamp().div_euclid(span);
    let (name, most) = match (&before?.state, &after.state) {
        (AccountState::Disabled { .. }, AccountState::Ended { .. }) => {
            (CounterName::removals(own, span), limit.removals.unwrap_or(limit.most))
        }
        (AccountState::Disabled { .. } | AccountState::Ended { .. }, _) => return None,
        (_, AccountState::Disabled { .. } | AccountState::Ended { .. }) => {
            (CounterName::leavers(own, span), limit.most)
        }
        _ => return None,
    };
    Some(CounterChange { name, by: 1, at_least: None, at_most: Some(i64::from(most)) })
}

/// Tells whether a leave waits from now on that did not wait before.
pub(super) fn waits_anew(before: Option<&Account>, plan: &Plan) -> bool {
    plan.changes.iter().any(|planned| {
        let Change::SetRecord(heard) = &planned.change else { return false };
        let held = before.and_then(|before| before.record(&heard.key));
        heard.parked.is_some() && held.is_none_or(|held| held.parked.is_none())
    })
}

impl Jit {
    /// Tells whoever runs the application that a leave waits for them, with the commit that makes it wait.
    pub(super) fn tell_of_waiting(
        &self,
        connection: &Connection,
        commit: &mut Commit,
        account: &Account,
        mint: &mut Mint,
    ) {
        let (id, connection) = (account.id, &connection.settings.id);
        tracing::warn!(account = %id, %connection, "too many leave at once: a leave waits for an administrator");
        let kind = TaskKind::Alarm { about: Code::new("record.parked"), target: None };
        let due = self.parts.clock.work().min(self.parts.clock.now());
        commit.tasks.extend(self.notice(mint.task(), &account.tenant, id, kind, due));
    }
}
