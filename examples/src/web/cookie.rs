use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// Names a cookie, and says whether it travels on TLS only.
///
/// On `https` the name carries the `__Host-` prefix, which makes browsers insist on `Secure`, `Path=/` and no
/// `Domain` ([RFC 6265bis section 4.1.3](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3)).
/// On plain loopback `http` that prefix cannot be used.
#[derive(Debug, Clone)]
pub struct CookieName {
    name: String,
    secure: bool,
}

impl CookieName {
    /// Names the cookie for a site at `base_url`.
    #[must_use]
    pub fn new(name: &str, base_url: &str) -> Self {
        let secure = base_url.starts_with("https://");
        let name = if secure { format!("__Host-{name}") } else { name.to_owned() };
        Self { name, secure }
    }

    /// Writes the header value that sets the cookie for the length of the browser session.
    #[must_use]
    pub fn set(&self, value: &str) -> String {
        format!("{}={value}; {}", self.name, self.attributes())
    }

    /// Writes the header value that takes the cookie away.
    #[must_use]
    pub fn clear(&self) -> String {
        format!("{}=; Max-Age=0; {}", self.name, self.attributes())
    }

    fn attributes(&self) -> &'static str {
        if self.secure { "Path=/; HttpOnly; SameSite=Lax; Secure" } else { "Path=/; HttpOnly; SameSite=Lax" }
    }
}

/// Finds the value of a cookie in the request.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &CookieName) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name.name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_host_prefix_comes_with_tls() {
        let name = CookieName::new("session", "https://portal.example");
        assert_eq!(name.set("v"), "__Host-session=v; Path=/; HttpOnly; SameSite=Lax; Secure");
        let plain = CookieName::new("session", "http://127.0.0.1:1");
        assert_eq!(plain.set("v"), "session=v; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("xsession=no; session=yes; other=1"));
        assert_eq!(cookie(&headers, &CookieName::new("session", "http://127.0.0.1:1")), Some("yes"));
    }
}
