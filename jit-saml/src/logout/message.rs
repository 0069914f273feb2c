//! Messages of a sign-out as they arrive, and the proof of who sent them.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use url::form_urlencoded;

use super::rejection::LogoutRejection;
use crate::base64_text;
use crate::binding::form::MAX_ISSUER;
use crate::binding::{Binding, DetachedSignature, Direction, MAX_RELAY_STATE, RedirectMessage};
use crate::crypto::CryptoProvider;
use crate::idp::TrustedIdp;
use crate::names::{SAML, SAMLP};
use crate::rejection::Rejection;
use crate::signature::{signature_of, verify, verify_detached};
use crate::xml::{Document, Element, Limits};

/// The longest form: a message has a few kilobytes.
const MAX_FORM: usize = 256 * 1024;
const MAX_PARAMETERS: usize = 32;

/// A message that came by the browser, read and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct LogoutMessage {
    binding: Binding,
    direction: Direction,
    xml: Vec<u8>,
    relay_state: Option<String>,
    detached: Option<DetachedSignature>,
}

impl LogoutMessage {
    /// Reads the raw query of a GET request, without its question mark and before anything decodes it.
    ///
    /// # Errors
    /// Those of [`RedirectMessage::from_query`].
    pub fn from_query(query: &str) -> Result<Self, LogoutRejection> {
        let message = RedirectMessage::from_query(query)?;
        Ok(Self {
            binding: Binding::Redirect,
            direction: message.direction(),
            xml: message.xml().to_vec(),
            relay_state: message.relay_state().map(str::to_owned),
            detached: message.signature().cloned(),
        })
    }

    /// Reads the body of a POST request of type `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// `saml.form_too_large`, `saml.form_ambiguous`, `saml.message_missing`, `saml.base64_invalid`,
    /// `saml.relay_state_too_long`.
    pub fn from_form(body: &[u8]) -> Result<Self, LogoutRejection> {
        if body.len() > MAX_FORM || body.split(|byte| *byte == b'&').count() > MAX_PARAMETERS {
            return Err(Rejection::FormTooLarge.into());
        }
        let (mut request, mut response, mut relay_state) = (None, None, None);
        for (name, value) in form_urlencoded::parse(body) {
            let slot = match name.as_ref() {
                "SAMLRequest" => &mut request,
                "SAMLResponse" => &mut response,
                "RelayState" => &mut relay_state,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Rejection::FormAmbiguous.into());
            }
        }
        let (direction, message) = match (request, response) {
            (Some(message), None) => (Direction::Request, message),
            (None, Some(message)) => (Direction::Response, message),
            (Some(_), Some(_)) => return Err(Rejection::FormAmbiguous.into()),
            (None, None) => return Err(Rejection::MessageMissing.into()),
        };
        if relay_state.as_ref().is_some_and(|state| state.len() > MAX_RELAY_STATE) {
            return Err(Rejection::RelayStateTooLong.into());
        }
        let xml = base64_text::decode(message.as_bytes()).ok_or(Rejection::Base64Invalid)?;
        Ok(Self { binding: Binding::Post, direction, xml, relay_state, detached: None })
    }

    /// Tells how it came.
    #[must_use]
    pub const fn binding(&self) -> Binding {
        self.binding
    }

    /// Tells whether it asks or answers.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns `RelayState`. In a form no signature covers it.
    #[must_use]
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// Reads who claims to speak, to choose the keys that will prove it.
    ///
    /// # Errors
    /// `saml.xml_…`, `saml.logout_root`, `saml.logout_issuer_missing`.
    pub fn unverified_issuer(&self) -> Result<String, LogoutRejection> {
        let document = self.document()?;
        let issuer = document.root().children().find(|child| child.is(SAML, "Issuer"));
        let issuer =
            issuer.and_then(Element::only_text).filter(|issuer| (1..=MAX_ISSUER).contains(&issuer.len()));
        issuer.map(Cow::into_owned).ok_or(LogoutRejection::IssuerMissing)
    }

    /// Proves that a provider sent the message and returns the octets that were signed, the only ones to be read.
    pub(super) fn authenticated(
        &self,
        idp: &TrustedIdp,
        now: DateTime<Utc>,
        crypto: &dyn CryptoProvider,
    ) -> Result<Cow<'_, [u8]>, LogoutRejection> {
        let document = self.document()?;
        let signatures = document.signatures().count();
        match self.binding {
            Binding::Redirect => {
                let detached = self.detached.as_ref().ok_or(LogoutRejection::Unsigned)?;
                if signatures != 0 {
                    return Err(LogoutRejection::SignatureMisplaced);
                }
                let DetachedSignature { octets, algorithm, value } = detached;
                verify_detached(octets, algorithm, value, idp.keys(), idp.signature_rules(), now, crypto)?;
                Ok(Cow::Borrowed(&self.xml))
            }
            Binding::Post => {
                if signature_of(document.root()).is_none() {
                    return Err(LogoutRejection::Unsigned);
                }
                if signatures != 1 {
                    return Err(LogoutRejection::SignatureMisplaced);
                }
                let signed = verify(document.root(), idp.keys(), idp.signature_rules(), now, crypto)?;
                Ok(Cow::Owned(signed.octets().to_vec()))
            }
        }
    }

    /// Returns the message as it came, for the switch that believes unsigned responses. A signature that is there must have
    /// been verified, so none may be there.
    pub(super) fn unsigned(&self) -> Result<&[u8], LogoutRejection> {
        if self.detached.is_some() || self.document()?.signatures().next().is_some() {
            return Err(LogoutRejection::SignatureMisplaced);
        }
        Ok(&self.xml)
    }

    /// Tells whether it comes with a signature of any kind.
    pub(super) fn is_signed(&self) -> Result<bool, LogoutRejection> {
        Ok(self.detached.is_some() || self.document()?.signatures().next().is_some())
    }

    fn document(&self) -> Result<Document<'_>, LogoutRejection> {
        let document = Document::parse(&self.xml, &Limits::default())?;
        let name = match self.direction {
            Direction::Request => "LogoutRequest",
            Direction::Response => "LogoutResponse",
        };
        if document.root().is(SAMLP, name) { Ok(document) } else { Err(LogoutRejection::Root) }
    }
}

/// Shows nothing of the message.
impl fmt::Debug for LogoutMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutMessage")
            .field("binding", &self.binding)
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}
