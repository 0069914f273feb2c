//! What the administration page shows.

use super::Badge;

/// Names an account in a form of the administration page.
#[derive(Debug, Clone, Default)]
pub struct AccountRef {
    /// The account's identifier.
    pub account: String,
    /// The user store it lives in; empty for the main one.
    pub store: String,
}

/// Describes one account that waits for approval.
#[derive(Debug, Clone)]
pub struct ApprovalRow {
    /// The account, as the form names it.
    pub account: AccountRef,
    /// Who is waiting.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// The connection.
    pub connection: String,
    /// Since when.
    pub since: String,
    /// The rule that holds them.
    pub rule: String,
}

/// Describes somebody whose leave waits for an administrator.
#[derive(Debug, Clone)]
pub struct LeaverRow {
    /// The account, as the form names it.
    pub account: AccountRef,
    /// Who is to leave.
    pub name: String,
    /// The user name.
    pub user_name: String,
    /// What waits, over which connection, since when.
    pub leaves: Vec<String>,
    /// The same for the form: what is shown is what is decided.
    pub seen: String,
    /// What they hold until then.
    pub grants: String,
}

/// Describes one account in the administrator's list.
#[derive(Debug, Clone)]
pub struct AccountRow {
    /// The account, as the form names it.
    pub account: AccountRef,
    /// The user name.
    pub user_name: String,
    /// The name to show.
    pub display_name: String,
    /// The state.
    pub state: Badge,
    /// What it holds.
    pub grants: String,
    /// What an administrator can do to it now, if anything.
    pub act: Option<AccountAct>,
}

/// Names what an administrator can do to an account in its present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each has a button of its own")]
pub enum AccountAct {
    /// Stop it for a while.
    Suspend,
    /// Bring it back into use.
    Reactivate,
    /// Free what a tombstone holds, so that its owner can come anew.
    Release,
}

/// Describes the administration page.
#[derive(Debug, Clone, Default)]
pub struct AdminView {
    /// Who waits; of the first page alone, as whose leave waits.
    pub waiting: Vec<ApprovalRow>,
    /// Whether more people wait than are shown.
    pub more_waiting: bool,
    /// Whose leave waits.
    pub leaving: Vec<LeaverRow>,
    /// Whether more leaves wait than are shown.
    pub more_leaving: bool,
    /// A page of the accounts of the tenant, or whoever was looked for.
    pub accounts: Vec<AccountRow>,
    /// Whether it is any other than the first page.
    pub is_later: bool,
    /// The user name or id that was looked for, or empty.
    pub sought: String,
    /// The query that leads to this page: with its question mark, or empty.
    pub place: String,
    /// The query that leads to the next page, where there is one.
    pub next: Option<String>,
}
