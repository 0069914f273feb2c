use jit_core::{Clock, SystemClock};

use super::*;
use crate::demo_saml_idp::Identity;

const DOCUMENTATION: &str = include_str!("../../../../docs/portal.md");

fn example() -> &'static str {
    DOCUMENTATION.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()
}

fn problems(change: impl FnOnce(&str) -> String) -> String {
    Settings::load(&change(example()), "portal.toml").unwrap_err().to_string()
}

#[test]
fn the_documented_configuration_is_sound() {
    let settings = Settings::load(example(), "portal.toml").unwrap();
    assert_eq!(settings.connection.len(), 1);
    assert_eq!(settings.portal.authority().unwrap(), "portal.example");
    assert_eq!(settings.protection.seats, Some(500));
    let protection = settings.protection.protection();
    let allowed = |ceiling: &[&str], given: &str| {
        let ceiling: Vec<_> = ceiling.iter().map(|line| line.parse().unwrap()).collect();
        protection.allows(&ceiling, &given.parse().unwrap())
    };
    assert!(
        !allowed(&["role:manager", "role:engineer"], "role:manager"),
        "it brings what the ceiling leaves out"
    );
    assert!(!allowed(&["role:*"], "role:manager"), "no pattern reaches what is protected");
    assert!(allowed(&["role:manager", "role:engineer", "role:auditor"], "role:manager"));
}

#[test]
fn each_role_of_a_circle_is_named_at_its_place_and_no_other() {
    let found = problems(|text| {
        text.replace(
            "\"role:manager\" = [\"role:auditor\", \"role:engineer\"]",
            "\"role:a\" = [\"role:b\"]\n\"role:b\" = [\"role:c\", \"role:a\"]\n\"role:lead\" = [\"role:a\"]\n\"role:x\" = [\"role:x\"]",
        )
    });
    let named: Vec<_> = found
        .lines()
        .map(|line| line.split("includes.").nth(1).unwrap().split(": ").next().unwrap())
        .collect();
    assert_eq!(named, ["\"role:a\"", "\"role:b\"", "\"role:x\""], "{found}");
    assert!(
        found
            .lines()
            .all(|line| line.ends_with("(config.contradiction)") && !line.starts_with("portal.toml: ")),
        "{found}"
    );
}

#[test]
fn the_documented_target_is_sound() {
    let target = DOCUMENTATION.split("```toml\n").nth(2).unwrap().split("```").next().unwrap();
    let settings = Settings::load(&format!("{}\n{target}", example()), "portal.toml").unwrap();
    assert_eq!(settings.target.len(), 1);
    let found = problems(|text| format!("{text}\n{}", target.replace("[deployment]", "[deploiment]")));
    assert!(found.contains("deploiment: unknown field"), "{found}");
    let nameless = target.split("[[target]]").nth(1).unwrap();
    let found = problems(|text| format!("{text}\n[[target]]{nameless}"));
    assert!(found.contains("needs `deployment`"), "{found}");
}

#[test]
fn the_demo_is_sound() {
    let identity = Identity::generate("portal", SystemClock.now()).unwrap();
    let text = crate::portal::demo::CONNECTIONS
        .replace("{LISTEN}", "127.0.0.1:8080")
        .replace("{PORTAL}", "http://127.0.0.1:8080")
        .replace("{ACME}", "http://127.0.0.1:8081")
        .replace("{GUILD}", "http://127.0.0.1:8082")
        .replace("{FOUNDRY}", "http://127.0.0.1:8083")
        .replace("{KEY}", &identity.key)
        .replace("{CERTIFICATE}", &identity.certificate_pem());
    assert_eq!(Settings::load(&text, "demo.toml").unwrap().connection.len(), 3);
}

#[test]
fn every_problem_names_file_line_field_and_code() {
    for (from, to, says) in [
        ("https://portal.example\" ", "http://portal.example\" ", "portal.base_url: must be https"),
        ("https://portal.example\" ", "https://portal.example/x\" ", "portal.base_url: must be"),
        ("sqlite:accounts.db", "mysql:accounts", "portal.store: "),
        ("# store = \"partners\"", "store = \"elsewhere\"", "connection[0].store: no `store`"),
        ("callback/acme\"", "callback/other\"", "connection[0].protocol.oidc.redirect_uri: must be"),
        ("client_id = \"portal\"", "client_id = \"\"", "connection[0].protocol.oidc.client_id: must not"),
        ("issuers = [\"https://op", "issuers = [\"https://other", "connection[0].issuers: are not those"),
        ("label =", "lable =", "connection[0].protocol.lable: unknown field"),
        ("domains = [\"acme.example\"]", "domains = [\".example\"]", "connection[0].domains"),
        ("verified = { claim = \"email_verified\" }", "", "connection[0].mapping.email"),
        ("\"role:manager\" =", "manager =", "protection.includes"),
        (
            "\"role:engineer\"]\n\n[[store]]",
            "\"role:staff\"]\n\"role:staff\" = [\"role:manager\"]\n\n[[store]]",
            "protection.includes.\"role:staff\": brings itself along",
        ),
        ("name = \"anyone-from-acme\"", "subject = \"email\"", "connection[0].policy.rule[0].subject"),
    ] {
        assert!(example().contains(from), "{from}");
        let found = problems(|text| text.replacen(from, to, 1));
        assert!(found.starts_with("portal.toml:") && found.contains(says), "{found}");
    }
}

/// The documented configuration with the documented connection by SAML beside it.
fn with_saml() -> String {
    let saml = DOCUMENTATION.split("```toml\n").nth(3).unwrap().split("```").next().unwrap();
    format!("{}\n{saml}", example())
}

#[test]
fn the_documented_connection_by_saml_is_sound() {
    let settings = Settings::load(&with_saml(), "portal.toml").unwrap();
    assert!(matches!(settings.connection[1].protocol.method(), Some(Method::Saml(_))));
}

/// The documented configuration with the documented connection to a directory beside it.
fn with_ldap() -> String {
    let ldap = DOCUMENTATION.split("```toml\n").nth(4).unwrap().split("```").next().unwrap();
    format!("{}\n{ldap}", example())
}

#[test]
fn the_documented_connection_to_a_directory_is_sound_and_needs_what_it_has() {
    let settings = Settings::load(&with_ldap(), "portal.toml").unwrap();
    assert!(matches!(settings.connection[1].protocol.method(), Some(Method::Ldap(_))));
    for (from, to, says) in [
        (
            "issuers = [\"ldap.acme",
            "issuers = [\"other.acme",
            "connection[1].issuers: must be the one `issuer`",
        ),
        ("names = [\"uid\", \"mail\"]", "names = []", "connection[1].protocol.ldap.names: must name"),
        (
            "filter = \"(",
            "filter = \"",
            "connection[1].protocol.ldap.filter: must be a filter (ldap.settings_invalid)",
        ),
        ("password_file = ", "password = ", "connection[1].protocol.directory.password: unknown field"),
        (
            "[connection.protocol.ldap]",
            "[connection.protocol.scim]\ntoken_file = \"t\"\n\n[connection.protocol.ldap]",
            "connection[1].protocol.scim: goes with no `ldap`",
        ),
    ] {
        assert!(with_ldap().contains(from), "{from}");
        let found =
            Settings::load(&with_ldap().replacen(from, to, 1), "portal.toml").unwrap_err().to_string();
        assert!(found.starts_with("portal.toml:") && found.contains(says), "{to}: {found}");
    }
    let text = with_ldap();
    let way = text.split("[connection.protocol.directory]").nth(1).unwrap().split("\n[").next().unwrap();
    let bare = text.replace(&format!("[connection.protocol.directory]{way}"), "");
    let found = Settings::load(&bare, "portal.toml").unwrap_err().to_string();
    assert!(found.contains("connection[1].protocol: needs `directory` beside `ldap`"), "{found}");
    let way = format!("[connection.protocol.directory]{way}\n[connection.protocol.oidc]");
    let found = problems(|text| text.replace("[connection.protocol.oidc]", &way));
    assert!(found.contains("connection[0].protocol.directory: goes with `ldap` only"), "{found}");
}

#[test]
fn the_markers_of_all_targets_are_refused_at_the_door() {
    let target = DOCUMENTATION.split("```toml\n").nth(2).unwrap().split("```").next().unwrap();
    let other = target.split("[[target]]").nth(1).unwrap().replace("id = \"linux\"", "id = \"vault\"");
    let other = other.replace("password_policy", "marker = \"title\"\npassword_policy");
    let text = format!("{}\n{target}\n[[target]]{other}", with_ldap());
    let settings = Settings::load(&text, "portal.toml").unwrap();
    let Some(Method::Ldap(ldap)) = settings.connection[1].protocol.method() else {
        panic!("another protocol")
    };
    assert!(ldap.marker.is_empty());
    assert_eq!(settings.refusing_what_is_lent(ldap).marker, ["description", "title"]);
}

/// The documented configuration with the documented connection by SCIM beside it.
fn with_scim() -> String {
    let scim = DOCUMENTATION.split("```toml\n").nth(5).unwrap().split("```").next().unwrap();
    format!("{}\n{scim}", example())
}

fn with_mirror(waits: &str) -> String {
    let mirrors = include_str!("../../../../docs/mirrors.md");
    let target = mirrors.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    format!("{}\n{}", with_scim(), target.replace("[\"okta\"]", waits))
}

#[test]
fn only_connections_that_people_sign_in_over_wait_for_a_target() {
    assert_eq!(Settings::load(&with_mirror("[\"acme\"]"), "portal.toml").unwrap().target.len(), 1);
    for (waits, code) in [("[\"acme\", \"okta\"]", "unknown_connection"), ("[\"acme-hr\"]", "invalid_value")]
    {
        let found = Settings::load(&with_mirror(waits), "portal.toml").unwrap_err().to_string();
        assert!(found.contains("target[0].mirror.waited_for_by: "), "{found}");
        assert!(found.ends_with(&format!("(config.{code})")), "{found}");
    }
    let elsewhere =
        with_mirror("[\"acme\"]").replace("id = \"chat\"", "id = \"chat\"\ntenants = [\"other\"]");
    let found = Settings::load(&elsewhere, "portal.toml").unwrap_err().to_string();
    assert!(found.contains("(config.unknown_connection)"), "{found}");
}

#[test]
fn a_mirror_hands_out_what_its_target_requires() {
    let github = with_mirror("[]").replace("preset = \"slack\"", "preset = \"github\"");
    assert_eq!(Settings::load(&github, "portal.toml").unwrap().target.len(), 1);
    for (without, name) in
        [("\nemail = true\n", "emails"), ("\ndisplay_name = \"display_name\"\n", "displayName")]
    {
        let found = Settings::load(&github.replace(without, "\n"), "portal.toml").unwrap_err().to_string();
        assert!(found.contains("target[0].mirror: ") && found.contains(&format!("`{name}`")), "{found}");
        assert!(found.ends_with("(config.missing_field)"), "{found}");
    }
    for (from, to, says) in [
        ("at_end = \"stop\"", "at_end = \"remove\"", "target[0].mirror.at_end: "),
        ("attributes = { ", "attributes = { given = \"name.givenName\", ", "`name.familyName`"),
        ("percent = 50", "percent = 7", "target[0].mirror.quarantine.percent: "),
        (
            "quarantine = { accounts = 10",
            "quarantine = { accounts = 65",
            "target[0].mirror.quarantine.accounts: ",
        ),
    ] {
        assert!(github.contains(from), "{from}");
        let found = Settings::load(&github.replace(from, to), "portal.toml").unwrap_err().to_string();
        assert!(found.contains(says), "{found}");
    }
    let knowingly = github.replace("at_end = \"stop\"", "at_end = \"remove_for_good\"");
    assert!(Settings::load(&knowingly, "portal.toml").is_ok());
    let otherwise = github
        .replace("\nemail = true\n", "\n")
        .replace("attributes = { ", "attributes = { mail = 'emails[type eq \"work\"].value', ");
    assert!(Settings::load(&otherwise, "portal.toml").is_ok(), "it may come from an attribute");
}

#[test]
fn a_mirror_at_aws_hands_out_both_parts_of_a_name() {
    let aws = with_mirror("[]").replace("preset = \"slack\"", "preset = \"aws\"");
    let lacks = |given: &str| {
        let text = aws.replace("attributes = { ", &format!("attributes = {{ {given}"));
        Settings::load(&text, "portal.toml").map(drop).map_err(|found| found.to_string())
    };
    let found = lacks("given = \"name.givenName\", ").unwrap_err();
    assert!(found.contains("target[0].mirror: ") && found.contains("`name.familyName`"), "{found}");
    assert_eq!(lacks("given = \"name.givenName\", family = \"name.familyName\", "), Ok(()));
}

#[test]
fn the_documented_connection_by_scim_is_sound_and_needs_what_it_has() {
    let settings = Settings::load(&with_scim(), "portal.toml").unwrap();
    assert!(matches!(settings.connection[1].protocol.method(), Some(Method::Scim(_))));
    for (from, to, says) in [
        ("\"urn:acme:hr\"", "\"urn:acme:hr\", \"urn:acme:other\"", "connection[1].provisioning"),
        ("tolerance = \"entra\"", "tolerance = \"lax\"", "connection[1].protocol.scim.tolerance"),
        ("id = \"acme-hr\"", "id = \"acme-hr\"\nstore = \"main\"", "connection[1].store"),
        ("[connection.protocol.scim]", "[connection.protocol.oidc]", "connection[1].protocol.oidc"),
    ] {
        let text = with_scim().replacen(from, to, 1);
        let found = Settings::load(&text, "portal.toml").unwrap_err().to_string();
        assert!(found.contains(says), "{found}");
    }
    let part = with_scim();
    let part = part.split("[connection.provisioning]").nth(1).unwrap().split("\n[").next().unwrap();
    let bare = with_scim().replace(&format!("[connection.provisioning]{part}"), "");
    let found = Settings::load(&bare, "portal.toml").unwrap_err().to_string();
    assert!(found.contains("connection[1].provisioning: is missing"), "{found}");
}

#[test]
fn a_connection_has_exactly_one_protocol_and_what_belongs_to_it() {
    let file = "metadata = { file = \"university.xml\" }";
    let oidc = "[connection.protocol.saml]";
    for (from, to, says) in [
        (
            "entity_id = \"https://portal",
            "oidc = 1\nentity_id = \"https://portal",
            "connection[1].protocol.saml.oidc: unknown field",
        ),
        (
            oidc,
            "[connection.protocol.oidc]\nissuer = \"https://i\"\nclient_id = \"c\"\nredirect_uri = \"https://p\"\n\
             [connection.protocol.saml]",
            "connection[1].protocol.saml: goes with no `oidc`",
        ),
        ("university/acs", "other/acs", "connection[1].protocol.saml.acs_url: must be the portal's"),
        ("skew_seconds = 180", "skew_seconds = 1", "connection[1].protocol.saml.skew_seconds: must be from"),
        (
            "[\"https://idp.university.example/idp/shibboleth\"]",
            "[\"a\", \"b\"]",
            "connection[1].issuers: must be",
        ),
        (file, "", "connection[1].protocol: needs `saml.idp` or `metadata`"),
        (file, "metadata = { url = \"https://i\" }", "connection[1].protocol.metadata: needs `signed_by`"),
        (file, "metadata = { file = \"f\", url = \"u\" }", "connection[1].protocol.metadata: needs either"),
        (
            file,
            "metadata = { file = \"f\", dangerously_unsigned = true }",
            "connection[1].protocol.metadata: a file is believed",
        ),
        (
            file,
            "metadata = { url = \"https://i\", signed_by = [\"x\"] }",
            "connection[1].protocol.metadata.signed_by[0]: is not a certificate",
        ),
        (
            file,
            "metadata = { file = \"f\", scopes = [\"\"] }",
            "connection[1].protocol.metadata.scopes[0]: must not be empty",
        ),
        (file, "metadata = { file = \"f\", signed = \"all\" }", "connection[1].protocol.metadata.signed"),
        (
            file,
            "metadata = { file = \"f\" }\npublish = { encryption = [\"x\"] }",
            "connection[1].protocol.publish.encryption[0]: is not a certificate",
        ),
    ] {
        assert!(with_saml().contains(from), "{from}");
        let found =
            Settings::load(&with_saml().replacen(from, to, 1), "portal.toml").unwrap_err().to_string();
        assert!(found.contains("portal.toml:") && found.contains(says), "{to}: {found}");
    }
}

#[test]
fn a_connection_without_a_protocol_is_none() {
    let none = example().replace("[connection.protocol.oidc]", "[connection.protocol.kerberos]");
    assert!(problems(|_| none).contains("connection[0].protocol.kerberos: unknown field"));
    let bare = example().split("[connection.protocol.oidc]").next().unwrap().to_owned();
    assert!(
        problems(|_| bare).contains("connection[0].protocol: needs one of `oidc`, `saml`, `ldap` and `scim`")
    );
}

#[test]
fn two_connections_cannot_have_one_id_or_one_issuer() {
    let second = |tenant: &str| {
        let connection = example().split("[[connection]]").nth(1).unwrap();
        format!("{}\n[[connection]]{}", example(), connection.replace("tenant = \"acme\"", tenant))
    };
    let found = problems(|_| second("tenant = \"acme\""));
    assert!(found.contains("config.duplicate_connection") && found.contains("config.duplicate_issuer"));
    // Another tenant's connection may have the id for the engine, but not for addresses of the portal.
    assert!(problems(|_| second("tenant = \"other\"")).contains("config.duplicate_connection"));
}

#[test]
fn a_password_is_not_shown() {
    let url = StoreUrl::try_from("postgres://jit:hush@127.0.0.1/jit".to_owned()).unwrap();
    assert!(!format!("{url:?}").contains("hush"));
}
