use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{AccountId, AuditEvent, AuditQuery, Code, Jit, TenantId};
use serde::Serialize;

use crate::alarms::is_recorded;
use crate::checkout::DONE;
use crate::checkout::failure::Failure;
use crate::checkout::house::House;
use crate::checkout::report::{Report, instant};

const PAGE: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");
/// The most alarms that are shown.
const MOST: usize = 1_000;

/// Shows what needed a person.
#[derive(Serialize)]
struct AlarmLine {
    at: DateTime<Utc>,
    alarm: Code,
    /// Whose account it is about, such as the one that keeps a lease; `None` where it concerns no tenant.
    account: Option<AccountId>,
    /// The phase of that lease by now.
    phase: Option<&'static str>,
    about: Vec<String>,
}

/// Lists the alarms of a span, the latest first, as the audit trail keeps them. Where there are too many, it says so.
pub(super) async fn alarms(house: &House, span: TimeDelta, report: &mut Report<'_>) -> Result<u8, Failure> {
    let since = house.now().checked_sub_signed(span).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let (mut lines, mut is_cut) = (Vec::new(), false);
    for tenant in Jit::house_tenant().iter().chain([&house.tenant]) {
        let (events, has_more) = recorded(house, tenant, since).await?;
        is_cut |= has_more;
        for event in events {
            lines.push(AlarmLine::of(house, event).await?);
        }
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.at));
    is_cut |= lines.len() > MOST;
    lines.truncate(MOST);
    report.several(&lines, ["AT", "ALARM", "ACCOUNT", "NOW", "ABOUT"], |line| {
        [
            instant(line.at),
            line.alarm.to_string(),
            line.account.map(|account| account.to_string()).unwrap_or_default(),
            line.phase.unwrap_or_default().to_owned(),
            line.about.join("; "),
        ]
    })?;
    if is_cut {
        report.cut_at(MOST)?;
    }
    Ok(DONE)
}

/// The alarms of a tenant, the latest first, and whether there are more than these.
async fn recorded(
    house: &House,
    tenant: &TenantId,
    since: DateTime<Utc>,
) -> Result<(Vec<AuditEvent>, bool), Failure> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let query =
            AuditQuery { tenant: tenant.clone(), account: None, after, latest_first: true, limit: PAGE };
        let page = house.store.events(&query).await?;
        // Ids are in the order in which they were minted, by clocks that may differ a little.
        let is_over = page.items.last().is_none_or(|event| event.at < since);
        let is_alarm = |event: &AuditEvent| event.at >= since && is_recorded(event);
        found.extend(page.items.into_iter().filter(is_alarm));
        match page.next {
            Some(next) if !is_over && found.len() < MOST => after = Some(next),
            next => return Ok((found, next.is_some() && !is_over)),
        }
    }
}

impl AlarmLine {
    async fn of(house: &House, event: AuditEvent) -> Result<Self, Failure> {
        let account = match event.account {
            Some(id) => house.store.get(&event.tenant, id).await?,
            None => None,
        };
        let phase = account.and_then(|account| account.lease).map(|lease| lease.phase.word());
        Ok(Self { at: event.at, alarm: event.action, account: event.account, phase, about: event.changes })
    }
}
