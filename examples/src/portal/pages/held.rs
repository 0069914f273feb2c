use maud::{Markup, html};

use super::decision::decision;
use super::home::cards;
use super::layout::{csrf, page, prose};
use crate::portal::view::{Frame, QuestionView, WaitingView};

/// The titles of the pages that ask something.
pub(super) const QUESTIONS: [&str; 4] = [CONSENT, USER_NAME, PASSWORD, LINK_PROOF];
const CONSENT: &str = "Consent";
const USER_NAME: &str = "Choose a user name";
const PASSWORD: &str = "Choose a password";
const LINK_PROOF: &str = "Prove that the account is yours";

/// Tells that an administrator has to approve first.
#[must_use]
pub fn waiting(frame: &Frame, view: &WaitingView) -> Markup {
    let content = html! {
        div.notice.caution role="status" {
            h1 { "Waiting for approval" }
            p { (view.name) ", your request is with an administrator. Sign in again once they have answered." }
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
        p.lead { "Before an account comes into being, you have to agree to " code { (view.terms) } "." }
        (trouble(view))
        form.panel method="post" action="/hold/consent" {
            (csrf(&view.csrf))
            input type="hidden" name="terms" value=(view.terms);
            div.actions {
                button.primary type="submit" name="answer" value="agree" { "I agree" }
                button.quiet type="submit" name="answer" value="refuse" { "No, thank you" }
            }
        }
        (decision(&view.decision))
    };
    page(frame, CONSENT, &content)
}

/// Asks for a user name.
#[must_use]
pub fn choose_user_name(frame: &Frame, view: &QuestionView) -> Markup {
    let content = html! {
        h1 { "Choose a user name, " (view.name) }
        p.lead { "You will be known by this name. It is given once, and nobody else can have it." }
        form.panel method="post" action="/hold/user-name" {
            (csrf(&view.csrf))
            label for="user_name" { "User name" }
            input type="text" id="user_name" name="user_name" value=(view.suggestion) required maxlength="64"
                autocomplete="username" autocapitalize="none" spellcheck="false" autofocus
                aria-describedby=[describedby(view)] aria-invalid=[invalid(view)];
            (trouble(view))
            div.actions { button.primary type="submit" { "Take this name" } }
        }
        (decision(&view.decision))
    };
    page(frame, USER_NAME, &content)
}

/// Asks for a local password, which the portal does not keep.
#[must_use]
pub fn choose_password(frame: &Frame, view: &QuestionView) -> Markup {
    let content = html! {
        h1 { "Choose a password, " (view.name) }
        p.lead {
            "An application with local passwords would keep its hash beside the account. This portal has none: it "
            "checks the length and forgets what you typed."
        }
        form.panel method="post" action="/hold/password" {
            (csrf(&view.csrf))
            label for="password" { "Password, 12 characters or more" }
            input type="password" id="password" name="password" required autocomplete="new-password" autofocus
                aria-describedby=[describedby(view)] aria-invalid=[invalid(view)];
            (trouble(view))
            div.actions { button.primary type="submit" { "Go on" } }
        }
        (decision(&view.decision))
    };
    page(frame, PASSWORD, &content)
}

/// Asks for a proof that the account that was found is the visitor's.
#[must_use]
pub fn prove_link(frame: &Frame, view: &QuestionView) -> Markup {
    let content = html! {
        h1 { "Is this account yours, " (view.name) "?" }
        p.lead {
            "There is an account already that carries what you came with. An address alone proves nothing: sign in the "
            "way you did before, and both ways will open the same account."
        }
        (trouble(view))
        (cards(&view.ways, "?prove=link"))
        (decision(&view.decision))
    };
    page(frame, LINK_PROOF, &content)
}

fn describedby(view: &QuestionView) -> Option<&'static str> {
    view.problem.as_ref().map(|_| "trouble")
}

fn invalid(view: &QuestionView) -> Option<&'static str> {
    view.problem.as_ref().map(|_| "true")
}

fn trouble(view: &QuestionView) -> Markup {
    html! {
        @if let Some(problem) = &view.problem { p.trouble id="trouble" role="alert" { (prose(problem)) } }
    }
}
