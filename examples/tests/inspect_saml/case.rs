//! A folder with a provider and what it says.

use std::path::PathBuf;
use std::process::{Command, Output};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use jit_examples::demo_saml_idp::Identity;
use jit_saml::signature::{SigningKey, sign_enveloped};
use serde_json::Value;

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const ATTRIBUTES: &str = "<saml:Attribute Name=\"Role\"><saml:AttributeValue>editor</saml:AttributeValue></saml:Attribute>\
    <saml:Attribute Name=\"mail\"><saml:AttributeValue>ada@acme.example</saml:AttributeValue></saml:Attribute>\
    <saml:Attribute Name=\"Role\"><saml:AttributeValue>viewer</saml:AttributeValue></saml:Attribute>\
    <saml:Attribute Name=\"empty\"><saml:AttributeValue/></saml:Attribute>\
    <saml:Attribute Name=\"complex\"><saml:AttributeValue><x xmlns=\"urn:x\"><y/></x></saml:AttributeValue></saml:Attribute>";

/// What a response says; each test changes what it is about.
#[derive(Clone, Copy)]
pub(crate) struct Says<'a> {
    pub(crate) id: &'a str,
    pub(crate) in_response_to: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) destination: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) name_id: &'a str,
    pub(crate) ends: i64,
    pub(crate) signed: bool,
}

pub(crate) const USUAL: Says<'static> = Says {
    id: "_a1",
    in_response_to: "_r1",
    issuer: "https://idp.example",
    destination: "https://sp.example/acs",
    audience: "https://sp.example",
    name_id: "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">ada-7f</saml:NameID>",
    ends: NOW + 300,
    signed: true,
};

/// A folder with the certificate of a provider and responses signed by its key.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    pub(crate) key: SigningKey,
}

impl Case {
    pub(crate) fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("inspect-saml").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let identity = Identity::generate("idp", DateTime::from_timestamp(NOW, 0).unwrap()).unwrap();
        let case = Self { folder, key: SigningKey::from_pem(&identity.key).unwrap() };
        case.write("idp.pem", identity.certificate_pem());
        case.write("metadata.xml", metadata(&["https://idp.example"], &identity.certificate));
        case.write(
            "two.xml",
            metadata(&["https://other.example", "https://idp.example"], &identity.certificate),
        );
        case
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    pub(crate) fn response(&self, name: &str, says: Says<'_>) -> String {
        self.changed(name, says, |xml| xml)
    }

    /// A response that is changed before it is signed.
    pub(crate) fn changed(
        &self,
        name: &str,
        says: Says<'_>,
        change: impl FnOnce(String) -> String,
    ) -> String {
        let xml = change(response(&says));
        let xml = if says.signed { sign_enveloped(&xml, says.id, &self.key, None).unwrap() } else { xml };
        self.write(name, &xml);
        xml
    }

    pub(crate) fn inspect(&self, arguments: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_inspect"))
            .current_dir(&self.folder)
            .args(arguments.split_whitespace())
            .output()
            .unwrap()
    }

    /// With the provider's certificate, for the request `_r1`.
    pub(crate) fn usual(&self, arguments: &str) -> Output {
        self.inspect(&format!(
            "saml --sp-entity-id https://sp.example --acs-url https://sp.example/acs --idp-entity-id \
             https://idp.example --idp-cert idp.pem --now {NOW} {arguments}"
        ))
    }
}

fn instant(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn response(says: &Says<'_>) -> String {
    let Says { id, issuer, destination, audience, name_id, .. } = says;
    let (issued, ends) = (instant(says.ends - 600), instant(says.ends));
    let answers = match says.in_response_to {
        "" => String::new(),
        request => format!(" InResponseTo=\"{request}\""),
    };
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_p{id}\" Version=\"2.0\" IssueInstant=\"{issued}\" \
         Destination=\"{destination}\"{answers}><saml:Issuer>{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode \
         Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status><saml:Assertion ID=\"{id}\" \
         Version=\"2.0\" IssueInstant=\"{issued}\"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>{name_id}\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData \
         NotOnOrAfter=\"{ends}\" Recipient=\"{destination}\"{answers}/></saml:SubjectConfirmation></saml:Subject>\
         <saml:Conditions NotBefore=\"{issued}\" NotOnOrAfter=\"{ends}\"><saml:AudienceRestriction><saml:Audience>\
         {audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement \
         AuthnInstant=\"{issued}\" SessionIndex=\"_s1\"><saml:AuthnContext><saml:AuthnContextClassRef>\
         urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>\
         </saml:AuthnStatement><saml:AttributeStatement>{ATTRIBUTES}</saml:AttributeStatement></saml:Assertion>\
         </samlp:Response>"
    )
}

fn metadata(entity_ids: &[&str], certificate: &[u8]) -> String {
    let entities: Vec<_> = entity_ids
        .iter()
        .map(|entity_id| {
            format!(
                "<EntityDescriptor entityID=\"{entity_id}\"><IDPSSODescriptor \
                 protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor><ds:KeyInfo>\
                 <ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>\
                 <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
                 Location=\"https://idp.example/sso\"/></IDPSSODescriptor></EntityDescriptor>",
                BASE64_STANDARD.encode(certificate)
            )
        })
        .collect();
    format!(
        "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{}</EntitiesDescriptor>",
        entities.concat()
    )
}

pub(crate) fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
