use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jit_saml::xml::writer::Writer;

use super::message::{PERSISTENT, SAMLP};
use super::provider::Shared;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// Describes the provider (SAML Metadata §2.4.3).
pub(super) fn describe(shared: &Shared) -> Response {
    let endpoint = |writer: Writer, name: &str, path: &str| {
        let location = format!("{}{path}", shared.base_url);
        writer.open(name).attribute("Binding", REDIRECT).attribute("Location", &location).close()
    };
    let writer = Writer::new()
        .open("md:EntityDescriptor")
        .attribute("xmlns:md", METADATA)
        .attribute("xmlns:ds", SIGNATURE)
        .attribute("entityID", &shared.entity_id)
        .open("md:IDPSSODescriptor")
        .attribute("protocolSupportEnumeration", SAMLP)
        .open("md:KeyDescriptor")
        .attribute("use", "signing")
        .open("ds:KeyInfo")
        .open("ds:X509Data")
        .leaf("ds:X509Certificate", &BASE64_STANDARD.encode(&shared.certificate))
        .close()
        .close()
        .close();
    let writer = endpoint(writer, "md:SingleLogoutService", "/logout");
    let writer = writer.leaf("md:NameIDFormat", PERSISTENT);
    let xml = endpoint(writer, "md:SingleSignOnService", "/sso").finish();
    ([(CONTENT_TYPE, "application/samlmetadata+xml")], xml).into_response()
}
