//! What the first sign-in of an identity leaves to those who waited for it.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use super::{Session, SignIn, SignedIn};
use crate::{Account, Answers, Plan};

/// Holds the account as it came into being, and the answer to the first who waited.
///
/// Nobody gets in on the evidence of somebody else: each of those who waited is decided by what was said of it. But where
/// the same was said of two, from the same place and at the same instant, on the same account, mapping, policy and plan
/// would only repeat themselves.
pub(super) struct Landing {
    account: Arc<Account>,
    at: DateTime<Utc>,
    answered: OnceLock<Answered>,
}

/// Pairs an answer with everything that it depends on, besides the account and the instant.
struct Answered {
    said: Arc<SignIn>,
    session: Session,
}

impl Landing {
    pub(super) fn new(account: Arc<Account>, at: DateTime<Utc>) -> Self {
        Self { account, at, answered: OnceLock::new() }
    }

    /// The account.
    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// The instant that counts for all who waited.
    pub(super) fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Keeps an answer that nothing was asked for but the sign-in, the account and the instant, and that changes nothing.
    pub(super) fn keep(&self, said: &Arc<SignIn>, answers: &Answers, outcome: &SignedIn) {
        let SignedIn { plan, session, steps, shadow, .. } = outcome;
        let is_plain = plan.is_empty() && plan.refusals.is_empty() && steps.is_empty() && shadow.is_none();
        if is_plain && *answers == Answers::default() && self.answered.get().is_none() {
            // Another who waited may have been as quick: one answer is enough.
            let _ = self.answered.set(Answered { said: Arc::clone(said), session: *session });
        }
    }

    /// Answers a sign-in of which the same was said.
    pub(super) fn answer(&self, said: &Arc<SignIn>, answers: &Answers) -> Option<Box<SignedIn>> {
        let answered = self.answered.get()?;
        // Two who keep it together need not compare it again.
        let is_same = Arc::ptr_eq(said, &answered.said) || said.is_alike(&answered.said);
        (is_same && *answers == Answers::default()).then(|| {
            let account = Arc::clone(&self.account);
            let plan = Plan::new(account.id);
            Box::new(SignedIn { account, plan, session: answered.session, steps: Vec::new(), shadow: None })
        })
    }
}
