//! Takes signed documents apart and puts others together.

use jit_saml::TrustedIdp;
use jit_saml::base64_text::encode;
use jit_saml::crypto::{AwsLc, CryptoProvider as _, DigestAlgorithm};
use jit_saml::response::{Expectations, Solicitation};
use jit_saml::signature::SigningKey;
use jit_saml::xml::{Canonicalization, Document, Element, Limits, PrefixList, canonicalize};

use crate::support::{ACS, Draft, REQUEST, SP, key, now};

pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(crate) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub(crate) const ECDSA: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
pub(crate) const ISSUER: &str = "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>";

pub(crate) fn expectations(idp: &TrustedIdp) -> Expectations<'_> {
    Expectations::new(SP, ACS, idp, Solicitation::Request(REQUEST), now(), &AwsLc)
}

/// The assertion that the attacker wants to be believed, with this `ID`.
pub(crate) fn evil(id: &str) -> String {
    let assertion = Draft::new().assertion.replace("a1b2c3", "victim").replace("staff", "root");
    assertion.replace("_assertion1", id)
}

/// Cuts out the first signature.
pub(crate) fn cut(signed: &str) -> (String, String) {
    let start = signed.find("<ds:Signature ").unwrap();
    let end = signed.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    (format!("{}{}", &signed[..start], &signed[end..]), signed[start..end].to_owned())
}

/// Puts something after the first issuer.
pub(crate) fn after_issuer(xml: &str, what: &str) -> String {
    xml.replacen(ISSUER, &format!("{ISSUER}{what}"), 1)
}

/// A signature that the provider truly makes, of whatever form.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) form: String,
    pub(crate) method: String,
    /// `@` stands for the digest.
    pub(crate) references: String,
    /// Stands after `SignatureValue`.
    pub(crate) tail: String,
}

pub(crate) fn reference(uri: &str, transforms: &[&str]) -> String {
    let transforms: Vec<_> =
        transforms.iter().map(|name| format!("<ds:Transform Algorithm=\"{name}\"/>")).collect();
    let transforms = transforms.concat();
    format!(
        "<ds:Reference{uri}><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm=\"{SHA256}\"/>\
         <ds:DigestValue>@</ds:DigestValue></ds:Reference>"
    )
}

impl Recipe {
    pub(crate) fn good() -> Self {
        Self {
            form: format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>"),
            method: format!("<ds:SignatureMethod Algorithm=\"{ECDSA}\"/>"),
            references: reference(" URI=\"#_assertion1\"", &[ENVELOPED, EXCLUSIVE]),
            tail: String::new(),
        }
    }

    pub(crate) fn references(references: &str) -> Self {
        Self { references: references.to_owned(), ..Self::good() }
    }

    pub(crate) fn method(name: &str) -> Self {
        Self { method: format!("<ds:SignatureMethod Algorithm=\"{name}\"/>"), ..Self::good() }
    }

    pub(crate) fn tail(tail: &str) -> Self {
        Self { tail: tail.to_owned(), ..Self::good() }
    }

    /// Signs the usual assertion with the provider's key and puts it into the usual response.
    pub(crate) fn response(&self) -> String {
        self.response_by(key())
    }

    pub(crate) fn response_by(&self, key: &SigningKey) -> String {
        self.response_with(|octets| key.sign_detached(octets).unwrap().1)
    }

    /// Lets anything make the signature value.
    pub(crate) fn response_with(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let draft = Draft::new();
        draft.with(&self.assertion(&draft.assertion, sign))
    }

    pub(crate) fn assertion(&self, assertion: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let digest = encode(&AwsLc.digest(DigestAlgorithm::Sha256, &canonical(assertion, |root| Some(root))));
        let info = format!("{}{}{}", self.form, self.method, self.references.replace('@', &digest));
        let signature = |value: &str| {
            format!(
                "<ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>{info}</ds:SignedInfo>\
                 <ds:SignatureValue>{value}</ds:SignatureValue>{}</ds:Signature>",
                self.tail
            )
        };
        let octets = canonical(&signature(""), |root| root.children().next());
        after_issuer(assertion, &signature(&encode(&sign(&octets))))
    }
}

pub(crate) fn canonical(xml: &str, find: impl for<'d> FnOnce(Element<'d>) -> Option<Element<'d>>) -> Vec<u8> {
    let limits =
        Limits { bytes: 1 << 26, elements: 1 << 20, nodes: 1 << 20, signatures: 9999, ..Limits::default() };
    let document = Document::parse(xml.as_bytes(), &limits).unwrap();
    canonicalize(find(document.root()).unwrap(), None, &Canonicalization::Exclusive(PrefixList::default()))
}
