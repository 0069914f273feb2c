//! Planning of a sign-in.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Answers, Change, Plan, Protection, Reason, Refusal,
    attributes::plan_attributes,
    grants::{GrantFacts, plan_grants},
    link::{is_first_proved_owner, plan_link, refuses_link},
    plan_end_of_account,
    user_name::plan_user_name,
};
use crate::{
    Account, AccountEmail, AccountEnd, AccountState, Ask, Code, ConnectionSettings, Denial, EmailEvidence,
    EmailTrust, Entitlement, ExternalKey, LinkBy, LinkProof, MailLink, Mint, Permit, Present, Profile,
    Provenance, Source, Standing, VerifiedIdentity,
};

/// Carries everything that the plan of a sign-in depends on.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever plans must bring every fact")]
pub struct SignInFacts<'a> {
    /// Who signs in.
    pub identity: &'a VerifiedIdentity,
    /// What the mapping made of the claims.
    pub profile: &'a Profile,
    /// The e-mail address with its grade.
    pub email: Option<&'a EmailEvidence>,
    /// Whether another account carries that address.
    pub email_is_elsewhere: bool,
    /// The account that is there already.
    pub present: Present<'a>,
    /// What the policy permits.
    pub permit: &'a Permit,
    /// What the policy asks for first.
    pub asks: &'a BTreeSet<Ask>,
    /// What has been answered so far.
    pub answers: &'a Answers,
    /// What the connection is trusted with.
    pub settings: &'a ConnectionSettings,
    /// What the other connections of the same source mean for it.
    pub source: SameSource<'a>,
    /// What no connection may break.
    pub protection: &'a Protection,
    /// User name keys that turned out to be taken.
    pub taken: &'a BTreeSet<String>,
    /// Entitlements that must stay, since nobody else would hold them.
    pub keep: &'a BTreeSet<Entitlement>,
    /// The present instant.
    pub now: DateTime<Utc>,
}

/// Tells what provisioning connections of the same source mean for a sign-in.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "whoever plans must bring every fact")]
pub struct SameSource<'a> {
    /// What they call the person, where no other account goes by it.
    pub names: &'a [ExternalKey],
    /// Whether one of them decides alone: then a sign-in lets people in, and changes nothing about them.
    pub decides: bool,
}

/// Tells what a permitted sign-in comes to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the engine answers each of them")]
pub enum SignInPlan {
    /// These changes; none, where the account is as it should be.
    Go(Plan),
    /// These asks must be answered first; nothing changes.
    Ask(Vec<Ask>),
    /// The account waits (from now on, by the plan, or already) for an approval.
    Await(Plan),
    /// No.
    Deny(Denial),
    /// No, and the account ends: its source says that its time is over.
    End(Plan, Denial),
}

/// Plans a sign-in that a policy permitted.
///
/// No state but `Invited` is left by a sign-in: what is suspended, disabled, expired or ended stays so.
#[must_use]
pub fn plan_sign_in(facts: &SignInFacts<'_>, mint: &mut Mint) -> SignInPlan {
    match plan(facts, mint) {
        Ok(plan) => plan,
        Err(Stop::Deny(denial)) => SignInPlan::Deny(denial),
        Err(Stop::Ask(asks)) => SignInPlan::Ask(asks),
    }
}

pub(super) enum Stop {
    Deny(Denial),
    Ask(Vec<Ask>),
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Deny(denial)
    }
}

fn deny(code: &'static str) -> Stop {
    Stop::Deny(Denial::new(Code::new(code)))
}

fn plan(facts: &SignInFacts<'_>, mint: &mut Mint) -> Result<SignInPlan, Stop> {
    if let Some(account) = facts.present.account()
        && let Some(code) = account.standing(facts.now).denial()
    {
        return Err(Denial::new(code).into());
    }
    if let Some(end) = account_end(facts, facts.present.account()).filter(|end| *end <= facts.now) {
        let denial = Denial::new(Code::new("account.expired"));
        return Ok(match facts.present {
            // Where another connection decides, it is the one to end the account.
            Present::Linked(account) if !facts.source.decides => {
                SignInPlan::End(end_now(facts, account, end), denial)
            }
            _ => SignInPlan::Deny(denial),
        });
    }
    let mut asks = outstanding(facts);
    let needs_approval = asks.remove(&Ask::Approval);
    if !asks.is_empty() {
        return Err(Stop::Ask(asks.into_iter().collect()));
    }
    let plan = match facts.present {
        Present::Linked(account) if account.standing(facts.now) == Standing::Pending => {
            return Ok(SignInPlan::Await(Plan::new(account.id)));
        }
        Present::Linked(account) => update(facts, account, mint)?,
        Present::Candidate { account, proof } => {
            link(facts, account, facts.answers.proof_of(account.id).or(proof), mint)?
        }
        Present::Nobody => create(facts, needs_approval, mint)?,
        Present::Ambiguous => return Err(deny("link.ambiguous")),
    };
    let waits = needs_approval
        && plan.changes.iter().any(|planned| match &planned.change {
            Change::Create { state } | Change::SetState(state) => {
                matches!(state, AccountState::Pending { .. })
            }
            _ => false,
        });
    Ok(if waits { SignInPlan::Await(plan) } else { SignInPlan::Go(plan) })
}

/// Lists what is still to be answered: what the account shows already is not asked again.
pub(super) fn outstanding(facts: &SignInFacts<'_>) -> BTreeSet<Ask> {
    let linked = match facts.present {
        Present::Linked(account) => Some(account),
        _ => None,
    };
    let is_answered = |ask: &Ask| match ask {
        Ask::Consent(terms) => {
            linked.is_some_and(|account| account.consents.contains_key(terms))
                || facts.answers.consents.contains(terms)
        }
        Ask::UserName => {
            let has_name = facts.present.account().is_some_and(|account| account.user_name.is_some());
            has_name || facts.answers.user_name.as_ref().is_some_and(|name| !facts.taken.contains(name.key()))
        }
        Ask::Password => facts.present.account().is_some() || facts.answers.password_taken,
        Ask::LinkProof => match facts.present {
            Present::Candidate { account, .. } => facts.answers.proof_of(account.id).is_some(),
            _ => true,
        },
        Ask::Approval => facts
            .present
            .account()
            .is_some_and(|account| !matches!(account.state, AccountState::Pending { .. })),
    };
    facts.asks.iter().filter(|ask| !is_answered(ask)).cloned().collect()
}

fn create(facts: &SignInFacts<'_>, needs_approval: bool, mint: &mut Mint) -> Result<Plan, Stop> {
    if facts.source.decides {
        return Err(deny("account.not_provisioned"));
    }
    if facts.email_is_elsewhere {
        return Err(deny("link.email_taken"));
    }
    let mut plan = Plan::new(mint.account());
    let state =
        if needs_approval { AccountState::Pending { since: facts.now } } else { AccountState::Active };
    plan.push(Change::Create { state }, Reason::code("sign_in.first").by(facts.permit.rule.clone(), None));
    let key = facts.identity.key().clone();
    plan.push(Change::Link { key, proof: LinkProof::FirstSignIn }, Reason::code("sign_in.first"));
    fill(&mut plan, facts, None, true, mint)?;
    Ok(plan)
}

fn link(
    facts: &SignInFacts<'_>,
    account: &Account,
    proof: Option<LinkProof>,
    mint: &mut Mint,
) -> Result<Plan, Stop> {
    if let Some(code) = refuses_link(account, facts.identity.key(), proof, facts.email) {
        let may_prove = facts.settings.link.iter().any(|rule| rule.by == LinkBy::Email(MailLink::AfterProof));
        if proof.is_none() && may_prove {
            return Err(Stop::Ask(vec![Ask::LinkProof]));
        }
        return Err(Denial::new(code).into());
    }
    let proof = proof.unwrap_or(LinkProof::Administrator);
    let is_new = account.state == AccountState::Invited || is_first_proved_owner(account, proof);
    if matches!(account.state, AccountState::Pending { .. }) && !is_new {
        return Err(deny("link.account_pending"));
    }
    let mut plan = Plan::new(account.id);
    plan_link(&mut plan, account, facts.identity.key(), proof, facts.keep);
    plan_arrival(&mut plan, facts, account);
    // What the link ended is gone before the rest is planned, so that it cannot count as held already.
    let linked = plan.apply(Some(account), &account.tenant, facts.now);
    fill(&mut plan, facts, Some(&linked), is_new, mint)?;
    Ok(plan)
}

fn update(facts: &SignInFacts<'_>, account: &Account, mint: &mut Mint) -> Result<Plan, Stop> {
    let mut plan = Plan::new(account.id);
    plan_arrival(&mut plan, facts, account);
    fill(&mut plan, facts, Some(account), account.state == AccountState::Invited, mint)?;
    Ok(plan)
}

/// Brings an account into use that was made ahead, or that somebody else asked for in the owner's name. Only the owner's
/// own need of an approval keeps it waiting.
fn plan_arrival(plan: &mut Plan, facts: &SignInFacts<'_>, account: &Account) {
    let state = match account.state {
        AccountState::Pending { .. } if facts.asks.contains(&Ask::Approval) => {
            AccountState::Pending { since: facts.now }
        }
        AccountState::Invited | AccountState::Pending { .. } => AccountState::Active,
        _ => return,
    };
    plan.push(Change::SetState(state), Reason::code("sign_in.invited"));
}

/// Ends an account whose source says that its time is over.
pub(super) fn end_now(facts: &SignInFacts<'_>, account: &Account, end: DateTime<Utc>) -> Plan {
    let mut plan = Plan::new(account.id);
    let change = Change::SetEnd { at: Some(end), by: Source::Connection(facts.settings.id.clone()) };
    plan.push(change, Reason::code("access.limit").by(facts.permit.rule.clone(), None));
    let over = plan.apply(Some(account), &account.tenant, facts.now);
    plan.changes.extend(plan_end_of_account(&over, facts.now).changes);
    plan
}

/// Plans everything that the profile and the permit say about an account.
pub(super) fn fill(
    plan: &mut Plan,
    facts: &SignInFacts<'_>,
    account: Option<&Account>,
    is_new: bool,
    mint: &mut Mint,
) -> Result<(), Stop> {
    plan_names(plan, facts, account);
    plan_consents(plan, facts, account);
    if facts.source.decides {
        return Ok(());
    }
    describe(plan, facts, account, is_new)?;
    plan_grants(plan, account, &grant_facts(facts), mint);
    plan_limits(plan, facts, account);
    Ok(())
}

/// What the planning of grants needs of it.
pub(super) fn grant_facts<'a>(facts: &SignInFacts<'a>) -> GrantFacts<'a> {
    GrantFacts {
        claims: facts.identity.claims(),
        profile: facts.profile,
        permit: facts.permit,
        settings: facts.settings,
        protection: facts.protection,
        keep: facts.keep,
        now: facts.now,
    }
}

/// Plans what the profile says about the person.
pub(super) fn describe(
    plan: &mut Plan,
    facts: &SignInFacts<'_>,
    account: Option<&Account>,
    is_new: bool,
) -> Result<(), Stop> {
    plan_email(plan, facts, account);
    plan_user_name(plan, facts, account)?;
    plan_attributes(plan, account, is_new, &facts.profile.attributes, &facts.settings.id)?;
    Ok(())
}

/// Links what other connections of the same source call the person, so that they find this account. One that they call
/// otherwise already, or that was cut off from them, stays as it is.
fn plan_names(plan: &mut Plan, facts: &SignInFacts<'_>, account: Option<&Account>) {
    for name in facts.source.names {
        let is_known = |account: &Account| {
            let same =
                |other: &ExternalKey| other.connection == name.connection && other.issuer == name.issuer;
            account.identities.iter().any(|known| same(&known.key)) || account.is_cut_off(name)
        };
        if !account.is_some_and(is_known) {
            let change = Change::Link { key: name.clone(), proof: LinkProof::SameSource };
            plan.push(change, Reason::code("link.same_source"));
        }
    }
}

/// Plans the address. A refuted one is never stored; another source's stays unless ours proves more; one that another
/// account carries is refused.
fn plan_email(plan: &mut Plan, facts: &SignInFacts<'_>, account: Option<&Account>) {
    let Some(evidence) = facts.email.filter(|email| email.trust > EmailTrust::Refuted) else { return };
    let source = Source::Connection(facts.settings.id.clone());
    let present = account.and_then(|account| account.email.as_ref());
    let trust = match present {
        None => evidence.trust,
        Some(email) if email.address.key() == evidence.address.key() => {
            if evidence.trust <= email.trust {
                return;
            }
            evidence.trust
        }
        Some(email) if email.provenance.source == source || evidence.trust > email.trust => evidence.trust,
        Some(_) => return,
    };
    if account.is_some() && facts.email_is_elsewhere {
        let refusal = Refusal { wish: "set e-mail".into(), code: Code::new("link.email_taken"), rule: None };
        plan.refusals.push(refusal);
        return;
    }
    let (rule, claim) = facts.profile.email_origin.clone().unzip();
    let provenance = Provenance { source, rule: rule.clone(), claim: claim.clone() };
    let email = AccountEmail { address: evidence.address.clone(), trust, provenance };
    plan.push(Change::SetEmail(email), Reason::code("map.email").by(rule, claim));
}

fn plan_consents(plan: &mut Plan, facts: &SignInFacts<'_>, account: Option<&Account>) {
    for ask in facts.asks {
        if let Ask::Consent(terms) = ask
            && account.is_none_or(|account| !account.consents.contains_key(terms))
        {
            plan.push(Change::Consent(terms.clone()), Reason::code("sign_in.consented"));
        }
    }
}

fn plan_limits(plan: &mut Plan, facts: &SignInFacts<'_>, account: Option<&Account>) {
    let reason = || Reason::code("access.limit").by(facts.permit.rule.clone(), None);
    let end =
        account_end(facts, account).filter(|end| account.and_then(|account| account.ends_at) != Some(*end));
    // Stores keep milliseconds.
    let limit = facts.permit.idle_limit.map(|limit| TimeDelta::milliseconds(limit.num_milliseconds().max(1)));
    let limit = limit.filter(|limit| account.and_then(|account| account.idle_limit) != Some(*limit));
    let is_kept =
        |account: &Account| account.grants.iter().any(|grant| facts.keep.contains(&grant.entitlement));
    if end.is_some() && account.is_some_and(is_kept) {
        let code = Code::new("access.last_holder");
        plan.refusals.push(Refusal { wish: "end of account".into(), code, rule: facts.permit.rule.clone() });
    } else if end.is_some() {
        let own = account.and_then(Account::end_of_administrator);
        let by =
            if own == end { Source::Administrator } else { Source::Connection(facts.settings.id.clone()) };
        plan.push(Change::SetEnd { at: end, by }, reason());
    }
    if limit.is_some() {
        plan.push(Change::SetIdleLimit(limit), reason());
    }
}

/// The instant at which the permit ends the account, if it sets one. What an administrator said may be shortened by what
/// the source knows of this person, and by nothing else.
pub(super) fn account_end(facts: &SignInFacts<'_>, account: Option<&Account>) -> Option<DateTime<Utc>> {
    let own = account.and_then(Account::end_of_administrator);
    let is_set = account.is_some_and(|account| account.end_set_by == Some(Source::Administrator));
    match facts.permit.account_end? {
        AccountEnd::At(end) => Some(own.map_or(end, |own| own.min(end))),
        AccountEnd::AfterCreation(_) if is_set || own.is_some() => None,
        AccountEnd::AfterCreation(span) => {
            account.map_or(facts.now, |account| account.created_at).checked_add_signed(span)
        }
    }
}
