//! What a browser posts to the assertion consumer service (SAML Bindings §3.5.4).

use std::fmt;

use super::MAX_RELAY_STATE;
use super::encoding::{decode_base64, parameter};
use crate::names::{SAML, SAMLP};
use crate::rejection::Rejection;
use crate::xml::{Document, Limits};

/// The longest body: the longest document in base64, percent-encoded.
const MAX_BODY: usize = 2 * 1024 * 1024;
const MAX_PARAMETERS: usize = 32;
/// The longest name that is looked up: SAML Core §8.3.6 has 1,024 characters.
pub(crate) const MAX_ISSUER: usize = 4 * 1024;

/// The parameters of a posted response, decoded and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseForm {
    response: Vec<u8>,
    relay_state: Option<String>,
}

impl ResponseForm {
    /// Reads the body of a POST of type `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// `saml.form_…`, `saml.response_missing`, `saml.base64_invalid`, `saml.relay_state_too_long`.
    pub fn from_body(body: &[u8]) -> Result<Self, Rejection> {
        if body.len() > MAX_BODY {
            return Err(Rejection::FormTooLarge);
        }
        let (mut response, mut relay_state) = (None, None);
        for (index, piece) in body.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).enumerate() {
            if index == MAX_PARAMETERS {
                return Err(Rejection::FormTooLarge);
            }
            let (name, value) = parameter(piece).ok_or(Rejection::FormMalformed)?;
            let slot = match name.as_ref() {
                "SAMLResponse" => &mut response,
                "RelayState" => &mut relay_state,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Rejection::FormAmbiguous);
            }
        }
        let response = response.ok_or(Rejection::ResponseMissing)?;
        Self::new(&response, relay_state.as_deref())
    }

    /// Takes the two parameters, percent-decoded already, `SAMLResponse` still in base64.
    ///
    /// # Errors
    /// `saml.form_too_large`, `saml.response_missing`, `saml.base64_invalid`, `saml.relay_state_too_long`.
    pub fn new(response: &str, relay_state: Option<&str>) -> Result<Self, Rejection> {
        if response.len() > MAX_BODY {
            return Err(Rejection::FormTooLarge);
        }
        if response.is_empty() {
            return Err(Rejection::ResponseMissing);
        }
        if relay_state.is_some_and(|state| state.len() > MAX_RELAY_STATE) {
            return Err(Rejection::RelayStateTooLong);
        }
        let relay_state = relay_state.filter(|state| !state.is_empty()).map(str::to_owned);
        Ok(Self { response: decode_base64(response.as_bytes())?, relay_state })
    }

    /// Returns the document.
    #[must_use]
    pub fn response(&self) -> &[u8] {
        &self.response
    }

    /// Returns `RelayState`. For a sign-in that was begun here it is the handle by which the sign-in is found; it is never
    /// an address to go to.
    #[must_use]
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// Reads who claims to speak, so that an application with several connections at one address can choose among them.
    /// Nothing here is proved: whoever is chosen by it verifies it again.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<String> {
        let document = Document::parse(&self.response, &Limits::default()).ok()?;
        let root = document.root();
        let issuer = |holder: crate::xml::Element<'_>| {
            let issuer = holder.children().find(|child| child.is(SAML, "Issuer"))?.only_text()?;
            // nobody's name, and nothing to look up
            (issuer.len() <= MAX_ISSUER).then(|| issuer.into_owned())
        };
        let assertion = || root.children().find(|child| child.is(SAML, "Assertion")).and_then(issuer);
        root.is(SAMLP, "Response").then(|| issuer(root).or_else(assertion)).flatten()
    }
}

/// Shows nothing of the response.
impl fmt::Debug for ResponseForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseForm(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_browser_posts() {
        let form =
            ResponseForm::from_body(b"SAMLResponse=PGEv%0D%0APg%3D%3D&RelayState=a+b&other=1").unwrap();
        assert_eq!(form.response(), b"<a/>");
        assert_eq!(form.relay_state(), Some("a b"));
        assert!(!format!("{form:?}").contains('b'));
        assert_eq!(
            ResponseForm::from_body(b"SAMLResponse=PGEvPg%3D%3D&RelayState=").unwrap().relay_state(),
            None
        );
    }

    #[test]
    fn refuses_what_is_ambiguous_or_malformed() {
        let long = format!("SAMLResponse=PGEvPg%3D%3D&RelayState={}", "a".repeat(81));
        let many = "x=1&".repeat(33);
        for (body, rejection) in [
            ("", Rejection::ResponseMissing),
            ("RelayState=a", Rejection::ResponseMissing),
            ("SAMLResponse=", Rejection::ResponseMissing),
            ("SAMLResponse=PGEvPg%3D%3D&SAMLResponse=PGEvPg%3D%3D", Rejection::FormAmbiguous),
            ("SAMLResponse=PGEvPg%3D%3D&RelayState=a&Relay%53tate=b", Rejection::FormAmbiguous),
            ("SAMLResponse=%ff", Rejection::FormMalformed),
            ("SAMLResponse=*", Rejection::Base64Invalid),
            (&long, Rejection::RelayStateTooLong),
            (&many, Rejection::FormTooLarge),
        ] {
            assert_eq!(ResponseForm::from_body(body.as_bytes()), Err(rejection), "{body:.60}");
        }
        assert_eq!(ResponseForm::from_body(&vec![b'a'; MAX_BODY + 1]), Err(Rejection::FormTooLarge));
    }
}
