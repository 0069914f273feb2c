use maud::{Markup, html};

use super::decision::decision;
use super::layout::{page, prose};
use crate::portal::view::{Frame, RefusalView};

/// Tells that a sign-in was refused, with its code, its reason and the rules.
#[must_use]
pub fn refused(frame: &Frame, view: &RefusalView) -> Markup {
    let content = html! {
        div.notice.bad role="alert" {
            h1 { "No account came of this" }
            p { (prose(&view.reason)) }
            p.muted { "Code " code { (view.code) } }
        }
        @if !view.advice.is_empty() { p { (view.advice) } }
        @if let Some(view) = &view.decision { (decision(view)) }
        @match &view.anew {
            Some(address) => p { a.button href=(address) { "Try again" } " " a href="/" { "Back to sign-in" } },
            None => p { a.button href="/" { "Back to sign-in" } },
        }
    };
    page(frame, "Refused", &content)
}

/// Tells of anything else that went wrong, without a decision.
#[must_use]
pub fn problem(frame: &Frame, title: &str, reason: &str) -> Markup {
    let content = html! {
        div.notice.caution role="alert" { h1 { (title) } p { (prose(reason)) } }
        p { a.button href="/" { "Back to the start" } }
    };
    page(frame, title, &content)
}
