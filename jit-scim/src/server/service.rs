//! The service: connections, and the way of a request through it.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jit_core::{
    Clock, ConnectionId, DocumentId, Issuer, IssuerSet, Jit, JitError, Store, SystemClock, TenantId,
    UNIQUE_INDEXES, WorkReport, WorkerId,
};

use super::discovery::Documents;
use super::message::{ScimContext, ScimRequest, ScimResponse};
use super::rolls::Rolls;
use super::route::Route;
use super::served::{Role, Served};
use super::settings::ScimConnection;
use crate::error::ScimError;
use crate::reason::Reason;

/// Answers SCIM requests (RFC 7644) for any number of connections, without a framework.
///
/// Share it behind an `Arc`; several services on one store, in one process or many, do not disturb each other.
pub struct ScimService {
    pub(super) jit: Arc<Jit>,
    pub(super) store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// By tenant and connection.
    realms: BTreeMap<TenantId, BTreeMap<ConnectionId, Realm>>,
}

/// Collects the parts of a service.
pub struct ScimServiceBuilder {
    jit: Arc<Jit>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    connections: Vec<ScimConnection>,
}

/// Says why a service could not be composed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceError {
    /// The engine has no such connection.
    UnknownConnection(TenantId, ConnectionId),
    /// The connection may not provision, or speaks for several issuers.
    NotProvisioning(TenantId, ConnectionId),
    /// The connection is served twice.
    Twice(TenantId, ConnectionId),
    /// The name of a resource type cannot name documents.
    TypeName(String),
    /// The name of an attribute whose values are held once, with its URN, is longer than an index can be called.
    AttributeName(String),
    /// More attributes of the resource type have values that are held once than a commit can keep apart
    /// ([`jit_core::UNIQUE_INDEXES`]).
    ManyUnique(String),
    /// A resource type is called `User` or `Group` and has another schema: it would make no accounts.
    TypeSchema(String),
    /// Another resource type has the schema of users as well: both would tell of the same accounts.
    SecondPerson(String),
}

/// One connection, ready.
pub(super) struct Realm {
    pub(super) connection: ScimConnection,
    pub(super) issuer: Issuer,
    pub(super) served: Vec<Served>,
    pub(super) documents: Documents,
}

/// One request on its way.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) service: &'a ScimService,
    pub(super) realm: &'a Realm,
    pub(super) principal: &'a str,
    pub(super) me: Option<DocumentId>,
    pub(super) now: DateTime<Utc>,
    /// What the request has read of groups; none where no request asks.
    pub(super) rolls: Option<&'a Rolls>,
}

impl ScimService {
    /// Begins to compose a service. The store is the one that the connections keep their accounts in.
    #[must_use]
    pub fn builder(jit: Arc<Jit>, store: Arc<dyn Store>) -> ScimServiceBuilder {
        ScimServiceBuilder { jit, store, clock: Arc::new(SystemClock), connections: Vec::new() }
    }

    /// Answers a request. Whatever is wrong with it, there is an answer.
    ///
    /// # Cancel safety
    /// Each change is made whole or not at all. Of a bulk request, some operations may have been done; the access of people
    /// whose group changed may follow with [`Self::work`].
    pub async fn handle(&self, context: &ScimContext, request: ScimRequest<'_>) -> ScimResponse {
        let Some(realm) = self.realm(&context.tenant, &context.connection) else {
            return ScimResponse::refusal(&Reason::Forbidden.into());
        };
        if request.method == "HEAD" {
            let request = ScimRequest { method: "GET", ..request };
            return Box::pin(self.handle(context, request)).await.without_body();
        }
        let rolls = Rolls::new(&realm.connection.reach);
        let turn = Turn {
            service: self,
            realm,
            principal: &context.principal,
            me: context.me,
            now: self.clock.now(),
            rolls: Some(&rolls),
        };
        let done = if context.reads_only && !request.is_reading() {
            Err(Reason::Forbidden.into())
        } else {
            turn.run(&request).await
        };
        done.unwrap_or_else(|error: ScimError| turn.refusal(&request, &error))
    }

    /// Lets the access of people follow their groups, where a request had too many of them to do it at once: up to `limit`
    /// people of each connection. Call it in a loop; any number of workers on any number of nodes share the work.
    ///
    /// # Errors
    /// The first [`JitError`] of a connection, after the others had their turn.
    ///
    /// # Cancel safety
    /// What was begun comes again.
    pub async fn work(&self, worker: &WorkerId, limit: NonZeroUsize) -> Result<WorkReport, JitError> {
        let (mut sum, mut first) = (WorkReport::default(), None);
        for (tenant, connection) in self.realms().map(Realm::place) {
            match self.jit.retell(worker, tenant, connection, limit, self).await {
                Ok(report) => {
                    sum.done += report.done;
                    sum.again += report.again;
                    sum.failed += report.failed;
                    sum.unreadable += report.unreadable;
                }
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        first.map_or(Ok(sum), Err)
    }

    /// Tells how long bodies may be; the connections may take less.
    #[cfg(feature = "tower")]
    pub(super) fn body_bytes(&self) -> usize {
        self.realms().map(|realm| realm.connection.limits.body_bytes).max().unwrap_or_default()
    }

    fn realms(&self) -> impl Iterator<Item = &Realm> {
        self.realms.values().flat_map(BTreeMap::values)
    }

    fn realm(&self, tenant: &TenantId, connection: &ConnectionId) -> Option<&Realm> {
        self.realms.get(tenant)?.get(connection)
    }

    /// Speaks for itself, where no request asks.
    pub(super) fn turn(&self, tenant: &TenantId, connection: &ConnectionId) -> Option<Turn<'_>> {
        self.realm(tenant, connection).map(|realm| self.own(realm))
    }

    /// Speaks for itself, on each connection.
    pub(super) fn turns(&self) -> impl Iterator<Item = Turn<'_>> {
        self.realms().map(|realm| self.own(realm))
    }

    fn own<'a>(&'a self, realm: &'a Realm) -> Turn<'a> {
        Turn { service: self, realm, principal: "none", me: None, now: self.clock.now(), rolls: None }
    }
}

impl Turn<'_> {
    fn refusal(&self, request: &ScimRequest<'_>, error: &ScimError) -> ScimResponse {
        self.note_refusal(request.method, request.path, error);
        let mut refusal = ScimResponse::refusal(error);
        let Ok(route) = Route::parse(request.path, &self.realm.connection.schemas) else { return refusal };
        if error.reason() == Reason::MethodNotAllowed {
            refusal = refusal.and("allow", route.methods());
        }
        // RFC 7644 §3.11 wants it in any response
        match (route, self.alias()) {
            (Route::Me, Some((user, id))) => refusal.and("location", self.location(user, &id)),
            _ => refusal,
        }
    }

    /// Tells whoever runs the service why something was not done. Nothing of what was sent is in it but what is served: the
    /// place of an error holds names that a client made up.
    pub(super) fn note_refusal(&self, method: &str, path: &str, error: &ScimError) {
        let attestor = &self.realm.connection.attestor;
        let (tenant, connection, token) = (attestor.tenant(), attestor.connection(), self.principal);
        let code = error.code();
        match Route::parse(path, &self.realm.connection.schemas) {
            Ok(route) if route.changes(method) => {
                let (status, why) = (error.reason().status(), error.reason().meaning());
                let cause = error.cause().map(tracing::field::display);
                tracing::info!(%tenant, %connection, token, method, at = %route, status, %code, cause, "not done: {why}");
            }
            _ => tracing::debug!(%tenant, %connection, token, %code, "request refused"),
        }
    }
}

impl ScimServiceBuilder {
    /// Serves a connection.
    #[must_use]
    pub fn connection(mut self, connection: ScimConnection) -> Self {
        self.connections.push(connection);
        self
    }

    /// Replaces the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Composes the service.
    ///
    /// # Errors
    /// [`ServiceError`] where a connection is not one that the engine provisions with.
    pub fn build(self) -> Result<ScimService, ServiceError> {
        let mut realms: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for connection in self.connections {
            let attestor = &connection.attestor;
            let key = (attestor.tenant().clone(), attestor.connection().clone());
            let issuer = issuer(&self.jit, &key)?;
            let realm = Realm::new(connection, issuer)?;
            let (tenant, connection) = key;
            let of_tenant = realms.entry(tenant.clone()).or_default();
            if of_tenant.insert(connection.clone(), realm).is_some() {
                return Err(ServiceError::Twice(tenant, connection));
            }
        }
        Ok(ScimService { jit: self.jit, store: self.store, clock: self.clock, realms })
    }
}

impl Realm {
    fn place(&self) -> (&TenantId, &ConnectionId) {
        let attestor = &self.connection.attestor;
        (attestor.tenant(), attestor.connection())
    }

    fn new(connection: ScimConnection, issuer: Issuer) -> Result<Self, ServiceError> {
        let attestor = &connection.attestor;
        let key = || (attestor.tenant().clone(), attestor.connection().clone());
        let serve = |kind| Served::new(kind, key(), &connection.base, connection.unique_group_names);
        let served = connection.schemas.types().map(serve).collect::<Result<Vec<_>, _>>()?;
        if let Some(second) = served.iter().filter(|served| served.role == Role::Person).nth(1) {
            return Err(ServiceError::SecondPerson(second.kind.name().to_owned()));
        }
        let documents = Documents::of(&connection);
        Ok(Self { connection, issuer, served, documents })
    }

    /// Returns the type whose documents are of this kind.
    pub(super) fn served(&self, name: &str) -> Option<&Served> {
        self.served.iter().find(|served| served.kind.name() == name)
    }
}

fn issuer(jit: &Jit, (tenant, id): &(TenantId, ConnectionId)) -> Result<Issuer, ServiceError> {
    let unknown = || ServiceError::UnknownConnection(tenant.clone(), id.clone());
    let connection = jit.connection(tenant, id).ok_or_else(unknown)?;
    let one = match &connection.settings().issuers {
        IssuerSet::Exactly(issuers) if issuers.len() == 1 => issuers.first().cloned(),
        _ => None,
    };
    let one = one.filter(|_| connection.provisioning().is_some());
    one.ok_or_else(|| ServiceError::NotProvisioning(tenant.clone(), id.clone()))
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownConnection(tenant, id) => write!(f, "tenant `{tenant}` has no connection `{id}`"),
            Self::NotProvisioning(_, id) => {
                write!(f, "connection `{id}` does not provision, or speaks for several issuers")
            }
            Self::Twice(_, id) => write!(f, "connection `{id}` is served twice"),
            Self::AttributeName(name) => {
                write!(f, "the values of `{name}` cannot be held once: the name is longer than 256 bytes")
            }
            Self::ManyUnique(name) => {
                write!(
                    f,
                    "the resource type `{name}` has more than {UNIQUE_INDEXES} values that are held once"
                )
            }
            Self::TypeSchema(name) => {
                write!(f, "the resource type `{name}` does not have the schema that RFC 7643 gives it")
            }
            Self::SecondPerson(name) => {
                write!(
                    f,
                    "the resource type `{name}` is the second with the schema of users: both would be the same accounts"
                )
            }
            Self::TypeName(name) => write!(f, "the resource type `{name}` cannot name documents"),
        }
    }
}

impl std::error::Error for ServiceError {}

impl fmt::Debug for ScimService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimService").field("connections", &self.realms.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ScimServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimServiceBuilder").field("connections", &self.connections).finish_non_exhaustive()
    }
}
