//! The server of this crate, asked without a socket between.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use http::{Request, Response};
use jit_core::config::{Check, ConnectionConfig, Format, Problems, load};
use jit_core::{Jit, MemoryStore, Store, TenantId};
use jit_scim::client::{Transport, TransportError};
use jit_scim::server::{ScimConnection, ScimContext, ScimRequest, ScimService};
use serde::Deserialize;

pub(crate) const BASE: &str = "https://ours.example/scim/v2";

const SETTINGS: &str = r#"
tenant = "acme"
id = "scim"
issuers = ["urn:acme:scim"]
domains = ["example.com"]
ceiling = ["role:member"]
protocol = {}
mapping = { user_name = { template = ["{userName}"] } }
policy = { rule = [{ name = "everybody", permit = {} }] }
provisioning = { reactivates = true, renames = true }
"#;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Check for Nothing {
    fn check(&self, _: &mut Problems) {}
}

pub(crate) struct Ours {
    service: ScimService,
    context: ScimContext,
}

impl std::fmt::Debug for Ours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ours")
    }
}

impl Ours {
    pub(crate) fn open() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let config: ConnectionConfig<Nothing> = load(SETTINGS, Format::Toml, "settings").unwrap();
        let (connection, attestor, _) = config.define().unwrap();
        let jit = Jit::builder(Arc::clone(&store)).connection(connection).build().unwrap();
        let service = ScimService::builder(Arc::new(jit), store);
        let service = service.connection(ScimConnection::new(attestor, BASE)).build().unwrap();
        let context = ScimContext::new(TenantId::new("acme").unwrap(), "scim".parse().unwrap(), "test");
        Self { service, context }
    }
}

#[async_trait]
impl Transport for Ours {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>, TransportError> {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
        let uri = request.uri().to_string();
        let path = uri.strip_prefix(BASE).unwrap();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let asked = ScimRequest {
            method: request.method().as_str(),
            path,
            query,
            content_type: header("content-type"),
            if_match: header("if-match"),
            if_none_match: None,
            body: request.body(),
        };
        let answer = self.service.handle(&self.context, asked).await;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        Ok(response.body(Bytes::copy_from_slice(answer.body())).unwrap())
    }

    async fn wait(&self, _: TimeDelta) {}
}
