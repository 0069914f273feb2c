//! What a rule answers once it applies.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::{
    format::{AccountEndRule, ClaimEnd, DenyAnswer, GrantEndRule, HoldAnswer, PermitAnswer, PolicyRule},
    text::Span,
};
use crate::{AccountEnd, Ask, Code, Decision, Denial, GrantEnd, Hold, Permit, Present, Request, RuleName};

/// Keeps the answer of a rule, ready to be given.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Permit(Terms),
    Hold { asks: BTreeSet<Ask>, terms: Terms },
    Deny(Denial),
}

/// Keeps what is permitted, and the claim that says when the account ends.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    permit: Permit,
    end: Option<ClaimEnd>,
}

impl Answer {
    /// Takes the answer of a rule; one without an answer, which no check lets pass, denies.
    pub(super) fn of(rule: &PolicyRule) -> Self {
        match (&rule.permit, &rule.hold, &rule.deny) {
            (Some(permit), None, None) => Self::Permit(Terms::of(permit, &rule.name)),
            (None, Some(HoldAnswer { asks, permit }), None) => Self::Hold {
                asks: asks.iter().map(|ask| ask.0.clone()).collect(),
                terms: Terms::of(permit, &rule.name),
            },
            (None, None, Some(deny)) => Self::Deny(denial(deny, &rule.name)),
            _ => Self::Deny(Denial::new(Code::new("policy.denied")).by(rule.name.clone())),
        }
    }

    pub(super) fn denies(&self) -> bool {
        matches!(self, Self::Deny(_))
    }

    pub(super) fn give(&self, request: &Request<'_>) -> Decision {
        let (asks, terms) = match self {
            Self::Permit(terms) => (None, terms),
            Self::Hold { asks, terms } => (Some(asks), terms),
            Self::Deny(denial) => return Decision::Deny(denial.clone()),
        };
        match (terms.give(request), asks) {
            (Ok(permit), None) => Decision::Permit(permit),
            (Ok(permit), Some(asks)) => Decision::Hold(Hold { asks: asks.clone(), permit }),
            (Err(denial), _) => Decision::Deny(denial),
        }
    }
}

fn denial(deny: &DenyAnswer, rule: &RuleName) -> Denial {
    let code = deny.code.clone().map_or(Code::new("policy.denied"), Code::from);
    Denial { code, rule: Some(rule.clone()), message: Some(deny.message.clone()) }
}

impl Terms {
    fn of(answer: &PermitAnswer, rule: &RuleName) -> Self {
        let (account_end, end) = match &answer.account_end {
            None => (None, None),
            Some(AccountEndRule::At(at)) => (Some(AccountEnd::At(at.0)), None),
            Some(AccountEndRule::AfterCreation(span)) => {
                (Some(AccountEnd::AfterCreation(span.delta())), None)
            }
            Some(AccountEndRule::Claim(end)) => (None, Some(end.clone())),
        };
        let grant_end = answer.grant_end.map(|end| match end {
            GrantEndRule::At(at) => GrantEnd::At(at.0),
            GrantEndRule::Lease(span) => GrantEnd::Lease(span.delta()),
        });
        let permit = Permit {
            undecided: Vec::new(),
            rule: Some(rule.clone()),
            entitlements: answer.entitlements.clone().unwrap_or_default(),
            ceiling: answer.ceiling.clone(),
            grant_end,
            account_end,
            idle_limit: answer.idle_limit.map(Span::delta),
            session_limit: answer.session_limit.map(Span::delta),
        };
        Self { permit, end }
    }

    /// Permits until the account's end; an end that cannot be read denies, and so does one that is past. Where the account
    /// is there already, the past end is handed on, so that the account ends and not only the sign-in.
    fn give(&self, request: &Request<'_>) -> Result<Permit, Denial> {
        let deny = |code| Denial { code: Code::new(code), rule: self.permit.rule.clone(), message: None };
        let mut permit = self.permit.clone();
        if let Some(end) = &self.end {
            let at = end_of(end, request).ok_or_else(|| deny("policy.end_missing"))?;
            permit.account_end = Some(AccountEnd::At(at));
        }
        match permit.account_end {
            Some(AccountEnd::At(at))
                if at <= request.now && !matches!(request.present, Present::Linked(_)) =>
            {
                Err(deny("policy.end_passed"))
            }
            _ => Ok(permit),
        }
    }
}

/// Reads the end from its claim: an instant as in RFC 3339, or a date, whose day still counts.
fn end_of(end: &ClaimEnd, request: &Request<'_>) -> Option<DateTime<Utc>> {
    let text = request.identity.claims().at(&end.name).values()?.text()?;
    match DateTime::parse_from_rfc3339(&text) {
        Ok(at) => Some(at.with_timezone(&Utc)),
        Err(_) if text.len() == "2026-12-31".len() => {
            let date: NaiveDate = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?;
            let midnight = date.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc();
            midnight.checked_sub_signed(TimeDelta::minutes(end.offset.minutes().into()))
        }
        Err(_) => None,
    }
}
