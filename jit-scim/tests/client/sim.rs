//! An application that speaks SCIM, in memory and scripted: strict by the crate's own core, and with the peculiarities of real
//! ones where a test asks for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, Request, Response};
use jit_core::{Clock as _, ManualClock};
use jit_scim::client::{TargetReason, Transport, TransportError};
use jit_scim::protocol::{PageLimits, QueryText};
use jit_scim::{Json, Limits, Meta, Patch, Resource, ResourceType, Schemas, Tolerance, Version};
use serde_json::{Value, json};

/// What the application does in its own way.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a peculiarity of its own")]
pub(crate) struct Quirks {
    pub(crate) ignores_filters: bool,
    pub(crate) refuses_filters: bool,
    pub(crate) repeats_pages: bool,
    pub(crate) most_on_page: Option<usize>,
    pub(crate) lacks_patch: bool,
    /// Answers writes with 204 and nothing.
    pub(crate) says_nothing: bool,
    pub(crate) drops_markers: bool,
    pub(crate) hides_members: bool,
    pub(crate) hides_inactive: bool,
    pub(crate) deactivates: bool,
    pub(crate) most_members: Option<usize>,
    pub(crate) shows_groups: bool,
    /// Takes a member out by value, as the RFC does not have it.
    pub(crate) removes_by_value: bool,
    pub(crate) lowers_names: bool,
    /// Answers a creation with whoever has the name.
    pub(crate) upserts: bool,
    pub(crate) patches_active_only: bool,
    /// Takes a change of `active` and does not make it.
    pub(crate) overlooks_active: bool,
    /// Shows a group for so many seconds as it was before it was put.
    pub(crate) lags: i64,
    /// Makes no user without `displayName` and `emails`, and no group without `externalId`.
    pub(crate) requires: bool,
    /// Makes several groups of one name (RFC 7643 has no rule against it).
    pub(crate) equal_names: bool,
}

/// What happens to a request instead.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Answer(u16, Vec<(&'static str, String)>, &'static str),
    /// It never arrives.
    LostBefore,
    /// It takes effect, and nobody learns of it.
    LostAfter,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) if_match: Option<String>,
    pub(crate) body: Value,
}

type Script = Box<dyn FnMut(usize, &Asked) -> Option<Fault> + Send>;

pub(crate) struct Sim {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) quirks: Mutex<Quirks>,
    state: Mutex<State>,
    script: Mutex<Script>,
    schemas: Schemas,
    /// A turn that a test may take, so that changes of members wait.
    pub(crate) gate: tokio::sync::Semaphore,
}

#[derive(Default)]
struct State {
    kept: BTreeMap<String, BTreeMap<String, Resource>>,
    made: u64,
    log: Vec<Asked>,
    waits: Vec<TimeDelta>,
    /// How a group was, and until when it is shown so.
    before: BTreeMap<String, (Resource, DateTime<Utc>)>,
}

const BASE: &str = "https://app.example/scim/v2";

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sim")
    }
}

impl Sim {
    pub(crate) fn new(quirks: Quirks) -> Arc<Self> {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Arc::new(Self {
            clock: Arc::new(ManualClock::at(now)),
            quirks: Mutex::new(quirks),
            state: Mutex::default(),
            script: Mutex::new(Box::new(|_, _| None)),
            schemas: Schemas::standard(),
            gate: tokio::sync::Semaphore::new(1000),
        })
    }

    /// Says what happens to requests, by their number from one on.
    pub(crate) fn script(&self, script: impl FnMut(usize, &Asked) -> Option<Fault> + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
        self.state().log.clear();
    }

    pub(crate) fn behave(&self) {
        self.script(|_, _| None);
    }

    /// Puts a resource there as its administrator would.
    pub(crate) fn plant(&self, endpoint: &str, body: &Value) -> String {
        let (status, body) = self.create(endpoint, &body.to_string());
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn forget(&self, endpoint: &str, id: &str) {
        self.state().kept.entry(endpoint.to_owned()).or_default().remove(id);
    }

    /// Gives a group another name, as its administrator would.
    pub(crate) fn rename_group(&self, id: &str, name: &str) {
        let mut state = self.state();
        let group = state.kept.get_mut("Groups").unwrap().get_mut(id).unwrap();
        let operation = json!([{ "op": "replace", "path": "displayName", "value": name }]);
        *group = self.patched(group, &operation).unwrap();
        state.made += 1;
        let number = state.made;
        self.version(state.kept.get_mut("Groups").unwrap().get_mut(id).unwrap(), number);
    }

    /// Puts nobody but this one into a group, as another node would that puts it whole.
    pub(crate) fn overwrite_group(&self, id: &str, member: &str) {
        let mut state = self.state();
        let group = state.kept.get_mut("Groups").unwrap().get_mut(id).unwrap();
        let operation = json!([{ "op": "replace", "path": "members", "value": [{ "value": member }] }]);
        *group = self.patched(group, &operation).unwrap();
        state.made += 1;
        let number = state.made;
        self.version(state.kept.get_mut("Groups").unwrap().get_mut(id).unwrap(), number);
    }

    /// Everything at an endpoint, as it would be shown if nothing were hidden.
    pub(crate) fn all(&self, endpoint: &str) -> Vec<Value> {
        let quirks = std::mem::take(&mut *self.quirks.lock().unwrap());
        let state = self.state();
        let shown = state.kept.get(endpoint).into_iter().flatten();
        let shown = shown.map(|(_, resource)| self.shown(&state, resource, None)).collect();
        *self.quirks.lock().unwrap() = quirks;
        shown
    }

    pub(crate) fn one(&self, endpoint: &str) -> Value {
        let mut all = self.all(endpoint);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Who is in a group, by id.
    pub(crate) fn members(&self, group: &str) -> Vec<String> {
        let groups = self.all("Groups");
        let Some(group) = groups.iter().find(|one| one["displayName"] == group) else { return Vec::new() };
        let members = group["members"].as_array().into_iter().flatten();
        members.map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn log(&self) -> Vec<Asked> {
        self.state().log.clone()
    }

    /// Methods and paths without what identifies or queries.
    pub(crate) fn lines(&self) -> Vec<String> {
        let short = |asked: &Asked| {
            let path = asked.path.split('?').next().unwrap_or_default();
            let endpoint = path.split('/').next().unwrap_or_default();
            let one = if path.contains('/') { "/id" } else { "" };
            format!("{} {endpoint}{one}", asked.method)
        };
        self.log().iter().map(short).collect()
    }

    pub(crate) fn waited(&self) -> Vec<i64> {
        self.state().waits.iter().map(TimeDelta::num_milliseconds).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn kind(&self, endpoint: &str) -> &Arc<ResourceType> {
        self.schemas.endpoint(&format!("/{endpoint}")).unwrap()
    }

    fn shown(&self, state: &State, resource: &Resource, excluded: Option<&str>) -> Value {
        let quirks = *self.quirks.lock().unwrap();
        let mut resource = resource.clone();
        let is_user = resource.kind().endpoint() == "/Users";
        if is_user && quirks.shows_groups {
            let id = resource.id().unwrap();
            let groups = state.kept.get("Groups").into_iter().flatten();
            let holds = |group: &Resource| group.as_group().unwrap().members().any(|one| one.id() == id);
            let groups: Vec<_> = groups
                .filter(|(_, group)| holds(group))
                .map(|(id, group)| json!({ "value": id, "display": group.text("displayName"), "type": "direct" }))
                .collect();
            let groups = Json::parse(json!(groups).to_string().as_bytes(), &Limits::default()).unwrap();
            resource.set_read_only("groups", &groups).unwrap();
        }
        let projection = jit_scim::Projection::of_query(resource.kind(), None, excluded).unwrap();
        let mut shown: Value = serde_json::from_slice(&resource.to_json(&projection, BASE)).unwrap();
        if quirks.hides_members {
            shown.as_object_mut().unwrap().remove("members");
        }
        shown
    }

    fn version(&self, resource: &mut Resource, number: u64) {
        let (created, last_modified) = (self.clock.now(), self.clock.now());
        resource.set_meta(&Meta { created, last_modified, version: Version::numbered(number) });
    }

    fn create(&self, endpoint: &str, body: &str) -> (u16, Value) {
        let quirks = *self.quirks.lock().unwrap();
        let kind = self.kind(endpoint);
        let json = Json::parse(body.as_bytes(), &Limits::default()).unwrap();
        let resource = match Resource::create(kind, &Self::kept(&json, quirks), Tolerance::strict()) {
            Ok(resource) => resource,
            Err(error) => return (400, text(&error.to_json())),
        };
        let is_lacking = |name: &&&str| resource.value(name).is_none();
        let required: &[&str] =
            if endpoint == "Users" { &["displayName", "emails"] } else { &["externalId"] };
        if let Some(lacking) = required.iter().find(is_lacking).filter(|_| quirks.requires) {
            return (400, json!({ "status": "400", "scimType": "invalidValue", "detail": lacking }));
        }
        let mut state = self.state();
        let may_be_equal = quirks.equal_names && endpoint == "Groups";
        if let Some(other) = taken(&state, endpoint, &resource, None).filter(|_| !may_be_equal) {
            let other = self.shown(&state, &other, None);
            return if quirks.upserts { (200, other) } else { (409, json!({ "status": "409" })) };
        }
        state.made += 1;
        let (mut resource, number) = (resource, state.made);
        let id = format!("{}-{number}", if endpoint == "Users" { "u" } else { "g" });
        resource.set_id(&id);
        self.version(&mut resource, number);
        let shown = self.shown(&state, &resource, None);
        state.kept.entry(endpoint.to_owned()).or_default().insert(id, resource);
        (201, shown)
    }

    /// What the application makes of what it is given.
    fn kept(json: &Json, quirks: Quirks) -> Json {
        let mut value = text(json);
        if let Some(object) = value.as_object_mut() {
            if quirks.drops_markers {
                object.remove("externalId");
            }
            if let Some(name) = object.get_mut("userName").filter(|_| quirks.lowers_names) {
                *name = json!(name.as_str().unwrap_or_default().to_lowercase());
            }
        }
        Json::parse(value.to_string().as_bytes(), &Limits::default()).unwrap()
    }

    fn query(&self, endpoint: &str, query: &str) -> (u16, Value) {
        let quirks = *self.quirks.lock().unwrap();
        let parameters: Vec<(String, String)> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), unescape(value)))
            .filter(|(name, _)| !(quirks.ignores_filters && name == "filter"))
            .filter(|(name, _)| !(quirks.repeats_pages && name == "startIndex"))
            .collect();
        if quirks.refuses_filters && query.contains("filter=") {
            return (400, json!({ "status": "400", "scimType": "invalidFilter" }));
        }
        let borrowed = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let limits = PageLimits { most: quirks.most_on_page.unwrap_or(200), ..PageLimits::default() };
        let (kind, now) = (self.kind(endpoint), self.clock.now());
        let bound = QueryText::of_parameters(borrowed)
            .and_then(|text| text.bind(kind, Tolerance::strict(), &limits, now));
        let query = match bound {
            Ok(query) => query,
            Err(error) => return (400, text(&error.to_json())),
        };
        let state = self.state();
        let kept = state.kept.get(endpoint).into_iter().flat_map(BTreeMap::values);
        let kept: Vec<_> = kept.filter(|one| !is_hidden(one, quirks)).cloned().collect();
        let found = query.run(&kept, now);
        let shown: Vec<_> = found.resources.iter().map(|one| self.shown(&state, one, None)).collect();
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"];
        (200, json!({ "schemas": schemas, "totalResults": found.total, "Resources": shown }))
    }

    fn on_one(&self, asked: &Asked, endpoint: &str, id: &str) -> (u16, Value) {
        let quirks = *self.quirks.lock().unwrap();
        let mut state = self.state();
        let kept = state.kept.entry(endpoint.to_owned()).or_default().get(id).cloned();
        let Some(before) = kept.filter(|one| !is_hidden(one, quirks)) else {
            return (404, json!({ "status": "404" }));
        };
        let own = before.version().unwrap().to_string();
        if asked.if_match.as_ref().is_some_and(|version| *version != own) {
            return (412, json!({ "status": "412" }));
        }
        let changed = match asked.method.as_str() {
            "GET" => {
                let lagging = state.before.get(id).filter(|(_, until)| self.clock.now() < *until);
                return (200, self.shown(&state, lagging.map_or(&before, |(old, _)| old), None));
            }
            "DELETE" if !quirks.deactivates => {
                state.kept.get_mut(endpoint).unwrap().remove(id);
                return (204, Value::Null);
            }
            "DELETE" => {
                self.patched(&before, &json!([{ "op": "replace", "path": "active", "value": false }]))
            }
            "PATCH" if quirks.lacks_patch => return (405, Value::Null),
            "PATCH" if quirks.overlooks_active => {
                let mut operations = asked.body["Operations"].clone();
                operations.as_array_mut().unwrap().retain(|one| one["path"] != "active");
                let is_nothing = operations == json!([]);
                if is_nothing { Ok(before.clone()) } else { self.patched(&before, &operations) }
            }
            "PATCH" => self.patched(&before, &asked.body["Operations"]),
            "PUT" => {
                assert!(
                    ["id", "meta", "groups"].iter().all(|name| asked.body.get(name).is_none()),
                    "{asked:?}"
                );
                let body = Json::parse(asked.body.to_string().as_bytes(), &Limits::default()).unwrap();
                before.replaced_by(&body, Tolerance::strict()).map_err(|error| (400, text(&error.to_json())))
            }
            other => panic!("{other}"),
        };
        let mut after = match changed {
            Ok(after) => after,
            Err(refusal) => return refusal,
        };
        if !(quirks.equal_names && endpoint == "Groups")
            && taken(&state, endpoint, &after, Some(id)).is_some()
        {
            return (409, json!({ "status": "409", "scimType": "uniqueness" }));
        }
        if asked.method == Method::PUT && quirks.lags > 0 {
            let until = self.clock.now() + TimeDelta::seconds(quirks.lags);
            state.before.insert(id.to_owned(), (before, until));
        }
        state.made += 1;
        self.version(&mut after, state.made);
        let shown = self.shown(&state, &after, None);
        state.kept.get_mut(endpoint).unwrap().insert(id.to_owned(), after);
        (200, shown)
    }

    fn patched(&self, before: &Resource, operations: &Value) -> Result<Resource, (u16, Value)> {
        let quirks = *self.quirks.lock().unwrap();
        let list = operations.as_array().unwrap();
        assert!(list.iter().all(|one| one["path"].is_string()), "an operation without a path");
        let members: usize = list.iter().map(|one| one["value"].as_array().map_or(1, Vec::len)).sum();
        let is_group = before.kind().endpoint() == "/Groups";
        if is_group && quirks.most_members.is_some_and(|most| members > most) {
            return Err((400, json!({ "status": "400", "scimType": "tooMany" })));
        }
        if !is_group && quirks.patches_active_only && list.iter().any(|one| one["path"] != "active") {
            return Err((400, json!({ "status": "400", "scimType": "invalidPath" })));
        }
        let tolerance = if quirks.removes_by_value { Tolerance::entra() } else { Tolerance::strict() };
        let message =
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list });
        let message = Json::parse(message.to_string().as_bytes(), &Limits::default()).unwrap();
        let patch = Patch::parse(before.kind(), &message, tolerance, &Limits::default());
        let after = patch.and_then(|patch| patch.apply(before));
        after.map_err(|error| (400, text(&error.to_json())))
    }

    fn answer(&self, asked: &Asked) -> (u16, Value) {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        match (path.split_once('/'), asked.method.as_str()) {
            (None, "GET") => self.query(path, query),
            (None, "POST") => self.create(path, &asked.body.to_string()),
            (Some((endpoint, id)), _) => self.on_one(asked, endpoint, &unescape(id)),
            other => panic!("{other:?}"),
        }
    }
}

fn is_hidden(resource: &Resource, quirks: Quirks) -> bool {
    quirks.hides_inactive && resource.as_user().is_some_and(|user| !user.is_active())
}

/// Who else has a name that must be unique.
fn taken(state: &State, endpoint: &str, resource: &Resource, own: Option<&str>) -> Option<Resource> {
    let others = state.kept.get(endpoint)?.values().filter(|other| other.id() != own);
    let is_same = |other: &&Resource| match (other.as_user(), resource.as_user()) {
        (Some(a), Some(b)) => a.user_name().eq_ignore_ascii_case(b.user_name()),
        _ => other.text("displayName") == resource.text("displayName"),
    };
    others.into_iter().find(is_same).cloned()
}

fn text(json: &Json) -> Value {
    serde_json::from_slice(&json.to_bytes()).unwrap()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            u8::from_str_radix(&digits, 16).unwrap()
        } else {
            byte
        });
    }
    String::from_utf8(bytes).unwrap()
}

#[async_trait]
impl Transport for Sim {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>, TransportError> {
        // others get their turn here, as they would on a network
        tokio::task::yield_now().await;
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let asked = Asked {
            method: request.method().clone(),
            path: request.uri().to_string().strip_prefix(BASE).unwrap().trim_start_matches('/').to_owned(),
            if_match: header("if-match"),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
        };
        let number = {
            let mut state = self.state();
            state.log.push(asked.clone());
            state.log.len()
        };
        let fault = (self.script.lock().unwrap())(number, &asked);
        if asked.method == Method::PATCH && asked.path.starts_with("Groups") {
            let _turn = self.gate.acquire().await.unwrap();
        }
        if header("authorization").as_deref() != Some("Bearer right") {
            return Ok(Response::builder().status(401).body(Bytes::new()).unwrap());
        }
        match fault {
            Some(Fault::LostBefore) => return Err(TransportError::new(TargetReason::Timeout)),
            Some(Fault::Answer(status, headers, body)) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                return Ok(response.body(Bytes::from_static(body.as_bytes())).unwrap());
            }
            _ => {}
        }
        let (status, body) = self.answer(&asked);
        if matches!(fault, Some(Fault::LostAfter)) {
            return Err(TransportError::new(TargetReason::Unreachable));
        }
        let is_quiet =
            self.quirks.lock().unwrap().says_nothing && asked.method != Method::GET && status < 300;
        let (status, body) = if is_quiet { (204, Value::Null) } else { (status, body) };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = Response::builder().status(status).header("content-type", "application/scim+json");
        Ok(response.body(body.into()).unwrap())
    }

    async fn wait(&self, span: TimeDelta) {
        self.state().waits.push(span);
        self.clock.advance(span);
        tokio::task::yield_now().await;
    }
}
