use jit_core::{
    AccountEnd, Decision, Entitlement, EntitlementPattern, Finding, GrantEnd, Permit, Stage, Step,
};

use super::span::{instant, span};
use crate::portal::view::{Badge, DecisionView, Fact, RuleMark, RuleRow, StageView, Tone};

const STAGES: [(Stage, &str); 5] = [
    (Stage::Verify, "Verification: is this what the provider said?"),
    (Stage::Map, "Mapping: what do the claims mean here?"),
    (Stage::Match, "Search: is there an account already?"),
    (Stage::Decide, "Policy: the first rule that matches decides, and without one the answer is no"),
    (Stage::Plan, "Plan: what has to change?"),
];

/// Explains a decision by the steps that led to it.
pub(crate) fn decision_view(decision: &Decision, steps: &[Step]) -> DecisionView {
    DecisionView { outcome: outcome(decision), facts: facts(decision), stages: stages(steps) }
}

/// Lists the steps by stage.
pub(crate) fn stages(steps: &[Step]) -> Vec<StageView> {
    let each = STAGES.into_iter().map(|(stage, title)| StageView {
        title: title.into(),
        rules: steps.iter().filter(|step| step.stage == stage).map(rule_row).collect(),
    });
    each.filter(|stage| !stage.rules.is_empty()).collect()
}

fn rule_row(step: &Step) -> RuleRow {
    let mark = match step.finding {
        Finding::Passed => RuleMark::Passed,
        Finding::Skipped => RuleMark::Skipped,
        Finding::Decided => RuleMark::Decided,
        Finding::Refused => RuleMark::Refused,
    };
    let id = step.rule.as_ref().map(ToString::to_string).unwrap_or_default();
    RuleRow { id, mark, why: step.detail.clone() }
}

fn outcome(decision: &Decision) -> Badge {
    let (text, tone) = match decision {
        Decision::Permit(_) => ("permitted", Tone::Good),
        Decision::Hold(_) => ("held", Tone::Caution),
        Decision::Deny(_) => ("denied", Tone::Bad),
    };
    Badge { text: text.into(), tone }
}

fn facts(decision: &Decision) -> Vec<Fact> {
    match decision {
        Decision::Permit(permit) => limits(permit),
        Decision::Hold(hold) => {
            let asks: Vec<_> = hold.asks.iter().map(|ask| ask.word().replace('_', " ")).collect();
            let mut facts = vec![fact("Waits for", asks.join(", "))];
            facts.extend(limits(&hold.permit));
            facts
        }
        Decision::Deny(denial) => vec![fact("Code", format!("`{}`", denial.code))],
    }
}

fn limits(permit: &Permit) -> Vec<Fact> {
    let given = (!permit.entitlements.is_empty()).then(|| join(&permit.entitlements));
    let ceiling = permit.ceiling.as_ref().map(|patterns| join_patterns(patterns));
    let grant_end = permit.grant_end.map(|end| match end {
        GrantEnd::At(at) => instant(at),
        GrantEnd::Lease(lease) => format!("{} after the last sign-in", span(lease)),
    });
    let account_end = permit.account_end.map(|end| match end {
        AccountEnd::At(at) => instant(at),
        AccountEnd::AfterCreation(life) => format!("{} after it came into being", span(life)),
    });
    let every = [
        ("The rule gives", given),
        ("At most", ceiling),
        ("Grants end", grant_end),
        ("Account ends", account_end),
        ("Ends when unused for", permit.idle_limit.map(span)),
        ("A session lasts", permit.session_limit.map(span)),
    ];
    every.into_iter().filter_map(|(name, value)| value.map(|value| fact(name, value))).collect()
}

fn join(entitlements: &[Entitlement]) -> String {
    entitlements.iter().map(Entitlement::as_str).collect::<Vec<_>>().join(", ")
}

fn join_patterns(patterns: &[EntitlementPattern]) -> String {
    if patterns.is_empty() {
        return "nothing".into();
    }
    patterns.iter().cloned().map(String::from).collect::<Vec<_>>().join(", ")
}

fn fact(name: &str, value: String) -> Fact {
    Fact { name: name.into(), value }
}
