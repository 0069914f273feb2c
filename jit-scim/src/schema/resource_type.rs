//! Resource types (RFC 7643 §6): a schema, its extensions, and what every resource has (§3.1).

use std::sync::Arc;

use smol_str::SmolStr;

use super::attributes::{Attributes, Position};
use super::standard::common;
use super::{Attribute, AttributePath, Kind, Mutability, RESOURCE_TYPE, Returned, Schema, Uniqueness};
use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::text::strip_prefix_folded;

/// Where the attributes lie that every resource has.
pub(crate) const SCHEMAS: Position = 0;
pub(crate) const ID: Position = 1;
pub(crate) const EXTERNAL_ID: Position = 2;
pub(crate) const META: Position = 3;

/// An extension of a resource type.
#[derive(Debug, Clone)]
pub struct Extension {
    pub(super) schema: Arc<Schema>,
    pub(super) required: bool,
}

impl Extension {
    /// Returns the schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Tells whether every resource must have it.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.required
    }
}

/// A kind of resource with everything that its resources are checked against.
#[derive(Debug, Clone)]
pub struct ResourceType {
    pub(super) id: SmolStr,
    pub(super) name: SmolStr,
    pub(super) endpoint: SmolStr,
    pub(super) description: String,
    pub(super) schema: Arc<Schema>,
    pub(super) extensions: Vec<Extension>,
    pub(super) attributes: Attributes,
}

impl ResourceType {
    /// Puts a type together. Refuses a schema whose attributes hide those that every resource has.
    pub(super) fn new(
        (id, name, endpoint, description): (SmolStr, SmolStr, SmolStr, String),
        schema: Arc<Schema>,
        extensions: Vec<Extension>,
    ) -> Result<Self, ScimError> {
        let twice = |name: SmolStr| ScimError::at_attribute(Reason::SchemaNameTwice, &name);
        let mut attributes = Attributes::new(common()).map_err(twice)?;
        for attribute in schema.attributes.iter() {
            attributes.push(attribute.clone()).map_err(twice)?;
        }
        for extension in &extensions {
            attributes.push(container(extension)).map_err(twice)?;
        }
        Ok(Self { id, name, endpoint, description, schema, extensions, attributes })
    }

    /// Returns the identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name, which `meta.resourceType` repeats.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path below the address of the service, with its slash: `/Users`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns the extensions.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Returns what a resource can have: common attributes, those of the schema, and a container for each extension.
    #[must_use]
    pub const fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Finds an attribute by `name`, `name.sub`, `urn:name` or `urn:name.sub`, or the container of an extension by
    /// its URN (RFC 7644 §3.10). Case makes no difference.
    #[must_use]
    pub fn resolve(&self, text: &str) -> Option<AttributePath> {
        let mut container = None;
        let mut rest = text;
        if let Some(after) =
            strip_prefix_folded(text, self.schema.id()).and_then(|rest| rest.strip_prefix(':'))
        {
            rest = after;
        }
        for extension in &self.extensions {
            match strip_prefix_folded(text, extension.schema.id()) {
                Some("") => return self.at_root(extension.schema.id()),
                Some(after) if after.starts_with(':') && after.len() <= rest.len() => {
                    container = self.at_root(extension.schema.id());
                    rest = after.strip_prefix(':')?;
                }
                _ => {}
            }
        }
        let (name, sub) = rest.split_once('.').map_or((rest, None), |(name, sub)| (name, Some(sub)));
        let (path, attribute) = if let Some(container) = container {
            self.below(&container, name)?
        } else {
            let path = self.at_root(name)?;
            let attribute = self.attribute(&path).filter(|attribute| !attribute.extension)?;
            (path, attribute)
        };
        let Some(sub) = sub else { return Some(path) };
        let (position, found) = attribute.sub_attributes.find(sub)?;
        Some(path.join(&found.name, position))
    }

    /// Returns the attribute at the end of a path of this type.
    #[must_use]
    pub fn attribute(&self, path: &AttributePath) -> Option<&Attribute> {
        let mut found = None;
        let mut level = &self.attributes;
        for step in path.steps() {
            let attribute = level.at(*step)?;
            level = &attribute.sub_attributes;
            found = Some(attribute);
        }
        found
    }

    /// Returns the attributes along a path, the outermost first.
    pub(crate) fn along<'a>(&'a self, path: &'a AttributePath) -> impl Iterator<Item = &'a Attribute> {
        let mut level = &self.attributes;
        path.steps().iter().map_while(move |step| {
            let attribute = level.at(*step)?;
            level = &attribute.sub_attributes;
            Some(attribute)
        })
    }

    /// Tells whether it has attributes that are shown to those who ask for them, and to those who wrote them.
    pub(crate) fn shows_on_request(&self) -> bool {
        fn any(attributes: &Attributes) -> bool {
            attributes.iter().any(|one| one.returned == Returned::Request || any(&one.sub_attributes))
        }
        any(&self.attributes)
    }

    /// Names the attributes whose values no two resources may have, as [`crate::UniqueKey`] does.
    pub(crate) fn unique_attributes(&self) -> Vec<String> {
        fn collect(attributes: &Attributes, prefix: &str, names: &mut Vec<String>) {
            for one in
                attributes.iter().filter(|one| !one.multi_valued && one.mutability != Mutability::ReadOnly)
            {
                let name = format!("{prefix}{}", one.name);
                if one.kind == Kind::Complex {
                    collect(
                        &one.sub_attributes,
                        &format!("{name}{}", if one.extension { ':' } else { '.' }),
                        names,
                    );
                } else if one.uniqueness != Uniqueness::None {
                    names.push(name);
                }
            }
        }
        let mut names = Vec::new();
        collect(&self.attributes, "", &mut names);
        names
    }

    /// Tells whether nobody may learn what lies at the path.
    pub(crate) fn hides(&self, path: &AttributePath) -> bool {
        self.along(path).any(Attribute::is_hidden)
    }

    /// Finds the extension whose container lies here.
    pub(crate) fn extension_at(&self, position: Position) -> Option<&Extension> {
        let attribute = self.attributes.at(position).filter(|attribute| attribute.extension)?;
        self.extensions.iter().find(|extension| extension.schema.id == attribute.name)
    }

    /// Writes the type as `/ResourceTypes` shows it; `base` is the address of the service.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Json {
        let extensions = self.extensions.iter().map(|extension| {
            let schema = Json::text(extension.schema.id());
            Json::object([("schema", schema), ("required", Json::Boolean(extension.required))])
        });
        let location = format!("{base}/ResourceTypes/{}", self.id);
        let mut members = vec![
            ("schemas", Json::List(vec![Json::text(RESOURCE_TYPE)])),
            ("id", Json::text(self.id.as_str())),
            ("name", Json::text(self.name.as_str())),
            ("endpoint", Json::text(self.endpoint.as_str())),
            ("description", Json::text(&self.description)),
            ("schema", Json::text(self.schema.id())),
        ];
        if !self.extensions.is_empty() {
            members.push(("schemaExtensions", Json::List(extensions.collect())));
        }
        let meta = [("resourceType", Json::text("ResourceType")), ("location", Json::text(location))];
        members.push(("meta", Json::object(meta)));
        Json::object(members)
    }

    fn at_root(&self, name: &str) -> Option<AttributePath> {
        let (position, attribute) = self.attributes.find(name)?;
        Some(AttributePath::new(attribute.name.clone(), [position]))
    }

    fn below(&self, container: &AttributePath, name: &str) -> Option<(AttributePath, &Attribute)> {
        let (position, attribute) = self.attribute(container)?.sub_attributes.find(name)?;
        Some((container.join(&attribute.name, position), attribute))
    }
}

/// The attributes of an extension lie in an object that has its URN as name (RFC 7643 §3.3).
fn container(extension: &Extension) -> Attribute {
    Attribute {
        sub_attributes: extension.schema.attributes.clone(),
        required: extension.required,
        extension: true,
        ..Attribute::new(extension.schema.id(), Kind::Complex, extension.schema.description())
    }
}
