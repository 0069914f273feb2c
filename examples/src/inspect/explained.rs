//! An explanation as JSON. `docs/inspect.md` describes every member.

use jit_core::{
    Ask, AttributeWish, DomainSet, EmailEvidence, EntitlementWish, Explanation, Plan, Planned, Profile,
    Refusal, Step, Verdict, Wished,
};
use serde::Serialize;

/// Holds the three members that `--explain` adds to a line.
#[derive(Serialize)]
pub(super) struct Explained {
    mapping: Option<Mapping>,
    decision: Decision,
    plan: Option<PlanLine>,
}

#[derive(Serialize)]
struct Mapping {
    user_name: Vec<String>,
    email: Option<Email>,
    attributes: Vec<Attribute>,
    entitlements: Vec<Wish>,
}

#[derive(Serialize)]
struct Email {
    address: String,
    trust: &'static str,
}

#[derive(Serialize)]
struct Attribute {
    name: String,
    state: &'static str,
    values: Vec<String>,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
}

#[derive(Serialize)]
struct Wish {
    entitlement: String,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
}

#[derive(Serialize)]
struct Decision {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    asks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct PlanLine {
    changes: Vec<ChangeLine>,
    refusals: Vec<RefusalLine>,
}

#[derive(Serialize)]
struct ChangeLine {
    change: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
}

#[derive(Serialize)]
struct RefusalLine {
    wish: String,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

impl Explained {
    /// Takes over an explanation; `domains` are those that the connection speaks for.
    pub(super) fn of(explanation: &Explanation, domains: &DomainSet) -> Self {
        let mut decision = Decision {
            verdict: explanation.verdict.word(),
            code: None,
            rule: None,
            message: None,
            asks: Vec::new(),
            account: explanation.present.as_ref().map(|account| account.id.to_string()),
            steps: explanation.steps.clone(),
        };
        let plan = match &explanation.verdict {
            Verdict::SignedIn(plan) | Verdict::Provisioned(plan, _) => Some(plan),
            Verdict::Held { asks, plan } => {
                decision.asks = asks.iter().map(ask).collect();
                plan.as_ref()
            }
            Verdict::Denied(denial) => {
                decision.code = Some(denial.code.to_string());
                decision.rule = denial.rule.as_ref().map(ToString::to_string);
                decision.message.clone_from(&denial.message);
                None
            }
        };
        let mapping = explanation.profile.as_ref().map(|profile| Mapping::of(profile, domains));
        Self { mapping, decision, plan: plan.map(PlanLine::of) }
    }
}

impl Mapping {
    fn of(profile: &Profile, domains: &DomainSet) -> Self {
        let names = profile.user_name.iter().flat_map(|wish| wish.candidates.iter());
        let email = profile.email.clone().map(|claim| EmailEvidence::grade(claim, domains));
        Self {
            user_name: names.map(|name| name.as_str().to_owned()).collect(),
            email: email.map(|email| Email {
                address: email.address.as_str().to_owned(),
                trust: email.trust.as_str(),
            }),
            attributes: profile.attributes.iter().map(attribute).collect(),
            entitlements: profile.entitlements.iter().map(wish).collect(),
        }
    }
}

impl PlanLine {
    fn of(plan: &Plan) -> Self {
        Self {
            changes: plan.changes.iter().map(change).collect(),
            refusals: plan.refusals.iter().map(refusal).collect(),
        }
    }
}

fn attribute(wish: &AttributeWish) -> Attribute {
    let (state, values) = match &wish.value {
        Wished::Unknown => ("unknown", Vec::new()),
        Wished::Empty => ("empty", Vec::new()),
        Wished::Values(values) => ("values", values.iter().map(str::to_owned).collect()),
    };
    Attribute {
        name: wish.name.to_string(),
        state,
        values,
        rule: wish.rule.to_string(),
        claim: wish.claim.as_ref().map(ToString::to_string),
    }
}

fn wish(wish: &EntitlementWish) -> Wish {
    Wish {
        entitlement: wish.entitlement.to_string(),
        rule: wish.rule.to_string(),
        claim: wish.claim.as_ref().map(ToString::to_string),
    }
}

fn ask(ask: &Ask) -> String {
    match ask {
        Ask::Consent(terms) => format!("consent:{terms}"),
        other => other.word().to_owned(),
    }
}

fn change(planned: &Planned) -> ChangeLine {
    ChangeLine {
        change: planned.change.to_string(),
        reason: planned.reason.code.to_string(),
        rule: planned.reason.rule.as_ref().map(ToString::to_string),
        claim: planned.reason.claim.as_ref().map(ToString::to_string),
    }
}

fn refusal(refusal: &Refusal) -> RefusalLine {
    RefusalLine {
        wish: refusal.wish.clone(),
        code: refusal.code.to_string(),
        rule: refusal.rule.as_ref().map(ToString::to_string),
    }
}
