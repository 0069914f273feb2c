use std::collections::BTreeMap;

use jit_core::{AccountId, LentWrong, ReconcileMode, Reconciliation, TargetId};
use serde::Serialize;

use super::sweep::{SweptLine, at_target, worker};
use crate::checkout::failure::Failure;
use crate::checkout::house::House;
use crate::checkout::report::{DifferingLine, LentLine, RemoteLine, Report};
use crate::checkout::{DONE, FAILED, REFUSED};
use crate::targets::Opened;

/// Tells how a target differs from what is written down.
#[derive(Default, Serialize)]
struct ReconcileLine {
    target: String,
    seen: usize,
    /// Why the comparison is not whole.
    partial: Option<String>,
    returned: Vec<RemoteLine>,
    suspects: Vec<RemoteLine>,
    missing: Vec<AccountId>,
    changed: Vec<AccountId>,
    differing: Vec<DifferingLine>,
    unheld: Vec<LentLine>,
    leftover: Vec<LentLine>,
    ended: usize,
    /// The leases of what could not be put on its way out, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    not_ended: BTreeMap<AccountId, String>,
    /// Tasks of the target that failed when what returned was put on its way out.
    failed: usize,
    /// The code of what kept the target from being compared, what was found from being acted on, or its tasks from being
    /// looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Compares targets with what is written down; ends what returned, and takes back what was added, where that is asked for. A target that fails keeps
/// no other from its turn.
pub(super) async fn reconcile(
    house: &House,
    target: Option<TargetId>,
    at_most: Option<usize>,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let mode = match at_most {
        Some(at_most) => ReconcileMode::Apply { at_most, by: house.actor() },
        None => ReconcileMode::Report,
    };
    let (mut lines, mut code) = (Vec::new(), DONE);
    let worker = worker()?;
    for target in house.chosen(target.as_ref())? {
        match house.jit.reconcile(None, &house.tenant, &target.id, mode.clone()).await {
            Ok(found) => {
                let ends = found.ended > 0;
                let swept = if ends { at_target(house, &worker, target).await } else { SweptLine::default() };
                code = code.max(code_of(&found, &swept));
                lines.push(ReconcileLine::of(target, &found, swept));
            }
            Err(error) => {
                let failure = Failure::from(error);
                code = code.max(failure.exit_code());
                lines.push(ReconcileLine::failed(target, &failure));
            }
        }
    }
    show(&lines, report)?;
    Ok(code)
}

fn show(lines: &[ReconcileLine], report: &mut Report<'_>) -> std::io::Result<()> {
    let heads = [
        "TARGET",
        "SEEN",
        "RETURNED",
        "SUSPECTS",
        "MISSING",
        "CHANGED",
        "DIFFERING",
        "UNHELD",
        "LEFTOVER",
        "ENDED",
        "FAILED",
        "NOT WHOLE",
    ];
    report.several(lines, heads, |line| {
        [
            line.target.clone(),
            line.seen.to_string(),
            listed(line.returned.iter().map(RemoteLine::name)),
            listed(line.suspects.iter().map(RemoteLine::name)),
            listed(line.missing.iter()),
            listed(line.changed.iter()),
            listed(line.differing.iter()),
            listed(line.unheld.iter()),
            listed(line.leftover.iter()),
            line.ended.to_string(),
            line.error.clone().unwrap_or_else(|| (line.failed + line.not_ended.len()).to_string()),
            line.partial.clone().unwrap_or_default(),
        ]
    })
}

/// What was ended or brought back no longer differs, unless the target keeps it.
fn code_of(found: &Reconciliation, swept: &SweptLine) -> u8 {
    let differing = found.returned.len().saturating_sub(found.ended)
        + found.suspects.len()
        + found.missing.len()
        + found.changed.len()
        + found.differing.iter().filter(|one| !one.is_settled()).count()
        + found.unheld.len()
        + found.leftover.len();
    let has_failed = !found.not_ended.is_empty() || found.differing.iter().any(|one| one.failed.is_some());
    if found.partial.is_some() || has_failed || swept.is_delayed() {
        FAILED
    } else if differing > 0 || found.refused.is_some() {
        REFUSED
    } else {
        DONE
    }
}

fn listed<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<_> = names.map(|name| name.to_string()).collect();
    if names.is_empty() { "0".to_owned() } else { names.join(" ") }
}

impl ReconcileLine {
    fn of(target: &Opened, found: &Reconciliation, swept: SweptLine) -> Self {
        let lent = |wrong: &[LentWrong]| wrong.iter().map(LentLine::from).collect();
        Self {
            target: target.id.to_string(),
            seen: found.seen,
            partial: found.partial.as_ref().map(ToString::to_string),
            returned: found.returned.iter().map(RemoteLine::from).collect(),
            suspects: found.suspects.iter().map(RemoteLine::from).collect(),
            missing: found.missing.clone(),
            changed: found.changed.clone(),
            differing: found.differing.iter().map(DifferingLine::from).collect(),
            unheld: lent(&found.unheld),
            leftover: lent(&found.leftover),
            ended: found.ended,
            not_ended: found.not_ended.iter().map(|(lease, why)| (*lease, why.to_string())).collect(),
            failed: swept.failed,
            error: found.refused.as_ref().map(ToString::to_string).or(swept.error),
        }
    }

    fn failed(target: &Opened, failure: &Failure) -> Self {
        let error = Some(failure.code().to_owned());
        Self { target: target.id.to_string(), error, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_keeps_from_ending_is_no_success() {
        let mut found = Reconciliation::default();
        found.ended = 1;
        assert_eq!(code_of(&found, &SweptLine::default()), DONE);
        assert_eq!(code_of(&found, &SweptLine { failed: 1, ..SweptLine::default() }), FAILED);
        let unasked = SweptLine { error: Some("store.unavailable".into()), ..SweptLine::default() };
        assert_eq!(code_of(&found, &unasked), FAILED);
    }
}
