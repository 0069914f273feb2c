use maud::{Markup, html};

use super::layout::page;
use crate::portal::view::{Frame, OnwardView, SignOutView};

/// Tells that the session is over here, and shows how to end the one at the provider.
#[must_use]
pub fn signed_out(frame: &Frame, view: &SignOutView) -> Markup {
    let label = match view {
        SignOutView::Link { label, .. } | SignOutView::Form(OnwardView { label, .. }) => label,
    };
    let content = html! {
        div.notice role="status" {
            h1 { "Signed out" }
            p { "You are signed out here. " (label) " still knows you, and lets you in again without asking." }
        }
        @match view {
            SignOutView::Link { address, .. } => {
                p.actions { a.button href=(address) { "Sign out at " (label) " too" } a href="/" { "Stay there" } }
            }
            SignOutView::Form(view) => { (form(view, &format!("Sign out at {label} too"))) }
        }
    };
    page(frame, "Signed out", &content)
}

/// Takes the browser to the provider by a form. A person presses the button: the strict content policy allows no inline
/// script to do it.
#[must_use]
pub fn go_on(frame: &Frame, view: &OnwardView) -> Markup {
    let content = html! {
        h1 { "Go on to " (view.label) }
        p.lead { "You are known there. The button takes you to it." }
        (form(view, "Continue"))
    };
    page(frame, "Go on", &content)
}

fn form(view: &OnwardView, button: &str) -> Markup {
    html! {
        form method="post" action=(view.action) {
            @for (name, value) in &view.fields { input type="hidden" name=(name) value=(value); }
            p { button.primary type="submit" { (button) } }
        }
    }
}
