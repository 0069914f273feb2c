use maud::{Markup, html};

use super::layout::page;
use crate::portal::view::{ConnectionCard, Frame};

/// Shows the ways to sign in.
#[must_use]
pub fn home(frame: &Frame, connections: &[ConnectionCard]) -> Markup {
    let content = html! {
        h1 { "Sign in" }
        p.lead {
            "You have no account here, and need not ask for one. Sign in where you are known already: the account "
            "comes into being as the policy says, and you see why."
        }
        ul.cards {
            @for connection in connections {
                li {
                    a.card href={ "/login/" (connection.id) } {
                        strong { "Sign in with " (connection.label) }
                        span.muted { (connection.issuer) }
                    }
                }
            }
        }
        @if connections.is_empty() { p.empty { "No connection is configured." } }
    };
    page(frame, "Sign in", &content)
}
