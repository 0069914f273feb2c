//! The record of a decision: which rules were weighed and how each came out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::RuleName;

/// Records steps, or nothing at all.
#[derive(Debug, Default)]
pub struct Trace {
    steps: Option<Vec<Step>>,
}

impl Trace {
    /// Records nothing and costs nothing.
    #[must_use]
    pub fn off() -> Self {
        Self { steps: None }
    }

    /// Records every step.
    #[must_use]
    pub fn on() -> Self {
        Self { steps: Some(Vec::new()) }
    }

    /// Tells whether steps are recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.steps.is_some()
    }

    /// Records a step; the closure runs only when steps are recorded.
    pub fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.steps {
            steps.push(step());
        }
    }

    /// The steps recorded so far.
    #[must_use]
    pub fn into_steps(self) -> Vec<Step> {
        self.steps.unwrap_or_default()
    }
}

/// Records how one rule or check came out. Names rules, claims and attributes, never values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The stage of the pipeline.
    pub stage: Stage,
    /// The rule, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// How it came out.
    pub finding: Finding,
    /// Why, in words, without values.
    pub detail: String,
}

/// Names a stage of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there are these stages")]
pub enum Stage {
    /// The trigger's checks.
    Verify,
    /// The attribute mapper.
    Map,
    /// The search for an account.
    Match,
    /// The policy.
    Decide,
    /// The planner.
    Plan,
}

/// Says how a step came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there are these findings")]
pub enum Finding {
    /// The check was passed, or the rule gave something.
    Passed,
    /// The rule did not apply and the next one was asked.
    Skipped,
    /// The rule matched and decided.
    Decided,
    /// The step refused something.
    Refused,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::Decided => "decided",
            Self::Refused => "refused",
        })
    }
}
