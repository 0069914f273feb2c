//! Signatures of W3C's and other interoperability tests, in so far as they lie within the profile: canonical forms and
//! digests of each reference, signatures by keys that are strong enough, and one whole federation metadata.
//!
//! The files are those that signxml keeps among its tests on `PyPI`, and xmlsec1 among its sources; `./test --setup` fetches
//! them.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jit_saml::crypto::{AwsLc, CryptoProvider as _, DigestAlgorithm, VerificationKey};
use jit_saml::signature::{DSIG_NAMESPACE, SignatureRules, verify, verify_detached};
use jit_saml::xml::{Canonicalization, Document, Element, Limits, PrefixList, canonicalize};

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const INCLUSIVE_11: &str = "http://www.w3.org/2006/12/xml-c14n11";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Up to the point itself, for P-256, P-384 and P-521 (RFC 5480 §2).
const PUBLIC_KEY_INFO: &[(&str, &[u8])] = &[
    (
        "urn:oid:1.2.840.10045.3.1.7",
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
    ),
    (
        "urn:oid:1.3.132.0.34",
        b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
    ),
    (
        "urn:oid:1.3.132.0.35",
        b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00",
    ),
];

fn folder() -> PathBuf {
    folder_of("xml-signatures")
}

fn folder_of(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.work").join(name);
    assert!(folder.is_dir(), "the signatures are missing: run ./test --setup");
    folder
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "xml") {
            found.push(entry);
        }
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

/// SHA-1 is what most of these files were made with; here it proves canonical forms, and nobody's identity.
fn rules() -> SignatureRules {
    SignatureRules { inclusive_c14n: true, sha1_until: Some(now() + TimeDelta::days(1)) }
}

/// One file, read by the strict reader.
struct Vector<'d> {
    text: &'d str,
    document: &'d Document<'d>,
    signature: Element<'d>,
}

impl<'d> Vector<'d> {
    fn of(text: &'d str, document: &'d Document<'d>) -> Option<Self> {
        let signature = document.signatures().next()?;
        Some(Self { text, document, signature })
    }

    fn all(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        std::iter::once(self.document.root()).chain(self.document.root().descendants())
    }

    fn inside(&self, local: &str) -> Option<Element<'d>> {
        self.signature.descendants().find(|element| element.local() == local)
    }

    fn references(&self) -> Vec<Element<'d>> {
        let info = self.inside("SignedInfo").unwrap();
        info.children().filter(|child| child.is(DSIG_NAMESPACE, "Reference")).collect()
    }

    /// Whether the digest of a reference is that of our canonical form; `None` where it needs what the profile has not.
    fn digest_agrees(&self, reference: Element<'d>) -> Option<bool> {
        let target = self.target(reference.attribute("URI")?)?;
        let (form, omitted) = self.transforms(reference)?;
        let child = |local: &str| reference.children().find(|child| child.local() == local);
        let algorithm = DigestAlgorithm::from_uri(child("DigestMethod")?.attribute("Algorithm")?)?;
        let octets = canonicalize(target, omitted, &form);
        Some(AwsLc.digest(algorithm, &octets) == decoded(child("DigestValue")?))
    }

    fn target(&self, uri: &str) -> Option<Element<'d>> {
        if uri.is_empty() {
            // instructions beside the root belong to the whole document, and not to any element of it
            let instructions = self.text.matches("<?").count() - usize::from(self.text.starts_with("<?xml "));
            return (instructions == 0).then(|| self.document.root());
        }
        let id = uri.strip_prefix('#')?;
        let pointer = id.strip_prefix("xpointer(id('").and_then(|rest| rest.strip_suffix("'))"));
        let id = pointer.unwrap_or(id);
        self.all().find(|element| {
            element.attributes().any(|it| it.local().eq_ignore_ascii_case("id") && it.value() == id)
        })
    }

    fn transforms(&self, reference: Element<'d>) -> Option<(Canonicalization, Option<Element<'d>>)> {
        let mut form = Canonicalization::Inclusive;
        let mut omitted = None;
        let transforms = reference.children().find(|child| child.local() == "Transforms");
        for transform in transforms.into_iter().flat_map(Element::children) {
            match transform.attribute("Algorithm")? {
                ENVELOPED => omitted = Some(self.signature),
                algorithm => form = self.form(transform, algorithm)?,
            }
        }
        Some((form, omitted))
    }

    fn form(&self, method: Element<'d>, algorithm: &str) -> Option<Canonicalization> {
        let without_comments = algorithm.trim_end_matches("WithComments");
        if without_comments != algorithm && self.text.contains("<!--") {
            return None;
        }
        match without_comments.trim_end_matches('#') {
            INCLUSIVE => Some(Canonicalization::Inclusive),
            // the same but for `xml:id` and `xml:base`
            INCLUSIVE_11 if !self.text.contains("xml:") => Some(Canonicalization::Inclusive),
            exclusive if exclusive == EXCLUSIVE.trim_end_matches('#') => {
                let list = method.children().next().and_then(|list| list.attribute("PrefixList"));
                Some(Canonicalization::Exclusive(PrefixList::parse(list.unwrap_or_default())))
            }
            _ => None,
        }
    }

    /// Whether a signature holds; `None` where there is no key that is strong enough, or no such algorithm.
    fn signature_agrees(&self) -> Option<bool> {
        let info = self.inside("SignedInfo")?;
        let method = info.children().find(|child| child.local() == "CanonicalizationMethod")?;
        let octets = canonicalize(info, None, &self.form(method, method.attribute("Algorithm")?)?);
        let algorithm = self.inside("SignatureMethod")?.attribute("Algorithm")?;
        jit_saml::crypto::SignatureAlgorithm::from_uri(algorithm)?;
        let value = decoded(self.inside("SignatureValue")?);
        let verified = verify_detached(&octets, algorithm, &value, &[self.key()?], &rules(), now(), &AwsLc);
        Some(verified.is_ok())
    }

    fn key(&self) -> Option<VerificationKey> {
        if let Some(certificate) = self.inside("X509Certificate") {
            return VerificationKey::from_certificate(&decoded(certificate)).ok();
        }
        let curve = self.inside("NamedCurve")?.attribute("URI")?;
        let (_, start) = PUBLIC_KEY_INFO.iter().find(|(name, _)| *name == curve)?;
        let point = decoded(self.inside("PublicKey")?);
        VerificationKey::from_public_key_info(&[start, point.as_slice()].concat()).ok()
    }
}

fn decoded(element: Element<'_>) -> Vec<u8> {
    let text: String = element.only_text().unwrap().split_ascii_whitespace().collect();
    STANDARD.decode(text).unwrap()
}

/// Asks about every vector that the strict reader reads.
fn for_each(mut ask: impl FnMut(&str, &Vector<'_>)) {
    let mut paths = Vec::new();
    files(&folder(), &mut paths);
    paths.sort();
    let limits = Limits { signatures: 16, ..Limits::default() };
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let Ok(document) = Document::parse(text.as_bytes(), &limits) else { continue };
        if let Some(vector) = Vector::of(&text, &document) {
            ask(&path.strip_prefix(folder()).unwrap().display().to_string(), &vector);
        }
    }
}

/// Files that are wrong on purpose.
fn is_wrong(name: &str) -> bool {
    ["bad-digest", "bad-sig", "invalid_", "invalid wss"].iter().any(|mark| name.contains(mark))
}

/// SHA-1 with P-384 is no algorithm of aws-lc.
fn is_beyond(name: &str) -> bool {
    name.ends_with("p384_sha1.xml")
}

#[test]
fn digests_of_canonical_forms_agree() {
    let (mut agree, mut disagree) = (0, Vec::new());
    for_each(|name, vector| {
        for reference in vector.references() {
            match vector.digest_agrees(reference) {
                Some(true) => agree += 1,
                Some(false) if !is_wrong(name) => disagree.push(name.to_owned()),
                _ => {}
            }
        }
    });
    assert_eq!(disagree, Vec::<String>::new());
    assert!(agree >= 85, "only {agree}");
}

#[test]
fn digests_of_exclusive_forms_with_listed_prefixes_agree() {
    let text = fs::read_to_string(folder_of("merlin").join("merlin-exc-c14n-one/exc-signature.xml")).unwrap();
    let limits = Limits::default();
    let document = Document::parse(text.as_bytes(), &limits).unwrap();
    let vector = Vector::of(&text, &document).unwrap();
    let agreed: Vec<_> = vector.references().into_iter().map(|it| vector.digest_agrees(it)).collect();
    // without a list, with `bar #default`, and both with the comments, which the profile leaves out
    assert_eq!(agreed, [Some(true), Some(true), None, None]);
}

#[test]
fn signatures_by_keys_that_are_strong_enough_agree() {
    let (mut agree, mut disagree) = (0, Vec::new());
    for_each(|name, vector| match vector.signature_agrees() {
        Some(true) => agree += 1,
        Some(false) if !is_wrong(name) && !is_beyond(name) => disagree.push(name.to_owned()),
        _ => {}
    });
    assert_eq!(disagree, Vec::<String>::new());
    assert!(agree >= 20, "only {agree}");
}

#[test]
fn the_metadata_of_a_federation_service_is_accepted_whole() {
    let folder = folder().join("xml-crypto");
    let text = fs::read(folder.join("wsfederation_metadata.xml")).unwrap();
    let limits = Limits::default();
    let document = Document::parse(&text, &limits).unwrap();
    let pem = fs::read_to_string(folder.join("wsfederation_metadata.pem")).unwrap();
    let keys = [VerificationKey::from_pem(&pem).unwrap()];
    let verified = verify(document.root(), &keys, &SignatureRules::default(), now(), &AwsLc);
    let octets = verified.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(octets.document(&limits).unwrap().root().local(), "EntityDescriptor");
}
