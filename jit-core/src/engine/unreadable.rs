//! Tasks that this build cannot read: those of a later version beside it, and those that were damaged.

use super::{Jit, work::WorkReport};
use crate::{Actor, Claimed, TargetId, TaskKind};

/// After how many claims the alarm is raised: they last a minute each, and a later version may be about to take this one's place.
const FIRST: u32 = 15;
/// After how many more it is raised again: a day.
const EVERY: u32 = 1_440;

impl Jit {
    /// Parts what can be read of what was claimed from the rest, and tells of that. Its claims run out by themselves: it is for
    /// whoever can read it, and keeps nothing else from being done.
    pub(super) async fn readable(
        &self,
        claimed: Vec<Claimed>,
        target: Option<&TargetId>,
        report: &mut WorkReport,
    ) -> Vec<Claimed> {
        let (unreadable, readable): (Vec<_>, Vec<_>) = claimed.into_iter().partition(is_unreadable);
        if !unreadable.is_empty() {
            report.unreadable += unreadable.len();
            Box::pin(self.tell_of_tasks(&unreadable, target)).await;
        }
        readable
    }

    async fn tell_of_tasks(&self, unreadable: &[Claimed], target: Option<&TargetId>) {
        for Claimed { task, attempts, .. } in unreadable {
            tracing::warn!(task = %task.id, tenant = %task.tenant, lane = %task.lane, attempts, "task cannot be read");
        }
        let is_long = |claimed: &&Claimed| claimed.attempts % EVERY == FIRST;
        let which: Vec<_> = unreadable
            .iter()
            .filter(is_long)
            .map(|Claimed { task, .. }| format!("{} of {} in {}", task.id, task.tenant, task.lane))
            .collect();
        if which.is_empty() {
            return;
        }
        if let Err(error) = self.tell("task.unreadable", target, Actor::Clock, which).await {
            tracing::warn!(code = %error.code(), "alarm not raised");
        }
    }
}

pub(super) fn is_unreadable(claimed: &Claimed) -> bool {
    claimed.task.kind == TaskKind::Unreadable
}
