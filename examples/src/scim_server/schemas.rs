//! Schemas and resource types from files.

use std::fs;
use std::path::PathBuf;

use jit_scim::schema::SchemasBuilder;
use jit_scim::{Schemas, ScimError};

/// Reads the files, beside the standard schemas and types; what is wrong with one names it.
pub(crate) fn read(schemas: &[PathBuf], resource_types: &[PathBuf]) -> Result<Schemas, String> {
    let builder = add(Schemas::builder(), schemas, SchemasBuilder::add_schemas)?;
    Ok(add(builder, resource_types, SchemasBuilder::add_resource_types)?.build())
}

fn add(
    mut builder: SchemasBuilder,
    files: &[PathBuf],
    add: impl Fn(SchemasBuilder, &[u8]) -> Result<SchemasBuilder, ScimError>,
) -> Result<SchemasBuilder, String> {
    for file in files {
        let place = file.display();
        let text = fs::read(file).map_err(|error| format!("{place}: cannot be read: {}", error.kind()))?;
        builder = add(builder, &text).map_err(|error| format!("{place}: {error}"))?;
    }
    Ok(builder)
}
