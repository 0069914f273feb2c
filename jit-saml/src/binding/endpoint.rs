//! Addresses that a browser may be sent to.

use url::{Host, Url};

use super::Binding;

/// The longest address of an endpoint, in bytes.
const MAX_ADDRESS: usize = 2048;

/// One address of a provider, for one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// How messages are sent there.
    pub binding: Binding,
    /// The address, exactly as its owner writes it: `Destination` repeats it byte for byte.
    pub location: String,
    /// Where answers go, when that is another address (SAML Metadata §2.2.2).
    pub response_location: Option<String>,
}

impl Endpoint {
    /// Takes an address that a browser may be sent to; `None` for every other.
    #[must_use]
    pub fn new(binding: Binding, location: impl Into<String>) -> Option<Self> {
        Self::within(binding, location.into(), Reach::Https)
    }

    pub(crate) fn within(binding: Binding, location: String, reach: Reach) -> Option<Self> {
        reach.admits(&location).then_some(Self { binding, location, response_location: None })
    }

    /// Returns the address for answers.
    #[must_use]
    pub fn answers(&self) -> &str {
        self.response_location.as_deref().unwrap_or(&self.location)
    }
}

/// Where a browser may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By https only.
    Https,
    /// Also by http to this machine: for tests and demonstrations.
    DangerousLoopbackHttp,
}

impl Reach {
    /// Tells whether a browser may be sent to an address: https, without user information or fragment. Anything else,
    /// such as `javascript:`, would run or leak in the person's browser.
    pub(crate) fn admits(self, text: &str) -> bool {
        // the parser drops tabs and line breaks, so that what it says would not hold for the text that is used
        if text.len() > MAX_ADDRESS || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return false;
        }
        let Ok(url) = Url::parse(text) else { return false };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let reached = match url.scheme() {
            "https" => true,
            "http" => self == Self::DangerousLoopbackHttp && is_loopback(&url),
            _ => false,
        };
        plain && reached
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_sent_to_https_only() {
        assert!(Reach::Https.admits("https://idp.example.org/sso?tenant=1"));
        for odd in [
            "http://idp.example.org/sso",
            "http://127.0.0.1/sso",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "https://idp.example.org/\tsso",
            "data:text/html,x",
            "file:///etc/passwd",
            "//idp.example.org/sso",
            "/sso",
            "",
            "https://user:pass@idp.example.org/",
            "https://idp.example.org/#fragment",
            "https:",
        ] {
            assert!(!Reach::Https.admits(odd), "{odd}");
            assert_eq!(Endpoint::new(Binding::Post, odd), None);
        }
    }

    #[test]
    fn the_switch_opens_this_machine_and_nothing_else() {
        let reach = Reach::DangerousLoopbackHttp;
        for local in ["http://localhost:8080/sso", "http://127.0.0.1/sso", "http://[::1]:1/sso"] {
            assert!(reach.admits(local), "{local}");
        }
        for other in
            ["http://idp.example.org/", "http://localhost.example.org/", "http://10.0.0.1/", "javascript:0"]
        {
            assert!(!reach.admits(other), "{other}");
        }
    }
}
