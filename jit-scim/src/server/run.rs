//! From a request to what is done about it.

use super::conditions::Conditions;
use super::edit::Edit;
use super::fault;
use super::message::{JSON, SCIM_JSON, ScimRequest, ScimResponse};
use super::route::{Route, parameters};
use super::served::Served;
use super::service::Turn;
use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::patch::Patch;
use crate::protocol::QueryText;
use crate::reason::Reason;
use crate::resource::{Version, VersionMatch};
use crate::schema::{ResourceType, USER};
use crate::tolerance::Tolerance;

/// What became of a request about one resource.
pub(super) struct Done {
    pub(super) status: u16,
    pub(super) id: String,
    pub(super) location: String,
    pub(super) version: Option<Version>,
    /// The answer's body, where there is one.
    pub(super) body: Vec<u8>,
}

impl ScimRequest<'_> {
    pub(super) fn is_reading(&self) -> bool {
        let path = self.path.strip_suffix('/').unwrap_or(self.path);
        self.method == "GET" || (self.method == "POST" && path.ends_with("/.search"))
    }
}

impl Turn<'_> {
    /// Does what is asked for. What takes much room has a place of its own, so that whoever reads one resource needs none for
    /// it.
    pub(super) async fn run(&self, request: &ScimRequest<'_>) -> Result<ScimResponse, ScimError> {
        let route = Route::parse(request.path, &self.realm.connection.schemas)?;
        match (&route, request.method) {
            (Route::Config | Route::Schemas(_) | Route::Types(_), _) => self.discover(&route, request),
            (Route::All(kind), "GET") => {
                let text = query_text(request)?;
                Box::pin(self.list(self.of(kind)?, &text)).await
            }
            (Route::Search(kind), "POST") => {
                let text = self.search(request)?;
                Box::pin(self.list(self.of(kind)?, &text)).await
            }
            (Route::All(kind), "POST") => {
                let (body, text) = (self.body(request)?, query_text(request)?);
                Ok(Box::pin(self.create(self.of(kind)?, &body, &text)).await?.into())
            }
            (Route::One(kind, id), _) => self.one(self.of(kind)?, id, request).await,
            (Route::Me, _) => {
                let (user, id) = self.alias().ok_or(Reason::NotSupported)?;
                let answer = self.one(user, &id, request).await?;
                Ok(answer.and("location", self.location(user, &id)))
            }
            (Route::Bulk, "POST") => Box::pin(self.bulk(&self.body(request)?)).await,
            (Route::Root, "GET") => Box::pin(self.list_all(&query_text(request)?)).await,
            (Route::RootSearch, "POST") => Box::pin(self.list_all(&self.search(request)?)).await,
            _ => Err(Reason::MethodNotAllowed.into()),
        }
    }

    /// Returns the user that `/Me` stands for.
    pub(super) fn alias(&self) -> Option<(&Served, String)> {
        let user = self.realm.served.iter().find(|served| served.kind.schema().id() == USER)?;
        Some((user, self.me?.to_string()))
    }

    async fn one(
        &self,
        served: &Served,
        id: &str,
        request: &ScimRequest<'_>,
    ) -> Result<ScimResponse, ScimError> {
        let text = query_text(request)?;
        let conditions = Conditions::of(request);
        match request.method {
            "GET" => self.show(served, id, request, &text).await,
            "PUT" | "PATCH" => {
                let body = self.body(request)?;
                let edit = self.edit(served, request.method, &body)?;
                Ok(Box::pin(self.change(served, id, &edit, &conditions, &text)).await?.into())
            }
            "DELETE" => Ok(Box::pin(self.remove(served, id, &conditions)).await?.into()),
            _ => Err(Reason::MethodNotAllowed.into()),
        }
    }

    /// Reads the change that a PUT or a PATCH asks for.
    pub(super) fn edit<'a>(
        &self,
        served: &Served,
        method: &str,
        body: &'a Json,
    ) -> Result<Edit<'a>, ScimError> {
        if method == "PUT" {
            return Ok(Edit::Put(body));
        }
        self.patch(served, body, self.realm.connection.tolerance)
    }

    /// Reads a change that is made of a whole resource: what is read-only is overlooked there.
    pub(super) fn part(&self, served: &Served, body: &Json) -> Result<Edit<'static>, ScimError> {
        self.patch(served, body, self.realm.connection.tolerance.overlooking_read_only())
    }

    fn patch(&self, served: &Served, body: &Json, tolerance: Tolerance) -> Result<Edit<'static>, ScimError> {
        Ok(Edit::Patch(Patch::parse(&served.kind, body, tolerance, &self.realm.connection.limits)?))
    }

    async fn show(
        &self,
        served: &Served,
        id: &str,
        request: &ScimRequest<'_>,
        text: &QueryText,
    ) -> Result<ScimResponse, ScimError> {
        let projection = text.projection(&served.kind)?;
        let id = Served::id(id).ok_or(Reason::NotFound)?;
        let document = self.service.store.document_text(&served.of, id).await;
        let document = document.map_err(|error| fault::of_store(&error))?.ok_or(Reason::NotFound)?;
        let version = Version::numbered(document.version);
        if request.if_match.is_some_and(|wanted| !VersionMatch::parse(wanted).includes(&version)) {
            return Err(Reason::VersionStale.into());
        }
        let known = request.if_none_match.map(VersionMatch::parse);
        if known.is_some_and(|known| known.includes(&version)) {
            return Ok(ScimResponse::new(304).tagged(&version));
        }
        let mut left = self.realm.connection.reach.members;
        let body = self.render(served, &document, &projection, &mut left).await?;
        Ok(ScimResponse::with_body(200, body).tagged(&version))
    }

    /// Reads a search: its texts become no values, and a filter has a limit of its own.
    fn search(&self, request: &ScimRequest<'_>) -> Result<QueryText, ScimError> {
        let limits = Limits { text_bytes: usize::MAX, ..self.realm.connection.limits };
        QueryText::of_message(&body(request, &limits)?)
    }

    fn body(&self, request: &ScimRequest<'_>) -> Result<Json, ScimError> {
        body(request, &self.realm.connection.limits)
    }

    pub(super) fn of(&self, kind: &ResourceType) -> Result<&Served, ScimError> {
        self.realm.served(kind.name()).ok_or_else(|| Reason::PathUnserved.into())
    }
}

/// Reads the body of a request.
fn body(request: &ScimRequest<'_>, limits: &Limits) -> Result<Json, ScimError> {
    let plain = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = |text: &str| [SCIM_JSON, JSON].contains(&plain(text).as_str());
    if !request.content_type.is_none_or(known) {
        return Err(Reason::MediaType.into());
    }
    Json::parse(request.body, limits)
}

fn query_text(request: &ScimRequest<'_>) -> Result<QueryText, ScimError> {
    let Some(query) = request.query.filter(|query| !query.is_empty()) else {
        return Ok(QueryText::default());
    };
    let parameters = parameters(query)?;
    QueryText::of_parameters(parameters.iter().map(|(name, value)| (&**name, &**value)))
}

impl From<Done> for ScimResponse {
    fn from(done: Done) -> Self {
        let Done { status, location, version, body, .. } = done;
        let response = if body.is_empty() { Self::new(status) } else { Self::with_body(status, body) };
        let response = match &version {
            Some(version) => response.tagged(version),
            None => response,
        };
        if status == 201 { response.and("location", location) } else { response }
    }
}
