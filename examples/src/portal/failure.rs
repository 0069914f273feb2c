use std::error::Error;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jit_core::{BackendError, Code, ErrorClass, ErrorKind, JitError, VerifyError};
use jit_oidc::LoginError;
use jit_oidc::rejection::Rejection;
use jit_saml::logout::{LogoutError, LogoutRejection};

use super::pages;
use super::view::{Frame, RefusalView};
use crate::say::{causes, complain_of};
use crate::web::{RandomError, html};

const ANEW: &str = "Begin the sign-in anew. If it happens again, show the code to an administrator.";

/// Says why a request has no better answer than a page about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// A rule was broken; the code says which.
    Refused { code: Code, reason: String, anew: Option<String> },
    /// The database cannot be reached, or was busy for too long.
    DatabaseDown,
    /// A target cannot be asked; what was begun there ends by itself.
    TargetDown,
    /// The identity provider cannot be asked.
    ProviderDown,
    /// The metadata of the identity provider cannot be had.
    MetadataDown,
    /// The metadata of the identity provider has run out.
    MetadataExpired,
    /// Whoever runs the portal has to mend something.
    Broken(Code),
    /// A form without the token of its session.
    Forged,
    /// A page that this visitor may not see.
    Forbidden,
    /// A page that does not exist.
    NotFound,
}

impl Failure {
    pub(super) fn refused(code: &'static str, reason: &str) -> Self {
        Self::Refused { code: Code::new(code), reason: reason.to_owned(), anew: None }
    }

    /// Offers to begin the same sign-in anew, where that may help.
    pub(super) fn beginning_anew_at(self, address: String) -> Self {
        match self {
            Self::Refused { code, reason, .. } => Self::Refused { code, reason, anew: Some(address) },
            other => other,
        }
    }

    fn of_login(class: ErrorClass, code: Code, error: &(dyn Error + 'static)) -> Self {
        match class {
            ErrorClass::Transient if code.as_str().starts_with("store.") => Self::DatabaseDown,
            ErrorClass::Transient => match code.as_str() {
                jit_saml::LoginError::METADATA => Self::MetadataDown,
                code if code == jit_saml::Rejection::IdpExpired.code() => Self::MetadataExpired,
                _ => Self::ProviderDown,
            },
            ErrorClass::Permanent => Self::Broken(code),
            ErrorClass::Rejected | ErrorClass::Denied => {
                Self::Refused { code, reason: innermost(error), anew: None }
            }
        }
    }

    fn words(&self) -> (StatusCode, &'static str, String) {
        let (status, title, text) = match self {
            Self::Refused { .. } => (StatusCode::FORBIDDEN, "Refused", ""),
            Self::DatabaseDown => not_now(
                "The database cannot be reached. Nothing was lost and nothing was changed by halves: try again in a \
                 moment.",
            ),
            Self::TargetDown => not_now(
                "The target does not answer. What was begun there is ended in the background: try again in a moment.",
            ),
            Self::ProviderDown => not_now("The identity provider does not answer. Try again in a moment."),
            Self::MetadataDown => not_now(
                "What this portal must know of the identity provider cannot be fetched. Try again in a moment.",
            ),
            Self::MetadataExpired => not_now(
                "What this portal knows of the identity provider has run out. It goes on as soon as there is newer metadata: \
                 tell an administrator if that takes long.",
            ),
            Self::Broken(code) => {
                let text = format!("An administrator has to mend something: `{code}`.");
                return (StatusCode::INTERNAL_SERVER_ERROR, "This does not work", text);
            }
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "Not accepted",
                "The form was not made for this session, or the session is over. Go back and try again.",
            ),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Not for you", "Only administrators see this page."),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found", "There is no such page."),
        };
        (status, title, text.to_owned())
    }
}

fn not_now(text: &'static str) -> (StatusCode, &'static str, &'static str) {
    (StatusCode::SERVICE_UNAVAILABLE, "Not available right now", text)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, title, text) = self.words();
        let frame = Frame::default();
        let page = match self {
            Self::Refused { code, reason, anew } => {
                let (code, advice) = (code.to_string(), ANEW.into());
                pages::refused(&frame, &RefusalView { code, reason, advice, anew, decision: None })
            }
            _ => pages::problem(&frame, title, &text),
        };
        let mut response = html(status, page);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        tell(&error);
        match error.class() {
            ErrorClass::Transient if matches!(error.kind(), ErrorKind::Target(_)) => Self::TargetDown,
            ErrorClass::Transient => Self::DatabaseDown,
            _ => Self::Broken(error.code()),
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        tell(&error);
        Self::of_login(error.class(), error.code().clone(), &error)
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        tell(&error);
        Self::of_login(error.class(), error.code(), &error)
    }
}

impl From<jit_saml::LoginError> for Failure {
    fn from(error: jit_saml::LoginError) -> Self {
        tell(&error);
        Self::of_login(error.class(), error.code(), &error)
    }
}

impl From<jit_saml::Rejection> for Failure {
    fn from(rejection: jit_saml::Rejection) -> Self {
        Self::from(jit_saml::LoginError::from(rejection))
    }
}

impl From<LogoutError> for Failure {
    fn from(error: LogoutError) -> Self {
        tell(&error);
        Self::of_login(error.class(), error.code(), &error)
    }
}

impl From<LogoutRejection> for Failure {
    fn from(rejection: LogoutRejection) -> Self {
        Self::from(LogoutError::from(rejection))
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::from(LoginError::from(rejection))
    }
}

impl From<JitError> for Failure {
    fn from(error: JitError) -> Self {
        match error {
            JitError::Backend(error) => error.into(),
            JitError::Verify(error) => error.into(),
            JitError::Refused(code) => Self::of_refusal(code),
            other => {
                tell(&other);
                Self::Broken(other.code())
            }
        }
    }
}

impl Failure {
    fn of_refusal(code: Code) -> Self {
        let reason = match code.as_str() {
            "hold.unknown_ticket" => "This sign-in was answered already, or it waited for too long.",
            "hold.proof_refused" => "The account that you signed in with is not the one that was found.",
            "lease.not_entitled" => "Nothing that you hold admits to this role.",
            "lease.unnamed" => "Nobody who is believed says which account at the target is yours.",
            "lease.unknown_account" => "The target has no account of the name that you have there.",
            "lease.too_many" => "You have as many leases at once as you may have. Check one in first.",
            "lease.too_long" => "The role cannot be held for so long.",
            "lease.not_longer" => "It would not end later than it does.",
            "lease.shut_by_others" => {
                "Somebody put the account out of use at the target. It is not opened again."
            }
            "lease.over" | "lease.interrupted" => "The lease has ended, or is about to.",
            "lease.in_progress" => "The same request is under way. Look again in two minutes.",
            "clock.ahead" => {
                "The clock of this machine is ahead of the time that it can be. Nothing is lent until it is right, or an \
                 administrator confirmed it."
            }
            "lease.holder_inactive" => "The account is not in use.",
            "lease.name_taken" => "Every name that was tried is somebody else's at the target.",
            "lease.invalid" => "The reason is too long, or holds signs that nobody can see.",
            "lease.other_request" => "The form was used for something else already. Open the page anew.",
            "lease.quarantined" | "target.markers_unknown" => {
                "What is at the target is not what was made. An administrator has to look."
            }
            // A target of others does not exist.
            "lease.unknown_target" | "lease.unknown_role" => return Self::NotFound,
            "engine.contended" => return Self::DatabaseDown,
            _ => return Self::Broken(code),
        };
        Self::Refused { code, reason: reason.into(), anew: None }
    }
}

impl From<RandomError> for Failure {
    fn from(error: RandomError) -> Self {
        tell(&error);
        Self::Broken(Code::new("portal.no_randomness"))
    }
}

/// Tells the operator.
pub(super) fn tell(error: &(dyn Error + 'static)) {
    complain_of("portal", error);
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let last = causes(error).last().map(ToString::to_string).unwrap_or_default();
    let mut letters = last.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect::<String>() + ".")
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jit_saml::metadata::MetadataRejection;

    #[test]
    fn what_is_down_is_called_by_its_name() {
        let unavailable = || BackendError::new(ErrorKind::Unavailable, "test");
        let metadata = jit_saml::LoginError::Metadata(MetadataRejection::NotFetched.into());
        assert_eq!(Failure::from(metadata), Failure::MetadataDown);
        let metadata = LogoutError::Metadata(MetadataRejection::NotFetched.into());
        assert_eq!(Failure::from(metadata), Failure::MetadataDown);
        assert_eq!(Failure::from(jit_saml::Rejection::IdpExpired), Failure::MetadataExpired);
        assert_eq!(Failure::from(jit_saml::LoginError::Store(unavailable())), Failure::DatabaseDown);
        assert_eq!(Failure::from(unavailable()), Failure::DatabaseDown);
    }
}
