//! Metadata that its publisher did not sign as it stands.

use jit_saml::crypto::AwsLc;
use jit_saml::metadata::{MetadataPolicy, VerifiedMetadata};
use jit_saml::signature::sign_enveloped;

use crate::forge::cut;
use crate::support::{Draft, key, new_key, now, verification_key};
use crate::table::Family;

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const ENTITY: &str = "https://idp.example.org/metadata";

/// A provider whose only key is that of the publisher, which makes no difference here.
fn entity(id: &str, sign_on: &str) -> String {
    let key = jit_saml::base64_text::encode(&key().public_key_info().unwrap());
    format!(
        "<md:EntityDescriptor xmlns:md=\"{MD}\" ID=\"{id}\" entityID=\"{ENTITY}\" validUntil=\"2027-01-16T12:00:00Z\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
         <d:DEREncodedKeyValue xmlns:d=\"http://www.w3.org/2009/xmldsig11#\">{key}</d:DEREncodedKeyValue></ds:KeyInfo>\
         </md:KeyDescriptor><md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"{sign_on}\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

/// The code of the refusal, or where people would be sent.
fn read(xml: &str) -> String {
    let policy = MetadataPolicy::signed_by(vec![verification_key(key())]);
    let metadata = match VerifiedMetadata::read(xml.as_bytes(), &policy, now(), &AwsLc) {
        Ok(metadata) => metadata,
        Err(error) => return error.code().to_string(),
    };
    match metadata.descriptor(ENTITY, now()) {
        Ok(descriptor) => descriptor.single_sign_on[0].location.clone(),
        Err(error) => error.code().to_string(),
    }
}

#[test]
fn another_document_than_the_publisher_signed() {
    let mut family = Family::new("metadata");
    let (good, evil) = ("https://idp.example.org/sso", "https://evil.example/sso");
    let genuine = sign_enveloped(&entity("_m", good), "_m", key(), None).unwrap();
    let (bare, signature) = cut(&genuine);
    let (_, of_assertion) = cut(&Draft::new().signed_assertion(key()));
    let put = |xml: &str, what: &str| {
        xml.replacen("<md:IDPSSODescriptor", &format!("{what}<md:IDPSSODescriptor"), 1)
    };
    let object =
        signature.replace("</ds:Signature>", &format!("<ds:Object>{bare}</ds:Object></ds:Signature>"));
    let info =
        signature.replace("</ds:Signature>", &format!("<ds:KeyInfo>{bare}</ds:KeyInfo></ds:Signature>"));
    let extended = |what: &str| format!("<md:Extensions>{what}</md:Extensions>");
    let group = |content: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"{MD}\" ID=\"_g\" validUntil=\"2027-01-16T12:00:00Z\">{content}</md:EntitiesDescriptor>"
        )
    };
    let stranger = sign_enveloped(&entity("_m", evil), "_m", &new_key(), None).unwrap();
    let signed_group = |content: &str| sign_enveloped(&group(content), "_g", key(), None).unwrap();
    for (name, xml, found) in [
        ("as it was signed", genuine.clone(), good),
        ("another address", genuine.replace(good, evil), "saml.digest_mismatch"),
        ("no signature", bare.clone(), "saml.metadata_unsigned"),
        ("signed by somebody", stranger, "saml.signature_invalid"),
        ("signature on another", put(&entity("_e", evil), &signature), "saml.reference_mismatch"),
        ("signature on another of that name", put(&entity("_m", evil), &signature), "saml.digest_mismatch"),
        ("true one in an object", put(&entity("_e", evil), &object), "saml.signature_malformed"),
        ("true one in the key info", put(&entity("_m", evil), &info), "saml.id_repeated"),
        (
            "true one in the extensions",
            put(&entity("_e", evil), &extended(&genuine)),
            "saml.metadata_unsigned",
        ),
        (
            "other one in the extensions",
            put(&genuine, &extended(&entity("_e", evil))),
            "saml.digest_mismatch",
        ),
        (
            "beside another in a group",
            group(&format!("{genuine}{}", entity("_e", evil))),
            "saml.metadata_unsigned",
        ),
        (
            "signature of the member on the group",
            group(&format!("{signature}{bare}")),
            "saml.reference_mismatch",
        ),
        (
            "signature of an assertion",
            put(&entity("_assertion1", evil), &of_assertion),
            "saml.digest_mismatch",
        ),
        (
            "two of one name",
            signed_group(&format!("{bare}{}", entity("_e", evil))),
            "saml.metadata_entity_ambiguous",
        ),
        ("a document type", format!("<!DOCTYPE x>{genuine}"), "saml.xml_doctype"),
        (
            "a comment in the digest",
            genuine.replace("<ds:DigestValue>", "<ds:DigestValue><!-- -->"),
            "saml.digest_malformed",
        ),
        ("HMAC", genuine.replace("#ecdsa-sha256", "#hmac-sha256"), "saml.signature_algorithm_not_allowed"),
        (
            "a relative namespace",
            genuine.replace("<md:IDPSSODescriptor", "<md:IDPSSODescriptor xmlns:r=\"r\""),
            "saml.xml_namespace_relative",
        ),
        (
            "a script for an address",
            signed_group(&entity("_e", "javascript:alert(1)")),
            "saml.metadata_no_sign_on_endpoint",
        ),
        (
            "an address without TLS",
            signed_group(&entity("_e", "http://idp.example.org/sso")),
            "saml.metadata_no_sign_on_endpoint",
        ),
        ("over", signed_group(&bare).replace("2027-01-16", "2027-01-14"), "saml.digest_mismatch"),
    ] {
        family.expect(name, &read(&xml), found);
    }
    let prefixed = format!("<md:EntityDescriptor xmlns:p=\"urn:{}\"", "x".repeat(200_000));
    let long = put(&entity("_m", evil), &format!("{signature}{}", extended(&"<p:a/>".repeat(15_000))));
    family.expect(
        "a long canonical form",
        &read(&long.replacen("<md:EntityDescriptor", &prefixed, 1)),
        "saml.canonical_too_large",
    );
    family.end(22);
}
