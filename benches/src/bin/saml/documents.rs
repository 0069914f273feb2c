//! The responses that are measured.

use jit_saml::xml::writer::Writer;

/// The names that the documents and whoever reads them agree on.
pub(crate) const IDP: &str = "https://idp.example.com/metadata";
pub(crate) const SP: &str = "https://sp.example.com/metadata";
pub(crate) const ACS: &str = "https://sp.example.com/acs";

/// Writes a response as a provider does before it signs.
pub(crate) fn response(groups: usize) -> String {
    Writer::new()
        .open("samlp:Response")
        .attribute("xmlns:samlp", "urn:oasis:names:tc:SAML:2.0:protocol")
        .attribute("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
        .attribute("ID", "_response")
        .attribute("Version", "2.0")
        .attribute("IssueInstant", "2027-01-15T08:00:00Z")
        .attribute("Destination", ACS)
        .attribute("InResponseTo", "_request")
        .leaf("saml:Issuer", IDP)
        .open("samlp:Status")
        .open("samlp:StatusCode")
        .attribute("Value", "urn:oasis:names:tc:SAML:2.0:status:Success")
        .close()
        .close()
        .fragment(assertion(groups))
        .finish()
}

fn assertion(groups: usize) -> Writer {
    Writer::new()
        .open("saml:Assertion")
        .attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
        .attribute("xmlns:xs", "http://www.w3.org/2001/XMLSchema")
        .attribute("ID", "_assertion")
        .attribute("Version", "2.0")
        .attribute("IssueInstant", "2027-01-15T08:00:00Z")
        .leaf("saml:Issuer", IDP)
        .fragment(subject())
        .fragment(conditions())
        .fragment(statement())
        .open("saml:AttributeStatement")
        .with(|writer| {
            (0..12).fold(writer, |writer, number| {
                writer.fragment(typed_attribute(
                    &format!("urn:oid:2.5.4.{number}"),
                    &format!("value number {number}"),
                ))
            })
        })
        .fragment(attribute(
            "groups",
            (0..groups).map(|number| format!("cn=team-{number},ou=groups,ou=people,dc=example,dc=com")),
        ))
        .close()
        .close()
}

fn subject() -> Writer {
    Writer::new()
        .open("saml:Subject")
        .open("saml:NameID")
        .attribute("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")
        .attribute("SPNameQualifier", SP)
        .text("248289761001")
        .close()
        .open("saml:SubjectConfirmation")
        .attribute("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
        .open("saml:SubjectConfirmationData")
        .attribute("NotOnOrAfter", "2027-01-15T08:05:00Z")
        .attribute("Recipient", ACS)
        .attribute("InResponseTo", "_request")
        .close()
        .close()
        .close()
}

fn conditions() -> Writer {
    Writer::new()
        .open("saml:Conditions")
        .attribute("NotBefore", "2027-01-15T07:59:30Z")
        .attribute("NotOnOrAfter", "2027-01-15T08:05:00Z")
        .open("saml:AudienceRestriction")
        .leaf("saml:Audience", SP)
        .close()
        .close()
}

fn statement() -> Writer {
    Writer::new()
        .open("saml:AuthnStatement")
        .attribute("AuthnInstant", "2027-01-15T08:00:00Z")
        .attribute("SessionNotOnOrAfter", "2027-01-15T16:00:00Z")
        .attribute("SessionIndex", "_session")
        .open("saml:AuthnContext")
        .leaf(
            "saml:AuthnContextClassRef",
            "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        )
        .close()
        .close()
}

fn attribute(name: &str, values: impl IntoIterator<Item = String>) -> Writer {
    let start = Writer::new()
        .open("saml:Attribute")
        .attribute("Name", name)
        .attribute("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri");
    values.into_iter().fold(start, |writer, value| writer.leaf("saml:AttributeValue", &value)).close()
}

fn typed_attribute(name: &str, value: &str) -> Writer {
    Writer::new()
        .open("saml:Attribute")
        .attribute("Name", name)
        .attribute("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri")
        .open("saml:AttributeValue")
        .attribute("xsi:type", "xs:string")
        .text(value)
        .close()
        .close()
}
