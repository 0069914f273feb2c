//! From accounts, decisions and audit events to what the pages show.

mod account;
mod audit;
mod decision;
mod lease;
mod plan;
mod span;

pub(super) use account::{account_row, account_view, approval_row, display_name, leaver_row, lent_name};
pub(super) use audit::{Reader, audit_row, lease_asked_for, tells_hand_out, tells_holder};
pub(super) use decision::{denied, held, permitted};
pub(super) use lease::{compare_row, comparison, elevated_view, granted_view, holder, lease_row, offer_row};
pub(super) use plan::plan_view;
pub(super) use span::{instant, span};
