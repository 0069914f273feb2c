//! Single logout in both directions (SAML Profiles §4.4, SDP-SP24 to SDP-SP36).
//!
//! | type | does |
//! |---|---|
//! | [`LogoutMessage`] | a message as it arrived, by redirect or in a form; nobody believes it yet |
//! | [`SingleLogout`] | begins sign-outs, receives messages, answers them |
//! | [`VerifiedLogout`] | a provider's demand to end sessions, proved, and received for the first time |
//! | [`FinishedLogout`] | a provider's answer to a sign-out that began here |
//! | [`SessionAtIdp`] | what an application keeps of a sign-in to be able to do all this |
//!
//! ```no_run
//! # use jit_saml::logout::*;
//! # async fn compose(slo: SingleLogout, session: SessionAtIdp) -> Result<(), Box<dyn std::error::Error>> {
//! // the person presses "sign out": our own session has ended already, now the one at the provider
//! let _send_the_browser_there = slo.begin(&session, Some("page-7")).await?;
//!
//! // GET /saml/slo, with the raw query
//! match slo.receive(&LogoutMessage::from_query("SAMLRequest=...&SigAlg=...&Signature=...")?).await? {
//!     Received::Request(logout) => {
//!         // of every session that we keep:
//!         if logout.ends(&session.issuer, &session.name_id, session.session_indexes.first().map(String::as_str)) {
//!             // end it
//!         }
//!         let _send_the_browser_there = slo.answer(logout, Ended::All)?;
//!     }
//!     Received::Response(finished) => println!("{:?}, then {:?}", finished.status, finished.relay_state),
//! }
//! # Ok(())
//! # }
//! ```

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
