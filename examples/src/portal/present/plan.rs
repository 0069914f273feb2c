use jit_core::{Plan, Planned, Reason, Refusal};

use crate::portal::view::{ChangeRow, PlanView};

/// Shows a plan, each change with its reason.
pub(crate) fn plan_view(plan: &Plan) -> PlanView {
    PlanView {
        changes: plan.changes.iter().map(change_row).collect(),
        refusals: plan.refusals.iter().map(refusal_row).collect(),
    }
}

fn change_row(planned: &Planned) -> ChangeRow {
    ChangeRow { what: planned.change.to_string(), reason: reason(&planned.reason) }
}

fn refusal_row(refusal: &Refusal) -> ChangeRow {
    let words = match refusal.code.as_str() {
        "access.ceiling" => "above what the connection may give",
        "access.last_holder" => "nobody else would be left who holds it",
        "link.email_taken" => "another account carries the address",
        other => other,
    };
    let rule = refusal.rule.as_ref().map(|rule| format!(", wished for by rule `{rule}`")).unwrap_or_default();
    ChangeRow { what: refusal.wish.clone(), reason: format!("{words}{rule}") }
}

fn reason(reason: &Reason) -> String {
    let words = match reason.code.as_str() {
        "sign_in.first" => "the first sign-in of this identity",
        "sign_in.invited" => "the person who was invited has come",
        "sign_in.consented" => "the person agreed",
        "link.proved" => "it is proved that the account is the person's",
        "name.chosen" => "the person chose it",
        "map.user_name" | "map.email" | "map.attribute" => "as the claims say",
        "access.given" => "as the claims and the policy say",
        "access.end_moved" => "as the policy says now",
        "access.no_longer_given" => "its source no longer gives it",
        "access.limit" => "a limit of the policy",
        other => other,
    };
    let rule = reason.rule.as_ref().map(|rule| format!(", rule `{rule}`"));
    let claim = reason.claim.as_ref().map(|claim| format!(", claim `{claim}`"));
    [Some(words.to_owned()), rule, claim].into_iter().flatten().collect()
}
