//! Loads every recipe of `docs/recipes.md` and decides sign-ins with it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use jit_core::{
    Account, AccountId, AccountState, Assurance, Attestation, AttributeMapper, Check, Checks, Claims,
    Connection, ConnectionSettings, Context, Decision, DomainSet, EmailAddress, EmailClaim, EmailEvidence,
    Grant, GrantId, IssuerSet, LinkProof, LinkRule, MapError, Policy, PolicyRules, Present, Profile,
    Provenance, Request, RulePolicy, SessionHint, Source, Stability, Trace, VerifiedIdentity,
    config::{ConnectionConfig, Format, load},
};
use serde_json::{Value, json};

/// The blocks of the page that begin with a line `# KIND: NAME`.
fn blocks(kind: &str) -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mark = format!("# {kind}: ");
    page.split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .filter_map(|block| {
            let (first, _) = block.split_once('\n')?;
            Some((first.strip_prefix(&mark)?.to_owned(), block.to_owned()))
        })
        .collect()
}

struct Nothing;

impl AttributeMapper for Nothing {
    fn map(&self, _: &VerifiedIdentity) -> Result<Profile, MapError> {
        Ok(Profile::default())
    }
}

#[derive(Clone)]
struct SignIn {
    connection: &'static str,
    claims: Value,
    cut: Option<&'static str>,
    email: Option<(&'static str, Option<bool>)>,
    meets: &'static str,
    holds: &'static str,
    invited: bool,
    client: Option<&'static str>,
    methods: &'static [&'static str],
    authenticated_at: &'static str,
    now: &'static str,
}

/// A Wednesday morning.
const NOW: &str = "2026-07-01T10:00:00Z";

/// Somebody new, of whom nothing is known.
const NEW: SignIn = SignIn {
    connection: "main",
    claims: Value::Null,
    cut: None,
    email: None,
    meets: "none",
    holds: "role:member",
    invited: false,
    client: None,
    methods: &["pwd"],
    authenticated_at: NOW,
    now: NOW,
};

fn meets(meets: &'static str) -> SignIn {
    SignIn { meets, ..NEW }
}

fn claims(claims: Value) -> SignIn {
    SignIn { claims, ..NEW }
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

impl SignIn {
    fn account(&self) -> Account {
        let state = if self.invited { AccountState::Invited } else { AccountState::Active };
        let id = AccountId::from_uuid(uuid::Uuid::from_u128(1));
        let mut account = Account::begin(id, "acme".parse().unwrap(), state, at(NOW));
        account.grants.push(Grant::new(
            GrantId::from_uuid(uuid::Uuid::from_u128(2)),
            self.holds.parse().unwrap(),
            Provenance::of(Source::Administrator),
            at(NOW),
        ));
        account
    }

    fn identity(&self, policy: Arc<dyn Policy>) -> VerifiedIdentity {
        let issuer: jit_core::Issuer = "https://idp.example".parse().unwrap();
        let settings = ConnectionSettings {
            tenant: "acme".parse().unwrap(),
            id: self.connection.parse().unwrap(),
            issuers: IssuerSet::one(issuer.clone()),
            domains: DomainSet::default(),
            ceiling: Vec::new(),
            link: Vec::new(),
            store: None,
        };
        let (_, attestor) = Connection::define(settings, Arc::new(Nothing), policy);
        let members = self.claims.as_object().cloned().unwrap_or_default();
        let made = || Check::Made("test".into());
        attestor
            .attest(Attestation {
                issuer,
                subject: "alice".parse().unwrap(),
                stability: Stability::Persistent,
                claims: self.cut.into_iter().fold(Claims::new(members), Claims::truncated),
                assurance: Assurance {
                    context: None,
                    methods: self.methods.iter().map(|&method| method.to_owned()).collect(),
                    authenticated_at: Some(at(self.authenticated_at)),
                },
                session: SessionHint::default(),
                checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
            })
            .unwrap()
    }

    async fn decide(&self, policy: &Arc<RulePolicy>) -> Decision {
        let ours = DomainSet::new(vec!["example.com".parse().unwrap(), "*.example.com".parse().unwrap()]);
        let email = self.email.map(|(address, verified)| {
            let address = EmailAddress::new(address).unwrap();
            EmailEvidence::grade(EmailClaim { address, verified, is_outsider: false }, &ours)
        });
        let account = self.account();
        let proof = Some(LinkProof::AuthoritativeEmail);
        let request = Request {
            identity: &self.identity(Arc::clone(policy) as Arc<dyn Policy>),
            profile: &Profile::default(),
            email: email.as_ref(),
            present: match self.meets {
                "none" => Present::Nobody,
                "linked" => Present::Linked(&account),
                "candidate" => Present::Candidate { account: &account, proof: None },
                "proved" => Present::Candidate { account: &account, proof },
                _ => Present::Ambiguous,
            },
            context: &Context { client: self.client.map(|client| client.parse().unwrap()) },
            now: at(self.now),
        };
        policy.decide(&request, &mut Trace::off()).await
    }
}

/// A decision in a line: `permit RULE: what is given`, `hold RULE: asks`, or the code.
fn line(decision: &Decision) -> String {
    match decision {
        Decision::Permit(permit) => {
            let given: Vec<_> = permit.entitlements.iter().map(jit_core::Entitlement::as_str).collect();
            format!("permit {}: {}", permit.rule.as_ref().unwrap(), given.join(" ")).trim_end().to_owned()
        }
        Decision::Hold(hold) => {
            let asks: Vec<_> = hold.asks.iter().map(jit_core::Ask::word).collect();
            format!("hold {}: {}", hold.permit.rule.as_ref().unwrap(), asks.join(" "))
        }
        Decision::Deny(denial) => denial.code.to_string(),
    }
}

/// What each recipe says to sign-ins.
fn expectations() -> Vec<(&'static str, SignIn, &'static str)> {
    let mut all = prompts();
    all.extend(links());
    all.extend(who_may_join());
    all.extend(limits());
    all.extend(saml());
    all
}

/// Attributes of SAML assertions: long names, and every value in a list.
fn saml() -> Vec<(&'static str, SignIn, &'static str)> {
    const GROUPS: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";
    const FINANCE: &str = "0c1e0000-0000-0000-0000-000000000000";
    let affiliated = |values: Value| claims(json!({ "urn:oid:1.3.6.1.4.1.5923.1.1.1.9": values }));
    let member = claims(json!({ GROUPS: ["aaaa", FINANCE] }));
    vec![
        ("entra-saml-groups", member.clone(), "permit people of finance, by their group: group:finance"),
        ("entra-saml-groups", claims(json!({ GROUPS: ["aaaa"] })), "policy.no_rule"),
        ("entra-saml-groups", SignIn { cut: Some(GROUPS), ..member }, "policy.no_rule"),
        (
            "affiliations",
            affiliated(json!(["member@university.example", "staff@university.example"])),
            "permit people who work or study here:",
        ),
        ("affiliations", affiliated(json!(["alum@university.example"])), "app.alumni"),
        (
            "affiliations",
            affiliated(json!(["alum@university.example", "staff@university.example"])),
            "permit people who work or study here:",
        ),
        ("affiliations", affiliated(json!(["staff@elsewhere.example"])), "policy.no_rule"),
    ]
}

fn prompts() -> Vec<(&'static str, SignIn, &'static str)> {
    vec![
        ("silent", NEW, "permit everybody: role:member"),
        ("consent", NEW, "hold after consent: consent"),
        ("password-and-consent", NEW, "hold after consent and password: consent password"),
        (
            "user-name-password-and-consent",
            NEW,
            "hold after consent, name and password: consent user_name password",
        ),
        ("pending-approval", NEW, "hold an administrator approves: approval"),
        ("pending-approval", meets("linked"), "permit known:"),
        ("pending-approval", meets("candidate"), "policy.no_rule"),
    ]
}

fn links() -> Vec<(&'static str, SignIn, &'static str)> {
    let admin = |meets| SignIn { meets, holds: "role:admin", ..NEW };
    vec![
        ("first-and-fallback", NEW, "permit new: role:member"),
        ("first-and-fallback", meets("linked"), "permit known or found with proof:"),
        ("first-and-fallback", meets("proved"), "permit known or found with proof:"),
        ("first-and-fallback", meets("candidate"), "hold found, not proved: link_proof"),
        ("first-and-fallback", meets("several"), "policy.no_rule"),
        ("confirm-link", meets("linked"), "permit known:"),
        ("confirm-link", meets("candidate"), "hold confirm the link: link_proof"),
        ("confirm-link", meets("proved"), "hold confirm the link: link_proof"),
        ("confirm-link", NEW, "permit new: role:member"),
        ("confirm-link", meets("several"), "policy.no_rule"),
        ("detect-existing", meets("candidate"), "hold detected: link_proof"),
        ("detect-existing", NEW, "app.no_account"),
        ("link-only", meets("candidate"), "hold link: link_proof"),
        ("link-only", meets("linked"), "app.link_only"),
        ("link-only", NEW, "app.link_only"),
        ("exclude-admins", meets("linked"), "permit known:"),
        ("exclude-admins", admin("linked"), "permit known:"),
        ("exclude-admins", admin("proved"), "app.admin_not_linked"),
        ("exclude-admins", admin("candidate"), "app.admin_not_linked"),
        ("exclude-admins", meets("proved"), "permit others are linked:"),
        ("exclude-admins", meets("candidate"), "policy.no_rule"),
    ]
}

fn who_may_join() -> Vec<(&'static str, SignIn, &'static str)> {
    let mail = |address, verified, client| SignIn { email: Some((address, verified)), client, ..NEW };
    let office = Some("::ffff:192.0.2.77");
    let known = SignIn { meets: "linked", ..mail("a@example.com", Some(true), None) };
    let guest = |meets, verified| SignIn {
        invited: true,
        email: Some(("g@partner.example", Some(verified))),
        meets,
        ..NEW
    };
    let groups = |groups: Value| claims(json!({ "groups": groups }));
    vec![
        (
            "our-domain",
            mail("a@example.com", Some(true), office),
            "permit in the office or the virtual private network: role:member",
        ),
        (
            "our-domain",
            mail("a@eu.example.com", Some(true), Some("2001:db8:1ff::1")),
            "permit in the office or the virtual private network: role:member",
        ),
        ("our-domain", mail("a@example.com", None, office), "policy.no_rule"),
        ("our-domain", mail("a@example.com", Some(false), office), "policy.no_rule"),
        ("our-domain", mail("a@evilexample.com", Some(true), office), "policy.no_rule"),
        ("our-domain", mail("a@example.com", Some(true), Some("198.51.100.1")), "policy.no_rule"),
        ("our-domain", mail("a@example.com", Some(true), None), "policy.no_rule"),
        ("our-domain", known.clone(), "policy.no_rule"),
        ("our-domain", SignIn { methods: &["pwd", "otp"], ..known }, "permit from elsewhere, known already:"),
        ("invited-only", guest("candidate", true), "hold invited: consent link_proof"),
        ("invited-only", guest("candidate", false), "app.not_invited"),
        ("invited-only", meets("linked"), "permit guest who came before:"),
        ("invited-only", meets("candidate"), "app.not_invited"),
        ("invited-only", NEW, "app.not_invited"),
        ("existing-only", meets("linked"), "permit existing:"),
        ("existing-only", meets("proved"), "permit existing:"),
        ("existing-only", meets("candidate"), "policy.no_rule"),
        ("existing-only", NEW, "policy.no_rule"),
        ("create-only", NEW, "permit new or known: role:member"),
        ("create-only", meets("linked"), "permit new or known: role:member"),
        ("create-only", meets("proved"), "app.account_exists"),
        ("create-only", meets("several"), "app.account_exists"),
        ("external-provider", SignIn { connection: "partners", ..NEW }, "permit external: role:external"),
        ("external-provider", NEW, "policy.no_rule"),
        ("group-allowlist", groups(json!(["app-users", "x"])), "permit groups of the application:"),
        ("group-allowlist", groups(json!(["App-Users"])), "policy.no_rule"),
        ("group-allowlist", SignIn { cut: Some("groups"), ..groups(json!(["app-users"])) }, "policy.no_rule"),
    ]
}

fn limits() -> Vec<(&'static str, SignIn, &'static str)> {
    let contractor = |end: Value| claims(json!({"employment": "contractor", "contract_end": end}));
    let on_call = SignIn { methods: &["hwk"], ..claims(json!({"groups": ["on-call", "operations"]})) };
    let plant = |group: &str, now| SignIn { now, ..claims(json!({ "groups": [group] })) };
    let strong = SignIn { methods: &["otp"], ..claims(json!({"groups": ["staff"]})) };
    vec![
        ("contractors", contractor(json!("2026-12-31")), "permit contractors: group:contractors"),
        ("contractors", contractor(json!("2026-06-30")), "policy.end_passed"),
        ("contractors", contractor(json!("soon")), "policy.end_missing"),
        ("contractors", claims(json!({"employment": "contractor"})), "policy.end_missing"),
        ("contractors", claims(json!({"employment": "employee"})), "permit employees:"),
        ("leases", on_call.clone(), "permit on-call engineers: role:operator"),
        (
            "leases",
            SignIn { authenticated_at: "2026-07-01T09:00:00Z", ..on_call },
            "permit everybody in the team: role:observer",
        ),
        ("hours", plant("plant", NOW), "permit day shift:"),
        ("hours", plant("plant", "2026-07-01T17:30:00Z"), "policy.no_rule"),
        ("hours", plant("plant", "2026-07-04T10:00:00Z"), "policy.no_rule"),
        ("hours", plant("plant-night", "2026-07-03T04:59:00Z"), "permit night shift:"),
        ("hours", plant("plant-night", "2026-07-04T04:59:00Z"), "policy.no_rule"),
        ("hours", plant("plant", "2027-07-01T10:00:00Z"), "app.closed"),
        ("refusals-first", strong.clone(), "permit the rest: role:member"),
        ("refusals-first", SignIn { methods: &["pwd"], ..strong.clone() }, "app.second_factor"),
        ("refusals-first", SignIn { methods: &[], ..strong.clone() }, "policy.undecided"),
        (
            "refusals-first",
            SignIn { claims: json!({"groups": ["leavers"]}), ..strong.clone() },
            "app.blocked",
        ),
        ("refusals-first", SignIn { cut: Some("groups"), ..strong }, "policy.undecided"),
    ]
}

#[tokio::test]
async fn each_recipe_decides_as_its_page_says() {
    let recipes = blocks("recipe");
    let expectations = expectations();
    for (name, sign_in, expected) in &expectations {
        let rules: PolicyRules =
            load(&recipes[*name], Format::Toml, name).unwrap_or_else(|bad| panic!("{bad}"));
        let policy = Arc::new(RulePolicy::new(&rules).unwrap());
        assert_eq!(line(&sign_in.decide(&policy).await), *expected, "{name}");
    }
    for name in recipes.keys() {
        assert!(expectations.iter().any(|(tried, ..)| tried == name), "nobody signs in by `{name}`");
    }
}

#[tokio::test]
async fn the_end_of_a_contract_is_the_end_of_its_day_where_the_people_are() {
    let rules: PolicyRules = load(&blocks("recipe")["contractors"], Format::Toml, "contractors").unwrap();
    let policy = Arc::new(RulePolicy::new(&rules).unwrap());
    let sign_in = claims(json!({"employment": "contractor", "contract_end": "2026-12-31"}));
    let Decision::Permit(permit) = sign_in.decide(&policy).await else { panic!("a permit") };
    assert_eq!(permit.account_end, Some(jit_core::AccountEnd::At(at("2026-12-31T23:00:00Z"))));
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    connection: Vec<ConnectionConfig<BTreeMap<String, String>>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Links {
    link: Vec<LinkRule>,
}

/// The connection of the page, with another policy and other link rules where they are given.
fn define(policy: Option<&str>, links: Option<&str>) -> Connection {
    let mut settings: Settings = toml::from_str(&blocks("connection")["whole"]).unwrap();
    let mut connection = settings.connection.remove(0);
    if let Some(policy) = policy {
        connection.policy = toml::from_str(policy).unwrap();
    }
    if let Some(links) = links {
        connection.link = toml::from_str::<Links>(links).unwrap().link;
    }
    connection.define().unwrap().0
}

#[test]
fn each_recipe_and_its_link_rules_make_a_connection() {
    let (links, recipes) = (blocks("link"), blocks("recipe"));
    for (name, policy) in &recipes {
        define(Some(policy), links.get(name).map(String::as_str));
    }
    let connection = define(None, links.get("first-and-fallback").map(String::as_str));
    assert_eq!(connection.settings().link.len(), 2);
    assert!(links.keys().all(|name| recipes.contains_key(name)));
}

#[test]
fn each_connection_of_the_page_is_sound() {
    for (name, text) in blocks("connection") {
        let mut settings: Settings = toml::from_str(&text).unwrap_or_else(|bad| panic!("{name}: {bad}"));
        settings.connection.remove(0).define().unwrap_or_else(|bad| panic!("{name}: {bad}"));
    }
}

#[test]
fn no_block_of_the_page_goes_untried() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let tried = ["recipe", "link", "connection"].map(|kind| blocks(kind).len());
    assert_eq!(page.matches("```toml").count(), tried.iter().sum::<usize>());
}

#[test]
fn the_example_of_the_reference_loads() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<_> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).collect();
    assert!(!examples.is_empty());
    for (example, _) in examples {
        load::<PolicyRules>(example, Format::Toml, "policy.md").unwrap();
    }
}
