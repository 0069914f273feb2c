use maud::{Markup, html};

use super::layout::{START, page};
use crate::portal::view::{ConnectionCard, Frame};

/// Shows the ways to sign in.
#[must_use]
pub fn home(frame: &Frame, connections: &[ConnectionCard]) -> Markup {
    let content = html! {
        h1 { "Sign in" }
        @if let Some(guest) = &frame.guest {
            p.lead {
                "The sign-in of " (guest.name) " waits for an answer. " a href="/hold" { "Go on with it" }
                ", or sign in another way."
            }
        } @else if let Some(visitor) = &frame.visitor {
            p.lead { "You are signed in as " (visitor.name) ". " a href="/me" { "See your account" } ", or sign in anew." }
        } @else {
            p.lead {
                "You have no account here, and need not ask for one. Sign in where you are known already: the account "
                "comes into being as the policy says, and you see why."
            }
        }
        (cards(connections, ""))
        @if connections.is_empty() { p.empty { "No connection is configured." } }
    };
    page(frame, START, &content)
}

/// Shows a card for each way to sign in; `query` is added to its address.
pub(super) fn cards(connections: &[ConnectionCard], query: &str) -> Markup {
    html! {
        ul.cards {
            @for connection in connections {
                li {
                    a.card href={ "/login/" (connection.id) (query) } {
                        strong { "Sign in with " (connection.label) }
                        span.muted { (connection.issuer) }
                    }
                }
            }
        }
    }
}
