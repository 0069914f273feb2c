//! A small house: one tenant whose source speaks SCIM and signs people in, and another tenant beside it.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use jit_core::{
    Account, Assurance, Attestation, Attestor, AuditEvent, AuditQuery, Check as Checked, Checks, Claims,
    Clock, Context, Event, Issuer, Jit, ManualClock, MemoryStore, Outcome, Query, SeededEntropy, SessionHint,
    Stability, Store, Subject, TenantId, WorkReport, WorkerId,
    config::{Check, ConnectionConfig, Format, Problems, load},
};
use jit_scim::Schemas;
use jit_scim::server::{ScimConnection, ScimContext, ScimRequest, ScimService};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The first tenant provisions and signs in; in the second one the same names mean others.
pub(crate) const SETTINGS: &str = r#"
[[connection]]
tenant = "acme"
id = "scim"
issuers = ["urn:acme:scim"]
domains = ["acme.example"]
ceiling = ["role:member", "group:team-*"]
protocol = {}
[connection.provisioning]
same_person = [{ connection = "sso", by = "subject" }]
reactivates = true
renames = true
[connection.mapping]
email = { claim = "/emails/0/value", verified = "own_domains" }
user_name = { template = ["{userName}"] }
attribute = [
  { attribute = "title", claim = "title" },
  { attribute = "department", claim = "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department" },
]
entitlement = [
  { claim = "groups.display", pattern = "team-*", give = "group:team-{*}", allow = ["group:team-*"] },
  { claim = "groups.display", table = { Members = ["role:member"] } },
]
[connection.policy]
rule = [
  { name = "nobody", when = { claim = [{ name = "userType", any = ["Robot"] }] }, deny = { code = "app.robot", message = "No robots." } },
  { name = "everybody", permit = {} },
]

[[connection]]
tenant = "acme"
id = "sso"
issuers = ["https://acme.example"]
domains = ["acme.example"]
ceiling = ["role:member"]
mapping = { email = { claim = "email", verified = "never" } }
policy = { rule = [{ name = "everybody", permit = {} }] }
protocol = {}

[[connection]]
tenant = "other"
id = "scim"
issuers = ["urn:other:scim"]
domains = []
ceiling = ["role:member"]
mapping = { user_name = { template = ["{userName}"] } }
policy = { rule = [{ name = "everybody", permit = {} }] }
protocol = {}
provisioning = {}
"#;

/// Two houses on one store mint different ids.
static SEED: AtomicU64 = AtomicU64::new(1);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Check for Nothing {
    fn check(&self, _found: &mut Problems) {}
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    connection: Vec<ConnectionConfig<Nothing>>,
}

impl Check for Settings {
    fn check(&self, _found: &mut Problems) {}
}

/// An answer as a client reads it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

/// Sends requests, be it over HTTP or not.
#[async_trait]
pub(crate) trait Client: Send + Sync {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer;
}

pub(crate) struct House {
    pub(crate) jit: Arc<Jit>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) service: ScimService,
    pub(crate) clock: Arc<ManualClock>,
    sso: Attestor,
    context: ScimContext,
}

pub(crate) fn house() -> House {
    house_with(SETTINGS, |connection| connection)
}

pub(crate) fn house_with(settings: &str, more: impl Fn(ScimConnection) -> ScimConnection) -> House {
    house_on(Arc::new(MemoryStore::new()), settings, more)
}

pub(crate) fn house_on(
    store: Arc<dyn Store>,
    settings: &str,
    more: impl Fn(ScimConnection) -> ScimConnection,
) -> House {
    let settings: Settings =
        load(settings, Format::Toml, "settings").unwrap_or_else(|found| panic!("{found}"));
    let clock = Arc::new(ManualClock::at("2026-11-21T09:00:00Z".parse().unwrap()));
    let mut builder = Jit::builder(Arc::clone(&store))
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .entropy(Arc::new(SeededEntropy::new(SEED.fetch_add(1, Ordering::Relaxed))));
    let (mut sso, mut served) = (None, Vec::new());
    for config in settings.connection {
        let (connection, attestor, _) = config.define().unwrap_or_else(|found| panic!("{found}"));
        builder = builder.connection(connection);
        if attestor.connection().as_str() == "sso" {
            sso = Some(attestor);
        } else {
            served.push(attestor);
        }
    }
    let jit = Arc::new(builder.build().unwrap());
    let mut scim = ScimService::builder(Arc::clone(&jit), Arc::clone(&store)).clock(Arc::clone(&clock) as _);
    for attestor in served {
        scim = scim.connection(more(ScimConnection::new(attestor, "https://scim.example/v2")));
    }
    let (service, context) = (scim.build().unwrap(), context("acme"));
    House { jit, store, service, clock, sso: sso.unwrap(), context }
}

pub(crate) fn context(tenant: &str) -> ScimContext {
    ScimContext::new(TenantId::new(tenant).unwrap(), "scim".parse().unwrap(), "test")
}

/// The resource types of files, as compliance suites ask for them.
pub(crate) fn with_test_resource() -> Schemas {
    let schemas = Schemas::builder().add_schemas(include_bytes!("../data/schemas.json")).unwrap();
    schemas.add_resource_types(include_bytes!("../data/resource-type.json")).unwrap().build()
}

#[async_trait]
impl Client for House {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        self.ask(&self.context, method, path, headers, body).await
    }
}

impl House {
    pub(crate) async fn ask(
        &self,
        context: &ScimContext,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let text = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        let header = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let query = query.map(|query| query.replace(' ', "%20").replace('"', "%22"));
        let request = ScimRequest {
            method,
            path,
            query: query.as_deref(),
            content_type: header("content-type").or(Some("application/scim+json")),
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            body: &text,
        };
        let response = self.service.handle(context, request).await;
        let headers = response.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = if response.body().is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(response.body()).unwrap()
        };
        Answer { status: response.status(), headers, body }
    }

    pub(crate) async fn sign_in(&self, subject: &str) -> Outcome {
        let made = || Checked::Made("test".into());
        let identity = self.sso.attest(Attestation {
            issuer: Issuer::new("https://acme.example").unwrap(),
            subject: Subject::new(subject).unwrap(),
            stability: Stability::Persistent,
            claims: Claims::default(),
            assurance: Assurance::default(),
            session: SessionHint::default(),
            checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
        });
        self.jit.handle(Event::sign_in(identity.unwrap(), Context::default())).await.unwrap()
    }

    pub(crate) async fn accounts(&self) -> Vec<Account> {
        let limit = NonZeroUsize::new(1000).unwrap();
        let tenant = TenantId::new("acme").unwrap();
        let query = Query { tenant, filter: jit_core::Filter::All, after: None, limit };
        self.store.list(&query).await.unwrap().items
    }

    pub(crate) async fn account(&self) -> Account {
        let mut accounts = self.accounts().await;
        assert_eq!(accounts.len(), 1);
        accounts.remove(0)
    }

    pub(crate) async fn trail(&self) -> Vec<AuditEvent> {
        let limit = NonZeroUsize::new(1000).unwrap();
        let tenant = TenantId::new("acme").unwrap();
        let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit };
        self.store.events(&query).await.unwrap().items
    }

    pub(crate) async fn work(&self) -> WorkReport {
        let (worker, limit) = (WorkerId::new("w").unwrap(), NonZeroUsize::new(1000).unwrap());
        self.service.work(&worker, limit).await.unwrap()
    }

    pub(crate) async fn grants(&self, user_name: &str) -> Vec<String> {
        let accounts = self.accounts().await;
        let named =
            |account: &&Account| account.user_name.as_ref().is_some_and(|name| name.as_str() == user_name);
        let account = accounts.iter().find(named).unwrap();
        account.grants.iter().map(|grant| grant.entitlement.to_string()).collect()
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id: {self:?}")).to_owned()
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Expects a refusal with a detail type, and with a code in its explanation.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, scim_type: Option<&str>) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(answer.body["status"], status.to_string());
        assert_eq!(answer.body["scimType"].as_str(), scim_type, "{}", answer.body);
        answer
    }
}

/// Shorter ways to send.
#[async_trait]
pub(crate) trait ClientExt: Client {
    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }
    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], Some(&body)).await
    }
    async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, &[], Some(&body)).await
    }
    async fn patch(&self, path: &str, operations: Value) -> Answer {
        self.send("PATCH", path, &[], Some(&patch(operations))).await
    }
    async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None).await
    }
}

impl<T: Client + ?Sized> ClientExt for T {}

pub(crate) fn patch(operations: Value) -> Value {
    let mut message = json!({"schemas": [PATCH]});
    message["Operations"] = operations;
    message
}

pub(crate) fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

pub(crate) fn person(name: &str, external: &str) -> Value {
    json!({"schemas": [USER], "userName": name, "externalId": external,
        "emails": [{"value": format!("{name}@acme.example"), "type": "work", "primary": true}]})
}

pub(crate) fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}
