//! What is told of a request that could not be read: it never came to what it asked for.

use axum::http::StatusCode;
use jit_core::Code;

use super::Failure;
use super::not_done::{NotDone, OPEN_ANEW};
use crate::web::ParameterError;

impl Failure {
    /// The query or the form of a request cannot be read.
    pub(in crate::portal) fn unread(error: ParameterError) -> Self {
        match error {
            ParameterError::NotAForm => Self::refused_unread(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ParameterError::TooLarge => Self::refused_unread(StatusCode::PAYLOAD_TOO_LARGE),
            ParameterError::Incomplete => Self::refused_unread(StatusCode::REQUEST_TIMEOUT),
            ParameterError::TooMany => malformed("It holds more than any form or address of this portal."),
            ParameterError::Repeated => {
                malformed("It says the same thing twice, and it is not clear which one counts.")
            }
            ParameterError::NotText => malformed("It is not text."),
        }
    }

    /// A request that was refused with this status before anything of the portal saw it.
    pub(in crate::portal) fn refused_unread(status: StatusCode) -> Self {
        let (code, reason) = match status {
            StatusCode::METHOD_NOT_ALLOWED => ("portal.method", "This address is not asked in this way."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "portal.media_type",
                "What was sent is not a form: this portal takes forms of its own pages only.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("portal.too_large", "It is larger than anything that is taken here.")
            }
            StatusCode::REQUEST_TIMEOUT => ("portal.incomplete", "Not all of it came, or not in time."),
            // The address cannot be read.
            _ => return Self::NotFound,
        };
        not_read(status, code, reason)
    }
}

fn malformed(reason: &'static str) -> Failure {
    not_read(StatusCode::BAD_REQUEST, "portal.form", reason)
}

fn not_read(status: StatusCode, code: &'static str, reason: &'static str) -> Failure {
    Failure::NotDone(Box::new(NotDone {
        status,
        title: "Not understood",
        asked: "What your browser sent could not be read, and nothing was done.".to_owned(),
        code: Code::new(code),
        reason: reason.into(),
        advice: OPEN_ANEW.into(),
        is_about_holdings: false,
    }))
}
