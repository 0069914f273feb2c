//! Algorithms confused, weakened or trusted from the message itself.

use aws_lc_rs::hmac;
use jit_saml::TrustedIdp;
use jit_saml::base64_text::encode;
use jit_saml::crypto::{AwsLc, CryptoProvider as _, DigestAlgorithm, VerificationKey};

use crate::forge::Recipe;
use crate::support::{IDP, key, new_key, verification_key};
use crate::table::{Family, ORIGINAL};

const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";

/// What an attacker may take for the secret: the public key in all its spellings.
fn encodings() -> [(&'static str, Vec<u8>); 6] {
    let der = key().public_key_info().unwrap();
    let text = encode(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
    let point = der[der.len() - 65..].to_vec();
    [
        ("DER", der),
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line end", pem.trim_end().as_bytes().to_vec()),
        ("base64", text.into_bytes()),
        ("point", point),
        ("nothing", Vec::new()),
    ]
}

#[test]
fn a_public_key_is_no_secret() {
    let mut family = Family::new("HMAC");
    let named = [
        (format!("{MORE}hmac-sha256"), hmac::HMAC_SHA256),
        (format!("{MORE}hmac-sha512"), hmac::HMAC_SHA512),
        ("http://www.w3.org/2000/09/xmldsig#hmac-sha1".to_owned(), hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
    ];
    for (spelling, secret) in encodings() {
        for (name, algorithm) in &named {
            let sign =
                |octets: &[u8]| hmac::sign(&hmac::Key::new(*algorithm, &secret), octets).as_ref().to_vec();
            let xml = Recipe::method(name).response_with(sign);
            family.attack(&format!("{name} with {spelling}"), xml, "saml.signature_algorithm_not_allowed");
            let claimed = Recipe::good().response_with(sign);
            family.attack(
                &format!("{name} with {spelling}, claimed to be true"),
                claimed,
                "saml.signature_invalid",
            );
        }
    }
    for length in ["0", "1", "8", "256", "-1"] {
        let mut recipe = Recipe::method(&named[0].0);
        let output = format!("><ds:HMACOutputLength>{length}</ds:HMACOutputLength></ds:SignatureMethod>");
        recipe.method = recipe.method.replace("/>", &output);
        family.attack(&format!("cut to {length}"), recipe.response(), "saml.signature_algorithm_not_allowed");
        recipe.method = recipe.method.replace("hmac-sha256", "ecdsa-sha256");
        family.attack(
            &format!("true and cut to {length}"),
            recipe.response(),
            "saml.signature_algorithm_not_allowed",
        );
    }
    family.end(46);
}

#[test]
fn weaker_or_other_algorithms() {
    let mut family = Family::new("algorithm");
    for name in [
        "",
        "none",
        "http://www.w3.org/2000/09/xmldsig#",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2009/xmldsig11#dsa-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2001/04/xmldsig-more#md5",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-ripemd160",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha224",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
        "http://www.w3.org/2001/04/xmldsig-more#ECDSA-SHA256",
        " http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    ] {
        family.attack(name, Recipe::method(name).response(), "saml.signature_algorithm_not_allowed");
    }
    for name in ["http://www.w3.org/2000/09/xmldsig#rsa-sha1", &format!("{MORE}ecdsa-sha1")] {
        family.attack(name, Recipe::method(name).response(), "saml.sha1_not_allowed");
    }
    for name in ["rsa-sha256", "rsa-sha384", "rsa-sha512"] {
        let recipe = Recipe::method(&format!("{MORE}{name}"));
        family.attack(&format!("{name} for a curve"), recipe.response(), "saml.key_mismatch");
    }
    for name in ["ecdsa-sha384", "ecdsa-sha512"] {
        let recipe = Recipe::method(&format!("{MORE}{name}"));
        family.attack(&format!("{name} claimed"), recipe.response(), "saml.signature_invalid");
    }
    let digest =
        |name: &str| Recipe::references(&Recipe::good().references.replace(crate::forge::SHA256, name));
    for name in [
        "",
        "http://www.w3.org/2001/04/xmldsig-more#md5",
        "http://www.w3.org/2001/04/xmldsig-more#sha224",
        "http://www.w3.org/2001/04/xmlenc#ripemd160",
    ] {
        family.attack(
            &format!("digest {name}"),
            digest(name).response(),
            "saml.digest_algorithm_not_allowed",
        );
    }
    family.attack(
        "digest SHA-1",
        digest("http://www.w3.org/2000/09/xmldsig#sha1").response(),
        "saml.sha1_not_allowed",
    );
    for name in [
        "",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
    ] {
        let form = format!("<ds:CanonicalizationMethod Algorithm=\"{name}\"/>");
        let recipe = Recipe { form, ..Recipe::good() };
        family.attack(&format!("form {name}"), recipe.response(), "saml.canonicalization_not_allowed");
    }
    family.end(31);
}

#[test]
fn psychic_and_malformed_curve_signatures() {
    let mut family = Family::new("curve");
    let order = [
        0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff_u128.to_be_bytes(),
        0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551_u128.to_be_bytes(),
    ]
    .concat();
    let one = [vec![0; 31], vec![1]].concat();
    for (name, value) in [
        ("zeros", vec![0; 64]),
        ("zero and one", [vec![0; 32], one.clone()].concat()),
        ("one and zero", [one.clone(), vec![0; 32]].concat()),
        ("the order twice", [order.clone(), order.clone()].concat()),
        ("the order and one", [order.clone(), one.clone()].concat()),
        ("ones", [one.clone(), one].concat()),
        ("all bits", vec![0xff; 64]),
        ("DER of zeros", vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
        ("one octet", vec![0]),
        ("too long", vec![1; 4096]),
    ] {
        family.attack(name, Recipe::good().response_with(|_| value), "saml.signature_invalid");
    }
    let long =
        Recipe::good().response_with(|octets| [key().sign_detached(octets).unwrap().1, vec![0]].concat());
    family.attack("an octet too many", long, "saml.signature_invalid");
    let short = Recipe::good().response_with(|octets| key().sign_detached(octets).unwrap().1[..63].to_vec());
    family.attack("an octet too few", short, "saml.signature_invalid");
    let none = Recipe::good().response_with(|_| Vec::new());
    family.attack("nothing", none, "saml.signature_value_malformed");
    family.end(13);
}

#[test]
fn keys_that_the_message_brings() {
    let mut family = Family::new("key");
    let attacker = new_key();
    let info = encode(&attacker.public_key_info().unwrap());
    for (name, content) in [
        ("nothing", String::new()),
        ("certificate", format!("<ds:X509Data><ds:X509Certificate>{info}</ds:X509Certificate></ds:X509Data>")),
        ("subject", "<ds:X509Data><ds:X509SubjectName>CN=idp</ds:X509SubjectName></ds:X509Data>".to_owned()),
        ("name", "<ds:KeyName>idp</ds:KeyName>".to_owned()),
        ("RSA value", "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQ==</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>".to_owned()),
        ("encoded value", format!("<e:DEREncodedKeyValue xmlns:e=\"http://www.w3.org/2009/xmldsig11#\">{info}</e:DEREncodedKeyValue>")),
        ("address", "<ds:RetrievalMethod URI=\"https://evil.example/key\"/>".to_owned()),
        ("security token", "<w:SecurityTokenReference xmlns:w=\"urn:wsse\"><w:Reference URI=\"#key\"/></w:SecurityTokenReference>".to_owned()),
    ] {
        let recipe = Recipe::tail(&format!("<ds:KeyInfo>{content}</ds:KeyInfo>"));
        family.attack(&format!("{name} of the attacker"), recipe.response_by(&attacker), "saml.signature_invalid");
        family.attack(&format!("{name} beside the true key"), recipe.response(), ORIGINAL);
    }
    let nobody = TrustedIdp::new(IDP, Vec::new());
    let (signed, plain) = (Recipe::good().response(), crate::support::Draft::new().plain());
    family.attack_on("no key known", &signed, (&nobody, |_| {}), "saml.key_missing");
    family.attack_on("no key known and nothing signed", &plain, (&nobody, |_| {}), "saml.not_signed");
    family.end(18);
}

#[test]
fn weak_keys_are_no_keys() {
    for bits in [512, 768, 1024, 1536, 2047] {
        let modulus = modulus(bits);
        let error = VerificationKey::from_public_key_info(&rsa_info(&modulus, 3)).unwrap_err();
        assert_eq!(error.code(), "saml.key_rsa_too_small", "{bits}");
    }
    for exponent in [0, 1, 2, 4] {
        let key = VerificationKey::from_public_key_info(&rsa_info(&modulus(2048), exponent));
        assert!(key.is_err(), "exponent {exponent}");
    }
}

/// Bleichenbacher's forgery of 2006: a number whose cube begins like a padded digest, for keys with the exponent 3.
#[test]
fn a_cube_that_looks_like_a_digest_is_no_signature() {
    let mut family = Family::new("cube");
    let known = VerificationKey::from_public_key_info(&rsa_info(&modulus(2048), 3)).unwrap();
    let idp = TrustedIdp::new(IDP, vec![known, verification_key(key())]);
    let info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 4,
        32,
    ];
    for (name, padding) in
        [("eight octets of padding", 8), ("one", 1), ("none", 0), ("as many as leave room", 20)]
    {
        let cube = |octets: &[u8]| {
            let digest = AwsLc.digest(DigestAlgorithm::Sha256, octets);
            let mut block = [&[0, 1][..], &vec![0xff; padding], &[0], &info, &digest].concat();
            let known = block.len();
            block.resize(256, 0xff);
            let root = cube_root(&block);
            let cubed = times(&times(&root, &root), &root);
            assert_eq!(octets_of(&cubed)[..known], block[..known]);
            octets_of(&root).to_vec()
        };
        let xml = Recipe::method(&format!("{MORE}rsa-sha256")).response_with(cube);
        family.attack_on(name, xml, (&idp, |_| {}), "saml.signature_invalid");
    }
    for (name, value) in
        [("zero", vec![0; 256]), ("one", [vec![0; 255], vec![1]].concat()), ("all bits", vec![0xff; 256])]
    {
        let xml = Recipe::method(&format!("{MORE}rsa-sha256")).response_with(|_| value);
        family.attack_on(name, xml, (&idp, |_| {}), "saml.signature_invalid");
    }
    family.end(7);
}

/// An odd number of so many bits; whether it is a product of two primes makes no difference to who verifies.
fn modulus(bits: usize) -> Vec<u8> {
    let octets = std::iter::successors(Some(89_u8), |octet| Some(octet.wrapping_add(151)));
    let mut modulus: Vec<u8> = octets.take(bits.div_ceil(8)).collect();
    let top = 1 << ((bits - 1) % 8);
    modulus[0] = top | (modulus[0] & (top - 1));
    *modulus.last_mut().unwrap() |= 1;
    modulus
}

fn rsa_info(modulus: &[u8], exponent: u8) -> Vec<u8> {
    let number = |octets: &[u8]| {
        let sign: &[u8] = if octets[0] & 0x80 == 0 { &[] } else { &[0] };
        der(2, &[sign, octets].concat())
    };
    let key = der(0x30, &[number(modulus), number(&[exponent])].concat());
    let algorithm = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    der(0x30, &[&algorithm[..], &der(3, &[vec![0], key].concat())].concat())
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

/// A number of 2048 bits, the lowest word first.
type Number = [u32; 64];

fn times(one: &Number, other: &Number) -> Number {
    let mut product = [0; 64];
    for (place, digit) in one.iter().enumerate() {
        let mut carry = 0_u64;
        for (offset, other) in other.iter().enumerate().take(64 - place) {
            let sum = u64::from(*digit) * u64::from(*other) + u64::from(product[place + offset]) + carry;
            product[place + offset] = u32::try_from(sum & u64::from(u32::MAX)).unwrap();
            carry = sum >> 32;
        }
    }
    product
}

fn octets_of(number: &Number) -> [u8; 256] {
    let mut octets = [0; 256];
    for (place, word) in number.iter().rev().enumerate() {
        octets[place * 4..place * 4 + 4].copy_from_slice(&word.to_be_bytes());
    }
    octets
}

/// The greatest number whose cube is not greater. The cube of any 682 bits fits into 2048.
fn cube_root(octets: &[u8]) -> Number {
    let mut root = [0; 64];
    for bit in (0..682).rev() {
        let mut greater = root;
        greater[bit / 32] |= 1 << (bit % 32);
        if octets_of(&times(&times(&greater, &greater), &greater))[..] <= *octets {
            root = greater;
        }
    }
    root
}
