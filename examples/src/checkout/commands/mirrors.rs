//! What the guard of a mirror keeps waiting, and what a person says to that.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use jit_core::{
    Account, AccountId, Code, DriftRound, Filter, LookupKey, MirrorState, Query, StoreId, TargetId, UserName,
    Wanted,
};
use serde::Serialize;
use serde_json::json;

use crate::checkout::DONE;
use crate::checkout::arguments::MirrorOrder;
use crate::checkout::failure::Failure;
use crate::checkout::house::{House, Names};
use crate::checkout::report::{Report, instant};

/// The accounts read at once.
const PAGE: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");
/// Every program has one store.
const STORE: Option<&StoreId> = None;

/// Shows somebody with whom a mirror waits for a person.
#[derive(Serialize)]
struct WaitingLine {
    target: TargetId,
    account: AccountId,
    user: String,
    state: &'static str,
    since: Option<DateTime<Utc>>,
    /// Why the target refused it.
    reason: Option<Code>,
}

/// Shows what came of a round of looking for drift.
#[derive(Serialize)]
struct RoundLine {
    target: TargetId,
    /// The one that goes on, or the one before.
    round: &'static str,
    began: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    looked: u64,
    differing: u64,
    known: u64,
    overwritten: u32,
    unseen: u64,
    next: Option<DateTime<Utc>>,
}

/// Shows how somebody is to stand in a target otherwise than was brought there last.
#[derive(Serialize)]
struct ForecastLine {
    target: TargetId,
    account: AccountId,
    user: String,
    wanted: &'static str,
}

/// Does what was ordered about mirrors. What is to happen at a target, the next `sweep` does.
pub(super) async fn perform(
    house: &House,
    order: MirrorOrder,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    match order {
        MirrorOrder::Parked { target } => parked(house, target, report).await,
        MirrorOrder::Drift { target } => drift(house, target, report).await,
        MirrorOrder::Forecast { target } => forecast(house, target, report).await,
        MirrorOrder::Allow { target, count } => allow(house, &target, count, report).await,
        MirrorOrder::Anew { target } => anew(house, &target, report).await,
        MirrorOrder::LetGo { target, whom } => let_go(house, &target, &whom, report).await,
    }
}

/// Lists whose stop waits for somebody to allow it, and whom a target refused.
async fn parked(house: &House, target: Option<TargetId>, report: &mut Report<'_>) -> Result<u8, Failure> {
    let mut lines = Vec::new();
    for opened in house.chosen(target.as_ref())? {
        let filter = Filter::Bearing(LookupKey::mirrored_at(&opened.id));
        let mut query = Query { tenant: house.tenant.clone(), filter, after: None, limit: PAGE };
        loop {
            let page = house.store.list(&query).await?;
            lines.extend(page.items.iter().filter_map(|account| WaitingLine::of(account, &opened.id)));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    report.several(&lines, ["TARGET", "USER", "STATE", "SINCE", "REASON"], |line| {
        [
            line.target.to_string(),
            line.user.clone(),
            line.state.to_owned(),
            line.since.map(instant).unwrap_or_default(),
            line.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]
    })?;
    Ok(DONE)
}

impl WaitingLine {
    fn of(account: &Account, target: &TargetId) -> Option<Self> {
        let (state, since, reason) = match &account.mirror(target)?.state {
            MirrorState::Parked { since, inactive: false } => ("to be stopped", Some(*since), None),
            MirrorState::Parked { since, inactive: true } => ("to be removed", Some(*since), None),
            MirrorState::Refused { code } => ("refused", None, Some(code.clone())),
            _ => return None,
        };
        let user = account.user_name.as_ref().map_or_else(|| account.id.to_string(), ToString::to_string);
        Some(Self { target: target.clone(), account: account.id, user, state, since, reason })
    }
}

/// Tells of the round of looking for drift that goes on, and of the one that ended last.
async fn drift(house: &House, target: Option<TargetId>, report: &mut Report<'_>) -> Result<u8, Failure> {
    let mut lines = Vec::new();
    for opened in house.chosen(target.as_ref())? {
        let rounds = match house.jit.drift_rounds(STORE, &opened.id).await {
            // Of all targets, those that are mirrored to.
            Err(error) if target.is_none() && error.code().as_str() == "mirror.unknown_target" => continue,
            rounds => rounds?,
        };
        let line = |(which, round)| RoundLine::of(&opened.id, which, &round, rounds.next);
        let told = [("now", rounds.now), ("last", rounds.last)];
        lines.extend(told.into_iter().filter_map(|(which, round)| Some((which, round?))).map(line));
    }
    let columns = ["TARGET", "ROUND", "BEGAN", "ENDED", "LOOKED", "DIFFER", "OVERWRITTEN", "UNSEEN", "NEXT"];
    report.several(&lines, columns, |line| {
        [
            line.target.to_string(),
            line.round.to_owned(),
            instant(line.began),
            line.ended.map(instant).unwrap_or_default(),
            line.looked.to_string(),
            line.differing.to_string(),
            line.overwritten.to_string(),
            line.unseen.to_string(),
            line.next.map(instant).unwrap_or_default(),
        ]
    })?;
    Ok(DONE)
}

impl RoundLine {
    fn of(target: &TargetId, round: &'static str, of: &DriftRound, next: Option<DateTime<Utc>>) -> Self {
        let DriftRound { began, ended, looked, differing, known, overwritten, unseen, .. } = *of;
        let target = target.clone();
        Self { target, round, began, ended, looked, differing, known, overwritten, unseen, next }
    }
}

/// Tells what would be brought to a target. Asks it nothing, and writes nothing.
async fn forecast(house: &House, target: TargetId, report: &mut Report<'_>) -> Result<u8, Failure> {
    let (mut lines, mut names, mut after) = (Vec::new(), Names::default(), None);
    loop {
        let page = house.jit.forecast_mirror(STORE, &house.tenant, &target, after, PAGE).await?;
        for forecast in page.items.into_iter().filter(|forecast| forecast.differs) {
            let (account, user) = (forecast.account, names.of(house, forecast.account).await?);
            let wanted = word(&forecast.wanted);
            lines.push(ForecastLine { target: target.clone(), account, user, wanted });
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    report.several(&lines, ["TARGET", "USER", "WANTED"], |line| {
        [line.target.to_string(), line.user.clone(), line.wanted.to_owned()]
    })?;
    Ok(DONE)
}

fn word(wanted: &Wanted) -> &'static str {
    match wanted {
        Wanted::Nothing => "nothing",
        Wanted::There(mirrored) if mirrored.active => "in use",
        Wanted::There(_) => "out of use",
        Wanted::Stopped => "stopped",
        Wanted::Gone => "removed",
    }
}

/// Lets more be stopped than the settings do, in the span that runs and the next.
async fn allow(house: &House, target: &TargetId, count: u32, report: &mut Report<'_>) -> Result<u8, Failure> {
    house.jit.allow_stops(STORE, &house.tenant, target, count, &house.by).await?;
    let facts = [("target", target.to_string()), ("allowed", count.to_string())];
    report.one(&json!({ "target": target, "allowed": count }), &facts)?;
    Ok(DONE)
}

/// Has every account brought to a target anew.
async fn anew(house: &House, target: &TargetId, report: &mut Report<'_>) -> Result<u8, Failure> {
    let (mut all, mut after) = (0, None);
    loop {
        let (marked, next) = house.jit.mirror_anew(STORE, &house.tenant, target, after, PAGE).await?;
        all += marked;
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let facts = [("target", target.to_string()), ("marked", all.to_string())];
    report.one(&json!({ "target": target, "marked": all }), &facts)?;
    Ok(DONE)
}

/// Lets go of the id of somebody whom a target refused: they are looked for by their mark, or made anew.
async fn let_go(
    house: &House,
    target: &TargetId,
    whom: &UserName,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let account = house.person(whom).await?.ok_or(Failure::refused("account.unknown"))?;
    house.jit.let_go_of_mirrored(STORE, &house.tenant, target, account.id, &house.by).await?;
    let facts = [("target", target.to_string()), ("user", whom.to_string())];
    report.one(&json!({ "target": target, "account": account.id, "user": whom.as_str() }), &facts)?;
    Ok(DONE)
}
