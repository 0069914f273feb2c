//! Alarms: what needs a person, or is over.

use std::fmt;
use std::io::{self, Write as _};

use async_trait::async_trait;
use jit_core::{
    AccountId, AuditEvent, BackendError, Code, ErrorKind, Jit, Notices, TargetId, Task, TaskKind, TenantId,
};

/// What needs a person, by the code under which the audit trail keeps it.
const RECORDED: [&str; 24] = [
    "lease.overdue",
    "lease.overdue_over",
    "lease.quarantined",
    "lease.declared_gone",
    "lease.repointed",
    "lease.still_named",
    "lease.unreadable",
    "task.unreadable",
    "target.credentials_refused",
    "target.credentials_accepted",
    "target.markers_unknown",
    "target.markers_known",
    "mirror.parked",
    "mirror.refused",
    "mirror.overdue",
    "mirror.overdue_over",
    "record.parked",
    "mirror.target_quarantined",
    "mirror.target_quarantined_over",
    "mirror.target_released",
    "clock.ahead",
    "clock.behind",
    "clock.trusted",
    "clock.confirmed",
];

/// What others changed at a target. Only the alarm, which tells how many a round found, is of no account.
const DRIFTED: &str = "mirror.drifted";

/// Tells whether the audit trail keeps an alarm by this event.
pub(crate) fn is_recorded(event: &AuditEvent) -> bool {
    let action = event.action.as_str();
    RECORDED.contains(&action) || (action == DRIFTED && event.account.is_none())
}

/// What to look at where many accounts do not bear their markers.
const MARKERS_UNKNOWN: &str =
    ": was `marker` changed without `former_markers`, or can it not be read any longer?";

/// One alarm, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) about: Code,
    pub(crate) target: Option<TargetId>,
    /// Whose account it is about; `None` where it concerns no tenant.
    pub(crate) account: Option<(TenantId, AccountId)>,
}

impl Alarm {
    /// The alarm of a notice; `None` where it is another one.
    fn of(task: &Task) -> Option<Self> {
        let TaskKind::Alarm { about, target } = &task.kind else { return None };
        let is_of_nobody = Jit::house_tenant().as_ref() == Some(&task.tenant);
        let account = (!is_of_nobody).then(|| (task.tenant.clone(), task.account));
        Some(Self { about: about.clone(), target: target.clone(), account })
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alarm `{}`", self.about)?;
        if let Some(target) = &self.target {
            write!(f, " at `{target}`")?;
        }
        match &self.account {
            Some((tenant, account)) => write!(f, ": account {account} of `{tenant}`"),
            None if self.about.as_str() == "target.markers_unknown" => f.write_str(MARKERS_UNKNOWN),
            None => Ok(()),
        }
    }
}

/// Tells people of alarms.
#[async_trait]
pub(crate) trait Tell: Send + Sync {
    /// Tells of one. An alarm that could not be told comes again.
    async fn tell(&self, alarm: Alarm) -> io::Result<()>;
}

/// Tells of alarms on standard error, under the name of the program.
pub(crate) struct StandardError(pub(crate) &'static str);

#[async_trait]
impl Tell for StandardError {
    async fn tell(&self, alarm: Alarm) -> io::Result<()> {
        io::stderr().write_all(format!("{}: {alarm}\n", self.0).as_bytes())
    }
}

/// Hands alarms on. Other notices do not come: whoever takes alarms alone leaves them to the keeper of the sessions.
pub(crate) struct Alarms<T>(pub(crate) T);

#[async_trait]
impl<T: Tell> Notices for Alarms<T> {
    async fn deliver(&self, task: &Task) -> Result<(), BackendError> {
        let Some(alarm) = Alarm::of(task) else { return Ok(()) };
        self.0.tell(alarm).await.map_err(|error| {
            BackendError::new(ErrorKind::Unavailable, "notices.tell").caused_by(Box::new(error) as Box<_>)
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use jit_core::{Actor, AuditOutcome, EventId};

    use super::*;

    const NIL: &str = "00000000-0000-0000-0000-000000000000";

    #[test]
    fn of_drift_the_alarm_is_kept_and_not_each_account() {
        let drift = |account| AuditEvent {
            id: NIL.parse::<EventId>().unwrap(),
            at: DateTime::UNIX_EPOCH,
            tenant: TenantId::new("acme").unwrap(),
            actor: Actor::Clock,
            action: Code::new("mirror.drifted"),
            account,
            outcome: AuditOutcome::Done,
            rule: None,
            changes: Vec::new(),
        };
        let somebody = NIL.parse::<AccountId>().unwrap();
        assert!(is_recorded(&drift(None)) && !is_recorded(&drift(Some(somebody))));
    }

    #[test]
    fn whoever_hears_that_markers_are_not_found_learns_where_to_look() {
        let about = |code: &'static str| Alarm {
            about: Code::new(code),
            target: TargetId::new("ad").ok(),
            account: None,
        };
        let told = about("target.markers_unknown").to_string();
        assert!(
            told.starts_with("alarm `target.markers_unknown` at `ad`: ") && told.contains("`former_markers`")
        );
        assert_eq!(about("target.markers_known").to_string(), "alarm `target.markers_known` at `ad`");
    }
}
