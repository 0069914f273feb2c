//! Resources: attributes with values that fit their schema.
//!
//! A resource holds positions and values and no names, so that it is small and every question about it is asked of the
//! schema. What came in was checked when it came in; nothing later has to be in doubt about a type.

pub(crate) mod elements;
mod kept;
mod keys;
mod projection;
pub(crate) mod read;
pub(crate) mod replace;
mod value;
mod version;
mod view;
pub(crate) mod write;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::schema::{AttributePath, EXTERNAL_ID, ID, META, ResourceType, SCHEMAS};
use crate::tolerance::Tolerance;

pub use keys::UniqueKey;
pub use projection::Projection;
pub use value::{Instant, Object, Value};
pub use version::{Version, VersionMatch};
pub use view::{GroupView, Labelled, MemberView, NameView, UserView};

use read::{Purpose, Reader, complete};
use value::SmolText;
use write::Writer;

/// A resource of one type. `Debug` shows the type only.
#[derive(Clone)]
pub struct Resource {
    kind: Arc<ResourceType>,
    root: Object,
}

/// What the server says about a resource (RFC 7643 §3.1). Its address follows when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever keeps resources gives all of it")]
pub struct Meta {
    /// When the resource came into being.
    pub created: DateTime<Utc>,
    /// When it changed last.
    pub last_modified: DateTime<Utc>,
    /// Its version.
    pub version: Version,
}

impl Resource {
    /// Reads a resource that a client wants to be created (RFC 7644 §3.3). What is read-only is overlooked.
    ///
    /// # Errors
    /// `scim.not_an_object`, `scim.schemas_missing`, `scim.schemas_unknown`, `scim.schemas_incomplete`,
    /// `scim.attribute_unknown`, `scim.attribute_twice`, `scim.value_type`, `scim.value_required`,
    /// `scim.primary_twice`.
    pub fn create(kind: &Arc<ResourceType>, json: &Json, tolerance: Tolerance) -> Result<Self, ScimError> {
        let resource = Self::whole(kind, json, tolerance)?;
        resource.check_complete()?;
        Ok(resource)
    }

    /// Looks whether everything that is required has a value.
    pub(crate) fn check_complete(&self) -> Result<(), ScimError> {
        complete(self.kind.attributes(), &self.root)
    }

    /// Reads a resource as [`Self::to_stored`] wrote it.
    ///
    /// # Errors
    /// `scim.json_malformed`, `scim.attribute_twice`; `scim.attribute_unknown` and `scim.value_type` where the schema is
    /// another one by now.
    pub fn stored(kind: &Arc<ResourceType>, text: &[u8]) -> Result<Self, ScimError> {
        let text = std::str::from_utf8(text).map_err(|_| ScimError::from(Reason::JsonMalformed))?;
        Self::kept(kind, text)
    }

    /// As [`Self::stored`], where it is known to be text.
    pub(crate) fn kept(kind: &Arc<ResourceType>, text: &str) -> Result<Self, ScimError> {
        Ok(Self { kind: kind.clone(), root: kept::read(kind.attributes(), text)? })
    }

    /// Writes everything, also what nobody may read: for stores, and never for answers.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        self.written(None, None).0
    }

    /// Writes what is seen by default, without an address, and tells whether that is everything.
    pub(crate) fn to_shown(&self) -> (Vec<u8>, bool) {
        self.written(Some(&Projection::default()), None)
    }

    /// Writes what is to be seen; `base` is the address of the service, without a slash at its end.
    #[must_use]
    pub fn to_json(&self, projection: &Projection, base: &str) -> Vec<u8> {
        self.written(Some(projection), Some(&self.location(base))).0
    }

    /// Returns the address.
    #[must_use]
    pub fn location(&self, base: &str) -> String {
        format!("{base}{}/{}", self.kind.endpoint(), self.id().unwrap_or_default())
    }

    /// Returns the resource type.
    #[must_use]
    pub const fn kind(&self) -> &Arc<ResourceType> {
        &self.kind
    }

    /// Returns the identifier, where the server has given one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.root.text(ID)
    }

    /// Returns the identifier that the client gave.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.root.text(EXTERNAL_ID)
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let meta = self.root.get(META)?.as_complex()?;
        let (position, _) = self.kind.attributes().at(META)?.sub_attributes().find("version")?;
        Version::parse(meta.text(position)?)
    }

    /// Gives the identifier.
    pub fn set_id(&mut self, id: &str) {
        self.root.set(ID, Value::text(id));
    }

    /// Gives what the server says about the resource.
    pub fn set_meta(&mut self, meta: &Meta) {
        let mut object = Object::default();
        let values = [
            ("resourceType", Value::text(self.kind.name())),
            ("created", Value::DateTime(meta.created.into())),
            ("lastModified", Value::DateTime(meta.last_modified.into())),
            ("version", Value::text(&meta.version.to_string())),
        ];
        if let Some(attribute) = self.kind.attributes().at(META) {
            for (name, value) in values {
                if let Some((position, _)) = attribute.sub_attributes().find(name) {
                    object.set(position, value);
                }
            }
        }
        self.root.set(META, Value::Complex(object));
    }

    /// Writes the address into what the server says: for filters that look at it, since answers get it when they are written.
    pub(crate) fn set_location(&mut self, base: &str) {
        let location = self.location(base);
        let place = self.kind.attributes().at(META).and_then(|meta| meta.sub_attributes().find("location"));
        if let (Some((position, _)), Some(Value::Complex(meta))) = (place, self.root.get_mut(META)) {
            meta.set(position, Value::text(&location));
        }
    }

    /// Takes an attribute over from another resource of its type, where this one lacks it.
    pub(crate) fn keep(&mut self, old: &Self, name: &str) {
        if let Some((position, _)) = self.kind.attributes().find(name)
            && self.root.get(position).is_none()
        {
            self.root.put(position, old.root.get(position).cloned());
        }
    }

    /// Returns the value of the attribute with this name: `userName`, `name.givenName`, `urn:…:User:department`.
    /// Of a sub-attribute of several values there is none: ask for the attribute itself.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        match self.kind.attributes().find(name) {
            Some((position, attribute)) if !attribute.is_extension() => self.root.get(position),
            _ => self.at(&self.kind.resolve(name)?),
        }
    }

    /// Returns the text of the attribute with this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_text()
    }

    /// Takes an attribute out, such as a password before the resource is kept.
    pub fn take(&mut self, path: &AttributePath) -> Option<Value> {
        let (last, outer) = path.steps().split_last()?;
        let mut object = &mut self.root;
        for step in outer {
            let Value::Complex(inner) = object.get_mut(*step)? else { return None };
            object = inner;
        }
        object.remove(*last)
    }

    /// Puts a value where only the server writes, such as the groups of a user. It has to fit the attribute.
    ///
    /// # Errors
    /// `scim.attribute_unknown`, `scim.value_type`.
    pub fn set_read_only(&mut self, name: &str, json: &Json) -> Result<(), ScimError> {
        let unknown = || ScimError::at_attribute(Reason::AttributeUnknown, name);
        let (position, attribute) = self.kind.attributes().find(name).ok_or_else(unknown)?;
        let reader = Reader { purpose: Purpose::Stored, tolerance: Tolerance::strict() };
        let value = reader.value(attribute, json)?;
        self.root.put(position, value);
        Ok(())
    }

    pub(crate) const fn root(&self) -> &Object {
        &self.root
    }

    /// Puts attributes together that are known to fit, and says in `schemas` which schemas they come from.
    pub(crate) fn of(kind: Arc<ResourceType>, root: Object) -> Self {
        let mut resource = Self { kind, root };
        let said = resource.root.get(SCHEMAS).map_or(&[][..], Value::each);
        if !resource.schemas().eq(said.iter().filter_map(Value::as_text)) {
            let urns = resource.schemas().map(|urn| Value::Text(SmolText(urn.into()))).collect();
            resource.root.set(SCHEMAS, Value::Many(urns));
        }
        resource
    }

    /// The schemas that its attributes come from.
    fn schemas(&self) -> impl Iterator<Item = &str> {
        let extensions = self.root.iter().filter_map(|(position, _)| self.kind.extension_at(position));
        std::iter::once(self.kind.schema().id()).chain(extensions.map(|extension| extension.schema().id()))
    }

    pub(crate) fn at(&self, path: &AttributePath) -> Option<&Value> {
        let (first, rest) = path.steps().split_first()?;
        let mut value = self.root.get(*first)?;
        for step in rest {
            value = value.as_complex()?.get(*step)?;
        }
        Some(value)
    }

    /// As [`Self::create`], where values that are required may be missing.
    pub(crate) fn whole(
        kind: &Arc<ResourceType>,
        json: &Json,
        tolerance: Tolerance,
    ) -> Result<Self, ScimError> {
        let reader = Reader { purpose: Purpose::Whole, tolerance };
        json.as_object()?;
        let named = named_schemas(kind, json, tolerance)?;
        let mut root = reader.object(kind.attributes(), json)?;
        root.remove(SCHEMAS);
        let resource = Self::of(kind.clone(), root);
        for urn in resource.root.get(SCHEMAS).map_or(&[][..], Value::each).iter().filter_map(Value::as_text) {
            if !named.iter().any(|name| name.eq_ignore_ascii_case(urn)) {
                return Err(ScimError::at_attribute(Reason::SchemasIncomplete, urn));
            }
        }
        Ok(resource)
    }

    /// Writes the resource, and tells whether nothing was left out.
    fn written(&self, projection: Option<&Projection>, location: Option<&str>) -> (Vec<u8>, bool) {
        let attributes = self.kind.attributes();
        let place = attributes.at(META).and_then(|meta| meta.sub_attributes().find("location"));
        let location = location.zip(place.map(|(position, _)| position));
        let out = Vec::with_capacity(512);
        let mut writer = Writer { out, projection, location, steps: Vec::with_capacity(4), is_all: true };
        if !writer.object(attributes, &self.root) {
            writer.out.extend_from_slice(b"{}");
        }
        (writer.out, writer.is_all)
    }
}

/// Reads `schemas`, which every resource has (RFC 7643 §3).
fn named_schemas<'a>(
    kind: &ResourceType,
    json: &'a Json,
    tolerance: Tolerance,
) -> Result<Vec<&'a str>, ScimError> {
    let list = match json.member("schemas") {
        Some(Json::List(list)) if !list.is_empty() => list,
        None | Some(Json::Null | Json::List(_)) => return Err(Reason::SchemasMissing.into()),
        Some(_) => return Err(ScimError::at_attribute(Reason::ValueType, "schemas")),
    };
    let mut named = Vec::new();
    for json in list {
        let urn = json.as_text().ok_or_else(|| ScimError::at_attribute(Reason::ValueType, "schemas"))?;
        if tolerance.foreign_schemas.contains(&urn) {
            continue;
        }
        let known =
            kind.extensions().iter().any(|extension| extension.schema().id().eq_ignore_ascii_case(urn));
        if !known && !kind.schema().id().eq_ignore_ascii_case(urn) {
            return Err(ScimError::at_attribute(Reason::SchemasUnknown, urn));
        }
        named.push(urn);
    }
    Ok(named)
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.kind.id() == other.kind.id() && self.root == other.root
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.kind.name())
    }
}

#[cfg(test)]
mod replace_tests;
#[cfg(test)]
mod tests;
