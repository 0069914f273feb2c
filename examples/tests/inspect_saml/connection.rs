//! Connections of a configuration as the place where expectations come from.

use serde_json::json;

use crate::case::{Case, NOW, Says, USUAL, lines};

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
        case.write("wrong.toml", CONFIGURATION.replacen(from, to, 1));
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

const FILE: &str = "metadata = { file = \"metadata.xml\" }";
const UNSIGNED: &str = "metadata = { url = \"https://idp.example/m\", dangerously_unsigned = true }";
const ASKED: &str = "--request-id _r1 --connection acme";

impl Case {
    /// The code of the first response under a configuration that says this about its provider; empty when it is accepted.
    fn under(&self, provider: &str, saml: &str, arguments: &str) -> String {
        let own = format!("acs_url = \"https://sp.example/saml/acme/acs\"\n{saml}");
        let text = CONFIGURATION.replacen(FILE, provider, 1);
        self.write("portal.toml", text.replacen("acs_url = \"https://sp.example/saml/acme/acs\"", &own, 1));
        let output = self.inspect(&format!("saml --config portal.toml --now {NOW} {ASKED} {arguments}"));
        assert!(output.stderr.is_empty(), "{output:?}");
        let found = lines(&output);
        found.first().and_then(|line| line.get("code")?.as_str()).unwrap_or_default().to_owned()
    }

    fn pinned(&self, more: &str) -> String {
        let certificate = std::fs::read_to_string(self.folder.join("idp.pem")).unwrap();
        format!(
            "[connection.protocol.saml.idp]\nentity_id = \"https://idp.example\"\ncertificates = ['''{certificate}''']\n\
             sign_on_url = \"https://idp.example/sso\"\n{more}"
        )
    }
}

#[test]
fn what_a_connection_demands_holds_wherever_its_metadata_comes_from() {
    let case = Case::new("demands");
    case.response("assertion.xml", CONFIGURED);
    let fetched =
        "metadata = { url = \"https://idp.example/m\", dangerously_unsigned = true, signed = \"both\" }";
    let elsewhere = "--idp-metadata metadata.xml assertion.xml";
    for (provider, saml, arguments) in [
        ("", case.pinned("signed = \"response\""), "assertion.xml"),
        ("", case.pinned("signed = \"response\""), elsewhere),
        ("metadata = { file = \"metadata.xml\", signed = \"response\" }", String::new(), "assertion.xml"),
        ("metadata = { file = \"metadata.xml\", signed = \"both\" }", String::new(), elsewhere),
        (fetched, String::new(), elsewhere),
    ] {
        let code = case.under(provider, &saml, arguments);
        assert_eq!(code, "saml.response_not_signed", "{provider} {saml} {arguments}");
        let lenient =
            |text: &str| text.replace("\"response\"", "\"either\"").replace("\"both\"", "\"assertion\"");
        assert_eq!(case.under(&lenient(provider), &lenient(&saml), arguments), "", "{provider} {saml}");
    }
}

#[test]
fn what_a_provider_may_do_although_it_is_forbidden_is_said_beside_its_metadata() {
    let case = Case::new("legacy");
    case.changed("offset.xml", CONFIGURED, |xml| xml.replace("Z\"", "+00:00\""));
    let elsewhere = "--idp-metadata metadata.xml offset.xml";
    let switch = "legacy = { offset_times = true }";
    let file = format!("metadata = {{ file = \"metadata.xml\", {switch} }}");
    for (provider, saml, arguments, code) in [
        (FILE, String::new(), "offset.xml", "saml.time_malformed"),
        (&file, String::new(), "offset.xml", ""),
        (&file, String::new(), elsewhere, ""),
        ("", case.pinned(""), elsewhere, "saml.time_malformed"),
        ("", case.pinned(switch), elsewhere, ""),
    ] {
        assert_eq!(case.under(provider, &saml, arguments), code, "{provider} {saml} {arguments}");
    }
}

#[test]
fn scopes_are_those_that_the_connection_believes() {
    let case = Case::new("scopes");
    let subject = "urn:oasis:names:tc:SAML:attribute:subject-id";
    case.changed("scoped.xml", CONFIGURED, |xml| {
        let attribute = format!(
            "<saml:AttributeStatement><saml:Attribute Name=\"{subject}\"><saml:AttributeValue>ada@acme.example\
             </saml:AttributeValue></saml:Attribute>"
        );
        xml.replace("<saml:AttributeStatement>", &attribute)
    });
    let text = std::fs::read_to_string(case.folder.join("metadata.xml")).unwrap();
    let scope = "><Extensions><s:Scope xmlns:s=\"urn:mace:shibboleth:metadata:1.0\" regexp=\"false\">acme.example\
                 </s:Scope></Extensions><IDPSSODescriptor ";
    case.write("scoped-metadata.xml", text.replace("><IDPSSODescriptor ", scope));
    let saml = format!("subject = {{ attribute = \"{subject}\", scoped = true }}\n");
    let (scoped, plain) =
        ("--idp-metadata scoped-metadata.xml scoped.xml", "--idp-metadata metadata.xml scoped.xml");
    let told = "metadata = { file = \"metadata.xml\", scopes = [\"acme.example\"] }";
    for (provider, saml, arguments, code) in [
        (FILE, saml.clone(), plain, "saml.subject_scope"),
        (FILE, saml.clone(), scoped, ""),
        (told, saml.clone(), plain, ""),
        (told, saml.clone(), "scoped.xml", ""),
        // nobody but the provider itself speaks of its scopes there
        (UNSIGNED, saml.clone(), scoped, "saml.subject_scope"),
        ("", format!("{saml}{}", case.pinned("")), scoped, "saml.subject_scope"),
        ("", format!("{saml}{}", case.pinned("scopes = [\"acme.example\"]")), plain, ""),
    ] {
        assert_eq!(case.under(provider, &saml, arguments), code, "{provider} {saml} {arguments}");
    }
}

#[test]
fn the_only_provider_of_a_connection_speaks_for_all_of_it_wherever_its_metadata_comes_from() {
    let case = Case::new("only-provider");
    let name = "urn:oid:1.3.6.1.4.1.5923.1.1.1.6";
    case.changed("scoped.xml", CONFIGURED, |xml| {
        let attribute = format!(
            "<saml:AttributeStatement><saml:Attribute Name=\"{name}\"><saml:AttributeValue>ada@acme.example\
             </saml:AttributeValue></saml:Attribute>"
        );
        xml.replace("<saml:AttributeStatement>", &attribute)
    });
    let rule =
        format!("[[connection.mapping.attribute]]\nattribute = \"principal_name\"\nclaim = \"{name}\"\n\n");
    let elsewhere = "--idp-metadata metadata.xml scoped.xml";
    for (provider, saml, arguments, state) in [
        ("", case.pinned(""), "scoped.xml", "values"),
        ("", case.pinned(""), elsewhere, "values"),
        (FILE, String::new(), "scoped.xml", "values"),
        (FILE, String::new(), elsewhere, "values"),
        (
            "metadata = { file = \"metadata.xml\", scopes = [\"b.example\"] }",
            String::new(),
            "scoped.xml",
            "unknown",
        ),
        // nobody has vouched for what it says of itself
        (UNSIGNED, String::new(), elsewhere, "unknown"),
    ] {
        let text = CONFIGURATION.replacen(FILE, provider, 1);
        let saml = format!("{saml}\n[connection.mapping.email]");
        let text = text.replacen("[connection.mapping.email]", &saml, 1);
        let before = "[[connection.mapping.entitlement]]";
        case.write("portal.toml", text.replacen(before, &format!("{rule}{before}"), 1));
        let output =
            case.inspect(&format!("saml --config portal.toml --now {NOW} {ASKED} --explain {arguments}"));
        let line = &lines(&output)[0];
        assert_eq!(line["mapping"]["attributes"][0]["state"], state, "{provider} {output:?}");
        let says_why =
            line["decision"]["steps"].to_string().contains(&format!("left_out_for_its_scope:{name}"));
        assert_eq!(says_why, state == "unknown", "{line}");
    }
}

#[test]
fn a_connection_that_signs_nobody_in_has_nothing_to_inspect() {
    let case = Case::new("record-source");
    let (before, rest) = CONFIGURATION.split_once("[connection.protocol]").unwrap();
    let (_, mapping) = rest.split_once("[connection.mapping.email]").unwrap();
    let before = before.replace("link = [{ by = { email = \"when_authoritative\" } }]", "");
    case.write(
        "portal.toml",
        format!(
            "{before}[connection.provisioning]\n[connection.protocol]\nlabel = \"HR\"\n[connection.protocol.scim]\n\
             token_file = \"hr.tokens\"\n[connection.mapping.email]{mapping}"
        ),
    );
    for arguments in ["oidc --jwks metadata.xml", "saml"] {
        let output =
            case.inspect(&format!("{arguments} --config portal.toml --connection acme metadata.xml"));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains("connection `acme`: signs nobody in"), "{complaint}");
    }
}
