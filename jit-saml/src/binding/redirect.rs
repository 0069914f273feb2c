//! HTTP-Redirect: the message is compressed into the query of an address (SAML Bindings §3.4).

use std::fmt;

use super::encoding::{decode_base64, deflate, inflate, parameter, percent_encode};
use super::{Direction, MAX_RELAY_STATE};
use crate::base64_text;
use crate::rejection::Rejection;
use crate::signature::SigningKey;

/// The longest query that is read.
const MAX_QUERY: usize = 64 * 1024;
const MAX_PARAMETERS: usize = 32;
/// The only encoding that SAML defines (SAML Bindings §3.4.4).
const DEFLATE: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";

/// Writes the address that carries a message, signed when there is a key (SAML Bindings §3.4.4.1).
///
/// `None` when the message cannot be compressed or the key cannot sign.
#[must_use]
pub fn redirect_url(
    location: &str,
    direction: Direction,
    xml: &str,
    relay_state: Option<&str>,
    key: Option<&SigningKey>,
) -> Option<String> {
    let message = base64_text::encode(&deflate(xml.as_bytes())?);
    let mut query = format!("{}={}", direction.parameter(), percent_encode(&message));
    if let Some(relay_state) = relay_state {
        query.push_str("&RelayState=");
        query.push_str(&percent_encode(relay_state));
    }
    if let Some(key) = key {
        query.push_str("&SigAlg=");
        query.push_str(&percent_encode(key.algorithm()));
        let (_, signature) = key.sign_detached(query.as_bytes()).ok()?;
        query.push_str("&Signature=");
        query.push_str(&percent_encode(&base64_text::encode(&signature)));
    }
    let joint = match location.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    Some(format!("{location}{joint}{query}"))
}

/// A message that came in a query, read and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct RedirectMessage {
    direction: Direction,
    xml: Vec<u8>,
    relay_state: Option<String>,
    signature: Option<DetachedSignature>,
}

/// The signature beside a message, with the octets that it covers exactly as they were received.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DetachedSignature {
    /// What was signed: the parameters in the order of SAML Bindings §3.4.4.1, encoded as their sender encoded them.
    pub octets: Vec<u8>,
    /// `SigAlg`.
    pub algorithm: String,
    /// The signature value.
    pub value: Vec<u8>,
}

impl RedirectMessage {
    /// Reads the raw query of a request, without its question mark and before anything decodes it: the signature covers
    /// the encoding as well.
    ///
    /// # Errors
    /// `saml.query_…`, `saml.message_missing`, `saml.base64_invalid`, `saml.deflate_…`, `saml.relay_state_too_long`.
    pub fn from_query(query: &str) -> Result<Self, Rejection> {
        let parameters = Parameters::split(query)?;
        let (direction, message) = match (parameters.request, parameters.response) {
            (Some(message), None) => (Direction::Request, message),
            (None, Some(message)) => (Direction::Response, message),
            (Some(_), Some(_)) => return Err(Rejection::QueryAmbiguous),
            (None, None) => return Err(Rejection::MessageMissing),
        };
        if parameters.encoding.is_some_and(|encoding| encoding.value != DEFLATE) {
            return Err(Rejection::EncodingUnsupported);
        }
        if parameters.relay_state.as_ref().is_some_and(|state| state.value.len() > MAX_RELAY_STATE) {
            return Err(Rejection::RelayStateTooLong);
        }
        let signature = match (parameters.algorithm, parameters.signature) {
            (None, None) => None,
            (Some(algorithm), Some(signature)) => Some(DetachedSignature {
                octets: covered(message.raw, parameters.relay_state.as_ref(), algorithm.raw),
                algorithm: algorithm.value,
                value: decode_base64(signature.value.as_bytes())?,
            }),
            _ => return Err(Rejection::QueryMalformed),
        };
        let xml = inflate(&decode_base64(message.value.as_bytes())?)?;
        let relay_state = parameters.relay_state.map(|state| state.value);
        Ok(Self { direction, xml, relay_state, signature })
    }

    /// Tells whether this asks or answers.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the message.
    #[must_use]
    pub fn xml(&self) -> &[u8] {
        &self.xml
    }

    /// Returns `RelayState`, to be sent back as it is.
    #[must_use]
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// Returns the signature, if there is one.
    #[must_use]
    pub const fn signature(&self) -> Option<&DetachedSignature> {
        self.signature.as_ref()
    }
}

fn covered(message: &str, relay_state: Option<&Parameter<'_>>, algorithm: &str) -> Vec<u8> {
    let mut octets = message.as_bytes().to_vec();
    for raw in relay_state.map(|state| state.raw).into_iter().chain([algorithm]) {
        octets.push(b'&');
        octets.extend_from_slice(raw.as_bytes());
    }
    octets
}

/// One parameter, as it was received and as it reads.
struct Parameter<'q> {
    raw: &'q str,
    value: String,
}

#[derive(Default)]
struct Parameters<'q> {
    request: Option<Parameter<'q>>,
    response: Option<Parameter<'q>>,
    relay_state: Option<Parameter<'q>>,
    encoding: Option<Parameter<'q>>,
    algorithm: Option<Parameter<'q>>,
    signature: Option<Parameter<'q>>,
}

impl<'q> Parameters<'q> {
    fn split(query: &'q str) -> Result<Self, Rejection> {
        if query.len() > MAX_QUERY || query.split('&').count() > MAX_PARAMETERS {
            return Err(Rejection::QueryTooLarge);
        }
        let mut found = Self::default();
        for raw in query.split('&').filter(|raw| !raw.is_empty()) {
            let (name, value) = parameter(raw.as_bytes()).ok_or(Rejection::QueryMalformed)?;
            let Some(slot) = found.slot(&name) else { continue };
            if slot.is_some() {
                return Err(Rejection::QueryAmbiguous);
            }
            // a name that is written in another way is another octet string to sign, and the same name to a framework
            if raw.split('=').next() != Some(name.as_ref()) {
                return Err(Rejection::QueryMalformed);
            }
            *slot = Some(Parameter { raw, value: value.into_owned() });
        }
        Ok(found)
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Parameter<'q>>> {
        Some(match name {
            "SAMLRequest" => &mut self.request,
            "SAMLResponse" => &mut self.response,
            "RelayState" => &mut self.relay_state,
            "SAMLEncoding" => &mut self.encoding,
            "SigAlg" => &mut self.algorithm,
            "Signature" => &mut self.signature,
            _ => return None,
        })
    }
}

/// Shows nothing of the message.
impl fmt::Debug for RedirectMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedirectMessage")
            .field("direction", &self.direction)
            .field("signed", &self.signature.is_some())
            .finish_non_exhaustive()
    }
}

/// Shows the algorithm only.
impl fmt::Debug for DetachedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedSignature").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(url: &str) -> &str {
        url.split_once('?').unwrap().1
    }

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        let url = redirect_url(
            "https://idp.example.org/sso",
            Direction::Request,
            "<a b='c&amp;'/>",
            Some("x y"),
            None,
        );
        let url = url.unwrap();
        assert!(url.starts_with("https://idp.example.org/sso?SAMLRequest="));
        let message = RedirectMessage::from_query(query(&url)).unwrap();
        assert_eq!(message.xml(), b"<a b='c&amp;'/>");
        assert_eq!(message.direction(), Direction::Request);
        assert_eq!(message.relay_state(), Some("x y"));
        assert_eq!(message.signature(), None);
        for (location, start) in
            [("https://i/?t=1", "https://i/?t=1&SAML"), ("https://i/?", "https://i/?SAML")]
        {
            let url = redirect_url(location, Direction::Response, "<a/>", None, None).unwrap();
            assert!(url.starts_with(start), "{url}");
        }
    }

    #[test]
    fn the_signed_octets_are_those_received() {
        let url = redirect_url("https://i/", Direction::Response, "<a/>", None, None).unwrap();
        let message = query(&url);
        let odd = format!("Signature=AAAA&SigAlg=urn%3ax%3A&extra=1&RelayState=%61+b&{message}");
        let read = RedirectMessage::from_query(&odd).unwrap();
        let signature = read.signature().unwrap();
        assert_eq!(signature.octets, format!("{message}&RelayState=%61+b&SigAlg=urn%3ax%3A").into_bytes());
        assert_eq!((signature.algorithm.as_str(), signature.value.as_slice()), ("urn:x:", &[0; 3][..]));
        assert_eq!(read.relay_state(), Some("a b"));
    }

    #[test]
    fn what_is_ambiguous_or_malformed_is_refused() {
        let url = redirect_url("https://i/", Direction::Request, "<a/>", None, None).unwrap();
        let message = query(&url);
        for (query, rejection) in [
            (String::new(), Rejection::MessageMissing),
            ("RelayState=a".to_owned(), Rejection::MessageMissing),
            (format!("{message}&{message}"), Rejection::QueryAmbiguous),
            (format!("{message}&SAMLResponse=AA"), Rejection::QueryAmbiguous),
            (format!("{message}&RelayState=a&RelayState=b"), Rejection::QueryAmbiguous),
            (format!("{message}&Relay%53tate=a"), Rejection::QueryMalformed),
            (format!("{message}&RelayState=%ff"), Rejection::QueryMalformed),
            (format!("{message}&SigAlg=a"), Rejection::QueryMalformed),
            (format!("{message}&Signature=AAAA"), Rejection::QueryMalformed),
            (format!("{message}&SAMLEncoding=urn:other"), Rejection::EncodingUnsupported),
            (format!("{message}&RelayState={}", "a".repeat(81)), Rejection::RelayStateTooLong),
            ("SAMLRequest=*".to_owned(), Rejection::Base64Invalid),
            ("SAMLRequest=AAAA".to_owned(), Rejection::DeflateInvalid),
            ("a&".repeat(33), Rejection::QueryTooLarge),
            ("a".repeat(MAX_QUERY + 1), Rejection::QueryTooLarge),
        ] {
            assert_eq!(RedirectMessage::from_query(&query), Err(rejection), "{query:.80}");
        }
    }

    #[test]
    fn shows_nothing_of_the_message() {
        let url = redirect_url("https://i/", Direction::Request, "<secret/>", Some("secret"), None).unwrap();
        let message = RedirectMessage::from_query(query(&url)).unwrap();
        assert!(!format!("{message:?}").contains("secret"));
    }
}
