use jit_core::{Ask, Denied, Finding, Held, SignedIn, Stage, Step};

use super::span::instant;
use crate::portal::view::{Badge, DecisionView, Fact, RuleMark, RuleRow, StageView, Tone};

const STAGES: [(Stage, &str); 5] = [
    (Stage::Verify, "Verification: is this what the provider said?"),
    (Stage::Map, "Mapping: what do the claims mean here?"),
    (Stage::Match, "Search: is there an account already?"),
    (Stage::Decide, "Policy: the first rule that matches decides, and without one the answer is no"),
    (Stage::Plan, "Plan: what has to change?"),
];

/// Explains why somebody is in.
pub(crate) fn permitted(signed_in: &SignedIn) -> DecisionView {
    let account = &signed_in.account;
    let facts = [("Session ends", signed_in.session.ends_at), ("Account ends", account.ends_at)];
    let facts = facts.into_iter().filter_map(|(name, end)| Some(fact(name, instant(end?)))).collect();
    // The page shows the plan itself, with its reasons.
    let steps: Vec<_> = signed_in.steps.iter().filter(|step| step.stage != Stage::Plan).cloned().collect();
    view("permitted", Tone::Good, facts, &steps)
}

/// Explains what somebody waits for.
pub(crate) fn held(held: &Held) -> DecisionView {
    let asks: Vec<_> = held.asks.iter().map(words).collect();
    view("held", Tone::Caution, vec![fact("Waits for", asks.join(", "))], &held.steps)
}

/// Explains why somebody is not let in.
pub(crate) fn denied(denied: &Denied) -> DecisionView {
    let mut facts = vec![fact("Code", format!("`{}`", denied.denial.code))];
    facts.extend(denied.denial.rule.as_ref().map(|rule| fact("Rule", format!("`{rule}`"))));
    view("denied", Tone::Bad, facts, &denied.steps)
}

fn view(outcome: &str, tone: Tone, facts: Vec<Fact>, steps: &[Step]) -> DecisionView {
    DecisionView { outcome: Badge { text: outcome.into(), tone }, facts, stages: stages(steps) }
}

fn words(ask: &Ask) -> String {
    match ask {
        Ask::Consent(terms) => format!("consent to `{terms}`"),
        Ask::UserName => "a user name".into(),
        Ask::Password => "a password".into(),
        Ask::LinkProof => "a proof that the account is the person's".into(),
        Ask::Approval => "an administrator's approval".into(),
    }
}

fn stages(steps: &[Step]) -> Vec<StageView> {
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

fn fact(name: &str, value: String) -> Fact {
    Fact { name: name.into(), value }
}
