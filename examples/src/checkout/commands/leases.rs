use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{AccountId, Lease, Phase, TargetId, UnattendedEnd, UserName};
use serde::Serialize;

use crate::checkout::failure::Failure;
use crate::checkout::house::{House, Names};
use crate::checkout::report::{LeaseLine, ProofLine, Report, instant, without_us};
use crate::checkout::{DONE, FAILED, REFUSED};

/// Tells the new end of a lease.
#[derive(Serialize)]
struct ExtendedLine {
    lease: AccountId,
    until: DateTime<Utc>,
    ended_by: UnattendedEnd,
    worst_case: Option<DateTime<Utc>>,
    sessions_survive: bool,
}

/// Ends a lease now. One that a target keeps from ending is delayed, and ends by `sweep`; one of which something else is
/// there is left to a person.
pub(super) async fn check_in(house: &House, id: AccountId, report: &mut Report<'_>) -> Result<u8, Failure> {
    let lease = house.jit.check_in(None, &house.tenant, id, house.actor()).await?;
    let line = line_of(house, id, &lease).await?;
    report.one(&line, &line.facts())?;
    Ok(match lease.phase {
        Phase::Ending { .. } => FAILED,
        Phase::Quarantined { .. } => REFUSED,
        _ => DONE,
    })
}

/// Takes a person's word that the target of a lease is gone for good.
pub(super) async fn declare_gone(
    house: &House,
    id: AccountId,
    reason: &str,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let lease = house.jit.declare_gone(None, &house.tenant, id, house.actor(), reason).await?;
    let line = line_of(house, id, &lease).await?;
    report.one(&line, &line.facts())?;
    Ok(DONE)
}

/// Shows a lease by itself, as it is after a step.
async fn line_of(house: &House, id: AccountId, lease: &Lease) -> Result<LeaseLine, Failure> {
    let user = Names::default().of(house, lease.holder).await?;
    let account = house.store.get(&house.tenant, id).await?.ok_or(Failure::refused("lease.unknown"))?;
    let exposure = house.exposure(&account, lease).await?;
    Ok(LeaseLine::of(id, lease, user, exposure, house.now()))
}

/// Moves the end of a lease.
pub(super) async fn extend(
    house: &House,
    lease: AccountId,
    span: TimeDelta,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let extended = house.jit.extend(None, &house.tenant, lease, span, house.actor()).await?;
    let line = ExtendedLine {
        lease,
        until: extended.until,
        ended_by: extended.unattended,
        worst_case: extended.worst_case,
        sessions_survive: extended.sessions_survive,
    };
    let without = without_us(line.ended_by, (line.until, line.worst_case), line.sessions_survive);
    let facts = [("lease", lease.to_string()), ("until", instant(line.until)), ("without us", without)];
    report.one(&line, &facts)?;
    Ok(DONE)
}

/// Lists the leases that may still be in a target, those that end first before the others.
pub(super) async fn list(
    house: &House,
    holder: Option<UserName>,
    target: Option<TargetId>,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let holder = match holder {
        None => None,
        Some(name) => Some(house.person(&name).await?.ok_or(Failure::refused("lease.unknown_holder"))?.id),
    };
    let (mut lines, mut unreadable, mut names) = (Vec::new(), Vec::new(), Names::default());
    for (target, _) in house.lending(target.as_ref()).await? {
        for account in house.leases(&target, &mut unreadable).await? {
            let Some(lease) = account.lease.as_deref() else { continue };
            if holder.is_none_or(|holder| holder == lease.holder) {
                let user = names.of(house, lease.holder).await?;
                let exposure = house.exposure(&account, lease).await?;
                lines.push(LeaseLine::of(account.id, lease, user, exposure, house.now()));
            }
        }
    }
    lines.sort_by_key(|line| (line.until, line.lease));
    let heads = ["LEASE", "USER", "TARGET", "ROLE", "NAME", "PHASE", "UNTIL", "LAST PROOF", "REASON"];
    report.several(&lines, heads, |line| {
        [
            line.lease.to_string(),
            line.user.clone(),
            line.target.clone(),
            line.role.clone(),
            line.name.clone(),
            line.phase.to_owned(),
            instant(line.until),
            line.proof.as_ref().map(ProofLine::words).unwrap_or_default(),
            line.reason.clone().unwrap_or_default(),
        ]
    })?;
    Ok(if report.unreadable(&unreadable)? { FAILED } else { DONE })
}
