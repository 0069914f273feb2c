//! The cookie that binds a sign-in to one browser.

use std::fmt;

use crate::config::OidcConfig;
use crate::settings::ResponseMode;
use crate::state::short_name;

/// A cookie to set when a sign-in begins. Each sign-in has a name of its own, so that several tabs do not disturb each
/// other.
#[derive(Clone, PartialEq, Eq)]
pub struct StateCookie {
    name: String,
    value: String,
    seconds: i64,
    secure: bool,
    cross_site: bool,
}

impl StateCookie {
    pub(crate) fn new(state: &str, value: String, config: &OidcConfig) -> Self {
        Self {
            name: name(state, config),
            value,
            seconds: config.patience.num_seconds(),
            secure: is_secure(config),
            cross_site: config.response_mode == Some(ResponseMode::FormPost),
        }
    }

    /// Finds the value for a state in a `Cookie` header.
    pub(crate) fn find<'a>(header: &'a str, state: &str, config: &OidcConfig) -> Option<&'a str> {
        let name = name(state, config);
        let mut values = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = values.find(|(found, _)| *found == name)?;
        Some(value)
    }

    /// Finds the cookie of a state among those that the browser has.
    pub(crate) fn found(header: &str, state: &str, config: &OidcConfig) -> Option<Self> {
        let value = Self::find(header, state, config)?;
        Some(Self::new(state, value.to_owned(), config))
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value, which only the browser may see.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Writes the `Set-Cookie` header. A `form_post` comes from the provider's site, so that cookie must be sent
    /// across sites; all others are `Lax`.
    #[must_use]
    pub fn set_header(&self) -> String {
        self.header(&self.value, self.seconds)
    }

    /// Writes the `Set-Cookie` header that removes the cookie.
    #[must_use]
    pub fn clear_header(&self) -> String {
        self.header("", 0)
    }

    fn header(&self, value: &str, seconds: i64) -> String {
        let same_site = if self.cross_site && self.secure { "None" } else { "Lax" };
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}", self.name)
    }
}

fn is_secure(config: &OidcConfig) -> bool {
    config.redirect_uri.scheme() == "https"
}

/// RFC 6265bis §4.1.3.2: with the prefix no neighbouring host can plant the cookie.
fn name(state: &str, config: &OidcConfig) -> String {
    let prefix = if is_secure(config) { "__Host-" } else { "" };
    format!("{prefix}jit-oidc-{}", short_name(state))
}

/// Shows no value.
impl fmt::Debug for StateCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateCookie").field("name", &self.name).finish_non_exhaustive()
    }
}
