//! From a decision to a plan: the list of changes, each with its reason, that leads from the present state to the
//! decided one. Pure: no I/O, no clock, no randomness.

mod admin;
mod answers;
mod apply;
mod attributes;
mod change;
mod expiry;
mod grants;
mod lifecycle;
mod link;
mod mirror;
mod protection;
mod sign_in;
mod user_name;

pub use admin::{AdminAct, plan_admin};
pub use answers::Answers;
pub use change::{Change, Plan, Planned, Reason, Refusal};
pub use expiry::{plan_end_of_account, plan_end_of_grant};
pub use lifecycle::{RecordEffect, RecordFacts, RecordPlan, plan_record};
pub use mirror::{Wanted, wanted};
pub use protection::Protection;
pub use sign_in::{SameSource, SignInFacts, SignInPlan, plan_sign_in};
