//! What each producer can do, and the requests that ask it for all of that.

use serde_json::{Value, json};

use crate::peer::key_file;

pub(crate) const IDP: &str = "https://idp.example.com/saml";
pub(crate) const SP: &str = "https://sp.example.com/saml?tenant=1&kind=test";
pub(crate) const ACS: &str = "https://sp.example.com/acs";
pub(crate) const REQUEST_ID: &str = "_request-1";
pub(crate) const NAME_ID: &str = "alice & <b>ob</b> büro@example.com";
pub(crate) const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
pub(crate) const SESSION_INDEX: &str = "_session-1";

/// Names and values with everything that has to be escaped, and what canonical forms care about.
pub(crate) fn attributes() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("https://example.com/claims/email", vec!["alice@example.com"]),
        (
            "https://example.com/claims/groups",
            vec!["eng", "a & b < c > d", "\"quoted\" 'text'", "büro €", "astral 𝄞"],
        ),
        ("plain", vec!["x"]),
        ("https://example.com/claims/roles?a=1&b=2", vec!["admin", "eng"]),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Assertion,
    Response,
    Both,
}

impl Position {
    pub(crate) const ALL: &[Self] = &[Self::Assertion, Self::Response, Self::Both];

    pub(crate) fn covers_response(self) -> bool {
        self != Self::Assertion
    }

    fn name(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::Response => "response",
            Self::Both => "both",
        }
    }
}

/// One signature algorithm with the key that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signing {
    pub(crate) algorithm: &'static str,
    pub(crate) key: &'static str,
}

const fn signing(algorithm: &'static str, key: &'static str) -> Signing {
    Signing { algorithm, key }
}

pub(crate) const RSA_SHA256: Signing = signing("rsa-sha256", "rsa");
pub(crate) const RSA_SHA1: Signing = signing("rsa-sha1", "rsa");
const RSA: &[Signing] = &[RSA_SHA256, signing("rsa-sha384", "rsa"), signing("rsa-sha512", "rsa")];
const RSA_OF_NPM: &[Signing] = &[RSA_SHA256, signing("rsa-sha512", "rsa")];
const RSA_AND_EC: &[Signing] = &[
    RSA_SHA256,
    signing("rsa-sha384", "rsa"),
    signing("rsa-sha512", "rsa"),
    signing("ecdsa-sha256", "p256"),
    signing("ecdsa-sha384", "p384"),
    signing("ecdsa-sha512", "p521"),
];

/// A cipher for the content and a transport for its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encryption {
    pub(crate) content: &'static str,
    pub(crate) transport: &'static str,
}

const fn mgf1p(content: &'static str) -> Encryption {
    Encryption { content, transport: "rsa-oaep-mgf1p" }
}

pub(crate) const fn gcm256(transport: &'static str) -> Encryption {
    Encryption { content: "aes256-gcm", transport }
}

pub(crate) const AES_128_CBC: Encryption = mgf1p("aes128-cbc");
const LIBXMLSEC: &[Encryption] = &[
    mgf1p("aes128-gcm"),
    mgf1p("aes192-gcm"),
    mgf1p("aes256-gcm"),
    AES_128_CBC,
    mgf1p("aes256-cbc"),
    mgf1p("tripledes-cbc"),
];
const NPM: &[Encryption] =
    &[mgf1p("aes128-gcm"), mgf1p("aes256-gcm"), AES_128_CBC, mgf1p("aes256-cbc"), mgf1p("tripledes-cbc")];
const OAEP: &[Encryption] = &[
    mgf1p("aes128-gcm"),
    mgf1p("aes192-gcm"),
    mgf1p("aes256-gcm"),
    gcm256("rsa-oaep-mgf1p-sha256"),
    gcm256("rsa-oaep"),
    gcm256("rsa-oaep-sha256"),
    gcm256("rsa-oaep-sha512"),
];

pub(crate) struct Ability {
    pub(crate) name: &'static str,
    pub(crate) positions: &'static [Position],
    pub(crate) signings: &'static [Signing],
    pub(crate) encryptions: &'static [Encryption],
    pub(crate) inclusive: bool,
}

const fn ability(
    name: &'static str,
    signings: &'static [Signing],
    encryptions: &'static [Encryption],
    inclusive: bool,
) -> Ability {
    Ability { name, positions: Position::ALL, signings, encryptions, inclusive }
}

pub(crate) const ABILITIES: &[Ability] = &[
    ability("ssp", RSA, &[AES_128_CBC], false),
    ability("pysaml2", RSA, &[mgf1p("tripledes-cbc")], false),
    ability("samlify", RSA_OF_NPM, NPM, false),
    Ability {
        name: "auth0",
        positions: &[Position::Assertion],
        signings: &[RSA_SHA256],
        encryptions: NPM,
        inclusive: false,
    },
    ability("xmlcrypto", RSA_OF_NPM, &[], false),
    ability("signxml", RSA_AND_EC, OAEP, false),
    ability("xmlsec", RSA_AND_EC, LIBXMLSEC, true),
    ability("pyxmlsec", RSA_AND_EC, LIBXMLSEC, true),
];

/// The prefixes in the `PrefixList` of each signature, where the response alone declares namespaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outer {
    pub(crate) assertion: &'static [&'static str],
    pub(crate) response: &'static [&'static str],
}

/// One thing to ask a producer for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) position: Position,
    pub(crate) signing: Signing,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) inclusive: bool,
    pub(crate) outer: Option<Outer>,
}

impl Order {
    pub(crate) const fn plain(position: Position) -> Self {
        Self { position, signing: RSA_SHA256, encryption: None, inclusive: false, outer: None }
    }

    pub(crate) fn request(&self) -> Value {
        let encrypt = self.encryption.map(|encryption| {
            json!({
                "certificate": key_file("decryption.crt.pem"),
                "content": encryption.content,
                "key": encryption.transport,
            })
        });
        let Signing { algorithm, key } = self.signing;
        json!({
            "idp": IDP, "sp": SP, "acs": ACS, "in_response_to": REQUEST_ID, "valid_seconds": 300,
            "name_id": NAME_ID, "name_id_format": PERSISTENT, "session_index": SESSION_INDEX,
            "attributes": attributes(),
            "sign": self.position.name(),
            "signature": algorithm,
            "digest": algorithm.split_once('-').unwrap().1,
            "c14n": if self.inclusive { "inclusive" } else { "exclusive" },
            "key": key_file(&format!("{key}.key.pem")),
            "certificate": key_file(&format!("{key}.crt.pem")),
            "encrypt": encrypt,
            "outer": self.outer.map(|it| json!({"assertion": it.assertion, "response": it.response})),
        })
    }
}

impl Ability {
    /// Every position with every signature algorithm, unencrypted.
    pub(crate) fn signed(&self) -> impl Iterator<Item = Order> {
        let positions = self.positions.iter();
        positions.flat_map(|position| {
            self.signings.iter().map(|signing| Order { signing: *signing, ..Order::plain(*position) })
        })
    }

    /// Every position with every encryption.
    pub(crate) fn encrypted(&self) -> impl Iterator<Item = Order> {
        let positions = self.positions.iter();
        positions.flat_map(|position| {
            self.encryptions
                .iter()
                .map(|encryption| Order { encryption: Some(*encryption), ..Order::plain(*position) })
        })
    }
}
