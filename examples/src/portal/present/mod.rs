//! From accounts, decisions and audit events to what the pages show.

mod account;
mod audit;
mod decision;
mod span;

pub(crate) use account::{account_row, account_view, standing_badge};
pub(crate) use audit::audit_row;
pub(crate) use decision::{decision_view, stages};
pub(crate) use span::{instant, span};
