//! Single logout in both directions (SAML Profiles §4.4, SDP-SP24 to SDP-SP36).
//!
//! | type | does |
//! |---|---|
//! | [`LogoutMessage`] | a message as it arrived, by redirect or in a form; nobody believes it yet |
//! | [`SingleLogout`] | begins sign-outs, receives messages, answers them |
//! | [`VerifiedLogout`] | a provider's demand to end sessions, proved, and received for the first time |
//! | [`FinishedLogout`] | a provider's answer to a sign-out that began here |
//! | [`SessionAtIdp`] | what an application keeps of a sign-in to be able to do all this |

mod error;
mod header;
mod message;
mod rejection;
mod request;
mod response;
mod service;
mod session;
mod write;

pub use error::LogoutError;
pub use message::LogoutMessage;
pub use rejection::LogoutRejection;
pub use request::VerifiedLogout;
pub use response::LogoutStatus;
pub use service::{FinishedLogout, LogoutEnvironment, LogoutSettings, Received, SingleLogout};
pub use session::SessionAtIdp;
pub use write::Ended;
