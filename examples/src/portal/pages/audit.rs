use maud::{Markup, html};

use super::layout::{badge, page, prose, table};
use crate::portal::view::{AuditRow, Frame};

/// Shows the audit trail, the newest first.
#[must_use]
pub fn audit(frame: &Frame, events: &[AuditRow]) -> Markup {
    let rows = html! {
        @for event in events {
            tr {
                td.nowrap { time datetime=(event.at_exact) { (event.at) } }
                td { strong { (event.action) } }
                td.outcome { (badge(&event.outcome)) }
                td { (event.actor) }
                td { (event.account) }
                td.muted.detail { (prose(&event.detail)) }
            }
        }
    };
    let content = html! {
        h1 { "Audit trail" }
        p.lead { "Each line was written together with the change it tells of, or neither was. Names and rules, never values." }
        @if events.is_empty() { p.empty { "Nothing has happened yet." } }
        @else { (table("Audit trail", &["When (UTC)", "What", "Outcome", "By", "Account", "Detail"], &rows)) }
    };
    page(frame, "Audit trail", &content)
}
