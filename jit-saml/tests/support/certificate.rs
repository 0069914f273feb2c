//! Certificates, made at test time.

use jit_saml::signature::SigningKey;

/// Wraps a key into a certificate that ended long ago and that nobody signed: in SAML it is an envelope and nothing more.
pub(crate) fn certificate(key: &SigningKey) -> Vec<u8> {
    let algorithm = der(0x30, &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
    let name = der(0x30, &der(0x31, &der(0x30, &[&[0x06, 3, 0x55, 4, 3][..], &der(0x0c, b"test")].concat())));
    let validity = der(0x30, &[der(0x17, b"700101000000Z"), der(0x17, b"700102000000Z")].concat());
    let info = key.public_key_info().unwrap();
    let parts = [&[0xa0, 3, 2, 1, 2][..], &[2, 1, 1], &algorithm, &name, &validity, &name, &info];
    let signature = der(0x03, &[0, 0]);
    der(0x30, &[der(0x30, &parts.concat()), algorithm, signature].concat())
}

fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let [.., high, low] = value.len().to_be_bytes();
    let length: &[u8] = match (high, low) {
        (0, 0..0x80) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], length, value].concat()
}
