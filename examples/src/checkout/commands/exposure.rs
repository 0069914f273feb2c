use chrono::{DateTime, Utc};
use jit_core::{AccountId, Lease, Phase, Seeing, UnattendedEnd};
use serde::Serialize;
use serde_json::json;

use crate::checkout::failure::Failure;
use crate::checkout::house::{House, Names};
use crate::checkout::report::{Report, ender, instant};
use crate::checkout::{DONE, FAILED};
use crate::targets::Opened;

/// Tells what is left of one lease if nobody of ours ever runs again.
#[derive(Serialize)]
struct ExposureLine {
    lease: AccountId,
    user: String,
    target: String,
    role: String,
    name: String,
    phase: &'static str,
    privileged: bool,
    /// `None` where the target is not configured, so that nobody can tell.
    ended_by: Option<UnattendedEnd>,
    /// From when on it cannot be used, at the latest; `null` is never.
    worst_case: Option<DateTime<Utc>>,
    sessions_survive: bool,
    #[serde(skip)]
    is_open: bool,
}

/// Adds it up.
#[derive(Serialize)]
struct Sum {
    leases: usize,
    usable_now: usize,
    server_deletes: usize,
    server_refuses_login: usize,
    server_drops_membership: usize,
    library_only: usize,
    /// How many are at targets that are not configured, or have records that cannot be read.
    unknown: usize,
    /// How many would never end.
    never: usize,
    /// When the last of the others ends.
    last_end: Option<DateTime<Utc>>,
    sessions_survive: usize,
}

/// Tells for each lease who ends it if nobody of ours ever runs again, and when.
pub(super) async fn exposure(house: &House, report: &mut Report<'_>) -> Result<u8, Failure> {
    let (mut lines, mut unreadable, mut names) = (Vec::new(), Vec::new(), Names::default());
    for (id, target) in house.lending(None).await? {
        for account in house.leases(&id, &mut unreadable).await? {
            let Some(lease) = account.lease.as_deref() else { continue };
            let user = names.of(house, lease.holder).await?;
            lines.push(ExposureLine::of(account.id, lease, user, target, house.now()));
        }
    }
    let sum = Sum::of(&lines).and_unreadable(unreadable.len());
    let heads = ["LEASE", "USER", "TARGET", "ROLE", "NAME", "PHASE", "WITHOUT US", "WORST CASE", "SESSIONS"];
    report.several(&lines, heads, |line| {
        [
            line.lease.to_string(),
            line.user.clone(),
            line.target.clone(),
            line.role.clone(),
            line.name.clone(),
            line.phase.to_owned(),
            line.ended_by.map_or("the target is not configured", ender).to_owned(),
            line.worst_case.map_or_else(|| "never ends".to_owned(), instant),
            if line.sessions_survive { "go on" } else { "end" }.to_owned(),
        ]
    })?;
    let facts = [
        ("leases", sum.leases.to_string()),
        ("usable now", sum.usable_now.to_string()),
        ("never end", sum.never.to_string()),
        ("last end", sum.last_end.map_or_else(|| "-".to_owned(), instant)),
    ];
    report.one(&json!({ "sum": sum }), &facts)?;
    Ok(if report.unreadable(&unreadable)? { FAILED } else { DONE })
}

impl ExposureLine {
    fn of(id: AccountId, lease: &Lease, user: String, target: Option<&Opened>, now: DateTime<Utc>) -> Self {
        let capabilities = target.map(|target| target.target.capabilities());
        let shut_at = shut_at(lease);
        let ended_by = capabilities.as_ref().map(|able| match lease.elevates {
            None => able.end,
            Some(_) => able.elevation.unwrap_or(UnattendedEnd::LibraryOnly),
        });
        let worst_case = match ended_by {
            _ if shut_at.is_some() => shut_at,
            None | Some(UnattendedEnd::LibraryOnly) => None,
            // What is there is not what was made: nobody knows when that ends.
            _ if matches!(lease.phase, Phase::Quarantined { .. }) => None,
            // An extension may have reached the target and not the store.
            _ if lease.unanswered.is_some() => Some(lease.latest),
            Some(
                UnattendedEnd::ServerDeletes
                | UnattendedEnd::ServerRefusesLogin
                | UnattendedEnd::ServerDropsMembership,
            ) => Some(lease.until),
        };
        Self {
            lease: id,
            user,
            target: lease.target.to_string(),
            role: lease.role.to_string(),
            name: lease.remote.name.clone(),
            phase: lease.phase.word(),
            privileged: lease.privileged,
            ended_by,
            worst_case,
            sessions_survive: capabilities.is_none_or(|able| able.sessions_survive),
            is_open: worst_case.is_none_or(|end| now < end),
        }
    }
}

/// Since when the target has proved that it can no longer be used.
fn shut_at(lease: &Lease) -> Option<DateTime<Utc>> {
    let is_in_use = matches!(lease.phase, Phase::Intended | Phase::Active { .. } | Phase::Quarantined { .. });
    let proof = lease.proof.filter(|proof| !is_in_use && proof.seen != Seeing::Present);
    proof.filter(|_| lease.unanswered.is_none()).map(|proof| proof.at)
}

impl Sum {
    fn of(lines: &[ExposureLine]) -> Self {
        let count = |is: &dyn Fn(&ExposureLine) -> bool| lines.iter().filter(|line| is(line)).count();
        Self {
            leases: lines.len(),
            usable_now: count(&|line| line.is_open),
            server_deletes: count(&|line| line.ended_by == Some(UnattendedEnd::ServerDeletes)),
            server_refuses_login: count(&|line| line.ended_by == Some(UnattendedEnd::ServerRefusesLogin)),
            server_drops_membership: count(&|line| {
                line.ended_by == Some(UnattendedEnd::ServerDropsMembership)
            }),
            library_only: count(&|line| line.ended_by == Some(UnattendedEnd::LibraryOnly)),
            unknown: count(&|line| line.ended_by.is_none()),
            never: count(&|line| line.worst_case.is_none()),
            last_end: lines.iter().filter_map(|line| line.worst_case).max(),
            sessions_survive: count(&|line| line.sessions_survive),
        }
    }

    /// The same with so many of which nobody can tell anything.
    fn and_unreadable(mut self, number: usize) -> Self {
        for count in [&mut self.leases, &mut self.usable_now, &mut self.unknown, &mut self.never] {
            *count += number;
        }
        self
    }
}
