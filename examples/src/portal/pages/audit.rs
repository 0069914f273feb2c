use maud::{Markup, html};

use super::layout::{badge, page, prose, table};
use crate::portal::view::{AuditView, Frame};

/// Shows the audit trail, the newest first.
#[must_use]
pub fn audit(frame: &Frame, view: &AuditView) -> Markup {
    let rows = html! {
        @for event in &view.rows {
            tr {
                td.nowrap { time datetime=(event.at_exact) { (event.at) } }
                td.what { @if event.words.is_empty() { strong { code { (event.action) } } }
                    @else { strong { (prose(&event.words)) } div.muted { code { (event.action) } } } }
                td.outcome { (badge(&event.outcome)) }
                td { (event.actor) }
                td { (event.account) }
                td.muted.detail { (prose(&event.detail)) }
            }
        }
    };
    let content = html! {
        h1 { "Audit trail" }
        @if view.is_own {
            p.lead { "What happened to your account, and what was lent to you: who did it, when, and until when it lasts." }
        } @else { p.lead { "What happened in your tenant." } }
        p.muted { "Each line was written together with the change it tells of, or neither was. Names and rules, never values." }
        @if view.rows.is_empty() { p.empty { "Nothing has happened yet." } }
        @else { (table("Audit trail", &["When (UTC)", "What", "Outcome", "By", "Account", "Detail"], &rows)) }
    };
    page(frame, "Audit trail", &content)
}
