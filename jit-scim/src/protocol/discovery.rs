//! What a service says about itself (RFC 7644 §4): derived from what it can do, so that it cannot say anything else.

use super::{ListResponse, PageLimits, Place};
use crate::json::Json;
use crate::limits::Limits;
use crate::schema::{SERVICE_PROVIDER_CONFIG, Schemas};

/// How pages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a service knows one of the ways or both")]
pub enum PageMethods {
    /// By index only.
    Index,
    /// By index, and by cursor for those who ask (RFC 9865).
    IndexAndCursor,
}

/// A way to authenticate (RFC 7643 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "these are the members that RFC 7643 requires")]
pub struct AuthenticationScheme {
    /// The kind: `oauthbearertoken`, `oauth2`, `httpbasic` and others.
    pub kind: String,
    /// The name for people.
    pub name: String,
    /// The explanation for people.
    pub description: String,
}

/// What a service and its store can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a service says all of it")]
#[expect(clippy::struct_excessive_bools, reason = "each is a feature of its own, as RFC 7643 lists them")]
pub struct Capabilities {
    /// Whether resources can be changed in part.
    pub patch: bool,
    /// Whether there are bulk requests.
    pub bulk: bool,
    /// Whether lists can be filtered.
    pub filter: bool,
    /// Whether passwords can be set.
    pub change_password: bool,
    /// Whether lists can be sorted.
    pub sort: bool,
    /// Whether versions are compared.
    pub etag: bool,
    /// How pages are told apart.
    pub pages: PageMethods,
    /// The ways to authenticate, the preferred one first.
    pub authentication: Vec<AuthenticationScheme>,
}

/// Writes the documents of discovery.
#[derive(Clone, Debug)]
pub struct Discovery<'a> {
    schemas: &'a Schemas,
    base: &'a str,
}

impl<'a> Discovery<'a> {
    /// Speaks for a service with these schemas at this address, which has no slash at its end.
    #[must_use]
    pub const fn new(schemas: &'a Schemas, base: &'a str) -> Self {
        Self { schemas, base }
    }

    /// Writes `/Schemas`.
    #[must_use]
    pub fn schemas(&self) -> Vec<u8> {
        list(self.schemas.schemas().map(|schema| schema.to_json(self.base)))
    }

    /// Writes `/Schemas/{id}`, where there is such a schema.
    #[must_use]
    pub fn schema(&self, id: &str) -> Option<Vec<u8>> {
        Some(self.schemas.schema(id)?.to_json(self.base).to_bytes())
    }

    /// Writes `/ResourceTypes`.
    #[must_use]
    pub fn resource_types(&self) -> Vec<u8> {
        list(self.schemas.types().map(|kind| kind.to_json(self.base)))
    }

    /// Writes `/ResourceTypes/{id}`, where there is such a type.
    #[must_use]
    pub fn resource_type(&self, id: &str) -> Option<Vec<u8>> {
        let kind = self.schemas.types().find(|kind| kind.id() == id)?;
        Some(kind.to_json(self.base).to_bytes())
    }

    /// Writes `/ServiceProviderConfig`.
    #[must_use]
    pub fn service_provider_config(
        &self,
        can: &Capabilities,
        limits: &Limits,
        pages: &PageLimits,
    ) -> Vec<u8> {
        let number = |number: usize| Json::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let feature = |supported: bool| Json::object([("supported", Json::Boolean(supported))]);
        let bulk = Json::object([
            ("supported", Json::Boolean(can.bulk)),
            ("maxOperations", number(limits.bulk_operations)),
            ("maxPayloadSize", number(limits.body_bytes)),
        ]);
        let filter =
            Json::object([("supported", Json::Boolean(can.filter)), ("maxResults", number(pages.most))]);
        let location = format!("{}/ServiceProviderConfig", self.base);
        let meta =
            [("resourceType", Json::text("ServiceProviderConfig")), ("location", Json::text(location))];
        Json::object([
            ("schemas", Json::List(vec![Json::text(SERVICE_PROVIDER_CONFIG)])),
            ("patch", feature(can.patch)),
            ("bulk", bulk),
            ("filter", filter),
            ("changePassword", feature(can.change_password)),
            ("sort", feature(can.sort)),
            ("etag", feature(can.etag)),
            ("pagination", pagination(can.pages, pages)),
            ("authenticationSchemes", schemes(&can.authentication)),
            ("meta", Json::object(meta)),
        ])
        .to_bytes()
    }
}

/// RFC 9865 §4.
fn pagination(methods: PageMethods, pages: &PageLimits) -> Json {
    let number = |number: usize| Json::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let cursor = methods == PageMethods::IndexAndCursor;
    let mut members = vec![
        ("cursor", Json::Boolean(cursor)),
        ("index", Json::Boolean(true)),
        ("defaultPaginationMethod", Json::text("index")),
        ("defaultPageSize", number(pages.default)),
        ("maxPageSize", number(pages.most)),
    ];
    if cursor {
        members.push(("cursorTimeout", Json::Integer(pages.cursor_age.num_seconds())));
    }
    Json::object(members)
}

fn schemes(schemes: &[AuthenticationScheme]) -> Json {
    let written = schemes.iter().enumerate().map(|(number, scheme)| {
        Json::object([
            ("type", Json::text(&scheme.kind)),
            ("name", Json::text(&scheme.name)),
            ("description", Json::text(&scheme.description)),
            ("primary", Json::Boolean(number == 0)),
        ])
    });
    Json::List(written.collect())
}

fn list(documents: impl Iterator<Item = Json>) -> Vec<u8> {
    let bodies: Vec<_> = documents.map(|document| document.to_bytes()).collect();
    ListResponse { total: bodies.len(), place: Place::Index(1), resources: &bodies }.to_bytes()
}
