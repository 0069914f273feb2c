//! What is told to an administrator whose act on an account was not done.

use axum::http::StatusCode;
use jit_core::{AdminAct, Code};

use super::Failure;
use super::not_done::{NotDone, OPEN_ANEW, Words};

impl Failure {
    /// The form of an act cannot be read.
    pub(in crate::portal) fn unreadable_act() -> Self {
        not_done(Code::new("portal.form"), String::new())
    }

    /// An act on somebody's account was denied.
    pub(in crate::portal) fn denied_act(code: Code, act: &AdminAct, whom: &str) -> Self {
        not_done(code, asked(act, whom))
    }
}

fn not_done(code: Code, asked: String) -> Failure {
    let Words { status, reason, advice } = words(code.as_str());
    let title = "Not done";
    Failure::NotDone(Box::new(NotDone {
        status,
        title,
        asked,
        code,
        reason,
        advice,
        is_about_holdings: false,
    }))
}

fn asked(act: &AdminAct, whom: &str) -> String {
    match act {
        AdminAct::Approve => format!("You asked to let {whom} in."),
        AdminAct::Refuse => format!("You asked to refuse {whom}."),
        AdminAct::Suspend => format!("You asked to suspend {whom}."),
        AdminAct::Reactivate => format!("You asked to reactivate {whom}."),
        AdminAct::ConfirmLeave(_) => format!("You asked to let {whom} leave."),
        AdminAct::DismissLeave(_) => format!("You asked to let {whom} stay."),
        AdminAct::Release => format!("You asked to release what is left of {whom}."),
        _ => String::new(),
    }
}

fn words(code: &str) -> Words {
    let (status, reason, advice) = match code {
        "portal.form" => {
            (StatusCode::BAD_REQUEST, "The form lacks something, or holds what cannot be read.", OPEN_ANEW)
        }
        "record.leave_changed" => (
            StatusCode::CONFLICT,
            "This leave does not wait any longer as the page showed it.",
            "It was taken back, decided, or is another one by now. Nothing was done: look at the page anew.",
        ),
        "account.unknown" => {
            (StatusCode::NOT_FOUND, "There is no such account.", "Look for it by its user name or id.")
        }
        "account.ended" => (
            StatusCode::CONFLICT,
            "The account has ended for good.",
            "Nothing brings it back. Its owner can come anew once what is left of it is released.",
        ),
        "account.is_leased" => (
            StatusCode::CONFLICT,
            "This account stands for something that is lent at a target.",
            "End it on the page of leases.",
        ),
        "access.last_holder" => (
            StatusCode::CONFLICT,
            "They hold a role that nobody else would hold then, and that must never be without a holder.",
            "See to it first that somebody else holds it.",
        ),
        "account.no_seat" => (
            StatusCode::CONFLICT,
            "Every seat of the tenant is taken.",
            "Let somebody go first, or have more seats.",
        ),
        "link.email_taken" => (
            StatusCode::CONFLICT,
            "Another account carries the address of this one.",
            "Look at both, and decide which of them stays.",
        ),
        _ => (
            StatusCode::CONFLICT,
            "The account is not in a state in which this can be done.",
            "Somebody may have decided before you did. Nothing was done: look at the page anew.",
        ),
    };
    Words::new(status, reason, advice)
}
