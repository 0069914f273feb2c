use std::collections::BTreeMap;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;
use zeroize::Zeroizing;

const LONGEST: usize = 48 * 1024;
const MOST: usize = 64;

/// Holds the parameters of a query or a form, each name at most once.
///
/// A value that is empty counts as left out, and a name that comes twice is refused
/// ([RFC 6749 section 3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).
#[derive(Clone, Default)]
pub struct Parameters(BTreeMap<String, String>);

/// Tells why parameters were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The text is longer, or has more parts, than any honest form.
    #[error("too many parameters")]
    TooMany,
    /// One name came twice.
    #[error("a parameter is repeated")]
    Repeated,
    /// The body is not a form.
    #[error("the body is not a form")]
    NotAForm,
    /// The body is not text.
    #[error("the body is not text")]
    NotText,
    /// The body is larger than is taken here.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not come, or not in time.
    #[error("the body did not come")]
    Incomplete,
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// `TooMany` above the limits, `Repeated` when a name comes twice.
    pub fn parse(text: &str) -> Result<Self, ParameterError> {
        if text.len() > LONGEST {
            return Err(ParameterError::TooMany);
        }
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if found.len() >= MOST {
                return Err(ParameterError::TooMany);
            }
            if found.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(ParameterError::Repeated);
            }
        }
        Ok(Self(found))
    }

    /// Gives the value of `name`, if it was sent and is not empty.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Takes a value out; it is wiped when whoever took it lets it go.
    pub fn take_secret(&mut self, name: &str) -> Option<Zeroizing<String>> {
        self.0.remove(name).map(Zeroizing::new)
    }

    /// Gives every name with its value, in the order of names.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A short text, which a site that has pages can put one in the place of: the answer carries the error.
impl IntoResponse for ParameterError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany | Self::Repeated | Self::NotText => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete => StatusCode::REQUEST_TIMEOUT,
        };
        (status, Extension(self), self.to_string()).into_response()
    }
}

/// Extracts the parameters of the query.
#[derive(Debug)]
pub struct Query(pub Parameters);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ParameterError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Parameters::parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Extracts the parameters of a form in the body.
#[derive(Debug)]
pub struct Form(pub Parameters);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ParameterError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if !is_form(request.headers()) {
            return Err(ParameterError::NotAForm);
        }
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ParameterError::TooLarge,
                _ => ParameterError::Incomplete,
            })?;
        // It may hold a password.
        let body = Zeroizing::new(Vec::from(body));
        let text = std::str::from_utf8(&body).map_err(|_| ParameterError::NotText)?;
        Parameters::parse(text).map(Self)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_is_refused() {
        assert_eq!(Parameters::parse("a=1&a=2").unwrap_err(), ParameterError::Repeated);
    }

    #[test]
    fn an_empty_value_counts_as_left_out() {
        let sent = Parameters::parse("a=&b=x%20y").unwrap();
        assert_eq!(sent.value("a"), None);
        assert_eq!(sent.value("b"), Some("x y"));
    }

    #[test]
    fn endless_parameters_are_refused() {
        let names = (0..100).map(|i| format!("n{i}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(Parameters::parse(&names).unwrap_err(), ParameterError::TooMany);
        assert_eq!(Parameters::parse(&"a".repeat(LONGEST + 1)).unwrap_err(), ParameterError::TooMany);
    }

    #[test]
    fn debug_shows_names_only() {
        let sent = Parameters::parse("code=secret").unwrap();
        assert_eq!(format!("{sent:?}"), r#"{"code"}"#);
    }
}
