use maud::{Markup, html};

use super::layout::{badge, csrf, page};
use crate::portal::view::{AccessView, Frame, GrantedView, LeaseRow, OfferRow};

/// Where the script is served that counts down.
pub const COUNTDOWN_PATH: &str = "/countdown.js";

/// The span that is proposed.
const USUAL: &str = "30m";

/// Shows what can be checked out, and what is.
#[must_use]
pub fn access(frame: &Frame, view: &AccessView) -> Markup {
    let token = frame.visitor.as_ref().map(|visitor| visitor.csrf.as_str()).unwrap_or_default();
    let content = html! {
        h1 { "Access" }
        p.lead { "An account at a target, or more for the one you have there: for a time, and ending by itself." }
        section aria-labelledby="lent" {
            h2 id="lent" { "Lent to you" }
            @if view.leases.is_empty() && view.unreadable.is_empty() { p.empty { "Nothing is lent to you." } }
            @if !view.leases.is_empty() { ul.waiting { @for row in &view.leases { (lent(row, token)) } } }
            @for lease in &view.unreadable {
                p { "The record of lease " code { (lease) } " cannot be read. It may still be lent to you: ask an administrator." }
            }
            @if view.has_more { p.muted { "There are more than these. Check some in, and the others are shown." } }
        }
        section aria-labelledby="offers" {
            h2 id="offers" { "Check out" }
            @if view.offers.is_empty() { p.empty { "You hold nothing that admits to a role of a target." } }
            @for (number, offer) in view.offers.iter().enumerate() { (form(number, offer, &view.key, token)) }
        }
        (script())
    };
    page(frame, "Access", &content)
}

/// Hands out a secret, which is on this page and nowhere else; or tells what the visitor's own account holds for a time.
#[must_use]
pub fn granted(frame: &Frame, view: &GrantedView) -> Markup {
    let content = html! {
        h1 { "Checked out" }
        @if view.secret.is_some() {
            p.lead { "The secret is shown here once and kept nowhere. Whoever loses it checks out anew." }
        } @else { p.lead { "Your own account there holds more for a time. Its password stays what it was." } }
        section aria-labelledby="account" {
            h2 id="account" { "Account at " (view.target) }
            dl.facts.stacked {
                div { dt { "Name" } dd { code id="name" { (view.name) } } }
                @match &view.secret {
                    Some(secret) => div { dt { "Secret" } dd { code id="secret" { (secret) } } },
                    None => div { dt { "Holds for a time" } dd { (view.entitlements) } },
                }
                div { dt { "Until" } dd { (view.until) " (" (countdown(&view.until_exact, &view.left)) ")" } }
                div { dt { "Without this portal" } dd { (view.ender) } }
                @if view.sessions_survive { div { dt { "Sessions" } dd { "What is open at the end goes on." } } }
            }
        }
        p { a href="/access" { "Back to what is lent to you" } }
        (script())
    };
    page(frame, "Checked out", &content)
}

pub(super) fn countdown(exact: &str, left: &str) -> Markup {
    html! { time datetime=(exact) data-countdown { (left) } }
}

pub(super) fn script() -> Markup {
    html! { script src=(COUNTDOWN_PATH) defer {} }
}

fn lent(row: &LeaseRow, token: &str) -> Markup {
    html! {
        li {
            div {
                strong { (row.role) " at " (row.target) } " " (badge(&row.phase))
                div { code { (row.name) } " until " (row.until)
                    @if let Some(left) = &row.left { " (" (countdown(&row.until_exact, left)) ")" }
                }
                div.muted {
                    @if let Some(lends) = &row.lends { "your own account holds " (lends) " · " }
                    @if !row.reason.is_empty() { (row.reason) " · " }
                    "last proof: " (row.proof)
                }
            }
            @if row.is_in_use { (acts(row, token)) }
        }
    }
}

fn acts(row: &LeaseRow, token: &str) -> Markup {
    html! {
        div.actions {
            (longer(row, "/access/extend", token))
            form method="post" action="/access/in" {
                (csrf(token))
                input type="hidden" name="lease" value=(row.id);
                button.quiet type="submit" { "Check in" span.hidden { " " (row.name) } }
            }
        }
    }
}

/// Lets a lease end later, where it can.
pub(super) fn longer(row: &LeaseRow, action: &str, token: &str) -> Markup {
    html! {
        @if !row.spans.is_empty() {
            form.inline method="post" action=(action) {
                (csrf(token))
                input type="hidden" name="lease" value=(row.id);
                input type="hidden" name="store" value=(row.store);
                label.hidden for={ "longer-" (row.id) } { "How long from now" }
                select id={ "longer-" (row.id) } name="span" {
                    @for span in &row.spans { option value=(span) { (span) " from now" } }
                }
                button.quiet type="submit" { "Extend" span.hidden { " " (row.name) } }
            }
        }
    }
}

fn form(number: usize, offer: &OfferRow, key: &str, token: &str) -> Markup {
    let (span, reason) = (format!("span-{number}"), format!("reason-{number}"));
    html! {
        form.offer method="post" action="/access/out" {
            (csrf(token))
            input type="hidden" name="key" value={ (key) "-" (number) };
            input type="hidden" name="target" value=(offer.target);
            input type="hidden" name="role" value=(offer.role);
            div {
                strong { (offer.role) " at " (offer.target) }
                @if offer.privileged { " " span.badge.caution { "privileged" } }
                div.muted {
                    @match &offer.account {
                        Some(name) => { "your own account " code { (name) } " holds " (offer.entitlements) " for a time" },
                        None => @if !offer.entitlements.is_empty() { "holds " (offer.entitlements) },
                    }
                    @if offer.demo { " · a target of the demo, in the portal's memory" }
                }
            }
            label for=(span) { "For" }
            select id=(span) name="span" {
                @for span in &offer.spans { option value=(span) selected[*span == USUAL] { (span) } }
            }
            label for=(reason) { "Reason" }
            input id=(reason) type="text" name="reason" maxlength="200" autocomplete="off";
            button.primary type="submit" { "Check out" span.hidden { " " (offer.role) " at " (offer.target) } }
        }
    }
}
