//! Responses as a provider writes them, before and after it signs.

use jit_saml::signature::{SigningKey, sign_enveloped};

use super::key;

pub(crate) const RESPONSE: &str = concat!(
    r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" "#,
    r#"xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response1" Version="2.0" "#,
    r#"IssueInstant="2027-01-15T12:00:00Z" Destination="https://sp.example.com/saml/acs" InResponseTo="_request1">"#,
    "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>",
    r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>"#,
    "{assertion}</samlp:Response>",
);

pub(crate) const ASSERTION: &str = concat!(
    r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" "#,
    r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema" "#,
    r#"ID="_assertion1" Version="2.0" IssueInstant="2027-01-15T12:00:00Z">"#,
    "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>",
    "<saml:Subject>",
    r#"<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">a1b2c3</saml:NameID>"#,
    r#"<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">"#,
    r#"<saml:SubjectConfirmationData NotOnOrAfter="2027-01-15T12:05:00Z" "#,
    r#"Recipient="https://sp.example.com/saml/acs" InResponseTo="_request1"/></saml:SubjectConfirmation>"#,
    "</saml:Subject>",
    r#"<saml:Conditions NotBefore="2027-01-15T11:59:30Z" NotOnOrAfter="2027-01-15T12:10:00Z">"#,
    "<saml:AudienceRestriction><saml:Audience>https://sp.example.com/saml</saml:Audience></saml:AudienceRestriction>",
    "</saml:Conditions>",
    r#"<saml:AuthnStatement AuthnInstant="2027-01-15T11:58:00Z" SessionIndex="_session1" "#,
    r#"SessionNotOnOrAfter="2027-01-15T20:00:00Z"><saml:AuthnContext>"#,
    "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>",
    r#"<saml:AttributeStatement><saml:Attribute Name="mail" "#,
    r#"NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic" FriendlyName="E-mail">"#,
    r#"<saml:AttributeValue xsi:type="xs:string">ada@example.org</saml:AttributeValue></saml:Attribute>"#,
    r#"<saml:Attribute Name="groups"><saml:AttributeValue>staff</saml:AttributeValue>"#,
    "<saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>",
    "</saml:Assertion>",
);

/// A response that is being written.
#[derive(Clone)]
pub(crate) struct Draft {
    /// The response with a place for the assertion.
    pub(crate) response: String,
    pub(crate) assertion: String,
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self { response: RESPONSE.to_owned(), assertion: ASSERTION.to_owned() }
    }

    /// Replaces a text in the assertion before it is signed.
    pub(crate) fn assertion(mut self, from: &str, to: &str) -> Self {
        assert!(self.assertion.contains(from), "the assertion holds no {from}");
        self.assertion = self.assertion.replacen(from, to, 1);
        self
    }

    /// Replaces a text in the response before it is signed.
    pub(crate) fn response(mut self, from: &str, to: &str) -> Self {
        assert!(self.response.contains(from), "the response holds no {from}");
        self.response = self.response.replacen(from, to, 1);
        self
    }

    /// Adds to the attributes.
    pub(crate) fn attributes(self, attributes: &str) -> Self {
        self.assertion("<saml:AttributeStatement>", &format!("<saml:AttributeStatement>{attributes}"))
    }

    /// Puts the assertion into the response; nothing is signed.
    pub(crate) fn plain(&self) -> String {
        self.with(&self.assertion)
    }

    /// Signs the assertion.
    pub(crate) fn signed(&self) -> String {
        self.signed_by(key())
    }

    pub(crate) fn signed_by(&self, key: &SigningKey) -> String {
        self.with(&self.signed_assertion(key))
    }

    /// Signs the response.
    pub(crate) fn response_signed(&self) -> String {
        sign_enveloped(&self.plain(), "_response1", key(), None).unwrap()
    }

    /// Signs the assertion and the response.
    pub(crate) fn both_signed(&self) -> String {
        sign_enveloped(&self.signed(), "_response1", key(), None).unwrap()
    }

    pub(crate) fn signed_assertion(&self, key: &SigningKey) -> String {
        sign_enveloped(&self.assertion, "_assertion1", key, None).unwrap()
    }

    /// Puts something in the place of the assertion.
    pub(crate) fn with(&self, payload: &str) -> String {
        self.response.replace("{assertion}", payload)
    }
}
