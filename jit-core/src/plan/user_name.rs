//! Planning of a user name.

use super::{
    Change, Plan, Reason, Refusal,
    sign_in::{SignInFacts, Stop},
};
use crate::{Account, Ask, Code, Denial, EmailEvidence, EmailTrust, OnNameTaken, UserName, UserNameWish};

/// Gives a name to an account that has none: the person's choice, where there was one, or the first candidate that is
/// free.
pub(super) fn plan_user_name(
    plan: &mut Plan,
    facts: &SignInFacts<'_>,
    account: Option<&Account>,
) -> Result<(), Stop> {
    if account.is_some_and(|account| account.user_name.is_some()) {
        return Ok(());
    }
    let may_choose = facts.asks.contains(&Ask::UserName)
        || facts.profile.user_name.as_ref().is_some_and(|wish| wish.on_taken == OnNameTaken::Ask);
    if let Some(chosen) = facts.answers.user_name.as_ref().filter(|_| may_choose) {
        if facts.taken.contains(chosen.key()) || !is_own(facts, chosen) {
            return Err(Stop::Ask(vec![Ask::UserName]));
        }
        plan.push(Change::SetUserName(chosen.clone()), Reason::code("name.chosen"));
        return Ok(());
    }
    let Some(wish) = &facts.profile.user_name else { return Ok(()) };
    let free = wish.candidates.iter().find(|name| is_own(facts, name) && !facts.taken.contains(name.key()));
    match free {
        Some(name) => {
            plan.push(
                Change::SetUserName(name),
                Reason::code("map.user_name").by(Some(wish.rule.clone()), None),
            );
            Ok(())
        }
        None => match no_name(facts, wish) {
            // Somebody who has come before is not kept out for a name.
            Stop::Deny(denial) if account.is_some() => {
                let (wish, rule) = ("set user name".into(), denial.rule);
                plan.refusals.push(Refusal { wish, code: denial.code, rule });
                Ok(())
            }
            stop => Err(stop),
        },
    }
}

pub(super) fn no_name(facts: &SignInFacts<'_>, wish: &UserNameWish) -> Stop {
    if wish.on_taken == OnNameTaken::Ask {
        return Stop::Ask(vec![Ask::UserName]);
    }
    let none_is_own = !wish.candidates.iter().any(|name| is_own(facts, &name));
    let code = if none_is_own { "name.not_own_address" } else { "name.taken" };
    Stop::Deny(Denial::new(Code::new(code)).by(wish.rule.clone()))
}

/// Keeps user names and addresses apart: a name in the form of an address must be the person's own, proved.
pub(super) fn is_own(facts: &SignInFacts<'_>, name: &UserName) -> bool {
    let proved = |email: &&EmailEvidence| email.trust == EmailTrust::Authoritative;
    !name.looks_like_address()
        || facts.email.filter(proved).is_some_and(|email| email.address.key() == name.key())
}
