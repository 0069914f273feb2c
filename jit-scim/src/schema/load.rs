//! Reads schemas from files (RFC 7643 §7), and says what is wrong with them and where.

use smol_str::SmolStr;

use super::{Attribute, Attributes, Kind, Mutability, Returned, SCHEMA, Schema, Uniqueness};
use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;

/// The longest URN, and the longest name of an attribute.
const URN_BYTES: usize = 256;
const NAME_BYTES: usize = 64;
/// How many attributes one schema or complex attribute may have.
const ATTRIBUTES: usize = 1000;

const SCHEMA_KEYS: [&str; 6] = ["schemas", "id", "name", "description", "attributes", "meta"];
const ATTRIBUTE_KEYS: [&str; 12] = [
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "canonicalValues",
    "referenceTypes",
    "subAttributes",
];

pub(super) fn schema(json: &Json) -> Result<Schema, ScimError> {
    known_keys(json, &SCHEMA_KEYS)?;
    let id = urn(json, "id")?;
    declares(json, SCHEMA)?;
    let attributes = attributes(json, "attributes", false)?;
    if attributes.is_empty() {
        return Err(ScimError::at_attribute(Reason::SchemaKeyMissing, "attributes"));
    }
    Ok(Schema {
        name: text(json, "name")?.unwrap_or(&id).to_owned(),
        description: text(json, "description")?.unwrap_or_default().to_owned(),
        id,
        attributes,
    })
}

/// Checks that `schemas`, where it is given, names this one.
pub(super) fn declares(json: &Json, urn: &str) -> Result<(), ScimError> {
    let Some(schemas) = json.member("schemas") else { return Ok(()) };
    let named = matches!(schemas, Json::List(list) if list.iter().any(|one| one.as_text() == Some(urn)));
    if named { Ok(()) } else { Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, "schemas")) }
}

pub(super) fn known_keys(json: &Json, known: &[&str]) -> Result<(), ScimError> {
    for (name, _) in json.as_object()? {
        if !known.contains(&name.as_str()) {
            return Err(ScimError::at_attribute(Reason::SchemaKeyUnknown, name));
        }
    }
    Ok(())
}

pub(super) fn urn(json: &Json, key: &str) -> Result<SmolStr, ScimError> {
    let urn = required_text(json, key)?;
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"[]()\\".contains(&byte);
    if urn.len() <= URN_BYTES && urn.contains(':') && urn.bytes().all(fits) && !urn.ends_with(':') {
        return Ok(urn.into());
    }
    Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, key))
}

pub(super) fn required_text<'a>(json: &'a Json, key: &str) -> Result<&'a str, ScimError> {
    text(json, key)?
        .filter(|text| !text.is_empty())
        .ok_or_else(|| ScimError::at_attribute(Reason::SchemaKeyMissing, key))
}

pub(super) fn text<'a>(json: &'a Json, key: &str) -> Result<Option<&'a str>, ScimError> {
    match json.member(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, key)),
    }
}

pub(super) fn flag(json: &Json, key: &str) -> Result<bool, ScimError> {
    match json.member(key) {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Boolean(flag)) => Ok(*flag),
        Some(_) => Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, key)),
    }
}

fn texts(json: &Json, key: &str) -> Result<Vec<String>, ScimError> {
    let invalid = || ScimError::at_attribute(Reason::SchemaKeyInvalid, key);
    match json.member(key) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::List(list)) => {
            list.iter().map(|one| one.as_text().map(str::to_owned).ok_or_else(invalid)).collect()
        }
        Some(_) => Err(invalid()),
    }
}

fn chosen<T>(json: &Json, key: &str, parse: fn(&str) -> Option<T>, otherwise: T) -> Result<T, ScimError> {
    let invalid = || ScimError::at_attribute(Reason::SchemaKeyInvalid, key);
    text(json, key)?.map_or(Ok(otherwise), |text| parse(text).ok_or_else(invalid))
}

/// `inner` says that these are sub-attributes, which have none of their own (RFC 7643 §2.3.8).
fn attributes(json: &Json, key: &str, inner: bool) -> Result<Attributes, ScimError> {
    let list = match json.member(key) {
        None | Some(Json::Null) => return Ok(Attributes::default()),
        Some(Json::List(list)) if list.len() <= ATTRIBUTES => list,
        Some(_) => return Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, key)),
    };
    let mut set = Attributes::default();
    for (number, json) in list.iter().enumerate() {
        let place = |error: ScimError| error.within(&format!("{key}[{number}]"));
        let attribute = attribute(json, inner).map_err(place)?;
        set.push(attribute).map_err(|_| place(ScimError::at_attribute(Reason::SchemaNameTwice, "name")))?;
    }
    Ok(set)
}

fn attribute(json: &Json, inner: bool) -> Result<Attribute, ScimError> {
    known_keys(json, &ATTRIBUTE_KEYS)?;
    let name = required_text(json, "name")?;
    if !is_name(name) {
        return Err(ScimError::at_attribute(Reason::SchemaKeyInvalid, "name"));
    }
    let attribute = Attribute {
        kind: chosen(json, "type", Kind::parse, Kind::String)?,
        multi_valued: flag(json, "multiValued")?,
        required: flag(json, "required")?,
        case_exact: flag(json, "caseExact")?,
        mutability: chosen(json, "mutability", Mutability::parse, Mutability::ReadWrite)?,
        returned: chosen(json, "returned", Returned::parse, Returned::Default)?,
        uniqueness: chosen(json, "uniqueness", Uniqueness::parse, Uniqueness::None)?,
        canonical_values: texts(json, "canonicalValues")?,
        reference_types: texts(json, "referenceTypes")?,
        sub_attributes: attributes(json, "subAttributes", true)?,
        ..Attribute::new(name, Kind::String, text(json, "description")?.unwrap_or_default())
    };
    agrees(&attribute, inner)?;
    Ok(attribute)
}

/// Checks that the characteristics do not contradict each other.
fn agrees(attribute: &Attribute, inner: bool) -> Result<(), ScimError> {
    let complex = attribute.kind == Kind::Complex;
    let comparable = !matches!(attribute.kind, Kind::Complex | Kind::Boolean);
    let contradicting = if complex && inner {
        "type"
    } else if complex == attribute.sub_attributes.is_empty() {
        "subAttributes"
    } else if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never
        || can_be_guessed(attribute)
    {
        "returned"
    } else if attribute.uniqueness != Uniqueness::None && (!comparable || attribute.multi_valued)
        || attribute.multi_valued
            && attribute.sub_attributes.iter().any(|sub| sub.uniqueness != Uniqueness::None)
    {
        "uniqueness"
    } else {
        return Ok(());
    };
    Err(ScimError::at_attribute(Reason::SchemaContradiction, contradicting))
}

/// Tells whether what is never returned shows in what is refused: a right guess is no change of what is immutable, and is
/// taken where it is unique.
fn can_be_guessed(attribute: &Attribute) -> bool {
    let subs = &attribute.sub_attributes;
    let is_hidden = |one: &Attribute| one.returned == Returned::Never;
    let tells =
        |one: &Attribute| one.mutability == Mutability::Immutable || one.uniqueness != Uniqueness::None;
    is_hidden(attribute) && (tells(attribute) || subs.iter().any(tells))
        || tells(attribute) && subs.iter().any(is_hidden)
}

/// RFC 7643 §2.1, with the dollar sign of `$ref`.
fn is_name(name: &str) -> bool {
    let name_bytes = name.strip_prefix('$').unwrap_or(name).as_bytes();
    name.len() <= NAME_BYTES
        && name_bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && name_bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}
