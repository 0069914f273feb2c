//! Joiners, movers and those who come back.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{
    Planned, RecordEffect, RecordFacts, deny,
    leave::{describe_leaver, left, plan_stopped_bare},
    link, remember, remembered,
    takeover::take_over,
};
use crate::{
    Account, AccountEnd, AccountState, Bound, Change, Code, Denial, HeldPresence, HeldRecord, LinkProof,
    Mint, Permit, Plan, Presence, Present, Reason, Refusal, SignInFacts, Source, Standing, UserNameWish,
    plan::{
        admin::before_stop,
        grants::plan_no_longer_given,
        link::is_first_proved_owner,
        sign_in::{Stop, account_end, end_now, fill, grant_facts, outstanding},
        user_name::{is_own, no_name},
    },
};

impl From<Stop> for Denial {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Deny(denial) => denial,
            // Nobody is there to answer.
            Stop::Ask(_) => deny("record.needs_answer"),
        }
    }
}

/// Plans a record of somebody who is there.
pub(super) fn plan_stay(facts: &RecordFacts<'_>, held: Option<&HeldRecord>, mint: &mut Mint) -> Planned {
    check_permitted(facts)?;
    match facts.base.present {
        Present::Linked(account) => update(facts, account, held, mint),
        Present::Candidate { account, proof } => adopt(facts, account, proof, mint),
        Present::Nobody | Present::Ambiguous => create(facts, AccountState::Active, mint),
    }
}

/// Plans a record of somebody who is new and not there: an account that is stopped from the beginning. Where mapping or policy
/// refuse it, nothing is kept but that they are not there, so that an older record that comes later lets nobody in. Where
/// records have no versions, none can be told to be older.
pub(super) fn plan_stopped(facts: &RecordFacts<'_>, mint: &mut Mint) -> Planned {
    let state = AccountState::Disabled { reason: left(), since: facts.base.now };
    let planned = check_permitted(facts).and_then(|()| create(facts, state, mint));
    match planned {
        Err(_) if facts.record.version().is_some() => Ok(plan_stopped_bare(facts, mint)),
        planned => planned,
    }
}

/// Tells whether mapping and policy let the record be followed.
pub(super) fn check_permitted(facts: &RecordFacts<'_>) -> Result<(), Denial> {
    match facts.refusal {
        Some(denial) => Err(denial.clone()),
        None if outstanding(&facts.base).is_empty() => Ok(()),
        None => Err(deny("record.needs_answer")),
    }
}

fn create(facts: &RecordFacts<'_>, state: AccountState, mint: &mut Mint) -> Planned {
    if facts.base.email_is_elsewhere {
        return Err(deny("link.email_taken"));
    }
    let is_stopped = state != AccountState::Active;
    let permit = if is_stopped {
        Permit { account_end: None, ..facts.base.permit.clone() }
    } else {
        permit(facts, None)
    };
    if matches!(permit.account_end, Some(AccountEnd::At(end)) if end <= facts.base.now) {
        return Err(deny("account.expired"));
    }
    let mut plan = Plan::new(mint.account());
    let reason = || Reason::code("record.joined");
    plan.push(Change::Create { state }, reason().by(facts.base.permit.rule.clone(), None));
    let key = facts.record.key().clone();
    plan.push(Change::Link { key, proof: LinkProof::FirstRecord }, reason());
    let base = SignInFacts { permit: &permit, ..facts.base };
    fill(&mut plan, &base, None, true, mint)?;
    if is_stopped {
        hold_back(&mut plan);
    }
    plan_beginning(&mut plan, facts, None);
    let presence = if is_stopped { HeldPresence::Inactive } else { HeldPresence::Active };
    remember(&mut plan, None, remembered(facts, None, presence));
    Ok((plan, RecordEffect::Joined))
}

/// Takes on an account that this record was not heard of before. One that is stopped stays so, and is taken on only where it
/// is declared whose it is, so that a leave finds it later: whoever stopped one that a link rule finds did not know that it
/// belongs to this source. Nor is one whose time is over: the connection may have said that end, of another record.
fn adopt(facts: &RecordFacts<'_>, account: &Account, proof: Option<LinkProof>, mint: &mut Mint) -> Planned {
    let is_found_alone = proof != Some(LinkProof::SameSource);
    let is_guarded = is_stopped(account, facts) && (is_found_alone || is_over_by_time(account, facts));
    if let Some(code) = account.standing(facts.base.now).denial().filter(|_| is_guarded) {
        return Err(Denial::new(code));
    }
    let is_new = account.state == AccountState::Invited
        || proof.is_some_and(|proof| is_first_proved_owner(account, proof));
    if matches!(account.state, AccountState::Pending { .. }) && !is_new {
        return Err(deny("link.account_pending"));
    }
    let mut plan = Plan::new(account.id);
    link(&mut plan, facts, account, proof)?;
    if matches!(account.state, AccountState::Invited | AccountState::Pending { .. }) {
        plan.push(Change::SetState(AccountState::Active), Reason::code("record.adopted"));
    }
    rest(plan, facts, account, None, is_new, mint).map(|plan| (plan, RecordEffect::Adopted))
}

fn update(facts: &RecordFacts<'_>, account: &Account, held: Option<&HeldRecord>, mint: &mut Mint) -> Planned {
    let now = facts.base.now;
    let mut plan = Plan::new(account.id);
    let comes_back = may_return(facts, account, held);
    if comes_back && matches!(account.state, AccountState::Disabled { .. }) {
        let by_sign_in = account.identities.iter().any(|known| known.proof == LinkProof::FirstSignIn);
        let state = if by_sign_in { before_stop(account, now) } else { AccountState::Active };
        plan.push(Change::SetState(state), Reason::code("record.returned"));
        if account.idle_limit.is_some() {
            // Disuse counts from here.
            plan.push(Change::SetIdleLimit(account.idle_limit), Reason::code("record.returned"));
        }
    } else if !comes_back
        && !let_go_elsewhere(facts, account)
        && held.is_some_and(|held| has_left(account, held))
    {
        // The source asks for what its connection may not do.
        if let Some(code) = account.standing(now).denial().filter(|_| is_stopped(account, facts)) {
            return match held.filter(|held| held.parked.is_some()) {
                Some(held) => Ok(take_back_removal(facts, account, held, code, mint)),
                None => Err(Denial::new(code)),
            };
        }
    }
    let end = past_end(facts, account).filter(|_| !is_stopped(account, facts));
    if let Some(end) = end {
        plan.changes.extend(end_now(&facts.base, account, end).changes);
    }
    let plan = rest(plan, facts, account, held, false, mint)?;
    let effect = match (plan.is_empty(), comes_back, held) {
        (true, ..) => RecordEffect::Unchanged,
        _ if end.is_some() => RecordEffect::Left,
        (false, true, _) => RecordEffect::Returned,
        (false, false, None) => RecordEffect::Adopted,
        (false, false, Some(_)) => RecordEffect::Moved,
    };
    Ok((plan, effect))
}

/// Plans that a removal waits no longer, of somebody whom the source says to be there and whom its connection may not bring back:
/// they stay stopped, as before, but nobody confirms that they are gone. They get nothing.
fn take_back_removal(
    facts: &RecordFacts<'_>,
    account: &Account,
    held: &HeldRecord,
    code: Code,
    mint: &mut Mint,
) -> (Plan, RecordEffect) {
    let mut plan = Plan::new(account.id);
    describe_leaver(&mut plan, facts, account);
    plan_no_longer_given(&mut plan, account, &grant_facts(&facts.base), mint);
    plan.refusals.push(Refusal { wish: "activate".into(), code, rule: None });
    // As it was before the removal: one who was stopped by others is there as far as this source goes.
    let presence = held.before_parked.unwrap_or(HeldPresence::Inactive);
    remember(&mut plan, Some(held), remembered(facts, Some(held), presence));
    (plan, RecordEffect::Moved)
}

/// Plans everything that the record says beyond whether the person is there.
fn rest(
    mut plan: Plan,
    facts: &RecordFacts<'_>,
    account: &Account,
    held: Option<&HeldRecord>,
    is_new: bool,
    mint: &mut Mint,
) -> Result<Plan, Denial> {
    let now = facts.base.now;
    // What was planned so far is so before the rest is planned.
    let mut begun = so_far(&plan, account, now);
    let stays_stopped = is_stopped(&begun, facts) && !may_return(facts, account, held);
    if !stays_stopped {
        let planned = plan.changes.len();
        take_over(&mut plan, facts, &begun, mint);
        if plan.changes.len() > planned {
            begun = so_far(&plan, account, now);
        }
    }
    let permit = if stays_stopped {
        let account_end = shorter_end(facts, &begun).map(AccountEnd::At);
        Permit { account_end, idle_limit: None, ..facts.base.permit.clone() }
    } else {
        permit(facts, Some(&begun))
    };
    let base = SignInFacts { permit: &permit, ..facts.base };
    fill(&mut plan, &base, Some(&begun), is_new, mint)?;
    plan_rename(&mut plan, facts, &begun)?;
    if stays_stopped {
        hold_back(&mut plan);
    } else {
        plan_beginning(&mut plan, facts, Some((account, &begun)));
        plan_open_end(&mut plan, facts, &begun);
    }
    if stays_stopped && let Some(code) = begun.standing(now).denial() {
        plan.refusals.push(Refusal { wish: "activate".into(), code, rule: None });
    }
    remember(&mut plan, held, remembered(facts, held, HeldPresence::Active));
    Ok(plan)
}

/// The account as it is planned so far.
fn so_far<'a>(plan: &Plan, account: &'a Account, now: DateTime<Utc>) -> Cow<'a, Account> {
    if plan.is_empty() {
        Cow::Borrowed(account)
    } else {
        Cow::Owned(plan.apply(Some(account), &account.tenant, now))
    }
}

/// The earlier end that is said of an account that somebody stopped: it holds once the account is brought back.
fn shorter_end(facts: &RecordFacts<'_>, account: &Account) -> Option<DateTime<Utc>> {
    let ended_by_time = match &account.state {
        AccountState::Suspended { .. } => false,
        AccountState::Disabled { reason, .. } => reason.as_str() == "account.expired",
        _ => true,
    };
    let permit = permit(facts, Some(account));
    let end = account_end(&SignInFacts { permit: &permit, ..facts.base }, Some(account));
    let is_shorter =
        |end: &DateTime<Utc>| *end > facts.base.now && account.ends_at.is_none_or(|present| *end < present);
    end.filter(|end| !ended_by_time && is_shorter(end))
}

/// Gives nothing to an account that cannot be used.
fn hold_back(plan: &mut Plan) {
    plan.changes.retain(|planned| !matches!(planned.change, Change::Give(_)));
}

fn is_stopped(account: &Account, facts: &RecordFacts<'_>) -> bool {
    let standing = account.standing(facts.base.now);
    standing != Standing::Early && standing.denial().is_some()
}

fn is_over_by_time(account: &Account, facts: &RecordFacts<'_>) -> bool {
    let is_noted = matches!(&account.state, AccountState::Disabled { reason, .. } if reason.as_str() == "account.expired");
    is_noted || account.standing(facts.base.now) == Standing::Expired
}

/// Tells whether an account that is stopped may be brought back by this record: its connection may do so, and was the one
/// that let the person go or set the end that has passed, and no other source says that they are not there.
fn may_return(facts: &RecordFacts<'_>, account: &Account, held: Option<&HeldRecord>) -> bool {
    let is_over = past_end(facts, account).is_some();
    if !facts.provisioning.reactivates || !is_stopped(account, facts) || is_over {
        return false;
    }
    let now = facts.base.now;
    let ended_by_admin = account.end_of_administrator().is_some_and(|end| end <= now);
    if ended_by_admin || let_go_elsewhere(facts, account) {
        return false;
    }
    let ended_here = account.end_set_by == Some(Source::Connection(facts.record.key().connection.clone()));
    let lasts = match end_said(facts.record.presence()) {
        Bound::Unsaid => false,
        Bound::Open => true,
        Bound::At(end) => end > now,
    };
    let has_passed = account.ends_at.is_some_and(|end| end <= now);
    let by_time = ended_here && lasts;
    match &account.state {
        AccountState::Disabled { reason, .. } if *reason == left() => {
            held.is_some_and(|held| has_left(account, held)) && (!has_passed || by_time)
        }
        AccountState::Disabled { reason, .. } => reason.as_str() == "account.expired" && by_time,
        _ => account.standing(now) == Standing::Expired && by_time,
    }
}

/// Tells whether another source of the person says that they are not there.
fn let_go_elsewhere(facts: &RecordFacts<'_>, account: &Account) -> bool {
    let others = account.records.iter().filter(|record| record.key != *facts.record.key());
    others.filter(|record| account.is_linked_to(&record.key)).any(|record| has_left(account, record))
}

/// Tells whether the source let the person go, and that did not wait for an administrator. Where they are stopped, all that
/// waits is that they go for good.
fn has_left(account: &Account, held: &HeldRecord) -> bool {
    let is_stopped = matches!(account.state, AccountState::Disabled { .. });
    match held.presence {
        HeldPresence::Active => false,
        HeldPresence::Inactive => held.parked.is_none(),
        HeldPresence::Gone => held.parked.is_none() || is_stopped,
    }
}

fn end_said(presence: Presence) -> Bound {
    match presence {
        Presence::Active { until, .. } => until,
        Presence::Inactive { at } => at.map_or(Bound::Unsaid, Bound::At),
        Presence::Gone | Presence::Unsaid => Bound::Unsaid,
    }
}

/// What the policy permits, no longer than the source says.
fn permit(facts: &RecordFacts<'_>, account: Option<&Account>) -> Permit {
    let Bound::At(said) = end_said(facts.record.presence()) else { return facts.base.permit.clone() };
    let by_policy = account_end(&facts.base, account);
    let account_end = Some(AccountEnd::At(by_policy.map_or(said, |end| end.min(said))));
    Permit { account_end, ..facts.base.permit.clone() }
}

/// The end that the policy sets, where it has passed.
fn past_end(facts: &RecordFacts<'_>, account: &Account) -> Option<DateTime<Utc>> {
    account_end(&facts.base, Some(account)).filter(|end| *end <= facts.base.now)
}

/// Takes back an end that this connection set, where the source says that there is none and the policy sets none either: what
/// an administrator said holds again.
fn plan_open_end(plan: &mut Plan, facts: &RecordFacts<'_>, account: &Account) {
    let by = Source::Connection(facts.record.key().connection.clone());
    let is_open = end_said(facts.record.presence()) == Bound::Open;
    let is_ours = account.ends_at.is_some() && account.end_set_by.as_ref() == Some(&by);
    if is_open && is_ours && account_end(&facts.base, Some(account)).is_none() {
        let at = account.end_of_administrator();
        let by = if at.is_some() { Source::Administrator } else { by };
        plan.push(Change::SetEnd { at, by }, Reason::code("record.end_moved"));
    }
}

/// Plans from when on the account may be used, as it was and as it is planned so far. A beginning that has passed is none, and
/// one that is said of an account in use keeps nobody out: a source that errs would lock out everybody, and no leave be counted.
fn plan_beginning(plan: &mut Plan, facts: &RecordFacts<'_>, account: Option<(&Account, &Account)>) {
    let Presence::Active { from, .. } = facts.record.presence() else { return };
    let ahead = |begin: &DateTime<Utc>| *begin > facts.base.now;
    let present = account.and_then(|(_, begun)| begun.begins_at).filter(ahead);
    let is_in_use = account.is_some_and(|(before, _)| before.standing(facts.base.now) == Standing::Active);
    let wanted = match from {
        Bound::Unsaid => return,
        Bound::Open => None,
        Bound::At(begin) => Some(begin).filter(ahead),
    };
    if wanted.is_some() && is_in_use {
        let code = Code::new("record.has_begun");
        plan.refusals.push(Refusal { wish: "begin later".into(), code, rule: None });
    } else if wanted != present {
        plan.push(Change::SetBegin(wanted), Reason::code("record.begin_moved"));
    }
}

/// Lets the user name follow the source, where the connection does so.
fn plan_rename(plan: &mut Plan, facts: &RecordFacts<'_>, account: &Account) -> Result<(), Denial> {
    let (Some(held), Some(wish)) = (&account.user_name, &facts.base.profile.user_name) else { return Ok(()) };
    if !facts.provisioning.renames || wish.candidates.iter().any(|name| name == *held) {
        return Ok(());
    }
    let UserNameWish { candidates, rule, .. } = wish;
    let is_free = |name: &crate::UserName| {
        is_own(&facts.base, name) && (name.key() == held.key() || !facts.base.taken.contains(name.key()))
    };
    let Some(name) = candidates.iter().find(is_free) else {
        return Err(no_name(&facts.base, wish).into());
    };
    plan.push(Change::SetUserName(name), Reason::code("record.renamed").by(Some(rule.clone()), None));
    Ok(())
}
