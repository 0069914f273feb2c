use std::io;

use chrono::{DateTime, Utc};
use jit_core::{AccountId, Actor, CheckOut, CheckedOut, UnattendedEnd};
use serde::Serialize;

use crate::checkout::DONE;
use crate::checkout::arguments::Out;
use crate::checkout::failure::{Failure, Withdrawn};
use crate::checkout::house::House;
use crate::checkout::report::{Report, ender, instant};
use crate::checkout::secret_file::SecretFile;

/// Hands out what was lent.
#[derive(Serialize)]
struct OutLine<'a> {
    lease: AccountId,
    user: &'a str,
    target: &'a str,
    role: &'a str,
    name: &'a str,
    /// Absent where a file receives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    until: DateTime<Utc>,
    ended_by: UnattendedEnd,
    sessions_survive: bool,
}

/// Lends an account. Where its secret cannot be handed out, it ends again.
pub(super) async fn out(house: &House, order: Out, report: &mut Report<'_>) -> Result<u8, Failure> {
    let holder = house.person(&order.holder).await?;
    let holder = holder.ok_or(Failure::refused("lease.unknown_holder"))?;
    // Made first: whoever has no place for the secret makes no account.
    let file = order.secret_file.as_deref().map(SecretFile::create).transpose();
    let file = file.map_err(Failure::SecretFile)?;
    let request = CheckOut {
        tenant: house.tenant.clone(),
        store: None,
        holder: holder.id,
        target: order.target.clone(),
        role: order.role.clone(),
        span: order.span,
        key: order.key.clone(),
        purpose: order.reason.clone(),
    };
    let lent = house.jit.check_out(&request).await?;
    match hand_out(&order, &lent, file, report) {
        Ok(()) => Ok(DONE),
        Err(error) => Err(Failure::Output(error, withdraw(house, lent.lease).await)),
    }
}

fn hand_out(
    order: &Out,
    lent: &CheckedOut,
    file: Option<SecretFile>,
    report: &mut Report<'_>,
) -> io::Result<()> {
    let in_file = file.is_some();
    if let Some(file) = file {
        file.write(lent.secret.reveal())?;
    }
    let secret = (!in_file).then(|| lent.secret.reveal());
    let line = OutLine {
        lease: lent.lease,
        user: order.holder.as_str(),
        target: order.target.as_str(),
        role: order.role.as_str(),
        name: &lent.name,
        secret,
        until: lent.until,
        ended_by: lent.unattended,
        sessions_survive: lent.sessions_survive,
    };
    let mut facts = vec![("lease", lent.lease.to_string()), ("name", lent.name.clone())];
    facts.extend(secret.map(|secret| ("secret", secret.to_owned())));
    let survive = if lent.sessions_survive { "; open sessions go on" } else { "" };
    facts.push(("until", instant(lent.until)));
    facts.push(("without us", format!("{}{survive}", ender(lent.unattended))));
    report.one(&line, &facts)
}

/// Nobody knows the secret: the lease is of no use to anybody.
async fn withdraw(house: &House, lease: AccountId) -> Withdrawn {
    match house.jit.check_in(None, &house.tenant, lease, by()).await {
        Ok(_) => Withdrawn::Ended,
        Err(_) => Withdrawn::EndsByItself,
    }
}

/// Who acts, for the record.
pub(super) const BY: &str = "checkout";

pub(super) fn by() -> Actor {
    Actor::Administrator { name: BY.to_owned() }
}
