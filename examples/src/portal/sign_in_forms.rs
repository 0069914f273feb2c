use axum::http::HeaderMap;

use crate::web::{CookieName, Parameters, RandomError, cookie, is_same, random_token};

/// As many signs as a token has.
const TOKEN: usize = 43;

/// Binds forms to the browser that they are shown in before it has a session: the token of a form is that of a cookie, which
/// no other site can read or set. Nothing is kept here, so that no flood of forms pushes out those of others.
#[derive(Debug)]
pub(super) struct SignInForms {
    cookie: CookieName,
}

/// The token of a form.
pub(super) struct FormToken {
    pub(super) csrf: String,
    /// The header value that hands the token to the browser.
    pub(super) cookie: String,
}

impl SignInForms {
    pub(super) fn new(base_url: &str) -> Self {
        Self { cookie: CookieName::new("sign-in", base_url) }
    }

    /// Gives the token for a form. A browser that has one keeps it: its other tabs show forms as well.
    pub(super) fn token(&self, headers: &HeaderMap) -> Result<FormToken, RandomError> {
        let csrf = match self.kept(headers) {
            Some(kept) => kept.to_owned(),
            None => random_token()?,
        };
        let cookie = self.cookie.set(&csrf);
        Ok(FormToken { csrf, cookie })
    }

    /// Tells whether a form that was sent had been shown in this browser.
    pub(super) fn showed(&self, headers: &HeaderMap, sent: &Parameters) -> bool {
        let csrf = sent.value("csrf").unwrap_or_default();
        self.kept(headers).is_some_and(|kept| is_same(csrf, kept))
    }

    /// The header value that takes the token away: the next form has another one.
    pub(super) fn forget(&self) -> String {
        self.cookie.clear()
    }

    fn kept<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let is_token = |text: &&str| {
            text.len() == TOKEN && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        cookie(headers, &self.cookie).filter(is_token)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE;

    use super::*;

    fn with_cookie(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn a_form_is_good_in_the_browser_that_it_was_shown_in() {
        let forms = SignInForms::new("https://portal.example");
        let token = forms.token(&HeaderMap::new()).unwrap();
        assert!(token.cookie.starts_with("__Host-sign-in="), "{}", token.cookie);
        let own = with_cookie(token.cookie.split(';').next().unwrap());
        let sent = |csrf: &str| Parameters::parse(&format!("csrf={csrf}")).unwrap();
        assert!(forms.showed(&own, &sent(&token.csrf)));
        assert_eq!(forms.token(&own).unwrap().csrf, token.csrf, "the other tab of this browser");
        let other = forms.token(&HeaderMap::new()).unwrap();
        assert!(!forms.showed(&own, &sent(&other.csrf)));
        assert!(!forms.showed(&HeaderMap::new(), &sent(&token.csrf)));
        assert!(!forms.showed(&own, &sent("")));
    }

    #[test]
    fn what_is_no_token_is_never_shown_in_a_page() {
        let forms = SignInForms::new("https://portal.example");
        for text in ["", "x", "\"><script>", &"<".repeat(TOKEN)] {
            let headers = with_cookie(&format!("__Host-sign-in={text}"));
            assert_ne!(forms.token(&headers).unwrap().csrf, text);
            assert!(!forms.showed(&headers, &Parameters::parse(&format!("csrf={text}")).unwrap()));
        }
    }
}
