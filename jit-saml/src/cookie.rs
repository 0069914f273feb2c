//! The cookie that binds a sign-in to one browser.
//!
//! The response comes as a form that the provider's page posts, so it is a request across sites. A browser sends a cookie
//! with such a request only if the cookie says `SameSite=None`; with `Lax` or `Strict` every sign-in would look as if it had
//! been begun elsewhere. The other way is to keep the response and to come back by a redirect within the site, where a `Lax`
//! cookie is sent. It would mean keeping up to a megabyte for whoever posts one, before anything is proved.
//!
//! `None` costs nothing here. The value is drawn for one sign-in, is good for one response, and does nothing without the
//! handle in `RelayState`; no other request is ever authorised by it. A page that makes a person's browser post a response
//! brings the handle of another sign-in, for which this browser has no cookie.

use std::fmt;

use chrono::TimeDelta;

/// How much of the handle stands in the name of the cookie: enough to tell sign-ins apart, too little to be the handle.
const NAME_PART: usize = 12;

/// A cookie to set when a sign-in begins. Each sign-in has a name of its own, so that several tabs do not disturb each
/// other.
#[derive(Clone, PartialEq, Eq)]
pub struct StateCookie {
    name: String,
    value: String,
    seconds: i64,
    secure: bool,
}

impl StateCookie {
    pub(crate) fn new(handle: &str, value: String, patience: TimeDelta, secure: bool) -> Self {
        Self { name: name(handle, secure), value, seconds: patience.num_seconds(), secure }
    }

    /// Finds the value for a handle in a `Cookie` header.
    pub(crate) fn find<'c>(header: &'c str, handle: &str, secure: bool) -> Option<&'c str> {
        let name = name(handle, secure);
        let mut values = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = values.find(|(found, _)| *found == name)?;
        Some(value)
    }

    /// Finds the cookie of a handle among those that the browser has.
    pub(crate) fn found(header: &str, handle: &str, patience: TimeDelta, secure: bool) -> Option<Self> {
        let value = Self::find(header, handle, secure)?;
        Some(Self::new(handle, value.to_owned(), patience, secure))
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

    /// Writes the `Set-Cookie` header. Over http, which only a demonstration on one machine has, browsers refuse
    /// `SameSite=None`; there the provider is on the same site.
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
        let reach = if self.secure { "SameSite=None; Secure" } else { "SameSite=Lax" };
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; {reach}", self.name)
    }
}

/// RFC 6265bis §4.1.3.2: with the prefix no neighbouring host can plant the cookie.
fn name(handle: &str, secure: bool) -> String {
    let prefix = if secure { "__Host-" } else { "" };
    let part = handle.get(..NAME_PART).unwrap_or(handle);
    format!("{prefix}jit-saml-{part}")
}

/// Shows no value.
impl fmt::Debug for StateCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateCookie").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_comes_back_across_sites() {
        let handle = "abcdefghijklmnopqrstuvwxyz";
        let cookie = StateCookie::new(handle, "value".into(), TimeDelta::minutes(10), true);
        assert_eq!(
            cookie.set_header(),
            "__Host-jit-saml-abcdefghijkl=value; Path=/; Max-Age=600; HttpOnly; SameSite=None; Secure"
        );
        assert!(cookie.clear_header().contains("Max-Age=0"));
        let header = "a=b; __Host-jit-saml-abcdefghijkl=value; jit-saml-abcdefghijkl=planted";
        assert_eq!(StateCookie::find(header, handle, true), Some("value"));
        assert_eq!(StateCookie::find(header, "other", true), None);
        assert_eq!(StateCookie::find("", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}x", true), None);
        assert!(!format!("{cookie:?}").contains("value"));
    }

    #[test]
    fn a_demonstration_on_one_machine_needs_no_https() {
        let cookie = StateCookie::new("abc", "value".into(), TimeDelta::minutes(1), false);
        assert_eq!(cookie.set_header(), "jit-saml-abc=value; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    }
}
