//! The way through the house: trigger, mapper, policy, plan, commit.

mod connection;
mod event;
mod trigger;

pub use connection::{Connection, ConnectionSettings, LinkBy, LinkRule, MailLink};
pub use event::{Event, SignIn};
pub use trigger::{Trigger, VerifyError};
