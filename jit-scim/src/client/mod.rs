//! The other direction: accounts that came into being here are pushed on to systems that speak SCIM.

mod credentials;
#[cfg(feature = "http-reqwest")]
mod guarded;
mod reason;
mod transport;

pub use credentials::{AccessToken, Credentials, FixedToken};
#[cfg(feature = "http-reqwest")]
pub use guarded::{DangerousOptions, GuardedTransport, GuardedTransportBuilder};
pub use reason::{TargetReason, TransportError};
pub use transport::Transport;
