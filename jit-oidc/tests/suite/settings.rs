//! Settings as people write them: sound ones work, unsound ones name their field.

use jit_core::IssuerSet;
use jit_oidc::OidcSettings;

const BASE: &str = r#"
    client_id = "portal"
    redirect_uri = "https://portal.example.com/callback"
"#;

fn refused(text: &str) -> String {
    let settings: OidcSettings = toml::from_str(&format!("{BASE}{text}")).unwrap();
    settings.check().unwrap_err().to_string()
}

fn unreadable(text: &str) -> String {
    toml::from_str::<OidcSettings>(&format!("{BASE}{text}")).unwrap_err().to_string()
}

fn issuers(text: &str) -> IssuerSet {
    let settings: OidcSettings = toml::from_str(&format!("{BASE}{text}")).unwrap();
    settings.check().unwrap().issuers().unwrap()
}

#[test]
fn presets_bring_their_issuers() {
    let one = |issuer: &str| IssuerSet::one(jit_core::Issuer::new(issuer).unwrap());
    assert_eq!(issuers("preset = \"google\""), one("https://accounts.google.com"));
    assert_eq!(issuers("preset = \"apple\""), one("https://appleid.apple.com"));
    assert_eq!(
        issuers("preset = \"okta\"\nissuer = \"https://acme.okta.com\""),
        one("https://acme.okta.com")
    );
    let entra = issuers("preset = \"entra\"\ntenants = [\"11111111-2222-3333-4444-555555555555\"]");
    assert!(matches!(entra, IssuerSet::Between { prefix, suffix, names }
        if prefix == "https://login.microsoftonline.com/" && suffix == "/v2.0" && names.len() == 1));
}

#[test]
fn unsound_settings_name_their_field() {
    for (text, message) in [
        ("", "`issuer` is missing"),
        ("issuer = \"http://op.example.com\"", "`issuer` must be https"),
        ("issuer = \"op.example.com\"", "`issuer` is not an address"),
        ("preset = \"entra\"", "`tenants` must list who may sign in, or name a fixed `issuer`"),
        ("preset = \"entra\"\ntenants = [\"common\"]", "`tenants` must be tenant ids in lower case"),
        ("preset = \"google\"\ntenants = [\"a\"]", "`tenants` does not go with a fixed `issuer`"),
        ("preset = \"google\"\nscopes = [\"email\"]", "`scopes` must hold `openid`"),
        ("preset = \"google\"\nscopes = [\"openid\", \"a b\"]", "`scopes` must be words without blanks"),
        ("preset = \"google\"\nalgorithms = []", "`algorithms` must not be empty"),
        ("preset = \"google\"\nleeway_seconds = 3600", "`leeway_seconds` must not be more than 600"),
        (
            "preset = \"google\"\nclient = { method = \"client_secret_basic\", secret = \"\" }",
            "`client.secret` must not be empty",
        ),
        (
            "preset = \"google\"\nclient = { method = \"private_key_jwt\", key = \"x\" }",
            "`client.key` is not a PKCS#8 key for ES256, EdDSA or RS256",
        ),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
}

#[test]
fn unknown_and_misspelt_settings_are_refused_with_their_place() {
    for text in [
        "isuer = \"https://op.example.com\"",
        "algorithms = [\"HS256\"]",
        "algorithms = [\"none\"]",
        "preset = \"github\"",
        "dangerous = { allow_everything = true }",
        "client = { method = \"tls\" }",
    ] {
        assert!(unreadable(text).contains("line 4"), "{text}: {}", unreadable(text));
    }
}

#[test]
fn secrets_are_not_shown() {
    let text = "preset = \"google\"\nclient = { method = \"client_secret_post\", secret = \"hunter2\" }";
    let settings: OidcSettings = toml::from_str(&format!("{BASE}{text}")).unwrap();
    let config = settings.check().unwrap();
    assert!(!format!("{settings:?}{config:?}").contains("hunter2"));
}
