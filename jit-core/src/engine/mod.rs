//! The way through the house: trigger, mapper, policy, plan, commit.

mod admin;
mod builder;
mod clock_notes;
mod compose;
mod connection;
mod counters;
mod evaluate;
mod event;
mod fan_out;
mod flight;
mod hold;
mod jit;
mod keep;
mod kin;
mod known;
mod landing;
mod lease;
mod leavers;
mod matching;
mod mirror;
mod outcome;
mod provisioning;
mod record;
mod seen;
mod shadow;
mod sign_in;
mod time;
mod trigger;
mod unreadable;
mod work;

pub use admin::{AdminRequest, Invitation};
pub use builder::{BuildError, JitBuilder};
pub use connection::{Connection, ConnectionSettings, LinkBy, LinkRule, MailLink};
pub use event::{Event, SignIn};
pub use hold::{LinkAnswer, MailProof, Reply, Ticket};
pub use jit::Jit;
pub use keep::{Kept, Retold, Teller};
pub use lease::{
    CheckOut, CheckedOut, Difference, Differing, Elevated, Extended, LeasePage, LentAccounts, LentWrong,
    ReconcileMode, Reconciliation,
};
pub use mirror::{DriftRound, DriftRounds, MirrorForecast, TargetQuarantine};
pub use outcome::{Denied, Explanation, Held, JitError, Outcome, Provisioned, Session, SignedIn, Verdict};
pub use provisioning::{Authority, LeaverLimit, NamedBy, Provisioning, SamePerson};
pub use shadow::ShadowReport;
pub use trigger::{Trigger, VerifyError};
pub use work::{Notices, WorkReport};

#[cfg(feature = "mocks")]
pub use {keep::MockTeller, trigger::MockTrigger, work::MockNotices};
