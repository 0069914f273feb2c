use maud::{Markup, html};

use super::decision::decision;
use super::layout::{page, prose};
use crate::portal::view::{BackLink, Frame, NotDoneView, RefusalView};

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

/// Tells somebody that what they asked for was not done, why, and what they can do now.
#[must_use]
pub fn not_done(frame: &Frame, view: &NotDoneView) -> Markup {
    let content = html! {
        div.notice.bad role="alert" {
            h1 { (view.title) }
            @if !view.asked.is_empty() { p { (prose(&view.asked)) } }
            p { strong { (prose(&view.reason)) } }
            p.muted { "Code " code { (view.code) } }
        }
        p { (prose(&view.advice)) }
        @if view.is_about_holdings { p { a href="/me" { "What you hold, and why" } } }
        (back(&view.back))
    };
    page(frame, &view.title, &content)
}

/// Tells of anything else that went wrong, without a decision.
#[must_use]
pub fn problem(frame: &Frame, title: &str, reason: &str, way: &BackLink) -> Markup {
    let content = html! {
        div.notice.caution role="alert" { h1 { (title) } p { (prose(reason)) } }
        (back(way))
    };
    page(frame, title, &content)
}

fn back(way: &BackLink) -> Markup {
    html! { p { a.button href=(way.address) { (way.label) } } }
}
