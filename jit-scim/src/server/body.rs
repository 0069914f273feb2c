//! The text of a document: the very bytes of the answer, but for `meta`, which is spliced in when it is served.
//!
//! So a resource that is asked for is copied and not written, and neither a change of the service's address nor a new
//! version writes a document again. Where there is something that answers do not show, the text is an array,
//! `[4,4,{},{},[]]`: the length of what is shown and of everything, both of them, and what else is known.

use std::sync::Arc;

use jit_core::MEMBERSHIPS;
use serde::Deserialize;

use super::served::Served;
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
    /// The names that the client gave to a user's groups, in the order of the groups.
    pub(super) group_keys: Vec<String>,
    /// At which places the groups are that have such a name, where some have one and some have none.
    pub(super) keyed: Vec<usize>,
    /// Whether the user is in more groups than are kept; where it was never said, their number tells.
    pub(super) are_groups_cut: Option<bool>,
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
        #[serde(default)]
        keyed: Vec<usize>,
        #[serde(default)]
        cut: Option<bool>,
    },
}

impl Besides {
    fn to_json(&self) -> Json {
        let names = Json::List(self.group_keys.iter().map(Json::text).collect());
        let stopped = self.is_stopped.then_some(("stopped", Json::Boolean(true)));
        let places = self.keyed.iter().filter_map(|place| i64::try_from(*place).ok()).map(Json::Integer);
        let keyed = (!self.keyed.is_empty()).then(|| ("keyed", Json::List(places.collect())));
        let cut = self.are_groups_cut.map(|is_cut| ("cut", Json::Boolean(is_cut)));
        let others: Vec<_> = stopped.into_iter().chain(keyed).chain(cut).collect();
        if others.is_empty() { names } else { Json::object([("groups", names)].into_iter().chain(others)) }
    }

    /// Keeps the names that the client gave to each of a user's groups, and whether there are more of them. To say that there
    /// are none is left to their number, where that can.
    pub(super) fn with_groups(self, keys: Vec<Option<String>>, is_cut: bool) -> Self {
        let count = keys.len();
        let (keyed, group_keys): (Vec<_>, Vec<_>) =
            keys.into_iter().enumerate().filter_map(|(place, key)| Some((place, key?))).unzip();
        let is_mixed = !group_keys.is_empty() && group_keys.len() < count;
        let keyed = if is_mixed { keyed } else { Vec::new() };
        let are_groups_cut = (is_cut || count >= MEMBERSHIPS).then_some(is_cut);
        Self { group_keys, keyed, are_groups_cut, ..self }
    }

    /// Tells whether a user with so many groups may be in others.
    pub(super) fn cuts(&self, groups: usize) -> bool {
        self.are_groups_cut.unwrap_or(groups >= MEMBERSHIPS)
    }

    /// Returns the name that the client gave to each of so many groups; `None` where it is not known which is whose.
    pub(super) fn keys_of_groups(&self, count: usize) -> Option<Vec<Option<&str>>> {
        let all = if self.keyed.is_empty() { 0..self.group_keys.len() } else { 0..0 };
        let places: Vec<_> = self.keyed.iter().copied().chain(all).collect();
        let is_told = self.group_keys.is_empty() || self.group_keys.len() == count || !self.keyed.is_empty();
        if !is_told || places.len() != self.group_keys.len() {
            return None;
        }
        let mut keys = vec![None; count];
        for (place, key) in places.into_iter().zip(&self.group_keys) {
            *keys.get_mut(place)? = Some(key.as_str());
        }
        Some(keys)
    }
}

impl From<Written> for Besides {
    fn from(written: Written) -> Self {
        match written {
            Written::Names(group_keys) => Self { group_keys, ..Self::default() },
            Written::All { groups: group_keys, stopped: is_stopped, keyed, cut: are_groups_cut } => {
                Self { group_keys, keyed, are_groups_cut, is_stopped }
            }
        }
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

/// Refuses a resource that is longer than it may be, unless it was as long before. Groups that others put a person into do not
/// count, nor does whether they are in use: nobody stays in for being too long.
pub(super) fn check_length(
    served: &Served,
    (body, resource): (&str, &Resource),
    before: Option<&Resource>,
    most: usize,
) -> Result<(), ScimError> {
    if parts(body)?.everything.len() <= most {
        return Ok(());
    }
    let apart = served.uncounted();
    let own = |resource: &Resource| {
        let mut own = resource.clone();
        for apart in &apart {
            own.take(apart);
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
            let keys = names.iter().map(|&name| Some(name.to_owned())).collect();
            let known = Besides { is_stopped, ..Besides::default() }.with_groups(keys, is_stopped);
            let body = pack(&user, &known);
            assert!(resource(user.kind(), &body).unwrap() == user, "{body}");
            assert_eq!(besides(&body).unwrap(), known);
            assert_eq!(shown(&body).unwrap().as_bytes(), user.to_shown().0);
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
        }
        assert!(pack(&user(""), &Besides::default()).starts_with('{'), "what shows everything is kept once");
    }

    #[test]
    fn it_is_kept_which_group_has_which_name() {
        let user = user("");
        for keys in [&[][..], &[None, None], &[Some("a"), Some("b")], &[None, Some("b"), None, Some("d")]] {
            for is_stopped in [false, true] {
                let given = keys.iter().map(|key| key.map(str::to_owned)).collect();
                let known = Besides { is_stopped, ..Besides::default() }.with_groups(given, !is_stopped);
                let read = besides(&pack(&user, &known)).unwrap();
                assert_eq!((read.keys_of_groups(keys.len()).as_deref(), &read), (Some(keys), &known));
            }
        }
        let cut = |count: usize, is_cut| {
            let known = Besides::default().with_groups(vec![None; count], is_cut);
            besides(&pack(&user, &known)).unwrap().cuts(count)
        };
        for count in [3, MEMBERSHIPS] {
            assert_eq!((cut(count, false), cut(count, true)), (false, true), "what the store says counts");
        }
        assert!(Besides::default().cuts(MEMBERSHIPS), "and their number, where nothing was said");
        // as it was written before it was kept
        let unknown = besides(r#"[2,4,{},null,["b","d"]]"#).unwrap();
        assert_eq!(unknown.keys_of_groups(4), None);
        let broken = besides(r#"[2,4,{},null,{"groups":["b","d"],"keyed":[7,1]}]"#).unwrap();
        assert_eq!(broken.keys_of_groups(4), None);
    }

    #[test]
    fn what_is_broken_is_told() {
        for bad in ["", "[", "[]", "[1,1,{}]", "[99,2,{},{},[]]", "[1,2,ä,{},[]]", "[2,2,{},{}]"] {
            assert_eq!(shown(bad).unwrap_err().reason(), Reason::Broken, "{bad}");
        }
    }
}
