use maud::{Markup, html};

use super::decision::decision;
use super::layout::{csrf, page, prose};
use crate::portal::view::{Frame, QuestionView, WaitingView};

/// Tells that an administrator has to approve first.
#[must_use]
pub fn waiting(frame: &Frame, view: &WaitingView) -> Markup {
    let content = html! {
        div.notice.caution role="status" {
            h1 { "Waiting for approval" }
            p { (view.name) ", your request is with an administrator. Sign in again once they have answered." }
            @if !view.reason.is_empty() { p { (prose(&view.reason)) } }
            p.muted { "The request lapses " (view.until) "." }
        }
        (decision(&view.decision))
        p { a.button href="/" { "Back to sign-in" } }
    };
    page(frame, "Waiting for approval", &content)
}

/// Asks for consent.
#[must_use]
pub fn consent(frame: &Frame, view: &QuestionView) -> Markup {
    let content = html! {
        h1 { "One question, " (view.name) }
        p.lead { (prose(&view.prompt)) }
        (trouble(view))
        form.panel method="post" action="/hold/consent" {
            (hidden(view))
            div.actions {
                button.primary type="submit" name="answer" value="agree" { "I agree, make my account" }
                button.quiet type="submit" name="answer" value="refuse" { "No, thank you" }
            }
        }
        (decision(&view.decision))
    };
    page(frame, "Consent", &content)
}

/// Asks for a user name.
#[must_use]
pub fn choose_user_name(frame: &Frame, view: &QuestionView) -> Markup {
    let content = html! {
        h1 { "Choose a user name, " (view.name) }
        p.lead { (prose(&view.prompt)) }
        form.panel method="post" action="/hold/user-name" {
            (hidden(view))
            label for="user_name" { "User name" }
            input type="text" id="user_name" name="user_name" value=(view.suggestion) required maxlength="64"
                autocomplete="username" autocapitalize="none" spellcheck="false" autofocus
                aria-describedby=[view.problem.as_ref().map(|_| "trouble")]
                aria-invalid=[view.problem.as_ref().map(|_| "true")];
            (trouble(view))
            div.actions { button.primary type="submit" { "Make my account" } }
        }
        (decision(&view.decision))
    };
    page(frame, "Choose a user name", &content)
}

fn hidden(view: &QuestionView) -> Markup {
    html! {
        (csrf(&view.csrf))
        input type="hidden" name="hold" value=(view.hold);
    }
}

fn trouble(view: &QuestionView) -> Markup {
    html! {
        @if let Some(problem) = &view.problem { p.trouble id="trouble" role="alert" { (prose(problem)) } }
    }
}
