use maud::{Markup, html};

use super::layout::{badge, csrf, page, table};
use crate::portal::view::{AccountAct, AccountRef, AccountRow, AdminView, ApprovalRow, Frame, LeaverRow};

/// Shows who waits for approval, whose leave waits, and a page of the accounts of the tenant.
#[must_use]
pub fn admin(frame: &Frame, view: &AdminView) -> Markup {
    let token = frame.visitor.as_ref().map(|visitor| visitor.csrf.as_str()).unwrap_or_default();
    let form = Forms { token, place: &view.place };
    let content = html! {
        h1 { "Administration" }
        @if !view.is_later { (waiting(view, form)) }
        section aria-labelledby="accounts" {
            h2 id="accounts" { "Accounts" }
            (finder(&view.sought))
            @if view.accounts.is_empty() { p.empty { (nobody(view)) } }
            @else { (accounts(&view.accounts, form)) }
            @if view.is_later || view.next.is_some() { (steps(view)) }
        }
    };
    page(frame, "Administration", &content)
}

/// What every form of the page carries.
#[derive(Clone, Copy)]
struct Forms<'a> {
    token: &'a str,
    /// The query of the page, to which an answer leads back.
    place: &'a str,
}

/// Shows who waits for an administrator.
fn waiting(view: &AdminView, form: Forms<'_>) -> Markup {
    html! {
        section aria-labelledby="waiting" {
            h2 id="waiting" { "Waiting for approval" }
            @if view.waiting.is_empty() { p.empty { "Nobody is waiting." } }
            @else { ul.waiting { @for row in &view.waiting { (approval(row, form)) } } }
            @if view.more_waiting {
                p.muted { "More people wait than this page shows. Once these are decided, the next ones follow." }
            }
        }
        @if !view.leaving.is_empty() {
            section aria-labelledby="leaving" {
                h2 id="leaving" { "Waiting to leave" }
                p.muted {
                    "Too many left at once. Whoever is listed here stays as they are until you decide, or until their source \
                     says that they are there."
                }
                ul.waiting { @for row in &view.leaving { (leaver(row, form)) } }
                @if view.more_leaving { (more_leaving()) }
            }
        }
    }
}

/// Finds one account among many.
fn finder(sought: &str) -> Markup {
    html! {
        form.find method="get" action="/admin" role="search" {
            label for="name" { "User name or id" }
            input id="name" type="text" name="name" value=(sought) autocomplete="off" spellcheck="false";
            button.quiet type="submit" { "Find" }
        }
    }
}

fn nobody(view: &AdminView) -> &'static str {
    match (view.sought.is_empty(), view.is_later) {
        _ if view.next.is_some() => "Here is nothing but what is lent. There may be people on the next page.",
        (false, _) => "Nobody has this user name or id.",
        (true, false) => "There is no account yet.",
        (true, true) => "There are no more accounts.",
    }
}

/// Leads to the other pages.
fn steps(view: &AdminView) -> Markup {
    html! {
        nav.steps aria-label="Pages" {
            @if view.is_later { a href="/admin" { "First page" } }
            @if let Some(next) = &view.next { a href={ "/admin" (next) } rel="next" { "Next page" } }
        }
    }
}

fn approval(row: &ApprovalRow, form: Forms<'_>) -> Markup {
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
            form.actions method="post" action={ "/admin/decide" (form.place) } {
                (named(&row.account, form.token))
                button.primary type="submit" name="act" value="approve" { "Approve" span.hidden { " " (row.name) } }
                button.quiet type="submit" name="act" value="refuse" { "Refuse" span.hidden { " " (row.name) } }
            }
        }
    }
}

fn leaver(row: &LeaverRow, form: Forms<'_>) -> Markup {
    html! {
        li {
            div {
                strong { (row.name) } " " code { (row.user_name) }
                @for leave in &row.leaves { div.muted { (leave) } }
                @if !row.grants.is_empty() { div.muted { "holds " (row.grants) } }
            }
            form.actions method="post" action={ "/admin/decide" (form.place) } {
                (named(&row.account, form.token))
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

fn accounts(accounts: &[AccountRow], form: Forms<'_>) -> Markup {
    let rows = html! {
        @for account in accounts {
            tr {
                th scope="row" { code { (account.user_name) } }
                td { (account.display_name) }
                td { (badge(&account.state)) }
                td { (account.grants) }
                td { @if let Some(act) = account.act { (act_button(account, act, form)) } }
            }
        }
    };
    table("Accounts", &["User name", "Name", "State", "Grants", ""], &rows)
}

fn act_button(row: &AccountRow, act: AccountAct, form: Forms<'_>) -> Markup {
    let (value, words) = match act {
        AccountAct::Suspend => ("suspend", "Suspend"),
        AccountAct::Reactivate => ("reactivate", "Reactivate"),
        AccountAct::Release => ("release", "Release"),
    };
    html! {
        form method="post" action={ "/admin/decide" (form.place) } {
            (named(&row.account, form.token))
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
