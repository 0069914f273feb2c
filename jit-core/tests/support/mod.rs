//! A small house for tests: one tenant, connections whose mapping and policy are plain code, time that stands still.
#![expect(dead_code, reason = "each test file uses its own part")]

pub(crate) mod hooked;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::*;
use serde_json::{Map, Value};

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn role(name: &str) -> Entitlement {
    Entitlement::role(name).unwrap()
}

pub(crate) fn rule(name: &str) -> RuleName {
    RuleName::new(name).unwrap()
}

/// Maps `email`, `email_verified`, `preferred_username`, `department`, `employee` and each of `groups` to a role.
#[derive(Clone)]
pub(crate) struct PlainMapper {
    pub(crate) import: ImportRule,
    pub(crate) conflict: ConflictRule,
    pub(crate) on_taken: OnNameTaken,
    pub(crate) numbered: usize,
}

impl Default for PlainMapper {
    fn default() -> Self {
        Self {
            import: ImportRule::Force,
            conflict: ConflictRule::Add,
            on_taken: OnNameTaken::Fail,
            numbered: 1,
        }
    }
}

impl AttributeMapper for PlainMapper {
    fn map(&self, identity: &VerifiedIdentity) -> Result<Profile, MapError> {
        let claims = identity.claims();
        let text = |name: &str| {
            claims.get(name).values().and_then(|values| values.text().map(std::borrow::Cow::into_owned))
        };
        let email = text("email").and_then(|text| EmailAddress::new(&text).ok()).map(|address| EmailClaim {
            address,
            verified: claims.get("email_verified").values().and_then(jit_core::ClaimValues::truth),
            is_outsider: false,
        });
        let user_name = text("preferred_username").map(|name| UserNameWish {
            candidates: (1..=self.numbered)
                .filter_map(|n| UserName::new(&if n == 1 { name.clone() } else { format!("{name}{n}") }).ok())
                .collect(),
            on_taken: self.on_taken,
            rule: rule("user_name"),
        });
        let wish = |name: &str, searchable| AttributeWish {
            name: AttributeName::new(name).unwrap(),
            value: match claims.get(name) {
                Claim::Absent | Claim::Truncated => Wished::Unknown,
                Claim::Empty => Wished::Empty,
                Claim::Values(values) => {
                    Wished::Values(values.texts().map(std::borrow::Cow::into_owned).collect())
                }
            },
            import: self.import,
            conflict: self.conflict,
            searchable,
            rule: rule(name),
            claim: Some(name.into()),
        };
        let groups = claims.get("groups").values().into_iter().flat_map(jit_core::ClaimValues::texts);
        let entitlements = groups
            .filter_map(|group| Entitlement::role(&group).ok())
            .map(|entitlement| EntitlementWish {
                entitlement,
                rule: rule("groups"),
                claim: Some("groups".into()),
            })
            .collect();
        let attributes = vec![wish("department", false), wish("employee", true)];
        Ok(Profile {
            user_name,
            email,
            email_origin: Some((rule("email"), "email".into())),
            attributes,
            entitlements,
            notes: Vec::new(),
        })
    }
}

type Decide = dyn Fn(&Request<'_>) -> Decision + Send + Sync;

/// Decides by a closure.
pub(crate) struct PlainPolicy {
    pub(crate) decide: Box<Decide>,
    pub(crate) is_pure: bool,
}

#[async_trait]
impl Policy for PlainPolicy {
    fn is_pure(&self) -> bool {
        self.is_pure
    }

    async fn decide<'a>(&self, request: &Request<'a>, _trace: &mut Trace) -> Decision {
        (self.decide)(request)
    }
}

pub(crate) fn permit() -> Decision {
    Decision::Permit(Permit { rule: Some(rule("everybody")), ..Permit::default() })
}

pub(crate) fn hold(asks: &[Ask]) -> Decision {
    Decision::Hold(Hold { asks: asks.iter().cloned().collect::<BTreeSet<_>>(), permit: Permit::default() })
}

/// Describes a connection and makes it.
pub(crate) struct Wire {
    pub(crate) settings: ConnectionSettings,
    pub(crate) mapper: PlainMapper,
    pub(crate) policy: PlainPolicy,
    pub(crate) provisioning: Option<Provisioning>,
}

pub(crate) fn wire(id: &str) -> Wire {
    Wire {
        settings: ConnectionSettings {
            tenant: tenant(),
            id: ConnectionId::new(id).unwrap(),
            issuers: IssuerSet::one(issuer(id)),
            domains: DomainSet::default(),
            ceiling: vec!["role:*".parse().unwrap()],
            link: Vec::new(),
            store: None,
        },
        mapper: PlainMapper::default(),
        policy: PlainPolicy { decide: Box::new(|_| permit()), is_pure: true },
        provisioning: None,
    }
}

impl Wire {
    pub(crate) fn speaks_for(mut self, domain: &str) -> Self {
        self.settings.domains = DomainSet::new(vec![domain.parse().unwrap()]);
        self
    }

    pub(crate) fn links_by(mut self, by: LinkBy) -> Self {
        self.settings.link.push(LinkRule { by });
        self
    }

    pub(crate) fn links_by_email(self) -> Self {
        self.links_by(LinkBy::Email(MailLink::WhenAuthoritative))
    }

    pub(crate) fn decides(
        mut self,
        decide: impl Fn(&Request<'_>) -> Decision + Send + Sync + 'static,
    ) -> Self {
        self.policy.decide = Box::new(decide);
        self
    }

    pub(crate) fn decides_each(mut self) -> Self {
        self.policy.is_pure = false;
        self
    }

    pub(crate) fn ceiling(mut self, patterns: &[&str]) -> Self {
        self.settings.ceiling = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        self
    }

    pub(crate) fn provisions(mut self, provisioning: Provisioning) -> Self {
        self.provisioning = Some(provisioning);
        self
    }

    pub(crate) fn maps(mut self, mapper: PlainMapper) -> Self {
        self.mapper = mapper;
        self
    }
}

pub(crate) fn issuer(id: &str) -> Issuer {
    Issuer::new(format!("https://{id}.example")).unwrap()
}

/// An engine with its attestors, in the order in which the connections were given.
pub(crate) struct House {
    pub(crate) jit: Jit,
    pub(crate) attestors: Vec<Attestor>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<dyn Store>,
}

pub(crate) fn house(wires: Vec<Wire>) -> House {
    house_on(Arc::new(MemoryStore::new()), wires, |builder| builder)
}

pub(crate) fn house_on(
    store: Arc<dyn Store>,
    wires: Vec<Wire>,
    more: impl FnOnce(JitBuilder) -> JitBuilder,
) -> House {
    let clock = Arc::new(ManualClock::at(instant("2026-11-21T09:00:00Z")));
    let mut builder = Jit::builder(Arc::clone(&store))
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .entropy(Arc::new(SeededEntropy::new(7)));
    let mut attestors = Vec::new();
    for wire in wires {
        let (mut connection, attestor) =
            Connection::define(wire.settings, Arc::new(wire.mapper), Arc::new(wire.policy));
        if let Some(provisioning) = wire.provisioning {
            connection = connection.provisions(provisioning);
        }
        builder = builder.connection(connection);
        attestors.push(attestor);
    }
    House { jit: more(builder).build().unwrap(), attestors, clock, store }
}

pub(crate) fn claims(value: Value) -> Claims {
    let Value::Object(members) = value else { panic!("claims are an object") };
    Claims::new(members)
}

/// What a trigger says of a person whose evidence passed every check.
pub(crate) fn attestation(issuer: Issuer, subject: &str, claims: Claims) -> Attestation {
    let made = || Check::Made("test".into());
    Attestation {
        issuer,
        subject: Subject::new(subject).unwrap(),
        stability: Stability::Persistent,
        claims,
        assurance: Assurance::default(),
        session: SessionHint::default(),
        checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
    }
}

pub(crate) fn attest(attestor: &Attestor, subject: &str, claims: Claims) -> VerifiedIdentity {
    attestor.attest(attestation(issuer(attestor.connection().as_str()), subject, claims)).unwrap()
}

impl House {
    pub(crate) fn event(&self, connection: usize, subject: &str, said: Value) -> Event {
        Event::sign_in(attest(&self.attestors[connection], subject, claims(said)), Context::default())
    }

    pub(crate) async fn sign_in(&self, connection: usize, subject: &str, said: Value) -> Outcome {
        self.jit.handle(self.event(connection, subject, said)).await.unwrap()
    }

    /// Signs in and expects to be let in.
    pub(crate) async fn enter(&self, connection: usize, subject: &str, said: Value) -> SignedIn {
        match self.sign_in(connection, subject, said).await {
            Outcome::SignedIn(signed_in) => *signed_in,
            other => panic!("expected to be signed in: {other:?}"),
        }
    }

    /// Signs in and expects to be denied.
    pub(crate) async fn denied(&self, connection: usize, subject: &str, said: Value) -> String {
        match self.sign_in(connection, subject, said).await {
            Outcome::Denied(denied) => denied.denial.code.to_string(),
            other => panic!("expected to be denied: {other:?}"),
        }
    }

    /// Signs in and expects to be held.
    pub(crate) async fn held(&self, connection: usize, subject: &str, said: Value) -> Held {
        match self.sign_in(connection, subject, said).await {
            Outcome::Held(held) => *held,
            other => panic!("expected to be held: {other:?}"),
        }
    }

    pub(crate) async fn all(&self) -> Vec<Account> {
        let limit = std::num::NonZeroUsize::new(1000).unwrap();
        let query = Query { tenant: tenant(), filter: Filter::All, after: None, limit };
        self.store.list(&query).await.unwrap().items
    }

    pub(crate) async fn get(&self, id: AccountId) -> Account {
        self.store.get(&tenant(), id).await.unwrap().unwrap()
    }

    pub(crate) async fn trail(&self) -> Vec<AuditEvent> {
        let limit = std::num::NonZeroUsize::new(1000).unwrap();
        let query = AuditQuery { tenant: tenant(), account: None, after: None, latest_first: false, limit };
        self.store.events(&query).await.unwrap().items
    }

    /// What is recorded of no tenant.
    pub(crate) async fn house_trail(&self) -> Vec<AuditEvent> {
        let (limit, tenant) = (std::num::NonZeroUsize::new(1000).unwrap(), Jit::house_tenant().unwrap());
        let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit };
        self.store.events(&query).await.unwrap().items
    }

    pub(crate) async fn administer(&self, account: AccountId, act: AdminAct) -> Result<Account, Denial> {
        let request = AdminRequest { tenant: tenant(), store: None, account, act, by: "root".into() };
        self.jit.administer(&request).await.unwrap()
    }

    pub(crate) async fn work(&self) -> WorkReport {
        let (worker, limit) = (WorkerId::new("w1").unwrap(), std::num::NonZeroUsize::new(100).unwrap());
        self.jit.work(&worker, limit).await.unwrap()
    }
}

pub(crate) fn held_roles(account: &Account) -> Vec<String> {
    let mut roles: Vec<_> = account.grants.iter().map(|grant| grant.entitlement.to_string()).collect();
    roles.sort();
    roles
}

/// Counts the calls of each operation.
pub(crate) struct Counting {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) calls: Mutex<std::collections::BTreeMap<&'static str, usize>>,
    /// The number of commits to answer with `Unavailable`.
    pub(crate) down: std::sync::atomic::AtomicUsize,
}

impl Counting {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, calls: Mutex::default(), down: 0.into() }
    }

    pub(crate) fn count(&self, operation: &'static str) {
        *self.calls.lock().unwrap().entry(operation).or_default() += 1;
    }

    pub(crate) fn take(&self) -> std::collections::BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

jit_core::pass_on!(DocumentStore, TaskQueue, OneTime, AuditLog for Counting => inner);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl UserStore for Counting {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        self.count("find");
        self.inner.find(key).await
    }
    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.count("get");
        self.inner.get(tenant, id).await
    }
    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        self.count("matching");
        self.inner.matching(tenant, key).await
    }
    async fn named(&self, tenant: &TenantId, key: &str) -> Result<Option<Account>, BackendError> {
        self.count("named");
        self.inner.named(tenant, key).await
    }
    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        self.count("list");
        self.inner.list(query).await
    }
    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<jit_core::Cursor>,
        limit: std::num::NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        self.count("bearers");
        self.inner.bearers(tenant, key, after, limit).await
    }
    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: std::num::NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        self.count("long_over");
        self.inner.long_over(tenant, until, after, limit).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        self.count("commit");
        let less_one = |left: usize| left.checked_sub(1);
        let order = std::sync::atomic::Ordering::SeqCst;
        if self.down.fetch_update(order, order, less_one).is_ok() {
            return Err(BackendError::new(ErrorKind::Unavailable, "users.commit"));
        }
        self.inner.commit(commit).await
    }
    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        self.count("touch");
        self.inner.touch(seen).await
    }
}

pub(crate) fn members(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("an object") };
    members
}
