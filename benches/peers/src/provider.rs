//! The identity provider that signed the documents, and its metadata as the peers want to have it.

use std::{fs, path::Path};

use jit_saml::{
    base64_text,
    signature::{SigningKey, sign_enveloped},
};
use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    hash::MessageDigest,
    pkey::{PKey, PKeyRef, Private},
    rsa::Rsa,
    x509::{X509, X509NameBuilder},
};

use crate::{
    DOCUMENTS,
    documents::{IDP, response},
};

/// What whoever verifies has to know of the provider.
pub(crate) struct Provider {
    /// The public key, as a certificate carries it.
    pub(crate) key: Vec<u8>,
    /// The certificate in DER: the peers take keys from nothing else.
    pub(crate) certificate: Vec<u8>,
}

/// Makes a key and its certificate, signs the documents with it, and writes all that into the directory.
pub(crate) fn prepare(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let pair = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let certificate = certificate(&pair);
    let key = SigningKey::from_pkcs8(&pair.private_key_to_pkcs8().unwrap()).unwrap();
    let write = |name: &str, content: &[u8]| fs::write(directory.join(name), content).unwrap();
    write("key", &key.public_key_info().unwrap());
    write("certificate", &certificate);
    for document in DOCUMENTS {
        let text =
            sign_enveloped(&response(document.groups), "_assertion", &key, Some(&certificate)).unwrap();
        write(document.name, text.as_bytes());
    }
}

impl Provider {
    /// Reads what `prepare` wrote.
    pub(crate) fn read(directory: &Path) -> Self {
        let read = |name: &str| fs::read(directory.join(name)).unwrap();
        Self { key: read("key"), certificate: read("certificate") }
    }

    pub(crate) fn metadata(&self) -> String {
        format!(
            "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{IDP}\"><IDPSSODescriptor \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor use=\"signing\">\
             <KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>{}</X509Certificate>\
             </X509Data></KeyInfo></KeyDescriptor><SingleSignOnService \
             Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://idp.example.com/sso\"/>\
             </IDPSSODescriptor></EntityDescriptor>",
            base64_text::encode(&self.certificate)
        )
    }
}

fn certificate(pair: &PKeyRef<Private>) -> Vec<u8> {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "idp.example.com").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(pair).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(3650).unwrap()).unwrap();
    builder.sign(pair, MessageDigest::sha256()).unwrap();
    builder.build().to_der().unwrap()
}
