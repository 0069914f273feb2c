//! libxmlsec1 as an oracle: it accepts what we sign, and we accept nothing that it refuses.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jit_saml::crypto::{AwsLc, VerificationKey};
use jit_saml::signature::{SignatureRules, SigningKey, sign_enveloped, verify};
use jit_saml::xml::{Document, Limits};
use serde_json::json;

use crate::ability::{Order, Position};
use crate::peer::{Peer, key_file, now, pem, verification_key};

const MUTANTS: usize = 1_500;
/// What a changed octet becomes.
const OCTETS: &[u8] = b" <>&;\"'#/=aZ0\n\r\t:!-]";
const METADATA: &str = r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_m" entityID="https://sp.example.com/?a=1&amp;b=2"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.com/acs"/></md:SPSSODescriptor></md:EntityDescriptor>"#;
const REQUEST: &str = r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_q" Version="2.0" IssueInstant="2026-11-21T00:00:00Z" Destination="https://idp.example.com/sso?x='1'"><saml:Issuer>https://sp.example.com/bür&amp;o</saml:Issuer><samlp:Extensions><x xmlns="urn:x" xmlns:y="urn:y" y:b="2" a="1&#9;&#10;"><![CDATA[<&>]]></x></samlp:Extensions></samlp:AuthnRequest>"#;
const RESPONSE: &str = r#"<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0"><Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.example.com</Issuer><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status><Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_a" Version="2.0"><Issuer>https://idp.example.com</Issuer><Subject><NameID>alice</NameID></Subject></Assertion></p:Response>"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Valid,
    Invalid,
    /// libxml2 demands that names of namespaces are URIs, which Namespaces in XML 1.0 does not.
    Unreadable,
}

/// What libxmlsec1 says about the signature of an element.
pub(crate) struct Verifier(Peer);

impl Verifier {
    pub(crate) fn start() -> Self {
        Self(Peer::start("saml-pyxmlsec", "verify"))
    }

    pub(crate) fn accepts(&mut self, text: &[u8], element: &str, key: &str) -> bool {
        self.verdict(text, element, key) == Verdict::Valid
    }

    fn verdict(&mut self, text: &[u8], element: &str, key: &str) -> Verdict {
        let request = json!({
            "document": STANDARD.encode(text),
            "certificate": key_file(&format!("{key}.crt.pem")),
            "element": element,
        });
        match self.0.line(&request).as_str() {
            "valid" => Verdict::Valid,
            "invalid" => Verdict::Invalid,
            "unreadable" => Verdict::Unreadable,
            other => panic!("{other}"),
        }
    }
}

/// What the command of the system says, which is of an older line than the library.
fn command_accepts(text: &str, name: &str, key: &str) -> bool {
    let file = format!("{}.{name}.xml", key_file(key)).replace(':', "-");
    fs::write(&file, text).unwrap();
    let certificate = key_file(&format!("{key}.crt.pem"));
    let place =
        format!("/*[local-name()='{0}']/*[local-name()='Signature']", name.rsplit_once(':').unwrap().1);
    let arguments =
        ["--verify", "--id-attr:ID", name, "--pubkey-cert-pem", &certificate, "--node-xpath", &place, &file];
    let verified = Command::new("xmlsec1").args(arguments).output().unwrap();
    fs::remove_file(file).unwrap();
    verified.status.success()
}

fn we_accept(text: &[u8], element: &str, keys: &[VerificationKey]) -> bool {
    let limits = Limits::default();
    let Ok(document) = Document::parse(text, &limits) else { return false };
    let root = document.root();
    let mut found = std::iter::once(root).chain(root.descendants()).filter(|it| it.local() == element);
    let (Some(signed), None) = (found.next(), found.next()) else { return false };
    verify(signed, keys, &SignatureRules::default(), now(), &AwsLc).is_ok()
}

#[test]
fn it_accepts_what_we_sign() {
    let mut verifier = Verifier::start();
    for key in ["rsa", "p256", "p384", "p521"] {
        let signing = SigningKey::from_pem(&pem(&format!("{key}.key.pem"))).unwrap();
        for (text, id, element) in [
            (METADATA, "_m", "EntityDescriptor"),
            (REQUEST, "_q", "AuthnRequest"),
            (RESPONSE, "_r", "Response"),
            (RESPONSE, "_a", "Assertion"),
        ] {
            let signed = sign_enveloped(text, id, &signing, None).unwrap();
            assert!(verifier.accepts(signed.as_bytes(), element, key), "{key} {element}: {signed}");
            assert!(!verifier.accepts(signed.as_bytes(), element, "other"), "{key} {element}");
            let namespace = match element {
                "EntityDescriptor" => "metadata",
                _ => "protocol",
            };
            if element != "Assertion" {
                let name = format!("urn:oasis:names:tc:SAML:2.0:{namespace}:{element}");
                assert!(command_accepts(&signed, &name, key), "{key} {element}");
                assert!(
                    !command_accepts(
                        &signed
                            .replace("Version=\"2.0\"", "Version=\"2.1\"")
                            .replace("index=\"0\"", "index=\"1\""),
                        &name,
                        key
                    ),
                    "{key} {element}"
                );
            }
        }
        let inner = sign_enveloped(RESPONSE, "_a", &signing, None).unwrap();
        let both = sign_enveloped(&inner, "_r", &signing, Some(&[0x30])).unwrap();
        assert!(verifier.accepts(both.as_bytes(), "Assertion", key), "{both}");
        assert!(verifier.accepts(both.as_bytes(), "Response", key), "{both}");
    }
}

/// Changes one octet, or cuts out, doubles or swaps a piece: the same mutants in every run.
fn mutant(text: &[u8], number: usize) -> Vec<u8> {
    let mut state = number;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut mutant = text.to_vec();
    let at = below(text.len());
    let length = (1 + below(12)).min(text.len() - at);
    match below(4) {
        0 => mutant[at] = OCTETS[below(OCTETS.len())],
        1 => drop(mutant.drain(at..at + length)),
        2 => drop(mutant.splice(at..at, text[at..at + length].iter().copied())),
        _ => {
            let other = below(text.len());
            mutant.swap(at, other);
        }
    }
    mutant
}

#[test]
fn we_accept_no_mutant_that_it_refuses() {
    let mut verifier = Verifier::start();
    let keys = [verification_key("rsa")];
    let (mut accepted, mut refused_by_both) = (0, 0);
    for name in ["xmlsec", "pyxmlsec", "ssp"] {
        let order = Order::plain(Position::Response);
        let original = Peer::producer(name).response(&order.request());
        assert!(verifier.accepts(&original, "Response", "rsa") && we_accept(&original, "Response", &keys));
        for number in 0..MUTANTS {
            let mutant = mutant(&original, number);
            let theirs = verifier.verdict(&mutant, "Response", "rsa");
            let ours = we_accept(&mutant, "Response", &keys);
            assert!(
                theirs != Verdict::Invalid || !ours,
                "{name} {number}: {}",
                String::from_utf8_lossy(&mutant)
            );
            accepted += usize::from(ours);
            refused_by_both += usize::from(!ours && theirs != Verdict::Valid);
        }
    }
    assert!(accepted > 50, "mutants of white space and certificates stay valid, but only {accepted} did");
    assert!(refused_by_both > 2 * MUTANTS, "only {refused_by_both} were refused");
}
