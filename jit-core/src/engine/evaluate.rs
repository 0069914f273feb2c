//! Map, match, decide, plan: everything that handling and explaining share. Reads, and writes nothing.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    Connection, Explanation, Jit, ShadowReport, SignIn, Verdict,
    kin::{follow_names, known_by},
    matching::{Found, is_elsewhere, other_address, search},
    outcome::JitError,
};
use crate::{
    Account, Answers, Ask, Check, Checks, Decision, Denial, EmailEvidence, Entitlement, ExternalKey, Finding,
    LinkProof, MapError, Permit, Plan, Profile, Request, SameSource, SignInFacts, SignInPlan, Stage, Step,
    Store, Trace, plan_sign_in,
};

/// Remembers what earlier attempts of one sign-in taught.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) now: DateTime<Utc>,
    pub(super) taken: BTreeSet<String>,
    pub(super) keep: BTreeSet<Entitlement>,
    pub(super) no_seat: bool,
    pub(super) address_taken: bool,
    explaining: bool,
}

impl Attempt {
    pub(super) fn new(now: DateTime<Utc>, explaining: bool) -> Self {
        Self {
            now,
            taken: BTreeSet::new(),
            keep: BTreeSet::new(),
            no_seat: false,
            address_taken: false,
            explaining,
        }
    }

    pub(super) fn trace(&self) -> Trace {
        if self.explaining { Trace::on() } else { Trace::off() }
    }

    pub(super) fn explaining(now: DateTime<Utc>) -> Self {
        Self::new(now, true)
    }
}

/// Holds what an evaluation found.
pub(super) struct Evaluated {
    pub(super) found: Found,
    pub(super) plan: SignInPlan,
    pub(super) permit: Permit,
    pub(super) profile: Option<Profile>,
    pub(super) steps: Vec<Step>,
    pub(super) shadow: Option<ShadowReport>,
    /// Whether nothing was asked for but the sign-in, the account that it was handed, the instant and the policy.
    pub(super) stands_alone: bool,
}

impl Evaluated {
    /// Refuses before anything is planned.
    fn refused(denial: Denial, found: Found, profile: Option<Profile>, trace: Trace) -> Self {
        let (plan, permit) = (SignInPlan::Deny(denial), Permit::default());
        Self { found, plan, permit, profile, steps: trace.into_steps(), shadow: None, stands_alone: false }
    }

    pub(super) fn explain(self) -> Explanation {
        let verdict = match self.plan {
            SignInPlan::Go(plan) => Verdict::SignedIn(plan),
            SignInPlan::Ask(asks) => Verdict::Held { asks, plan: None },
            SignInPlan::Await(plan) => Verdict::Held { asks: vec![Ask::Approval], plan: Some(plan) },
            SignInPlan::Deny(denial) | SignInPlan::End(_, denial) => Verdict::Denied(denial),
        };
        let present = self.found.into_account().map(Arc::unwrap_or_clone);
        Explanation { verdict, profile: self.profile, present, steps: self.steps, shadow: self.shadow }
    }
}

impl Jit {
    /// Evaluates a sign-in on the account that its identity is linked to, or on whatever the link rules find.
    pub(super) async fn evaluate(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
        linked: Option<Arc<Account>>,
        answers: &Answers,
        attempt: &mut Attempt,
    ) -> Result<Evaluated, JitError> {
        let mut trace = attempt.trace();
        note_checks(&mut trace, sign_in.identity.checks());
        let profile = match connection.mapper.map(&sign_in.identity) {
            Ok(profile) => profile,
            Err(error) => return Ok(refused_by_mapping(&error, linked, trace)),
        };
        note_profile(&mut trace, &profile);
        let email =
            profile.email.clone().map(|claim| EmailEvidence::grade(claim, &connection.settings.domains));
        let store = self.store_of(connection);
        let names = self.names_of(connection, &sign_in.identity);
        let mut stands_alone = linked.is_some() && names.is_empty() && connection.shadow.is_none();
        let found = match linked {
            Some(account) => Found::Linked(account),
            None => self.look_for(connection, sign_in, &names, email.as_ref(), &mut trace).await?,
        };
        let names = match free_names(store, names, &found, attempt.now, &mut trace).await? {
            Ok(names) => names,
            Err(denial) => return Ok(Evaluated::refused(denial, found, Some(profile), trace)),
        };
        let email_is_elsewhere = match found.as_present().account() {
            Some(account) => {
                stands_alone &= other_address(account, email.as_ref()).is_none();
                is_elsewhere(store, account, email.as_ref()).await?
            }
            None => false,
        };
        let request = Request {
            identity: &sign_in.identity,
            profile: &profile,
            email: email.as_ref(),
            present: found.as_present(),
            context: &sign_in.context,
            now: attempt.now,
        };
        let decision = connection.policy.decide(&request, &mut trace).await;
        let source = SameSource { names: &names, decides: self.is_decided_elsewhere(connection) };
        let scene = Scene { connection, request, email_is_elsewhere, source, answers, attempt };
        let (plan, permit) = self.plan(&scene, decision);
        note_plan(&mut trace, &plan);
        let shadow = self.shadow(&scene, &plan).await;
        let (profile, steps) = (Some(profile), trace.into_steps());
        Ok(Evaluated { found, plan, permit, profile, steps, shadow, stands_alone })
    }

    /// Looks for the account of an identity without one: first by what other connections of the same source call the
    /// person, then by the link rules.
    async fn look_for(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
        names: &[ExternalKey],
        email: Option<&EmailEvidence>,
        trace: &mut Trace,
    ) -> Result<Found, JitError> {
        let (store, identity) = (self.store_of(connection), &sign_in.identity);
        let Some(account) = known_by(store, names).await? else {
            return Ok(search(store, connection, identity, email, trace).await?);
        };
        let detail = "the account is known by another connection of the same source";
        trace.note(|| Step {
            stage: Stage::Match,
            rule: None,
            finding: Finding::Decided,
            detail: detail.into(),
        });
        // It may have come to this identity since it was looked for.
        let is_linked = account.is_linked_to(identity.key());
        Ok(if is_linked {
            Found::Linked(account.into())
        } else {
            Found::Candidate { account: account.into(), proof: Some(LinkProof::SameSource) }
        })
    }

    /// Turns a decision into a plan.
    pub(super) fn plan(&self, scene: &Scene<'_>, decision: Decision) -> (SignInPlan, Permit) {
        let (permit, asks) = match decision {
            Decision::Deny(denial) => return (self.explain_denial(scene, denial), Permit::default()),
            Decision::Permit(permit) => (permit, BTreeSet::new()),
            Decision::Hold(hold) => (hold.permit, hold.asks),
        };
        let facts = SignInFacts {
            identity: scene.request.identity,
            profile: scene.request.profile,
            email: scene.request.email,
            email_is_elsewhere: scene.email_is_elsewhere,
            present: scene.request.present,
            permit: &permit,
            asks: &asks,
            answers: scene.answers,
            settings: &scene.connection.settings,
            source: scene.source,
            protection: &self.parts.protection,
            taken: &scene.attempt.taken,
            keep: &scene.attempt.keep,
            now: scene.attempt.now,
        };
        let plan = plan_sign_in(&facts, &mut self.mint(scene.attempt.now));
        (plan, permit)
    }

    /// An account that is stopped says so, rather than that some rule did not match.
    #[expect(clippy::unused_self, reason = "reads as a step of the engine")]
    fn explain_denial(&self, scene: &Scene<'_>, denial: Denial) -> SignInPlan {
        let account = scene.request.present.account();
        let stopped = account.and_then(|account| account.standing(scene.attempt.now).denial());
        SignInPlan::Deny(stopped.map_or(denial, Denial::new))
    }
}

/// Carries what planning needs besides the decision.
pub(super) struct Scene<'a> {
    pub(super) connection: &'a Connection,
    pub(super) request: Request<'a>,
    pub(super) email_is_elsewhere: bool,
    pub(super) source: SameSource<'a>,
    pub(super) answers: &'a Answers,
    pub(super) attempt: &'a Attempt,
}

fn refused_by_mapping(error: &MapError, linked: Option<Arc<Account>>, mut trace: Trace) -> Evaluated {
    trace.note(|| Step {
        stage: Stage::Map,
        rule: None,
        finding: Finding::Refused,
        detail: error.to_string(),
    });
    let found = linked.map_or(Found::Nobody, Found::Linked);
    Evaluated::refused(Denial::new(error.code()), found, None, trace)
}

/// Returns those of a person's other names that no other account goes by, or why none of it may be believed.
async fn free_names(
    store: &dyn Store,
    names: Vec<ExternalKey>,
    found: &Found,
    now: DateTime<Utc>,
    trace: &mut Trace,
) -> Result<Result<Vec<ExternalKey>, Denial>, JitError> {
    let (false, Some(account)) = (names.is_empty(), found.as_present().account()) else {
        return Ok(Ok(names));
    };
    let followed = follow_names(store, names, account, now).await?;
    if followed.lead_elsewhere {
        note_two_accounts(trace);
    }
    Ok(followed.stopped.map_or(Ok(followed.free), Err))
}

fn note_two_accounts(trace: &mut Trace) {
    let detail = "another connection of the same source knows the person by another account";
    trace.note(|| Step { stage: Stage::Match, rule: None, finding: Finding::Refused, detail: detail.into() });
}

pub(super) fn note_checks(trace: &mut Trace, checks: &Checks) {
    let named = [
        ("origin", &checks.origin),
        ("audience", &checks.audience),
        ("freshness", &checks.freshness),
        ("replay", &checks.replay),
    ];
    for (name, check) in named {
        trace.note(|| {
            let (finding, how) = match check {
                Check::Made(how) => (Finding::Passed, how),
                Check::NotApplicable(why) => (Finding::Skipped, why),
            };
            Step { stage: Stage::Verify, rule: None, finding, detail: format!("{name}: {how}") }
        });
    }
}

pub(super) fn note_profile(trace: &mut Trace, profile: &Profile) {
    for wish in &profile.attributes {
        trace.note(|| {
            let finding =
                if wish.value == crate::Wished::Unknown { Finding::Skipped } else { Finding::Passed };
            let state = match wish.value {
                crate::Wished::Unknown => "the claim is absent, cut or of no use",
                crate::Wished::Empty => "the claim is empty",
                crate::Wished::Values(_) => "the claim has a value",
            };
            Step {
                stage: Stage::Map,
                rule: Some(wish.rule.clone()),
                finding,
                detail: format!("attribute {}: {state}", wish.name),
            }
        });
    }
    for wish in &profile.entitlements {
        trace.note(|| Step {
            stage: Stage::Map,
            rule: Some(wish.rule.clone()),
            finding: Finding::Passed,
            detail: format!("asks for {}", wish.entitlement),
        });
    }
    for step in &profile.notes {
        trace.note(|| step.clone());
    }
}

fn note_plan(trace: &mut Trace, answer: &SignInPlan) {
    let plan = match answer {
        SignInPlan::Go(plan) | SignInPlan::Await(plan) => plan,
        SignInPlan::Ask(asks) => {
            let words: Vec<_> = asks.iter().map(Ask::word).collect();
            return note(trace, Finding::Decided, &format!("waits for {}", words.join(", ")));
        }
        SignInPlan::End(plan, denial) => {
            note(trace, Finding::Refused, denial.code.as_str());
            plan
        }
        SignInPlan::Deny(denial) => return note(trace, Finding::Refused, denial.code.as_str()),
    };
    note_changes(trace, plan);
}

fn note(trace: &mut Trace, finding: Finding, detail: &str) {
    trace.note(|| Step { stage: Stage::Plan, rule: None, finding, detail: detail.to_owned() });
}

pub(super) fn note_changes(trace: &mut Trace, plan: &Plan) {
    if plan.is_empty() {
        note(trace, Finding::Passed, "nothing to change");
    }
    for planned in &plan.changes {
        trace.note(|| Step {
            stage: Stage::Plan,
            rule: planned.reason.rule.clone(),
            finding: Finding::Passed,
            detail: format!("{} ({})", planned.change, planned.reason.code),
        });
    }
    for refusal in &plan.refusals {
        trace.note(|| Step {
            stage: Stage::Plan,
            rule: refusal.rule.clone(),
            finding: Finding::Refused,
            detail: format!("{} ({})", refusal.wish, refusal.code),
        });
    }
}
