//! Runs `inspect saml` as a customer's CI would: files in, lines of JSON and an exit code out.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::PathBuf;
use std::process::{Command, Output};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use jit_examples::demo_saml_idp::Identity;
use jit_saml::signature::{SigningKey, sign_enveloped};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const ATTRIBUTES: &str = "<saml:Attribute Name=\"Role\"><saml:AttributeValue>editor</saml:AttributeValue></saml:Attribute>\
    <saml:Attribute Name=\"mail\"><saml:AttributeValue>ada@acme.example</saml:AttributeValue></saml:Attribute>\
    <saml:Attribute Name=\"Role\"><saml:AttributeValue>viewer</saml:AttributeValue></saml:Attribute>\
    <saml:Attribute Name=\"empty\"><saml:AttributeValue/></saml:Attribute>\
    <saml:Attribute Name=\"complex\"><saml:AttributeValue><x xmlns=\"urn:x\"><y/></x></saml:AttributeValue></saml:Attribute>";

/// What a response says; each test changes what it is about.
#[derive(Clone, Copy)]
struct Says<'a> {
    id: &'a str,
    in_response_to: &'a str,
    issuer: &'a str,
    destination: &'a str,
    audience: &'a str,
    name_id: &'a str,
    ends: i64,
    signed: bool,
}

const USUAL: Says<'static> = Says {
    id: "_a1",
    in_response_to: "_r1",
    issuer: "https://idp.example",
    destination: "https://sp.example/acs",
    audience: "https://sp.example",
    name_id: "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">ada-7f</saml:NameID>",
    ends: NOW + 300,
    signed: true,
};

/// A folder with the certificate of a provider and responses signed by its key.
struct Case {
    folder: PathBuf,
    key: SigningKey,
}

impl Case {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("inspect-saml").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let identity = Identity::generate("idp", DateTime::from_timestamp(NOW, 0).unwrap()).unwrap();
        let case = Self { folder, key: SigningKey::from_pem(&identity.key).unwrap() };
        case.write("idp.pem", &identity.certificate_pem());
        case.write("metadata.xml", &metadata(&["https://idp.example"], &identity.certificate));
        case.write(
            "two.xml",
            &metadata(&["https://other.example", "https://idp.example"], &identity.certificate),
        );
        case
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn response(&self, name: &str, says: Says<'_>) -> String {
        let xml = response(&says);
        let xml = if says.signed { sign_enveloped(&xml, says.id, &self.key, None).unwrap() } else { xml };
        self.write(name, &xml);
        xml
    }

    fn inspect(&self, arguments: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_inspect"))
            .current_dir(&self.folder)
            .args(arguments.split_whitespace())
            .output()
            .unwrap()
    }

    /// With the provider's certificate, for the request `_r1`.
    fn usual(&self, arguments: &str) -> Output {
        self.inspect(&format!(
            "saml --sp-entity-id https://sp.example --acs-url https://sp.example/acs --idp-entity-id \
             https://idp.example --idp-cert idp.pem --now {NOW} {arguments}"
        ))
    }
}

fn instant(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn response(says: &Says<'_>) -> String {
    let Says { id, issuer, destination, audience, name_id, .. } = says;
    let (issued, ends) = (instant(says.ends - 600), instant(says.ends));
    let answers = match says.in_response_to {
        "" => String::new(),
        request => format!(" InResponseTo=\"{request}\""),
    };
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_p{id}\" Version=\"2.0\" IssueInstant=\"{issued}\" \
         Destination=\"{destination}\"{answers}><saml:Issuer>{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode \
         Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status><saml:Assertion ID=\"{id}\" \
         Version=\"2.0\" IssueInstant=\"{issued}\"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>{name_id}\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData \
         NotOnOrAfter=\"{ends}\" Recipient=\"{destination}\"{answers}/></saml:SubjectConfirmation></saml:Subject>\
         <saml:Conditions NotBefore=\"{issued}\" NotOnOrAfter=\"{ends}\"><saml:AudienceRestriction><saml:Audience>\
         {audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement \
         AuthnInstant=\"{issued}\" SessionIndex=\"_s1\"><saml:AuthnContext><saml:AuthnContextClassRef>\
         urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>\
         </saml:AuthnStatement><saml:AttributeStatement>{ATTRIBUTES}</saml:AttributeStatement></saml:Assertion>\
         </samlp:Response>"
    )
}

fn metadata(entity_ids: &[&str], certificate: &[u8]) -> String {
    let entities: Vec<_> = entity_ids
        .iter()
        .map(|entity_id| {
            format!(
                "<EntityDescriptor entityID=\"{entity_id}\"><IDPSSODescriptor \
                 protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor><ds:KeyInfo>\
                 <ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>\
                 <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
                 Location=\"https://idp.example/sso\"/></IDPSSODescriptor></EntityDescriptor>",
                BASE64_STANDARD.encode(certificate)
            )
        })
        .collect();
    format!(
        "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{}</EntitiesDescriptor>",
        entities.concat()
    )
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_good_response_is_accepted_with_what_was_checked() {
    let case = Case::new("good");
    let xml = case.response("good.xml", USUAL);
    case.write("good.b64", &BASE64_STANDARD.encode(xml));
    for arguments in [
        "good.xml",
        "good.b64",
        "--encoding xml good.xml",
        "--encoding base64 good.b64",
        "--encoding=base64 good.b64",
    ] {
        let output = case.usual(&format!("--request-id _r1 {arguments}"));
        assert_eq!(output.status.code(), Some(0), "{arguments}: {output:?}");
        let line = &lines(&output)[0];
        assert_eq!(line["accepted"], true);
        assert_eq!(line["identity"]["issuer"], "https://idp.example");
        assert_eq!(line["identity"]["name_id"], "ada-7f");
        assert_eq!(line["identity"]["name_id_format"], PERSISTENT);
        assert_eq!(line["identity"]["session_index"], "_s1");
        assert_eq!(line["checks"]["replay"], json!(["in_response_to", "assertion_id"]));
        assert!(line["checks"]["origin"].as_array().unwrap().contains(&json!("assertion_signature")));
    }
}

#[test]
fn attributes_keep_the_order_of_the_document_and_repeated_names_are_one() {
    let case = Case::new("attributes");
    case.response("good.xml", USUAL);
    let output = case.usual("--request-id _r1 good.xml");
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = r#""attributes":{"Role":["editor","viewer"],"mail":["ada@acme.example"],"empty":[""],"complex":[null]}"#;
    assert!(text.contains(expected), "{text}");
    assert!(text.starts_with(r#"{"file":"good.xml","accepted":true,"identity":{"issuer""#), "{text}");
}

#[test]
fn a_response_without_a_name_says_so() {
    let case = Case::new("nameless");
    case.response("good.xml", Says { name_id: "", ..USUAL });
    let line = &lines(&case.usual("--request-id _r1 good.xml"))[0];
    assert_eq!((&line["accepted"], &line["identity"]["name_id"]), (&json!(true), &Value::Null));
    assert_eq!(line["identity"]["name_id_format"], Value::Null);
}

#[test]
fn a_bad_response_names_its_code_and_the_rest_is_inspected_all_the_same() {
    let case = Case::new("bad");
    let elsewhere = "https://sp.example/other";
    for (name, says) in [
        ("audience", Says { audience: "https://other.example", ..USUAL }),
        ("recipient", Says { destination: elsewhere, ..USUAL }),
        ("expired", Says { ends: NOW - 600, ..USUAL }),
        ("issuer", Says { issuer: "https://other.example", ..USUAL }),
        ("unsigned", Says { signed: false, ..USUAL }),
        ("request", Says { in_response_to: "_r2", ..USUAL }),
        ("good", USUAL),
    ] {
        case.response(name, says);
    }
    case.write("junk", "no response");
    let tampered = std::fs::read_to_string(case.folder.join("good")).unwrap().replace("ada-7f", "root-0");
    case.write("tampered", &tampered);
    let output =
        case.usual("--request-id _r1 audience recipient expired issuer unsigned request junk tampered good");
    assert_eq!(output.status.code(), Some(1));
    let found = lines(&output);
    let codes: Vec<_> = found.iter().map(|line| line["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        codes,
        [
            "saml.audience_mismatch",
            "saml.destination_mismatch",
            "saml.confirmation_expired",
            "saml.issuer_mismatch",
            "saml.not_signed",
            "saml.in_response_to_mismatch",
            "saml.base64_invalid",
            "saml.digest_mismatch",
            "",
        ]
    );
    assert_eq!(found[4]["reason"], "neither the response nor the assertion is signed");
    assert!(found[0].get("identity").is_none());
    assert_eq!(found[8]["accepted"], true, "what is refused uses nothing up");
}

#[test]
fn an_assertion_counts_once_in_a_run() {
    let case = Case::new("replay");
    case.response("one.xml", USUAL);
    case.response("other.xml", Says { id: "_a2", ..USUAL });
    let output = case.usual("--request-id _r1 one.xml other.xml one.xml");
    assert_eq!(output.status.code(), Some(1));
    let found = lines(&output);
    assert_eq!((&found[0]["accepted"], &found[1]["accepted"]), (&json!(true), &json!(true)));
    assert_eq!(found[2]["code"], "saml.replayed");
    assert_eq!(case.usual("--request-id _r1 one.xml").status.code(), Some(0), "another run begins anew");
}

#[test]
fn who_asked_is_compared_named_or_denied() {
    let case = Case::new("requests");
    case.response("asked.xml", USUAL);
    case.response("unasked.xml", Says { id: "_a2", in_response_to: "", ..USUAL });
    for (options, asked, unasked) in [
        ("--request-id _r1", None, Some("saml.in_response_to_missing")),
        ("--unsolicited", Some("saml.in_response_to_unexpected"), None),
        ("", None, Some("saml.in_response_to_missing")),
    ] {
        let found = lines(&case.usual(&format!("{options} asked.xml unasked.xml")));
        assert_eq!(found[0]["code"].as_str(), asked, "{options}");
        assert_eq!(found[1]["code"].as_str(), unasked, "{options}");
    }
    let line = &lines(&case.usual("asked.xml"))[0];
    assert_eq!(line["checks"]["replay"], json!(["assertion_id"]), "nobody compared the request");
    let line = &lines(&case.usual("--unsolicited unasked.xml"))[0];
    assert_eq!(line["checks"]["replay"], json!(["unsolicited", "assertion_id"]));
}

#[test]
fn clocks_may_differ_by_the_skew() {
    let case = Case::new("skew");
    case.response("late.xml", Says { ends: NOW - 100, ..USUAL });
    assert_eq!(case.usual("--request-id _r1 late.xml").status.code(), Some(0));
    let output = case.usual("--request-id _r1 --skew 60 late.xml");
    assert_eq!(lines(&output)[0]["code"], "saml.confirmation_expired");
}

#[test]
fn the_provider_comes_by_metadata_or_by_certificates() {
    let case = Case::new("provider");
    case.response("good.xml", USUAL);
    let stranger = Identity::generate("stranger", DateTime::from_timestamp(NOW, 0).unwrap()).unwrap();
    case.write("stranger.pem", &stranger.certificate_pem());
    let sp = format!(
        "saml --sp-entity-id https://sp.example --acs-url https://sp.example/acs --now {NOW} --request-id _r1"
    );
    let own = "--idp-entity-id https://idp.example";
    for (provider, status) in [
        ("--idp-metadata metadata.xml", 0),
        ("--idp-metadata two.xml --idp-entity-id https://idp.example", 0),
        ("--idp-metadata two.xml", 2),
        ("--idp-metadata two.xml --idp-entity-id https://third.example", 2),
        (&format!("{own} --idp-cert stranger.pem --idp-cert idp.pem"), 0),
        (&format!("{own} --idp-cert stranger.pem"), 1),
        (&format!("{own} --idp-cert metadata.xml"), 2),
        (&format!("{own} --idp-cert missing.pem"), 2),
    ] {
        let output = case.inspect(&format!("{sp} {provider} good.xml"));
        assert_eq!(output.status.code(), Some(status), "{provider}: {output:?}");
    }
    let output = case.inspect(&format!("{sp} {own} --idp-cert stranger.pem good.xml"));
    assert_eq!(lines(&output)[0]["code"], "saml.signature_invalid");
}

#[test]
fn bad_usage_exits_with_2_and_says_why() {
    let case = Case::new("usage");
    case.response("good.xml", USUAL);
    for (output, says) in [
        (case.inspect("saml good.xml"), "`--sp-entity-id` is missing"),
        (case.usual("--encoding hex good.xml"), "neither `xml` nor `base64`"),
        (case.usual("--decryption-key idp.pem good.xml"), "is not an RSA key"),
        (case.usual("missing.xml"), "`missing.xml`"),
        (case.usual("--request-id a --unsolicited good.xml"), "exclude each other"),
        (case.usual("--explain good.xml"), "`--config` is missing"),
    ] {
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8(output.stderr).unwrap().contains(says), "{says}");
    }
}

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
ceiling = ["role:editor"]
link = [{ by = { email = "when_authoritative" } }]

[connection.protocol]
label = "Acme"
metadata = { file = "metadata.xml" }

[connection.protocol.saml]
entity_id = "https://sp.example"
acs_url = "https://sp.example/saml/acme/acs"

[connection.mapping.email]
claim = "mail"
verified = "own_domains"

[connection.mapping.user_name]
template = ["{mail|local}"]

[[connection.mapping.entitlement]]
claim = "Role"
table.editor = ["role:editor"]

[[connection.policy.rule]]
name = "staff"
when = { email_domain = "acme.example" }
permit = { session_limit = "8h" }
"#;

const CONFIGURED: Says<'static> = Says { destination: "https://sp.example/saml/acme/acs", ..USUAL };

#[test]
fn a_connection_brings_its_own_expectations_and_explains_what_comes_of_them() {
    let case = Case::new("configured");
    case.write("portal.toml", CONFIGURATION);
    case.response("good.xml", CONFIGURED);
    case.response("unstable.xml", Says {
        id: "_a2",
        name_id: "<saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">ada@acme.example</saml:NameID>",
        ..CONFIGURED
    });
    case.response(
        "transient.xml",
        Says {
            id: "_a3",
            name_id: "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\">_x</saml:NameID>",
            ..CONFIGURED
        },
    );
    let usual = format!("saml --config portal.toml --connection acme --now {NOW} --request-id _r1");
    let output = case.inspect(&format!("{usual} good.xml unstable.xml transient.xml"));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let found = lines(&output);
    assert_eq!(found[0]["accepted"], true);
    assert!(found[0].get("decision").is_none());
    assert_eq!(found[1]["code"], "saml.name_id_not_stable", "a sign-in would not go on with it");
    assert_eq!(found[2]["code"], "identity.transient_subject");

    let output = case.inspect(&format!("{usual} --explain good.xml"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let line = &lines(&output)[0];
    assert_eq!(
        line["mapping"]["email"],
        json!({ "address": "ada@acme.example", "trust": "authoritative" }),
        "the connection speaks for its domain"
    );
    assert_eq!(line["mapping"]["user_name"], json!(["ada"]));
    assert_eq!(line["decision"]["verdict"], "signed_in");
    let changes = line["plan"]["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["change"] == "create active"), "{changes:?}");
    assert!(changes.iter().any(|change| change["change"] == "give role:editor"), "{changes:?}");
}

#[test]
fn a_wrong_configuration_names_file_line_and_field() {
    let case = Case::new("wrong-configuration");
    case.response("good.xml", CONFIGURED);
    let fetched = "metadata = { url = \"https://idp.example/metadata\", dangerously_unsigned = true }";
    for (from, to, says) in [
        (
            "acs_url = \"https://sp",
            "acs_url = \"https://other",
            "protocol.saml.acs_url: must be the portal's",
        ),
        (
            "issuers = [\"https://idp.example\"]",
            "issuers = [\"https://a\", \"https://b\"]",
            "config.issuer_mismatch",
        ),
        ("entity_id =", "entity =", "protocol.saml.entity: unknown field"),
        ("metadata = { file = \"metadata.xml\" }", "", "needs `saml.idp` or `metadata`"),
        ("metadata = { file = \"metadata.xml\" }", "metadata = {}", "needs either `file` or `url`"),
        ("metadata = { file = \"metadata.xml\" }", "metadata = { url = \"https://i\" }", "needs `signed_by`"),
        ("metadata = { file = \"metadata.xml\" }", fetched, "give `--idp-metadata`"),
    ] {
        assert!(CONFIGURATION.contains(from), "{from}");
        case.write("wrong.toml", &CONFIGURATION.replacen(from, to, 1));
        let output = case.inspect("saml --config wrong.toml --connection acme good.xml");
        assert_eq!(output.status.code(), Some(2), "{to}: {output:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains(says), "{to}: {complaint}");
    }
    case.write("portal.toml", CONFIGURATION);
    for (arguments, says) in [
        ("oidc --config portal.toml --connection acme --jwks metadata.xml good.xml", "use `inspect saml`"),
        ("saml --config portal.toml --connection nobody good.xml", "has no connection `nobody`"),
    ] {
        let output = case.inspect(arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(says), "{says}");
    }
}
