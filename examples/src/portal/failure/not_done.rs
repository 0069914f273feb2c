use std::borrow::Cow;

use axum::http::StatusCode;
use jit_core::Code;

/// Tells somebody who is signed in what they asked for, why it was not done, and what they can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::portal) struct NotDone {
    pub(in crate::portal) status: StatusCode,
    pub(in crate::portal) title: &'static str,
    /// What was asked for; empty where the form does not say it.
    pub(in crate::portal) asked: String,
    pub(in crate::portal) code: Code,
    pub(in crate::portal) reason: Cow<'static, str>,
    pub(in crate::portal) advice: Cow<'static, str>,
    /// Whether what they hold, and why they do, says more.
    pub(in crate::portal) is_about_holdings: bool,
}

/// Why something was not done, and what can be done now.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub(super) status: StatusCode,
    pub(super) reason: Cow<'static, str>,
    pub(super) advice: Cow<'static, str>,
}

impl Words {
    pub(super) fn new(
        status: StatusCode,
        reason: impl Into<Cow<'static, str>>,
        advice: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, reason: reason.into(), advice: advice.into() }
    }

    /// What only an administrator can mend.
    pub(super) fn broken(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, reason, MEND)
    }
}

pub(super) const MEND: &str = "An administrator has to mend this: show them the code.";
pub(super) const OPEN_ANEW: &str = "Open the page anew, and use the form that it has then.";
