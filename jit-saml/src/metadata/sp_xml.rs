//! How the metadata of the service provider is written, in the order that the schema wants (SAML Metadata §2).

use super::extensions::{Localized, Logo, UserInterface};
use super::names::{ALG, IDPDISC, MD, MDATTR, MDUI, NAME_FORMAT_URI, PROTOCOL};
use super::sp::SpMetadata;
use super::sp_parts::{AttributeService, Contact, ContactKind, Organization, SubjectId};
use crate::base64_text;
use crate::binding::Binding;
use crate::names::{DS, SAML};
use crate::time::written;
use crate::xml::writer::Writer;

/// SAML V2.0 Subject Identifier Attributes §2.4.
const SUBJECT_ID_REQUIREMENT: &str = "urn:oasis:names:tc:SAML:profiles:subject-id:req";
const REMD: &str = "http://refeds.org/metadata";
const SECURITY_CONTACT: &str = "http://refeds.org/metadata/contactType/security";
/// What assertions may be encrypted with, the best first.
const ENCRYPTION_METHODS: &[&str] = &[
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
];
/// What is accepted in signatures (IIP-MD09).
const DIGEST_METHODS: &[&str] = &[
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];
const SIGNING_METHODS: &[&str] = &[
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];

/// Writes the `EntityDescriptor`.
pub(super) fn document(sp: &SpMetadata, id: Option<&str>) -> String {
    let end = sp.valid_until.map(written);
    let span = sp.cache_duration.map(|span| format!("PT{}S", span.num_seconds().max(0)));
    Writer::new()
        .open("md:EntityDescriptor")
        .attribute("xmlns:md", MD)
        .optional("ID", id)
        .attribute("entityID", &sp.entity_id)
        .optional("validUntil", end.as_deref())
        .optional("cacheDuration", span.as_deref())
        .with(|writer| entity_extensions(writer, sp.subject_id))
        .with(|writer| role(writer, sp))
        .with(|writer| organization(writer, sp.organization.as_ref()))
        .with(|writer| sp.contacts.iter().fold(writer, contact))
        .finish()
}

fn entity_extensions(writer: Writer, subject_id: Option<SubjectId>) -> Writer {
    let writer = writer.open("md:Extensions").attribute("xmlns:alg", ALG);
    let writer = DIGEST_METHODS.iter().fold(writer, |writer, method| {
        writer.open("alg:DigestMethod").attribute("Algorithm", method).close()
    });
    let writer = SIGNING_METHODS.iter().fold(writer, |writer, method| {
        writer.open("alg:SigningMethod").attribute("Algorithm", method).close()
    });
    let Some(requirement) = subject_id else { return writer.close() };
    writer
        .open("mdattr:EntityAttributes")
        .attribute("xmlns:mdattr", MDATTR)
        .open("saml:Attribute")
        .attribute("xmlns:saml", SAML)
        .attribute("Name", SUBJECT_ID_REQUIREMENT)
        .attribute("NameFormat", NAME_FORMAT_URI)
        .leaf("saml:AttributeValue", requirement.as_str())
        .close()
        .close()
        .close()
}

fn role(writer: Writer, sp: &SpMetadata) -> Writer {
    let (signs, wants) = (sp.signs_requests.to_string(), sp.wants_signed_assertions.to_string());
    let writer = writer
        .open("md:SPSSODescriptor")
        .attribute("AuthnRequestsSigned", &signs)
        .attribute("WantAssertionsSigned", &wants)
        .attribute("protocolSupportEnumeration", PROTOCOL)
        .with(|writer| role_extensions(writer, sp));
    let writer = sp.signing.iter().fold(writer, |writer, der| key(writer, "signing", der, &[]));
    let writer =
        sp.encryption.iter().fold(writer, |writer, der| key(writer, "encryption", der, ENCRYPTION_METHODS));
    let writer = sp.single_logout.iter().fold(writer, |writer, endpoint| {
        let binding = endpoint.binding.uri();
        let writer = writer.open("md:SingleLogoutService").attribute("Binding", binding);
        writer.attribute("Location", &endpoint.location).close()
    });
    let writer =
        sp.name_id_formats.iter().fold(writer, |writer, format| writer.leaf("md:NameIDFormat", format));
    let writer = (0..).zip(&sp.assertion_consumers).fold(writer, assertion_consumer);
    (0..).zip(&sp.attribute_services).fold(writer, attribute_service).close()
}

fn role_extensions(writer: Writer, sp: &SpMetadata) -> Writer {
    if sp.discovery.is_empty() && sp.user_interface == UserInterface::default() {
        return writer;
    }
    let writer = writer.open("md:Extensions").with(|writer| user_interface(writer, &sp.user_interface));
    let discovery = |writer: Writer, (index, address): (u16, &String)| {
        writer
            .open("idpdisc:DiscoveryResponse")
            .attribute("xmlns:idpdisc", IDPDISC)
            .attribute("Binding", IDPDISC)
            .attribute("Location", address)
            .attribute("index", &index.to_string())
            .close()
    };
    (0..).zip(&sp.discovery).fold(writer, discovery).close()
}

fn user_interface(writer: Writer, ui: &UserInterface) -> Writer {
    if *ui == UserInterface::default() {
        return writer;
    }
    let writer = writer.open("mdui:UIInfo").attribute("xmlns:mdui", MDUI);
    let writer = texts(writer, "mdui:DisplayName", &ui.display_names);
    let writer = texts(writer, "mdui:Description", &ui.descriptions);
    let writer = ui.logos.iter().fold(writer, logo);
    let writer = texts(writer, "mdui:InformationURL", &ui.information_urls);
    texts(writer, "mdui:PrivacyStatementURL", &ui.privacy_statement_urls).close()
}

fn logo(writer: Writer, logo: &Logo) -> Writer {
    writer
        .open("mdui:Logo")
        .attribute("height", &logo.height.unwrap_or(1).to_string())
        .attribute("width", &logo.width.unwrap_or(1).to_string())
        .optional("xml:lang", logo.language.as_deref())
        .text(&logo.address)
        .close()
}

fn key(writer: Writer, purpose: &str, certificate: &[u8], methods: &[&str]) -> Writer {
    let writer = writer
        .open("md:KeyDescriptor")
        .attribute("use", purpose)
        .open("ds:KeyInfo")
        .attribute("xmlns:ds", DS)
        .open("ds:X509Data")
        .leaf("ds:X509Certificate", &base64_text::encode(certificate))
        .close()
        .close();
    let method = |writer: Writer, method: &&str| {
        writer.open("md:EncryptionMethod").attribute("Algorithm", method).close()
    };
    methods.iter().fold(writer, method).close()
}

fn assertion_consumer(writer: Writer, (index, address): (u16, &String)) -> Writer {
    let writer = writer
        .open("md:AssertionConsumerService")
        .attribute("Binding", Binding::Post.uri())
        .attribute("Location", address)
        .attribute("index", &index.to_string());
    first_is_default(writer, index).close()
}

fn attribute_service(writer: Writer, (index, service): (u16, &AttributeService)) -> Writer {
    let writer = writer.open("md:AttributeConsumingService").attribute("index", &index.to_string());
    let writer = first_is_default(writer, index);
    let writer = texts(writer, "md:ServiceName", &service.names);
    let writer = texts(writer, "md:ServiceDescription", &service.descriptions);
    let requested = service.attributes.iter().fold(writer, |writer, attribute| {
        writer
            .open("md:RequestedAttribute")
            .attribute("Name", &attribute.name)
            .optional("NameFormat", attribute.name_format.as_deref())
            .optional("FriendlyName", attribute.friendly_name.as_deref())
            .optional("isRequired", attribute.required.then_some("true"))
            .close()
    });
    requested.close()
}

fn first_is_default(writer: Writer, index: u16) -> Writer {
    writer.optional("isDefault", (index == 0).then_some("true"))
}

fn organization(writer: Writer, organization: Option<&Organization>) -> Writer {
    let Some(organization) = organization else { return writer };
    let writer = writer.open("md:Organization");
    let writer = texts(writer, "md:OrganizationName", &organization.names);
    let writer = texts(writer, "md:OrganizationDisplayName", &organization.display_names);
    texts(writer, "md:OrganizationURL", &organization.urls).close()
}

fn contact(writer: Writer, contact: &Contact) -> Writer {
    let writer = writer.open("md:ContactPerson").attribute("contactType", contact.kind.schema_type());
    let writer = match contact.kind {
        ContactKind::Security => {
            writer.attribute("xmlns:remd", REMD).attribute("remd:contactType", SECURITY_CONTACT)
        }
        _ => writer,
    };
    let leaf = |writer: Writer, name: &str, text: Option<&String>| match text {
        Some(text) => writer.leaf(name, text),
        None => writer,
    };
    let writer = leaf(writer, "md:GivenName", contact.given_name.as_ref());
    let writer = leaf(writer, "md:SurName", contact.surname.as_ref());
    let emails = contact.emails.iter();
    emails.fold(writer, |writer, email| writer.leaf("md:EmailAddress", &mailto(email))).close()
}

/// The schema wants a URI.
fn mailto(email: &str) -> String {
    if email.starts_with("mailto:") { email.to_owned() } else { format!("mailto:{email}") }
}

fn texts(writer: Writer, name: &str, texts: &[Localized]) -> Writer {
    texts.iter().fold(writer, |writer, localized| {
        writer.open(name).attribute("xml:lang", &localized.language).text(&localized.text).close()
    })
}
