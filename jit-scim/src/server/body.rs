//! The text of a document: the very bytes of the answer, but for `meta`, which is spliced in when it is served.
//!
//! So a resource that is asked for is copied and not written, and neither a change of the service's address nor a new
//! version writes a document again. Where there is something that answers do not show, the text is an array,
//! `[4,4,{},{},[]]`: the length of what is shown and of everything, both of them, and what else is known.

use std::sync::Arc;

use serde::Deserialize;

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
    besides: &'a str,
}

/// What is known of a resource that it does not say itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Besides {
    /// The names that the client gave to a user's groups.
    pub(super) group_keys: Vec<String>,
    /// Whether the person is stopped: their `active` was taken away while it was `false`.
    pub(super) is_stopped: bool,
}

/// [`Besides`] as it is written: the names alone where there is nothing else, as it always was.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Names(Vec<String>),
    All {
        #[serde(default)]
        groups: Vec<String>,
        #[serde(default)]
        stopped: bool,
    },
}

impl Besides {
    fn to_json(&self) -> Json {
        let names = Json::List(self.group_keys.iter().map(Json::text).collect());
        if self.is_stopped {
            Json::object([("groups", names), ("stopped", Json::Boolean(true))])
        } else {
            names
        }
    }
}

impl From<Written> for Besides {
    fn from(written: Written) -> Self {
        let (group_keys, is_stopped) = match written {
            Written::Names(groups) => (groups, false),
            Written::All { groups, stopped } => (groups, stopped),
        };
        Self { group_keys, is_stopped }
    }
}

/// Writes a resource and what is known besides.
pub(super) fn pack(resource: &Resource, besides: &Besides) -> Arc<str> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_default();
    let (shown, is_all) = resource.to_shown();
    let shown = text(shown);
    if is_all && *besides == Besides::default() {
        return shown.into();
    }
    let everything = if is_all { "null".to_owned() } else { text(resource.to_stored()) };
    let besides = text(besides.to_json().to_bytes());
    format!("[{},{},{shown},{everything},{besides}]", shown.len(), everything.len()).into()
}

/// Refuses a resource that is longer than it may be, unless it was as long before. Groups of a person do not count, for others
/// put them in, nor does whether they are in use: nobody stays in for being too long.
pub(super) fn check_length(
    (body, resource): (&str, &Resource),
    before: Option<&Resource>,
    most: usize,
) -> Result<(), ScimError> {
    if parts(body)?.everything.len() <= most {
        return Ok(());
    }
    let own = |resource: &Resource| {
        let mut own = resource.clone();
        for apart in ["groups", "active"].iter().filter_map(|name| resource.kind().resolve(name)) {
            own.take(&apart);
        }
        own.to_stored().len()
    };
    if own(resource) > most.max(before.map_or(0, own)) {
        return Err(ScimError::beyond(Reason::ResourceTooLarge, most));
    }
    Ok(())
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
pub(super) fn besides(body: &str) -> Result<Besides, ScimError> {
    match parts(body)?.besides {
        "[]" => Ok(Besides::default()),
        besides => {
            let read = serde_json::from_str::<Written>(besides);
            read.map(Besides::from).map_err(|_| Reason::Broken.into())
        }
    }
}

fn parts(body: &str) -> Result<Parts<'_>, ScimError> {
    if body.starts_with('{') {
        return Ok(Parts { shown: body, everything: body, besides: "[]" });
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
    Some(Parts { shown, everything, besides: rest.strip_prefix(',')? })
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
        for (rest, names, is_stopped) in [
            ("", &[][..], false),
            (r#","password":"p,]""#, &[], false),
            ("", &["g\"1"], false),
            ("", &[], true),
            (r#","title":"[1,2]","password":"x""#, &["a", "b"], true),
        ] {
            let user = user(rest);
            let known =
                Besides { group_keys: names.iter().map(|&name| name.to_owned()).collect(), is_stopped };
            let body = pack(&user, &known);
            assert!(resource(user.kind(), &body).unwrap() == user, "{body}");
            assert_eq!(besides(&body).unwrap(), known);
            assert_eq!(shown(&body).unwrap().as_bytes(), user.to_shown().0);
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
        }
        assert!(pack(&user(""), &Besides::default()).starts_with('{'), "what shows everything is kept once");
    }

    #[test]
    fn what_is_broken_is_told() {
        for bad in ["", "[", "[]", "[1,1,{}]", "[99,2,{},{},[]]", "[1,2,ä,{},[]]", "[2,2,{},{}]"] {
            assert_eq!(shown(bad).unwrap_err().reason(), Reason::Broken, "{bad}");
        }
    }
}
