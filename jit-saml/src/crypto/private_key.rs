//! Private keys in the forms that people have them in.

use super::pem;

/// `AlgorithmIdentifier` of RSA (RFC 8017 §A.1).
const RSA: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// `Version` of `PrivateKeyInfo` (RFC 5208 §5).
const VERSION: [u8; 3] = [2, 1, 0];

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;

/// Takes the first private key of a PEM text as PKCS#8: `PRIVATE KEY` as it stands, `RSA PRIVATE KEY` (PKCS#1, what older
/// programs write) put into it.
pub(crate) fn pkcs8(text: &str) -> Option<Vec<u8>> {
    pem::decode("PRIVATE KEY", text)
        .or_else(|| pem::decode("RSA PRIVATE KEY", text).map(|pkcs1| wrapped(&pkcs1)))
}

fn wrapped(pkcs1: &[u8]) -> Vec<u8> {
    let key = element(OCTET_STRING, &[pkcs1]);
    element(SEQUENCE, &[&VERSION, &RSA, &key])
}

/// One element in DER (X.690 §8.1, §10.1).
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|octet| *octet == 0).collect();
    let head = match significant.as_slice() {
        [] => vec![tag, 0],
        [short @ 0..=0x7f] => vec![tag, *short],
        // at most eight octets
        long => [&[tag, 0x80 | u8::try_from(long.len()).unwrap_or_default()], long].concat(),
    };
    [head, content].concat()
}
