//! What is told to somebody whose lease was not made, extended or ended as they asked.

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{CheckOut, Code, ErrorClass, ErrorKind, JitError, Lease};

use super::not_done::{MEND, NotDone, OPEN_ANEW, Words};
use super::{Failure, tell};
use crate::portal::present::{instant, span};

/// What a form of leases is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Deed {
    CheckOut,
    Extend,
    CheckIn,
    /// An administrator lets somebody's lease end later.
    ExtendOfOthers,
    /// An administrator ends somebody's lease.
    EndOfOthers,
}

/// What somebody asks for by a form of leases, in words, and what bounds it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Asked {
    deed: Deed,
    words: String,
    /// The longest time of the role.
    longest: Option<TimeDelta>,
    /// When the lease ends by now.
    until: Option<DateTime<Utc>>,
}

impl Asked {
    /// What a form is for of which nothing was read yet.
    pub(in crate::portal) fn to(deed: Deed) -> Self {
        Self { deed, words: String::new(), longest: None, until: None }
    }

    /// A role was asked for, whose longest time is this.
    pub(in crate::portal) fn check_out(request: &CheckOut, longest: Option<TimeDelta>) -> Self {
        let (role, target, span) = (&request.role, &request.target, span(request.span));
        let words = format!("You asked for `{role}` at `{target}`, for {span}.");
        Self { words, longest, ..Self::to(Deed::CheckOut) }
    }

    /// It was asked that a lease ends so long from now.
    pub(in crate::portal) fn longer(self, lease: &Lease, by: TimeDelta) -> Self {
        let (name, role, target) = (&lease.remote.name, &lease.role, &lease.target);
        let words = format!("You asked that `{name}` ({role} at {target}) ends {} from now.", span(by));
        Self { words, until: Some(lease.until), ..self }
    }

    /// It was asked that a lease ends.
    pub(in crate::portal) fn end(self, lease: &Lease) -> Self {
        let (name, role, target) = (&lease.remote.name, &lease.role, &lease.target);
        Self { words: format!("You asked that `{name}` ({role} at {target}) ends now."), ..self }
    }

    /// Says why it was not done.
    pub(in crate::portal) fn failed(&self, error: JitError) -> Failure {
        match error {
            JitError::Refused(code) => self.refused(code),
            JitError::Backend(error) if matches!(error.kind(), ErrorKind::Target(_)) => {
                tell(&error);
                let passes = error.class() == ErrorClass::Transient;
                let words =
                    if passes { self.not_now(&error.code()) } else { self.at_target(error.code().as_str()) };
                self.not_done(error.code(), words)
            }
            other => other.into(),
        }
    }

    /// Says why it was not done, by the code of it.
    pub(in crate::portal) fn refused(&self, code: Code) -> Failure {
        let known = self.of_form(code.as_str()).or_else(|| self.of_holder(code.as_str()));
        let known = known.or_else(|| self.of_time(code.as_str())).or_else(|| self.of_lease(code.as_str()));
        match known.or_else(|| self.of_target(code.as_str())) {
            Some(words) => self.not_done(code, words),
            None if code.as_str() == "engine.contended" => Failure::Contended,
            None => {
                tell(&JitError::Refused(code.clone()));
                self.not_done(code, Words::broken("This does not work as the portal is set up."))
            }
        }
    }

    fn not_done(&self, code: Code, words: Words) -> Failure {
        let title = match self.deed {
            Deed::CheckOut => "Not checked out",
            Deed::Extend | Deed::ExtendOfOthers => "Not extended",
            Deed::CheckIn => "Not checked in",
            Deed::EndOfOthers => "Not ended",
        };
        Failure::NotDone(Box::new(NotDone {
            status: words.status,
            title,
            asked: self.words.clone(),
            is_about_holdings: self.is_own() && code.as_str() == "lease.not_entitled",
            code,
            reason: words.reason,
            advice: words.advice,
        }))
    }

    fn is_own(&self) -> bool {
        matches!(self.deed, Deed::CheckOut | Deed::Extend | Deed::CheckIn)
    }

    fn of_form(&self, code: &str) -> Option<Words> {
        let is_out = self.deed == Deed::CheckOut;
        let (status, reason, advice) = match code {
            "portal.form" => (
                StatusCode::BAD_REQUEST,
                "The form lacks something, or holds what cannot be read.",
                OPEN_ANEW,
            ),
            "portal.span" => (
                StatusCode::BAD_REQUEST,
                "The time that was sent cannot be read.",
                "Choose one of the times that the form offers. A program writes them as `30m`, `8h` or `1h30m`.",
            ),
            "lease.invalid" => (
                StatusCode::BAD_REQUEST,
                "The reason is too long, or holds signs that nobody can see.",
                "Say it in a line or two.",
            ),
            "lease.unknown_target" | "lease.unknown_role" if is_out => (
                StatusCode::NOT_FOUND,
                "There is no such role for you to check out.",
                "The page shows what there is by now.",
            ),
            "lease.unknown" if self.is_own() => (
                StatusCode::NOT_FOUND,
                "No such lease is yours.",
                "It may be long over. The page shows what is lent to you.",
            ),
            "lease.unknown" => (
                StatusCode::NOT_FOUND,
                "There is no such lease.",
                "It may be long over. The page shows what there is.",
            ),
            "lease.other_request" => (
                StatusCode::CONFLICT,
                "This form was used before, and for something else. A form lends one thing.",
                OPEN_ANEW,
            ),
            "lease.over" | "lease.long_gone" if is_out => (
                StatusCode::CONFLICT,
                "This form was used before, and what it lent has ended.",
                "Nothing new was lent. Open the page anew to check out once more.",
            ),
            _ => return None,
        };
        Some(Words::new(status, reason, advice))
    }

    fn of_holder(&self, code: &str) -> Option<Words> {
        let own = self.is_own();
        let (status, reason, advice) = match code {
            "lease.not_entitled" if own => (
                StatusCode::FORBIDDEN,
                "Nothing that you hold admits to this role.",
                "What you hold comes with your sign-in: whoever gives out roles there can give you one that admits.",
            ),
            "lease.not_entitled" => (
                StatusCode::FORBIDDEN,
                "Its holder holds nothing any longer that admits to this role, or the role gives less by now.",
                "It ends at its time. What is needed longer is checked out anew.",
            ),
            "lease.holder_inactive" | "lease.unknown_holder" if own => {
                (StatusCode::FORBIDDEN, "Your account is not in use.", "Ask an administrator.")
            }
            "lease.holder_inactive" | "lease.unknown_holder" => (
                StatusCode::FORBIDDEN,
                "The account of its holder is not in use.",
                "What is lent to them ends in the background.",
            ),
            "lease.unnamed" => (
                StatusCode::FORBIDDEN,
                "Nobody who is believed says which account at the target is yours.",
                "An attribute of your account has to name it: ask an administrator.",
            ),
            "lease.unknown_account" => (
                StatusCode::CONFLICT,
                "The target has no account of the name that is written down for you.",
                "It may have been removed or renamed there: ask an administrator of the target.",
            ),
            "lease.account_is_lent" => (
                StatusCode::CONFLICT,
                "The account at the target was itself made for a time, and can hold nothing more.",
                "Ask an administrator of the target.",
            ),
            "lease.too_many" => (
                StatusCode::CONFLICT,
                "You have as many leases at once as you may have.",
                "Check one in first.",
            ),
            _ => return None,
        };
        Some(Words::new(status, reason, advice))
    }

    fn of_time(&self, code: &str) -> Option<Words> {
        let end = self.until.map(instant).unwrap_or_default();
        let longest = self.longest.map(span).unwrap_or_default();
        let conflict = |reason, advice| Some(Words::new(StatusCode::CONFLICT, reason, advice));
        match code {
            "lease.too_long" if self.deed == Deed::CheckOut => Some(Words::new(
                StatusCode::BAD_REQUEST,
                match self.longest {
                    Some(_) => format!("This role is lent for {longest} at most."),
                    None => "This role is not lent for so long.".to_owned(),
                },
                "Ask for less. If you still need it when it is over, check out anew.",
            )),
            "lease.too_long" => conflict(
                format!(
                    "It already ends at {end}, at the latest that it can: a role has a longest time, and nothing outlives \
                     its holder's account."
                ),
                "When it is over, it can be checked out anew.",
            ),
            "lease.not_longer" => conflict(
                format!("It already ends at {end}, and you asked for no later end."),
                "Nothing was changed. Ask for a later end, or check it in when it is not needed any longer.",
            ),
            "clock.ahead" => Some(Words::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The clock of this machine is ahead of the time that it can be. Nothing is lent or extended until it is \
                 right, or an administrator confirmed it.",
                "What is lent ends at its time. Try again later, and tell an administrator if that takes long.",
            )),
            _ => None,
        }
    }

    fn of_lease(&self, code: &str) -> Option<Words> {
        let (reason, advice) = match code {
            "lease.over" => {
                ("The lease has ended, or is about to.", "What is needed longer is checked out anew.")
            }
            "lease.interrupted" => (
                "It began to end before it was made, and nothing was handed out.",
                "An administrator may have ended it, or it took too long. Check out anew if you still need it.",
            ),
            "lease.in_progress" => (
                "The same was asked a moment ago, or something that stands in its way, and the answer is not there yet.",
                "Look again in two minutes.",
            ),
            "lease.name_taken" => (
                "Every name that was tried is somebody else's at the target.",
                "Nothing was lent. Try again; if it happens once more, show the code to an administrator.",
            ),
            "lease.shut_by_others" => (
                "Somebody put the account out of use at the target. It is not opened again from here.",
                "Ask whoever looks after the target why they did so.",
            ),
            "lease.quarantined" if self.is_own() => (
                "What is at the target is not what was made for you.",
                "Nothing is done to it until an administrator has looked: show them the code.",
            ),
            "lease.quarantined" => (
                "What is at the target is still not what was made: it does not bear the mark of this lease.",
                "Look at it there. Once it is removed, or has its mark back, the lease ends, here or within an hour.",
            ),
            _ => return None,
        };
        Some(Words::new(StatusCode::CONFLICT, reason, advice))
    }

    fn of_target(&self, code: &str) -> Option<Words> {
        match code {
            "target.markers_unknown" if self.is_own() => Some(Words::new(
                StatusCode::CONFLICT,
                "The target does not show whether what is there was made by this portal.",
                "Nothing is changed until an administrator has looked: show them the code.",
            )),
            "target.markers_unknown" => Some(Words::new(
                StatusCode::CONFLICT,
                "Many accounts at the target do not bear the marks of their leases.",
                "Look whether `marker` was changed without `former_markers`, or cannot be read any longer. What waits ends \
                 once the marks are found.",
            )),
            "lease.unknown_target" => Some(Words::new(
                StatusCode::CONFLICT,
                "The target is not set up here any longer, or not for this tenant.",
                "What is lent there is not extended. An administrator has to say what becomes of it.",
            )),
            "target.protocol" => Some(self.at_target(code)),
            _ => None,
        }
    }

    /// What passes by itself.
    fn not_now(&self, code: &Code) -> Words {
        let reason = match code.as_str() {
            "target.limit" | "target.quarantined" => {
                "The target cannot take this now: it is asked for too much."
            }
            _ => "The target does not answer.",
        };
        let advice = match self.deed {
            Deed::CheckOut => {
                "Nothing was handed out, and what was begun there is ended in the background. Try again in a moment."
            }
            Deed::Extend | Deed::ExtendOfOthers => {
                "When it ends stands on the page. Try again in a moment; if its answer was lost, in two minutes."
            }
            Deed::CheckIn | Deed::EndOfOthers => "Try again in a moment.",
        };
        Words::new(StatusCode::SERVICE_UNAVAILABLE, reason, advice)
    }

    /// What only somebody can mend who looks after the target, or after how it is set up here.
    fn at_target(&self, code: &str) -> Words {
        let reason = match code {
            "target.credentials" => {
                "The target does not accept the account by which this portal works there."
            }
            "target.untrusted" => "The target could not prove who it is.",
            "target.forbidden" => {
                "The account by which this portal works at the target may not do this there."
            }
            "target.read_only" => "No server of the target that answers takes changes.",
            "target.place" => {
                "The place for accounts at the target does not exist, or is not an allowed one."
            }
            "target.name" => "The name cannot be used at the target.",
            "target.secret" => "The secret that was made does not meet the rules of the target.",
            "target.entitlement" => "What the role gives does not exist at the target, or must not be given.",
            _ => "The target answered what nobody can make sense of.",
        };
        let advice = match self.deed {
            Deed::CheckOut => format!("Nothing was handed out. {MEND}"),
            // What was handed out before may work still.
            _ => MEND.to_owned(),
        };
        Words { advice: advice.into(), ..Words::broken(reason) }
    }
}
