use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::Clock;
use serde_json::json;

use super::authorize::{self, Code, Pending};
use super::client::Client;
use super::keys::SigningKeys;
use super::{token, userinfo};
use crate::demo_idp::{Person, Realm};
use crate::web::{Expiring, Guard, STYLE_PATH, json, style};

const MOST_ENTRIES: usize = 4096;
pub(super) const PENDING_LASTS: TimeDelta = TimeDelta::minutes(10);
pub(super) const CODE_LASTS: TimeDelta = TimeDelta::seconds(60);
pub(super) const TOKEN_LASTS: TimeDelta = TimeDelta::minutes(5);

/// Is the demo identity provider, ready to be served.
#[derive(Debug, Clone)]
pub struct DemoProvider(Arc<Shared>);

/// Tells why the demo provider cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The signing keys could not be made.
    #[error("the signing keys could not be made")]
    Keys,
    /// The issuer is not an http address on loopback.
    #[error("the demo provider asks for no password: its issuer must be http on a loopback address")]
    NotLoopback,
}

pub(super) struct Shared {
    pub(super) issuer: String,
    pub(super) realm: &'static Realm,
    pub(super) clients: Vec<Client>,
    pub(super) keys: SigningKeys,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pending: Expiring<Pending>,
    pub(super) codes: Expiring<Code>,
    pub(super) tokens: Expiring<AccessToken>,
}

/// What an access token lets its bearer read.
#[derive(Debug, Clone)]
pub(super) struct AccessToken {
    pub(super) person: &'static Person,
    pub(super) scope: String,
}

impl DemoProvider {
    /// Makes the provider with fresh keys.
    ///
    /// # Errors
    /// `NotLoopback` for an issuer that others could reach, `Keys` when no keys can be made.
    pub fn new(
        issuer: &str,
        realm: &'static Realm,
        clients: Vec<Client>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        if !is_loopback(issuer) {
            return Err(StartError::NotLoopback);
        }
        let keys = SigningKeys::generate().map_err(|_| StartError::Keys)?;
        Ok(Self(Arc::new(Shared {
            issuer: issuer.to_owned(),
            realm,
            clients,
            keys,
            clock,
            pending: Expiring::new(MOST_ENTRIES),
            codes: Expiring::new(MOST_ENTRIES),
            tokens: Expiring::new(MOST_ENTRIES),
        })))
    }

    /// Gives the routes of the provider, guarded.
    pub fn router(self) -> Router {
        let authority = self.0.issuer.trim_start_matches("http://").to_owned();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize::ask).post(authorize::ask_by_form))
            .route("/sign-in", post(authorize::answer))
            .route("/token", post(token::exchange))
            .route("/userinfo", get(userinfo::read).post(userinfo::read))
            .route(STYLE_PATH, get(style))
            .with_state(self.0);
        Guard::new(authority).around(router)
    }
}

impl Shared {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id() == id)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("issuer", &self.issuer)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// Describes the provider ([OpenID Connect Discovery section 3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)).
async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": ["openid", "profile", "email", "groups"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            "sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified",
            "groups", "department", "employment", "contract_end"
        ],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    json(StatusCode::OK, &metadata)
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    json(StatusCode::OK, &shared.keys.jwks())
}

pub(crate) fn is_loopback(issuer: &str) -> bool {
    let Some(authority) = issuer.strip_prefix("http://") else { return false };
    authority.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}
