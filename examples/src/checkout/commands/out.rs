use std::io;

use chrono::{DateTime, Utc};
use jit_core::{AccountId, CheckOut, CheckedOut, UnattendedEnd, Whose};
use serde::Serialize;

use crate::checkout::DONE;
use crate::checkout::arguments::Out;
use crate::checkout::failure::{Failure, Withdrawn};
use crate::checkout::house::House;
use crate::checkout::report::{Report, instant, without_us};
use crate::checkout::secret_file::SecretFile;
use crate::command_line::UsageError;

/// Hands out what was lent.
#[derive(Serialize)]
struct OutLine<'a> {
    lease: AccountId,
    user: &'a str,
    target: &'a str,
    role: &'a str,
    name: &'a str,
    /// Absent where a file receives it, and where an account was elevated.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    until: DateTime<Utc>,
    ended_by: UnattendedEnd,
    worst_case: Option<DateTime<Utc>>,
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
        by: house.actor(),
        target: order.target.clone(),
        role: order.role.clone(),
        span: order.span,
        key: order.key.clone(),
        purpose: order.reason.clone(),
    };
    if let Some(whose) = house.elevates(&order) {
        return elevate(house, &order, &whose, &request, report).await;
    }
    if order.account.is_some() {
        return Err(house.without_account(&order));
    }
    let lent = house.jit.check_out(&request).await?;
    match hand_out(&order, &lent, file, report) {
        Ok(()) => Ok(DONE),
        Err(error) => Err(Failure::Output(error, withdraw(house, lent.lease).await)),
    }
}

/// Lends what the role holds to an account that existed before. There is no secret; where the answer cannot be handed out,
/// it ends again.
async fn elevate(
    house: &House,
    order: &Out,
    whose: &Whose,
    request: &CheckOut,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    if order.secret_file.is_some() {
        return Err(Failure::Usage(UsageError::Misplaced("--secret-file")));
    }
    let named = order.account.as_deref().filter(|_| *whose == Whose::Named);
    if order.account.is_some() && named.is_none() {
        return Err(Failure::Usage(UsageError::Misplaced("--account")));
    }
    let lent = house.jit.elevate(request, named).await?;
    let line = OutLine {
        lease: lent.lease,
        user: order.holder.as_str(),
        target: order.target.as_str(),
        role: order.role.as_str(),
        name: &lent.name,
        secret: None,
        until: lent.until,
        ended_by: lent.unattended,
        worst_case: lent.worst_case,
        sessions_survive: lent.sessions_survive,
    };
    match line.show(report) {
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
        worst_case: lent.worst_case,
        sessions_survive: lent.sessions_survive,
    };
    line.show(report)
}

impl OutLine<'_> {
    fn show(&self, report: &mut Report<'_>) -> io::Result<()> {
        let mut facts = vec![("lease", self.lease.to_string()), ("name", self.name.to_owned())];
        facts.extend(self.secret.map(|secret| ("secret", secret.to_owned())));
        let without = without_us(self.ended_by, (self.until, self.worst_case), self.sessions_survive);
        facts.push(("until", instant(self.until)));
        facts.push(("without us", without));
        report.one(self, &facts)
    }
}

/// Nobody knows what was lent, or its secret: the lease is of no use to anybody.
async fn withdraw(house: &House, lease: AccountId) -> Withdrawn {
    match house.jit.check_in(None, &house.tenant, lease, house.actor()).await {
        Ok(_) => Withdrawn::Ended,
        Err(_) => Withdrawn::EndsByItself,
    }
}
