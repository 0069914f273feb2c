use maud::{Markup, html};

use super::layout::{badge, csrf, page, table};
use crate::portal::view::{AccountAct, AccountRef, AccountRow, AdminView, ApprovalRow, Frame, LeaverRow};

/// Shows who waits for approval, whose leave waits, and every account of the tenant.
#[must_use]
pub fn admin(frame: &Frame, view: &AdminView) -> Markup {
    let token = frame.visitor.as_ref().map(|visitor| visitor.csrf.as_str()).unwrap_or_default();
    let content = html! {
        h1 { "Administration" }
        section aria-labelledby="waiting" {
            h2 id="waiting" { "Waiting for approval" }
            @if view.waiting.is_empty() { p.empty { "Nobody is waiting." } }
            @else { ul.waiting { @for row in &view.waiting { (approval(row, token)) } } }
        }
        @if !view.leaving.is_empty() {
            section aria-labelledby="leaving" {
                h2 id="leaving" { "Waiting to leave" }
                p.muted {
                    "Too many left at once. Whoever is listed here stays as they are until you decide, or until their source \
                     says that they are there."
                }
                ul.waiting { @for row in &view.leaving { (leaver(row, token)) } }
                @if view.more_leaving { (more_leaving()) }
            }
        }
        section aria-labelledby="accounts" {
            h2 id="accounts" { "Accounts" }
            @if view.accounts.is_empty() { p.empty { "There is no account yet." } }
            @else { (accounts(&view.accounts, token)) }
        }
    };
    page(frame, "Administration", &content)
}

fn approval(row: &ApprovalRow, token: &str) -> Markup {
    html! {
        li {
            div {
                strong { (row.name) } " " span.muted { (row.email) }
                div.muted {
                    "through " (row.connection)
                    @if !row.rule.is_empty() { ", held by rule " code { (row.rule) } }
                    ", since " (row.since)
                }
            }
            form.actions method="post" action="/admin/decide" {
                (named(&row.account, token))
                button.primary type="submit" name="act" value="approve" { "Approve" span.hidden { " " (row.name) } }
                button.quiet type="submit" name="act" value="refuse" { "Refuse" span.hidden { " " (row.name) } }
            }
        }
    }
}

fn leaver(row: &LeaverRow, token: &str) -> Markup {
    html! {
        li {
            div {
                strong { (row.name) } " " code { (row.user_name) }
                @for leave in &row.leaves { div.muted { (leave) } }
                @if !row.grants.is_empty() { div.muted { "holds " (row.grants) } }
            }
            form.actions method="post" action="/admin/decide" {
                (named(&row.account, token))
                input type="hidden" name="seen" value=(row.seen);
                button.primary type="submit" name="act" value="dismiss_leave" { "Let stay" span.hidden { " " (row.name) } }
                button.quiet type="submit" name="act" value="confirm_leave" { "Let leave" span.hidden { " " (row.name) } }
            }
        }
    }
}

/// Says that not everybody is shown, and where everybody is listed and decided.
fn more_leaving() -> Markup {
    html! {
        p.muted {
            "More leaves wait than this page shows. " code { "checkout person leaving" } " lists all of them, and "
            code { "checkout person confirm-leave --all --connection …" } " or "
            code { "checkout person dismiss-leave --all --connection …" } " decides all of a connection."
        }
    }
}

fn accounts(accounts: &[AccountRow], token: &str) -> Markup {
    let rows = html! {
        @for account in accounts {
            tr {
                th scope="row" { code { (account.user_name) } }
                td { (account.display_name) }
                td { (badge(&account.state)) }
                td { (account.grants) }
                td { @if let Some(act) = account.act { (act_button(account, act, token)) } }
            }
        }
    };
    table("Accounts", &["User name", "Name", "State", "Grants", ""], &rows)
}

fn act_button(row: &AccountRow, act: AccountAct, token: &str) -> Markup {
    let (value, words) = match act {
        AccountAct::Suspend => ("suspend", "Suspend"),
        AccountAct::Reactivate => ("reactivate", "Reactivate"),
        AccountAct::Release => ("release", "Release"),
    };
    html! {
        form method="post" action="/admin/decide" {
            (named(&row.account, token))
            button.quiet type="submit" name="act" value=(value) { (words) span.hidden { " " (row.display_name) } }
        }
    }
}

fn named(account: &AccountRef, token: &str) -> Markup {
    html! {
        (csrf(token))
        input type="hidden" name="account" value=(account.account);
        input type="hidden" name="store" value=(account.store);
    }
}
