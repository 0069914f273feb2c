use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::form_urlencoded;

use super::Algorithm;

/// Registers an application at the demo provider.
#[derive(Clone)]
pub struct Client {
    id: String,
    secret: String,
    redirect_uris: Vec<String>,
    algorithm: Algorithm,
}

impl Client {
    /// Registers a confidential client; `redirect_uris` are compared byte by byte.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>, redirect_uris: Vec<String>) -> Self {
        Self { id: id.into(), secret: secret.into(), redirect_uris, algorithm: Algorithm::Es256 }
    }

    /// Chooses how this client's ID tokens are signed.
    #[must_use]
    pub fn signed_with(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn knows_redirect(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|known| known == uri)
    }

    /// Checks `client_secret_basic` ([RFC 6749 section 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
    pub(crate) fn authenticated<'a>(clients: &'a [Self], headers: &HeaderMap) -> Option<&'a Self> {
        let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = sent.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        let (id, secret) = (form_decoded(id), form_decoded(secret));
        let client = clients.iter().find(|client| client.id == id)?;
        verify_slices_are_equal(client.secret.as_bytes(), secret.as_bytes()).ok().map(|()| client)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirect_uris", &self.redirect_uris)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn form_decoded(text: &str) -> String {
    // One name without value: the parser splits at `=` and `&`, which an encoded credential cannot hold.
    form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn basic(id: &str, secret: &str) -> HeaderMap {
        let encoded = BASE64_STANDARD.encode(format!("{id}:{secret}"));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Basic {encoded}")).unwrap());
        headers
    }

    #[test]
    fn a_secret_is_form_encoded_before_base64() {
        let clients = [Client::new("portal", "a b:c", vec![])];
        assert!(Client::authenticated(&clients, &basic("portal", "a+b%3Ac")).is_some());
        assert!(Client::authenticated(&clients, &basic("portal", "wrong")).is_none());
        assert!(Client::authenticated(&clients, &basic("other", "a+b%3Ac")).is_none());
        assert!(Client::authenticated(&clients, &HeaderMap::new()).is_none());
    }

    #[test]
    fn debug_keeps_the_secret() {
        assert!(!format!("{:?}", Client::new("portal", "hush", vec![])).contains("hush"));
    }
}
