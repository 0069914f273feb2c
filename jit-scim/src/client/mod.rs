//! The other direction: accounts that came into being here are pushed on to systems that speak SCIM.
//!
//! [`ScimTarget`] is a [`Target`](jit_core::Target) that mirrors. What a system bears is data ([`TargetProfile`]); the way
//! there is a [`Transport`], so that an application brings its own client and runtime.

mod change;
mod credentials;
mod failure;
mod find;
mod furnish;
mod groups;
#[cfg(feature = "http-reqwest")]
mod guarded;
mod learned;
mod listing;
mod make;
mod memberships;
mod people;
mod person;
mod place;
mod planned;
mod profile;
mod rate;
mod reason;
mod retry_after;
mod target;
mod transport;
mod turns;
mod whole;
mod wire;

pub use credentials::{AccessToken, Credentials, FixedToken};
#[cfg(feature = "http-reqwest")]
pub use guarded::guarded_transport;
#[cfg(feature = "http-reqwest")]
pub use jit_http::GuardedHttp;
pub use planned::{Planned, PlannedStep};
pub use profile::{
    Adoption, GroupChanges, GroupOrigin, MemberRemoval, ProfileError, Removal, TargetPreset, TargetProfile,
    UserChanges, WhenLost,
};
pub use rate::{MemberRate, RequestRate};
pub use reason::{TargetReason, TransportError};
pub use target::ScimTarget;
pub use transport::Transport;
