//! The text of a document: the very bytes of the answer, but for `meta`, which is spliced in when it is served.
//!
//! So a resource that is asked for is copied and not written, and neither a change of the service's address nor a new
//! version writes a document again. Where there is something that answers do not show, the text is an array,
//! `[4,4,{},{},[]]`: the length of what is shown and of everything, both of them, and what else is known.

use std::sync::Arc;

use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::Resource;
use crate::schema::ResourceType;

/// The parts of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Parts<'a> {
    shown: &'a str,
    everything: &'a str,
    more: &'a str,
}

/// Writes a resource. `more` is what is known besides, such as the names that the client gave to a user's groups.
pub(super) fn pack(resource: &Resource, more: &[String]) -> Arc<str> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_default();
    let (shown, is_all) = resource.to_shown();
    let shown = text(shown);
    if is_all && more.is_empty() {
        return shown.into();
    }
    let everything = if is_all { "null".to_owned() } else { text(resource.to_stored()) };
    let more = Json::List(more.iter().map(Json::text).collect()).to_bytes();
    format!("[{},{},{shown},{everything},{}]", shown.len(), everything.len(), text(more)).into()
}

/// Returns what is shown.
pub(super) fn shown(body: &str) -> Result<&str, ScimError> {
    Ok(parts(body)?.shown)
}

/// Reads the resource.
pub(super) fn resource(kind: &Arc<ResourceType>, body: &str) -> Result<Resource, ScimError> {
    Resource::kept(kind, parts(body)?.everything)
}

/// Reads what is known besides.
pub(super) fn more(body: &str) -> Result<Vec<String>, ScimError> {
    match parts(body)?.more {
        "[]" => Ok(Vec::new()),
        more => serde_json::from_str(more).map_err(|_| Reason::Broken.into()),
    }
}

fn parts(body: &str) -> Result<Parts<'_>, ScimError> {
    if body.starts_with('{') {
        return Ok(Parts { shown: body, everything: body, more: "[]" });
    }
    split(body).ok_or_else(|| Reason::Broken.into())
}

fn split(body: &str) -> Option<Parts<'_>> {
    let rest = body.strip_prefix('[')?.strip_suffix(']')?;
    let (first, rest) = rest.split_once(',')?;
    let (second, rest) = rest.split_once(',')?;
    let (shown, rest) = rest.split_at_checked(first.parse().ok()?)?;
    let (everything, rest) = rest.strip_prefix(',')?.split_at_checked(second.parse().ok()?)?;
    let everything = if everything == "null" { shown } else { everything };
    Some(Parts { shown, everything, more: rest.strip_prefix(',')? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Schemas, Tolerance};

    fn user(rest: &str) -> Resource {
        let schemas = Schemas::standard();
        let kind = schemas.endpoint("/Users").unwrap();
        let text = format!(r#"{{"schemas":["{}"],"userName":"ä"{rest}}}"#, kind.schema().id());
        let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        Resource::create(kind, &json, Tolerance::strict()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (rest, names) in [
            ("", &[][..]),
            (r#","password":"p,]""#, &[]),
            ("", &["g\"1".to_owned()]),
            (r#","title":"[1,2]","password":"x""#, &["a".to_owned(), "b".to_owned()]),
        ] {
            let user = user(rest);
            let body = pack(&user, names);
            assert!(resource(user.kind(), &body).unwrap() == user, "{body}");
            assert_eq!(more(&body).unwrap(), names);
            assert_eq!(shown(&body).unwrap().as_bytes(), user.to_shown().0);
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
        }
        assert!(pack(&user(""), &[]).starts_with('{'), "what shows everything is kept once");
    }

    #[test]
    fn what_is_broken_is_told() {
        for bad in ["", "[", "[]", "[1,1,{}]", "[99,2,{},{},[]]", "[1,2,ä,{},[]]", "[2,2,{},{}]"] {
            assert_eq!(shown(bad).unwrap_err().reason(), Reason::Broken, "{bad}");
        }
    }
}
