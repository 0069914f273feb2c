//! The provider's answer to an authorization request, as the browser brings it (RFC 6749 §4.1.2, RFC 9207).

use std::fmt;

use url::form_urlencoded;

use crate::rejection::Rejection;

const MAX_CALLBACK: usize = 64 * 1024;
const MAX_PARAMETERS: usize = 32;

/// The parameters of a callback, read and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    pub(crate) state: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) answer: Answer,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Code(String),
    Error(Rejection),
    Nothing,
}

impl Callback {
    /// Reads the query of the callback, without its question mark.
    ///
    /// # Errors
    /// `oidc.callback_…`.
    pub fn from_query(query: &str) -> Result<Self, Rejection> {
        Self::from_form(query.as_bytes())
    }

    /// Reads the body of a callback that was sent by `form_post`.
    ///
    /// # Errors
    /// `oidc.callback_…`.
    pub fn from_form(body: &[u8]) -> Result<Self, Rejection> {
        if body.len() > MAX_CALLBACK {
            return Err(Rejection::CallbackTooLarge);
        }
        let parameters = Parameters::parse(body)?;
        // tokens in a callback were not asked for: whoever sends them wants another flow than ours
        if parameters.get("id_token").or(parameters.get("access_token")).is_some() {
            return Err(Rejection::CallbackTokenRefused);
        }
        let answer = match (parameters.get("error"), parameters.get("code")) {
            (Some(error), _) => Answer::Error(error_of(error)),
            (None, Some(code)) if !code.is_empty() => Answer::Code(code.to_owned()),
            _ => Answer::Nothing,
        };
        let owned = |name| parameters.get(name).map(str::to_owned);
        Ok(Self { state: owned("state"), iss: owned("iss"), answer })
    }

    /// Returns `state`, by which the right cookie is found.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// Shows neither the code nor the state.
impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback(…)")
    }
}

struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(body: &[u8]) -> Result<Self, Rejection> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if parameters.len() == MAX_PARAMETERS {
                return Err(Rejection::CallbackTooLarge);
            }
            // the decoder puts this character where the text was not UTF-8
            if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(Rejection::CallbackMalformed);
            }
            if parameters.iter().any(|(earlier, _)| *earlier == name) {
                return Err(Rejection::CallbackDuplicateParameter);
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6.
fn error_of(error: &str) -> Rejection {
    match error {
        "access_denied" => Rejection::ProviderAccessDenied,
        "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
            Rejection::ProviderInteractionRequired
        }
        "temporarily_unavailable" | "server_error" => Rejection::ProviderUnavailable,
        _ => Rejection::ProviderError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_code_or_an_error() {
        let callback = Callback::from_query("code=a%2Bb&state=s&iss=https%3A%2F%2Fop.example.com").unwrap();
        assert_eq!(callback.state(), Some("s"));
        assert_eq!(callback.iss.as_deref(), Some("https://op.example.com"));
        assert!(callback.answer == Answer::Code("a+b".into()));
        let callback = Callback::from_form(b"error=access_denied&code=x&state=s").unwrap();
        assert!(callback.answer == Answer::Error(Rejection::ProviderAccessDenied));
        assert!(Callback::from_query("code=&state=s").unwrap().answer == Answer::Nothing);
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for (query, rejection) in [
            ("code=a&code=b", Rejection::CallbackDuplicateParameter),
            ("state=a&code=x&st%61te=b", Rejection::CallbackDuplicateParameter),
            ("code=a&id_token=x", Rejection::CallbackTokenRefused),
            ("code=%ff", Rejection::CallbackMalformed),
            (&(0..33).map(|n| format!("p{n}=")).collect::<Vec<_>>().join("&"), Rejection::CallbackTooLarge),
            (&format!("code={}", "a".repeat(MAX_CALLBACK)), Rejection::CallbackTooLarge),
        ] {
            assert_eq!(Callback::from_query(query), Err(rejection));
        }
    }

    #[test]
    fn shows_nothing() {
        let callback = Callback::from_query("code=secret&state=secret").unwrap();
        assert!(!format!("{callback:?}").contains("secret"));
    }
}
