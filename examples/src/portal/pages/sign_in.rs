use maud::{Markup, html};

use super::layout::{csrf, page, prose};
use crate::portal::view::{Frame, SignInView};

/// Asks for the user name and the password that a directory knows somebody by.
#[must_use]
pub fn sign_in(frame: &Frame, view: &SignInView) -> Markup {
    let knows_name = !view.user_name.is_empty();
    let elsewhere = if view.prove.is_some() { "/hold" } else { "/" };
    let content = html! {
        h1 { "Sign in with " (view.label) }
        p.lead {
            @if view.prove.is_some() { "Sign in to prove that the account is yours. " }
            "Use the name and the password that you have there. The password is handed on to prove who you are, and is not kept."
        }
        form.panel method="post" action=(view.action) {
            (csrf(&view.csrf))
            @if let Some(hold) = &view.prove { input type="hidden" name="prove" value=(hold); }
            p.field {
                label for="user_name" { "User name" }
                input type="text" id="user_name" name="user_name" value=(view.user_name) required maxlength="256"
                    autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false"
                    autofocus[!knows_name] aria-describedby=[describedby(view)] aria-invalid=[invalid(view)];
            }
            p.field {
                label for="password" { "Password" }
                input type="password" id="password" name="password" required maxlength="1024"
                    autocomplete="current-password" autofocus[knows_name]
                    aria-describedby=[describedby(view)] aria-invalid=[invalid(view)];
            }
            (trouble(view))
            div.actions { button.primary type="submit" { "Sign in" } }
        }
        p { a href=(elsewhere) { "Sign in another way" } }
    };
    page(frame, "Sign in", &content)
}

fn describedby(view: &SignInView) -> Option<&'static str> {
    view.trouble.as_ref().map(|_| "trouble")
}

fn invalid(view: &SignInView) -> Option<&'static str> {
    view.trouble.as_ref().filter(|trouble| trouble.is_about_the_answer).map(|_| "true")
}

fn trouble(view: &SignInView) -> Markup {
    html! {
        @if let Some(trouble) = &view.trouble {
            div id="trouble" role="alert" {
                p.trouble { (prose(&trouble.reason)) }
                p.muted { "Code " code { (trouble.code) } }
            }
        }
    }
}
