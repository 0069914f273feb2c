//! Responses that real producers encrypted, as `inspect saml` reads them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::peer::folder;

const SP: &str = "https://sp.example";
const ACS: &str = "https://sp.example/saml/acme/acs";
const IDP: &str = "https://idp.example";

const CONFIGURATION: &str = r#"
[portal]
listen = "127.0.0.1:8080"
base_url = "https://sp.example"
store = "sqlite:accounts.db"

[[connection]]
id = "acme"
tenant = "acme"
issuers = ["https://idp.example"]
domains = ["acme.example"]
ceiling = []
policy = { rule = [{ name = "all", when = {}, permit = {} }] }

[connection.protocol]
label = "Acme"

[connection.protocol.saml]
entity_id = "https://sp.example"
acs_url = "https://sp.example/saml/acme/acs"
decryption_keys = ["""NEXT""", """PRESENT"""]

[connection.protocol.saml.idp]
entity_id = "https://idp.example"
certificates = ["""CERTIFICATE"""]
sign_on_url = "https://idp.example/sso"
legacy = { cbc_under_signed_response = true }

[connection.mapping.user_name]
template = ["{mail|local}"]
"#;

/// A folder with keys of this run, and what producers wrote.
struct Case(PathBuf);

impl Case {
    fn new(name: &str) -> Self {
        let folder = folder(name);
        let made = Command::new(program("saml-keys", "make")).arg(&folder).status().unwrap();
        assert!(made.success(), "no keys: run ./test --setup");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Lets a producer write an encrypted response into a file of this name.
    fn produce(&self, producer: &str, file: &str, change: impl FnOnce(&mut Value)) {
        let mut request = json!({
            "idp": IDP, "sp": SP, "acs": ACS, "in_response_to": "_r1", "valid_seconds": 300,
            "name_id": "ada-7f", "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            "session_index": "_s1", "attributes": [["mail", ["ada@acme.example"]], ["Role", ["editor", "viewer"]]],
            "sign": "both", "signature": "rsa-sha256", "digest": "sha256", "c14n": "exclusive", "outer": null,
            "key": self.path("rsa.key.pem"), "certificate": self.path("rsa.crt.pem"),
            "encrypt": {
                "certificate": self.path("decryption.crt.pem"), "content": "aes256-gcm", "key": "rsa-oaep-mgf1p",
            },
        });
        change(&mut request);
        let answer = ask(&program(&format!("saml-{producer}"), "produce"), &request);
        let response = answer["response"].as_str();
        std::fs::write(self.0.join(file), response.unwrap_or_else(|| panic!("{producer}: {answer}")))
            .unwrap();
    }

    fn inspect(&self, arguments: &str) -> Vec<Value> {
        let mut inspect = Command::new(env!("CARGO_BIN_EXE_inspect"));
        let output = inspect.current_dir(&self.0).args(arguments.split_whitespace()).output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn program(folder: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(folder).join(name)
}

/// Puts one request to a program that answers line by line.
fn ask(program: &Path, request: &Value) -> Value {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{request}").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.wait().unwrap();
    serde_json::from_str(&line).unwrap()
}

/// The codes of lines, `accepted` where there is none.
fn codes(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["code"].as_str().unwrap_or("accepted")).collect()
}

#[test]
fn encrypted_responses_of_real_producers_are_read_with_the_key_that_fits() {
    let case = Case::new("inspect-encrypted");
    case.produce("samlify", "samlify.b64", |request| request["sign"] = json!("assertion"));
    case.produce("signxml", "signxml.b64", |request| request["encrypt"]["key"] = json!("rsa-oaep-sha256"));
    case.produce("pyxmlsec", "pyxmlsec.b64", |request| {
        request["outer"] = json!({ "assertion": ["xs"], "response": [] });
    });
    let files = "samlify.b64 signxml.b64 pyxmlsec.b64";
    let usual = format!(
        "saml --sp-entity-id {SP} --acs-url {ACS} --idp-entity-id {IDP} --idp-cert rsa.crt.pem --request-id _r1"
    );
    let found = case.inspect(&format!(
        "{usual} --decryption-key other.key.pem --decryption-key decryption.key.pem {files}"
    ));
    assert_eq!(codes(&found), ["accepted"; 3], "{found:?}");
    for line in &found {
        assert_eq!(line["identity"]["name_id"], "ada-7f");
        assert_eq!(
            line["identity"]["attributes"],
            json!({ "mail": ["ada@acme.example"], "Role": ["editor", "viewer"] })
        );
        assert!(line["checks"]["origin"].as_array().unwrap().contains(&json!("encryption")), "{line}");
    }
    let other = case.inspect(&format!("{usual} --decryption-key other.key.pem {files}"));
    assert_eq!(codes(&other), ["saml.decryption_failed"; 3]);
    assert_eq!(codes(&case.inspect(&format!("{usual} {files}"))), ["saml.decryption_key_missing"; 3]);
}

#[test]
fn a_connection_brings_its_keys_and_its_switch() {
    let case = Case::new("inspect-switch");
    let read = |name| std::fs::read_to_string(case.path(name)).unwrap();
    let configuration = CONFIGURATION
        .replace("NEXT", &read("other.key.pem"))
        .replace("PRESENT", &read("decryption.key.pem"))
        .replace("CERTIFICATE", &read("rsa.crt.pem"));
    std::fs::write(case.path("portal.toml"), &configuration).unwrap();
    std::fs::write(case.path("strict.toml"), configuration.replace("legacy =", "#")).unwrap();
    case.produce("ssp", "cbc.b64", |request| request["encrypt"]["content"] = json!("aes128-cbc"));
    case.produce("signxml", "gcm.b64", |_| {});
    let inspect = |file: &str, more: &str| {
        let found = case.inspect(&format!(
            "saml --config {file} --connection acme --request-id _r1 {more} cbc.b64 gcm.b64"
        ));
        codes(&found).join(" ")
    };
    assert_eq!(inspect("portal.toml", ""), "accepted accepted");
    assert_eq!(inspect("strict.toml", ""), "saml.encryption_cbc accepted");
    let wrong = "--decryption-key other.key.pem";
    assert_eq!(inspect("portal.toml", wrong), "saml.decryption_failed saml.decryption_failed");
}
