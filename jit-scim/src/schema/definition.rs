//! A schema: a URN and the attributes that it defines.

use smol_str::SmolStr;

use super::{Attributes, SCHEMA};
use crate::json::Json;

/// A set of attributes with a name of its own (RFC 7643 §7).
#[derive(Debug, Clone)]
pub struct Schema {
    pub(super) id: SmolStr,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) attributes: Attributes,
}

impl Schema {
    /// Returns the URN.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the explanation for people.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the attributes.
    #[must_use]
    pub const fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Writes the schema as `/Schemas` shows it; `base` is the address of the service, without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Json {
        let location = format!("{base}/Schemas/{}", self.id);
        Json::object([
            ("schemas", Json::List(vec![Json::text(SCHEMA)])),
            ("id", Json::text(self.id.as_str())),
            ("name", Json::text(&self.name)),
            ("description", Json::text(&self.description)),
            ("attributes", self.attributes.to_json()),
            (
                "meta",
                Json::object([("resourceType", Json::text("Schema")), ("location", Json::text(location))]),
            ),
        ])
    }
}
