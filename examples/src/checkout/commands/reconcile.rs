use jit_core::{AccountId, ReconcileMode, Reconciliation, TargetId};
use serde::Serialize;

use super::sweep::{at_target, worker};
use crate::checkout::failure::Failure;
use crate::checkout::house::House;
use crate::checkout::report::{RemoteLine, Report};
use crate::checkout::{DONE, FAILED, REFUSED};

/// Tells how a target differs from what is written down.
#[derive(Serialize)]
struct ReconcileLine {
    target: String,
    seen: usize,
    /// Why the listing is not whole.
    partial: Option<String>,
    returned: Vec<RemoteLine>,
    suspects: Vec<RemoteLine>,
    missing: Vec<AccountId>,
    changed: Vec<AccountId>,
    ended: usize,
}

/// Compares targets with what is written down, and ends what returned where that is asked for.
pub(super) async fn reconcile(
    house: &House,
    target: Option<TargetId>,
    end_at_most: Option<usize>,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let mode = match end_at_most {
        None => ReconcileMode::Report,
        Some(at_most) => ReconcileMode::EndReturned { at_most },
    };
    let (mut lines, mut code) = (Vec::new(), DONE);
    for target in house.chosen(target.as_ref())? {
        let found = house.jit.reconcile(None, &house.tenant, &target.id, mode).await?;
        if found.ended > 0 {
            at_target(house, &worker()?, target).await;
        }
        code = code.max(code_of(&found));
        lines.push(ReconcileLine::of(target.id.to_string(), &found));
    }
    let heads = ["TARGET", "SEEN", "RETURNED", "SUSPECTS", "MISSING", "CHANGED", "ENDED", "NOT WHOLE"];
    report.several(&lines, heads, |line| {
        [
            line.target.clone(),
            line.seen.to_string(),
            listed(line.returned.iter().map(RemoteLine::name)),
            listed(line.suspects.iter().map(RemoteLine::name)),
            listed(line.missing.iter()),
            listed(line.changed.iter()),
            line.ended.to_string(),
            line.partial.clone().unwrap_or_default(),
        ]
    })?;
    Ok(code)
}

/// What was ended no longer differs.
fn code_of(found: &Reconciliation) -> u8 {
    let differing = found.returned.len().saturating_sub(found.ended)
        + found.suspects.len()
        + found.missing.len()
        + found.changed.len();
    match (&found.partial, differing) {
        (Some(_), _) => FAILED,
        (None, 0) => DONE,
        (None, _) => REFUSED,
    }
}

fn listed<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<_> = names.map(|name| name.to_string()).collect();
    if names.is_empty() { "0".to_owned() } else { names.join(" ") }
}

impl ReconcileLine {
    fn of(target: String, found: &Reconciliation) -> Self {
        Self {
            target,
            seen: found.seen,
            partial: found.partial.as_ref().map(ToString::to_string),
            returned: found.returned.iter().map(RemoteLine::from).collect(),
            suspects: found.suspects.iter().map(RemoteLine::from).collect(),
            missing: found.missing.clone(),
            changed: found.changed.clone(),
            ended: found.ended,
        }
    }
}
