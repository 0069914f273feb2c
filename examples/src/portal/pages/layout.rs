use maud::{DOCTYPE, Markup, html};

use super::held::QUESTIONS;
use crate::portal::view::{Badge, Fact, Frame, GuestView, Tone, Visitor};
use crate::web::{ICON, STYLE_PATH};

/// The title of the page where everybody begins.
pub(super) const START: &str = "Sign in";

pub(super) fn page(frame: &Frame, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Portal" }
                link rel="stylesheet" href=(STYLE_PATH);
                link rel="icon" href=(ICON);
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header.bar {
                    a.brand href="/" { "Portal" }
                    @if let Some(visitor) = &frame.visitor { (navigation(visitor, frame.lends, title)) }
                    @else if let Some(guest) = &frame.guest { (guest_navigation(guest, title)) }
                }
                main id="content" { (content) }
                footer {
                    "Accounts come into being when they are needed."
                    @if frame.demo { " This is the demo: everybody is made up." }
                }
            }
        }
    }
}

/// Leads to the pages of the visitor; the one that is open, whose title it is, says so.
fn navigation(visitor: &Visitor, lends: bool, open: &str) -> Markup {
    let is_admin = visitor.is_admin;
    let places = [
        ("/me", "My account", true),
        ("/access", "Access", lends),
        ("/audit", "Audit trail", true),
        ("/admin", "Administration", is_admin),
        ("/leases", "Leases", is_admin && lends),
    ];
    html! {
        nav aria-label="Main" {
            @for (address, label, _) in places.into_iter().filter(|(_, _, is_theirs)| *is_theirs) {
                a href=(address) aria-current=[(label == open).then_some("page")] { (label) }
            }
        }
        form.visitor method="post" action="/logout" {
            span.muted { (visitor.name) }
            (csrf(&visitor.csrf))
            button.quiet type="submit" { "Sign out" }
        }
    }
}

/// Leads back to the question that a sign-in waits for, and out of it.
fn guest_navigation(guest: &GuestView, open: &str) -> Markup {
    let (is_question, is_start) = (QUESTIONS.contains(&open), open == START);
    let who = html! { span.muted { (guest.name) } span.badge.caution { "not signed in yet" } };
    html! {
        nav aria-label="Main" {
            @if guest.csrf.is_some() { a href="/hold" aria-current=[is_question.then_some("page")] { "Your sign-in" } }
            a href="/" aria-current=[is_start.then_some("page")] { "All ways to sign in" }
        }
        @match &guest.csrf {
            Some(token) => form.visitor method="post" action="/hold/leave" {
                (who)
                (csrf(token))
                button.quiet type="submit" { "Cancel sign-in" }
            },
            None => div.visitor { (who) },
        }
    }
}

pub(super) fn csrf(token: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(token); }
}

pub(super) fn badge(badge: &Badge) -> Markup {
    html! { span class={ "badge " (tone(badge.tone)) } { (badge.text) } }
}

pub(super) fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Caution => "caution",
        Tone::Bad => "bad",
        Tone::Plain => "plain",
    }
}

pub(super) fn facts(facts: &[Fact]) -> Markup {
    html! {
        @if !facts.is_empty() {
            dl.facts {
                @for fact in facts { div { dt { (fact.name) } dd { (prose(&fact.value)) } } }
            }
        }
    }
}

/// Sets what stands between back-ticks as code: messages of the core name things that way.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Lays out a table that can be scrolled sideways by keyboard on a narrow screen.
pub(super) fn table(label: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table {
                thead { tr { @for column in columns { (heading(column)) } } }
                tbody { (rows) }
            }
        }
    }
}

/// A column of buttons has no name that anybody would have to see.
fn heading(column: &str) -> Markup {
    html! { th scope="col" { @if column.is_empty() { span.hidden { "Acts" } } @else { (column) } } }
}
