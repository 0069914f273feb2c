//! Writes the answer to a bulk request.

use super::{Bulk, BulkMethod, BulkOutcome, Operation};
use crate::json::Json;

const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

impl BulkMethod {
    /// Returns the method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Bulk {
    /// Writes what became of the operations, in the order of the request. Those that did not run are left out.
    #[must_use]
    pub fn answer(&self) -> Json {
        let answers = self.operations.iter().filter_map(answer);
        Json::object([
            ("schemas", Json::List(vec![Json::text(BULK_RESPONSE)])),
            ("Operations", Json::List(answers.collect())),
        ])
    }
}

fn answer(operation: &Operation) -> Option<Json> {
    let said = operation.unread.as_ref().map(|unread| unread.method.as_str());
    let mut members = vec![("method", Json::text(said.unwrap_or(operation.method.as_str())))];
    members.extend(operation.bulk_id.as_ref().map(|name| ("bulkId", Json::text(name))));
    match operation.outcome.as_ref()? {
        BulkOutcome::Done { status, location, version, .. } => {
            members.extend(version.as_ref().map(|version| ("version", Json::text(version.to_string()))));
            members.push(("location", Json::text(location)));
            members.push(("status", Json::text(status.to_string())));
        }
        BulkOutcome::Refused { error, location } => {
            members.extend(location.as_ref().map(|location| ("location", Json::text(location))));
            members.push(("status", Json::text(error.reason().status().to_string())));
            members.push(("response", error.to_json()));
        }
    }
    Some(Json::object(members))
}
