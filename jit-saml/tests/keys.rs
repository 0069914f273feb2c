//! Which certificates and keys work, and what decrypts.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says with a panic what went wrong")]

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use jit_saml::base64_text::encode;
use jit_saml::crypto::{
    AwsLc, BadSignature, ContentCipher, CryptoProvider as _, DecryptionFailed, DecryptionKey, KeyError,
    KeyTransport, SignatureAlgorithm, VerificationKey,
};
use jit_saml::signature::SigningKey;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = match length {
        0..0x80 => vec![tag, u8::try_from(length).unwrap()],
        0x80..0x100 => vec![tag, 0x81, u8::try_from(length).unwrap()],
        _ => [&[tag, 0x82][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    der.extend_from_slice(content);
    der
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// A certificate whose names, dates, extensions and signature are whatever is asked for.
fn certificate(public_key_info: &[u8], version: Option<u8>, year: &str, subject: &[u8]) -> Vec<u8> {
    let version = version.map(|number| tlv(0xa0, &tlv(0x02, &[number]))).unwrap_or_default();
    let algorithm = sequence(&[&tlv(0x06, &[0x2a, 0x03])]);
    let dates = sequence(&[&tlv(0x17, format!("{year}0101000000Z").as_bytes()), &tlv(0x17, b"not a date")]);
    let name = sequence(&[]);
    let inner =
        sequence(&[&version, &tlv(0x02, &[0xff]), &algorithm, &name, &dates, subject, public_key_info]);
    sequence(&[&inner, &algorithm, &tlv(0x03, &[0, 1, 2])])
}

fn rsa_info(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let sign = if modulus[0] < 0x80 { &[][..] } else { &[0] };
    let key = sequence(&[&tlv(0x02, &[sign, modulus].concat()), &tlv(0x02, exponent)]);
    let algorithm =
        sequence(&[&tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]), &tlv(0x05, &[])]);
    sequence(&[&algorithm, &tlv(0x03, &[&[0], key.as_slice()].concat())])
}

fn p256() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

#[test]
fn only_the_key_of_a_certificate_counts() {
    let pair = p256();
    let info: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let key = VerificationKey::from_public_key_info(info.as_ref()).unwrap();
    let odd_name = tlv(0x30, &tlv(0x0c, b"\xff\xfe not text"));
    let all = [
        certificate(info.as_ref(), Some(2), "26", &sequence(&[])),
        certificate(info.as_ref(), None, "26", &sequence(&[])),
        certificate(info.as_ref(), Some(2), "01", &sequence(&[])),
        certificate(info.as_ref(), Some(9), "99", &odd_name),
    ];
    for der in all {
        assert_eq!(VerificationKey::from_certificate(&der).unwrap(), key);
        let pem = format!(
            "text before\n-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            encode(&der)
        );
        assert_eq!(VerificationKey::from_pem(&pem).unwrap().fingerprint(), key.fingerprint());
    }
}

#[test]
fn a_key_that_cannot_be_used_says_why() {
    let refused =
        |info: &[u8]| VerificationKey::from_certificate(&certificate(info, None, "26", &sequence(&[]))).err();
    let modulus = |octets: usize| vec![0xc5; octets];
    assert_eq!(refused(&rsa_info(&modulus(128), &[1, 0, 1])), Some(KeyError::RsaTooSmall));
    assert_eq!(
        refused(&rsa_info(&[&[0x7f], modulus(255).as_slice()].concat(), &[1, 0, 1])),
        Some(KeyError::RsaTooSmall)
    );
    assert_eq!(refused(&rsa_info(&modulus(1025), &[1, 0, 1])), Some(KeyError::RsaTooLarge));
    assert_eq!(refused(&rsa_info(&modulus(256), &[1, 0, 1])), None);
    let ec = |curve: &[u8]| {
        let algorithm =
            sequence(&[&tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]), &tlv(0x06, curve)]);
        sequence(&[&algorithm, &tlv(0x03, &[&[0, 4][..], &[7; 64]].concat())])
    };
    assert_eq!(refused(&ec(&[0x2b, 0x81, 0x04, 0x00, 0x0a])), Some(KeyError::CurveUnsupported));
    assert_eq!(refused(&ec(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07])), Some(KeyError::Invalid));
    let dsa = sequence(&[
        &sequence(&[&tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01])]),
        &tlv(0x03, &[0, 1]),
    ]);
    assert_eq!(refused(&dsa), Some(KeyError::TypeUnsupported));
    for broken in [&[][..], &[0x30], &[0x30, 0x80, 0, 0], b"-----BEGIN", &[0xff; 100]] {
        assert_eq!(VerificationKey::from_certificate(broken), Err(KeyError::Malformed));
        assert_eq!(VerificationKey::from_public_key_info(broken), Err(KeyError::Malformed));
    }
}

/// The cube root of a padded digest with rubbish behind it (Bleichenbacher 2006), which a verifier takes that looks for the
/// digest and not at the end. No private key is needed.
fn forged(message: &[u8]) -> Vec<u8> {
    let info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let start = [
        &[0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0][..],
        &info,
        digest(&SHA256, message).as_ref(),
    ]
    .concat();
    let mut target = start.clone();
    target.resize(256, 0xff);
    let mut root = vec![0_u8; 256];
    for bit in (0..8 * 86).rev() {
        root[255 - bit / 8] |= 1 << (bit % 8);
        if cube(&root) > target {
            root[255 - bit / 8] &= !(1 << (bit % 8));
        }
    }
    assert!(cube(&root).starts_with(&start), "the forgery has the form that it should have");
    root
}

/// The last 256 octets of the cube; more than every number of that length where it is longer.
fn cube(number: &[u8]) -> Vec<u8> {
    let product = multiplied(&multiplied(number, number), number);
    let (over, rest) = product.split_at(product.len() - 256);
    if over.iter().any(|octet| *octet != 0) { vec![0xff; 257] } else { rest.to_vec() }
}

fn multiplied(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut product = vec![0_u32; one.len() + other.len()];
    for (i, a) in one.iter().rev().enumerate().filter(|(_, a)| **a != 0) {
        let mut carry = 0;
        for (j, b) in other.iter().rev().enumerate() {
            let sum = product[i + j] + u32::from(*a) * u32::from(*b) + carry;
            product[i + j] = sum & 0xff;
            carry = sum >> 8;
        }
        product[i + other.len()] += carry;
    }
    product.iter().rev().map(|octet| u8::try_from(*octet).unwrap()).collect()
}

#[test]
fn a_small_exponent_opens_no_forgery() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let modulus = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let key = VerificationKey::from_public_key_info(&rsa_info(&modulus, &[3])).unwrap();
    let verdict = AwsLc.verify(SignatureAlgorithm::RsaSha256, &key, b"forged", &forged(b"forged"));
    assert_eq!(verdict, Err(BadSignature));
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", encode(der))
}

#[test]
fn private_keys_in_older_forms_are_the_same_keys() {
    for size in [KeySize::Rsa2048, KeySize::Rsa4096] {
        let pair = KeyPair::generate(size).unwrap();
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        // the octets behind the version, the algorithm and the three heads around them
        let pkcs1 = &pkcs8.as_ref()[26..];
        let usual = SigningKey::from_pem(&pem("PRIVATE KEY", pkcs8.as_ref())).unwrap();
        let older = SigningKey::from_pem(&pem("RSA PRIVATE KEY", pkcs1)).unwrap();
        assert_eq!(older.public_key_info().unwrap(), usual.public_key_info().unwrap());
        let older = DecryptionKey::from_pem(&pem("RSA PRIVATE KEY", pkcs1)).unwrap();
        assert_eq!(format!("{older:?}"), format!("DecryptionKey(RSA, {} bits)", 8 * size.len()));
    }
    let pair = p256();
    let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    let info: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let older = SigningKey::from_pem(&pem("EC PRIVATE KEY", sec1.as_ref())).unwrap();
    assert_eq!(older.public_key_info().unwrap(), info.as_ref());
}

#[test]
fn a_private_key_that_cannot_be_read_is_refused_in_every_form() {
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
        for octets in [vec![0x30, 0], vec![0; 200], vec![0xff; 70_000]] {
            assert!(SigningKey::from_pem(&pem(label, &octets)).is_err());
            assert!(DecryptionKey::from_pem(&pem(label, &octets)).is_err());
        }
    }
    let locked = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
                  -----END RSA PRIVATE KEY-----\n";
    assert!(matches!(SigningKey::from_pem(locked), Err(KeyError::Malformed)));
}

#[test]
fn content_opens_only_when_nothing_was_changed() {
    let (key, nonce) = ([7; 32], [9; 12]);
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let mut content = b"<a/>".to_vec();
    sealing
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut content)
        .unwrap();
    let sealed = [&nonce[..], &content].concat();
    assert_eq!(AwsLc.open(ContentCipher::Aes256Gcm, &key, &sealed).unwrap(), b"<a/>");
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert_eq!(AwsLc.open(ContentCipher::Aes256Gcm, &key, &changed), Err(DecryptionFailed));
    }
    for length in 0..28 {
        assert_eq!(AwsLc.open(ContentCipher::Aes256Gcm, &key, &sealed[..length]), Err(DecryptionFailed));
    }
    assert_eq!(AwsLc.open(ContentCipher::Aes128Gcm, &key, &sealed), Err(DecryptionFailed));
}

#[test]
fn the_legacy_cipher_opens_too() {
    let key = [7; 16];
    let sealing =
        PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_128, &key).unwrap()).unwrap();
    let mut content = b"<a>seventeen</a>".to_vec();
    let DecryptionContext::Iv128(iv) = sealing.encrypt(&mut content).unwrap() else { panic!("an IV") };
    let sealed = [&iv.as_ref()[..], &content].concat();
    assert_eq!(AwsLc.open(ContentCipher::Aes128Cbc, &key, &sealed).unwrap(), b"<a>seventeen</a>");
    for length in [0, 15, 16, 17, sealed.len() - 1] {
        assert_eq!(AwsLc.open(ContentCipher::Aes128Cbc, &key, &sealed[..length]), Err(DecryptionFailed));
    }
}

#[test]
fn transported_keys_are_unwrapped_with_the_digest_that_wrapped_them() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let key = DecryptionKey::from_pkcs8(private.as_ref()).unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let public =
        OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(public.as_ref()).unwrap()).unwrap();
    let ways =
        [(&OAEP_SHA1_MGF1SHA1, KeyTransport::OaepSha1), (&OAEP_SHA256_MGF1SHA256, KeyTransport::OaepSha256)];
    for (algorithm, transport) in ways {
        let mut wrapped = vec![0; public.ciphertext_size()];
        let wrapped = public.encrypt(algorithm, &[5; 32], &mut wrapped, None).unwrap();
        assert_eq!(AwsLc.unwrap_key(transport, &key, wrapped).unwrap(), [5; 32]);
        for (_, other) in ways.iter().filter(|(_, other)| *other != transport) {
            assert_eq!(AwsLc.unwrap_key(*other, &key, wrapped), Err(DecryptionFailed));
        }
        assert_eq!(AwsLc.unwrap_key(transport, &key, &wrapped[1..]), Err(DecryptionFailed));
    }
    assert_eq!(format!("{key:?}"), "DecryptionKey(RSA, 2048 bits)");
}
