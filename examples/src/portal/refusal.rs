//! What a person is told who was not let in by a name and a password.

use axum::http::StatusCode;
use chrono::TimeDelta;
use jit_core::{Code, ErrorClass, VerifyError};
use jit_ldap::Reason;

use super::failure::{Failure, tell};

/// After how many seconds a directory that does not answer may be asked again.
const MOMENT: i64 = 5;

/// Says why the form is shown once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: Code,
    pub(super) reason: String,
    /// After how many seconds it is worth another try, where that is known.
    pub(super) retry_after: Option<i64>,
    /// Whether other words in the form may help.
    pub(super) is_about_the_answer: bool,
}

impl Refusal {
    /// Reads what went wrong and tells the operator. The causes of a refusal are for the log alone: they say who exists.
    ///
    /// # Errors
    /// [`Failure`] where the form is of no help: something here is down, or has to be mended.
    pub(super) fn of(error: &VerifyError, shut_for: TimeDelta) -> Result<Self, Failure> {
        tell(error);
        let code = error.code().clone();
        let named = |reasons: &[Reason]| reasons.iter().any(|reason| reason.code() == code.as_str());
        if named(&[Reason::SignInThrottled]) {
            return Ok(Self::throttled(code, shut_for));
        }
        if named(&[Reason::PasswordMustChange]) {
            let reason = "The password is right, but it has to be changed first. Change it where you usually do, and sign in \
                          here again.";
            return Ok(Self::not_right(code, reason));
        }
        let nobody = [
            Reason::SignInRefused,
            Reason::UserNameMalformed,
            Reason::PasswordEmpty,
            Reason::PasswordMalformed,
        ];
        if named(&nobody) {
            return Ok(Self::not_right(code, "The user name or the password is not right."));
        }
        match error.class() {
            ErrorClass::Transient if code.as_str().starts_with("store.") => Err(Failure::DatabaseDown),
            ErrorClass::Transient => Ok(Self::down(code)),
            ErrorClass::Permanent => Err(Failure::Broken(code)),
            ErrorClass::Rejected | ErrorClass::Denied => {
                let reason = "The directory cannot tell who you are.".to_owned();
                Err(Failure::Refused { code, reason, anew: None })
            }
        }
    }

    fn not_right(code: Code, reason: &str) -> Self {
        let (status, reason) = (StatusCode::FORBIDDEN, reason.to_owned());
        Self { status, code, reason, retry_after: None, is_about_the_answer: true }
    }

    fn throttled(code: Code, shut_for: TimeDelta) -> Self {
        let seconds = shut_for.num_seconds();
        let minutes = (seconds + 59) / 60;
        let reason = format!(
            "Too many sign-ins with this name failed. The directory is not asked for now, so that it does not lock the account. \
             It is asked again in {minutes} minutes at most."
        );
        let (status, retry_after) = (StatusCode::TOO_MANY_REQUESTS, Some(seconds));
        Self { status, code, reason, retry_after, is_about_the_answer: false }
    }

    fn down(code: Code) -> Self {
        let (status, retry_after) = (StatusCode::SERVICE_UNAVAILABLE, Some(MOMENT));
        let reason = "The directory does not answer. Try again in a moment.".to_owned();
        Self { status, code, reason, retry_after, is_about_the_answer: false }
    }
}

#[cfg(test)]
mod tests {
    use jit_core::{BackendError, ErrorKind};
    use jit_ldap::LdapError;

    use super::*;

    fn refusal(reason: Reason) -> Result<Refusal, Failure> {
        Refusal::of(&VerifyError::from(LdapError::from(reason)), TimeDelta::seconds(1861))
    }

    #[test]
    fn what_people_can_mend_shows_the_form_again() {
        let refused = refusal(Reason::SignInRefused).unwrap();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (403, None));
        let throttled = refusal(Reason::SignInThrottled).unwrap();
        assert_eq!((throttled.status.as_u16(), throttled.retry_after), (429, Some(1861)));
        assert!(throttled.reason.contains("32 minutes"), "{}", throttled.reason);
        let down = refusal(Reason::Timeout).unwrap();
        assert_eq!((down.status.as_u16(), down.retry_after, down.is_about_the_answer), (503, Some(5), false));
        assert!(refusal(Reason::PasswordMustChange).unwrap().reason.contains("changed first"));
    }

    #[test]
    fn what_they_cannot_mend_shows_a_page_of_its_own() {
        for reason in [Reason::ServiceRefused, Reason::CircuitOpen, Reason::TlsCertificate] {
            assert_eq!(refusal(reason), Err(Failure::Broken(Code::new(reason.code()))));
        }
        let refused = refusal(Reason::SizeLimit).unwrap_err();
        assert!(matches!(refused, Failure::Refused { code, .. } if code.as_str() == "ldap.size_limit"));
        let store = BackendError::new(ErrorKind::Unavailable, "test");
        let error = VerifyError::transient(store.code(), store);
        assert_eq!(Refusal::of(&error, TimeDelta::zero()), Err(Failure::DatabaseDown));
    }
}
