//! Reads a bulk request.

use std::collections::{BTreeSet, HashMap};

use super::{Bulk, BulkMethod, Operation, Unread, reference};
use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::reason::Reason;
use crate::resource::Version;

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

pub(super) fn request(json: &Json, limits: &Limits) -> Result<Bulk, ScimError> {
    only(json, &["schemas", "failonerrors", "operations"])?;
    let declared = |json: &Json| json.as_text().is_some_and(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST));
    if !matches!(json.member("schemas"), Some(Json::List(list)) if list.iter().any(declared)) {
        return Err(Reason::SchemasMissing.into());
    }
    let Some(Json::List(list)) = json.member("Operations") else { return Err(malformed("Operations")) };
    if list.len() > limits.bulk_operations {
        return Err(ScimError::beyond(Reason::BulkTooManyOperations, limits.bulk_operations));
    }
    let failures_left = match json.member("failOnErrors") {
        None | Some(Json::Null) => None,
        Some(Json::Integer(number)) if *number > 0 => Some(usize::try_from(*number).unwrap_or(usize::MAX)),
        Some(_) => return Err(malformed("failOnErrors")),
    };
    let read = |(number, json)| operation(json).map_err(|error: ScimError| error.in_operation(number));
    let operations: Vec<_> = list.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let names = names(&operations)?;
    Ok(connected(operations, names, failures_left))
}

fn malformed(name: &str) -> ScimError {
    ScimError::at_attribute(Reason::BulkMalformed, name)
}

fn only(json: &Json, known: &[&str]) -> Result<(), ScimError> {
    for (name, _) in json.as_object()? {
        if !known.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(malformed(name));
        }
    }
    Ok(())
}

/// Reads an operation as far as it can be told: without a method there is no answer to it.
fn operation(json: &Json) -> Result<Operation, ScimError> {
    json.as_object()?;
    let said = text(json, "method")?.ok_or_else(|| malformed("method"))?;
    whole(json, &said).or_else(|error| Ok(unread(json, said, error)))
}

/// Keeps what an answer needs, and by which name others wait for it.
fn unread(json: &Json, said: String, error: ScimError) -> Operation {
    Operation {
        // whatever it is called, it is never run
        method: method(&said).unwrap_or(BulkMethod::Delete),
        bulk_id: text(json, "bulkId").unwrap_or_default(),
        unread: Some(Unread { method: said, error }),
        path: String::new(),
        version: None,
        data: None,
        needs: BTreeSet::new(),
        changes: None,
        needed_by: Vec::new(),
        changed_by: Vec::new(),
        left_out: None,
        outcome: None,
    }
}

fn text(json: &Json, name: &str) -> Result<Option<String>, ScimError> {
    match json.member(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(malformed(name)),
    }
}

fn whole(json: &Json, said: &str) -> Result<Operation, ScimError> {
    only(json, &["method", "path", "bulkid", "version", "data"])?;
    let text = |name: &str| text(json, name);
    let method = method(said).ok_or_else(|| malformed("method"))?;
    let path = text("path")?.filter(|path| fits(method, path)).ok_or_else(|| malformed("path"))?;
    let bulk_id = text("bulkId")?;
    if method == BulkMethod::Post && bulk_id.is_none() {
        return Err(malformed("bulkId"));
    }
    let version = text("version")?.map(|text| Version::parse(&text).ok_or_else(|| malformed("version")));
    let data = json.member("data").filter(|data| **data != Json::Null).cloned();
    if data.is_none() && method != BulkMethod::Delete {
        return Err(malformed("data"));
    }
    let version = version.transpose()?;
    Ok(Operation {
        unread: None,
        method,
        path,
        bulk_id,
        version,
        data,
        needs: BTreeSet::new(),
        changes: None,
        needed_by: Vec::new(),
        changed_by: Vec::new(),
        left_out: None,
        outcome: None,
    })
}

/// The method as HTTP writes it.
fn method(text: &str) -> Option<BulkMethod> {
    let methods = [BulkMethod::Post, BulkMethod::Put, BulkMethod::Patch, BulkMethod::Delete];
    methods.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text))
}

/// `/Users` for what is created, `/Users/42` for everything else.
fn fits(method: BulkMethod, path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let segments: Vec<_> = rest.split('/').collect();
    let expected = if method == BulkMethod::Post { 1 } else { 2 };
    segments.len() == expected && segments.iter().all(|segment| !segment.is_empty())
}

fn names(operations: &[Operation]) -> Result<HashMap<String, usize>, ScimError> {
    let mut names = HashMap::new();
    for (number, operation) in operations.iter().enumerate() {
        let Some(name) = operation.bulk_id.as_ref().filter(|_| operation.method == BulkMethod::Post) else {
            continue;
        };
        if names.insert(name.clone(), number).is_some() {
            return Err(ScimError::from(Reason::BulkIdTwice).in_operation(number));
        }
    }
    Ok(names)
}

/// Finds out which operation waits for which. One that names itself waits for itself, which is the smallest circle.
fn connected(
    mut operations: Vec<Operation>,
    names: HashMap<String, usize>,
    failures_left: Option<usize>,
) -> Bulk {
    let (mut needed_by, mut changed_by) = (Vec::new(), Vec::new());
    for (number, operation) in operations.iter_mut().enumerate() {
        let in_path = operation.path.rsplit('/').next().and_then(reference::name);
        operation.changes = in_path.and_then(|name| names.get(name)).copied();
        changed_by.extend(operation.changes.map(|created| (created, number)));
        let mut needs = BTreeSet::new();
        if let Some(data) = &operation.data {
            reference::of(operation.method, data, &mut |name| needs.extend(names.get(name)));
        }
        needed_by.extend(needs.iter().map(|needed| (*needed, number)));
        operation.needs = needs;
    }
    for (needed, number) in needed_by {
        if let Some(operation) = operations.get_mut(needed) {
            operation.needed_by.push(number);
        }
    }
    for (created, number) in changed_by {
        if let Some(operation) = operations.get_mut(created) {
            operation.changed_by.push(number);
        }
    }
    let (waiting, ready) =
        (0..operations.len()).partition(|number| operations.get(*number).is_some_and(Operation::waits));
    Bulk { operations, names, ready, waiting, completable: BTreeSet::new(), failures_left }
}
