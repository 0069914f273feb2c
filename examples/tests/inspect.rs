//! Runs `inspect` as a customer's CI would: files in, lines of JSON and an exit code out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::path::PathBuf;
use std::process::{Command, Output};

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

/// A folder with a key set and tokens signed by its key.
struct Case {
    folder: PathBuf,
    key: EcdsaKeyPair,
}

impl Case {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("inspect").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point: aws_lc_rs::encoding::EcPublicKeyUncompressedBin<'_> =
            key.public_key().as_be_bytes().unwrap();
        let (x, y) = point.as_ref()[1..].split_at(32);
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "kid": "k", "x": BASE64.encode(x), "y": BASE64.encode(y) });
        let case = Self { folder, key };
        case.write("jwks.json", &json!({ "keys": [jwk] }).to_string());
        case
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn token(&self, name: &str, change: &Value) {
        let mut claims = json!({
            "iss": "https://op.example", "sub": "alice", "aud": "rp", "iat": NOW, "exp": NOW + 300, "nonce": "n"
        });
        for (member, value) in change.as_object().unwrap() {
            claims[member] = value.clone();
        }
        let header = json!({ "alg": "ES256", "kid": "k" });
        let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        self.write(name, &format!("{signed}.{}\n", BASE64.encode(signature.as_ref())));
    }

    fn inspect(&self, arguments: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_inspect"))
            .current_dir(&self.folder)
            .args(arguments.split_whitespace())
            .output()
            .unwrap()
    }

    fn usual(&self, arguments: &str) -> Output {
        self.inspect(&format!(
            "oidc --issuer https://op.example --client-id rp --jwks jwks.json --now {NOW} {arguments}"
        ))
    }
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_good_token_is_accepted_with_what_was_checked() {
    let case = Case::new("good");
    case.token("good.jwt", &json!({ "email": "alice@acme.example" }));
    let output = case.usual("--nonce n good.jwt");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let line = &lines(&output)[0];
    assert_eq!((&line["file"], &line["accepted"]), (&json!("good.jwt"), &json!(true)));
    assert_eq!(line["identity"]["issuer"], "https://op.example");
    assert_eq!(line["identity"]["subject"], "alice");
    assert_eq!(line["identity"]["claims"]["email"], "alice@acme.example");
    assert_eq!(line["checks"]["replay"], json!(["nonce"]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(r#"{"file":"good.jwt","accepted":true,"identity":{"issuer""#), "{text}");
}

#[test]
fn without_a_nonce_nobody_claims_to_have_looked_for_replay() {
    let case = Case::new("no-nonce");
    case.token("good.jwt", &json!({}));
    assert_eq!(lines(&case.usual("good.jwt"))[0]["checks"]["replay"], json!([]));
}

#[test]
fn a_bad_token_names_its_code_and_the_rest_is_inspected_all_the_same() {
    let case = Case::new("bad");
    case.token("other.jwt", &json!({ "aud": "another" }));
    case.token("old.jwt", &json!({ "iat": NOW - 900, "exp": NOW - 600 }));
    case.token("good.jwt", &json!({}));
    case.write("junk.jwt", "not a token");
    let output = case.usual("other.jwt old.jwt good.jwt junk.jwt");
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    assert_eq!(lines[0]["code"], "oidc.audience_mismatch");
    assert!(lines[0]["reason"].is_string() && lines[0].get("identity").is_none());
    assert_eq!(lines[1]["code"], "oidc.expired");
    assert_eq!(lines[2]["accepted"], true);
    assert_eq!(lines[3]["code"], "oidc.token_malformed");
}

#[test]
fn options_narrow_and_widen_what_is_accepted() {
    let case = Case::new("options");
    case.token("t.jwt", &json!({ "auth_time": NOW - 100, "acr": "low", "aud": ["rp", "api"], "azp": "rp" }));
    for (options, code) in [
        ("--alg RS256", "oidc.algorithm_not_allowed"),
        ("--audience api --max-age 10 --leeway 0", "oidc.authentication_too_old"),
        ("--audience api --acr high", "oidc.acr_not_accepted"),
        ("--audience api --require-at-hash", "oidc.at_hash_missing"),
        ("--audience api --nonce other", "oidc.nonce_mismatch"),
        ("", "oidc.audience_untrusted"),
    ] {
        assert_eq!(lines(&case.usual(&format!("{options} t.jwt")))[0]["code"], code, "{options}");
    }
    let output = case.usual("--audience api --acr low --max-age 200 t.jwt");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_broken_key_set_refuses_every_token() {
    let case = Case::new("broken-keys");
    case.token("t.jwt", &json!({}));
    case.write("jwks.json", "{}");
    let output = case.usual("t.jwt");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&output)[0]["code"], "oidc.key_set_malformed");
}

#[test]
fn bad_usage_exits_with_2_and_says_why() {
    let case = Case::new("usage");
    case.token("t.jwt", &json!({}));
    for (output, says) in [
        (case.inspect(""), "name what to inspect"),
        (case.inspect("oidc --jwks jwks.json t.jwt"), "`--issuer` is missing"),
        (case.usual("missing.jwt"), "`missing.jwt`"),
        (case.usual("--frobnicate t.jwt"), "unknown option `--frobnicate`"),
    ] {
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8(output.stderr).unwrap().contains(says), "{says}");
    }
    assert_eq!(case.inspect("--help").status.code(), Some(0));
}

const CONFIGURATION: &str = r#"
[portal]
listen = "127.0.0.1:8080"
base_url = "https://portal.example"
store = "sqlite:accounts.db"

[protection]
never_without = ["role:admin"]

[[connection]]
id = "acme"
tenant = "acme"
issuers = ["https://op.example"]
domains = ["acme.example"]
ceiling = ["role:engineer"]
link = [{ by = { email = "when_authoritative" } }]

[connection.protocol]
label = "Acme"

[connection.protocol.oidc]
issuer = "https://op.example"
client_id = "rp"
redirect_uri = "https://portal.example/callback/acme"
trusted_audiences = ["api"]
required_acr = ["high"]

[connection.mapping.email]
claim = "email"
verified = { claim = "email_verified" }

[connection.mapping.user_name]
template = ["{preferred_username}"]

[[connection.mapping.attribute]]
attribute = "display_name"
claim = "name"

[[connection.mapping.entitlement]]
name = "groups"
claim = "groups"
table.eng = ["role:engineer"]

[[connection.policy.rule]]
name = "trainees"
when = { email_domain = "acme.example", groups = { any = "trainees" } }
hold = { asks = ["consent:house-rules", "user_name"] }

[[connection.policy.rule]]
name = "staff"
when = { email_domain = "acme.example" }
permit = { session_limit = "8h" }
"#;

fn person(change: &Value) -> Value {
    let mut claims = json!({
        "acr": "high", "name": "Alice Example", "preferred_username": "alice",
        "email": "alice@acme.example", "email_verified": true, "groups": ["eng"],
    });
    for (member, value) in change.as_object().unwrap() {
        claims[member] = value.clone();
    }
    claims
}

impl Case {
    fn configured(name: &str) -> Self {
        let case = Self::new(name);
        case.write("portal.toml", CONFIGURATION);
        case
    }

    fn explain(&self, arguments: &str) -> Output {
        self.inspect(&format!(
            "oidc --config portal.toml --connection acme --jwks jwks.json --now {NOW} --explain {arguments}"
        ))
    }
}

#[test]
fn a_connection_brings_its_own_expectations_and_the_command_line_counts_before_them() {
    let case = Case::configured("configured");
    case.token("good.jwt", &json!({ "acr": "high", "aud": ["rp", "api"], "azp": "rp" }));
    case.token("low.jwt", &json!({ "acr": "low" }));
    let usual = format!("oidc --config portal.toml --connection acme --jwks jwks.json --now {NOW}");
    let output = case.inspect(&format!("{usual} good.jwt low.jwt"));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let found = lines(&output);
    assert_eq!(found[0]["accepted"], true);
    assert_eq!(found[1]["code"], "oidc.acr_not_accepted");
    assert!(found[0].get("mapping").is_none() && found[0].get("decision").is_none());
    let output = case.inspect(&format!("{usual} --acr low low.jwt"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn an_explanation_tells_mapping_decision_and_plan() {
    let case = Case::configured("explain");
    case.token("alice.jwt", &person(&json!({ "groups": ["eng", "lunch"] })));
    case.token("trainee.jwt", &person(&json!({ "sub": "ned", "groups": ["trainees"] })));
    case.token("stranger.jwt", &person(&json!({ "sub": "erin", "email": "erin@elsewhere.example" })));
    case.token("expired.jwt", &json!({ "iat": NOW - 900, "exp": NOW - 600 }));
    let output = case.explain("alice.jwt trainee.jwt stranger.jwt expired.jwt");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let found = lines(&output);

    let alice = &found[0];
    assert_eq!(alice["mapping"]["user_name"], json!(["alice"]));
    assert_eq!(
        alice["mapping"]["email"],
        json!({ "address": "alice@acme.example", "trust": "authoritative" })
    );
    assert_eq!(
        alice["mapping"]["entitlements"],
        json!([{ "entitlement": "role:engineer", "rule": "groups", "claim": "groups" }])
    );
    assert_eq!(alice["decision"]["verdict"], "signed_in");
    let steps = alice["decision"]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["rule"] == "staff" && step["finding"] == "decided"), "{steps:?}");
    let changes = alice["plan"]["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["change"] == "create active"));
    assert!(changes.iter().any(|change| change["change"] == "give role:engineer"));

    assert_eq!(found[1]["decision"]["verdict"], "held");
    assert_eq!(found[1]["decision"]["asks"], json!(["consent:house-rules", "user_name"]));
    assert_eq!(found[1]["plan"], Value::Null);
    assert_eq!(
        (&found[2]["decision"]["verdict"], &found[2]["decision"]["code"]),
        (&json!("denied"), &json!("policy.no_rule"))
    );
    assert_eq!(found[2]["accepted"], true, "the token is good, whatever comes of it");
    assert_eq!(found[3]["code"], "oidc.expired");
    assert!(found[3].get("decision").is_none());
}

#[cfg(feature = "cel")]
#[test]
fn expressions_decide_and_map_in_the_programs_as_they_are_built() {
    let case = Case::configured("expressions");
    let mapped = "[[connection.mapping.attribute]]\nattribute = \"team\"\nexpression = \"claims.groups.filter(g, g != 'lunch')\"\n\
                  list = true\n\n[[connection.mapping.entitlement]]";
    let decided = "expression = \"claims.groups.exists(g, g == 'trainees')\"";
    let text = CONFIGURATION.replacen("[[connection.mapping.entitlement]]", mapped, 1);
    case.write("portal.toml", &text.replacen("groups = { any = \"trainees\" }", decided, 1));
    case.token("alice.jwt", &person(&json!({ "groups": ["eng", "lunch"] })));
    case.token("trainee.jwt", &person(&json!({ "sub": "ned", "groups": ["trainees"] })));
    let output = case.explain("alice.jwt trainee.jwt");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found = lines(&output);
    let attributes = found[0]["mapping"]["attributes"].as_array().unwrap();
    let team = attributes.iter().find(|attribute| attribute["name"] == "team").unwrap();
    assert_eq!(team["values"], json!(["eng"]));
    assert_eq!(found[0]["decision"]["verdict"], "signed_in");
    assert_eq!(found[1]["decision"]["verdict"], "held");
}

#[test]
fn an_explanation_heeds_the_other_connections_of_the_configuration() {
    let case = Case::configured("kin");
    case.token("alice.jwt", &person(&json!({})));
    assert_eq!(lines(&case.explain("alice.jwt"))[0]["decision"]["verdict"], "signed_in");
    let hr = r#"
[[store]]
id = "partners"
url = "sqlite:partners.db"

[[connection]]
id = "guests"
tenant = "acme"
issuers = ["https://guests.example"]
store = "partners"
policy = { rule = [{ name = "guests", permit = {} }] }

[connection.protocol]
label = "Guests"

[connection.protocol.oidc]
issuer = "https://guests.example"
client_id = "rp"
redirect_uri = "https://portal.example/callback/guests"

[[connection]]
id = "hr"
tenant = "acme"
issuers = ["urn:acme:hr"]
policy = { rule = [{ name = "everybody", permit = {} }] }

[connection.provisioning]
same_person = [{ connection = "acme", by = "subject" }]
authority = "whole"
memberships = "groups"

[connection.protocol]
label = "HR"
scim = { token_file = "hr.tokens" }
"#;
    case.write("portal.toml", &format!("{CONFIGURATION}{hr}"));
    let output = case.explain("alice.jwt");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let decision = &lines(&output)[0]["decision"];
    assert_eq!(
        (&decision["verdict"], &decision["code"]),
        (&json!("denied"), &json!("account.not_provisioned")),
        "accounts are made by the source of records alone: {decision}"
    );
}

#[tokio::test]
async fn an_explanation_against_a_store_tells_what_would_change_there_and_changes_nothing() {
    use jit_core::{
        Account, AccountId, AccountState, AccountWrite, Commit, ExternalKey, LinkProof, LinkedIdentity,
        Query, TenantId, UserStore,
    };
    let case = Case::configured("store");
    case.token("alice.jwt", &person(&json!({ "groups": ["eng"] })));
    let file = case.folder.join("accounts.db");
    let _ = std::fs::remove_file(&file);
    let store = jit_sql::SqliteStore::open(&file).unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let now = chrono::DateTime::from_timestamp(NOW - 60, 0).unwrap();
    let id: AccountId = "0192f0c1-1111-7aaa-8bbb-123456789abc".parse().unwrap();
    let mut account = Account::begin(id, tenant.clone(), AccountState::Active, now);
    let key = ExternalKey {
        tenant: tenant.clone(),
        connection: jit_core::ConnectionId::new("acme").unwrap(),
        issuer: jit_core::Issuer::new("https://op.example").unwrap(),
        subject: jit_core::Subject::new("alice").unwrap(),
    };
    account.identities.push(LinkedIdentity { key, linked_at: now, proof: LinkProof::FirstSignIn });
    let mut commit = Commit::new(tenant.clone());
    commit.account = Some(AccountWrite::create(account.clone()));
    store.commit(&commit).await.unwrap();

    let output = case.explain("--store sqlite:accounts.db alice.jwt");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let line = &lines(&output)[0];
    assert_eq!(line["decision"]["account"], id.to_string());
    let changes = line["plan"]["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["change"] == "give role:engineer"));
    assert!(!changes.iter().any(|change| change["change"] == "create active"), "{changes:?}");

    let query = Query {
        tenant,
        filter: jit_core::Filter::All,
        after: None,
        limit: std::num::NonZeroUsize::new(10).unwrap(),
    };
    assert_eq!(store.list(&query).await.unwrap().items, [account]);
}

#[test]
fn a_wrong_configuration_names_file_line_and_field() {
    let case = Case::configured("wrong-configuration");
    case.token("t.jwt", &json!({}));
    case.write("wrong.toml", &CONFIGURATION.replace("ceiling", "roof"));
    case.write("other.toml", &CONFIGURATION.replace("issuers = [\"https://op", "issuers = [\"https://other"));
    for (arguments, says) in [
        ("--config wrong.toml --connection acme", "wrong.toml:15:1: connection[0].roof"),
        ("--config other.toml --connection acme", "config.issuer_mismatch"),
        ("--config portal.toml --connection nobody", "has no connection `nobody`"),
        ("--config missing.toml --connection acme", "`missing.toml`"),
        ("--config portal.toml --connection acme --explain --store sqlite:none.db", "no such file"),
        ("--config portal.toml --connection acme --store sqlite:none.db", "`--explain` is missing"),
    ] {
        let output = case.inspect(&format!("oidc {arguments} --jwks jwks.json t.jwt"));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains(says), "{complaint}");
        assert!(output.stdout.is_empty());
    }
    assert!(!case.folder.join("none.db").exists());
}
