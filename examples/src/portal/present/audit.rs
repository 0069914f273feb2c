use chrono::SecondsFormat;
use jit_core::{Actor, AuditEvent, AuditOutcome};

use crate::portal::view::{AuditRow, Badge, Tone};

/// Shows an audit event; `account` is the name under which readers know its account, `person` that of the account which
/// caused it.
pub(crate) fn audit_row(event: &AuditEvent, account: String, person: Option<String>) -> AuditRow {
    AuditRow {
        at: event.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        at_exact: event.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        action: event.action.to_string(),
        outcome: outcome(&event.outcome),
        actor: person.unwrap_or_else(|| actor(&event.actor)),
        account,
        detail: detail(event),
    }
}

fn outcome(outcome: &AuditOutcome) -> Badge {
    let (text, tone) = match outcome {
        AuditOutcome::Done => ("done".into(), Tone::Good),
        AuditOutcome::Refused { code } => (format!("refused: {code}"), Tone::Bad),
        AuditOutcome::Held { asks } => (format!("held: {}", asks.join(", ")), Tone::Caution),
    };
    Badge { text, tone }
}

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Connection { id } => format!("connection {id}"),
        Actor::Administrator { name } => format!("administrator {name}"),
        Actor::Clock => "the clock".into(),
        _ => "another actor".into(),
    }
}

fn detail(event: &AuditEvent) -> String {
    let rule = event.rule.as_ref().map(|rule| format!("rule `{rule}`"));
    rule.into_iter().chain(event.changes.iter().cloned()).collect::<Vec<_>>().join("; ")
}
