//! What the service says about itself, written once.

use bytes::Bytes;

use super::message::{ScimRequest, ScimResponse};
use super::route::{Route, parameters};
use super::service::Turn;
use super::settings::ScimConnection;
use crate::error::ScimError;
use crate::protocol::{Capabilities, Discovery, PageMethods};
use crate::reason::Reason;

pub(super) struct Documents {
    config: Bytes,
    schemas: Bytes,
    types: Bytes,
}

impl Documents {
    pub(super) fn of(connection: &ScimConnection) -> Self {
        let discovery = Discovery::new(&connection.schemas, &connection.base);
        // what every store can do that is a `DocumentStore` is no matter of settings
        let can = Capabilities {
            patch: true,
            bulk: connection.takes_bulk(),
            filter: true,
            change_password: connection.passwords.is_some(),
            sort: true,
            etag: true,
            pages: PageMethods::IndexAndCursor,
            authentication: connection.authentication.clone(),
        };
        Self {
            config: discovery.service_provider_config(&can, &connection.limits, &connection.pages).into(),
            schemas: discovery.schemas().into(),
            types: discovery.resource_types().into(),
        }
    }
}

impl Turn<'_> {
    /// Answers one of the endpoints of discovery (RFC 7644 §4).
    pub(super) fn discover(
        &self,
        route: &Route<'_>,
        request: &ScimRequest<'_>,
    ) -> Result<ScimResponse, ScimError> {
        if request.method != "GET" {
            return Err(Reason::MethodNotAllowed.into());
        }
        let filtered = parameters(request.query.unwrap_or_default())?
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("filter"));
        let discovery = Discovery::new(&self.realm.connection.schemas, &self.realm.connection.base);
        let documents = &self.realm.documents;
        let body = match route {
            Route::Config => Some(documents.config.clone()),
            Route::Schemas(_) | Route::Types(_) if filtered => return Err(Reason::DiscoveryFiltered.into()),
            Route::Schemas(None) => Some(documents.schemas.clone()),
            Route::Types(None) => Some(documents.types.clone()),
            Route::Schemas(Some(id)) => discovery.schema(id).map(Bytes::from),
            Route::Types(Some(id)) => discovery.resource_type(id).map(Bytes::from),
            _ => None,
        };
        body.map(|body| ScimResponse::with_body(200, body)).ok_or_else(|| Reason::NotFound.into())
    }
}
