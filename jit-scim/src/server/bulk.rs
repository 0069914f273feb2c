//! Bulk requests (RFC 7644 §3.7), each operation the same way as if it had come alone; and feeds, which say everything with
//! POST.

use jit_core::IndexName;

use super::conditions::Conditions;
use super::fault;
use super::find::give_way;
use super::message::ScimResponse;
use super::route::Route;
use super::run::Done;
use super::served::{EXTERNAL_ID, Role, SUBJECT, Served, indexed};
use super::service::Turn;
use crate::error::ScimError;
use crate::json::Json;
use crate::patch::PATCH_OP;
use crate::protocol::{Bulk, BulkMethod, BulkOutcome, BulkStep, QueryText};
use crate::reason::Reason;
use crate::resource::Resource;

impl Turn<'_> {
    pub(super) async fn bulk(&self, json: &Json) -> Result<ScimResponse, ScimError> {
        if !self.realm.connection.takes_bulk() {
            return Err(Reason::NotSupported.into());
        }
        let mut bulk = Bulk::parse(json, &self.realm.connection.limits)?;
        while let Some(step) = bulk.next() {
            let outcome = self.step(&step).await;
            bulk.done(step.operation, outcome);
            // what others ask must not wait for a thousand operations
            give_way().await;
        }
        Ok(ScimResponse::with_body(200, bulk.answer().to_bytes()))
    }

    async fn step(&self, step: &BulkStep) -> BulkOutcome {
        match self.step_done(step).await {
            Ok(Done { status, id, location, version, .. }) => {
                // RFC 7644 §3.7.3 shows 200 where a request of its own has no body
                let status = if step.method == BulkMethod::Patch { 200 } else { status };
                BulkOutcome::Done { status, id, location, version }
            }
            Err(error) => {
                self.note_refusal(step.method.as_str(), &step.path, &error);
                BulkOutcome::Refused { error, location: self.named(&step.path) }
            }
        }
    }

    async fn step_done(&self, step: &BulkStep) -> Result<Done, ScimError> {
        let (text, body) = (QueryText::default(), step.data.as_ref().unwrap_or(&Json::Null));
        let route = Route::parse(&step.path, &self.realm.connection.schemas)?;
        let conditions = Conditions::version(step.version.clone());
        match (&route, step.method) {
            (Route::All(kind), BulkMethod::Post) => self.create(self.of(kind)?, body, &text).await,
            (Route::One(kind, id), BulkMethod::Delete) => self.remove(self.of(kind)?, id, &conditions).await,
            (Route::One(kind, id), BulkMethod::Put | BulkMethod::Patch) => {
                let served = self.of(kind)?;
                let edit = if step.completes {
                    self.part(served, body)?
                } else {
                    self.edit(served, step.method.as_str(), body)?
                };
                self.change(served, id, &edit, &conditions, &text).await
            }
            _ => Err(Reason::PathUnserved.into()),
        }
    }

    fn named(&self, path: &str) -> Option<String> {
        match Route::parse(path, &self.realm.connection.schemas) {
            Ok(Route::One(kind, id)) => Some(self.location(self.of(kind).ok()?, &id)),
            _ => None,
        }
    }

    /// Finds the person whom a feed tells of again.
    pub(super) async fn known_to_feed(
        &self,
        served: &Served,
        resource: &Resource,
    ) -> Result<Option<String>, ScimError> {
        let external = resource.external_id().filter(|_| self.realm.connection.is_feed);
        let Some(external) = external.filter(|_| served.role == Role::Person) else { return Ok(None) };
        for index in [SUBJECT, EXTERNAL_ID] {
            let Ok(index) = IndexName::new(index) else { continue };
            let named = self.service.store.documents_named(&served.of, &index, &indexed(external)).await;
            match named.map_err(|error| fault::of_store(&error))?.as_slice() {
                [] => {}
                [one] => return Ok(Some(one.id.to_string())),
                _ => return Err(ScimError::at_attribute(Reason::Taken, EXTERNAL_ID)),
            }
        }
        Ok(None)
    }
}

/// Makes the change of what a feed tells of somebody who is known: what it leaves out stays.
pub(super) fn what_is_new(json: &Json) -> Json {
    let operation = Json::object([("op", Json::text("replace")), ("value", json.clone())]);
    Json::object([
        ("schemas", Json::List(vec![Json::text(PATCH_OP)])),
        ("Operations", Json::List(vec![operation])),
    ])
}
