//! All schemas and resource types of a service.

use std::sync::Arc;

use super::{ENTERPRISE_USER, Extension, GROUP, RESOURCE_TYPE, ResourceType, Schema, USER, load, standard};
use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::reason::Reason;

/// The paths that a service answers itself.
const RESERVED: [&str; 6] =
    ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Bulk", "/Me", "/.search"];
const TYPE_KEYS: [&str; 8] =
    ["schemas", "id", "name", "description", "endpoint", "schema", "schemaExtensions", "meta"];

/// The schemas and resource types of a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schemas {
    schemas: Arc<[Arc<Schema>]>,
    types: Arc<[Arc<ResourceType>]>,
}

impl Schemas {
    /// Knows users with the enterprise extension, and groups.
    #[must_use]
    pub fn standard() -> Self {
        let builder = SchemasBuilder::standard();
        Self { schemas: builder.schemas.into(), types: builder.types.into() }
    }

    /// Begins with the standard schemas and types, to which others are added.
    #[must_use]
    pub fn builder() -> SchemasBuilder {
        SchemasBuilder::standard()
    }

    /// Iterates over the schemas.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.schemas.iter().map(Arc::as_ref)
    }

    /// Returns the schema with this URN.
    #[must_use]
    pub fn schema(&self, id: &str) -> Option<&Schema> {
        self.schemas().find(|schema| schema.id().eq_ignore_ascii_case(id))
    }

    /// Iterates over the resource types.
    pub fn types(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.types.iter()
    }

    /// Returns the resource type with this name.
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&Arc<ResourceType>> {
        self.types().find(|kind| kind.name() == name)
    }

    /// Returns the resource type that is served at this path, such as `/Users`.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> Option<&Arc<ResourceType>> {
        self.types().find(|kind| kind.endpoint() == path)
    }
}

/// Collects schemas and resource types, and checks each when it is added.
#[derive(Debug)]
pub struct SchemasBuilder {
    schemas: Vec<Arc<Schema>>,
    types: Vec<Arc<ResourceType>>,
}

impl SchemasBuilder {
    fn standard() -> Self {
        let mut builder =
            Self { schemas: standard::schemas().into_iter().map(Arc::new).collect(), types: Vec::new() };
        let built = builder.standard_types();
        debug_assert!(built.is_ok(), "the standard schemas fit together");
        builder
    }

    fn standard_types(&mut self) -> Result<(), ScimError> {
        let schema = |urn| self.schema(urn).ok_or_else(|| ScimError::from(Reason::SchemaUnknown));
        let enterprise = Extension { schema: schema(ENTERPRISE_USER)?, required: false };
        let named = |name: &str, endpoint: &str, description: &str| {
            (name.into(), name.into(), endpoint.into(), description.to_owned())
        };
        let user = ResourceType::new(named("User", "/Users", "People"), schema(USER)?, vec![enterprise])?;
        let group = ResourceType::new(named("Group", "/Groups", "Groups of people"), schema(GROUP)?, vec![])?;
        self.types = vec![Arc::new(user), Arc::new(group)];
        Ok(())
    }

    /// Reads schemas: one as an object, or several in an array (RFC 7643 §7).
    ///
    /// # Errors
    /// Those of [`Json::parse`]; `scim.schema_key_unknown`, `scim.schema_key_missing`, `scim.schema_key_invalid`,
    /// `scim.schema_contradiction`, `scim.schema_name_twice`, each with its place; nothing is added then.
    pub fn add_schemas(mut self, text: &[u8]) -> Result<Self, ScimError> {
        for (number, json) in documents(&Json::parse(text, &Limits::default())?).iter().enumerate() {
            let place = |error: ScimError| error.within(&format!("[{number}]"));
            let schema = load::schema(json).map_err(place)?;
            if self.schema(schema.id()).is_some() {
                return Err(place(ScimError::at_attribute(Reason::SchemaNameTwice, "id")));
            }
            self.schemas.push(Arc::new(schema));
        }
        Ok(self)
    }

    /// Reads resource types: one as an object, or several in an array (RFC 7643 §6). Their schemas are added before.
    ///
    /// A type that has the name of one that is there already takes its place: so a user gets further extensions.
    ///
    /// # Errors
    /// As [`Self::add_schemas`], and `scim.schema_unknown`.
    pub fn add_resource_types(mut self, text: &[u8]) -> Result<Self, ScimError> {
        for (number, json) in documents(&Json::parse(text, &Limits::default())?).iter().enumerate() {
            let place = |error: ScimError| error.within(&format!("[{number}]"));
            let kind = self.resource_type(json).map_err(place)?;
            self.types.retain(|other| other.name() != kind.name());
            let same = |other: &&Arc<ResourceType>| {
                other.id() == kind.id() || other.endpoint().eq_ignore_ascii_case(kind.endpoint())
            };
            if self.types.iter().any(|other| same(&other)) {
                return Err(place(ScimError::at_attribute(Reason::SchemaNameTwice, "endpoint")));
            }
            self.types.push(Arc::new(kind));
        }
        Ok(self)
    }

    /// Finishes.
    #[must_use]
    pub fn build(self) -> Schemas {
        Schemas { schemas: self.schemas.into(), types: self.types.into() }
    }

    fn schema(&self, urn: &str) -> Option<Arc<Schema>> {
        self.schemas.iter().find(|schema| schema.id().eq_ignore_ascii_case(urn)).cloned()
    }

    fn referenced(&self, json: &Json) -> Result<Arc<Schema>, ScimError> {
        let unknown = || ScimError::at_attribute(Reason::SchemaUnknown, "schema");
        self.schema(&load::urn(json, "schema")?).ok_or_else(unknown)
    }

    fn resource_type(&self, json: &Json) -> Result<ResourceType, ScimError> {
        load::known_keys(json, &TYPE_KEYS)?;
        load::declares(json, RESOURCE_TYPE)?;
        let name = load::required_text(json, "name")?;
        let id = load::text(json, "id")?.unwrap_or(name);
        let endpoint = load::required_text(json, "endpoint")?;
        let reserved = RESERVED.iter().any(|path| path.eq_ignore_ascii_case(endpoint));
        let plain = |path: &str| {
            !path.is_empty() && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if reserved || !endpoint.strip_prefix('/').is_some_and(plain) {
            return Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, "endpoint"));
        }
        let description = load::text(json, "description")?.unwrap_or_default().to_owned();
        let extensions = self.extensions(json)?;
        ResourceType::new(
            (id.into(), name.into(), endpoint.into(), description),
            self.referenced(json)?,
            extensions,
        )
    }

    fn extensions(&self, json: &Json) -> Result<Vec<Extension>, ScimError> {
        let list = match json.member("schemaExtensions") {
            None | Some(Json::Null) => return Ok(Vec::new()),
            Some(Json::List(list)) => list,
            Some(_) => return Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, "schemaExtensions")),
        };
        let read = |json: &Json| {
            load::known_keys(json, &["schema", "required"])?;
            Ok(Extension { schema: self.referenced(json)?, required: load::flag(json, "required")? })
        };
        let place = |number| move |error: ScimError| error.within(&format!("schemaExtensions[{number}]"));
        list.iter().enumerate().map(|(number, json)| read(json).map_err(place(number))).collect()
    }
}

fn documents(json: &Json) -> &[Json] {
    if let Json::List(list) = json { list } else { std::slice::from_ref(json) }
}
