//! References to what another operation creates: texts of the form `bulkId:NAME` (RFC 7644 §3.7.2), and within the paths of a
//! PATCH the texts that a filter compares with.

use super::BulkMethod;
use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;

const OPERATIONS: &str = "Operations";
const PATH: &str = "path";

/// Returns the name of a reference.
pub(super) fn name(text: &str) -> Option<&str> {
    text.strip_prefix("bulkId:").filter(|name| !name.is_empty())
}

/// Calls for every reference of an operation.
pub(super) fn of(method: BulkMethod, data: &Json, found: &mut dyn FnMut(&str)) {
    each(data, found);
    for path in paths(method, data) {
        for part in parts(path) {
            part.reference().into_iter().for_each(|name| found(&name));
        }
    }
}

/// Puts identifiers in the place of the references of an operation.
pub(super) fn resolved(
    method: BulkMethod,
    data: &Json,
    identifier: &dyn Fn(&str) -> Result<String, ScimError>,
) -> Result<Json, ScimError> {
    let mut data = replaced(data, identifier)?;
    for path in paths_mut(method, &mut data) {
        *path = resolved_path(path, identifier)?;
    }
    Ok(data)
}

fn resolved_path(
    path: &str,
    identifier: &dyn Fn(&str) -> Result<String, ScimError>,
) -> Result<String, ScimError> {
    let part = |part: Part<'_>| match part.reference() {
        Some(name) => identifier(&name).map(|id| quoted(&id)),
        None => Ok(part.0.to_owned()),
    };
    parts(path).map(part).collect()
}

/// The paths of a PATCH.
fn paths(method: BulkMethod, data: &Json) -> impl Iterator<Item = &str> {
    let operations = match data.member(OPERATIONS) {
        Some(Json::List(operations)) if method == BulkMethod::Patch => operations.as_slice(),
        _ => &[],
    };
    operations.iter().filter_map(|operation| operation.member(PATH)?.as_text())
}

fn paths_mut(method: BulkMethod, data: &mut Json) -> impl Iterator<Item = &mut String> {
    let operations = match member_mut(data, OPERATIONS) {
        Some(Json::List(operations)) if method == BulkMethod::Patch => operations.as_mut_slice(),
        _ => &mut [],
    };
    operations.iter_mut().filter_map(|operation| match member_mut(operation, PATH)? {
        Json::Text(path) => Some(path),
        _ => None,
    })
}

fn member_mut<'a>(json: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    let Json::Object(members) = json else { return None };
    members.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A text within a path, with its quotes, or what stands between two of them.
struct Part<'a>(&'a str);

impl Part<'_> {
    /// The name of the reference that it is, if it is one.
    fn reference(&self) -> Option<String> {
        let is_text = self.0.starts_with('"');
        let json = is_text.then(|| Json::parse(self.0.as_bytes(), &Limits::default()))?.ok()?;
        name(json.as_text()?).map(str::to_owned)
    }
}

/// Takes a path apart. Together the parts are the path; a text that does not end is one, too.
fn parts(path: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        let end = match rest.strip_prefix('"') {
            Some(text) => end_of(text).map_or(rest.len(), |end| end + 2),
            None => rest.find('"').unwrap_or(rest.len()),
        };
        let (part, behind) = rest.split_at_checked(end)?;
        rest = behind;
        (!part.is_empty()).then_some(Part(part))
    })
}

/// Where the quote stands that ends a text.
fn end_of(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

fn quoted(text: &str) -> String {
    String::from_utf8_lossy(&Json::text(text).to_bytes()).into_owned()
}

/// Calls for every reference. Goes no deeper than the reader of JSON did.
fn each(json: &Json, found: &mut dyn FnMut(&str)) {
    match json {
        Json::Text(text) => name(text).into_iter().for_each(found),
        Json::List(list) => list.iter().for_each(|json| each(json, found)),
        Json::Object(members) => members.iter().for_each(|(_, json)| each(json, found)),
        _ => {}
    }
}

/// Puts identifiers in the place of references.
fn replaced(json: &Json, identifier: &dyn Fn(&str) -> Result<String, ScimError>) -> Result<Json, ScimError> {
    Ok(match json {
        Json::Text(text) => match name(text) {
            Some(name) => Json::Text(identifier(name)?),
            None => json.clone(),
        },
        Json::List(list) => {
            Json::List(list.iter().map(|json| replaced(json, identifier)).collect::<Result<_, _>>()?)
        }
        Json::Object(members) => {
            let member = |(name, json): &(String, Json)| Ok((name.clone(), replaced(json, identifier)?));
            Json::Object(members.iter().map(member).collect::<Result<_, ScimError>>()?)
        }
        plain => plain.clone(),
    })
}

/// Takes apart what can be said now and what holds a reference that is not known yet: elements of a list, or members of the
/// outermost object.
pub(super) fn apart(json: &Json, known: &dyn Fn(&str) -> bool) -> (Json, Json) {
    let holds = |json: &Json| {
        let mut unknown = false;
        each(json, &mut |name| unknown |= !known(name));
        unknown
    };
    let Json::Object(members) = json else { return (json.clone(), Json::Object(Vec::new())) };
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for (name, json) in members {
        if !holds(json) {
            now.push((name.clone(), json.clone()));
            continue;
        }
        match json {
            Json::List(list) => {
                let (unknown, known) = list.iter().cloned().partition(holds);
                now.push((name.clone(), Json::List(known)));
                later.push((name.clone(), Json::List(unknown)));
            }
            Json::Object(_) if name.contains(':') => {
                let (known, unknown) = apart(json, known);
                now.push((name.clone(), known));
                later.push((name.clone(), unknown));
            }
            json => later.push((name.clone(), json.clone())),
        }
    }
    (Json::Object(now), Json::Object(later))
}
