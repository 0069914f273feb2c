use chrono::{DateTime, Utc};
use jit_core::{AccountId, Exposure, Lease, UnattendedEnd};
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
    ended_by: UnattendedEnd,
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
    /// How many have records that cannot be read.
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
            let exposure = house.exposure(&account, lease).await?;
            lines.push(ExposureLine::of(account.id, lease, user, exposure, target, house.now()));
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
            ender(line.ended_by).to_owned(),
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
    fn of(
        id: AccountId,
        lease: &Lease,
        user: String,
        Exposure { ended_by, worst_case }: Exposure,
        target: Option<&Opened>,
        now: DateTime<Utc>,
    ) -> Self {
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
            sessions_survive: target.is_none_or(|target| target.target.capabilities().sessions_survive),
            is_open: worst_case.is_none_or(|end| now < end),
        }
    }
}

impl Sum {
    fn of(lines: &[ExposureLine]) -> Self {
        let count = |is: &dyn Fn(&ExposureLine) -> bool| lines.iter().filter(|line| is(line)).count();
        let ended_by = |end: UnattendedEnd| count(&|line| line.ended_by == end);
        Self {
            leases: lines.len(),
            usable_now: count(&|line| line.is_open),
            server_deletes: ended_by(UnattendedEnd::ServerDeletes),
            server_refuses_login: ended_by(UnattendedEnd::ServerRefusesLogin),
            server_drops_membership: ended_by(UnattendedEnd::ServerDropsMembership),
            library_only: ended_by(UnattendedEnd::LibraryOnly),
            unknown: 0,
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
