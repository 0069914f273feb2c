//! Public keys that metadata writes out instead of wrapping them in a certificate (XML Signature 1.1 §4.5.2, §4.5.9),
//! brought into the one form that the verifier reads: `SubjectPublicKeyInfo`.

use super::names::DS11;
use crate::base64_text;
use crate::names::DS;
use crate::xml::Element;

/// Longer than any key that is accepted.
const MAX_NUMBER: usize = 4096;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
/// `rsaEncryption` with its `NULL` (RFC 3279 §2.3.1).
const RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// `id-ecPublicKey` (RFC 5480 §2.1.1).
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// The named curves that the verifier knows (RFC 5480 §2.1.1.1).
const CURVES: &[(&str, &[u8])] = &[
    ("urn:oid:1.2.840.10045.3.1.7", &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
    ("urn:oid:1.3.132.0.34", &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]),
    ("urn:oid:1.3.132.0.35", &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]),
];

/// Reads a `ds:KeyValue` or `dsig11:DEREncodedKeyValue`.
pub(super) fn public_key_info(value: Element<'_>) -> Option<Vec<u8>> {
    if value.is(DS11, "DEREncodedKeyValue") {
        return octets(value);
    }
    let inner = value.children().next()?;
    if inner.is(DS, "RSAKeyValue") { rsa(inner) } else { elliptic(inner) }
}

/// Reads base64 that may be broken into lines.
pub(super) fn octets(element: Element<'_>) -> Option<Vec<u8>> {
    let octets = base64_text::decode(element.only_text()?.as_bytes())?;
    (!octets.is_empty()).then_some(octets)
}

fn rsa(value: Element<'_>) -> Option<Vec<u8>> {
    let number = |name| octets(value.children().find(|child| child.is(DS, name))?);
    let (modulus, exponent) = (number("Modulus")?, number("Exponent")?);
    let key = der(SEQUENCE, &[integer(&modulus)?, integer(&exponent)?].concat())?;
    der(SEQUENCE, &[RSA.to_vec(), bit_string(&key)?].concat())
}

fn elliptic(value: Element<'_>) -> Option<Vec<u8>> {
    if !value.is(DS11, "ECKeyValue") {
        return None;
    }
    let curve = value.children().find(|child| child.is(DS11, "NamedCurve"))?.attribute("URI")?;
    let (_, curve) = CURVES.iter().find(|(name, _)| *name == curve)?;
    let point = octets(value.children().find(|child| child.is(DS11, "PublicKey"))?)?;
    let algorithm = der(SEQUENCE, &[EC, curve].concat())?;
    der(SEQUENCE, &[algorithm, bit_string(&point)?].concat())
}

/// Writes a positive number (X.690 §8.3).
fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let first = number.iter().position(|byte| *byte != 0)?;
    let digits = number.get(first..)?;
    let sign: &[u8] = if digits.first()? & 0x80 == 0 { &[] } else { &[0] };
    der(INTEGER, &[sign, digits].concat())
}

fn bit_string(octets: &[u8]) -> Option<Vec<u8>> {
    der(BIT_STRING, &[&[0], octets].concat())
}

/// Writes a value with its tag and its length (X.690 §8.1.3).
fn der(tag: u8, value: &[u8]) -> Option<Vec<u8>> {
    if value.len() > MAX_NUMBER {
        return None;
    }
    let [.., high, low] = value.len().to_be_bytes();
    let length: &[u8] = match (high, low) {
        (0, 0..0x80) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    Some([&[tag], length, value].concat())
}
