//! Shadow mode: another mapping and policy run beside the real ones, and only the difference is kept.

use super::{Jit, evaluate::Scene};
use crate::{Ask, EmailEvidence, Profile, Request, SignInPlan, Trace};

/// Tells how a shadow mapping and policy would have answered otherwise. Names changes, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowReport {
    /// What the real policy came to, in words.
    pub real: String,
    /// What the shadow came to.
    pub shadow: String,
    /// Changes that only the real plan has.
    pub only_real: Vec<String>,
    /// Changes that only the shadow plan has.
    pub only_shadow: Vec<String>,
}

impl ShadowReport {
    /// Tells whether both came to the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.real == self.shadow && self.only_real.is_empty() && self.only_shadow.is_empty()
    }
}

impl Jit {
    pub(super) async fn shadow(&self, scene: &Scene<'_>, plan: &SignInPlan) -> Option<ShadowReport> {
        let (mapper, policy) = scene.connection.shadow.as_ref()?;
        let other = match mapper.map(scene.request.identity) {
            Ok(profile) => self.shadow_plan(scene, &profile, policy.as_ref()).await,
            Err(error) => SignInPlan::Deny(crate::Denial::new(error.code())),
        };
        let (ours, theirs) = (changes(plan), changes(&other));
        Some(ShadowReport {
            real: word(plan),
            shadow: word(&other),
            only_real: ours.iter().filter(|change| !theirs.contains(change)).cloned().collect(),
            only_shadow: theirs.iter().filter(|change| !ours.contains(change)).cloned().collect(),
        })
    }

    async fn shadow_plan(
        &self,
        scene: &Scene<'_>,
        profile: &Profile,
        policy: &dyn crate::Policy,
    ) -> SignInPlan {
        let domains = &scene.connection.settings.domains;
        let email = profile.email.clone().map(|claim| EmailEvidence::grade(claim, domains));
        let request = Request { profile, email: email.as_ref(), ..scene.request };
        let decision = policy.decide(&request, &mut Trace::off()).await;
        self.plan(&Scene { request, ..*scene }, decision).0
    }
}

fn word(plan: &SignInPlan) -> String {
    match plan {
        SignInPlan::Go(_) => "signed_in".into(),
        SignInPlan::Await(_) => "held: approval".into(),
        SignInPlan::Ask(asks) => {
            format!("held: {}", asks.iter().map(Ask::word).collect::<Vec<_>>().join(", "))
        }
        SignInPlan::Deny(denial) | SignInPlan::End(_, denial) => format!("denied: {}", denial.code),
    }
}

fn changes(plan: &SignInPlan) -> Vec<String> {
    match plan {
        SignInPlan::Go(plan) | SignInPlan::Await(plan) | SignInPlan::End(plan, _) => {
            plan.changes.iter().map(|planned| planned.change.to_string()).collect()
        }
        SignInPlan::Ask(_) | SignInPlan::Deny(_) => Vec::new(),
    }
}
