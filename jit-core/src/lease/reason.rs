//! Why a lease was ended, as the audit trail tells it.

use serde::Deserialize as _;
use serde::de::{IntoDeserializer, value::Error};

use super::EndReason;
use crate::AuditEvent;

/// The steps that begin an end, and that prove it. What a person declared gone has words of theirs there.
const TELLS_WHY: [&str; 2] = ["lease.ending", "lease.removed"];
const BECAUSE: &str = "because ";

impl EndReason {
    /// The reason as a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::CheckedIn => "checked_in",
            Self::Expired => "expired",
            Self::Interrupted => "interrupted",
            Self::Refused => "refused",
            Self::HolderEnded => "holder_ended",
            Self::Reappeared => "reappeared",
            Self::Lost => "lost",
            Self::Settled => "settled",
            Self::DeclaredGone => "declared_gone",
        }
    }

    /// Reads why a lease was ended from the step that began its end (`lease.ending`) or proved it (`lease.removed`). `None` for
    /// all other events, and where an earlier build wrote the step down: it did not say.
    #[must_use]
    pub fn told_by(event: &AuditEvent) -> Option<Self> {
        let tells = TELLS_WHY.contains(&event.action.as_str());
        let said = event.changes.iter().filter(|_| tells).find_map(|said| said.strip_prefix(BECAUSE))?;
        Self::deserialize(IntoDeserializer::<Error>::into_deserializer(said)).ok()
    }

    /// What a step says of it, where it is one that does.
    pub(crate) fn said_of(self, action: &str) -> Option<String> {
        TELLS_WHY.contains(&action).then(|| format!("{BECAUSE}{}", self.word()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{Actor, AuditOutcome, Code, Mint, TenantId};

    fn event(action: &'static str, changes: Vec<String>) -> AuditEvent {
        let at = DateTime::UNIX_EPOCH;
        AuditEvent {
            id: Mint::new(at, [1; 16]).event(),
            at,
            tenant: TenantId::new("acme").unwrap(),
            actor: Actor::Clock,
            action: Code::new(action),
            account: None,
            outcome: AuditOutcome::Done,
            rule: None,
            changes,
        }
    }

    #[test]
    fn what_a_step_says_of_an_end_is_read_as_it_was_written() {
        let all = [
            EndReason::CheckedIn,
            EndReason::Expired,
            EndReason::Interrupted,
            EndReason::Refused,
            EndReason::HolderEnded,
            EndReason::Reappeared,
            EndReason::Lost,
            EndReason::Settled,
            EndReason::DeclaredGone,
        ];
        for (why, action) in all.into_iter().flat_map(|why| TELLS_WHY.map(|action| (why, action))) {
            let said = vec!["ending jit-7 at workshop".to_owned(), why.said_of(action).unwrap()];
            assert_eq!(EndReason::told_by(&event(action, said)), Some(why));
        }
    }

    #[test]
    fn the_words_of_a_person_and_the_steps_of_earlier_builds_are_no_reason() {
        let said = |said: &[&str]| said.iter().map(|said| (*said).to_owned()).collect();
        let declared = event("lease.declared_gone", said(&["gone jit-7 at workshop", "because expired"]));
        assert_eq!(EndReason::told_by(&declared), None);
        for earlier in [&["ending jit-7 at workshop"][..], &["ending jit-7 at workshop", "because of rain"]] {
            assert_eq!(EndReason::told_by(&event("lease.ending", said(earlier))), None);
        }
        assert_eq!(EndReason::Expired.said_of("lease.shut"), None);
    }
}
