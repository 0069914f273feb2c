//! Schemas (RFC 7643 §7) and resource types (§6): what everything else is checked against.
//!
//! A schema is data: those of RFC 7643 are built in, others are read from files and checked when they are loaded.

mod attribute;
mod attributes;
mod definition;
mod load;
mod path;
mod registry;
mod resource_type;
mod standard;
mod standard_discovery;

pub use attribute::{Attribute, Kind, Mutability, Returned, Uniqueness};
pub use attributes::Attributes;
pub use definition::Schema;
pub use path::AttributePath;
pub use registry::{Schemas, SchemasBuilder};
pub use resource_type::{Extension, ResourceType};

pub(crate) use attributes::Position;
pub(crate) use resource_type::{EXTERNAL_ID, ID, META, SCHEMAS};

/// The schema of users (RFC 7643 §4.1).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups (RFC 7643 §4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The extension of users in enterprises (RFC 7643 §4.3).
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of the service provider's configuration (RFC 7643 §5).
pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The schema of resource types (RFC 7643 §6).
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of schemas (RFC 7643 §7).
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

#[cfg(test)]
mod tests;
