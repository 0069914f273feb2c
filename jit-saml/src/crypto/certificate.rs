//! Finds the public key in a certificate, and nothing else.
//!
//! In SAML a certificate is an envelope for a key that metadata vouches for. Its dates, names, extensions and signature
//! are of no meaning, so they are stepped over without being read: certificates of version 1, expired, self-signed or
//! with odd names all work.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode as _, SliceReader, Tag, TagNumber, Tagged as _};

use super::key::{Curve, KeyError, PublicKey};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// Answers the key of a certificate (RFC 5280 §4.1).
pub(super) fn of_certificate(der: &[u8]) -> Result<PublicKey, KeyError> {
    let certificate = sequence(&mut reader(der)?)?;
    let to_be_signed = sequence(&mut reader(certificate)?)?;
    let mut fields = reader(to_be_signed)?;
    let first = field(&mut fields)?;
    // The version is left out by version 1; then the serial number comes first.
    let steps =
        if first.tag() == (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }) { 5 } else { 4 };
    // Serial number, signature algorithm, issuer, validity and subject.
    for _ in 0..steps {
        field(&mut fields)?;
    }
    of_public_key_info(sequence(&mut fields)?)
}

/// Answers the key of the content of a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
fn of_public_key_info(content: &[u8]) -> Result<PublicKey, KeyError> {
    let mut fields = reader(content)?;
    let mut algorithm = reader(sequence(&mut fields)?)?;
    let bits = BitStringRef::decode(&mut fields).map_err(|_| KeyError::Malformed)?;
    let bits = bits.as_bytes().ok_or(KeyError::Malformed)?;
    match ObjectIdentifier::decode(&mut algorithm).map_err(|_| KeyError::Malformed)? {
        RSA_ENCRYPTION => Ok(PublicKey::Rsa { pkcs1: bits.to_vec() }),
        EC_PUBLIC_KEY => {
            let curve = match ObjectIdentifier::decode(&mut algorithm) {
                Ok(P256) => Curve::P256,
                Ok(P384) => Curve::P384,
                Ok(P521) => Curve::P521,
                _ => return Err(KeyError::CurveUnsupported),
            };
            Ok(PublicKey::Ec { curve, point: bits.to_vec() })
        }
        _ => Err(KeyError::TypeUnsupported),
    }
}

/// Answers the key of a `SubjectPublicKeyInfo`.
pub(super) fn of_public_key(der: &[u8]) -> Result<PublicKey, KeyError> {
    of_public_key_info(sequence(&mut reader(der)?)?)
}

/// Answers the length of the modulus of an `RSAPublicKey` (RFC 8017 §A.1.1).
pub(super) fn modulus_bits(pkcs1: &[u8]) -> Result<usize, KeyError> {
    let mut numbers = reader(sequence(&mut reader(pkcs1)?)?)?;
    let modulus = UintRef::decode(&mut numbers).map_err(|_| KeyError::Malformed)?;
    let octets = modulus.as_bytes();
    let unused = octets.first().map_or(0, |first| first.leading_zeros() as usize);
    Ok(octets.len() * 8 - unused)
}

fn reader(octets: &[u8]) -> Result<SliceReader<'_>, KeyError> {
    SliceReader::new(octets).map_err(|_| KeyError::Malformed)
}

fn field<'d>(reader: &mut SliceReader<'d>) -> Result<AnyRef<'d>, KeyError> {
    AnyRef::decode(reader).map_err(|_| KeyError::Malformed)
}

fn sequence<'d>(reader: &mut SliceReader<'d>) -> Result<&'d [u8], KeyError> {
    let any = field(reader)?;
    if any.tag() == Tag::Sequence { Ok(any.value()) } else { Err(KeyError::Malformed) }
}
