use maud::{Markup, html};

use super::layout::{badge, facts, prose};
use crate::portal::view::{ChangeRow, DecisionView, PlanView, RuleMark, RuleRow};

/// Explains a decision rule by rule.
pub(super) fn decision(view: &DecisionView) -> Markup {
    html! {
        section aria-labelledby="why" {
            h2 id="why" { "Why " (badge(&view.outcome)) }
            (facts(&view.facts))
            @for stage in &view.stages {
                h3 { (stage.title) }
                ol.rules { @for rule in &stage.rules { (rule_row(rule)) } }
            }
        }
    }
}

/// Lists what the sign-in changed, and what it asked for in vain.
pub(super) fn plan(plan: &PlanView) -> Markup {
    html! {
        section aria-labelledby="plan" {
            h2 id="plan" { "What this sign-in changed" }
            @if plan.changes.is_empty() {
                p.nothing { "Nothing to change. Everything already was as this sign-in wants it." }
            } @else {
                ol.changes { @for change in &plan.changes { (change_row(change)) } }
            }
            @if !plan.refusals.is_empty() {
                h3 { "Asked for and not given" }
                ol.changes { @for refusal in &plan.refusals { (change_row(refusal)) } }
            }
        }
    }
}

fn change_row(change: &ChangeRow) -> Markup {
    html! { li { strong { (prose(&change.what)) } span.muted { (prose(&change.reason)) } } }
}

fn rule_row(rule: &RuleRow) -> Markup {
    let (class, mark, words) = match rule.mark {
        RuleMark::Passed => ("passed", "✓", "passed"),
        RuleMark::Skipped => ("skipped", "–", "does not apply"),
        RuleMark::Decided => ("decided", "✓", "decided"),
        RuleMark::Refused => ("refused", "✗", "refused"),
        RuleMark::NotAsked => ("skipped", "·", "not asked"),
    };
    html! {
        li class=(class) {
            span.mark aria-hidden="true" { (mark) }
            div {
                @if !rule.id.is_empty() { code { (rule.id) } " " }
                span.verdict { (words) }
                @if !rule.why.is_empty() { div.muted { (prose(&rule.why)) } }
            }
        }
    }
}
