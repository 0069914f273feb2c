use super::*;
use crate::config::{Format, load};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protocol {
    client_id: String,
}

impl Check for Protocol {
    fn check(&self, found: &mut Problems) {
        if self.client_id.is_empty() {
            found.report_in("client_id", Code::new("config.test"), "must not be empty");
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    connection: Vec<ConnectionConfig<Protocol>>,
}

impl Check for Settings {
    fn check(&self, found: &mut Problems) {
        check_connections("connection", &self.connection, found);
    }
}

const MAIN: &str = r#"
[[connection]]
tenant = "acme"
id = "main"
issuers = ["https://idp.example"]
domains = ["example.com"]
ceiling = ["role:editor", "group:team-*"]
link = [{ by = { email = "when_authoritative" } }]

[connection.mapping]
preset = "okta"

[[connection.mapping.entitlement]]
claim = "groups"
table = { eng = ["role:editor"] }

[[connection.policy.rule]]
name = "everybody"
permit = {}

[connection.shadow]
mapping = { preset = "keycloak" }
policy = { rule = [{ name = "x", permit = {} }] }

[connection.protocol]
client_id = "c"
"#;

fn settings(toml: &str) -> Result<Settings, String> {
    load(toml, Format::Toml, "f").map_err(|problems| problems.to_string())
}

fn problems(toml: &str) -> Vec<String> {
    let lines = settings(toml).err().unwrap_or_default();
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn a_connection_is_defined_as_it_is_written() {
    let mut settings = settings(MAIN).unwrap();
    let (connection, attestor, protocol) = settings.connection.remove(0).define().unwrap();
    assert_eq!(protocol.client_id, "c");
    assert_eq!(attestor.connection().as_str(), "main");
    assert_eq!(connection.settings().link, [LinkRule { by: LinkBy::Email(MailLink::WhenAuthoritative) }]);
    assert!(connection.settings().issuers.contains(&Issuer::new("https://idp.example").unwrap()));
    assert!(connection.shadow.is_some());
}

#[test]
fn what_a_connection_must_not_be_is_refused_with_its_place() {
    for (from, to, expected) in [
        (
            "issuers = [\"https://idp.example\"]",
            "",
            "f:2:1: connection[0]: needs `issuers` or an `issuer_template` (config.one_of)",
        ),
        ("[\"example.com\"]", "[\".example.com\"]", "config.domain_boundary"),
        ("[\"example.com\"]", "[\"*example.com\"]", "config.domain_boundary"),
        ("domains = [\"example.com\"]", "", "f:8:9: connection[0].link[0]: needs `domains`"),
        ("domains = [\"example.com\"]", "subject = \"oid\"", "f:6:1: connection[0].subject: "),
        ("domains = [\"example.com\"]", "name_id_format = \"urn:x:Transient\"", "config.transient_subject"),
        ("domains = [\"example.com\"]", "name_id_format = \"persistent\"", "config.unknown_field"),
        (
            "\"role:editor\", ",
            "",
            "f:15:11: connection[0].mapping.entitlement[0].table.eng: `role:editor` is not in",
        ),
        ("client_id = \"c\"", "client_id = \"\"", "connection[0].protocol.client_id: must not be empty"),
        ("client_id = \"c\"", "client_ID = \"\"", "did you mean `client_id`"),
        ("preset = \"okta\"", "preset = \"github\"", "config.email_unverified"),
        ("preset = \"okta\"", "", "config.unreachable_rule"),
        (
            "{ email = \"when_authoritative\" }",
            "{ attribute = { claim = \"email\", attribute = \"mail\" } }",
            "config.email_unverified",
        ),
        (
            "{ email = \"when_authoritative\" }",
            "{ attribute = { claim = \"oid\", attribute = \"o\" } }",
            "config.oid_without_tid",
        ),
        (
            "mapping = { preset = \"keycloak\" }",
            "mapping = { subject = 1 }",
            "connection[0].shadow.mapping.subject",
        ),
    ] {
        assert!(MAIN.contains(from), "{from}");
        let found = problems(&MAIN.replacen(from, to, 1));
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{to}: expected {expected}, found {found:#?}"
        );
    }
}

#[test]
fn two_connections_do_not_speak_for_the_same() {
    let other = |from: &str, to: &str| MAIN.to_owned() + &MAIN.replace(from, to);
    let twins = problems(&other("x", "x"));
    assert!(twins.iter().any(|problem| problem.contains("config.duplicate_connection")), "{twins:?}");
    let issuer = problems(&other("\"main\"", "\"other\""));
    assert_eq!(issuer.len(), 1, "{issuer:?}");
    assert!(
        issuer[0].starts_with("f:31:1: connection[1].issuers: connection[0] trusts the same issuer"),
        "{issuer:?}"
    );
    let domain = problems(&other("\"acme\"", "\"rival\""));
    assert_eq!(domain.len(), 1, "{domain:?}");
    assert!(domain[0].contains("config.duplicate_domain"), "{domain:?}");
    let apart = other("\"main\"", "\"other\"").replacen("https://idp.example", "https://idp2.example", 1);
    assert_eq!(problems(&apart), [""; 0]);
}

#[test]
fn an_issuer_template_is_bounded() {
    let with = |template: &str| {
        let of_entra = MAIN.replace("preset = \"okta\"", "preset = \"entra\"");
        let issuers = "issuers = [\"https://idp.example\"]";
        problems(&of_entra.replace(issuers, &format!("issuer_template = {{ {template} }}")))
    };
    assert_eq!(with("template = 'https://login.example/{*}/v2.0', allow = ['t1', 't2']"), [""; 0]);
    assert_eq!(with("template = 'https://login.example/{*}', dangerously_allow_any = true"), [""; 0]);
    for bad in [
        "template = 'https://login.example/v2.0', allow = ['t']",
        "template = 'https://{*}.example/', allow = ['t']",
        "template = 'https://{*}/', allow = ['t']",
        "template = 'https://login.example/x{*}/v2', allow = ['t']",
        "template = 'https://login.example/{*}x', allow = ['t']",
        "template = 'https://login.example/{*}/{*}', allow = ['t']",
        "template = 'https://login.example/{*}/v2.0'",
        "template = 'https://login.example/{*}/v2.0', allow = ['a'], dangerously_allow_any = true",
        "template = 'https://login.example/{*}/v2.0', allow = ['a/b']",
    ] {
        assert_eq!(with(bad).len(), 1, "{bad}: {:?}", with(bad));
    }
    let template = "issuer_template = { template = 'https://idp.example/{*}', allow = ['a'] }";
    let both = MAIN.replace("https://idp.example", "https://idp.example/a")
        + &MAIN.replace("issuers = [\"https://idp.example\"]", template).replace("\"main\"", "\"other\"");
    assert!(problems(&both)[0].contains("config.duplicate_issuer"), "{:?}", problems(&both));
}

#[test]
fn several_issuers_do_not_speak_for_the_same_domains() {
    let mail =
        |rule: &str| MAIN.replace("preset = \"okta\"", &format!("email = {{ claim = \"email\", {rule} }}"));
    let by_claim = "verified = { claim = \"email_verified\" }";
    let by_member = "verified = { claim = \"email_verified\", organisation = \"hd\" }";
    let (one, any) =
        ("issuers = [\"https://idp.example\"]", "issuer_template = { template = \"https://idp.example/{*}\"");
    let issuers = [
        format!("{any}, dangerously_allow_any = true }}"),
        format!("{any}, allow = [\"a\", \"b\"] }}"),
        "issuers = [\"https://idp.example\", \"https://b.example\"]".to_owned(),
    ];
    let unlinked = |text: &str| text.replace("link = [{ by = { email = \"when_authoritative\" } }]", "");
    for several in &issuers {
        for vouched in [
            MAIN.to_owned(),
            mail(by_claim),
            mail(by_member),
            mail("verified = \"own_domains\""),
            mail("dangerously_assume_verified = true"),
            unlinked(&mail(by_claim)),
        ] {
            let found = problems(&vouched.replace(one, several));
            assert_eq!(found.len(), 1, "{several}: {found:?}");
            assert!(
                found[0].starts_with("f:6:1: connection[0].domains: goes with one issuer only"),
                "{found:?}"
            );
            assert!(found[0].ends_with("(config.several_issuers)"), "{found:?}");
        }
        // What nobody but the operator of all tenants says, what nobody says, and what counts for no domain.
        for harmless in [
            mail("verified = { claim = \"xms_edov\" }"),
            unlinked(&mail("verified = \"never\"")),
            unlinked(&mail(by_claim)).replace("domains = [\"example.com\"]", ""),
        ] {
            assert_eq!(problems(&harmless.replace(one, several)), [""; 0], "{several}");
        }
    }
    let single = format!("{any}, allow = [\"a\"] }}");
    assert_eq!(problems(&MAIN.replace(one, &single)), [""; 0]);
}

#[test]
fn an_address_that_the_connection_vouches_for_is_of_one_of_its_domains() {
    let text = MAIN.replace("preset = \"okta\"", "email = { claim = \"mail\", verified = \"own_domains\" }");
    settings(&text).unwrap();
    let without = text
        .replace("domains = [\"example.com\"]", "")
        .replace("link = [{ by = { email = \"when_authoritative\" } }]", "");
    let found = problems(&without);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("connection[0].mapping.email.verified: needs `domains`"), "{found:?}");
    let by_preset =
        without.replace("email = { claim = \"mail\", verified = \"own_domains\" }", "preset = \"okta_saml\"");
    settings(&by_preset).unwrap();
}

#[test]
fn a_connection_that_provisions_is_checked_with_place_and_code() {
    let scim = |more: &str| {
        let head =
            "tenant = \"acme\"\nid = \"scim\"\nissuers = [\"urn:acme:hr\"]\nprotocol = { client_id = \"c\" }";
        format!(
            "{MAIN}\n[[connection]]\n{head}\npolicy = {{ rule = [{{ name = \"x\", permit = {{}} }}] }}\n[connection.provisioning]\n{more}"
        )
    };
    let main = |by: &str| format!("same_person = [{{ connection = \"main\", by = {by} }}]");
    let whole = "authority = \"whole\"\nmemberships = \"groups\"\nreactivates = true\nrenames = true\nkeeps_records = true";
    let limit = "leavers = { most = 25, within = \"1h\", removals = 400 }";
    let settings =
        load::<Settings>(&scim(&format!("{}\n{whole}\n{limit}", main("\"subject\""))), Format::Toml, "f");
    let scim_config = settings.unwrap().connection.remove(1);
    let (connection, ..) = scim_config.define().unwrap();
    let limit = connection.provisioning().unwrap().leavers.unwrap();
    assert_eq!((limit.most, limit.removals), (25, Some(400)));
    let twice = "same_person = [{ connection = \"main\", by = \"subject\" }, { connection = \"main\", by = \"subject\" }]";
    for (more, code, place) in [
        (main("{ claim = \"email\" }"), "config.email_unverified", "provisioning.same_person[0]"),
        (
            "same_person = [{ connection = \"scim\", by = \"subject\" }]".into(),
            "config.contradiction",
            "provisioning.same_person[0]",
        ),
        (twice.into(), "config.duplicate_rule", "provisioning.same_person[1]"),
        ("authority = \"whole\"".into(), "config.contradiction", "provisioning.authority"),
        ("memberships = \"groups\"".into(), "config.contradiction", "provisioning.memberships"),
        ("leavers = { most = 1, within = \"soon\" }".into(), "config.invalid_value", "provisioning.leavers"),
        ("authoritative = true".into(), "config.unknown_field", "provisioning"),
    ] {
        let problems = load::<Settings>(&scim(&more), Format::Toml, "f").map(drop).unwrap_err().to_string();
        assert!(problems.contains(code) && problems.contains(place), "{more}: {problems}");
    }
    let several = scim(&main("\"subject\""))
        .replace("\"https://idp.example\"", "\"https://idp.example\", \"https://b.example\"");
    let problems = load::<Settings>(&several, Format::Toml, "f").map(drop).unwrap_err().to_string();
    assert!(
        problems.contains("config.several_issuers") && problems.contains("same_person[0].connection"),
        "{problems}"
    );
    let own = scim("").replace("\"urn:acme:hr\"", "\"urn:acme:hr\", \"urn:acme:hr2\"");
    assert!(
        load::<Settings>(&own, Format::Toml, "f")
            .map(drop)
            .unwrap_err()
            .to_string()
            .contains("config.several_issuers")
    );
}
