use maud::{Markup, html};

use super::access::{countdown, longer, script};
use super::layout::{badge, csrf, page, table};
use crate::portal::view::{CompareRow, Frame, LeaseRow, LeasesView};

/// Shows every lease of the tenant, and how targets differ from that.
#[must_use]
pub fn leases(frame: &Frame, view: &LeasesView) -> Markup {
    let token = frame.visitor.as_ref().map(|visitor| visitor.csrf.as_str()).unwrap_or_default();
    let content = html! {
        h1 { "Leases" }
        section aria-labelledby="all" {
            h2 id="all" { "Lent now" }
            @if view.leases.is_empty() && view.unreadable.is_empty() { p.empty { "Nothing is lent." } }
            @else { (rows(&view.leases, token)) }
            @for lease in &view.unreadable { p { "The record of lease " (lease) " cannot be read." } }
            @if view.has_more { p.muted { "There are more leases than this page shows." } }
        }
        section aria-labelledby="compare" {
            h2 id="compare" { "Compared with the targets" }
            @if !view.comparison.is_empty() { p role="status" { (view.comparison) } }
            @for row in &view.compared { (compared(row)) }
            @if view.is_comparing { p { a href="/leases" { "Look again" } } }
            @else {
                form.actions method="post" action="/leases/compare" {
                    (csrf(token))
                    button.quiet type="submit" { "Compare now" }
                }
            }
            p.muted { "This looks and reports. Nothing at the target is changed by it." }
        }
        (script())
    };
    page(frame, "Leases", &content)
}

fn rows(leases: &[LeaseRow], token: &str) -> Markup {
    let rows = html! {
        @for row in leases {
            tr {
                th scope="row" { code { (row.name) } }
                td { (row.holder) }
                td { (row.role) " at " (row.target)
                    @if let Some(lends) = &row.lends { div.muted { "an account that was there before holds " (lends) } }
                    @if !row.is_served { div { strong { "This target is not configured for you: this portal does not end what is there." } } }
                    @if !row.reason.is_empty() { div.muted { (row.reason) } } }
                td { (badge(&row.phase)) }
                td.nowrap { (row.until) @if let Some(left) = &row.left { div.muted { (countdown(&row.until_exact, left)) } } }
                td { (row.proof) }
                td { @if row.is_in_use && row.is_served { (longer(row, "/leases/extend", token)) }
                    @if row.is_in_use { (end(row, "End", token)) }
                    @if row.is_quarantined && row.is_served { (end(row, "Look again", token)) } }
            }
        }
    };
    table("Leases", &["Name", "Holder", "Role", "Phase", "Until", "Last proof", ""], &rows)
}

fn end(row: &LeaseRow, says: &str, token: &str) -> Markup {
    html! {
        form method="post" action="/leases/end" {
            (csrf(token))
            input type="hidden" name="lease" value=(row.id);
            input type="hidden" name="store" value=(row.store);
            button.quiet type="submit" { (says) span.hidden { " " (row.name) } }
        }
    }
}

fn compared(row: &CompareRow) -> Markup {
    html! {
        div {
            h3 { (row.target) " " (badge(&row.verdict)) }
            ul { @for found in &row.found { li { (found) } } }
        }
    }
}
