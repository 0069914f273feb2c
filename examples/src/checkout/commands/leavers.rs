//! Leaves that wait for an administrator, since too many came at once.

use std::num::NonZeroUsize;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use jit_core::{Account, AccountId, AdminAct, ConnectionId, HeldPresence, WaitingLeave};
use serde::Serialize;

use crate::checkout::arguments::{LeaveDecision, Leavers};
use crate::checkout::failure::Failure;
use crate::checkout::house::House;
use crate::checkout::report::{Report, instant};
use crate::checkout::{DONE, FAILED};

const PAGE: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");

/// Shows a leave that waits.
#[derive(Serialize)]
struct LeaverLine {
    account: AccountId,
    user: String,
    connection: ConnectionId,
    /// `leave`, or `removal` for good.
    waits: &'static str,
    since: DateTime<Utc>,
    /// Names this leave as it is now.
    seen: String,
    state: &'static str,
    roles: Vec<String>,
}

/// Tells what became of a leave.
#[derive(Serialize)]
struct DecidedLine {
    account: AccountId,
    user: String,
    /// The state of the account by now.
    state: &'static str,
    /// The code of what kept it from being decided; it waits still.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Lists the leaves that wait, of one connection or of all.
pub(super) async fn list(
    house: &House,
    connection: Option<&ConnectionId>,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let mut lines = Vec::new();
    for account in waiting(house, connection).await? {
        let mut leaves = account.waiting_leaves();
        leaves.retain(|leave| connection.is_none_or(|own| leave.key.connection == *own));
        for leave in &leaves {
            lines.push(LeaverLine::of(house, &account, leave)?);
        }
    }
    lines.sort_by_key(|line| line.since);
    report.several(
        &lines,
        ["USER", "ACCOUNT", "WAITS", "SINCE", "CONNECTION", "SEEN", "STATE", "ROLES"],
        |line| {
            [
                line.user.clone(),
                line.account.to_string(),
                line.waits.to_owned(),
                instant(line.since),
                line.connection.to_string(),
                line.seen.clone(),
                line.state.to_owned(),
                line.roles.join(" "),
            ]
        },
    )?;
    Ok(DONE)
}

/// Confirms or dismisses leaves that wait: that of one person, or all of a connection unless they are too many.
pub(super) async fn decide(
    house: &House,
    whom: Leavers,
    decision: LeaveDecision,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let found = to_decide(house, whom).await?;
    if found.iter().all(|(_, leaves)| leaves.is_empty()) {
        return Err(Failure::refused("checkout.not_waiting"));
    }
    let mut lines = Vec::new();
    for (account, leaves) in found {
        let act = match decision {
            LeaveDecision::Confirm => AdminAct::ConfirmLeave(leaves),
            LeaveDecision::Dismiss => AdminAct::DismissLeave(leaves),
        };
        lines.push(DecidedLine::of(&account, &house.act(account.id, act).await));
    }
    report.several(&lines, ["USER", "ACCOUNT", "STATE", "FAILED"], |line| {
        let failed = line.error.clone().unwrap_or_default();
        [line.user.clone(), line.account.to_string(), line.state.to_owned(), failed]
    })?;
    Ok(if lines.iter().any(|line| line.error.is_some()) { FAILED } else { DONE })
}

/// Finds whose leaves are decided, and which: of somebody who is named, those that were seen, or all; else those alone that
/// the connection told of.
async fn to_decide(house: &House, whom: Leavers) -> Result<Vec<(Account, Vec<WaitingLeave>)>, Failure> {
    let (found, connection) = match whom {
        Leavers::One { whom, seen } => {
            let account = house.person_or_account(&whom).await?;
            let leaves = account.waiting_leaves();
            let leaves = if seen.is_empty() { leaves } else { as_seen(&leaves, &seen)? };
            return Ok(vec![(account, leaves)]);
        }
        Leavers::All { connection, at_most } => {
            let found = waiting(house, Some(&connection)).await?;
            if found.len() > at_most {
                return Err(Failure::refused("checkout.too_many_waiting"));
            }
            (found, connection)
        }
    };
    let named = |account: Account| {
        let is_meant = |leave: &WaitingLeave| leave.key.connection == connection;
        let leaves = account.waiting_leaves().into_iter().filter(is_meant).collect();
        (account, leaves)
    };
    Ok(found.into_iter().map(named).collect())
}

/// Finds the leaves that were seen. If only one of them waits no longer as it was, nothing is decided.
fn as_seen(leaves: &[WaitingLeave], seen: &[String]) -> Result<Vec<WaitingLeave>, Failure> {
    let mut found = Vec::new();
    for name in seen {
        let mut meant = None;
        for leave in leaves {
            if seen_as(leave)? == *name {
                meant = Some(leave.clone());
            }
        }
        found.push(meant.ok_or(Failure::refused("record.leave_changed"))?);
    }
    Ok(found)
}

/// Names a leave as it is now: whose, over which connection, whether they leave or are removed, and since when.
fn seen_as(leave: &WaitingLeave) -> Result<String, Failure> {
    let text = serde_json::to_vec(leave)
        .map_err(|error| Failure::Failed("checkout.output".into(), error.to_string()))?;
    let digest = digest(&SHA256, &text);
    let number = digest.as_ref().iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    Ok(format!("{number:016x}"))
}

async fn waiting(house: &House, connection: Option<&ConnectionId>) -> Result<Vec<Account>, Failure> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = house.jit.parked_leaves(None, &house.tenant, connection, after, PAGE).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

impl LeaverLine {
    fn of(house: &House, account: &Account, leave: &WaitingLeave) -> Result<Self, Failure> {
        Ok(Self {
            account: account.id,
            user: House::name_of(account),
            connection: leave.key.connection.clone(),
            waits: if leave.presence == HeldPresence::Gone { "removal" } else { "leave" },
            since: leave.since,
            seen: seen_as(leave)?,
            state: account.state.word(),
            roles: house.roles_of(account),
        })
    }
}

impl DecidedLine {
    fn of(before: &Account, decided: &Result<Account, Failure>) -> Self {
        let (state, error) = match decided {
            Ok(after) => (after.state.word(), None),
            Err(failure) => (before.state.word(), Some(failure.code().to_owned())),
        };
        Self { account: before.id, user: House::name_of(before), state, error }
    }
}
