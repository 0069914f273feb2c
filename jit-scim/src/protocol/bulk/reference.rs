//! References to what another operation creates: texts of the form `bulkId:NAME` (RFC 7644 §3.7.2).

use crate::error::ScimError;
use crate::json::Json;

/// Returns the name of a reference.
pub(super) fn name(text: &str) -> Option<&str> {
    text.strip_prefix("bulkId:").filter(|name| !name.is_empty())
}

/// Calls for every reference. Goes no deeper than the reader of JSON did.
pub(super) fn each<'a>(json: &'a Json, found: &mut dyn FnMut(&'a str)) {
    match json {
        Json::Text(text) => name(text).into_iter().for_each(found),
        Json::List(list) => list.iter().for_each(|json| each(json, found)),
        Json::Object(members) => members.iter().for_each(|(_, json)| each(json, found)),
        _ => {}
    }
}

/// Puts identifiers in the place of references.
pub(super) fn replaced(
    json: &Json,
    identifier: &dyn Fn(&str) -> Result<String, ScimError>,
) -> Result<Json, ScimError> {
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

/// Leaves out what holds a reference that is not known yet: the element of a list, or the member of the outermost object.
pub(super) fn without(json: &Json, known: &dyn Fn(&str) -> bool) -> Json {
    let holds = |json: &Json| {
        let mut unknown = false;
        each(json, &mut |name| unknown |= !known(name));
        unknown
    };
    let Json::Object(members) = json else { return json.clone() };
    let mut kept = Vec::new();
    for (name, json) in members {
        match json {
            Json::List(list) => {
                kept.push((
                    name.clone(),
                    Json::List(list.iter().filter(|json| !holds(json)).cloned().collect()),
                ));
            }
            Json::Object(_) if name.contains(':') => kept.push((name.clone(), without(json, known))),
            json if holds(json) => {}
            json => kept.push((name.clone(), json.clone())),
        }
    }
    Json::Object(kept)
}
