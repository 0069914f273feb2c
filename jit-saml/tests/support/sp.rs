//! A service that says everything about itself.

use chrono::{DateTime, TimeDelta, Utc};
use jit_saml::binding::Binding;
use jit_saml::metadata::{
    AttributeService, Contact, ContactKind, Localized, Logo, Organization, RequestedAttribute, SpMetadata,
    SubjectId, UserInterface,
};
use jit_saml::signature::SigningKey;

use crate::certificate::certificate;

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Everything that can be said.
pub(crate) fn complete(signing: &[&SigningKey], encryption: &[&SigningKey]) -> SpMetadata {
    let english = |text: &str| Localized::new("en", text);
    let mut ui = UserInterface::default();
    ui.display_names = vec![english("Portal & more"), Localized::new("de", "Portal")];
    ui.descriptions = vec![english("<Portal>")];
    ui.information_urls = vec![english("https://sp.example.org/about")];
    ui.privacy_statement_urls = vec![english("https://sp.example.org/privacy")];
    ui.logos = vec![Logo::new("https://sp.example.org/logo.png", 64, 32)];
    let mail = RequestedAttribute::new("urn:oid:0.9.2342.19200300.100.1.3").friendly_name("mail").required();
    let group = RequestedAttribute::new("groups").name_format(None);
    let service = AttributeService::new(english("Portal"), mail).attribute(group).description(english("Why"));
    let mut metadata = SpMetadata::new("https://sp.example.org/saml", "https://sp.example.org/saml/acs")
        .assertion_consumer("https://sp.example.org/saml/acs?two=2&three=3")
        .single_logout(Binding::Redirect, "https://sp.example.org/saml/slo")
        .single_logout(Binding::Post, "https://sp.example.org/saml/slo")
        .discovery_response("https://sp.example.org/saml/discovered")
        .signs_requests()
        .name_id_format("urn:oasis:names:tc:SAML:2.0:nameid-format:transient")
        .attribute_service(service)
        .subject_id(SubjectId::PairwiseId)
        .user_interface(ui)
        .organization(Organization::new(english("Example"), english("https://example.org")))
        .contact(Contact::new(ContactKind::Technical, "saml@example.org").named("Team", Some("SAML".into())))
        .contact(Contact::new(ContactKind::Security, "mailto:security@example.org"))
        .valid_until(now() + TimeDelta::days(7))
        .cache_duration(TimeDelta::hours(6));
    for key in signing {
        metadata = metadata.signing_certificate(certificate(key));
    }
    for key in encryption {
        metadata = metadata.encryption_certificate(certificate(key));
    }
    metadata
}
