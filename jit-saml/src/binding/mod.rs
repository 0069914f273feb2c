//! How messages travel through the browser: in the query of an address, or in a form.
//!
//! | module | does |
//! |---|---|
//! | [`redirect`] | HTTP-Redirect: DEFLATE, and a signature beside the message (SAML Bindings §3.4) |
//! | [`post`] | HTTP-POST: a page whose form sends itself (SAML Bindings §3.5) |
//! | [`form`] | what a browser posts to us |

mod encoding;
mod endpoint;
pub mod form;
pub mod post;
pub mod redirect;

pub use endpoint::Endpoint;
pub(crate) use endpoint::Reach;
pub use form::ResponseForm;
pub use post::PostForm;
pub use redirect::{DetachedSignature, RedirectMessage, redirect_url};

use crate::names::{BINDING_POST, BINDING_REDIRECT};

/// The longest `RelayState`, in bytes (SAML Bindings §3.4.3 and §3.5.3).
pub const MAX_RELAY_STATE: usize = 80;

/// How a message travels through the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Binding {
    /// In the query of an address (SAML Bindings §3.4).
    Redirect,
    /// In a form (SAML Bindings §3.5).
    Post,
}

impl Binding {
    /// Names the binding as SAML does.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Redirect => BINDING_REDIRECT,
            Self::Post => BINDING_POST,
        }
    }

    /// Reads the name of a binding; `None` for those that are not used here.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        [Self::Redirect, Self::Post].into_iter().find(|binding| binding.uri() == uri)
    }
}

/// Which way a message goes, which names the parameter that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a SAML message asks or answers")]
pub enum Direction {
    /// A request.
    Request,
    /// A response.
    Response,
}

impl Direction {
    /// Names the parameter (SAML Bindings §3.4.4, §3.5.4).
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// Where to send the browser with a message.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an application must be able to do each of them")]
pub enum Outbound {
    /// Answer with a redirect to this address.
    Redirect(String),
    /// Answer with [`PostForm::page`].
    Post(PostForm),
}

/// Shows where the message goes and not what it says.
impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Redirect(address) => {
                f.debug_tuple("Redirect").field(&address.split('?').next().unwrap_or_default()).finish()
            }
            Self::Post(form) => f.debug_tuple("Post").field(form).finish(),
        }
    }
}
