//! The request for a sign-in (SAML Core §3.4.1, SAML Profiles §4.1.4.1).

use chrono::{DateTime, Utc};
use jit_core::{BackendError, Entropy};

use crate::binding::{Binding, Direction, Endpoint, Outbound, PostForm, redirect_url};
use crate::names::{BINDING_POST, SAML, SAMLP};
use crate::signature::{SigningKey, sign_enveloped};
use crate::time::written;
use crate::xml::writer::Writer;

/// 160 bits, as SAML Core §1.3.4 recommends.
const ID_BYTES: usize = 20;

/// A request for a sign-in. What is not set is not said: a provider then does what it does for everybody.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuthnRequest<'a> {
    /// Its id, which the response must name.
    pub id: &'a str,
    /// When it was made.
    pub issue_instant: DateTime<Utc>,
    /// Where it goes, exactly as the provider writes it.
    pub destination: &'a str,
    /// Who asks.
    pub issuer: &'a str,
    /// Where the answer goes, exactly as our metadata writes it (SDP-SP06).
    pub acs_url: &'a str,
    /// The ways to sign in that are demanded, any of them and exactly (SDP-SP07).
    pub contexts: &'a [String],
    /// Whether the person must sign in again although there is a session.
    pub force_authn: bool,
    /// Whether the provider must not show anything.
    pub is_passive: bool,
    /// The format of the `NameID` that is asked for. Without it and without `allow_create` no `NameIDPolicy` is written
    /// (SDP-SP04).
    pub name_id_format: Option<&'a str>,
    /// Whether a `NameIDPolicy` is written although no format is asked for, which lets the provider make a name for whoever
    /// has none there yet (SAML Core §3.4.1.1, IIP-SP03).
    pub allow_create: bool,
}

impl<'a> AuthnRequest<'a> {
    /// Asks for a sign-in and for nothing special about it.
    #[must_use]
    pub const fn new(
        id: &'a str,
        issue_instant: DateTime<Utc>,
        destination: &'a str,
        issuer: &'a str,
        acs_url: &'a str,
    ) -> Self {
        Self {
            id,
            issue_instant,
            destination,
            issuer,
            acs_url,
            contexts: &[],
            force_authn: false,
            is_passive: false,
            name_id_format: None,
            allow_create: false,
        }
    }

    /// Writes the request.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let flag = |set: bool| set.then_some("true");
        let request = Writer::new()
            .open("samlp:AuthnRequest")
            .attribute("xmlns:samlp", SAMLP)
            .attribute("xmlns:saml", SAML)
            .attribute("ID", self.id)
            .attribute("Version", "2.0")
            .attribute("IssueInstant", &written(self.issue_instant))
            .attribute("Destination", self.destination)
            .optional("ForceAuthn", flag(self.force_authn))
            .optional("IsPassive", flag(self.is_passive))
            .attribute("ProtocolBinding", BINDING_POST)
            .attribute("AssertionConsumerServiceURL", self.acs_url)
            .leaf("saml:Issuer", self.issuer);
        let request = match self.name_id_format {
            None if !self.allow_create => request,
            format => request
                .open("samlp:NameIDPolicy")
                .optional("Format", format)
                .attribute("AllowCreate", "true")
                .close(),
        };
        if self.contexts.is_empty() {
            return request.finish();
        }
        let demanded = request.open("samlp:RequestedAuthnContext").attribute("Comparison", "exact");
        let add = |demanded: Writer, context: &String| demanded.leaf("saml:AuthnContextClassRef", context);
        self.contexts.iter().fold(demanded, add).finish()
    }

    /// Writes the message that carries the request, signed when there is a key: beside the message in a query, within it
    /// in a form. `None` when the key cannot sign.
    #[must_use]
    pub fn send(
        &self,
        endpoint: &Endpoint,
        relay_state: &str,
        key: Option<&SigningKey>,
        certificate: Option<&[u8]>,
    ) -> Option<Outbound> {
        let xml = self.to_xml();
        match (endpoint.binding, key) {
            (Binding::Redirect, key) => {
                redirect_url(&endpoint.location, Direction::Request, &xml, Some(relay_state), key)
                    .map(Outbound::Redirect)
            }
            (Binding::Post, key) => {
                let xml = match key {
                    Some(key) => sign_enveloped(&xml, self.id, key, certificate).ok()?,
                    None => xml,
                };
                let relay_state = Some(relay_state.to_owned());
                let form = PostForm::new(endpoint.location.clone(), Direction::Request, &xml, relay_state);
                Some(Outbound::Post(form))
            }
        }
    }
}

/// Draws the id of a message: 160 bits that nobody can guess, in the form of an XML name.
///
/// # Errors
/// `store.unavailable` when there is no randomness.
pub fn new_id(entropy: &dyn Entropy) -> Result<String, BackendError> {
    let mut bytes = [0; ID_BYTES];
    entropy.fill(&mut bytes)?;
    let hex = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let digits = bytes.iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]);
    Ok(std::iter::once('_').chain(digits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Document, Limits};
    use jit_core::SystemEntropy;

    #[test]
    fn ids_are_names_of_160_bits() {
        let (one, other) = (new_id(&SystemEntropy).unwrap(), new_id(&SystemEntropy).unwrap());
        assert_ne!(one, other);
        assert!(one.starts_with('_') && one.len() == 41);
        assert!(one.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_plain_request_says_nothing_that_it_need_not() {
        let now = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
        let request = AuthnRequest::new(
            "_1",
            now,
            "https://idp.example.org/sso",
            "https://sp/?a=1&b",
            "https://sp/acs",
        );
        let xml = request.to_xml();
        let document = Document::parse(xml.as_bytes(), &Limits::default()).unwrap();
        let root = document.root();
        assert!(root.is(SAMLP, "AuthnRequest"));
        assert_eq!(root.attribute("IssueInstant"), Some("2027-01-15T12:00:00Z"));
        assert_eq!(root.attribute("AssertionConsumerServiceURL"), Some("https://sp/acs"));
        for absent in ["ForceAuthn", "IsPassive", "AssertionConsumerServiceIndex"] {
            assert_eq!(root.attribute(absent), None);
        }
        let children: Vec<_> = root.children().collect();
        assert_eq!(children.len(), 1);
        assert_eq!(children[0].only_text().unwrap(), "https://sp/?a=1&b");
    }

    #[test]
    fn a_name_of_any_format_can_be_made_where_that_is_asked_for() {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let request = AuthnRequest::new("_1", now, "https://idp", "sp", "https://sp/acs");
        for (format, allow_create, written) in [
            (None, false, None),
            (None, true, Some("<samlp:NameIDPolicy AllowCreate=\"true\"")),
            (Some("urn:f"), true, Some("<samlp:NameIDPolicy Format=\"urn:f\" AllowCreate=\"true\"")),
        ] {
            let xml = AuthnRequest { name_id_format: format, allow_create, ..request.clone() }.to_xml();
            assert_eq!(xml.contains("NameIDPolicy"), written.is_some());
            assert!(written.is_none_or(|written| xml.contains(written)), "{xml}");
        }
    }

    #[test]
    fn demands_are_exact_and_in_the_order_of_the_schema() {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let contexts = ["urn:a".to_owned(), "urn:b".to_owned()];
        let request = AuthnRequest {
            contexts: &contexts,
            force_authn: true,
            is_passive: true,
            name_id_format: Some("urn:f"),
            ..AuthnRequest::new("_1", now, "https://idp", "sp", "https://sp/acs")
        };
        let xml = request.to_xml();
        let document = Document::parse(xml.as_bytes(), &Limits::default()).unwrap();
        let root = document.root();
        assert_eq!((root.attribute("ForceAuthn"), root.attribute("IsPassive")), (Some("true"), Some("true")));
        let locals: Vec<_> = root.children().map(|child| child.local().to_owned()).collect();
        assert_eq!(locals, ["Issuer", "NameIDPolicy", "RequestedAuthnContext"]);
        let demanded = root.children().last().unwrap();
        assert_eq!(demanded.attribute("Comparison"), Some("exact"));
        let classes: Vec<_> =
            demanded.children().map(|class| class.only_text().unwrap().into_owned()).collect();
        assert_eq!(classes, contexts);
    }
}
