//! Whole sign-ins by two engines, one on each node.

use std::sync::Arc;

use async_trait::async_trait;

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, same},
    race::{RACERS, race},
    sample::at,
};
use crate::{
    Account, Assurance, Attestation, Attestor, AttributeMapper, Check, Checks, Claims, Clock, Connection,
    ConnectionId, ConnectionSettings, Context, Decision, DomainSet, Entitlement, EntitlementWish, Event,
    Filter, Issuer, IssuerSet, Jit, ManualClock, MapError, Outcome, Permit, Policy, Profile, Protection,
    Query, Request, RuleName, SessionHint, Stability, Store, Subject, TenantId, Trace, VerifiedIdentity,
};

/// Checks that of many first sign-ins of one person, over two nodes, all get in, to one account that is recorded once.
pub async fn first_sign_ins_at_once_all_get_in(nodes: &Nodes) -> Result<(), Failure> {
    let engines = [Engine::on(nodes.of(0))?, Engine::on(nodes.of(1))?].map(Arc::new);
    let answers = race(RACERS, |number| {
        let [one, two] = &engines;
        let engine = Arc::clone(if number.is_multiple_of(2) { one } else { two });
        async move { engine.enter("anna", &["admin"]).await.map(|account| account.id) }
    });
    let ids = answers.await?.into_iter().collect::<Result<Vec<_>, _>>()?;
    same(&ids.len(), &RACERS, "people who got in")?;
    ensure(ids.windows(2).all(|pair| pair.first() == pair.last()), "they got in to several accounts")?;
    same(&accounts(nodes).await?.len(), &1, "accounts")
}

/// Checks that the same sign-in on the other node changes nothing.
pub async fn a_sign_in_on_the_other_node_changes_nothing(nodes: &Nodes) -> Result<(), Failure> {
    let [one, two] = [Engine::on(nodes.of(0))?, Engine::on(nodes.of(1))?];
    let first = one.enter("anna", &["admin", "editor"]).await?;
    let second = two.enter("anna", &["admin", "editor"]).await?;
    same(&second, &first, "the account")?;
    same(&second.version, &1, "its version")
}

/// Checks that of two administrators who lose the role at once, each on a node of its own, one keeps it.
pub async fn an_administrator_is_left_between_nodes(nodes: &Nodes) -> Result<(), Failure> {
    let engines = [Engine::on(nodes.of(0))?, Engine::on(nodes.of(1))?].map(Arc::new);
    let people = ["anna", "berta"];
    for (engine, person) in engines.iter().zip(people) {
        engine.enter(person, &["admin"]).await?;
    }
    let leavers: Vec<_> = engines.iter().cloned().zip(people).collect();
    race(leavers.len(), |number| {
        let leaver = leavers.get(number).cloned();
        async move {
            match leaver {
                Some((engine, person)) => engine.enter(person, &[]).await.map(|_| ()),
                None => Ok(()),
            }
        }
    })
    .await?
    .into_iter()
    .collect::<Result<(), _>>()?;
    let left = accounts(nodes).await?.into_iter().filter(|account| !account.grants.is_empty()).count();
    same(&left, &1, "administrators")
}

async fn accounts(nodes: &Nodes) -> Result<Vec<Account>, Failure> {
    let limit = std::num::NonZeroUsize::MIN.saturating_add(99);
    let query = Query { tenant: TenantId::new("a")?, filter: Filter::All, after: None, limit };
    Ok(nodes.one().list(&query).await?.items)
}

/// An engine with one connection whose claim `roles` gives roles.
struct Engine {
    jit: Jit,
    attestor: Attestor,
    issuer: Issuer,
}

impl Engine {
    fn on(store: Arc<dyn Store>) -> Result<Self, Failure> {
        let issuer = Issuer::new("https://idp.example")?;
        let settings = ConnectionSettings {
            tenant: TenantId::new("a")?,
            id: ConnectionId::new("main")?,
            issuers: IssuerSet::one(issuer.clone()),
            domains: DomainSet::default(),
            ceiling: vec!["role:admin".parse()?, "role:editor".parse()?],
            link: Vec::new(),
            store: None,
        };
        let (connection, attestor) =
            Connection::define(settings, Arc::new(Plain(RuleName::new("roles")?)), Arc::new(Anyone));
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(at(1)));
        let protection = Protection::new().never_without("role:admin".parse()?);
        let jit = Jit::builder(store).clock(clock).protection(protection).connection(connection).build()?;
        Ok(Self { jit, attestor, issuer })
    }

    async fn enter(&self, subject: &str, roles: &[&str]) -> Result<Account, Failure> {
        let made = || Check::Made("conformance".to_owned());
        let roles = serde_json::Map::from_iter([("roles".to_owned(), serde_json::json!(roles))]);
        let identity = self.attestor.attest(Attestation {
            issuer: self.issuer.clone(),
            subject: Subject::new(subject)?,
            stability: Stability::Persistent,
            claims: Claims::new(roles),
            assurance: Assurance::default(),
            session: SessionHint::default(),
            checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
        })?;
        match self.jit.handle(Event::sign_in(identity, Context::default())).await? {
            Outcome::SignedIn(signed_in) => Ok(Arc::unwrap_or_clone(signed_in.account)),
            other => Err(Failure::new(format!("a sign-in was not let in: {other:?}"))),
        }
    }
}

/// Maps each of `roles` to a role.
struct Plain(RuleName);

impl AttributeMapper for Plain {
    fn map(&self, identity: &VerifiedIdentity) -> Result<Profile, MapError> {
        let texts = identity.claims().get("roles").values().into_iter().flat_map(crate::ClaimValues::texts);
        let wishes = texts.filter_map(|text| Entitlement::role(&text).ok());
        let wish =
            |entitlement| EntitlementWish { entitlement, rule: self.0.clone(), claim: Some("roles".into()) };
        Ok(Profile { entitlements: wishes.map(wish).collect(), ..Profile::default() })
    }
}

/// Lets everybody in.
struct Anyone;

#[async_trait]
impl Policy for Anyone {
    fn is_pure(&self) -> bool {
        true
    }

    async fn decide<'a>(&self, _request: &Request<'a>, _trace: &mut Trace) -> Decision {
        Decision::Permit(Permit::default())
    }
}
