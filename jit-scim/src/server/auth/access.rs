//! Access tokens of OAuth clients (RFC 6749 §4.4, RFC 9068): what a token says is verified by the application.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jit_core::{ConnectionId, TenantId};

use super::Authenticator;
use crate::error::ScimError;
use crate::reason::Reason;
use crate::server::ScimContext;

/// The longest token that is handed to a verifier.
const TOKEN_BYTES: usize = 8 << 10;

/// Verifies access tokens: signature, issuer, audience and time. Applications implement it with the keys of their
/// authorization server.
#[async_trait]
pub trait VerifiesAccess: Send + Sync {
    /// Verifies a token and tells what it says.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] where the token is not good; [`Reason::Unavailable`] where that cannot be told now.
    async fn verify(&self, token: &str) -> Result<Access, Reason>;
}

/// What a verified access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever verifies tokens says all of it")]
pub struct Access {
    /// The issuer, exact bytes.
    pub issuer: String,
    /// The client that it was given to.
    pub client: String,
    /// Its scopes.
    pub scopes: BTreeSet<String>,
}

/// Lets the clients of authorization servers in, each to one connection of one tenant.
pub struct AccessTokens {
    verifier: Arc<dyn VerifiesAccess>,
    clients: HashMap<(String, String), (TenantId, ConnectionId)>,
    writes: String,
    reads: String,
}

impl AccessTokens {
    /// Asks this verifier. Who has the scope `scim:write` may do everything, who has `scim:read` may read.
    #[must_use]
    pub fn new(verifier: Arc<dyn VerifiesAccess>) -> Self {
        let (writes, reads) = ("scim:write".to_owned(), "scim:read".to_owned());
        Self { verifier, clients: HashMap::new(), writes, reads }
    }

    /// Lets a client in.
    #[must_use]
    pub fn client(
        mut self,
        (issuer, client): (impl Into<String>, impl Into<String>),
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Self {
        self.clients.insert((issuer.into(), client.into()), (tenant, connection));
        self
    }

    /// Replaces the names of the scopes.
    #[must_use]
    pub fn scopes(mut self, writes: impl Into<String>, reads: impl Into<String>) -> Self {
        (self.writes, self.reads) = (writes.into(), reads.into());
        self
    }
}

#[async_trait]
impl Authenticator for AccessTokens {
    async fn authenticate(&self, token: &str) -> Result<ScimContext, ScimError> {
        // a verifier reads what a stranger sends, with the tools of somebody else
        if token.len() > TOKEN_BYTES {
            return Err(Reason::Unauthenticated.into());
        }
        let Access { issuer, client, scopes } = self.verifier.verify(token).await?;
        let key = (issuer, client);
        let (tenant, connection) = self.clients.get(&key).ok_or(Reason::Unauthenticated)?;
        let context = ScimContext::new(tenant.clone(), connection.clone(), key.1);
        if scopes.contains(&self.writes) {
            Ok(context)
        } else if scopes.contains(&self.reads) {
            Ok(context.reading_only())
        } else {
            Err(Reason::Forbidden.into())
        }
    }
}

/// Asks one after the other, until one knows the token. One that cannot say keeps no other from knowing it.
#[async_trait]
impl Authenticator for Vec<Arc<dyn Authenticator>> {
    async fn authenticate(&self, token: &str) -> Result<ScimContext, ScimError> {
        let mut unknown = ScimError::from(Reason::Unauthenticated);
        for authenticator in self {
            match authenticator.authenticate(token).await {
                Err(error) if error.reason() == Reason::Unauthenticated => {}
                Err(error) if error.reason() == Reason::Unavailable => unknown = error,
                known => return known,
            }
        }
        Err(unknown)
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").field("clients", &self.clients.len()).finish_non_exhaustive()
    }
}
