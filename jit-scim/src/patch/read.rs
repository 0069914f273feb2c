//! Reads the message of a PATCH into steps.

use std::sync::Arc;

use super::{Act, PATCH_OP, Step, Verb};
use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::path::Path;
use crate::reason::Reason;
use crate::resource::Value;
use crate::resource::read::{Purpose, Reader};
use crate::schema::{Attribute, AttributePath, ID, Mutability, ResourceType, SCHEMAS};
use crate::tolerance::Tolerance;

/// Reads every operation, or none.
pub(super) fn message(
    kind: &Arc<ResourceType>,
    json: &Json,
    tolerance: Tolerance,
    limits: &Limits,
) -> Result<Vec<Step>, ScimError> {
    for (name, _) in json.as_object()? {
        if !["schemas", "operations"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return Err(ScimError::at_attribute(Reason::PatchMalformed, name));
        }
    }
    let named = |json: &Json| json.as_text().is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_OP));
    if !matches!(json.member("schemas"), Some(Json::List(list)) if list.iter().any(named)) {
        return Err(Reason::SchemasMissing.into());
    }
    let operations = match json.member("Operations") {
        Some(Json::List(list)) if !list.is_empty() => list,
        _ => return Err(ScimError::at_attribute(Reason::PatchMalformed, "Operations")),
    };
    if operations.len() > limits.patch_operations {
        return Err(ScimError::beyond(Reason::PatchTooManyOperations, limits.patch_operations));
    }
    let reading = Reading { kind, reader: Reader { purpose: Purpose::Part, tolerance } };
    let mut steps = Vec::new();
    for (operation, json) in operations.iter().enumerate() {
        let acts = reading.operation(json).map_err(|error| error.in_operation(operation))?;
        steps.extend(acts.into_iter().map(|act| Step { operation, act }));
    }
    Ok(steps)
}

struct Reading<'a> {
    kind: &'a Arc<ResourceType>,
    reader: Reader,
}

impl Reading<'_> {
    fn operation(&self, json: &Json) -> Result<Vec<Act>, ScimError> {
        for (name, _) in json.as_object()? {
            if !["op", "path", "value"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
                return Err(ScimError::at_attribute(Reason::PatchMalformed, name));
            }
        }
        let verb = self.verb(json.member("op"))?;
        let path = match json.member("path") {
            None | Some(Json::Null) => None,
            Some(Json::Text(text)) => Some(Path::parse_with(self.kind, text, self.reader.tolerance)?),
            Some(_) => return Err(ScimError::at_attribute(Reason::PatchMalformed, "path")),
        };
        let value = json.member("value");
        match (verb, path, value) {
            (Verb::Remove, None, _) => Err(Reason::PatchNoTarget.into()),
            (Verb::Remove, Some(path), value) => self.removal(path, value),
            (_, _, None) => Err(Reason::PatchValueMissing.into()),
            (verb, Some(path), Some(value)) => self.change(verb, path, value),
            (verb, None, Some(value)) => self.several(verb, value),
        }
    }

    fn verb(&self, json: Option<&Json>) -> Result<Verb, ScimError> {
        let text = json.and_then(Json::as_text).unwrap_or_default();
        let in_any_case = self.reader.tolerance.operations_in_any_case;
        let is = |word: &str| if in_any_case { text.eq_ignore_ascii_case(word) } else { text == word };
        let verbs = [("add", Verb::Add), ("replace", Verb::Replace), ("remove", Verb::Remove)];
        let found = verbs.into_iter().find(|(word, _)| is(word)).map(|(_, verb)| verb);
        found.ok_or_else(|| ScimError::at_attribute(Reason::PatchOperationUnknown, "op"))
    }

    fn removal(&self, path: Path, value: Option<&Json>) -> Result<Vec<Act>, ScimError> {
        let attribute = self.writable(&path)?;
        let several =
            attribute.is_multi_valued() && path.filter().is_none() && path.sub_attribute().is_none();
        let value = match value {
            None | Some(Json::Null) => None,
            // to overlook the value would empty the whole attribute
            Some(_) if !several || !self.reader.tolerance.removal_by_value => {
                return Err(Reason::PatchValueUnexpected.into());
            }
            Some(json) => match self.reader.value(attribute, json)? {
                // nothing is listed, and so nothing is removed
                None => return Ok(Vec::new()),
                value => value,
            },
        };
        Ok(vec![Act::Change(Verb::Remove, path, value)])
    }

    fn change(&self, verb: Verb, path: Path, json: &Json) -> Result<Vec<Act>, ScimError> {
        if path.attribute().steps() == [SCHEMAS] {
            return self.known_schemas(json);
        }
        let attribute = match self.writable(&path) {
            Err(error)
                if error.reason() == Reason::ReadOnly && self.reader.tolerance.read_only_overlooked =>
            {
                return Ok(Vec::new());
            }
            found => found?,
        };
        if attribute.is_extension() {
            return self.extension(verb, path.attribute(), json);
        }
        let value = match path.sub_position().and_then(|position| attribute.sub_attributes().at(position)) {
            Some(sub) => self.reader.value(sub, json)?,
            None if path.filter().is_some() => self.reader.element(attribute, json)?,
            None => self.reader.value(attribute, json)?,
        };
        Ok(vec![Act::Change(verb, path, value)])
    }

    /// The members of a value without path are changes of one attribute each.
    fn several(&self, verb: Verb, json: &Json) -> Result<Vec<Act>, ScimError> {
        let members = json.as_object().map_err(|error| match error.reason() {
            Reason::NotAnObject => error.with_reason(Reason::ValueType),
            _ => error,
        })?;
        let mut acts = Vec::new();
        for (name, json) in members {
            let found = self.kind.attributes().find(name);
            let repeats_id = self.reader.tolerance.own_id && !self.reader.tolerance.read_only_overlooked;
            if let (Some((ID, _)), Json::Text(id), true) = (found, json, repeats_id) {
                acts.push(Act::KeepId(id.clone()));
                continue;
            }
            let path = match found {
                Some((position, attribute)) => {
                    Path::of(self.kind, AttributePath::new(attribute.name(), [position]))
                }
                None if self.reader.tolerance.names_with_dots => {
                    Path::parse_with(self.kind, name, self.reader.tolerance)?
                }
                None => return Err(ScimError::at_attribute(Reason::AttributeUnknown, name)),
            };
            acts.extend(self.change(verb, path, json)?);
        }
        Ok(acts)
    }

    fn extension(&self, verb: Verb, container: &AttributePath, json: &Json) -> Result<Vec<Act>, ScimError> {
        let Some(attribute) = self.kind.attribute(container) else { return Ok(Vec::new()) };
        if matches!(json, Json::Null) {
            let path = Path::of(self.kind, container.clone());
            return Ok(vec![Act::Change(verb, path, None)]);
        }
        let mut acts = Vec::new();
        for (name, json) in json.as_object()? {
            if name.eq_ignore_ascii_case("schemas") {
                acts.extend(self.known_schemas(json)?);
                continue;
            }
            let found = attribute.sub_attributes().find(name);
            let (position, inner) =
                found.ok_or_else(|| ScimError::at_attribute(Reason::AttributeUnknown, name))?;
            let path = Path::of(self.kind, container.join(inner.name(), position));
            acts.extend(self.change(verb, path, json)?);
        }
        Ok(acts)
    }

    /// `schemas` follows from what the resource has: naming known ones changes nothing.
    fn known_schemas(&self, json: &Json) -> Result<Vec<Act>, ScimError> {
        let list = if let Json::List(list) = json { list } else { std::slice::from_ref(json) };
        let known = |urn: &str| {
            let mut extensions = self.kind.extensions().iter();
            urn.eq_ignore_ascii_case(self.kind.schema().id())
                || extensions.any(|extension| urn.eq_ignore_ascii_case(extension.schema().id()))
                || self.reader.tolerance.foreign_schemas.contains(&urn)
        };
        if list.iter().all(|json| json.as_text().is_some_and(known)) {
            return Ok(Vec::new());
        }
        Err(ScimError::at_attribute(Reason::SchemasUnknown, "schemas"))
    }

    /// Returns the attribute of the path, unless it or its sub-attribute is read-only.
    fn writable(&self, path: &Path) -> Result<&Attribute, ScimError> {
        let unknown = || ScimError::from(Reason::PathUnknown);
        let attribute = self.kind.attribute(path.attribute()).ok_or_else(unknown)?;
        let sub = path.sub_position().and_then(|position| attribute.sub_attributes().at(position));
        let read_only = |attribute: &Attribute| attribute.mutability() == Mutability::ReadOnly;
        if self.kind.along(path.attribute()).any(read_only) || sub.is_some_and(read_only) {
            return Err(ScimError::at_attribute(Reason::ReadOnly, path.attribute().as_str()));
        }
        Ok(attribute)
    }
}

/// Tells whether a value can stand for values of a list.
pub(super) fn listed(value: Option<&Value>) -> &[Value] {
    value.map_or(&[], Value::each)
}
