//! Why a request has no better answer than a page about it.

mod administering;
mod lease;
mod not_done;
mod unread;

use std::error::Error;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jit_core::{BackendError, Code, ErrorClass, ErrorKind, JitError, VerifyError};
use jit_oidc::LoginError;
use jit_oidc::rejection::Rejection;
use jit_saml::logout::{LogoutError, LogoutRejection};

pub(super) use self::lease::{Asked, Deed};
pub(super) use self::not_done::NotDone;
use crate::say::{causes, complain_of};
use crate::web::RandomError;

/// Says why a request has no better answer than a page about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// A sign-in broke a rule; the code says which.
    Refused { code: Code, reason: String, anew: Option<String> },
    /// Something that somebody asked for who is signed in, or wants to leave, was not done.
    NotDone(Box<NotDone>),
    /// Others kept changing the same.
    Contended,
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

    /// The title and the text of its page, where these are all that it says.
    pub(super) fn words(&self) -> (&'static str, String) {
        let (title, text) = match self {
            Self::Refused { .. } | Self::NotDone(_) => ("Refused", ""),
            Self::Contended => {
                not_now("Others were changing the same. Nothing was changed by you: try again in a moment.")
            }
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
                return ("This does not work", format!("An administrator has to mend something: `{code}`."));
            }
            Self::Forged => (
                "Not accepted",
                "The form was not made for this session, or the session that it was made for is over. Nothing was done: open its \
                 page anew and try again.",
            ),
            Self::Forbidden => ("Not for you", "Only administrators see this page."),
            Self::NotFound => ("Not found", "There is no such page."),
        };
        (title, text.to_owned())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Refused { .. } | Self::Forged | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotDone(not_done) => not_done.status,
            Self::Contended
            | Self::DatabaseDown
            | Self::TargetDown
            | Self::ProviderDown
            | Self::MetadataDown
            | Self::MetadataExpired => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    /// What a provider sent about a sign-out was refused: that is nothing about an account, or a sign-in.
    fn of_logout(class: ErrorClass, code: Code, error: &(dyn Error + 'static)) -> Self {
        match Self::of_login(class, code, error) {
            Self::Refused { code, reason, .. } => Self::NotDone(Box::new(NotDone {
                status: StatusCode::FORBIDDEN,
                title: "Not signed out",
                asked: String::new(),
                code,
                reason: reason.into(),
                advice: "What came about a sign-out is not believed, and nobody was signed out by it. If it happens again, show \
                         the code to an administrator."
                    .into(),
                is_about_holdings: false,
            })),
            other => other,
        }
    }
}

fn not_now(text: &'static str) -> (&'static str, &'static str) {
    ("Not available right now", text)
}

/// Leaves the page to the layer around all routes, which knows who asks.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = status.into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response.extensions_mut().insert(self);
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
        Self::of_logout(error.class(), error.code(), &error)
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
            "engine.contended" => return Self::Contended,
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
