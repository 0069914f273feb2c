use chrono::{DateTime, SecondsFormat, Utc};
use jit_core::{AccountId, Actor, AuditEvent, AuditOutcome, EndReason};

use super::span::instant;
use crate::portal::view::{AuditRow, Badge, Tone};

/// Says who reads a trail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Whoever looks after the tenant: everything is for them.
    Administrator,
    /// The person whom it is about: of what is lent to them they read what the words say.
    Person,
}

/// Shows an audit event; `account` is the name under which readers know its account, `person` that of the account which
/// caused it.
pub(crate) fn audit_row(
    event: &AuditEvent,
    reader: Reader,
    account: String,
    person: Option<String>,
) -> AuditRow {
    AuditRow {
        at: event.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        at_exact: event.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        words: words(event),
        action: event.action.to_string(),
        outcome: outcome(&event.outcome),
        actor: person.unwrap_or_else(|| actor(&event.actor)),
        account,
        detail: detail(event, reader),
    }
}

/// The lease that somebody asked for, where an event tells so of a person.
pub(crate) fn lease_asked_for(event: &AuditEvent) -> Option<AccountId> {
    let said = event.changes.iter().filter(|_| event.action.as_str() == ASKED_FOR);
    said.filter_map(|said| said.strip_prefix("lease ")).find_map(|id| id.parse().ok())
}

/// Tells whether a step of a lease is news to its holder. What a lease needs besides to end for good is not.
pub(crate) fn tells_holder(event: &AuditEvent) -> bool {
    words_of_lease(event).is_some()
}

/// Tells whether a step of a lease handed it out: whoever reads of that need not read who asked for it.
pub(crate) fn tells_hand_out(event: &AuditEvent) -> bool {
    event.action.as_str() == ACTIVE
}

const ASKED_FOR: &str = "access.asked_for";
const ACTIVE: &str = "lease.active";

/// What happened, in plain words; empty where nobody has to read it without its code.
fn words(event: &AuditEvent) -> String {
    if let Some(words) = words_of_lease(event) {
        return words;
    }
    let words = match event.action.as_str() {
        "account.created" => "Account made",
        "account.updated" => "Account brought up to date",
        "account.requested" => "Approval asked for",
        "account.approved" => "Approved",
        "account.refused" => "Approval refused",
        "account.linked" => "Another way to sign in linked",
        "account.unlinked" => "A way to sign in cut off",
        "account.was_suspended" => "Suspended",
        "account.was_disabled" => "Put out of use",
        "account.reactivated" => "Brought back into use",
        "account.released" => "Name and address freed",
        "account.was_ended" | "account.was_ended_by_time" | "account.was_ended_by_source" => "Account ended",
        "sign_in.denied" => "Sign-in refused",
        "sign_in.held" => "Sign-in waits for an answer",
        "sign_in.proof_refused" => "Proof not accepted",
        "record.joined" => "Joined, said the directory",
        "record.left" => "Left, said the directory",
        "record.moved" => "Changed, said the directory",
        "record.returned" => "Came back, said the directory",
        "record.ended" => "Gone for good, said the directory",
        _ => "",
    };
    words.to_owned()
}

/// What became of something that is lent for a time, and where.
fn words_of_lease(event: &AuditEvent) -> Option<String> {
    let role = event.rule.as_ref().map(ToString::to_string).unwrap_or_default();
    let place = place(event)?;
    let what = format!("`{role}` at `{place}`");
    Some(match event.action.as_str() {
        ASKED_FOR => format!("Asked for {what}"),
        ACTIVE => format!("Checked out {what}{}", end(event)),
        "lease.refused" => format!("Not checked out: {what}"),
        "lease.resumed" => format!("New secret for {what}"),
        "lease.extended" => format!("Extended {what}{}", end(event)),
        "lease.not_extended" => format!("Not extended: {what}"),
        "lease.ending" => format!("{}: {what}", ending(event)),
        "lease.removed" => format!("{}: {what}", removed(event)),
        "lease.quarantined" => format!("An administrator has to look at {what}"),
        _ => return None,
    })
}

/// Why an end began. It may not be over for long: the target may be out of reach.
fn ending(event: &AuditEvent) -> &'static str {
    match EndReason::told_by(event) {
        Some(EndReason::CheckedIn) => "Checked in, and began to end",
        Some(EndReason::Expired) => "Began to end, for its time was over",
        Some(EndReason::Interrupted) => "Began to end, for whoever asked for it got no answer",
        Some(EndReason::HolderEnded) => "Began to end, for its holder may hold nothing any longer",
        Some(EndReason::Lost) => "Began to end, for somebody else had removed it",
        Some(EndReason::Settled) => "Began to end, for somebody had looked after it",
        // Who acted does not tell why: earlier builds did not say.
        _ => "Began to end",
    }
}

/// What the target proved in the end.
fn removed(event: &AuditEvent) -> &'static str {
    match EndReason::told_by(event) {
        Some(EndReason::Refused | EndReason::Interrupted) => "Nothing is left of what was asked for",
        Some(EndReason::Reappeared) => "Gone again",
        _ => "Gone",
    }
}

/// The target that an event of something lent is about.
fn place(event: &AuditEvent) -> Option<&str> {
    let said = event.changes.first()?;
    let place = said.strip_prefix("at ").or_else(|| said.rsplit_once(" at ").map(|(_, place)| place))?;
    // An alarm that is raised again says how long it lasts, and why. No target has a comma in its name.
    place.split(',').next()
}

/// Until when something is lent, where a step says so. It is written for programs, and read by people.
fn end(event: &AuditEvent) -> String {
    let said = event.changes.iter().find_map(|said| said.strip_prefix("until "));
    let end = said.and_then(|end| DateTime::parse_from_rfc3339(end).ok());
    end.map(|end| format!(" until {}", instant(end.with_timezone(&Utc)))).unwrap_or_default()
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

/// Names and rules; for the person of a lease as far as the words do not say them.
fn detail(event: &AuditEvent, reader: Reader) -> String {
    if reader == Reader::Person && words_of_lease(event).is_some() {
        return lease_asked_for(event).map(|lease| format!("lease `{lease}`")).unwrap_or_default();
    }
    let rule = event.rule.as_ref().map(|rule| format!("rule `{rule}`"));
    rule.into_iter().chain(event.changes.iter().cloned()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use jit_core::{Code, Mint, RuleName, TenantId};

    use super::*;

    fn event(action: &'static str, actor: Actor, said: &[&str]) -> AuditEvent {
        let at = DateTime::UNIX_EPOCH;
        let mut mint = Mint::new(at, [1; 16]);
        AuditEvent {
            id: mint.event(),
            at,
            tenant: TenantId::new("acme").unwrap(),
            actor,
            action: Code::new(action),
            account: Some(mint.account()),
            outcome: AuditOutcome::Done,
            rule: Some(RuleName::new("operator").unwrap()),
            changes: said.iter().map(|said| (*said).to_owned()).collect(),
        }
    }

    /// What its holder reads of a step of a lease, whoever wrote it down.
    fn told(action: &'static str, said: &[&str]) -> String {
        let person = Actor::Account { id: Mint::new(DateTime::UNIX_EPOCH, [2; 16]).account() };
        let [words, by_clock] = [person, Actor::Clock].map(|actor| {
            let event = event(action, actor, said);
            assert!(tells_holder(&event));
            let row = audit_row(&event, Reader::Person, String::new(), None);
            assert_eq!(row.detail, "");
            row.words
        });
        assert_eq!(words, by_clock, "who acted does not tell what happened");
        words
    }

    #[test]
    fn an_end_is_told_by_its_reason_and_is_not_over_before_it_is() {
        for (why, began, gone) in [
            ("checked_in", "Checked in, and began to end", "Gone"),
            ("expired", "Began to end, for its time was over", "Gone"),
            ("holder_ended", "Began to end, for its holder may hold nothing any longer", "Gone"),
            ("lost", "Began to end, for somebody else had removed it", "Gone"),
            ("settled", "Began to end, for somebody had looked after it", "Gone"),
            (
                "interrupted",
                "Began to end, for whoever asked for it got no answer",
                "Nothing is left of what was asked for",
            ),
            ("refused", "Began to end", "Nothing is left of what was asked for"),
            ("reappeared", "Began to end", "Gone again"),
            ("a_reason_of_later", "Began to end", "Gone"),
        ] {
            let why = format!("because {why}");
            let said = |words| format!("{words}: `operator` at `workshop`");
            assert_eq!(told("lease.ending", &["ending jit-7 at workshop", &why]), said(began));
            assert_eq!(told("lease.removed", &["gone jit-7 at workshop", &why]), said(gone));
        }
    }

    #[test]
    fn what_an_earlier_build_wrote_down_of_an_end_is_told_without_a_reason() {
        let said = ["ending jit-7 at workshop"];
        assert_eq!(told("lease.ending", &said), "Began to end: `operator` at `workshop`");
        assert_eq!(told("lease.removed", &["gone jit-7 at workshop"]), "Gone: `operator` at `workshop`");
    }

    #[test]
    fn the_life_of_a_lease_is_told_in_plain_words_with_its_place_and_its_end() {
        let said = ["active jit-7 at workshop", "until 2026-05-01T09:30:00Z"];
        for (action, words) in [
            ("lease.active", "Checked out `operator` at `workshop` until 2026-05-01 09:30 UTC"),
            ("lease.extended", "Extended `operator` at `workshop` until 2026-05-01 09:30 UTC"),
        ] {
            assert_eq!(told(action, &said), words);
        }
        assert!(
            !tells_holder(&event("lease.swept", Actor::Clock, &said)),
            "nothing that a holder has to know"
        );
    }

    #[test]
    fn an_alarm_that_is_raised_again_names_the_place_without_how_long_it_lasts_and_why() {
        let said = ["Doe, Jane at workshop, 3600 s; the target is not configured"];
        let row = audit_row(
            &event("lease.quarantined", Actor::Clock, &said),
            Reader::Administrator,
            String::new(),
            None,
        );
        assert_eq!(row.words, "An administrator has to look at `operator` at `workshop`");
        assert_eq!(
            row.detail,
            format!("rule `operator`; {}", said[0]),
            "administrators read the rest beside it"
        );
    }

    #[test]
    fn who_asked_for_what_leads_to_the_lease_and_nothing_else_does() {
        let id = "0192f0c1-1111-7aaa-8bbb-123456789abc";
        let said = format!("lease {id}");
        let asked =
            |action, said: &str| lease_asked_for(&event(action, Actor::Clock, &["at workshop", said]));
        assert_eq!(asked(ASKED_FOR, &said).map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!(asked(ASKED_FOR, "lease of nobody"), None);
        assert_eq!(asked("record.heard", &said), None);
    }
}
