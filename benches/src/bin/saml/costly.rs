//! What the costliest documents take that the limits let through: nobody may take more than 20 milliseconds, or 16 megabytes
//! beside the document itself. Each is made as costly as a provider's own signature, or none at all, allows.

use std::{fmt::Write as _, fs, hint::black_box, path::Path, process::Command};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey},
};
use jit_benches::{
    cost::{Figures, Stopwatch},
    report::{Goal, line, remark},
};
use jit_saml::{
    base64_text,
    crypto::{AwsLc, CryptoProvider as _, DecryptionKey, DigestAlgorithm, VerificationKey},
    idp::TrustedIdp,
    response::{Expectations, Solicitation, verify_response},
    signature::{SigningKey, sign_enveloped},
    xml::{Canonicalization, Document, Element, Limits, PrefixList, canonicalize},
};

use crate::{
    documents::{ACS, IDP, SP, response},
    now,
};

const MOST_MILLISECONDS: f64 = 20.0;
const MOST_MEGABYTES: f64 = 16.0;
const ROUNDS: usize = 5;
/// The processor's time is told in ticks of some milliseconds.
const TURNS: usize = 20;
/// The limit of a document, less room for what stands around the costly part.
const ROOM: usize = (1 << 20) - 16_384;
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Name, what it is, and what becomes of it.
const DOCUMENTS: [(&str, &str, &str); 13] = [
    ("values", "19,000 values of an attribute", "accepted"),
    ("names", "4,000 attributes by name", "accepted"),
    ("nesting", "57 elements deep, again and again", "accepted"),
    ("namespaces", "50 namespaces, 30 of them declared and used by each element", "accepted"),
    ("prefix-list", "50 prefixes treated as inclusive, 17,000 elements", "accepted"),
    ("attributes", "29,000 attributes in the wrong order", "accepted"),
    ("references", "59,000 references to characters", "accepted"),
    ("comments", "59,000 comments", "accepted"),
    ("growing", "text that is four times as long when canonical", "saml.xml_too_large"),
    ("forged", "a forged element with a long namespace", "saml.canonical_too_large"),
    ("unsigned", "which nobody signed", "saml.not_signed"),
    (
        "keys",
        "as many decryptions with RSA-4096 as there may be before any proof",
        "saml.encryption_too_many_keys",
    ),
    (
        "attempts",
        "as many decryptions with RSA-4096 as there may be when signed",
        "saml.encryption_too_many_keys",
    ),
];

/// Verifies each in a process of its own, and prints two lines for it.
pub(crate) fn measure(directory: &Path) {
    for (name, what, outcome) in DOCUMENTS {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([directory.to_str().unwrap(), "costly", name])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let mut words = text.split_whitespace();
        let found = words.next().unwrap_or_default();
        assert!(found == outcome, "{name}: {found} instead of {outcome}: {output:?}");
        let mut figure = || words.next()?.parse::<f64>().ok();
        let size = fs::metadata(directory.join(name)).unwrap().len() / 1000;
        let what = format!("{size} KB, {what}");
        let milliseconds = figure().unwrap() / 1000.0;
        let (ours, goal) = (format!("{milliseconds:.1} ms of cpu"), format!("{MOST_MILLISECONDS} ms"));
        line(&what, ours, goal, milliseconds / MOST_MILLISECONDS, Goal::AtMost(1.0));
        match figure().map(|kilobytes| kilobytes / 1024.0) {
            Some(above) => {
                let (ours, goal) = (format!("{above:.1} MB above its size"), format!("{MOST_MEGABYTES} MB"));
                line(&what, ours, goal, above / MOST_MEGABYTES, Goal::AtMost(1.0));
            }
            None => remark("memory is told by Linux only"),
        }
    }
}

/// Verifies one document and prints what became of it, the microseconds it took and the kilobytes.
#[expect(clippy::print_stdout, reason = "the program that started this one reads it")]
pub(crate) fn run(directory: &Path, name: &str) {
    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    let octets = read(name);
    let key = VerificationKey::from_public_key_info(&read("key")).unwrap();
    let idp = TrustedIdp::new(IDP, vec![key]);
    let decryption = DecryptionKey::from_pkcs8(&read("decryption-key")).unwrap();
    let keys = [decryption.clone(), decryption];
    let mut expected = Expectations::new(SP, ACS, &idp, Solicitation::Request("_request"), now(), &AwsLc);
    expected.decryption_keys = &keys;
    let verify = || match verify_response(black_box(&octets), &expected) {
        Ok(_) => "accepted",
        Err(rejection) => rejection.code(),
    };
    let before = fs::write("/proc/self/clear_refs", "5").ok().and_then(|()| peak());
    let outcome = verify();
    let above = before.zip(peak()).map_or(String::new(), |(before, after)| (after - before).to_string());
    let mut figures = Figures::default();
    for _ in 0..ROUNDS {
        let watch = Stopwatch::start();
        for _ in 0..TURNS {
            black_box(verify());
        }
        figures.add(watch.stop(), TURNS);
    }
    println!("{outcome} {} {above}", figures.cpu());
}

/// The most memory that this process has had since it was asked to forget, in kilobytes.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Writes the documents.
pub(crate) fn prepare(directory: &Path, key: &SigningKey) {
    let ours = PrivateDecryptingKey::generate(KeySize::Rsa4096).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&ours).unwrap();
    fs::write(directory.join("decryption-key"), der.as_ref()).unwrap();
    for (name, _, _) in DOCUMENTS {
        let text = match name {
            "unsigned" => advised(&filled("<p:e>x</p:e>", 18_000)),
            "forged" => forged(key),
            "prefix-list" => with_prefix_list(key),
            "keys" => {
                let text = in_response(&encrypted("EncryptedAssertion", "<x/>", &ours, 7, false));
                let extensions = format!(
                    "<samlp:Extensions xmlns:p=\"urn:example:p\">{}</samlp:Extensions><samlp:Status>",
                    with_namespaces()
                );
                text.replacen("<samlp:Status>", &extensions, 1)
            }
            "attempts" => {
                // the first is opened by the seventh attempt, the others by the first
                let text = attribute("a", "<saml:AttributeValue/>");
                let one = encrypted("EncryptedAttribute", &text, &ours, 3, true);
                signed(&with_attributes(&one.repeat(9)), key)
            }
            _ => signed(&costly(name), key),
        };
        fs::write(directory.join(name), text).unwrap();
    }
}

fn costly(name: &str) -> String {
    let (open, close) = ("<p:e>".repeat(57), "</p:e>".repeat(57));
    match name {
        "values" => with_attributes(&attribute(
            "many",
            &filled("<saml:AttributeValue>x</saml:AttributeValue>", 19_000),
        )),
        "names" => with_attributes(&numbered(4_000, |number| {
            attribute(
                &format!("urn:example:attribute:{number}"),
                "<saml:AttributeValue>value</saml:AttributeValue>",
            )
        })),
        "nesting" => advised(&filled(&format!("{open}{close}"), 340)),
        "namespaces" => advised(&with_namespaces()),
        "attributes" => advised(&numbered(480, |turn| {
            let attributes = numbered(60, |number| format!(" a{:02}='{turn}'", 60 - number));
            format!("<p:e{attributes}/>")
        })),
        "references" => advised(&filled("&#65;&gt;", 29_500)),
        "comments" => advised(&filled("<!--x-->", 59_000)),
        "growing" => advised(&filled(">", 1 << 20)),
        _ => String::new(),
    }
}

fn with_namespaces() -> String {
    numbered(490, |turn| {
        let declared = numbered(30, |number| format!(" xmlns:n{number}=\"u:{}\"", (number + turn) % 50));
        let used = numbered(30, |number| format!(" n{}:a=\"\"", 29 - number));
        format!("<p:e{declared}{used}/>")
    })
}

fn filled(piece: &str, most: usize) -> String {
    piece.repeat(most.min(ROOM / piece.len()))
}

fn numbered(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = write!(text, "{}", piece(number));
        text
    })
}

/// Puts something where a provider may say what it likes.
fn advised(what: &str) -> String {
    let advice = format!("</saml:Conditions><saml:Advice xmlns:p=\"urn:example:p\">{what}</saml:Advice>");
    response(1).replacen("</saml:Conditions>", &advice, 1)
}

fn with_attributes(attributes: &str) -> String {
    response(1).replacen("<saml:AttributeStatement>", &format!("<saml:AttributeStatement>{attributes}"), 1)
}

fn attribute(name: &str, values: &str) -> String {
    format!(
        "<saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Name=\"{name}\">{values}</saml:Attribute>"
    )
}

/// Signs the assertion and the response: all is read three times and digested twice.
fn signed(xml: &str, key: &SigningKey) -> String {
    let text = sign_enveloped(xml, "_assertion", key, None).unwrap();
    sign_enveloped(&text, "_response", key, None).unwrap()
}

/// A true signature on an element that it does not cover, whose canonical form is much longer than the document.
fn forged(key: &SigningKey) -> String {
    let text = sign_enveloped(&response(1), "_assertion", key, None).unwrap();
    let advice = format!("</saml:Conditions><saml:Advice>{}</saml:Advice>", filled("<p:e/>", 15_000));
    let long = format!("<samlp:Response xmlns:p=\"urn:{}\"", "x".repeat(800_000));
    text.replacen("</saml:Conditions>", &advice, 1).replacen("<samlp:Response", &long, 1)
}

/// Signs as few producers do: each of 64 prefixes is looked at for each element.
fn with_prefix_list(key: &SigningKey) -> String {
    let names: Vec<String> = (0..50).map(|number| format!("n{number}")).collect();
    let declared = numbered(names.len(), |number| format!(" xmlns:n{number}=\"u:{number}\""));
    let xml = advised(&filled("<p:e><p:e></p:e>x</p:e>", 8_500)).replacen(
        "<saml:Assertion",
        &format!("<saml:Assertion{declared}"),
        1,
    );
    let list = names.join(" ");
    let form = Canonicalization::Exclusive(PrefixList::parse(&list));
    let digest = canonical(&xml, |root| root.children().find(|child| child.local() == "Assertion"), &form);
    let digest = base64_text::encode(&AwsLc.digest(DigestAlgorithm::Sha256, &digest));
    let signature = |value: &str| {
        format!(
            "<ds:Signature xmlns:ds=\"{DSIG}\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
             <ds:SignatureMethod Algorithm=\"{}\"/><ds:Reference URI=\"#_assertion\"><ds:Transforms>\
             <ds:Transform Algorithm=\"{DSIG}enveloped-signature\"/><ds:Transform Algorithm=\"{EXCLUSIVE}\">\
             <e:InclusiveNamespaces xmlns:e=\"{EXCLUSIVE}\" PrefixList=\"{list}\"/></ds:Transform></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{XENC}sha256\"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>\
             </ds:SignedInfo><ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>",
            key.algorithm(),
        )
    };
    let plain = Canonicalization::Exclusive(PrefixList::default());
    let info = canonical(&signature(""), |root| root.children().next(), &plain);
    let (_, value) = key.sign_detached(&info).unwrap();
    let issuer = format!("<saml:Issuer>{IDP}</saml:Issuer>");
    let (before, after) = xml.rsplit_once(&issuer).unwrap();
    format!("{before}{issuer}{}{after}", signature(&base64_text::encode(&value)))
}

fn canonical(
    xml: &str,
    find: impl for<'d> FnOnce(Element<'d>) -> Option<Element<'d>>,
    form: &Canonicalization,
) -> Vec<u8> {
    let document = Document::parse(xml.as_bytes(), &Limits::default()).unwrap();
    canonicalize(find(document.root()).unwrap(), None, form)
}

/// Puts something in the place of the assertion.
fn in_response(payload: &str) -> String {
    let text = response(1);
    let start = text.find("<saml:Assertion").unwrap();
    let end = text.find("</samlp:Response>").unwrap();
    text.get(..start).unwrap().to_owned() + payload + text.get(end..).unwrap()
}

/// Encrypts for us with RSA-4096, after keys that open nothing; `opens` tells whether there is one that does.
fn encrypted(holder: &str, text: &str, ours: &PrivateDecryptingKey, strangers: usize, opens: bool) -> String {
    let content_key = [7; 32];
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).unwrap());
    let nonce = [5; 12];
    let mut content = text.as_bytes().to_vec();
    cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut content).unwrap();
    let public = OaepPublicEncryptingKey::new(ours.public_key()).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &content_key, &mut wrapped, None).unwrap();
    let key = |octets: &[u8]| {
        format!(
            "<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"{XENC}rsa-oaep-mgf1p\"/><xenc:CipherData>\
             <xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>",
            base64_text::encode(octets)
        )
    };
    // below any modulus, and nothing that anybody encrypted
    let stranger: Vec<u8> = std::iter::once(0).chain((1..wrapped.len()).map(|_| 0x5a)).collect();
    let keys = key(&stranger).repeat(strangers) + &key(if opens { &wrapped } else { &stranger });
    format!(
        "<saml:{holder} xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:xenc=\"{XENC}\" xmlns:ds=\"{DSIG}\">\
         <xenc:EncryptedData Type=\"{XENC}Element\">\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>\
         <ds:KeyInfo>{keys}</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedData></saml:{holder}>",
        base64_text::encode(&[&nonce[..], &content].concat())
    )
}
