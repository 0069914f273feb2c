use maud::{DOCTYPE, Markup, html};

use super::Realm;
use crate::web::{ICON, STYLE_PATH};

/// Asks who is there. Nobody has a password: the people are made up.
pub(crate) fn sign_in(realm: &Realm, client: &str, request: &str) -> Markup {
    page(
        realm,
        "Sign in",
        &html! {
            p.lead { "Who would you like to be? " b { (client) } " wants to know who you are." }
            form method="post" action="/sign-in" {
                input type="hidden" name="request" value=(request);
                ul.people {
                    @for person in realm.people {
                        li {
                            button.person type="submit" name="person" value=(person.id) {
                                span.avatar aria-hidden="true" { (initials(person.given_name, person.family_name)) }
                                span.who {
                                    strong { (person.name()) }
                                    span.muted { (person.email) @if !person.email_verified { " (not verified)" } }
                                    span { (person.about) }
                                }
                            }
                        }
                    }
                }
                p { button.quiet type="submit" name="cancel" value="yes" { "Cancel, I am none of them" } }
            }
        },
    )
}

/// Carries the answer in a form
/// ([OAuth 2.0 Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html)).
/// A person presses the button: the strict content policy allows no inline script to do it.
pub(crate) fn form_post(realm: &Realm, action: &str, parameters: &[(&str, &str)]) -> Markup {
    page(
        realm,
        "Signed in",
        &html! {
            p.lead { "You are signed in. Continue to the application." }
            form method="post" action=(action) {
                @for (name, value) in parameters {
                    input type="hidden" name=(name) value=(value);
                }
                p { button.primary type="submit" { "Continue" } }
            }
        },
    )
}

pub(crate) fn problem(realm: &Realm, what: &str) -> Markup {
    page(realm, "This did not work", &html! { p.lead role="alert" { (what) } })
}

pub(crate) fn page(realm: &Realm, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (realm.name) " demo identity provider" }
                link rel="stylesheet" href=(STYLE_PATH);
                link rel="icon" href=(ICON);
            }
            body.provider {
                header.bar { span.brand { (realm.name) " " span.muted { "demo identity provider" } } }
                main.narrow {
                    h1 { (title) }
                    (content)
                }
                footer { "Everybody here is made up, and nobody has a password. Loopback only." }
            }
        }
    }
}

fn initials(given: &str, family: &str) -> String {
    given.chars().take(1).chain(family.chars().take(1)).collect()
}
