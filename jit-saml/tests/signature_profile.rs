//! Signatures that a program could take for good: each is refused with its code, even where the identity provider itself
//! made them.
#![expect(clippy::unwrap_used, reason = "a test says with a panic what went wrong")]

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use chrono::{DateTime, TimeDelta, Utc};
use jit_saml::base64_text::encode;
use jit_saml::crypto::{AwsLc, CryptoProvider as _, DigestAlgorithm, VerificationKey};
use jit_saml::signature::{SignatureError, SignatureRules, SigningKey, verify, verify_detached};
use jit_saml::xml::{Canonicalization, Document, Limits, PrefixList, canonicalize};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn rsa() -> SigningKey {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    SigningKey::from_pkcs8(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref()).unwrap()
}

fn p256() -> SigningKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    SigningKey::from_pkcs8(pair.to_pkcs8v1().unwrap().as_ref()).unwrap()
}

fn public(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_public_key_info(&key.public_key_info().unwrap()).unwrap()
}

/// Everything about a signed assertion that an attack changes.
#[derive(Clone)]
struct Recipe {
    canonicalization: String,
    method: String,
    references: String,
    /// Stands after `SignatureValue`.
    tail: String,
    /// Changes the whole text after signing.
    then: fn(&str) -> String,
}

fn form(name: &str) -> String {
    format!("<ds:CanonicalizationMethod Algorithm=\"{name}\"/>")
}

fn method(name: &str) -> String {
    format!("<ds:SignatureMethod Algorithm=\"{name}\"/>")
}

fn transform(name: &str) -> String {
    format!("<ds:Transform Algorithm=\"{name}\"/>")
}

fn reference(uri: &str, transforms: &str, digest: &str) -> String {
    format!(
        "<ds:Reference{uri}><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue>@</ds:DigestValue></ds:Reference>"
    )
}

impl Recipe {
    fn good() -> Self {
        let transforms = transform(ENVELOPED) + &transform(EXCLUSIVE);
        Self {
            canonicalization: form(EXCLUSIVE),
            method: method(RSA_SHA256),
            references: reference(" URI=\"#_a1\"", &transforms, SHA256),
            tail: String::new(),
            then: str::to_owned,
        }
    }

    fn references(references: &str) -> Self {
        Self { references: references.to_owned(), ..Self::good() }
    }

    fn uri(uri: &str) -> Self {
        let transforms = transform(ENVELOPED) + &transform(EXCLUSIVE);
        Self::references(&reference(uri, &transforms, SHA256))
    }

    fn transforms(transforms: &[&str]) -> Self {
        let transforms: String = transforms.iter().map(|name| transform(name)).collect();
        Self::references(&reference(" URI=\"#_a1\"", &transforms, SHA256))
    }

    fn then(then: fn(&str) -> String) -> Self {
        Self { then, ..Self::good() }
    }

    /// Signs truly: the digest is that of the assertion, the signature that of `SignedInfo`.
    fn cook(&self, key: &SigningKey) -> String {
        let assertion = |signature: &str| {
            format!(
                "<s:Assertion xmlns:s=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a1\"><s:Issuer>i</s:Issuer>{signature}<s:Subject>alice</s:Subject></s:Assertion>"
            )
        };
        let digest_of = |algorithm| encode(&AwsLc.digest(algorithm, assertion("").as_bytes()));
        let sha1 = self.references.contains(SHA1);
        let digest = digest_of(if sha1 { DigestAlgorithm::Sha1 } else { DigestAlgorithm::Sha256 });
        let info = format!(
            "<ds:SignedInfo>{}{}{}</ds:SignedInfo>",
            self.canonicalization,
            self.method,
            self.references.replace('@', &digest)
        );
        let signature = |value: &str| {
            format!(
                "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue>{}</ds:Signature>",
                self.tail
            )
        };
        let unsigned = assertion(&signature(""));
        let limits = Limits { signatures: 10, ..Limits::default() };
        let document = Document::parse(unsigned.as_bytes(), &limits).unwrap();
        let element = document.root().descendants().find(|it| it.local() == "SignedInfo").unwrap();
        let octets = canonicalize(element, None, &Canonicalization::Exclusive(PrefixList::default()));
        (self.then)(&assertion(&signature(&encode(&key.sign_detached(&octets).unwrap().1))))
    }
}

fn verdict(text: &str, keys: &[VerificationKey], rules: &SignatureRules) -> Option<SignatureError> {
    let limits = Limits { signatures: 10, ..Limits::default() };
    let document = Document::parse(text.as_bytes(), &limits).unwrap();
    let root = document.root();
    let signed =
        std::iter::once(root).chain(root.descendants()).find(|it| it.local() == "Assertion").unwrap();
    verify(signed, keys, rules, now(), &AwsLc).err()
}

#[track_caller]
fn all_refused(expected: SignatureError, recipes: &[Recipe]) {
    let key = rsa();
    let keys = [public(&key)];
    assert_eq!(verdict(&Recipe::good().cook(&key), &keys, &SignatureRules::default()), None);
    for recipe in recipes {
        let text = recipe.cook(&key);
        assert_eq!(verdict(&text, &keys, &SignatureRules::default()), Some(expected), "{text}");
    }
}

#[test]
fn the_reference_is_the_element_around_it() {
    all_refused(
        SignatureError::ReferenceMismatch,
        &[
            Recipe::uri(" URI=\"\""),
            Recipe::uri(""),
            Recipe::uri(" URI=\"#other\""),
            Recipe::uri(" URI=\"_a1\""),
            Recipe::uri(" URI=\"#xpointer(id('_a1'))\""),
            Recipe::uri(" URI=\"#xpointer(/)\""),
            Recipe::uri(" URI=\"https://evil.example/#_a1\""),
            Recipe::uri(" URI=\"file:///etc/passwd\""),
            Recipe::uri(" URI=\"cid:_a1\""),
            Recipe::uri(" URI=\"# _a1\""),
        ],
    );
    let two = Recipe::good().references.repeat(2);
    all_refused(SignatureError::ReferenceCount, &[Recipe::references(""), Recipe::references(&two)]);
    all_refused(
        SignatureError::IdentifierMissing,
        &[
            Recipe::then(|it| it.replace(" ID=\"_a1\"", "")),
            Recipe::then(|it| it.replace(" ID=\"_a1\"", " ID=\"\"")),
        ],
    );
}

#[test]
fn the_transforms_are_the_two_of_the_profile() {
    all_refused(
        SignatureError::TransformsNotAllowed,
        &[
            Recipe::transforms(&[EXCLUSIVE, ENVELOPED]),
            Recipe::transforms(&[ENVELOPED]),
            Recipe::transforms(&[EXCLUSIVE]),
            Recipe::transforms(&[]),
            Recipe::transforms(&[ENVELOPED, EXCLUSIVE, EXCLUSIVE]),
            Recipe::transforms(&[ENVELOPED, ENVELOPED]),
            Recipe::transforms(&[ENVELOPED, INCLUSIVE]),
            Recipe::transforms(&[ENVELOPED, "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"]),
            Recipe::transforms(&["http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE]),
            Recipe::transforms(&[ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116"]),
            Recipe::transforms(&[ENVELOPED, "http://www.w3.org/2000/09/xmldsig#base64"]),
            Recipe::references(&Recipe::good().references.replace(
                &transform(EXCLUSIVE),
                &format!(
                    "<ds:Transform Algorithm=\"{EXCLUSIVE}\"><x:InclusiveNamespaces xmlns:x=\"{EXCLUSIVE}\" PrefixList=\"{}\"/></ds:Transform>",
                    "p ".repeat(65)
                ),
            )),
            Recipe::references(&Recipe::good().references.replace(
                &transform(ENVELOPED),
                &format!("<ds:Transform Algorithm=\"{ENVELOPED}\"><ds:XPath>1</ds:XPath></ds:Transform>"),
            )),
            Recipe::references(
                "<ds:Reference URI=\"#_a1\"><ds:DigestMethod Algorithm=\"x\"/><ds:DigestValue>@</ds:DigestValue></ds:Reference>",
            ),
        ],
    );
}

#[test]
fn digest_and_value_are_plain_text() {
    let wrapped = |open: &str, close: &str| {
        Recipe::references(&Recipe::good().references.replace('@', &format!("{open}@{close}")))
    };
    all_refused(
        SignatureError::DigestMalformed,
        &[
            wrapped("<!--x-->", ""),
            wrapped("AAAA<!--", "-->"),
            wrapped("", "<?x y?>"),
            wrapped("<![CDATA[", "]]>"),
            wrapped("<ds:x>", "</ds:x>"),
            wrapped("*", ""),
        ],
    );
    all_refused(
        SignatureError::ValueMalformed,
        &[
            Recipe::then(|it| it.replace("<ds:SignatureValue>", "<ds:SignatureValue><!--x-->")),
            Recipe::then(|it| it.replace("<ds:SignatureValue>", "<ds:SignatureValue><?x?>")),
            Recipe::then(|it| it.replace("<ds:SignatureValue>", "<ds:SignatureValue>*")),
            Recipe::then(|it| {
                let it = it.replace("<ds:SignatureValue>", "<ds:SignatureValue><![CDATA[");
                it.replace("</ds:SignatureValue>", "]]></ds:SignatureValue>")
            }),
        ],
    );
    all_refused(SignatureError::DigestMismatch, &[wrapped("", "").shortened()]);
}

impl Recipe {
    /// A digest cut to its first octets never is enough.
    fn shortened(mut self) -> Self {
        self.references = self.references.replace('@', "AAAA");
        self
    }
}

#[test]
fn the_signature_has_its_parts_once_and_in_order() {
    all_refused(
        SignatureError::Malformed,
        &[
            Recipe::then(|it| it.replace("<ds:SignatureValue>", "<ds:SignedInfo/><ds:SignatureValue>")),
            Recipe::then(|it| it.replacen("<ds:SignedInfo>", "<ds:SignedInfo/><ds:SignedInfo>", 1)),
            Recipe::then(|it| it.replace("</ds:Signature>", "<ds:Object/></ds:Signature>")),
            Recipe::then(|it| it.replace("</ds:Signature>", "<ds:KeyInfo/><ds:Object/></ds:Signature>")),
            Recipe::then(|it| it.replace("</ds:Signature>", "<ds:KeyInfo/><ds:KeyInfo/></ds:Signature>")),
            Recipe::then(|it| it.replace("</ds:Signature>", "<ds:SignatureValue/></ds:Signature>")),
            Recipe::then(|it| it.replace("<ds:SignatureValue>", "text<ds:SignatureValue>")),
            Recipe::references(
                &Recipe::good()
                    .references
                    .replace("</ds:Reference>", "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"),
            ),
            Recipe::references(&format!("{}x", Recipe::good().references)),
        ],
    );
    all_refused(
        SignatureError::Nested,
        &[Recipe { tail: "<ds:KeyInfo><ds:Signature/></ds:KeyInfo>".to_owned(), ..Recipe::good() }],
    );
}

#[test]
fn the_signature_stands_after_the_issuer() {
    fn moved(text: &str, to: &str) -> String {
        let (before, rest) = text.split_once("<ds:Signature ").unwrap();
        let (signature, after) = rest.split_once("</ds:Signature>").unwrap();
        let signature = format!("<ds:Signature {signature}</ds:Signature>");
        format!("{before}{after}").replacen(to, &format!("{signature}{to}"), 1)
    }
    all_refused(
        SignatureError::Misplaced,
        &[
            Recipe::then(|it| moved(it, "</s:Assertion>")),
            Recipe::then(|it| moved(it, "<s:Issuer>")),
            Recipe::then(|it| {
                it.replace("<s:Issuer>i</s:Issuer>", "<s:Issuer>i</s:Issuer><s:Issuer>j</s:Issuer>")
            }),
            Recipe::then(|it| it.replace("<ds:Signature ", "<s:Advice/><ds:Signature ")),
        ],
    );
    all_refused(
        SignatureError::Missing,
        &[
            Recipe::then(|it| moved(it, "alice")),
            Recipe::then(|it| it.replace(DS, "http://www.w3.org/2000/09/xmldsig")),
            Recipe::then(|it| moved(it, "</s:Issuer>")),
        ],
    );
    all_refused(
        SignatureError::Repeated,
        &[Recipe::then(|it| {
            it.replace("</ds:Signature>", &format!("</ds:Signature><ds:Signature xmlns:ds=\"{DS}\"/>"))
        })],
    );
}

#[test]
fn algorithms_are_on_the_list() {
    let methods = [
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "",
    ];
    let mut recipes: Vec<_> =
        methods.iter().map(|name| Recipe { method: method(name), ..Recipe::good() }).collect();
    let truncated = format!(
        "<ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>"
    );
    recipes.push(Recipe { method: truncated, ..Recipe::good() });
    all_refused(SignatureError::AlgorithmNotAllowed, &recipes);
    let forms = [
        INCLUSIVE,
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "x",
    ];
    let forms = forms.map(|name| Recipe { canonicalization: form(name), ..Recipe::good() });
    all_refused(SignatureError::CanonicalizationNotAllowed, &forms);
    let digests =
        ["http://www.w3.org/2001/04/xmldsig-more#md5", "", "http://www.w3.org/2001/04/xmldsig-more#sha224"];
    let digests = digests.map(|name| Recipe::references(&Recipe::good().references.replace(SHA256, name)));
    all_refused(SignatureError::DigestNotAllowed, &digests);
    let sha1 = Recipe { method: method("http://www.w3.org/2000/09/xmldsig#rsa-sha1"), ..Recipe::good() };
    let digest = Recipe::references(&Recipe::good().references.replace(SHA256, SHA1));
    all_refused(SignatureError::Sha1NotAllowed, &[sha1, digest]);
}

#[test]
fn each_legacy_allowance_is_a_switch_and_sha1_ends() {
    let key = rsa();
    let keys = [public(&key)];
    let until = |delta: i64| SignatureRules {
        sha1_until: Some(now() + TimeDelta::seconds(delta)),
        ..SignatureRules::default()
    };
    let sha1 = Recipe::references(&Recipe::good().references.replace(SHA256, SHA1)).cook(&key);
    assert_eq!(verdict(&sha1, &keys, &until(1)), None);
    assert_eq!(verdict(&sha1, &keys, &until(0)), Some(SignatureError::Sha1NotAllowed));
    let inclusive = Recipe::transforms(&[ENVELOPED, INCLUSIVE]).cook(&key);
    let rules = SignatureRules { inclusive_c14n: true, ..SignatureRules::default() };
    assert_eq!(verdict(&inclusive, &keys, &rules), None);
}

#[test]
fn keys_come_from_the_connection_only() {
    let (key, stranger, curve) = (rsa(), rsa(), p256());
    let info = encode(&stranger.public_key_info().unwrap());
    let tail = format!(
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{info}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    );
    let text = Recipe { tail, ..Recipe::good() }.cook(&stranger);
    let strict = SignatureRules::default();
    assert_eq!(verdict(&text, &[public(&stranger)], &strict), None);
    assert_eq!(verdict(&text, &[public(&key)], &strict), Some(SignatureError::Invalid));
    assert_eq!(verdict(&text, &[public(&curve)], &strict), Some(SignatureError::KeyMismatch));
    assert_eq!(verdict(&text, &[], &strict), Some(SignatureError::KeyMissing));
}

#[test]
fn the_identifier_is_borne_once() {
    let twins: [fn(&str) -> String; 6] = [
        |it| it.replace("<s:Subject>", "<s:Subject ID=\"_a1\">"),
        |it| it.replace("<s:Subject>", "<s:Subject Id=\"_a1\">"),
        |it| it.replace("<s:Subject>", "<s:Subject id=\"_a1\">"),
        |it| it.replace("<s:Subject>", "<s:Subject xml:id=\"_a1\">"),
        |it| it.replace("<s:Subject>", "<s:Subject AssertionID=\"_a1\">"),
        |it| format!("<r xmlns:x=\"urn:x\"><y x:ID=\"&#x5f;a1\"/>{it}</r>"),
    ];
    all_refused(SignatureError::IdentifierRepeated, &twins.map(Recipe::then));
}

#[test]
fn nothing_but_a_true_signature_is_true() {
    let key = p256();
    let keys = [public(&key)];
    let ecdsa = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    let check = |signature: &[u8]| {
        verify_detached(b"octets", ecdsa, signature, &keys, &SignatureRules::default(), now(), &AwsLc)
            .map(drop)
    };
    let (_, good) = key.sign_detached(b"octets").unwrap();
    assert_eq!(check(&good), Ok(()));
    // The order of P-256, which is zero as a number of the signature (CVE-2022-21449 and its relatives).
    let order = [
        0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff_u128.to_be_bytes(),
        0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551_u128.to_be_bytes(),
    ]
    .concat();
    let zero = vec![0; 32];
    for (r, s) in [(&zero, &zero), (&order, &order), (&zero, &order), (&order, &zero)] {
        assert_eq!(check(&[r.as_slice(), s].concat()), Err(SignatureError::Invalid));
    }
    for bad in [&good[..63], &[], &[0; 1], &[0xff; 64], &[good.as_slice(), &[0]].concat()] {
        assert_eq!(check(bad), Err(SignatureError::Invalid));
    }
    let mut turned = good.clone();
    turned[10] ^= 1;
    assert_eq!(check(&turned), Err(SignatureError::Invalid));
}
