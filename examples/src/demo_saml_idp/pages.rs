use maud::{Markup, html};

use crate::demo_idp::{Realm, pages::page};

pub(super) use crate::demo_idp::pages::{form_post, problem, sign_in};

/// Shows whose session the browser has here, and lets it end everywhere.
pub(super) fn home(realm: &Realm, name: Option<&str>) -> Markup {
    page(
        realm,
        "Your session",
        &html! {
            @match name {
                Some(name) => {
                    p.lead { "You are signed in as " b { (name) } "." }
                    form method="post" action="/sign-out" {
                        p { button.primary type="submit" { "Sign out everywhere" } }
                    }
                }
                None => { p.lead { "You are not signed in here." } }
            }
        },
    )
}

/// Tells how signing out went.
pub(super) fn signed_out(realm: &Realm, everywhere: bool) -> Markup {
    page(
        realm,
        "Signed out",
        &html! {
            @if everywhere {
                p.lead { "You are signed out here and at the application." }
            } @else {
                p.lead role="alert" { "You are signed out here. The application could not sign you out: do it there." }
            }
        },
    )
}
