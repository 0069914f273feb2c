use maud::{Markup, html};

use super::decision::{decision, plan};
use super::layout::{badge, facts, page, prose, table};
use crate::portal::view::{AccountView, AttributeRow, Frame, GrantRow, IdentityRow, MeView};

/// Shows the account that a sign-in led to, why, and what changed.
#[must_use]
pub fn account(frame: &Frame, view: &MeView) -> Markup {
    let content = html! {
        (heading(&view.account))
        div.columns {
            div {
                (plan(&view.plan))
                (decision(&view.decision))
            }
            div {
                (grants(&view.account.grants))
                (attributes(&view.account.attributes))
                (identities(&view.account))
                p.muted { "This session ends " (view.session_ends) "." }
            }
        }
    };
    page(frame, "My account", &content)
}

fn heading(account: &AccountView) -> Markup {
    html! {
        div.person-heading {
            span.avatar.large aria-hidden="true" { (initials(&account.display_name)) }
            div {
                h1 { (account.display_name) " " (badge(&account.state)) }
                p.muted { code { (account.user_name) } " in tenant " code { (account.tenant) } }
            }
        }
        (facts(&account.dates))
    }
}

fn grants(grants: &[GrantRow]) -> Markup {
    html! {
        section aria-labelledby="grants" {
            h2 id="grants" { "Grants" }
            @if grants.is_empty() {
                p.empty { "No grants." }
            } @else {
                ul.grants {
                    @for grant in grants {
                        li {
                            strong { (grant.entitlement) }
                            span.until { @match &grant.until { Some(end) => { (end) } None => { "no end of its own" } } }
                            span.muted {
                                "from " (grant.source)
                                @if !grant.rule.is_empty() { ", rule " code { (grant.rule) } }
                                ", since " (grant.since)
                            }
                        }
                    }
                }
            }
        }
    }
}

fn attributes(attributes: &[AttributeRow]) -> Markup {
    let rows = html! {
        @for attribute in attributes {
            tr { th scope="row" { (attribute.name) } td { (attribute.value) } td.muted { (prose(&attribute.source)) } }
        }
    };
    html! {
        section aria-labelledby="attributes" {
            h2 id="attributes" { "Attributes" }
            @if attributes.is_empty() { p.empty { "No attributes." } }
            @else { (table("Attributes", &["Name", "Value", "Given by"], &rows)) }
        }
    }
}

fn identities(account: &AccountView) -> Markup {
    html! {
        section aria-labelledby="identity" {
            h2 id="identity" { "Identity" }
            @for identity in &account.identities { (identity_row(identity)) }
            @for email in &account.emails {
                dl.facts.stacked {
                    div { dt { "E-mail" } dd { (email.address) " " (badge(&email.evidence)) } }
                }
            }
            dl.facts.stacked { div { dt { "Account" } dd { code { (account.id) } } } }
        }
    }
}

fn identity_row(identity: &IdentityRow) -> Markup {
    html! {
        dl.facts.stacked {
            div { dt { "Connection" } dd { (identity.connection) } }
            div { dt { "Issuer" } dd { code { (identity.issuer) } } }
            div { dt { "Subject" } dd { code { (identity.subject) } } }
            @if !identity.proof.is_empty() { div { dt { "Belongs here because" } dd { (identity.proof) } } }
        }
    }
}

fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect()
}
