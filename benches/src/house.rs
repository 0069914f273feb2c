//! Houses to sign in to: one connection with its mapping and policy, and the people behind it.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context as Polling, Poll, Waker},
};

use chrono::{DateTime, Utc};
use jit_core::{
    Assurance, Attestation, Attestor, Check, Checks, Claims, Clock, Connection, ConnectionId,
    ConnectionSettings, Context, DomainSet, Event, Issuer, IssuerSet, Jit, LinkBy, LinkRule, MailLink,
    Mapping, MappingRules, PolicyRules, RulePolicy, SessionHint, Stability, Store, Subject, TenantId,
    VerifiedIdentity,
    config::{Format, load},
};
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://login.example.com/acme/v2.0";

/// Maps an address, a name, five attributes and two roles; what most connections come to.
pub const PLAIN_MAPPING: &str = r#"
user_name = { template = ["{preferred_username}"] }
email = { claim = "email", verified = { claim = "email_verified" } }
attribute = [
  { attribute = "given_name", claim = "given_name" }, { attribute = "family_name", claim = "family_name" },
  { attribute = "department", claim = "department" }, { attribute = "phone", claim = "phone" },
  { attribute = "locale", claim = "locale" },
]
entitlement = [{ claim = "groups", table = { team-1 = ["role:editor"], team-2 = ["role:viewer"] } }]
"#;

/// Lets a domain in for a year; what most connections come to.
pub const PLAIN_POLICY: &str = r#"
[[rule]]
name = "staff"
when = { email_domain = "example.com" }
permit = { account_end = { after_creation = "365d" } }
"#;

/// Maps a name, an address and eight attributes, of them one template and one join, and three kinds of entitlement.
pub const RICH_MAPPING: &str = r#"
user_name = { template = ["{preferred_username}"], case = "lower", invalid = "replace" }
email = { claim = "email", verified = { claim = "email_verified" } }
attribute = [
  { attribute = "given_name", claim = "given_name" }, { attribute = "family_name", claim = "family_name" },
  { attribute = "department", claim = "department" }, { attribute = "phone", claim = "phone" },
  { attribute = "locale", claim = "locale" }, { attribute = "city", claim = "/address/locality" },
  { attribute = "display_name", template = "{given_name} {family_name}" },
  { attribute = "sort_name", join = { claims = ["family_name", "given_name"], separator = ", " } },
]
entitlement = [
  { name = "everybody", always = ["role:member"] },
  { name = "tables", claim = "groups", table = { team-1 = ["role:editor"], team-2 = ["role:viewer"], board = ["role:board"] } },
  { name = "projects", claim = "groups", pattern = "team-3*", give = "group:project-{*}", allow = ["group:project-*"] },
]
"#;

/// Writes a policy of so many rules of every kind; only the last applies to the people of this house.
#[must_use]
pub fn rich_policy(rules: usize) -> String {
    let mut text = String::new();
    for number in 0..rules.saturating_sub(1) {
        let (when, answer) = match number % 8 {
            0 => (format!(r#"groups = {{ any = ["admins-{number}", "ops-{number}"] }}"#), "permit = {}"),
            1 => (
                format!(r#"claim = [{{ name = "department", any = ["d-{number}", "e-{number}"] }}]"#),
                "permit = {}",
            ),
            2 => (
                format!(r#"network = ["10.{number}.0.0/16", "2001:db8:{number}::/48"]"#),
                "deny = { message = \"not from here\" }",
            ),
            3 => (
                format!(r#"email_domain = ["site-{number}.example.org", "*.old.example.org"]"#),
                "deny = { message = \"not from here\" }",
            ),
            4 => (
                format!(r#"account = "none", groups = {{ contains = ["guests", "g-{number}"] }}"#),
                "permit = {}",
            ),
            5 => (
                format!(
                    r#"claim = [{{ name = "entity", prefix = ["/partners/{number}/"] }}], max_auth_age = "1h""#
                ),
                "permit = {}",
            ),
            6 => (format!(r#"wished = ["role:auditor-{number}"], amr = {{ any = ["otp"] }}"#), "permit = {}"),
            _ => (
                format!(
                    r#"acr = "urn:level:{number}", hours = [{{ days = ["sat", "sun"], from = "08:00", to = "12:00" }}]"#
                ),
                "deny = { message = \"not from here\" }",
            ),
        };
        let _ = write!(text, "[[rule]]\nname = \"rule-{number}\"\nwhen = {{ {when} }}\n{answer}\n");
    }
    text + r#"
[[rule]]
name = "last"
when = { email_domain = "example.com", groups = { any = ["team-7"] }, claim = [{ name = "department", is = "present" }] }
permit = { account_end = { after_creation = "365d" }, session_limit = "8h" }
"#
}

/// Reads and compiles a mapping.
#[must_use]
pub fn mapping(text: &str) -> Mapping {
    load::<MappingRules>(text, Format::Toml, "mapping.toml").unwrap().compile().unwrap()
}

/// Reads and compiles a policy.
#[must_use]
pub fn policy(text: &str) -> RulePolicy {
    RulePolicy::new(&load::<PolicyRules>(text, Format::Toml, "policy.toml").unwrap()).unwrap()
}

/// Defines the connection.
#[must_use]
pub fn connection(mapping_text: &str, policy_text: &str) -> (Connection, Attestor) {
    let settings = ConnectionSettings {
        tenant: TenantId::new("acme").unwrap(),
        id: ConnectionId::new("corp").unwrap(),
        issuers: IssuerSet::one(Issuer::new(ISSUER).unwrap()),
        domains: DomainSet::new(vec!["example.com".parse().unwrap()]),
        ceiling: vec!["role:*".parse().unwrap(), "group:*".parse().unwrap()],
        link: vec![LinkRule { by: LinkBy::Email(MailLink::WhenAuthoritative) }],
        store: None,
    };
    Connection::define(settings, Arc::new(mapping(mapping_text)), Arc::new(policy(policy_text)))
}

/// An engine with the one attestor of its connection.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "used in this package only")]
pub struct House {
    /// The engine.
    pub jit: Jit,
    /// Vouches for people.
    pub attestor: Attestor,
}

/// Composes an engine on a store.
#[must_use]
pub fn house(store: Arc<dyn Store>, mapping_text: &str, policy_text: &str) -> House {
    let (connection, attestor) = connection(mapping_text, policy_text);
    let jit = Jit::builder(store).connection(connection).clock(Arc::new(Ticking::default())).build().unwrap();
    House { jit, attestor }
}

/// The instant at which measurements begin: a Friday morning.
#[must_use]
pub fn morning() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Goes on by a tenth of a millisecond each time it is asked, so that ids are made as they are in a busy house.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        let ticks = self.0.fetch_add(100, Ordering::Relaxed);
        DateTime::from_timestamp_micros(morning().timestamp_micros().saturating_add(ticks)).unwrap()
    }
}

/// The claims of a plain person: ten, with two groups.
#[must_use]
pub fn plain_claims(number: u64) -> Value {
    let name = name(number);
    json!({
        "preferred_username": name, "email": format!("{name}@example.com"), "email_verified": true,
        "given_name": "Jane", "family_name": "Doe", "department": "Engineering", "phone": "+44 20 7946 0000",
        "locale": "en", "zoneinfo": "Europe/London", "groups": ["team-1", "team-2"],
    })
}

/// The claims of a person with 50 of them, one with 40 groups.
#[must_use]
pub fn rich_claims(number: u64) -> Value {
    let mut claims = plain_claims(number);
    if let Some(members) = claims.as_object_mut() {
        let groups: Vec<_> = (0..40).map(|group| format!("team-{group}")).collect();
        members.insert("groups".into(), json!(groups));
        members.insert("address".into(), json!({ "locality": "London", "country": "GB" }));
        members.insert("entity".into(), json!("/staff/emea/london"));
        while members.len() < 50 {
            let next = format!("custom_claim_{}", members.len());
            members.insert(next, json!("a value of some length"));
        }
    }
    claims
}

/// A person's user name; all are equally long.
#[must_use]
pub fn name(number: u64) -> String {
    format!("person{number:012}")
}

/// Vouches for a person.
pub fn identity(attestor: &Attestor, number: u64, claims: Value) -> VerifiedIdentity {
    let members: Map<String, Value> = serde_json::from_value(claims).unwrap();
    let made = || Check::Made("in a measurement".into());
    attestor
        .attest(Attestation {
            issuer: Issuer::new(ISSUER).unwrap(),
            subject: Subject::new(format!("248289761001-{number:012}")).unwrap(),
            stability: Stability::Persistent,
            claims: Claims::new(members),
            assurance: Assurance {
                context: Some("urn:mfa".into()),
                methods: vec!["pwd".into(), "hwk".into()],
                authenticated_at: Some(morning()),
            },
            session: SessionHint::default(),
            checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
        })
        .unwrap()
}

/// From where everybody signs in.
#[must_use]
pub fn context() -> Context {
    Context { client: Some([192, 0, 2, 7].into()) }
}

/// The sign-in of a plain person.
#[must_use]
pub fn plain_sign_in(attestor: &Attestor, number: u64) -> Event {
    Event::sign_in(identity(attestor, number, plain_claims(number)), context())
}

/// Runs a future that never waits.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Polling::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the future waits"),
    }
}
