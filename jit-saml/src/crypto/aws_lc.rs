//! The default provider, on aws-lc-rs.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256};
use aws_lc_rs::signature::{self as sig, ParsedPublicKey, VerificationAlgorithm};

use super::key::{Curve, PublicKey, VerificationKey};
use super::provider::{BadSignature, CryptoProvider, DecryptionFailed};
use super::{ContentCipher, DecryptionKey, DigestAlgorithm, KeyTransport, SignatureAlgorithm};

const IV_LENGTH: usize = 16;

/// Carries out cryptography with AWS-LC.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsLc;

impl CryptoProvider for AwsLc {
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &VerificationKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let prepared = key.fits(algorithm).then(|| key.prepared(algorithm)).flatten().ok_or(BadSignature)?;
        let verified = match key.public() {
            PublicKey::Rsa { .. } => prepared.verify_sig(message, signature),
            PublicKey::Ec { curve, .. } => {
                prepared.verify_sig(message, &asn1_signature(signature, *curve).ok_or(BadSignature)?)
            }
        };
        verified.map_err(|_| BadSignature)
    }

    fn digest(&self, algorithm: DigestAlgorithm, octets: &[u8]) -> Vec<u8> {
        let algorithm = match algorithm {
            DigestAlgorithm::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            DigestAlgorithm::Sha256 => &SHA256,
            DigestAlgorithm::Sha384 => &SHA384,
            DigestAlgorithm::Sha512 => &SHA512,
        };
        digest(algorithm, octets).as_ref().to_vec()
    }

    fn open(&self, cipher: ContentCipher, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DecryptionFailed> {
        match cipher {
            ContentCipher::Aes128Gcm => open_gcm(UnboundKey::new(&AES_128_GCM, key), sealed),
            ContentCipher::Aes256Gcm => open_gcm(UnboundKey::new(&AES_256_GCM, key), sealed),
            ContentCipher::Aes128Cbc => open_cbc(UnboundCipherKey::new(&AES_128, key), sealed),
            ContentCipher::Aes256Cbc => open_cbc(UnboundCipherKey::new(&AES_256, key), sealed),
        }
    }

    fn unwrap_key(
        &self,
        transport: KeyTransport,
        key: &DecryptionKey,
        wrapped: &[u8],
    ) -> Result<Vec<u8>, DecryptionFailed> {
        let algorithm = match transport {
            KeyTransport::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
            KeyTransport::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
        };
        let mut plain = vec![0; key.oaep().min_output_size()];
        let opened = key.oaep().decrypt(algorithm, wrapped, &mut plain, None);
        opened.map(|key| key.to_vec()).map_err(|_| DecryptionFailed)
    }
}

/// Reads a key for one algorithm.
pub(super) fn prepare(key: &PublicKey, algorithm: SignatureAlgorithm) -> Option<ParsedPublicKey> {
    match key {
        PublicKey::Rsa { pkcs1 } => ParsedPublicKey::new(rsa(algorithm.digest()), pkcs1).ok(),
        PublicKey::Ec { curve, point } => {
            ParsedPublicKey::new(ecdsa(*curve, algorithm.digest())?, point).ok()
        }
    }
}

fn rsa(digest: DigestAlgorithm) -> &'static dyn VerificationAlgorithm {
    match digest {
        DigestAlgorithm::Sha1 => &sig::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        DigestAlgorithm::Sha256 => &sig::RSA_PKCS1_2048_8192_SHA256,
        DigestAlgorithm::Sha384 => &sig::RSA_PKCS1_2048_8192_SHA384,
        DigestAlgorithm::Sha512 => &sig::RSA_PKCS1_2048_8192_SHA512,
    }
}

/// In XML curve and digest are chosen apart from each other.
fn ecdsa(curve: Curve, digest: DigestAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (curve, digest) {
        (Curve::P256, DigestAlgorithm::Sha1) => &sig::ECDSA_P256_SHA1_ASN1,
        (Curve::P256, DigestAlgorithm::Sha256) => &sig::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, DigestAlgorithm::Sha384) => &sig::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, DigestAlgorithm::Sha512) => &sig::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, DigestAlgorithm::Sha256) => &sig::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, DigestAlgorithm::Sha384) => &sig::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, DigestAlgorithm::Sha512) => &sig::ECDSA_P384_SHA512_ASN1,
        (Curve::P384, DigestAlgorithm::Sha1) => return None,
        (Curve::P521, DigestAlgorithm::Sha1) => &sig::ECDSA_P521_SHA1_ASN1,
        (Curve::P521, DigestAlgorithm::Sha256) => &sig::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, DigestAlgorithm::Sha384) => &sig::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, DigestAlgorithm::Sha512) => &sig::ECDSA_P521_SHA512_ASN1,
    })
}

/// Writes `r || s` as the `ECDSA-Sig-Value` of RFC 3279 §2.2.3, which aws-lc takes for every pair of curve and digest.
fn asn1_signature(signature: &[u8], curve: Curve) -> Option<Vec<u8>> {
    if signature.len() != 2 * curve.octets() {
        return None;
    }
    let (r, s) = signature.split_at(curve.octets());
    let numbers = [integer(r)?, integer(s)?].concat();
    let length = u8::try_from(numbers.len()).ok()?;
    // A length of 128 and more takes the long form; the numbers of P-521 need it.
    let mut sequence = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    sequence.extend(numbers);
    Some(sequence)
}

fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let first = number.iter().position(|octet| *octet != 0)?;
    let digits = number.get(first..)?;
    let sign = usize::from(digits.first()? & 0x80 != 0);
    let mut integer = vec![0x02, u8::try_from(digits.len() + sign).ok()?];
    integer.resize(2 + sign, 0);
    integer.extend_from_slice(digits);
    Some(integer)
}

fn open_gcm<E>(key: Result<UnboundKey, E>, sealed: &[u8]) -> Result<Vec<u8>, DecryptionFailed> {
    let key = LessSafeKey::new(key.map_err(|_| DecryptionFailed)?);
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(DecryptionFailed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DecryptionFailed)?;
    let mut content = sealed.to_vec();
    let length = key.open_in_place(nonce, Aad::empty(), &mut content).map_err(|_| DecryptionFailed)?.len();
    content.truncate(length);
    Ok(content)
}

fn open_cbc<E>(key: Result<UnboundCipherKey, E>, sealed: &[u8]) -> Result<Vec<u8>, DecryptionFailed> {
    let key = PaddedBlockDecryptingKey::cbc_iso10126(key.map_err(|_| DecryptionFailed)?);
    let (iv, sealed) = sealed.split_at_checked(IV_LENGTH).ok_or(DecryptionFailed)?;
    let iv = FixedLength::<IV_LENGTH>::try_from(iv).map_err(|_| DecryptionFailed)?;
    let mut content = sealed.to_vec();
    let opened = key.and_then(|key| {
        let length = key.decrypt(&mut content, DecryptionContext::Iv128(iv))?.len();
        Ok(length)
    });
    content.truncate(opened.map_err(|_| DecryptionFailed)?);
    Ok(content)
}
